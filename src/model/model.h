// A decoder that can be trained: forward, backward, weights, whatever its architecture.
//
// Weights pass unchanged between it and Hugging Face's files of the same architecture. Knows nothing of files,
// optimizers' schedules or training loops.
//
// Letters: B sequences, T positions, V vocabulary.
#ifndef RHODES_MODEL_MODEL_H_
#define RHODES_MODEL_MODEL_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/config.h"
#include "model/kernels/elementwise.h"
#include "model/kernels/product.h"
#include "model/parameters.h"
#include "model/router_statistics.h"

namespace rhodes {

struct ModelOptions {
  ComputeType compute = ComputeType::kBf16;  // kBf16: weights and activations bf16, sums and master weights f32
  int threads = 1;
  int64_t max_sequences = 1;  // most B of any call
  int64_t max_context = 0;    // most T of any call; 0: config.max_positions
  bool training = false;      // keeps activations and has gradients; without, a forward pass needs one layer's memory
  // With training: keeps only what comes into each layer and computes the rest again in the backward pass, to the same
  // bits. A third more work for a few percent of the activations' memory.
  bool recompute = false;
  // With training, of a mixture of experts: coefficients of the losses of its routers (layers/router_balance.h).
  double router_aux_loss = 0;
  double router_z_loss = 0;
};

// Told that gradients [begin, end) of the flat array are final for the running call.
using GradientObserver = std::function<void(int64_t begin, int64_t end)>;

// One or more sequences of equal length, all arrays B·T long.
struct TokenBatch {
  int64_t sequences = 0;
  int64_t length = 0;
  std::span<const uint32_t> tokens;
  std::span<const uint32_t> targets;  // the token after each; empty for Logits
  // First position of the sequence that a position may attend to (see DocumentStarts); empty: all start at 0.
  std::span<const int32_t> starts;
};

// Fills starts (B·T): a document begins at its preceding end-of-text token, which serves as its begin-of-text. A
// sequence that begins inside a document starts at 0.
void DocumentStarts(std::span<const uint32_t> tokens, int64_t length, uint32_t end_of_text, std::span<int32_t> starts);

// Where the time of a model's work went.
enum class Section {
  kEmbedding,
  kNorm,
  kProducts,
  kHeadProducts,
  kAttention,
  kActivation,
  kRouter,  // choosing experts, and bringing rows to them and back
  kLoss,
  kOptimizer,
  kCount
};
std::string_view SectionName(Section section);
using SectionSeconds = std::array<double, static_cast<size_t>(Section::kCount)>;

// Not thread-safe: one call at a time; each call uses `threads` OpenMP threads. Same calls with the same threads on the
// same machine: same bits. Memory is allocated at creation; oneDNN primitives at the first call of each shape.
class Model {
 public:
  // The model of config.architecture. INVALID_ARGUMENT for a configuration that makes no model; RESOURCE_EXHAUSTED when
  // the memory is not to be had.
  static absl::StatusOr<std::unique_ptr<Model>> Create(const ModelConfig& config, const ModelOptions& options);
  // Bytes that Create would allocate.
  static uint64_t MemoryBytes(const ModelConfig& config, const ModelOptions& options);
  virtual ~Model() = default;

  virtual const ModelConfig& config() const = 0;
  virtual const ModelOptions& options() const = 0;
  virtual const ParameterLayout& layout() const = 0;

  // Master weights, laid out by layout(). After writing to them call CommitWeights(), which makes the products' copy.
  virtual std::span<float> weights() = 0;
  virtual void CommitWeights() = 0;
  virtual void CommitWeights(int64_t begin, int64_t end) = 0;  // of these elements alone
  // Matrices from N(0, deviation²), those that write to the residual stream divided by √(2·layers); norms 1, biases 0.
  virtual void Initialize(uint64_t seed, float deviation) = 0;

  // Gradients of the last ForwardBackward, laid out by layout(); empty without `training`.
  virtual std::span<float> gradients() = 0;

  // Logits [B·T, V], or with last_only those of the last position of each sequence, [B, V].
  virtual absl::Status Logits(const TokenBatch& batch, bool last_only, std::span<float> logits) = 0;
  // -ln p(target) of each position into losses (B·T).
  virtual absl::Status Losses(const TokenBatch& batch, std::span<float> losses) = 0;
  // Sets gradients to (or with `accumulate` adds) those of scale · Σ (losses of the positions, and length times the
  // routers' losses of each sequence); returns Σ losses of the positions, in nats.
  virtual absl::StatusOr<double> ForwardBackward(const TokenBatch& batch, float scale, bool accumulate) = 0;

  // Calls `observer` (may be empty) during each ForwardBackward, on its thread, as soon as a part of the gradients is
  // final: last norm and head first, then layer after layer from the last one, then the embedding (with it a tied
  // head). The ranges cover the array once. It may hand them to another thread, which must be done reading before the
  // next call.
  virtual void OnGradients(GradientObserver observer) = 0;

  // Euclidean norm of all gradients; the same for any number of threads.
  virtual double GradientNorm() = 0;
  // The sum of squares of gradients [begin, end); the same for any number of threads.
  virtual double GradientSquares(int64_t begin, int64_t end) = 0;
  // One AdamW step from gradients(); m and v are laid out by layout(). `decay` of `settings` is applied to matrices
  // only.
  virtual void StepAdamW(const AdamW& settings, std::span<float> m, std::span<float> v) = 0;
  // The same of weights [begin, end) alone, whose moments m and v begin with those of `begin`.
  virtual void StepAdamW(const AdamW& settings, int64_t begin, int64_t end, std::span<float> m, std::span<float> v) = 0;

  // What the routers chose in ForwardBackward since creation or the last call; empty() without experts.
  virtual RouterStatistics TakeRouterStatistics() { return {}; }

  // Summed since creation or the last call.
  virtual SectionSeconds TakeSectionSeconds() = 0;
};

// Floating-point operations of training on one token: 6 for each weight in a matrix product, and
// 12 · layers · heads · head_dim · context for attention (not halved for the causal mask, by convention).
double TrainingFlopsPerToken(const ModelConfig& config, int64_t context);

}  // namespace rhodes

#endif  // RHODES_MODEL_MODEL_H_
