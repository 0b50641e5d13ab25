// A model's numbers that training changes: master weights, the products' copy of them, gradients.
#ifndef RHODES_MODEL_WEIGHT_STORE_H_
#define RHODES_MODEL_WEIGHT_STORE_H_

#include <cstdint>
#include <span>

#include "model/kernels/buffer.h"
#include "model/kernels/elementwise.h"
#include "model/parameters.h"

namespace rhodes {

// T is the products' number format (float or Bf16). Construction may throw std::bad_alloc. Not thread-safe; the results
// do not depend on `threads`.
template <typename T>
class WeightStore {
 public:
  WeightStore(const ModelConfig& config, int threads, bool training);
  static uint64_t Bytes(const ModelConfig& config, bool training);

  const ParameterLayout& layout() const { return layout_; }
  std::span<float> weights() { return weights_.span(); }
  std::span<float> gradients() { return gradients_.span(); }
  const T* low(int64_t offset) const { return low_.data() + offset; }
  float* gradient(int64_t offset) { return gradients_.data() + offset; }

  // As in model.h.
  void Commit(int64_t begin, int64_t end);
  void Initialize(uint64_t seed, float deviation);
  double GradientSquares(int64_t begin, int64_t end) const;
  void StepAdamW(const AdamW& settings, int64_t begin, int64_t end, std::span<float> m, std::span<float> v);

 private:
  ParameterLayout layout_;
  int threads_;
  Buffer<float> weights_;
  Buffer<T> low_;
  Buffer<float> gradients_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_WEIGHT_STORE_H_
