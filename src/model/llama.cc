#include "model/llama.h"

#include <vector>

#include "model/layers/gated_mlp.h"
#include "model/trunk.h"

namespace rhodes {
namespace {

template <typename T>
class Llama final : public Trunk<T> {
 public:
  Llama(const ModelConfig& config, const ModelOptions& options) : Trunk<T>(config, options), mlp_(this->context()) {
    for (int64_t i = 0; i < this->shape().kept_layers; ++i) kept_.emplace_back(config, this->shape().rows);
  }
  static uint64_t Bytes(const ModelConfig& config, const ModelOptions& options) {
    const TrunkShape shape(config, options);
    return Trunk<T>::Bytes(config, options) + GatedMlp<T>::Bytes(config, shape.rows) +
           static_cast<uint64_t>(shape.kept_layers) * Activations::Bytes(config, shape.rows);
  }

 private:
  struct Activations {  // of one layer
    Activations(const ModelConfig& config, int64_t rows)
        : attention(config, rows),
          norm(rows, config.hidden_size),
          normed(rows * config.hidden_size),
          gate_up(rows * 2 * config.intermediate_size) {}
    static uint64_t Bytes(const ModelConfig& config, int64_t rows) {
      return AttentionLayer<T>::Activations::Bytes(config, rows) + NormActivations<T>::Bytes(rows, config.hidden_size) +
             static_cast<uint64_t>(rows * (config.hidden_size + 2 * config.intermediate_size)) * sizeof(T);
    }
    typename AttentionLayer<T>::Activations attention;
    NormActivations<T> norm;
    Buffer<T> normed;   // [R, C]
    Buffer<T> gate_up;  // [R, 2 · inner]
  };

  void ForwardLayer(const SequenceRows& batch, const ParameterLayout::Layer& at, int64_t kept) override {
    LayerContext<T>& c = this->context();
    Activations& a = kept_[static_cast<size_t>(kept)];
    this->attention().Forward(batch, at, a.attention);
    NormForward(c, batch.rows(), at.mlp_norm, a.norm, a.normed.data());
    mlp_.Forward(batch.rows(), a.normed.data(), at.mlp, a.gate_up.data(), c.residual.data(), true);
  }

  void BackwardLayer(const SequenceRows& batch, const ParameterLayout::Layer& at, int64_t kept) override {
    LayerContext<T>& c = this->context();
    Activations& a = kept_[static_cast<size_t>(kept)];
    mlp_.Backward(batch.rows(), c.d_residual_low.data(), a.normed.data(), at.mlp, a.gate_up.data(), c.d_normed.data());
    NormBackward(c, batch.rows(), at.mlp_norm, a.norm, true);
    this->attention().Backward(batch, at, a.attention);
  }

  GatedMlp<T> mlp_;
  std::vector<Activations> kept_;
};

}  // namespace

std::unique_ptr<Model> CreateLlama(const ModelConfig& config, const ModelOptions& options) {
  if (options.compute == ComputeType::kBf16) return std::make_unique<Llama<Bf16>>(config, options);
  return std::make_unique<Llama<float>>(config, options);
}

uint64_t LlamaMemoryBytes(const ModelConfig& config, const ModelOptions& options) {
  return options.compute == ComputeType::kBf16 ? Llama<Bf16>::Bytes(config, options)
                                               : Llama<float>::Bytes(config, options);
}

}  // namespace rhodes
