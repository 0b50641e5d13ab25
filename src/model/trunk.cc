#include "model/trunk.h"

#include <algorithm>
#include <utility>

#include "model/kernels/row_ops.h"

namespace rhodes {

TrunkShape::TrunkShape(const ModelConfig& config, const ModelOptions& options)
    : context(options.max_context > 0 ? options.max_context : config.max_positions),
      rows(options.max_sequences * context),
      kept_layers(options.training && !options.recompute ? config.layers : 1) {}

template <typename T>
Trunk<T>::Trunk(const ModelConfig& config, const ModelOptions& options)
    : config_(config),
      options_(options),
      shape_(config, options),
      context_(config_, options, shape_.rows),
      attention_(context_, shape_.context),
      head_(context_),
      starts_(shape_.rows),
      window_starts_(config.sliding_window > 0 ? shape_.rows : 0),
      final_norm_(shape_.rows, config.hidden_size),
      final_normed_(shape_.rows * config.hidden_size),
      losses_(shape_.rows),
      inputs_(options.training && options.recompute ? config.layers * shape_.rows * config.hidden_size : 0) {}

template <typename T>
uint64_t Trunk<T>::Bytes(const ModelConfig& config, const ModelOptions& options) {
  const TrunkShape shape(config, options);
  const uint64_t elements = static_cast<uint64_t>(shape.rows * config.hidden_size);
  const uint64_t layers = static_cast<uint64_t>(config.layers);
  return LayerContext<T>::Bytes(config, shape.rows, options.training) +
         AttentionLayer<T>::Bytes(config, options, shape.rows, shape.context) +
         LanguageHead<T>::Bytes(config, shape.rows, options.threads) +
         NormActivations<T>::Bytes(shape.rows, config.hidden_size) + elements * sizeof(T) +
         static_cast<uint64_t>(shape.rows) * (config.sliding_window > 0 ? 12 : 8) +
         (options.training && options.recompute ? layers * elements * sizeof(float) : 0);
}

template <typename T>
absl::Status Trunk<T>::Check(const TokenBatch& batch, bool with_targets) const {
  const int64_t rows = batch.sequences * batch.length;
  if (batch.sequences < 1 || batch.sequences > options_.max_sequences || batch.length < 1 ||
      batch.length > shape_.context) {
    return absl::InvalidArgumentError(
        fmt::format("model: a batch of {} sequences of {} tokens; it was made for {} of {}", batch.sequences,
                    batch.length, options_.max_sequences, shape_.context));
  }
  if (static_cast<int64_t>(batch.tokens.size()) != rows ||
      (with_targets && static_cast<int64_t>(batch.targets.size()) != rows) ||
      (!batch.starts.empty() && static_cast<int64_t>(batch.starts.size()) != rows)) {
    return absl::InvalidArgumentError(fmt::format("model: a batch of {} x {} with {} tokens, {} targets and {} starts",
                                                  batch.sequences, batch.length, batch.tokens.size(),
                                                  batch.targets.size(), batch.starts.size()));
  }
  for (const auto ids : {batch.tokens, with_targets ? batch.targets : std::span<const uint32_t>()}) {
    for (const uint32_t id : ids) {
      if (id >= config_.vocabulary_size) {
        return absl::InvalidArgumentError(
            fmt::format("model: token {} is outside of the vocabulary of {}", id, config_.vocabulary_size));
      }
    }
  }
  return absl::OkStatus();
}

template <typename T>
void Trunk<T>::ReadStarts(const TokenBatch& batch) {
  const int64_t rows = batch.sequences * batch.length;
  if (batch.starts.empty()) {
    std::fill_n(starts_.data(), rows, 0);
  } else {
    std::copy(batch.starts.begin(), batch.starts.end(), starts_.data());
  }
  if (config_.sliding_window == 0) return;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t first = r % batch.length - config_.sliding_window + 1;
    window_starts_[r] = static_cast<int32_t>(std::max<int64_t>(starts_[r], first));
  }
}

template <typename T>
SequenceRows Trunk<T>::RowsOf(const TokenBatch& batch, int64_t layer) const {
  const bool window = config_.WindowOf(layer) > 0;
  return {batch.sequences, batch.length, window ? window_starts_.data() : starts_.data()};
}

template <typename T>
void Trunk<T>::Embed(const TokenBatch& batch) {
  const SectionTimer timer(context_.seconds, Section::kEmbedding);
  const int64_t width = config_.hidden_size;
  const T* table = context_.weights.low(layout().embedding());
  const float multiplier = static_cast<float>(config_.embedding_multiplier);
  ParallelRanges(options_.threads, batch.sequences * batch.length, 1, [&](int64_t begin, int64_t end) {
    float* to = context_.residual.data() + begin * width;
    context_.fast().gather_rows(table, batch.tokens.data() + begin, end - begin, width, to);
    if (multiplier != 1.0f) FastRowOps<T>().scale_wide(to, (end - begin) * width, multiplier);
  });
}

template <typename T>
void Trunk<T>::EmbedBackward(const TokenBatch& batch) {
  const SectionTimer timer(context_.seconds, Section::kEmbedding);
  const int64_t rows = batch.sequences * batch.length;
  const int64_t width = config_.hidden_size;
  float* gradient = context_.weights.gradient(layout().embedding());
  float* d = context_.d_residual.data();
  const float multiplier = static_cast<float>(config_.embedding_multiplier);
  if (multiplier != 1.0f) {
    ParallelRanges(options_.threads, rows * width, 1024,
                   [&](int64_t begin, int64_t end) { FastRowOps<T>().scale_wide(d + begin, end - begin, multiplier); });
  }
  if (!config_.tie_embeddings && !context_.accumulate) {
    ParallelRanges(options_.threads, config_.vocabulary_size * width, int64_t{1} << 16,
                   [&](int64_t begin, int64_t end) { std::fill(gradient + begin, gradient + end, 0.0f); });
  }
  ParallelRanges(options_.threads, width, 16, [&](int64_t begin, int64_t end) {
    context_.fast().scatter_add_rows(d, batch.tokens.data(), rows, width, begin, end, gradient);
  });
}

template <typename T>
void Trunk<T>::Forward(const TokenBatch& batch, bool keep_inputs) {
  const int64_t rows = batch.sequences * batch.length;
  ReadStarts(batch);
  Embed(batch);
  for (int64_t i = 0; i < config_.layers; ++i) {
    if (keep_inputs) {
      std::copy_n(context_.residual.data(), rows * config_.hidden_size,
                  inputs_.data() + i * shape_.rows * config_.hidden_size);
    }
    ForwardLayer(RowsOf(batch, i), layout().layers()[i], shape_.kept_layers > 1 ? i : 0);
  }
  NormForward(context_, rows, layout().final_norm(), final_norm_, final_normed_.data());
}

template <typename T>
absl::StatusOr<double> Trunk<T>::ForwardBackward(const TokenBatch& batch, float scale, bool accumulate) {
  if (!options_.training) return absl::FailedPreconditionError("model: made without training, it has no gradients");
  RETURN_IF_ERROR(Check(batch, true));
  const int64_t rows = batch.sequences * batch.length;
  context_.accumulate = accumulate;
  context_.scale = scale;
  Forward(batch, options_.recompute);
  head_.Losses(rows, final_normed_.data(), batch.targets, scale, losses_.data());
  NormBackward(context_, rows, layout().final_norm(), final_norm_, false);
  Report(layout().final_norm(), layout().size());
  for (int64_t i = config_.layers - 1; i >= 0; --i) {
    const ParameterLayout::Layer& at = layout().layers()[i];
    if (options_.recompute && i + 1 < config_.layers) {  // the last layer's activations are still there
      std::copy_n(inputs_.data() + i * shape_.rows * config_.hidden_size, rows * config_.hidden_size,
                  context_.residual.data());
      ForwardLayer(RowsOf(batch, i), at, 0);
    }
    BackwardLayer(RowsOf(batch, i), at, shape_.kept_layers > 1 ? i : 0);
    Report(at.begin, at.end);
  }
  EmbedBackward(batch);
  Report(0, layout().layers().front().begin);
  RETURN_IF_ERROR(status());
  double sum = 0;
  for (int64_t i = 0; i < rows; ++i) sum += losses_[i];
  return sum;
}

template <typename T>
absl::Status Trunk<T>::Losses(const TokenBatch& batch, std::span<float> losses) {
  RETURN_IF_ERROR(Check(batch, true));
  const int64_t rows = batch.sequences * batch.length;
  if (static_cast<int64_t>(losses.size()) < rows) {
    return absl::InvalidArgumentError(fmt::format("model: room for {} losses of {}", losses.size(), rows));
  }
  Forward(batch, false);
  head_.Losses(rows, final_normed_.data(), batch.targets, 0.0f, losses_.data());
  RETURN_IF_ERROR(status());
  std::copy_n(losses_.data(), rows, losses.data());
  return absl::OkStatus();
}

template <typename T>
absl::Status Trunk<T>::Logits(const TokenBatch& batch, bool last_only, std::span<float> logits) {
  RETURN_IF_ERROR(Check(batch, false));
  const int64_t rows = last_only ? batch.sequences : batch.sequences * batch.length;
  if (static_cast<int64_t>(logits.size()) != rows * config_.vocabulary_size) {
    return absl::InvalidArgumentError(
        fmt::format("model: room for {} logits; {} x {} are wanted", logits.size(), rows, config_.vocabulary_size));
  }
  Forward(batch, false);
  const int64_t width = config_.hidden_size;
  const int64_t leading = last_only ? batch.length * width : width;
  head_.Logits(rows, final_normed_.data() + (last_only ? (batch.length - 1) * width : 0), leading, logits);
  return status();
}

template <typename T>
double Trunk<T>::GradientSquares(int64_t begin, int64_t end) {
  const SectionTimer timer(context_.seconds, Section::kOptimizer);
  return context_.weights.GradientSquares(begin, end);
}

template <typename T>
void Trunk<T>::StepAdamW(const AdamW& settings, int64_t begin, int64_t end, std::span<float> m, std::span<float> v) {
  const SectionTimer timer(context_.seconds, Section::kOptimizer);
  context_.weights.StepAdamW(settings, begin, end, m, v);
}

template class Trunk<float>;
template class Trunk<Bf16>;

}  // namespace rhodes
