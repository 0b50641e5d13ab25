// Writes one split of a shards directory: Megatron .bin/.idx with a .lineage beside each (layouts: docs/formats.md).
#ifndef RHODES_TOKEN_SHARD_WRITER_H_
#define RHODES_TOKEN_SHARD_WRITER_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "token/tokenizer.h"

namespace rhodes {

// How tokens are stored: as Megatron chooses it, by the size of the vocabulary.
enum class TokenWidth : uint8_t { kUint16 = 2, kInt32 = 4 };
TokenWidth WidthFor(uint32_t vocabulary_size);
// Appends the ids as they are stored.
void StoreTokens(std::span<const TokenId> ids, TokenWidth width, std::vector<uint8_t>& out);

// Appends documents to DIRECTORY/SPLIT-00000.bin, ... Not thread-safe. 12 bytes of memory a document and shard.
class ShardWriter {
 public:
  // `corpus_rows`: how many rows the corpus has; rows are stored in as few bits as that takes. `shard_tokens`: a shard
  // ends with the document that reaches it.
  ShardWriter(std::string directory, std::string split, TokenWidth width, uint64_t corpus_rows,
              uint64_t shard_tokens = uint64_t{1} << 30)
      : directory_(std::move(directory)),
        split_(std::move(split)),
        width_(width),
        corpus_rows_(corpus_rows),
        shard_tokens_(shard_tokens) {}

  // `tokens` as they are stored (width), the end-of-text token last.
  absl::Status Append(std::span<const uint8_t> tokens, uint64_t corpus_row, uint64_t text_bytes);
  // Closes the last shard; with no documents an empty shard is written, so that the split exists.
  absl::Status Finish();

  uint64_t documents() const { return documents_; }
  uint64_t tokens() const { return tokens_; }

 private:
  std::string Path(const char* suffix) const;
  absl::Status OpenShard();
  absl::Status CloseShard();

  const std::string directory_;
  const std::string split_;
  const TokenWidth width_;
  const uint64_t corpus_rows_;
  const uint64_t shard_tokens_;
  int shard_ = 0;
  std::unique_ptr<FILE, int (*)(FILE*)> bin_{nullptr, &fclose};
  std::vector<int32_t> lengths_;  // of the open shard's documents, in tokens
  std::vector<uint64_t> rows_;    // and their corpus rows
  uint64_t shard_text_bytes_ = 0;
  uint64_t shard_size_ = 0;  // tokens
  uint64_t documents_ = 0;
  uint64_t tokens_ = 0;
};

// The layout of .lineage, little-endian: this header, ceil(documents * row_bits / 64) words of rows packed from the
// lowest bit on, and the XXH3 of everything before.
struct LineageHeader {
  char magic[8];          // "RHLINE1\0"
  uint64_t documents;     // sequences of the shard
  uint64_t corpus_rows;   // rows of the corpus that the numbers count in
  uint64_t text_bytes;    // UTF-8 bytes of the shard's documents
  uint64_t bin_checksum;  // XXH3 of the .bin
  uint64_t row_bits;      // bits a row number takes
};
static_assert(sizeof(LineageHeader) == 48);
inline constexpr char kLineageMagic[8] = {'R', 'H', 'L', 'I', 'N', 'E', '1', '\0'};
// Bits to hold a number below `rows`; at least 1.
uint64_t RowBits(uint64_t rows);

}  // namespace rhodes

#endif  // RHODES_TOKEN_SHARD_WRITER_H_
