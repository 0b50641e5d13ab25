// What the architectures have in common: embedding, a stack of layers over a residual stream, the last norm, the head.
#ifndef RHODES_MODEL_TRUNK_H_
#define RHODES_MODEL_TRUNK_H_

#include <cmath>
#include <functional>
#include <vector>

#include "model/layers/attention_layer.h"
#include "model/layers/context.h"
#include "model/layers/head.h"
#include "model/layers/norm.h"
#include "model/model.h"

namespace rhodes {

// Rows of a model's largest call, and of how many layers the activations are kept: all for training; one without, or
// when the backward pass computes them again.
struct TrunkShape {
  TrunkShape(const ModelConfig& config, const ModelOptions& options);
  int64_t context;
  int64_t rows;
  int64_t kept_layers;
};

template <typename T>
class Trunk : public Model {
 public:
  const ModelConfig& config() const override { return config_; }
  const ModelOptions& options() const override { return options_; }
  const ParameterLayout& layout() const override { return context_.weights.layout(); }
  std::span<float> weights() override { return context_.weights.weights(); }
  std::span<float> gradients() override { return context_.weights.gradients(); }
  void CommitWeights() override { context_.weights.Commit(0, layout().size()); }
  void CommitWeights(int64_t begin, int64_t end) override { context_.weights.Commit(begin, end); }
  void Initialize(uint64_t seed, float deviation) override { context_.weights.Initialize(seed, deviation); }
  absl::Status Logits(const TokenBatch& batch, bool last_only, std::span<float> logits) override;
  absl::Status Losses(const TokenBatch& batch, std::span<float> losses) override;
  absl::StatusOr<double> ForwardBackward(const TokenBatch& batch, float scale, bool accumulate) override;
  void OnGradients(GradientObserver observer) override { on_gradients_ = std::move(observer); }
  double GradientNorm() override { return std::sqrt(GradientSquares(0, layout().size())); }
  double GradientSquares(int64_t begin, int64_t end) override;
  void StepAdamW(const AdamW& settings, std::span<float> m, std::span<float> v) override {
    StepAdamW(settings, 0, layout().size(), m, v);
  }
  void StepAdamW(const AdamW& settings, int64_t begin, int64_t end, std::span<float> m, std::span<float> v) override;
  SectionSeconds TakeSectionSeconds() override { return std::exchange(context_.seconds, SectionSeconds{}); }

 protected:
  Trunk(const ModelConfig& config, const ModelOptions& options);
  // Of everything here and in the layers that each architecture has; not of the layers' activations.
  static uint64_t Bytes(const ModelConfig& config, const ModelOptions& options);

  // One layer over context().residual, keeping for Backward what it needs in the activations number `kept`.
  virtual void ForwardLayer(const SequenceRows& batch, const ParameterLayout::Layer& at, int64_t kept) = 0;
  // From context().d_residual to itself.
  virtual void BackwardLayer(const SequenceRows& batch, const ParameterLayout::Layer& at, int64_t kept) = 0;

  LayerContext<T>& context() { return context_; }
  AttentionLayer<T>& attention() { return attention_; }
  const TrunkShape& shape() const { return shape_; }

 private:
  absl::Status Check(const TokenBatch& batch, bool with_targets) const;
  absl::Status status() const {
    return context_.products.status().ok() ? attention_.status() : context_.products.status();
  }
  void ReadStarts(const TokenBatch& batch);
  SequenceRows RowsOf(const TokenBatch& batch, int64_t layer) const;
  void Embed(const TokenBatch& batch);
  void EmbedBackward(const TokenBatch& batch);
  void Forward(const TokenBatch& batch, bool keep_inputs);
  void Report(int64_t begin, int64_t end) const {
    if (on_gradients_) on_gradients_(begin, end);
  }

  const ModelConfig config_;
  const ModelOptions options_;
  const TrunkShape shape_;
  LayerContext<T> context_;
  AttentionLayer<T> attention_;
  LanguageHead<T> head_;
  Buffer<int32_t> starts_, window_starts_;  // of the running call, for layers without and with a sliding window
  NormActivations<T> final_norm_;
  Buffer<T> final_normed_;  // [R, C]
  Buffer<float> losses_;    // [R]
  Buffer<float> inputs_;    // with recomputation: [layers, R, C], what came into each layer
  GradientObserver on_gradients_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_TRUNK_H_
