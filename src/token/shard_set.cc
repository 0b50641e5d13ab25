#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "base/hash.h"
#include "token/shard_writer.h"
#include "token/shards.h"

namespace rhodes {
namespace {

constexpr size_t kIndexHeader = 34;  // magic 9, version 8, type 1, sequences 8, borders 8

template <typename T>
T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

struct Shard {
  MappedFile bin;
  MappedFile index;
  MappedFile lineage;
  LineageHeader header;
  uint64_t width = 0;
  uint64_t tokens = 0;
  uint64_t first_token = 0;
  uint64_t first_document = 0;

  const char* offsets() const { return index.bytes().data() + kIndexHeader + 4 * header.documents; }
  uint64_t Begin(uint64_t document) const {
    return document == header.documents ? tokens : Load<uint64_t>(offsets() + 8 * document) / width;
  }
  TokenId At(uint64_t position) const {
    const char* at = bin.bytes().data() + position * width;
    return width == 2 ? Load<uint16_t>(at) : Load<uint32_t>(at);
  }
};

absl::Status Damaged(const std::string& path, std::string_view what) {
  return absl::DataLossError(
      fmt::format("{}: {}; remove the shards folder and run the tokenize stage again", path, what));
}

absl::StatusOr<Shard> OpenShard(const std::string& stem) {
  Shard shard;
  ASSIGN_OR_RETURN(shard.bin, MappedFile::Open(stem + ".bin"));
  ASSIGN_OR_RETURN(shard.index, MappedFile::Open(stem + ".idx"));
  ASSIGN_OR_RETURN(shard.lineage, MappedFile::Open(stem + ".lineage"));
  const std::string_view index = shard.index.bytes();
  if (index.size() < kIndexHeader || index.substr(0, 9) != std::string_view("MMIDIDX\0\0", 9)) {
    return Damaged(stem + ".idx", "not a Megatron index");
  }
  const auto type = static_cast<uint8_t>(index[17]);
  if (Load<uint64_t>(index.data() + 9) != 1 || (type != 8 && type != 4)) {
    return Damaged(stem + ".idx", fmt::format("version or token type ({}) is not known", type));
  }
  shard.width = type == 8 ? 2 : 4;
  const uint64_t sequences = Load<uint64_t>(index.data() + 18);
  const std::string_view lineage = shard.lineage.bytes();
  if (lineage.size() < sizeof(LineageHeader) + 8 || std::memcmp(lineage.data(), kLineageMagic, 8) != 0) {
    return Damaged(stem + ".lineage", "not a lineage table");
  }
  shard.header = Load<LineageHeader>(lineage.data());
  if (sequences > index.size() || shard.header.documents != sequences ||
      index.size() != kIndexHeader + 12 * sequences + 8 * (sequences + 1)) {
    return Damaged(stem + ".idx", "its size does not fit its number of documents");
  }
  if (shard.header.row_bits != RowBits(shard.header.corpus_rows) ||
      lineage.size() != sizeof(LineageHeader) + (sequences * shard.header.row_bits + 63) / 64 * 8 + 8 ||
      Load<uint64_t>(lineage.data() + lineage.size() - 8) != Fingerprint(lineage.substr(0, lineage.size() - 8))) {
    return Damaged(stem + ".lineage", "its checksum or size is wrong");
  }
  shard.tokens = shard.bin.bytes().size() / shard.width;
  uint64_t total = 0;
  for (uint64_t i = 0; i < sequences; ++i) {
    if (Load<uint64_t>(shard.offsets() + 8 * i) != total * shard.width)
      return Damaged(stem + ".idx", fmt::format("sequence {} does not begin where the last one ends", i));
    total += static_cast<uint64_t>(Load<int32_t>(index.data() + kIndexHeader + 4 * i));
  }
  if (total != shard.tokens || shard.bin.bytes().size() % shard.width != 0) {
    return Damaged(stem + ".bin",
                   fmt::format("holds {} bytes, the index counts {} tokens", shard.bin.bytes().size(), total));
  }
  if (Fingerprint(shard.bin.bytes()) != shard.header.bin_checksum)
    return Damaged(stem + ".bin", "its checksum is wrong");
  return shard;
}

class Set final : public ShardSet {
 public:
  explicit Set(std::vector<Shard> shards) : shards_(std::move(shards)) {
    for (Shard& shard : shards_) {
      shard.first_token = tokens_;
      shard.first_document = documents_;
      tokens_ += shard.tokens;
      documents_ += shard.header.documents;
      text_bytes_ += shard.header.text_bytes;
    }
  }

  uint64_t token_count() const override { return tokens_; }
  uint64_t document_count() const override { return documents_; }
  uint64_t text_bytes() const override { return text_bytes_; }

  uint64_t DocumentBegin(uint64_t d) const override {
    if (d >= documents_) return tokens_;
    const Shard& shard = ShardOfDocument(d);
    return shard.first_token + shard.Begin(d - shard.first_document);
  }

  uint64_t DocumentOf(uint64_t position) const override {
    const Shard& shard = ShardOfToken(position);
    const uint64_t within = position - shard.first_token;
    uint64_t low = 0;
    uint64_t high = shard.header.documents;
    while (high - low > 1) {
      const uint64_t middle = (low + high) / 2;
      (shard.Begin(middle) <= within ? low : high) = middle;
    }
    return shard.first_document + low;
  }

  void Read(uint64_t position, std::span<TokenId> out) const override {
    if (tokens_ == 0) return;
    position %= tokens_;
    for (size_t done = 0; done < out.size();) {
      const Shard& shard = ShardOfToken(position);
      const uint64_t within = position - shard.first_token;
      const uint64_t count = std::min<uint64_t>(shard.tokens - within, out.size() - done);
      for (uint64_t i = 0; i < count; ++i) out[done + i] = shard.At(within + i);
      done += count;
      position = position + count == tokens_ ? 0 : position + count;
    }
  }

  uint64_t CorpusRow(uint64_t d) const override {
    const Shard& shard = ShardOfDocument(d);
    const uint64_t bits = shard.header.row_bits;
    const uint64_t bit = (d - shard.first_document) * bits;
    const char* words = shard.lineage.bytes().data() + sizeof(LineageHeader);
    uint64_t row = Load<uint64_t>(words + bit / 64 * 8) >> (bit % 64);
    if (bit % 64 + bits > 64) row |= Load<uint64_t>(words + (bit / 64 + 1) * 8) << (64 - bit % 64);
    return bits == 64 ? row : row & ((uint64_t{1} << bits) - 1);
  }

 private:
  // The last shard that begins at or before; there are few.
  const Shard& ShardOfToken(uint64_t position) const {
    size_t i = shards_.size() - 1;
    while (i > 0 && shards_[i].first_token > position) --i;
    return shards_[i];
  }
  const Shard& ShardOfDocument(uint64_t document) const {
    size_t i = shards_.size() - 1;
    while (i > 0 && shards_[i].first_document > document) --i;
    return shards_[i];
  }

  std::vector<Shard> shards_;
  uint64_t tokens_ = 0;
  uint64_t documents_ = 0;
  uint64_t text_bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ShardSet>> ShardSet::Open(const std::string& directory, const std::string& split) {
  std::vector<Shard> shards;
  while (true) {
    const std::string stem = fmt::format("{}/{}-{:05}", directory, split, shards.size());
    if (!PathExists(stem + ".bin")) break;
    ASSIGN_OR_RETURN(Shard shard, OpenShard(stem));
    shards.push_back(std::move(shard));
  }
  if (shards.empty()) {
    return absl::NotFoundError(
        fmt::format("{} holds no {} shards; make them with `rhodes tokenize`", directory, split));
  }
  return std::make_unique<Set>(std::move(shards));
}

}  // namespace rhodes
