// Writes one split of a shards directory in one of the formats of token/shard_format.h, with a .lineage beside each
// shard (token/shard_lineage.h).
#ifndef RHODES_TOKEN_SHARD_WRITER_H_
#define RHODES_TOKEN_SHARD_WRITER_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "token/shard_format.h"
#include "token/shard_lineage.h"
#include "token/tokenizer.h"

namespace rhodes {

// Of Megatron, which Rhodes itself trains on.
TokenWidth WidthFor(uint32_t vocabulary_size);
// Appends the ids as they are stored.
void StoreTokens(std::span<const TokenId> ids, TokenWidth width, std::vector<uint8_t>& out);

// Appends documents to the shards of a split. Not thread-safe. 16 bytes of memory a document of the open shard; for MDS
// the shard's bytes as well.
class ShardWriter {
 public:
  // Megatron. `corpus_rows`: how many rows the corpus has; rows are stored in as few bits as that takes.
  // `shard_tokens`: a shard ends with the document that reaches it.
  ShardWriter(std::string directory, std::string split, TokenWidth width, uint64_t corpus_rows,
              uint64_t shard_tokens = uint64_t{1} << 30);
  // Any format. UsageError as MakeShardLayout.
  static absl::StatusOr<ShardWriter> Create(const ShardLayoutOptions& options, uint64_t corpus_rows);

  // `tokens` as they are stored (width), the end-of-text token last.
  absl::Status Append(std::span<const uint8_t> tokens, uint64_t corpus_row, uint64_t text_bytes);
  // Closes the last shard; with no documents an empty shard is written, so that the split exists.
  absl::Status Finish();

  uint64_t documents() const { return documents_; }
  uint64_t tokens() const { return tokens_; }

 private:
  ShardWriter(std::string directory, std::string split, TokenWidth width, uint64_t corpus_rows,
              std::unique_ptr<ShardLayout> layout);
  std::string Path() const { return directory_ + "/" + layout_->DataFile(shard_); }
  absl::Status OpenShard();
  absl::Status CloseShard();

  std::string directory_;
  std::string split_;
  TokenWidth width_;
  uint64_t corpus_rows_;
  std::unique_ptr<ShardLayout> layout_;
  int shard_ = 0;
  std::unique_ptr<FILE, int (*)(FILE*)> data_{nullptr, &fclose};
  std::vector<uint64_t> ends_;  // of the open shard's documents, in tokens
  std::vector<uint64_t> rows_;  // and their corpus rows
  uint64_t shard_text_bytes_ = 0;
  uint64_t documents_ = 0;
  uint64_t tokens_ = 0;
};

// The path of the lineage of a shard: the data file's with its last extension replaced.
std::string LineagePath(const std::string& data_file);

}  // namespace rhodes

#endif  // RHODES_TOKEN_SHARD_WRITER_H_
