// A gated feed-forward layer, down(act(gate(x)) · up(x)): SwiGLU, or with GELU for Grok-2's dense branch.
#ifndef RHODES_MODEL_LAYERS_GATED_MLP_H_
#define RHODES_MODEL_LAYERS_GATED_MLP_H_

#include <cstdint>

#include "model/layers/context.h"
#include "model/layers/linear.h"

namespace rhodes {

template <typename T>
class GatedMlp {
 public:
  explicit GatedMlp(LayerContext<T>& context)
      : context_(context),
        inner_(context.config.intermediate_size),
        gelu_(context.config.architecture == Architecture::kGrok2),
        hidden_(context.max_rows * inner_) {}
  static uint64_t Bytes(const ModelConfig& config, int64_t rows) {
    return static_cast<uint64_t>(rows * config.intermediate_size) * sizeof(T);
  }

  // y grows by the result (or with `add` false becomes it); gate_up [R, 2 · inner] is kept for Backward.
  void Forward(int64_t rows, const T* x, const ParameterLayout::GatedLayer& at, T* gate_up, float* y, bool add) {
    GateUp(at).Forward(rows, x, gate_up, false);
    {
      const SectionTimer timer(context_.seconds, Section::kActivation);
      ParallelRanges(context_.threads, rows, 1, [&](int64_t begin, int64_t end) {
        const T* in = gate_up + begin * 2 * inner_;
        T* out = hidden_.data() + begin * inner_;
        if (gelu_) {
          context_.fast().ge_glu_forward(in, nullptr, end - begin, inner_, out);
        } else {
          context_.fast().swi_glu_forward(in, end - begin, inner_, out);
        }
      });
    }
    Down(at).Forward(rows, hidden_.data(), y, add);
  }

  // d_x (T or float) is set; gate_up is used up.
  template <typename X>
  void Backward(int64_t rows, const T* d_y, const T* x, const ParameterLayout::GatedLayer& at, T* gate_up, X* d_x) {
    Down(at).InputGradient(rows, d_y, hidden_.data());
    {
      const SectionTimer timer(context_.seconds, Section::kActivation);
      ParallelRanges(context_.threads, rows, 1, [&](int64_t begin, int64_t end) {
        T* d = hidden_.data() + begin * inner_;
        T* in = gate_up + begin * 2 * inner_;
        if (gelu_) {
          context_.fast().ge_glu_backward(d, in, nullptr, end - begin, inner_, nullptr);
        } else {
          context_.fast().swi_glu_backward(d, in, end - begin, inner_);
        }
      });
    }
    Down(at).WeightGradient(rows, d_y, hidden_.data());
    GateUp(at).InputGradient(rows, gate_up, d_x);
    GateUp(at).WeightGradient(rows, gate_up, x);
  }

 private:
  Linear<T> GateUp(const ParameterLayout::GatedLayer& at) const {
    return {context_, 2 * inner_, context_.config.hidden_size, at.gate_up, at.gate_up_bias};
  }
  Linear<T> Down(const ParameterLayout::GatedLayer& at) const {
    return {context_, context_.config.hidden_size, inner_, at.down, at.down_bias};
  }

  LayerContext<T>& context_;
  int64_t inner_;
  bool gelu_;
  Buffer<T> hidden_;  // [R, inner]: act(gate) · up forward, its gradient backward
};

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_GATED_MLP_H_
