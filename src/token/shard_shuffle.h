// Tokenised documents between encoding and their shards: they wait in the order of the corpus and are written in an
// order drawn from a seed, without the corpus in memory.
#ifndef RHODES_TOKEN_SHARD_SHUFFLE_H_
#define RHODES_TOKEN_SHARD_SHUFFLE_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/run_context.h"
#include "base/status.h"
#include "token/shard_writer.h"

namespace rhodes {

// The tokens of documents one after another: in memory up to a limit, beyond it all in a file. Not thread-safe.
class TokenStore {
 public:
  // `path`: of the file, made only when it is needed.
  TokenStore(std::string path, uint64_t memory_limit) : path_(std::move(path)), memory_limit_(memory_limit) {}

  // Whole documents.
  absl::Status Append(StoredBytes tokens);
  // No more are appended; Bytes() may be called from then on.
  absl::Status Seal();
  // Of one document: its place among all bytes appended.
  std::string_view Bytes(uint64_t offset, uint64_t size) const;
  bool in_file() const { return file_made_; }
  uint64_t size() const { return size_; }

 private:
  absl::Status WriteOut(const StoredBytes& tokens);

  const std::string path_;
  const uint64_t memory_limit_;
  std::vector<StoredBytes> pieces_;
  std::vector<uint64_t> begins_;  // of the pieces
  uint64_t held_ = 0;             // bytes of memory
  uint64_t size_ = 0;
  bool file_made_ = false;
  std::unique_ptr<FILE, int (*)(FILE*)> file_{nullptr, &fclose};
  MappedFile mapped_;
};

// A document that waits, by its row in the corpus.
struct WaitingDocument {
  uint64_t offset = 0;  // of its tokens in the store
  uint64_t id_hash = 0;
  uint32_t bytes = 0;  // of its tokens
  uint32_t text_bytes = 0;
  uint32_t source = 0;
};

// A place in the order.
struct DrawnDocument {
  uint64_t draw = 0;
  uint64_t row = 0;

  bool operator<(const DrawnDocument& other) const { return draw != other.draw ? draw < other.draw : row < other.row; }
};
// The place of the `copy`th copy (from 0) of the document in row `row`.
DrawnDocument Draw(uint64_t seed, uint64_t row, uint32_t copy);
// Sorts by draw, which are spread evenly over all numbers, with `threads`.
void SortByDraw(std::vector<DrawnDocument>& order, int threads);

// Appends the documents to `writer` in `order`, which is ascending. When the store is in a file, its bytes are read
// once from begin to end, dealt out to files `scratch`.N of up to `memory_limit` bytes, and these are read one after
// the other: no seek a document. context.threads copy and write. The bytes depend neither on the limit nor on them. 24
// bytes of memory a place in the order.
absl::Status WriteInOrder(const std::vector<WaitingDocument>& documents, const TokenStore& store,
                          const std::vector<DrawnDocument>& order, const std::string& scratch, uint64_t memory_limit,
                          ShardWriter& writer, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TOKEN_SHARD_SHUFFLE_H_
