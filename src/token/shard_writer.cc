#include "token/shard_writer.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/hash.h"

namespace rhodes {
namespace {

constexpr std::string_view kIndexMagic("MMIDIDX\0\0", 9);

template <typename T>
void Put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Megatron's .idx: see indexed_dataset.py of Megatron-LM. One sequence a document.
std::string IndexBytes(const std::vector<int32_t>& lengths, TokenWidth width) {
  std::string out(kIndexMagic);
  Put<uint64_t>(out, 1);                                    // version
  Put<uint8_t>(out, width == TokenWidth::kUint16 ? 8 : 4);  // numpy type code
  Put<uint64_t>(out, lengths.size());                       // sequences
  Put<uint64_t>(out, lengths.size() + 1);                   // document borders
  out.append(reinterpret_cast<const char*>(lengths.data()), lengths.size() * sizeof(int32_t));
  int64_t offset = 0;
  for (const int32_t length : lengths) {
    Put<int64_t>(out, offset);
    offset += int64_t{length} * static_cast<int64_t>(width);
  }
  for (size_t i = 0; i <= lengths.size(); ++i) Put<int64_t>(out, static_cast<int64_t>(i));
  return out;
}

std::string LineageBytes(const LineageHeader& header, const std::vector<uint64_t>& rows) {
  std::vector<uint64_t> words((rows.size() * header.row_bits + 63) / 64);
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint64_t bit = i * header.row_bits;
    words[bit / 64] |= rows[i] << (bit % 64);
    if (bit % 64 + header.row_bits > 64) words[bit / 64 + 1] |= rows[i] >> (64 - bit % 64);
  }
  std::string out(reinterpret_cast<const char*>(&header), sizeof(header));
  out.append(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(uint64_t));
  Put<uint64_t>(out, Fingerprint(out));
  return out;
}

}  // namespace

TokenWidth WidthFor(uint32_t vocabulary_size) {
  return vocabulary_size < 65500 ? TokenWidth::kUint16 : TokenWidth::kInt32;
}

void StoreTokens(std::span<const TokenId> ids, TokenWidth width, std::vector<uint8_t>& out) {
  const size_t begin = out.size();
  out.resize(begin + ids.size() * static_cast<size_t>(width));
  if (width == TokenWidth::kUint16) {
    auto* words = reinterpret_cast<uint16_t*>(out.data() + begin);
    for (size_t i = 0; i < ids.size(); ++i) words[i] = static_cast<uint16_t>(ids[i]);
  } else {
    auto* words = reinterpret_cast<uint32_t*>(out.data() + begin);
    std::copy(ids.begin(), ids.end(), words);
  }
}

uint64_t RowBits(uint64_t rows) { return rows <= 2 ? 1 : static_cast<uint64_t>(std::bit_width(rows - 1)); }

std::string ShardWriter::Path(const char* suffix) const {
  return fmt::format("{}/{}-{:05}{}", directory_, split_, shard_, suffix);
}

absl::Status ShardWriter::OpenShard() {
  bin_.reset(fopen(Path(".bin").c_str(), "wbe"));
  if (bin_ == nullptr) return ErrnoError(errno, "create", Path(".bin"));
  return absl::OkStatus();
}

absl::Status ShardWriter::Append(std::span<const uint8_t> tokens, uint64_t corpus_row, uint64_t text_bytes) {
  if (bin_ == nullptr) RETURN_IF_ERROR(OpenShard());
  if (fwrite(tokens.data(), 1, tokens.size(), bin_.get()) != tokens.size())
    return ErrnoError(errno, "write", Path(".bin"));
  const uint64_t count = tokens.size() / static_cast<uint64_t>(width_);
  if (count > INT32_MAX)
    return absl::InvalidArgumentError(fmt::format("a document of {} tokens is longer than a shard can hold", count));
  lengths_.push_back(static_cast<int32_t>(count));
  rows_.push_back(corpus_row);
  shard_size_ += count;
  shard_text_bytes_ += text_bytes;
  ++documents_;
  tokens_ += count;
  return shard_size_ >= shard_tokens_ ? CloseShard() : absl::OkStatus();
}

absl::Status ShardWriter::CloseShard() {
  if (fflush(bin_.get()) != 0) return ErrnoError(errno, "write", Path(".bin"));
  if (fclose(bin_.release()) != 0) return ErrnoError(errno, "close", Path(".bin"));
  ASSIGN_OR_RETURN(const MappedFile written, MappedFile::Open(Path(".bin")));
  LineageHeader header{};
  std::memcpy(header.magic, kLineageMagic, sizeof(header.magic));
  header.documents = lengths_.size();
  header.corpus_rows = corpus_rows_;
  header.text_bytes = shard_text_bytes_;
  header.bin_checksum = Fingerprint(written.bytes());
  header.row_bits = RowBits(corpus_rows_);
  RETURN_IF_ERROR(WriteFileAtomically(Path(".idx"), IndexBytes(lengths_, width_)));
  RETURN_IF_ERROR(WriteFileAtomically(Path(".lineage"), LineageBytes(header, rows_)));
  lengths_.clear();
  rows_.clear();
  shard_text_bytes_ = 0;
  shard_size_ = 0;
  ++shard_;
  return absl::OkStatus();
}

absl::Status ShardWriter::Finish() {
  if (bin_ == nullptr && shard_ == 0) RETURN_IF_ERROR(OpenShard());
  return bin_ == nullptr ? absl::OkStatus() : CloseShard();
}

}  // namespace rhodes
