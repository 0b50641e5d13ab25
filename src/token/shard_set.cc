#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "base/run_context.h"
#include "token/shard_lineage.h"
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
  MappedFile table;
  Lineage lineage;
  uint64_t width = 0;
  uint64_t tokens = 0;
  uint64_t documents = 0;
  uint64_t first_token = 0;
  uint64_t first_document = 0;

  uint64_t Begin(uint64_t document) const {
    const char* offsets = index.bytes().data() + kIndexHeader + 4 * documents;
    return document == documents ? tokens : Load<uint64_t>(offsets + 8 * document) / width;
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

// Checks the .idx of a shard whose lineage is known, and takes the width of a token from it.
absl::Status ReadIndex(const std::string& path, Shard& shard) {
  const std::string_view index = shard.index.bytes();
  if (index.size() < kIndexHeader || index.substr(0, 9) != std::string_view("MMIDIDX\0\0", 9)) {
    return Damaged(path, "byte 0: not a Megatron index");
  }
  const auto type = static_cast<uint8_t>(index[17]);
  if (Load<uint64_t>(index.data() + 9) != 1 || (type != 8 && type != 4)) {
    return Damaged(path, fmt::format("version or token type ({}) is not known", type));
  }
  shard.width = type == 8 ? 2 : 4;
  const uint64_t sequences = Load<uint64_t>(index.data() + 18);
  if (sequences != shard.documents || Load<uint64_t>(index.data() + 26) != sequences + 1 ||
      index.size() != kIndexHeader + 12 * sequences + 8 * (sequences + 1)) {
    return Damaged(path, fmt::format("its {} bytes are not those of {} documents", index.size(), shard.documents));
  }
  const char* const lengths = index.data() + kIndexHeader;
  const char* const offsets = lengths + 4 * sequences;
  const char* const borders = offsets + 8 * sequences;
  for (uint64_t i = 0; i <= sequences; ++i) {
    if (Load<uint64_t>(borders + 8 * i) != i) {
      return Damaged(path, fmt::format("byte {}: border {} is not sequence {}", borders + 8 * i - index.data(), i, i));
    }
    if (i == sequences) break;
    const uint64_t begin = shard.lineage.DocumentBegin(i);
    const bool begins = Load<uint64_t>(offsets + 8 * i) == begin * shard.width;
    if (!begins || Load<uint32_t>(lengths + 4 * i) != shard.lineage.DocumentBegin(i + 1) - begin) {
      return Damaged(path, fmt::format("byte {}: sequence {} does not lie where its lineage says",
                                       (begins ? lengths + 4 * i : offsets + 8 * i) - index.data(), i));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Shard> OpenShard(const std::string& stem) {
  Shard shard;
  ASSIGN_OR_RETURN(shard.bin, MappedFile::Open(stem + ".bin"));
  ASSIGN_OR_RETURN(shard.index, MappedFile::Open(stem + ".idx"));
  ASSIGN_OR_RETURN(shard.table, MappedFile::Open(stem + ".lineage"));
  ASSIGN_OR_RETURN(shard.lineage, Lineage::Parse(shard.table.bytes(), stem + ".lineage"));
  shard.documents = shard.lineage.documents();
  shard.tokens = shard.lineage.header().tokens;
  RETURN_IF_ERROR(ReadIndex(stem + ".idx", shard));
  RETURN_IF_ERROR(shard.lineage.CheckData(shard.bin.bytes(), stem + ".bin", RunContext().Threads()));
  if (shard.bin.bytes().size() != shard.tokens * shard.width) {
    return Damaged(stem + ".bin",
                   fmt::format("holds {} bytes, the index counts {} tokens", shard.bin.bytes().size(), shard.tokens));
  }
  return shard;
}

class Set final : public ShardSet {
 public:
  explicit Set(std::vector<Shard> shards) : shards_(std::move(shards)) {
    for (Shard& shard : shards_) {
      shard.first_token = tokens_;
      shard.first_document = documents_;
      tokens_ += shard.tokens;
      documents_ += shard.documents;
      text_bytes_ += shard.lineage.header().text_bytes;
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
    return shard.first_document + shard.lineage.DocumentOf(position - shard.first_token);
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
    return shard.lineage.CorpusRow(d - shard.first_document);
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
    if (!PathExists(stem + ".bin")) {
      if (!PathExists(stem + ".idx") && !PathExists(stem + ".lineage")) break;
      return Damaged(stem + ".bin", "it is not there, but what belongs beside it is");
    }
    ASSIGN_OR_RETURN(Shard shard, OpenShard(stem));
    shards.push_back(std::move(shard));
  }
  if (shards.empty()) {
    return absl::NotFoundError(fmt::format(
        "{} holds no {} shards in the Megatron format; make them with `rhodes tokenize`", directory, split));
  }
  return std::make_unique<Set>(std::move(shards));
}

}  // namespace rhodes
