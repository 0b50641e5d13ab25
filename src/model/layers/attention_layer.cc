#include "model/layers/attention_layer.h"

#include "model/layers/linear.h"

namespace rhodes {
namespace {

int64_t QkvWidth(const ModelConfig& config) { return config.query_width() + 2 * config.kv_width(); }
int64_t NormedHeads(const ModelConfig& config) { return config.qk_norm ? config.heads + config.kv_heads : 0; }
bool HasPostNorm(const ModelConfig& config) { return config.architecture == Architecture::kGrok2; }

template <typename T>
Linear<T> Qkv(LayerContext<T>& c, const ParameterLayout::Layer& at) {
  return {c, QkvWidth(c.config), c.config.hidden_size, at.qkv, at.qkv_bias};
}
template <typename T>
Linear<T> Output(LayerContext<T>& c, const ParameterLayout::Layer& at) {
  return {c, c.config.hidden_size, c.config.query_width(), at.output, at.output_bias};
}

}  // namespace

template <typename T>
AttentionLayer<T>::Activations::Activations(const ModelConfig& config, int64_t rows)
    : norm(rows, config.hidden_size),
      normed(rows * config.hidden_size),
      head_unit(rows * NormedHeads(config) * config.head_dim),
      head_inverse(rows * NormedHeads(config)),
      split(rows * QkvWidth(config)),
      attended(rows * config.query_width()),
      log_sum(rows * config.heads) {
  if (HasPostNorm(config)) post_norm = NormActivations<T>(rows, config.hidden_size);
}

template <typename T>
uint64_t AttentionLayer<T>::Activations::Bytes(const ModelConfig& c, int64_t rows) {
  const int64_t low = c.hidden_size + NormedHeads(c) * c.head_dim + QkvWidth(c) + c.query_width();
  return static_cast<uint64_t>(rows) *
             (static_cast<uint64_t>(low) * sizeof(T) + static_cast<uint64_t>(NormedHeads(c) + c.heads) * 4) +
         (HasPostNorm(c) ? 2 : 1) * NormActivations<T>::Bytes(rows, c.hidden_size);
}

template <typename T>
AttentionLayer<T>::AttentionLayer(LayerContext<T>& context, int64_t max_context)
    : context_(context),
      attention_({context.config.heads, context.config.kv_heads, context.config.head_dim, max_context,
                  static_cast<float>(context.config.attention_cap)},
                 context.max_rows, context.training, context.threads),
      rotary_(context.config, max_context),
      qkv_(context.max_rows * QkvWidth(context.config)),
      d_attended_(context.training ? context.max_rows * context.config.query_width() : 0) {
  if (!HasPostNorm(context.config)) return;
  result_ = Buffer<float>(context.max_rows * context.config.hidden_size);
  if (context.training) d_result_ = Buffer<T>(context.max_rows * context.config.hidden_size);
}

template <typename T>
uint64_t AttentionLayer<T>::Bytes(const ModelConfig& c, const ModelOptions& options, int64_t rows,
                                  int64_t max_context) {
  int64_t bytes = rows * QkvWidth(c) * static_cast<int64_t>(sizeof(T)) + max_context * c.head_dim * 4;
  if (HasPostNorm(c)) bytes += rows * c.hidden_size * (4 + (options.training ? static_cast<int64_t>(sizeof(T)) : 0));
  if (options.training) {
    // Here and in Attention: gradients of heads, of the result, and of both head by head.
    bytes += rows * static_cast<int64_t>(sizeof(T)) * (2 * c.query_width() + QkvWidth(c)) + rows * c.heads * 4;
  }
  return static_cast<uint64_t>(bytes) +
         Attention<T>::ScratchBytes({c.heads, c.kv_heads, c.head_dim, max_context}, options.training, options.threads);
}

template <typename T>
HeadRows AttentionLayer<T>::heads(int64_t rows) const {
  return {rows, QkvWidth(context_.config), context_.config.heads, context_.config.kv_heads, context_.config.head_dim};
}

template <typename T>
void AttentionLayer<T>::HeadNormForward(int64_t rows, const ParameterLayout::Layer& at, Activations& a) {
  const SectionTimer timer(context_.seconds, Section::kNorm);
  const int64_t count = NormedHeads(context_.config);
  ParallelRanges(context_.threads, rows, 1, [&](int64_t begin, int64_t end) {
    FastRowOps<T>().head_norm_forward(
        qkv_.data() + begin * QkvWidth(context_.config), heads(end - begin), context_.weights.low(at.q_norm),
        context_.weights.low(at.k_norm), static_cast<float>(context_.config.rms_epsilon),
        a.head_unit.data() + begin * count * context_.config.head_dim, a.head_inverse.data() + begin * count);
  });
}

template <typename T>
void AttentionLayer<T>::HeadNormBackward(int64_t rows, const ParameterLayout::Layer& at, Activations& a) {
  const SectionTimer timer(context_.seconds, Section::kNorm);
  const int64_t count = NormedHeads(context_.config);
  const int64_t dim = context_.config.head_dim;
  context_.SumOverRows(
      rows, 2 * dim,
      [&](int64_t begin, int64_t size, float* sums) {
        FastRowOps<T>().head_norm_backward(qkv_.data() + begin * QkvWidth(context_.config), heads(size),
                                           context_.weights.low(at.q_norm), context_.weights.low(at.k_norm),
                                           a.head_unit.data() + begin * count * dim,
                                           a.head_inverse.data() + begin * count, sums, sums + dim);
      },
      [&](const float* sums) {
        context_.StoreVectorGradient(at.q_norm, dim, sums);
        context_.StoreVectorGradient(at.k_norm, dim, sums + dim);
      });
}

template <typename T>
void AttentionLayer<T>::Forward(const SequenceRows& batch, const ParameterLayout::Layer& at, Activations& a) {
  const int64_t rows = batch.rows();
  NormForward(context_, rows, at.attention_norm, a.norm, a.normed.data());
  Qkv(context_, at).Forward(rows, a.normed.data(), qkv_.data(), false);
  if (context_.config.qk_norm) HeadNormForward(rows, at, a);
  {
    const SectionTimer timer(context_.seconds, Section::kAttention);
    attention_.Forward(qkv_.data(), batch.starts, rotary_.cosine.data(), rotary_.sine.data(), batch.sequences,
                       batch.length, a.split.data(), a.attended.data(), a.log_sum.data());
  }
  if (at.attention_post_norm < 0) {
    Output(context_, at).Forward(rows, a.attended.data(), context_.residual.data(), true);
  } else {
    Output(context_, at).Forward(rows, a.attended.data(), result_.data(), false);
    PostNormForward(context_, rows, at.attention_post_norm, result_.data(), a.post_norm);
  }
}

template <typename T>
void AttentionLayer<T>::Backward(const SequenceRows& batch, const ParameterLayout::Layer& at, Activations& a) {
  const int64_t rows = batch.rows();
  const T* d_result = context_.d_residual_low.data();
  if (at.attention_post_norm >= 0) {
    PostNormBackward(context_, rows, at.attention_post_norm, a.post_norm, 1.0f, d_result_.data());
    d_result = d_result_.data();
  }
  Output(context_, at).InputGradient(rows, d_result, d_attended_.data());
  Output(context_, at).WeightGradient(rows, d_result, a.attended.data());
  {
    const SectionTimer timer(context_.seconds, Section::kAttention);
    attention_.Backward(d_attended_.data(), a.attended.data(), a.split.data(), a.log_sum.data(), batch.starts,
                        rotary_.cosine.data(), rotary_.sine.data(), batch.sequences, batch.length, qkv_.data());
  }
  if (context_.config.qk_norm) HeadNormBackward(rows, at, a);
  Qkv(context_, at).InputGradient(rows, qkv_.data(), context_.d_normed.data());
  Qkv(context_, at).WeightGradient(rows, qkv_.data(), a.normed.data());
  NormBackward(context_, rows, at.attention_norm, a.norm, true);
}

template class AttentionLayer<float>;
template class AttentionLayer<Bf16>;

}  // namespace rhodes
