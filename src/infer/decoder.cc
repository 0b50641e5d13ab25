#include "infer/decoder.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <numbers>
#include <utility>

#include "infer/decoder_weights.h"
#include "infer/kernels.h"
#include "infer/worker_pool.h"
#include "model/kernels/buffer.h"
#include "model/kernels/product.h"
#include "model/layers/rotary.h"
#include "model/layers/router.h"
#include "model/open_model.h"

namespace rhodes {
namespace {

constexpr int64_t kOutputBlock = 128;   // outputs of a product that one task computes: fixed, so that results are
constexpr int64_t kPositionGrain = 64;  // caches are whole multiples: padded keys keep oneDNN's shapes few
constexpr int64_t kQueryBlock = 64;     // rows of a prefill whose attention one task computes
constexpr int64_t kManyRows = 16;       // from here on a prefill's products go to oneDNN

int64_t RoundUp(int64_t value, int64_t grain) { return (value + grain - 1) / grain * grain; }

template <typename T>
class Cache final : public SequenceCache {
 public:
  Cache(const ModelConfig& config, int64_t capacity)
      : SequenceCache(capacity),
        head_stride_(RoundUp(capacity, kPositionGrain) * config.head_dim),
        layer_stride_(2 * config.kv_heads * head_stride_),
        value_offset_(config.kv_heads * head_stride_),
        data_(config.layers * layer_stride_) {}

  T* Keys(int64_t layer, int64_t kv_head) { return data_.data() + layer * layer_stride_ + kv_head * head_stride_; }
  T* Values(int64_t layer, int64_t kv_head) { return Keys(layer, kv_head) + value_offset_; }
  void Grow(int64_t tokens) { length_ += tokens; }

 private:
  int64_t head_stride_, layer_stride_, value_offset_;
  Buffer<T> data_;
};

template <typename T>
class CachedDecoder final : public Decoder {
 public:
  // May throw std::bad_alloc.
  CachedDecoder(const ModelConfig& config, DecoderWeights<T> weights, int threads)
      : config_(config),
        kernels_(FastInferKernels<T>()),
        many_rows_fast_(sizeof(T) == sizeof(float) || NativeComputeType() == ComputeType::kBf16),
        pool_(threads),
        scale_(1.0f / std::sqrt(static_cast<float>(config.head_dim))),
        cap_(static_cast<float>(config.attention_cap)),
        weights_(std::move(weights)),
        rotary_(config, config.max_positions) {
    for (int i = 0; i < pool_.threads(); ++i) scratch_.emplace_back();
    const int64_t query = config.query_width();
    const int64_t inner = std::max(config.intermediate_size, config.expert_intermediate);
    x_ = Buffer<float>(kRows * config.hidden_size);
    normed_ = Buffer<float>(kRows * config.hidden_size);
    qkv_ = Buffer<float>(kRows * (query + 2 * config.kv_width()));
    attended_ = Buffer<float>(kRows * query);
    gate_up_ = Buffer<float>(kRows * 2 * inner);
    inner_ = Buffer<float>(kRows * inner);
    const int64_t widest = PaddedColumns(std::max({config.hidden_size, query, inner}));
    arranged_ = Buffer<float>(kRows * widest);
    low_ = Buffer<T>(kRows * widest);
    queries_ = Buffer<T>(kRows * query);
    if (config.architecture != Architecture::kGrok2) return;
    result_ = Buffer<float>(kRows * config.hidden_size);
    expert_in_ = Buffer<float>(kRows * config.hidden_size);
    expert_out_ = Buffer<float>(kRows * config.hidden_size);
    router_logits_ = Buffer<float>(kRows * config.experts);
  }

  const ModelConfig& config() const override { return config_; }
  uint64_t weight_bytes() const override { return weights_.bytes; }
  uint64_t CacheBytes(int64_t capacity) const override {
    return static_cast<uint64_t>(2 * config_.layers * config_.kv_width() * RoundUp(capacity, kPositionGrain)) *
           sizeof(T);
  }
  absl::StatusOr<std::unique_ptr<SequenceCache>> NewCache(int64_t capacity) const override {
    try {
      return std::make_unique<Cache<T>>(config_, capacity);
    } catch (const std::bad_alloc&) {
      return absl::ResourceExhaustedError(
          fmt::format("no memory for a cache of {} tokens ({} bytes)", capacity, CacheBytes(capacity)));
    }
  }
  absl::Status Prefill(SequenceCache& cache, std::span<const TokenId> tokens, std::span<float> logits) override;
  absl::Status Decode(std::span<SequenceCache* const> caches, std::span<const TokenId> tokens,
                      std::span<float> logits) override;

 private:
  static constexpr int64_t kRows = kMaxPrefill;
  static_assert(kMaxDecode <= kMaxPrefill);

  // A new token: where its key and value go.
  struct Row {
    Cache<T>* cache;
    int64_t position;
  };
  struct Scratch {  // of one thread
    Products products{1};
    std::vector<float> scores;
    std::vector<T> probabilities;
  };

  absl::Status CheckRow(const SequenceCache& cache, int64_t tokens) const;
  absl::Status Embed(std::span<const TokenId> tokens);
  // From x_ of `rows_` through all layers.
  void Layers(bool prefill);
  // normed_ = norm(x_).
  void Norm(const Buffer<float>& weight);
  // x_ += norm(result_).
  void AddPostNorm(const Buffer<float>& weight);
  // y[rows, w.rows] = x[rows, w.columns]·wᵀ, or adds.
  void Multiply(const Packed<T>& w, const float* x, int64_t rows, float* y, bool add, bool prefill);
  void Attention(int64_t layer, bool prefill);
  void FeedForward(const DecoderLayer<T>& layer, bool prefill);
  // `out` becomes (or with `add` grows by) the gated layer of the first `rows` rows of x.
  void Gated(const GatedWeights<T>& w, const float* x, int64_t rows, float* out, bool add, bool prefill);
  // result_ grows by the mixture of the experts that each row of normed_ chooses; only those are computed.
  void Experts(const DecoderLayer<T>& layer, bool prefill);
  void NormHeads(float* row, const DecoderLayer<T>& layer);
  // Logits of `rows` rows of normed_, from `first` on.
  void Head(int64_t first, int64_t rows, std::span<float> logits);
  // The first position that `layer` sees from `position`.
  int64_t FirstSeen(int64_t layer, int64_t position) const {
    const int64_t window = config_.WindowOf(layer);
    return window > 0 ? std::max<int64_t>(0, position + 1 - window) : 0;
  }
  void StoreKeysAndValues(int64_t layer);
  void AttendRows(int64_t layer);
  void AttendPrefill(int64_t layer);
  void AttendBlock(int64_t layer, int64_t head, int64_t begin, int64_t end, Scratch& scratch);
  absl::Status ProductStatus() const;

  const ModelConfig config_;
  const InferKernels<T>& kernels_;
  const bool many_rows_fast_;  // oneDNN multiplies T natively
  WorkerPool pool_;
  const float scale_;
  const float cap_;
  const DecoderWeights<T> weights_;
  const RotaryTables rotary_;

  std::vector<Scratch> scratch_;
  std::vector<Row> rows_;
  Buffer<float> x_, normed_, qkv_, attended_, gate_up_, inner_;  // activations [rows, ...]
  Buffer<float> arranged_;                                       // a product's operand for our kernels,
  Buffer<T> low_;                                                // or for oneDNN
  Buffer<T> queries_;
  Buffer<float> result_;                                  // Grok-2: of a part, before its norm
  Buffer<float> expert_in_, expert_out_, router_logits_;  // Grok-2: rows of one expert
};

template <typename T>
void CachedDecoder<T>::Norm(const Buffer<float>& weight) {
  const int64_t width = config_.hidden_size;
  for (size_t r = 0; r < rows_.size(); ++r) {
    kernels_.rms_norm(x_.data() + r * width, weight.data(), static_cast<float>(config_.rms_epsilon), width,
                      normed_.data() + r * width);
  }
}

template <typename T>
void CachedDecoder<T>::AddPostNorm(const Buffer<float>& weight) {
  const int64_t width = config_.hidden_size;
  for (size_t r = 0; r < rows_.size(); ++r) {
    float* row = result_.data() + r * width;
    kernels_.rms_norm(row, weight.data(), static_cast<float>(config_.rms_epsilon), width, row);
    kernels_.add(row, width, 1.0f, x_.data() + r * width);
  }
}

template <typename T>
void CachedDecoder<T>::Multiply(const Packed<T>& w, const float* x, int64_t rows, float* y, bool add, bool prefill) {
  const bool many = prefill && rows >= kManyRows && many_rows_fast_;
  for (int64_t r = 0; r < rows; ++r) {
    if (many) {
      kernels_.store(x + r * w.columns, w.columns, low_.data() + r * w.stride);
    } else {
      kernels_.arrange(x + r * w.columns, w.columns, arranged_.data() + r * w.stride);
    }
  }
  // Rows up to the next multiple of 16 hold what an earlier product left there; their results are not read. Fewer
  // shapes mean fewer primitives for oneDNN to make.
  const int64_t padded = many ? std::min(RoundUp(rows, kManyRows), kRows) : rows;
  pool_.Run((w.rows + kOutputBlock - 1) / kOutputBlock, [&](int64_t task, int thread) {
    const int64_t begin = task * kOutputBlock;
    const int64_t end = std::min(w.rows, begin + kOutputBlock);
    if (many) {
      scratch_[thread].products.Run(padded, end - begin, w.columns, Matrix<const T>{low_.data(), w.stride},
                                    Matrix<const T>{w.data.data() + begin * w.stride, w.stride, true},
                                    Matrix<float>{y + begin, w.rows}, add);
    } else {
      kernels_.products(w.data.data(), w.stride, begin, end, arranged_.data(), rows, y, w.rows, add);
    }
  });
  if (w.bias.size() == 0) return;
  for (int64_t r = 0; r < rows; ++r) kernels_.add(w.bias.data(), w.rows, 1.0f, y + r * w.rows);
}

template <typename T>
void CachedDecoder<T>::NormHeads(float* row, const DecoderLayer<T>& layer) {
  const int64_t dim = config_.head_dim;
  for (int64_t head = 0; head < config_.heads + config_.kv_heads; ++head) {
    const Buffer<float>& weight = head < config_.heads ? layer.q_norm : layer.k_norm;
    kernels_.rms_norm(row + head * dim, weight.data(), static_cast<float>(config_.rms_epsilon), dim, row + head * dim);
  }
}

template <typename T>
void CachedDecoder<T>::StoreKeysAndValues(int64_t layer) {
  const int64_t dim = config_.head_dim;
  const int64_t half = dim / 2;
  const int64_t row_width = config_.query_width() + 2 * config_.kv_width();
  for (size_t r = 0; r < rows_.size(); ++r) {
    const auto [cache, position] = rows_[r];
    float* row = qkv_.data() + r * row_width;
    if (config_.qk_norm) NormHeads(row, weights_.layers[static_cast<size_t>(layer)]);
    kernels_.rotate(row, config_.heads + config_.kv_heads, dim, rotary_.cosine.data() + position * half,
                    rotary_.sine.data() + position * half);
    for (int64_t head = 0; head < config_.kv_heads; ++head) {
      const float* key = row + config_.query_width() + head * dim;
      kernels_.store(key, dim, cache->Keys(layer, head) + position * dim);
      kernels_.store(key + config_.kv_width(), dim, cache->Values(layer, head) + position * dim);
    }
  }
}

template <typename T>
void CachedDecoder<T>::AttendRows(int64_t layer) {
  const int64_t dim = config_.head_dim;
  const int64_t row_width = config_.query_width() + 2 * config_.kv_width();
  const int64_t group = config_.heads / config_.kv_heads;
  pool_.Run(static_cast<int64_t>(rows_.size()) * config_.heads, [&](int64_t task, int thread) {
    const int64_t r = task / config_.heads;
    const int64_t head = task % config_.heads;
    const auto [cache, position] = rows_[r];
    std::vector<float>& scores = scratch_[thread].scores;
    if (static_cast<int64_t>(scores.size()) <= position) scores.resize(RoundUp(position + 1, kPositionGrain));
    const int64_t first = FirstSeen(layer, position);
    kernels_.attend(qkv_.data() + r * row_width + head * dim, cache->Keys(layer, head / group) + first * dim,
                    cache->Values(layer, head / group) + first * dim, position + 1 - first, dim, scale_, cap_,
                    scores.data(), attended_.data() + r * config_.query_width() + head * dim);
  });
}

template <typename T>
void CachedDecoder<T>::AttendPrefill(int64_t layer) {
  const int64_t rows = static_cast<int64_t>(rows_.size());
  const int64_t query = config_.query_width();
  for (int64_t r = 0; r < rows; ++r) {
    kernels_.store(qkv_.data() + r * (query + 2 * config_.kv_width()), query, queries_.data() + r * query);
  }
  const int64_t blocks = (rows + kQueryBlock - 1) / kQueryBlock;
  pool_.Run(blocks * config_.heads, [&](int64_t task, int thread) {
    // The last blocks have the most keys: handing them out first keeps the threads even.
    const int64_t begin = (blocks - 1 - task / config_.heads) * kQueryBlock;
    AttendBlock(layer, task % config_.heads, begin, std::min(rows, begin + kQueryBlock), scratch_[thread]);
  });
}

template <typename T>
void CachedDecoder<T>::AttendBlock(int64_t layer, int64_t head, int64_t begin, int64_t end, Scratch& scratch) {
  const int64_t dim = config_.head_dim;
  const int64_t query = config_.query_width();
  const int64_t kv_head = head / (config_.heads / config_.kv_heads);
  Cache<T>* cache = rows_[begin].cache;
  const int64_t columns = RoundUp(rows_[end - 1].position + 1, kPositionGrain);
  const int64_t rows = std::min(RoundUp(end - begin, kManyRows), kRows - begin);
  if (static_cast<int64_t>(scratch.scores.size()) < kQueryBlock * columns) {
    scratch.scores.resize(kQueryBlock * columns);
    scratch.probabilities.resize(kQueryBlock * columns);
  }
  scratch.products.Run(rows, columns, dim, Matrix<const T>{queries_.data() + begin * query + head * dim, query},
                       Matrix<const T>{cache->Keys(layer, kv_head), dim, true},
                       Matrix<float>{scratch.scores.data(), columns});
  for (int64_t r = begin; r < end; ++r) {
    const int64_t first = FirstSeen(layer, rows_[r].position);
    T* probabilities = scratch.probabilities.data() + (r - begin) * columns;
    std::fill_n(probabilities, first, T{});
    kernels_.softmax(scratch.scores.data() + (r - begin) * columns + first, rows_[r].position + 1 - first,
                     columns - first, scale_, cap_, probabilities + first);
  }
  scratch.products.Run(rows, dim, columns, Matrix<const T>{scratch.probabilities.data(), columns},
                       Matrix<const T>{cache->Values(layer, kv_head), dim},
                       Matrix<float>{attended_.data() + begin * query + head * dim, query});
}

template <typename T>
void CachedDecoder<T>::Attention(int64_t layer, bool prefill) {
  const DecoderLayer<T>& w = weights_.layers[static_cast<size_t>(layer)];
  const int64_t rows = static_cast<int64_t>(rows_.size());
  Norm(w.attention_norm);
  Multiply(w.qkv, normed_.data(), rows, qkv_.data(), false, prefill);
  StoreKeysAndValues(layer);
  if (prefill && rows >= kManyRows && many_rows_fast_) {
    AttendPrefill(layer);
  } else {
    AttendRows(layer);
  }
  if (w.attention_post_norm.size() == 0) return Multiply(w.output, attended_.data(), rows, x_.data(), true, prefill);
  Multiply(w.output, attended_.data(), rows, result_.data(), false, prefill);
  AddPostNorm(w.attention_post_norm);
}

template <typename T>
void CachedDecoder<T>::Gated(const GatedWeights<T>& w, const float* x, int64_t rows, float* out, bool add,
                             bool prefill) {
  const int64_t inner = w.down.columns;
  Multiply(w.gate_up, x, rows, gate_up_.data(), false, prefill);
  const auto activate = config_.architecture == Architecture::kGrok2 ? kernels_.ge_glu : kernels_.swi_glu;
  for (int64_t r = 0; r < rows; ++r) activate(gate_up_.data() + r * 2 * inner, inner, inner_.data() + r * inner);
  Multiply(w.down, inner_.data(), rows, out, add, prefill);
}

template <typename T>
void CachedDecoder<T>::Experts(const DecoderLayer<T>& layer, bool prefill) {
  const int64_t width = config_.hidden_size;
  const size_t experts = static_cast<size_t>(config_.experts);
  const size_t k = static_cast<size_t>(config_.experts_per_token);
  const RouterShape router{config_.experts, config_.experts_per_token, config_.RenormalizesExperts(),
                           static_cast<float>(config_.ComputedRouterCap())};
  Multiply(layer.router, normed_.data(), static_cast<int64_t>(rows_.size()), router_logits_.data(), false, prefill);
  struct Choice {
    int64_t row;
    float share;
  };
  std::vector<std::vector<Choice>> rows_of(experts);
  std::vector<float> probabilities(experts), shares(k);
  std::vector<int32_t> chosen(k);
  for (size_t r = 0; r < rows_.size(); ++r) {
    Route(router, router_logits_.span().subspan(r * experts, experts), probabilities, chosen, shares);
    for (size_t i = 0; i < k; ++i) {
      rows_of[static_cast<size_t>(chosen[i])].push_back({static_cast<int64_t>(r), shares[i]});
    }
  }
  for (size_t e = 0; e < experts; ++e) {
    const std::vector<Choice>& own = rows_of[e];
    if (own.empty()) continue;
    for (size_t i = 0; i < own.size(); ++i) {
      std::copy_n(normed_.data() + own[i].row * width, width, expert_in_.data() + static_cast<int64_t>(i) * width);
    }
    Gated(layer.experts[e], expert_in_.data(), static_cast<int64_t>(own.size()), expert_out_.data(), false, prefill);
    for (size_t i = 0; i < own.size(); ++i) {
      kernels_.add(expert_out_.data() + static_cast<int64_t>(i) * width, width, own[i].share,
                   result_.data() + own[i].row * width);
    }
  }
}

template <typename T>
void CachedDecoder<T>::FeedForward(const DecoderLayer<T>& layer, bool prefill) {
  const int64_t rows = static_cast<int64_t>(rows_.size());
  Norm(layer.mlp_norm);
  if (layer.experts.empty()) return Gated(layer.mlp, normed_.data(), rows, x_.data(), true, prefill);
  Gated(layer.mlp, normed_.data(), rows, result_.data(), false, prefill);
  Experts(layer, prefill);
  kernels_.soft_cap(result_.data(), rows * config_.hidden_size, static_cast<float>(1 / std::numbers::sqrt2), 0.0f);
  AddPostNorm(layer.mlp_post_norm);
}

template <typename T>
void CachedDecoder<T>::Layers(bool prefill) {
  for (int64_t i = 0; i < config_.layers; ++i) {
    Attention(i, prefill);
    FeedForward(weights_.layers[static_cast<size_t>(i)], prefill);
  }
}

template <typename T>
void CachedDecoder<T>::Head(int64_t first, int64_t rows, std::span<float> logits) {
  // Rounding all rows up to 16 would write beyond `logits`: our own kernel takes any number.
  Multiply(config_.tie_embeddings ? weights_.embedding : weights_.head, normed_.data() + first * config_.hidden_size,
           rows, logits.data(), false, false);
  if (config_.output_multiplier == 1.0 && config_.final_cap == 0.0) return;
  kernels_.soft_cap(logits.data(), rows * config_.vocabulary_size, static_cast<float>(config_.output_multiplier),
                    static_cast<float>(config_.final_cap));
}

template <typename T>
absl::Status CachedDecoder<T>::Embed(std::span<const TokenId> tokens) {
  for (size_t r = 0; r < tokens.size(); ++r) {
    if (tokens[r] >= config_.vocabulary_size) {
      return absl::InvalidArgumentError(
          fmt::format("token {} is not below the model's vocabulary of {}", tokens[r], config_.vocabulary_size));
    }
    float* row = x_.data() + r * config_.hidden_size;
    kernels_.load(weights_.embedding.data.data() + tokens[r] * weights_.embedding.stride, config_.hidden_size, row);
    if (config_.embedding_multiplier != 1.0) {
      kernels_.soft_cap(row, config_.hidden_size, static_cast<float>(config_.embedding_multiplier), 0.0f);
    }
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CachedDecoder<T>::CheckRow(const SequenceCache& cache, int64_t tokens) const {
  if (cache.length() + tokens > std::min(cache.capacity(), config_.max_positions)) {
    return absl::InvalidArgumentError(fmt::format("{} tokens after {} do not fit a cache of {} and a context of {}",
                                                  tokens, cache.length(), cache.capacity(), config_.max_positions));
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CachedDecoder<T>::ProductStatus() const {
  for (const Scratch& scratch : scratch_) RETURN_IF_ERROR(scratch.products.status());
  return absl::OkStatus();
}

template <typename T>
absl::Status CachedDecoder<T>::Prefill(SequenceCache& base, std::span<const TokenId> tokens, std::span<float> logits) {
  Cache<T>& cache = static_cast<Cache<T>&>(base);
  const int64_t count = static_cast<int64_t>(tokens.size());
  const int64_t logit_rows = static_cast<int64_t>(logits.size()) / config_.vocabulary_size;
  if (count < 1 || count > kMaxPrefill || (logit_rows > 1 && logit_rows != count) ||
      logit_rows * config_.vocabulary_size != static_cast<int64_t>(logits.size())) {
    return absl::InvalidArgumentError(fmt::format(
        "{} tokens with {} logits: 1 to {} tokens, logits for none, one or all", count, logits.size(), kMaxPrefill));
  }
  RETURN_IF_ERROR(CheckRow(cache, count));
  RETURN_IF_ERROR(Embed(tokens));
  rows_.clear();
  for (int64_t r = 0; r < count; ++r) rows_.push_back({&cache, cache.length() + r});
  Layers(true);
  cache.Grow(count);
  if (logit_rows > 0) {
    Norm(weights_.final_norm);
    Head(count - logit_rows, logit_rows, logits);
  }
  return ProductStatus();
}

template <typename T>
absl::Status CachedDecoder<T>::Decode(std::span<SequenceCache* const> caches, std::span<const TokenId> tokens,
                                      std::span<float> logits) {
  const int64_t count = static_cast<int64_t>(caches.size());
  if (count < 1 || count > kMaxDecode || tokens.size() != caches.size() ||
      static_cast<int64_t>(logits.size()) != count * config_.vocabulary_size) {
    return absl::InvalidArgumentError(
        fmt::format("{} sequences with {} tokens and {} logits", count, tokens.size(), logits.size()));
  }
  for (const SequenceCache* cache : caches) RETURN_IF_ERROR(CheckRow(*cache, 1));
  RETURN_IF_ERROR(Embed(tokens));
  rows_.clear();
  for (SequenceCache* cache : caches) rows_.push_back({static_cast<Cache<T>*>(cache), cache->length()});
  Layers(false);
  for (const Row& row : rows_) row.cache->Grow(1);
  Norm(weights_.final_norm);
  Head(0, count, logits);
  return absl::OkStatus();
}

template <typename T>
absl::StatusOr<std::unique_ptr<Decoder>> CreateAs(const ModelConfig& config, const TensorReader& weights, int threads) {
  try {
    ASSIGN_OR_RETURN(DecoderWeights<T> own, DecoderWeights<T>::Read(config, weights));
    return std::make_unique<CachedDecoder<T>>(config, std::move(own), threads);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(fmt::format("no memory for a model of {} weights", config.ParameterCount()));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Decoder>> Decoder::Create(const ModelConfig& config, const TensorReader& weights,
                                                         const DecoderOptions& options) {
  RETURN_IF_ERROR(config.Validate());
  const int threads = std::clamp(options.threads, 1, 256);
  return options.precision == DecoderOptions::Precision::kF32 ? CreateAs<float>(config, weights, threads)
                                                              : CreateAs<Bf16>(config, weights, threads);
}

absl::StatusOr<std::unique_ptr<Decoder>> Decoder::Load(const std::string& path, const DecoderOptions& options) {
  ASSIGN_OR_RETURN(const OpenedModel model, OpenModel(path));
  return Create(model.config, ReaderOf(*model.weights), options);
}

}  // namespace rhodes
