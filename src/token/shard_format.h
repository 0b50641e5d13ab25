// The formats that shards are written in, and what is particular to each. Layouts: docs/formats.md.
#ifndef RHODES_TOKEN_SHARD_FORMAT_H_
#define RHODES_TOKEN_SHARD_FORMAT_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "token/shard_data_file.h"

namespace rhodes {

enum class ShardFormat : uint8_t {
  kMegatron,   // Megatron-LM, NeMo: SPLIT-00000.bin, .idx. What Rhodes trains on
  kDatatrove,  // datatrove, nanotron: SPLIT/SPLIT-00000.ds, .ds.index, .ds.metadata
  kNanoGpt,    // nanoGPT: train.bin and val.bin, 16 bits a token
  kLlmC,       // llm.c: train_000000.bin, val_000000.bin with a header of 256 numbers
  kMds,        // MosaicML streaming: SPLIT/shard.00000.mds and index.json
};

// "megatron", "ds", "nanogpt", "llmc", "mds".
std::string_view ShardFormatName(ShardFormat format);
// UsageError naming the known ones.
absl::StatusOr<ShardFormat> ShardFormatFromName(std::string_view name);

// How tokens are stored: 16 bits when the vocabulary allows it, else 32.
enum class TokenWidth : uint8_t { kUint16 = 2, kInt32 = 4 };
// As the format's own writers choose it: 16 bits up to 65,536 tokens; Megatron below 65,500. UsageError for a
// vocabulary that the format cannot hold.
absl::StatusOr<TokenWidth> WidthFor(ShardFormat format, uint32_t vocabulary_size);

// A file beside the data, that its format's readers want.
struct SideFile {
  std::string path;
  std::string bytes;
};

// What one format does with the documents of one split. Calls: DataFile, Begin, Add..., Head and Finish for each shard
// in turn, and FinishSplit at the end. Writes nothing itself: the writer (shard_writer.h) and the check (shard_check.h)
// both ask it what belongs where. Not thread-safe.
class ShardLayout {
 public:
  virtual ~ShardLayout() = default;
  // The data file of shard `number`, below the shards directory.
  virtual std::string DataFile(int number) const = 0;
  // True when the shard that is open must end before a document whose tokens take `bytes` is added.
  virtual bool EndsBefore(uint64_t bytes) const;
  // Tokens that one shard may hold, the last document excepted.
  virtual uint64_t ShardTokens() const = 0;
  virtual void Begin() {}
  // `tokens` as they are stored, the end-of-text token last; they are not copied.
  virtual absl::Status Add(std::span<const uint8_t> tokens, ShardPiece& piece);
  // What stands in the data file before the documents, `ends` of each in tokens. It takes the same number of bytes for
  // all `ends`, unless HeadWaits(): then the documents must wait for it, in memory.
  virtual std::string Head(const std::vector<uint64_t>& ends) const;
  virtual bool HeadWaits() const { return false; }
  // The size of a data file with such documents.
  virtual uint64_t DataBytes(const std::vector<uint64_t>& ends) const = 0;
  // All documents are in; `path`: of the data file, which takes `bytes`.
  virtual std::vector<SideFile> Finish(const std::vector<uint64_t>& ends, const std::string& path, uint64_t bytes);
  // All shards are finished.
  virtual std::vector<SideFile> FinishSplit();
};

struct ShardLayoutOptions {
  ShardFormat format = ShardFormat::kMegatron;
  std::string directory;
  std::string split;  // "train" or "validation"
  TokenWidth width = TokenWidth::kUint16;
  uint64_t shard_tokens = 0;   // 0: the format's own (2^30 tokens; of MDS 64 MiB; of nanoGPT no end)
  std::string tokenizer_name;  // for datatrove's .metadata
};
// UsageError when `shard_tokens` is more than a shard of the format can hold.
absl::StatusOr<std::unique_ptr<ShardLayout>> MakeShardLayout(const ShardLayoutOptions& options);

// 1234567 as datatrove writes it for people: "1.23 MT".
std::string ReadableTokens(uint64_t tokens);

}  // namespace rhodes

#endif  // RHODES_TOKEN_SHARD_FORMAT_H_
