// What the layers of one model share: its weights, the products, the threads, the clock, and the residual stream.
#ifndef RHODES_MODEL_LAYERS_CONTEXT_H_
#define RHODES_MODEL_LAYERS_CONTEXT_H_

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "model/config.h"
#include "model/kernels/buffer.h"
#include "model/kernels/elementwise.h"
#include "model/kernels/product.h"
#include "model/kernels/threads.h"
#include "model/model.h"
#include "model/weight_store.h"

namespace rhodes {

class SectionTimer {
 public:
  SectionTimer(SectionSeconds& seconds, Section section)
      : total_(seconds[static_cast<size_t>(section)]), begin_(std::chrono::steady_clock::now()) {}
  ~SectionTimer() { total_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }
  SectionTimer(const SectionTimer&) = delete;
  SectionTimer& operator=(const SectionTimer&) = delete;

 private:
  double& total_;
  std::chrono::steady_clock::time_point begin_;
};

// Rows R = B·T of the running call are at most `max_rows`. T is the storage type of activations (float or Bf16).
template <typename T>
struct LayerContext {
  // Rows whose gradients of a vector are summed together. Fixed, so that the sum does not depend on the threads.
  static constexpr int64_t kSumBlock = 256;

  LayerContext(const ModelConfig& model_config, const ModelOptions& options, int64_t most_rows)
      : config(model_config),
        threads(options.threads),
        training(options.training),
        max_rows(most_rows),
        weights(model_config, options.threads, options.training),
        products(options.threads),
        residual(most_rows * model_config.hidden_size) {
    if (!training) return;
    d_residual = Buffer<float>(most_rows * config.hidden_size);
    d_residual_low = Buffer<T>(most_rows * config.hidden_size);
    d_normed = Buffer<T>(most_rows * config.hidden_size);
    partials = Buffer<float>((most_rows + kSumBlock - 1) / kSumBlock * WidestVector(config));
  }
  static uint64_t Bytes(const ModelConfig& config, int64_t rows, bool training) {
    const uint64_t elements = static_cast<uint64_t>(rows * config.hidden_size);
    const uint64_t sums = static_cast<uint64_t>((rows + kSumBlock - 1) / kSumBlock * WidestVector(config));
    return WeightStore<T>::Bytes(config, training) + elements * sizeof(float) +
           (training ? elements * (sizeof(float) + 2 * sizeof(T)) + sums * sizeof(float) : 0);
  }
  static int64_t WidestVector(const ModelConfig& c) {
    int64_t widest = std::max(c.hidden_size, 2 * c.head_dim);
    if (c.qkv_bias) widest = std::max(widest, c.query_width() + 2 * c.kv_width());
    if (c.mlp_bias) widest = std::max(widest, 2 * c.intermediate_size);
    return widest;
  }

  const Elementwise<T>& fast() const { return FastElementwise<T>(); }

  // body(first row, rows, sums): adds to `width` sums of its own for each block of rows; then write(sums of all rows)
  // is called once. The order of the sums is that of the rows, whatever the threads.
  template <typename Body, typename Write>
  void SumOverRows(int64_t rows, int64_t width, const Body& body, const Write& write) {
    const int64_t blocks = (rows + kSumBlock - 1) / kSumBlock;
    ParallelRanges(threads, blocks, 1, [&](int64_t first, int64_t last) {
      for (int64_t block = first; block < last; ++block) {
        float* sums = partials.data() + block * width;
        std::fill_n(sums, width, 0.0f);
        body(block * kSumBlock, std::min(kSumBlock, rows - block * kSumBlock), sums);
      }
    });
    for (int64_t block = 1; block < blocks; ++block) {
      for (int64_t i = 0; i < width; ++i) partials[i] += partials[block * width + i];
    }
    write(partials.data());
  }
  // The gradient of the vector at `offset` is set to, or grows by, `sums`.
  void StoreVectorGradient(int64_t offset, int64_t width, const float* sums) {
    float* gradient = weights.gradient(offset);
    for (int64_t i = 0; i < width; ++i) gradient[i] = (accumulate ? gradient[i] : 0.0f) + sums[i];
  }

  const ModelConfig& config;
  const int threads;
  const bool training;
  const int64_t max_rows;
  WeightStore<T> weights;
  Products products;
  SectionSeconds seconds{};
  bool accumulate = false;  // the running backward pass adds to the gradients
  float scale = 1;          // of its loss, as in Model::ForwardBackward

  Buffer<float> residual;    // [R, C]
  Buffer<float> d_residual;  // [R, C] its gradient, and the same in T for the products
  Buffer<T> d_residual_low;
  Buffer<T> d_normed;  // [R, C] gradient of a norm's output
  Buffer<float> partials;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_CONTEXT_H_
