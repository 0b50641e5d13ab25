#include "model/grok2.h"

#include <numbers>
#include <vector>

#include "model/layers/experts.h"
#include "model/layers/gated_mlp.h"
#include "model/trunk.h"

namespace rhodes {
namespace {

constexpr float kBranchFactor = static_cast<float>(1 / std::numbers::sqrt2);  // of dense layer and mixture together

template <typename T>
class Grok2 final : public Trunk<T> {
 public:
  Grok2(const ModelConfig& config, const ModelOptions& options)
      : Trunk<T>(config, options),
        mlp_(this->context()),
        experts_(this->context()),
        balance_(config, options),
        result_(this->shape().rows * config.hidden_size),
        d_result_(options.training ? this->shape().rows * config.hidden_size : 0) {
    for (int64_t i = 0; i < this->shape().kept_layers; ++i) kept_.emplace_back(config, this->shape().rows);
  }
  static uint64_t Bytes(const ModelConfig& config, const ModelOptions& options) {
    const TrunkShape shape(config, options);
    const uint64_t elements = static_cast<uint64_t>(shape.rows * config.hidden_size);
    return Trunk<T>::Bytes(config, options) + GatedMlp<T>::Bytes(config, shape.rows) +
           Experts<T>::Bytes(config, shape.rows, options.training) + RouterBalance::Bytes(config, options) +
           elements * (sizeof(float) + (options.training ? sizeof(T) : 0)) +
           static_cast<uint64_t>(shape.kept_layers) * Activations::Bytes(config, shape.rows);
  }
  RouterStatistics TakeRouterStatistics() override { return balance_.Take(); }

 private:
  struct Activations {  // of one layer
    Activations(const ModelConfig& config, int64_t rows)
        : attention(config, rows),
          norm(rows, config.hidden_size),
          normed(rows * config.hidden_size),
          gate_up(rows * 2 * config.intermediate_size),
          experts(config, rows),
          post_norm(rows, config.hidden_size) {}
    static uint64_t Bytes(const ModelConfig& config, int64_t rows) {
      return AttentionLayer<T>::Activations::Bytes(config, rows) + Experts<T>::Activations::Bytes(config, rows) +
             2 * NormActivations<T>::Bytes(rows, config.hidden_size) +
             static_cast<uint64_t>(rows * (config.hidden_size + 2 * config.intermediate_size)) * sizeof(T);
    }
    typename AttentionLayer<T>::Activations attention;
    NormActivations<T> norm;
    Buffer<T> normed;   // [R, C]
    Buffer<T> gate_up;  // [R, 2 · inner] of the dense layer
    typename Experts<T>::Activations experts;
    NormActivations<T> post_norm;
  };

  void ForwardLayer(const SequenceRows& batch, const ParameterLayout::Layer& at, int64_t kept) override {
    LayerContext<T>& c = this->context();
    Activations& a = kept_[static_cast<size_t>(kept)];
    const int64_t rows = batch.rows();
    this->attention().Forward(batch, at, a.attention);
    NormForward(c, rows, at.mlp_norm, a.norm, a.normed.data());
    mlp_.Forward(rows, a.normed.data(), at.mlp, a.gate_up.data(), result_.data(), false);
    experts_.Forward(rows, a.normed.data(), at, kBranchFactor, a.experts, result_.data());
    PostNormForward(c, rows, at.mlp_post_norm, result_.data(), a.post_norm);
  }

  void BackwardLayer(const SequenceRows& batch, const ParameterLayout::Layer& at, int64_t kept) override {
    LayerContext<T>& c = this->context();
    Activations& a = kept_[static_cast<size_t>(kept)];
    const int64_t rows = batch.rows();
    PostNormBackward(c, rows, at.mlp_post_norm, a.post_norm, kBranchFactor, d_result_.data());
    mlp_.Backward(rows, d_result_.data(), a.normed.data(), at.mlp, a.gate_up.data(), result_.data());
    PrepareBalance(batch, at, a.experts);
    experts_.Backward(rows, d_result_.data(), a.normed.data(), at, balance_, a.experts, result_.data(),
                      c.d_normed.data());
    NormBackward(c, rows, at.mlp_norm, a.norm, true);
    this->attention().Backward(batch, at, a.attention);
  }

  void PrepareBalance(const SequenceRows& batch, const ParameterLayout::Layer& at,
                      const typename Experts<T>::Activations& a) {
    const SectionTimer timer(this->context().seconds, Section::kRouter);
    const int64_t layer = &at - this->layout().layers().data();
    balance_.Prepare(layer, batch.sequences, batch.length, {a.logits.span(), a.probabilities.span(), a.chosen.span()},
                     this->context().scale);
  }

  GatedMlp<T> mlp_;
  Experts<T> experts_;
  RouterBalance balance_;
  Buffer<float> result_;  // [R, C]: dense layer and mixture forward; the gradient of what came into them backward
  Buffer<T> d_result_;    // [R, C]
  std::vector<Activations> kept_;
};

}  // namespace

std::unique_ptr<Model> CreateGrok2(const ModelConfig& config, const ModelOptions& options) {
  if (options.compute == ComputeType::kBf16) return std::make_unique<Grok2<Bf16>>(config, options);
  return std::make_unique<Grok2<float>>(config, options);
}

uint64_t Grok2MemoryBytes(const ModelConfig& config, const ModelOptions& options) {
  return options.compute == ComputeType::kBf16 ? Grok2<Bf16>::Bytes(config, options)
                                               : Grok2<float>::Bytes(config, options);
}

}  // namespace rhodes
