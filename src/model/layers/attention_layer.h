// The attention part of a block: norm, queries-keys-values, attention, output product, back into the residual stream.
#ifndef RHODES_MODEL_LAYERS_ATTENTION_LAYER_H_
#define RHODES_MODEL_LAYERS_ATTENTION_LAYER_H_

#include <cstdint>

#include "model/kernels/attention.h"
#include "model/kernels/row_ops.h"
#include "model/layers/context.h"
#include "model/layers/norm.h"
#include "model/layers/rotary.h"

namespace rhodes {

// Sequences of the running call; starts [R] as in TokenBatch.
struct SequenceRows {
  int64_t sequences;
  int64_t length;
  const int32_t* starts;
  int64_t rows() const { return sequences * length; }
};

// With what a model's config asks for: biases, norms of queries and keys before the rotary positions (QK-norm), a cap
// of the scores, a norm before the result is added to the residual stream (Grok-2). One object serves all layers.
template <typename T>
class AttentionLayer {
 public:
  struct Activations {  // of one layer, from Forward to Backward
    Activations(const ModelConfig& config, int64_t rows);
    static uint64_t Bytes(const ModelConfig& config, int64_t rows);
    NormActivations<T> norm, post_norm;
    Buffer<T> normed;     // [R, C]
    Buffer<T> head_unit;  // QK-norm: [R, heads + kv_heads, dim]
    Buffer<float> head_inverse;
    Buffer<T> split;        // [B, heads + 2 kv_heads, T, dim], see kernels/attention.h
    Buffer<T> attended;     // [R, heads · dim]
    Buffer<float> log_sum;  // [B, heads, T]
  };

  // `max_context`: most T of any call.
  AttentionLayer(LayerContext<T>& context, int64_t max_context);
  static uint64_t Bytes(const ModelConfig& config, const ModelOptions& options, int64_t rows, int64_t max_context);

  // context.residual grows by the layer's result.
  void Forward(const SequenceRows& batch, const ParameterLayout::Layer& at, Activations& a);
  // From context.d_residual to itself: the gradient of the result becomes that of what came in.
  void Backward(const SequenceRows& batch, const ParameterLayout::Layer& at, Activations& a);

  const absl::Status& status() const { return attention_.status(); }

 private:
  HeadRows heads(int64_t rows) const;
  void HeadNormForward(int64_t rows, const ParameterLayout::Layer& at, Activations& a);
  void HeadNormBackward(int64_t rows, const ParameterLayout::Layer& at, Activations& a);

  LayerContext<T>& context_;
  Attention<T> attention_;
  RotaryTables rotary_;
  Buffer<T> qkv_;         // rows of queries, keys and values; backward their gradients
  Buffer<T> d_attended_;  // [R, heads · dim]
  Buffer<float> result_;  // [R, C], before a post-norm
  Buffer<T> d_result_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_ATTENTION_LAYER_H_
