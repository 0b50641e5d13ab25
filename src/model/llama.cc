#include "model/llama.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "model/kernels/attention.h"
#include "model/kernels/buffer.h"
#include "model/kernels/threads.h"

namespace rhodes {
namespace {

// Rows whose norm-weight gradients are summed together. Fixed, so that the sum does not depend on the threads.
constexpr int64_t kNormBlock = 256;
// Elements of a gradient that are summed together for its norm, and updated together by the optimizer.
constexpr int64_t kParameterBlock = int64_t{1} << 16;

// Rows of logits that exist at once. The gradient of the head is read and written once a chunk, so fewer, larger chunks
// win until they leave the last-level cache: 1024 rows of 8192 classes beat 256 by 1.2x, 512 of 50304 beat 128 by 1.5x.
int64_t LogitRows(const ModelConfig& config, int64_t rows) {
  const int64_t fitting = (int64_t{26} << 20) / config.vocabulary_size / 64 * 64;
  return std::min(rows, std::clamp<int64_t>(fitting, 64, 1024));
}

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

// A well-mixed function of its argument (SplitMix64): random numbers that do not depend on the order of drawing.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

float Normal(uint64_t seed, uint64_t index) {
  const uint64_t a = Mix(seed ^ Mix(2 * index));
  const uint64_t b = Mix(seed ^ Mix(2 * index + 1));
  const double u = (static_cast<double>(a >> 11) + 0.5) * 0x1p-53;
  const double v = static_cast<double>(b >> 11) * 0x1p-53;
  return static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v));
}

// Element counts of the working memory, in one place for Create and MemoryBytes.
struct Sizes {
  Sizes(const ModelConfig& config, const ModelOptions& options)
      : width(config.hidden_size),
        query(config.heads * config.head_dim),
        qkv((config.heads + 2 * config.kv_heads) * config.head_dim),
        inner(config.intermediate_size),
        vocabulary(config.vocabulary_size),
        context(options.max_context > 0 ? options.max_context : config.max_positions),
        rows(options.max_sequences * context),
        layers(options.training ? config.layers : 1),
        logit_rows(LogitRows(config, rows)),
        norm_blocks((rows + kNormBlock - 1) / kNormBlock) {}

  int64_t width, query, qkv, inner, vocabulary, context, rows, layers, logit_rows, norm_blocks;
};

template <typename T>
class LlamaModel final : public Model {
 public:
  LlamaModel(const ModelConfig& config, const ModelOptions& options)
      : config_(config),
        options_(options),
        layout_(config),
        n_(config, options),
        weights_(layout_.size()),
        low_(layout_.size()),
        gradients_(options.training ? layout_.size() : 0),
        products_(options.threads),
        attention_({config.heads, config.kv_heads, config.head_dim, n_.context}, n_.rows, options.training,
                   options.threads),
        starts_(n_.rows),
        cosine_(n_.context * config.head_dim / 2),
        sine_(n_.context * config.head_dim / 2),
        residual_(n_.rows * n_.width),
        final_unit_(n_.rows * n_.width),
        final_normed_(n_.rows * n_.width),
        final_inverse_(n_.rows),
        qkv_(n_.rows * n_.qkv),
        hidden_(n_.rows * n_.inner),
        logits_(n_.logit_rows * n_.vocabulary),
        logit_scratch_(n_.vocabulary * options.threads),
        losses_(n_.rows) {
    for (int64_t i = 0; i < n_.layers; ++i) activations_.emplace_back(config, n_);
    if (options.training) {
      d_residual_ = Buffer<float>(n_.rows * n_.width);
      d_residual_low_ = Buffer<T>(n_.rows * n_.width);
      d_normed_ = Buffer<T>(n_.rows * n_.width);
      d_attended_ = Buffer<T>(n_.rows * n_.query);
      norm_partials_ = Buffer<float>(n_.norm_blocks * n_.width);
    }
    MakeRotaryTables();
  }

  const ModelConfig& config() const override { return config_; }
  const ModelOptions& options() const override { return options_; }
  const ParameterLayout& layout() const override { return layout_; }
  std::span<float> weights() override { return weights_.span(); }
  std::span<float> gradients() override { return gradients_.span(); }

  void CommitWeights() override {
    ParallelRanges(options_.threads, layout_.size(), kParameterBlock, [&](int64_t begin, int64_t end) {
      fast_.store_rows(weights_.data() + begin, nullptr, 1, end - begin, end - begin, low_.data() + begin);
    });
  }

  void Initialize(uint64_t seed, float deviation) override;
  absl::Status Logits(const TokenBatch& batch, bool last_only, std::span<float> logits) override;
  absl::Status Losses(const TokenBatch& batch, std::span<float> losses) override;
  absl::StatusOr<double> ForwardBackward(const TokenBatch& batch, float scale, bool accumulate) override;
  double GradientNorm() override;
  void StepAdamW(const AdamW& settings, std::span<float> m, std::span<float> v) override;

  SectionSeconds TakeSectionSeconds() override { return std::exchange(seconds_, SectionSeconds{}); }

 private:
  struct LayerActivations {
    LayerActivations(const ModelConfig& config, const Sizes& n)
        : unit1(n.rows * n.width),
          normed1(n.rows * n.width),
          split(n.rows * n.qkv),
          attended(n.rows * n.query),
          unit2(n.rows * n.width),
          normed2(n.rows * n.width),
          gate_up(n.rows * 2 * n.inner),
          inverse1(n.rows),
          inverse2(n.rows),
          log_sum(n.rows * config.heads) {}
    Buffer<T> unit1, normed1, split, attended, unit2, normed2, gate_up;
    Buffer<float> inverse1, inverse2, log_sum;
  };

  void MakeRotaryTables();
  absl::Status Check(const TokenBatch& batch, bool with_targets) const;
  absl::Status status() const { return products_.status().ok() ? attention_.status() : products_.status(); }

  // y[rows, out] = x[rows, in] · Wᵀ, with W at `offset`.
  template <typename C>
  void Apply(int64_t rows, int64_t out, int64_t in, const T* x, int64_t offset, C* y, bool accumulate,
             Section section = Section::kProducts);
  // d_x[rows, in] = d_y[rows, out] · W.
  void ApplyBack(int64_t rows, int64_t out, int64_t in, const T* d_y, int64_t offset, T* d_x,
                 Section section = Section::kProducts);
  // d_W[out, in] (+)= d_yᵀ · x.
  void WeightGradient(int64_t rows, int64_t out, int64_t in, const T* d_y, const T* x, int64_t offset, bool accumulate,
                      Section section = Section::kProducts);

  void NormForward(int64_t rows, int64_t offset, T* unit, T* normed, float* inverse);
  void NormBackward(int64_t rows, int64_t offset, const T* unit, const float* inverse, bool add_to_residual,
                    bool accumulate);
  void ForwardTrunk(const TokenBatch& batch);
  void ForwardLayer(const TokenBatch& batch, const ParameterLayout::Layer& at, LayerActivations& a);
  void BackwardLayer(const TokenBatch& batch, const ParameterLayout::Layer& at, LayerActivations& a, bool accumulate);
  void HeadAndLoss(const TokenBatch& batch, float scale, bool accumulate);

  ModelConfig config_;
  ModelOptions options_;
  ParameterLayout layout_;
  Sizes n_;
  const Elementwise<T>& fast_ = FastElementwise<T>();

  Buffer<float> weights_;
  Buffer<T> low_;
  Buffer<float> gradients_;

  Products products_;
  Attention<T> attention_;
  Buffer<int32_t> starts_;  // of the running call
  Buffer<float> cosine_, sine_;
  Buffer<float> residual_;
  std::vector<LayerActivations> activations_;
  Buffer<T> final_unit_, final_normed_;
  Buffer<float> final_inverse_;
  Buffer<T> qkv_;     // rows of queries, keys and values; backward their gradients
  Buffer<T> hidden_;  // SwiGLU's output forward, its gradient backward
  Buffer<T> logits_;
  Buffer<float> logit_scratch_;
  Buffer<float> losses_;

  Buffer<float> d_residual_;
  Buffer<T> d_residual_low_, d_normed_, d_attended_;
  Buffer<float> norm_partials_;
  SectionSeconds seconds_{};
};

template <typename T>
void LlamaModel<T>::MakeRotaryTables() {
  const int64_t half = config_.head_dim / 2;
  for (int64_t i = 0; i < half; ++i) {
    const double frequency =
        std::pow(config_.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(config_.head_dim));
    for (int64_t t = 0; t < n_.context; ++t) {
      cosine_[t * half + i] = static_cast<float>(std::cos(static_cast<double>(t) * frequency));
      sine_[t * half + i] = static_cast<float>(std::sin(static_cast<double>(t) * frequency));
    }
  }
}

template <typename T>
void LlamaModel<T>::Initialize(uint64_t seed, float deviation) {
  const float output_deviation = deviation / std::sqrt(2.0f * static_cast<float>(config_.layers));
  for (size_t p = 0; p < layout_.parameters().size(); ++p) {
    const Parameter& parameter = layout_.parameters()[p];
    float* to = weights_.data() + parameter.offset;
    if (!parameter.matrix()) {
      std::fill_n(to, parameter.size(), 1.0f);
      continue;
    }
    const bool writes_residual =
        parameter.name.ends_with("o_proj.weight") || parameter.name.ends_with("down_proj.weight");
    const float factor = writes_residual ? output_deviation : deviation;
    const uint64_t stream = Mix(seed ^ Mix(p));
    ParallelRanges(options_.threads, parameter.size(), 1024, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = factor * Normal(stream, i);
    });
  }
  CommitWeights();
}

template <typename T>
absl::Status LlamaModel<T>::Check(const TokenBatch& batch, bool with_targets) const {
  const int64_t rows = batch.sequences * batch.length;
  if (batch.sequences < 1 || batch.sequences > options_.max_sequences || batch.length < 1 ||
      batch.length > n_.context) {
    return absl::InvalidArgumentError(
        fmt::format("model: a batch of {} sequences of {} tokens; it was made for {} of {}", batch.sequences,
                    batch.length, options_.max_sequences, n_.context));
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
      if (id >= n_.vocabulary) {
        return absl::InvalidArgumentError(
            fmt::format("model: token {} is outside of the vocabulary of {}", id, n_.vocabulary));
      }
    }
  }
  return absl::OkStatus();
}

template <typename T>
template <typename C>
void LlamaModel<T>::Apply(int64_t rows, int64_t out, int64_t in, const T* x, int64_t offset, C* y, bool accumulate,
                          Section section) {
  const SectionTimer timer(seconds_, section);
  products_.Run(rows, out, in, Matrix<const T>{x, in}, Matrix<const T>{low_.data() + offset, in, true},
                Matrix<C>{y, out}, accumulate);
}

template <typename T>
void LlamaModel<T>::ApplyBack(int64_t rows, int64_t out, int64_t in, const T* d_y, int64_t offset, T* d_x,
                              Section section) {
  const SectionTimer timer(seconds_, section);
  products_.Run(rows, in, out, Matrix<const T>{d_y, out}, Matrix<const T>{low_.data() + offset, in},
                Matrix<T>{d_x, in});
}

template <typename T>
void LlamaModel<T>::WeightGradient(int64_t rows, int64_t out, int64_t in, const T* d_y, const T* x, int64_t offset,
                                   bool accumulate, Section section) {
  const SectionTimer timer(seconds_, section);
  products_.Run(out, in, rows, Matrix<const T>{d_y, out, true}, Matrix<const T>{x, in},
                Matrix<float>{gradients_.data() + offset, in}, accumulate);
}

template <typename T>
void LlamaModel<T>::NormForward(int64_t rows, int64_t offset, T* unit, T* normed, float* inverse) {
  const SectionTimer timer(seconds_, Section::kNorm);
  const int64_t width = n_.width;
  ParallelRanges(options_.threads, rows, 1, [&](int64_t begin, int64_t end) {
    fast_.rms_norm_forward(residual_.data() + begin * width, low_.data() + offset,
                           static_cast<float>(config_.rms_epsilon), end - begin, width, unit + begin * width,
                           normed + begin * width, inverse + begin);
  });
}

// From d_normed_ to d_residual_ (and its low copy).
template <typename T>
void LlamaModel<T>::NormBackward(int64_t rows, int64_t offset, const T* unit, const float* inverse,
                                 bool add_to_residual, bool accumulate) {
  const SectionTimer timer(seconds_, Section::kNorm);
  const int64_t width = n_.width;
  const int64_t blocks = (rows + kNormBlock - 1) / kNormBlock;
  ParallelRanges(options_.threads, blocks, 1, [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      const int64_t begin = block * kNormBlock;
      const int64_t count = std::min(kNormBlock, rows - begin);
      float* partial = norm_partials_.data() + block * width;
      std::fill_n(partial, width, 0.0f);
      fast_.rms_norm_backward(d_normed_.data() + begin * width, unit + begin * width, inverse + begin,
                              low_.data() + offset, count, width, add_to_residual, d_residual_.data() + begin * width,
                              d_residual_low_.data() + begin * width, partial);
    }
  });
  float* gradient = gradients_.data() + offset;
  if (!accumulate) std::fill_n(gradient, width, 0.0f);
  for (int64_t block = 0; block < blocks; ++block) {
    for (int64_t i = 0; i < width; ++i) gradient[i] += norm_partials_[block * width + i];
  }
}

template <typename T>
void LlamaModel<T>::ForwardLayer(const TokenBatch& batch, const ParameterLayout::Layer& at, LayerActivations& a) {
  const int64_t rows = batch.sequences * batch.length;
  NormForward(rows, at.attention_norm, a.unit1.data(), a.normed1.data(), a.inverse1.data());
  Apply(rows, n_.qkv, n_.width, a.normed1.data(), at.qkv, qkv_.data(), false);
  {
    const SectionTimer timer(seconds_, Section::kAttention);
    attention_.Forward(qkv_.data(), starts_.data(), cosine_.data(), sine_.data(), batch.sequences, batch.length,
                       a.split.data(), a.attended.data(), a.log_sum.data());
  }
  Apply(rows, n_.width, n_.query, a.attended.data(), at.output, residual_.data(), true);
  NormForward(rows, at.mlp_norm, a.unit2.data(), a.normed2.data(), a.inverse2.data());
  Apply(rows, 2 * n_.inner, n_.width, a.normed2.data(), at.gate_up, a.gate_up.data(), false);
  {
    const SectionTimer timer(seconds_, Section::kActivation);
    ParallelRanges(options_.threads, rows, 1, [&](int64_t begin, int64_t end) {
      fast_.swi_glu_forward(a.gate_up.data() + begin * 2 * n_.inner, end - begin, n_.inner,
                            hidden_.data() + begin * n_.inner);
    });
  }
  Apply(rows, n_.width, n_.inner, hidden_.data(), at.down, residual_.data(), true);
}

template <typename T>
void LlamaModel<T>::ForwardTrunk(const TokenBatch& batch) {
  const int64_t rows = batch.sequences * batch.length;
  if (batch.starts.empty()) {
    std::fill_n(starts_.data(), rows, 0);
  } else {
    std::copy(batch.starts.begin(), batch.starts.end(), starts_.data());
  }
  {
    const SectionTimer timer(seconds_, Section::kEmbedding);
    ParallelRanges(options_.threads, rows, 1, [&](int64_t begin, int64_t end) {
      fast_.gather_rows(low_.data() + layout_.embedding(), batch.tokens.data() + begin, end - begin, n_.width,
                        residual_.data() + begin * n_.width);
    });
  }
  for (int64_t i = 0; i < config_.layers; ++i) {
    ForwardLayer(batch, layout_.layers()[i], activations_[options_.training ? i : 0]);
  }
  NormForward(rows, layout_.final_norm(), final_unit_.data(), final_normed_.data(), final_inverse_.data());
}

// Losses of all rows into losses_; with scale != 0 also the head's gradient and d_normed_.
template <typename T>
void LlamaModel<T>::HeadAndLoss(const TokenBatch& batch, float scale, bool accumulate) {
  const int64_t rows = batch.sequences * batch.length;
  const int64_t classes = n_.vocabulary;
  for (int64_t first = 0; first < rows; first += n_.logit_rows) {
    const int64_t count = std::min(n_.logit_rows, rows - first);
    const T* normed = final_normed_.data() + first * n_.width;
    Apply(count, classes, n_.width, normed, layout_.head(), logits_.data(), false, Section::kHeadProducts);
    {
      const SectionTimer timer(seconds_, Section::kLoss);
      ParallelRanges(options_.threads, count, 1, [&](int64_t begin, int64_t end) {
        float* scratch = logit_scratch_.data() + omp_get_thread_num() * classes;
        fast_.softmax_cross_entropy(logits_.data() + begin * classes, batch.targets.data() + first + begin, end - begin,
                                    classes, scale, losses_.data() + first + begin, scratch);
      });
    }
    if (scale == 0.0f) continue;
    ApplyBack(count, classes, n_.width, logits_.data(), layout_.head(), d_normed_.data() + first * n_.width,
              Section::kHeadProducts);
    WeightGradient(count, classes, n_.width, logits_.data(), normed, layout_.head(), accumulate || first > 0,
                   Section::kHeadProducts);
  }
}

template <typename T>
void LlamaModel<T>::BackwardLayer(const TokenBatch& batch, const ParameterLayout::Layer& at, LayerActivations& a,
                                  bool accumulate) {
  const int64_t rows = batch.sequences * batch.length;
  const T* d_residual = d_residual_low_.data();
  ApplyBack(rows, n_.width, n_.inner, d_residual, at.down, hidden_.data());
  {
    const SectionTimer timer(seconds_, Section::kActivation);
    ParallelRanges(options_.threads, rows, 1, [&](int64_t begin, int64_t end) {
      fast_.swi_glu_backward(hidden_.data() + begin * n_.inner, a.gate_up.data() + begin * 2 * n_.inner, end - begin,
                             n_.inner);
    });
  }
  WeightGradient(rows, n_.width, n_.inner, d_residual, hidden_.data(), at.down, accumulate);
  ApplyBack(rows, 2 * n_.inner, n_.width, a.gate_up.data(), at.gate_up, d_normed_.data());
  WeightGradient(rows, 2 * n_.inner, n_.width, a.gate_up.data(), a.normed2.data(), at.gate_up, accumulate);
  NormBackward(rows, at.mlp_norm, a.unit2.data(), a.inverse2.data(), true, accumulate);

  ApplyBack(rows, n_.width, n_.query, d_residual, at.output, d_attended_.data());
  WeightGradient(rows, n_.width, n_.query, d_residual, a.attended.data(), at.output, accumulate);
  {
    const SectionTimer timer(seconds_, Section::kAttention);
    attention_.Backward(d_attended_.data(), a.attended.data(), a.split.data(), a.log_sum.data(), starts_.data(),
                        cosine_.data(), sine_.data(), batch.sequences, batch.length, qkv_.data());
  }
  ApplyBack(rows, n_.qkv, n_.width, qkv_.data(), at.qkv, d_normed_.data());
  WeightGradient(rows, n_.qkv, n_.width, qkv_.data(), a.normed1.data(), at.qkv, accumulate);
  NormBackward(rows, at.attention_norm, a.unit1.data(), a.inverse1.data(), true, accumulate);
}

template <typename T>
absl::StatusOr<double> LlamaModel<T>::ForwardBackward(const TokenBatch& batch, float scale, bool accumulate) {
  if (!options_.training) return absl::FailedPreconditionError("model: made without training, it has no gradients");
  RETURN_IF_ERROR(Check(batch, true));
  const int64_t rows = batch.sequences * batch.length;
  ForwardTrunk(batch);
  HeadAndLoss(batch, scale, accumulate);
  NormBackward(rows, layout_.final_norm(), final_unit_.data(), final_inverse_.data(), false, accumulate);
  for (int64_t i = config_.layers - 1; i >= 0; --i) {
    BackwardLayer(batch, layout_.layers()[i], activations_[i], accumulate);
  }
  {
    const SectionTimer timer(seconds_, Section::kEmbedding);
    float* gradient = gradients_.data() + layout_.embedding();
    if (!config_.tie_embeddings && !accumulate) {
      ParallelRanges(options_.threads, n_.vocabulary * n_.width, kParameterBlock,
                     [&](int64_t begin, int64_t end) { std::fill(gradient + begin, gradient + end, 0.0f); });
    }
    ParallelRanges(options_.threads, n_.width, 16, [&](int64_t begin, int64_t end) {
      fast_.scatter_add_rows(d_residual_.data(), batch.tokens.data(), rows, n_.width, begin, end, gradient);
    });
  }
  RETURN_IF_ERROR(status());
  double sum = 0;
  for (int64_t i = 0; i < rows; ++i) sum += losses_[i];
  return sum;
}

template <typename T>
absl::Status LlamaModel<T>::Losses(const TokenBatch& batch, std::span<float> losses) {
  RETURN_IF_ERROR(Check(batch, true));
  ForwardTrunk(batch);
  HeadAndLoss(batch, 0.0f, false);
  RETURN_IF_ERROR(status());
  std::copy_n(losses_.data(), batch.sequences * batch.length, losses.data());
  return absl::OkStatus();
}

template <typename T>
absl::Status LlamaModel<T>::Logits(const TokenBatch& batch, bool last_only, std::span<float> logits) {
  RETURN_IF_ERROR(Check(batch, false));
  const int64_t rows = last_only ? batch.sequences : batch.sequences * batch.length;
  if (static_cast<int64_t>(logits.size()) != rows * n_.vocabulary) {
    return absl::InvalidArgumentError(
        fmt::format("model: room for {} logits; {} x {} are wanted", logits.size(), rows, n_.vocabulary));
  }
  ForwardTrunk(batch);
  const SectionTimer timer(seconds_, Section::kHeadProducts);
  const Matrix<const T> head{low_.data() + layout_.head(), n_.width, true};
  const int64_t leading = last_only ? batch.length * n_.width : n_.width;
  const T* first = final_normed_.data() + (last_only ? (batch.length - 1) * n_.width : 0);
  products_.Run(rows, n_.vocabulary, n_.width, Matrix<const T>{first, leading}, head,
                Matrix<float>{logits.data(), n_.vocabulary});
  return status();
}

template <typename T>
double LlamaModel<T>::GradientNorm() {
  const SectionTimer timer(seconds_, Section::kOptimizer);
  const int64_t blocks = (layout_.size() + kParameterBlock - 1) / kParameterBlock;
  std::vector<double> sums(blocks);
  ParallelRanges(options_.threads, blocks, 1, [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      const int64_t begin = block * kParameterBlock;
      sums[block] = fast_.sum_of_squares(gradients_.data() + begin, std::min(kParameterBlock, layout_.size() - begin));
    }
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  return std::sqrt(sum);
}

template <typename T>
void LlamaModel<T>::StepAdamW(const AdamW& settings, std::span<float> m, std::span<float> v) {
  const SectionTimer timer(seconds_, Section::kOptimizer);
  const auto& parameters = layout_.parameters();
  ParallelRanges(options_.threads, layout_.size(), kParameterBlock, [&](int64_t begin, int64_t end) {
    for (const Parameter& parameter : parameters) {
      const int64_t from = std::max(begin, parameter.offset);
      const int64_t to = std::min(end, parameter.offset + parameter.size());
      if (from >= to) continue;
      AdamW own = settings;
      if (!parameter.matrix()) own.decay = 0.0f;
      fast_.adamw_step(own, gradients_.data() + from, to - from, weights_.data() + from, m.data() + from,
                       v.data() + from, low_.data() + from);
    }
  });
}

}  // namespace

std::unique_ptr<Model> CreateLlama(const ModelConfig& config, const ModelOptions& options) {
  if (options.compute == ComputeType::kBf16) return std::make_unique<LlamaModel<Bf16>>(config, options);
  return std::make_unique<LlamaModel<float>>(config, options);
}

uint64_t LlamaMemoryBytes(const ModelConfig& config, const ModelOptions& options) {
  const Sizes n(config, options);
  const int64_t low = options.compute == ComputeType::kBf16 ? 2 : 4;
  const int64_t weights = ParameterLayout(config).size();
  int64_t bytes = weights * (4 + low + (options.training ? 4 : 0));
  bytes += n.layers * n.rows * (low * (4 * n.width + n.qkv + n.query + 2 * n.inner) + 4 * (2 + config.heads));
  bytes += n.rows * (4 * (n.width + 3) + low * (2 * n.width + n.inner + n.qkv));
  if (options.training) bytes += n.rows * (4 * (n.width + config.heads) + low * (2 * n.width + 2 * n.query + n.qkv));
  bytes += n.logit_rows * n.vocabulary * low + n.vocabulary * options.threads * 4;
  return static_cast<uint64_t>(bytes);
}

}  // namespace rhodes
