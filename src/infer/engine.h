// Text generation for many callers at once: their sequences are decoded together, step by step.
#ifndef RHODES_INFER_ENGINE_H_
#define RHODES_INFER_ENGINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "infer/chat_template.h"
#include "infer/decoder.h"
#include "infer/sampler.h"
#include "token/tokenizer.h"

namespace rhodes {

struct EngineOptions {
  DecoderOptions::Precision precision = DecoderOptions::Precision::kBf16;
  int threads = 1;
  int max_sequences = 16;                    // decoded together; further requests wait their turn
  uint64_t cache_bytes = uint64_t{1} << 30;  // key-value caches of all sequences
};

struct GenerationRequest {
  std::vector<TokenId> prompt;  // not empty; see Engine::Tokenize
  SamplingOptions sampling;
  int64_t max_tokens = -1;  // -1: up to the end of the context
  std::vector<std::string> stop;
  bool skip_leading_space = false;  // of the answer
  int logprobs = -1;                // -1: none; n: of each token, and the n likeliest besides
  bool prompt_logprobs = false;     // the same for the tokens of the prompt
};

struct GeneratedToken {
  TokenId token = 0;
  float logprob = 0;             // of the unchanged model: without temperature and penalties
  std::vector<TokenChance> top;  // likeliest first
};

enum class FinishReason { kStop, kLength, kCancelled };
std::string_view FinishReasonName(FinishReason reason);  // "stop", "length", "cancelled"

struct GenerationResult {
  std::string text;  // whole UTF-8; the stop string is not in it
  FinishReason finish_reason = FinishReason::kStop;
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;                     // the end-of-text token is not counted
  std::vector<GeneratedToken> tokens;                // with logprobs >= 0
  std::vector<GeneratedToken> prompt_token_chances;  // with prompt_logprobs: one for each but the first
  double prompt_seconds = 0;                         // waiting and reading the prompt
  double decode_seconds = 0;
};

// Text that is new, and the tokens that came with it (with logprobs >= 0). Never half a character.
struct GenerationPiece {
  std::string text;
  std::vector<GeneratedToken> tokens;
};

// Thread-safe. One thread of the engine runs all steps: a prompt's piece at a time between steps of the running
// sequences, so that a long prompt does not hold them up. Same model, request and machine: same result, whatever else
// runs and on however many threads.
class Engine {
 public:
  // `path` is a folder in Hugging Face's layout (config.json, model.safetensors, tokenizer.json and, when there,
  // generation_config.json), or the model.safetensors in it.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(const std::string& path, const EngineOptions& options);
  static absl::StatusOr<std::unique_ptr<Engine>> Create(std::unique_ptr<Decoder> decoder,
                                                        std::unique_ptr<const Tokenizer> tokenizer, ChatTemplate chat,
                                                        const EngineOptions& options);
  virtual ~Engine() = default;  // no call of Generate may be under way

  virtual const ModelConfig& config() const = 0;
  virtual const Tokenizer& tokenizer() const = 0;
  virtual const ChatTemplate& chat() const = 0;

  // Tokens of a text that begins a document: the begin-of-text token first when the model has one.
  virtual std::vector<TokenId> Tokenize(std::string_view text) const = 0;

  // Blocks until the sequence ends. `on_piece` (may be empty) is called on the caller's thread; when it returns false,
  // or `cancelled` becomes true, the sequence ends with kCancelled. INVALID_ARGUMENT for a wrong setting; OUT_OF_RANGE
  // when the prompt does not fit the model's context; RESOURCE_EXHAUSTED when its cache does not fit cache_bytes.
  virtual absl::StatusOr<GenerationResult> Generate(const GenerationRequest& request,
                                                    const std::function<bool(const GenerationPiece&)>& on_piece,
                                                    const std::atomic<bool>* cancelled = nullptr) = 0;
};

}  // namespace rhodes

#endif  // RHODES_INFER_ENGINE_H_
