// Writes one split of a shards directory in one of the formats of token/shard_format.h, with a .lineage beside each
// shard (token/shard_lineage.h).
#ifndef RHODES_TOKEN_SHARD_WRITER_H_
#define RHODES_TOKEN_SHARD_WRITER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "token/shard_data_file.h"
#include "token/shard_format.h"
#include "token/shard_lineage.h"
#include "token/tokenizer.h"

namespace rhodes {

// Of Megatron, which Rhodes itself trains on.
TokenWidth WidthFor(uint32_t vocabulary_size);
// Appends the ids as they are stored.
void StoreTokens(std::span<const TokenId> ids, TokenWidth width, std::vector<uint8_t>& out);

// Bytes that are never resized.
struct StoredBytes {
  std::unique_ptr<uint8_t[]> bytes;
  uint64_t size = 0;
};
StoredBytes StoreTokens(std::span<const TokenId> ids, TokenWidth width);

// A tokenised document that lies in memory.
struct StoredDocument {
  std::span<const uint8_t> tokens;  // as they are stored (width), the end-of-text token last
  uint64_t corpus_row = 0;
  uint64_t text_bytes = 0;
};

// Appends documents to the shards of a split. Not thread-safe. Memory: 16 bytes a document of the open shard and a
// block of its data; for MDS the shard's bytes.
class ShardWriter {
 public:
  // Megatron. `corpus_rows`: how many rows the corpus has; rows are stored in as few bits as that takes.
  // `shard_tokens`: a shard ends with the document that reaches it.
  ShardWriter(const std::string& directory, const std::string& split, TokenWidth width, uint64_t corpus_rows,
              uint64_t shard_tokens = uint64_t{1} << 30);
  // Any format. UsageError as MakeShardLayout.
  static absl::StatusOr<ShardWriter> Create(const ShardLayoutOptions& options, uint64_t corpus_rows);

  absl::Status Append(std::span<const uint8_t> tokens, uint64_t corpus_row, uint64_t text_bytes);
  // The same one after another, copied and written by `threads`; the bytes do not depend on how many. 32 bytes of
  // memory a document during the call.
  absl::Status AppendAll(std::span<const StoredDocument> documents, int threads);
  // Closes the last shard; with no documents an empty shard is written, so that the split exists.
  absl::Status Finish();

  uint64_t documents() const { return documents_; }
  uint64_t tokens() const { return tokens_; }
  uint64_t data_bytes() const { return data_bytes_; }        // of the shards' data files
  uint64_t lineage_bytes() const { return lineage_bytes_; }  // and of their .lineage, once they are closed

 private:
  ShardWriter(std::string directory, std::string split, TokenWidth width, uint64_t corpus_rows,
              std::unique_ptr<ShardLayout> layout);
  std::string Path() const { return directory_ + "/" + layout_->DataFile(shard_); }
  absl::Status OpenShard();
  absl::Status CloseShard();
  absl::Status WriteHeld();
  void KeepHeld();

  std::string directory_;
  std::string split_;
  TokenWidth width_;
  uint64_t corpus_rows_;
  std::unique_ptr<ShardLayout> layout_;
  int shard_ = 0;
  int threads_ = 1;
  std::unique_ptr<ShardDataFile> data_;
  std::vector<ShardPiece> held_;            // of the open shard, not written yet
  std::vector<std::vector<uint8_t>> kept_;  // bytes of the first ones, which wait for a head
  size_t kept_pieces_ = 0;
  std::vector<uint64_t> ends_;  // of the open shard's documents, in tokens
  std::vector<uint64_t> rows_;  // and their corpus rows
  uint64_t shard_text_bytes_ = 0;
  uint64_t documents_ = 0;
  uint64_t tokens_ = 0;
  uint64_t data_bytes_ = 0;
  uint64_t lineage_bytes_ = 0;
};

// The path of the lineage of a shard: the data file's with its last extension replaced.
std::string LineagePath(const std::string& data_file);

}  // namespace rhodes

#endif  // RHODES_TOKEN_SHARD_WRITER_H_
