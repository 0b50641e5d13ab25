// A model of any architecture for inference: weights, key-value caches, one forward pass over new tokens.
#ifndef RHODES_INFER_DECODER_H_
#define RHODES_INFER_DECODER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/config.h"
#include "model/model_files.h"
#include "token/tokenizer.h"

namespace rhodes {

// Keys and values of one sequence. Made by Decoder::NewCache and used with that decoder only.
class SequenceCache {
 public:
  virtual ~SequenceCache() = default;
  int64_t length() const { return length_; }      // tokens in it
  int64_t capacity() const { return capacity_; }  // tokens that fit

 protected:
  explicit SequenceCache(int64_t capacity) : capacity_(capacity) {}
  int64_t capacity_;
  int64_t length_ = 0;
};

struct DecoderOptions {
  // Storage of weights and cache. bf16 halves the bytes that a decoding step must read, which is what its time is.
  enum class Precision { kBf16, kF32 };
  Precision precision = Precision::kBf16;
  int threads = 1;
};

// Letters: R rows, V vocabulary. Not thread-safe: one call at a time. Results depend on a sequence's own tokens and on
// how its prompt was cut into Prefill calls; not on the number of threads, nor on the other sequences of a step.
class Decoder {
 public:
  static constexpr int64_t kMaxPrefill = 256;  // tokens in one Prefill
  static constexpr int64_t kMaxDecode = 64;    // sequences in one Decode

  // From a folder in Hugging Face's layout or a GGUF file (model/open_model.h). Errors name the file and the tensor.
  static absl::StatusOr<std::unique_ptr<Decoder>> Load(const std::string& path, const DecoderOptions& options);
  static absl::StatusOr<std::unique_ptr<Decoder>> Create(const ModelConfig& config, const TensorReader& weights,
                                                         const DecoderOptions& options);
  virtual ~Decoder() = default;

  virtual const ModelConfig& config() const = 0;
  virtual uint64_t weight_bytes() const = 0;
  virtual uint64_t CacheBytes(int64_t capacity) const = 0;
  // RESOURCE_EXHAUSTED when the memory is not to be had.
  virtual absl::StatusOr<std::unique_ptr<SequenceCache>> NewCache(int64_t capacity) const = 0;

  // Appends `tokens` (1 to kMaxPrefill, ids below V) to the sequence. `logits` is empty, or V long for those after the
  // last token, or R·V long for those after each. INVALID_ARGUMENT when the cache is too short or an id too large.
  virtual absl::Status Prefill(SequenceCache& cache, std::span<const TokenId> tokens, std::span<float> logits) = 0;
  // Appends one token to each of up to kMaxDecode different sequences; logits are [sequences, V].
  virtual absl::Status Decode(std::span<SequenceCache* const> caches, std::span<const TokenId> tokens,
                              std::span<float> logits) = 0;
};

}  // namespace rhodes

#endif  // RHODES_INFER_DECODER_H_
