// The output: a product with the vocabulary's rows, multiplier and cap, and the loss, a few rows at a time.
#ifndef RHODES_MODEL_LAYERS_HEAD_H_
#define RHODES_MODEL_LAYERS_HEAD_H_

#include <cstdint>
#include <span>

#include "model/layers/context.h"

namespace rhodes {

// logits = m · x · Wᵀ, or with a cap c: c · tanh(m · x · Wᵀ / c). Never more than 1024 rows of logits exist: the whole
// [R, V] matrix is never stored.
template <typename T>
class LanguageHead {
 public:
  explicit LanguageHead(LayerContext<T>& context);
  static uint64_t Bytes(const ModelConfig& config, int64_t rows, int threads);

  // losses [R] = -ln p(target). With scale != 0 also the gradients of scale · Σ losses: of W, and of x into
  // context.d_normed.
  void Losses(int64_t rows, const T* x, std::span<const uint32_t> targets, float scale, float* losses);
  // Logits [rows, V] of rows that are `leading` elements apart in x.
  void Logits(int64_t rows, const T* x, int64_t leading, std::span<float> logits);

 private:
  LayerContext<T>& context_;
  int64_t classes_;
  int64_t rows_;           // of logits at once
  bool plain_;             // no multiplier, no cap
  Buffer<T> logits_;       // [rows_, V]
  Buffer<float> scratch_;  // of each thread
};

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_HEAD_H_
