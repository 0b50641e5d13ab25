#include "infer/decoder.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "infer/kernels.h"
#include "infer/worker_pool.h"
#include "model/kernels/buffer.h"
#include "model/kernels/product.h"

namespace rhodes {
namespace {

constexpr int64_t kOutputBlock = 128;   // outputs of a product that one task computes: fixed, so that results are
constexpr int64_t kPositionGrain = 64;  // caches are whole multiples: padded keys keep oneDNN's shapes few
constexpr int64_t kQueryBlock = 64;     // rows of a prefill whose attention one task computes
constexpr int64_t kManyRows = 16;       // from here on a prefill's products go to oneDNN

int64_t RoundUp(int64_t value, int64_t grain) { return (value + grain - 1) / grain * grain; }

// A weight matrix [rows, columns], rows padded to `stride`.
template <typename T>
struct Packed {
  int64_t rows = 0, columns = 0, stride = 0;
  Buffer<T> data;

  Packed() = default;
  Packed(int64_t row_count, int64_t column_count)
      : rows(row_count), columns(column_count), stride(PaddedColumns(column_count)), data(row_count * stride) {}
};

template <typename T>
struct LayerWeights {
  Buffer<float> attention_norm, mlp_norm;
  Packed<T> qkv, output, gate_up, down;
};

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
class LlamaDecoder final : public Decoder {
 public:
  // May throw std::bad_alloc.
  LlamaDecoder(const ModelConfig& config, int threads)
      : config_(config),
        kernels_(FastInferKernels<T>()),
        many_rows_fast_(sizeof(T) == sizeof(float) || NativeComputeType() == ComputeType::kBf16),
        pool_(threads),
        scale_(1.0f / std::sqrt(static_cast<float>(config.head_dim))) {
    for (int i = 0; i < pool_.threads(); ++i) scratch_.emplace_back();
    const int64_t query = config.query_width();
    x_ = Buffer<float>(kRows * config.hidden_size);
    normed_ = Buffer<float>(kRows * config.hidden_size);
    qkv_ = Buffer<float>(kRows * (query + 2 * config.kv_width()));
    attended_ = Buffer<float>(kRows * query);
    gate_up_ = Buffer<float>(kRows * 2 * config.intermediate_size);
    inner_ = Buffer<float>(kRows * config.intermediate_size);
    const int64_t widest = PaddedColumns(std::max({config.hidden_size, query, config.intermediate_size}));
    arranged_ = Buffer<float>(kRows * widest);
    low_ = Buffer<T>(kRows * widest);
    queries_ = Buffer<T>(kRows * query);
    BuildRotaryTables();
  }

  absl::Status ReadWeights(const SafetensorsFile& file);

  const ModelConfig& config() const override { return config_; }
  uint64_t weight_bytes() const override { return weight_bytes_; }
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

  void BuildRotaryTables();
  absl::Status ReadMatrix(const SafetensorsFile& file, const std::string& name, int64_t rows, int64_t columns,
                          Packed<T>& into, int64_t first_row);
  absl::Status ReadVector(const SafetensorsFile& file, const std::string& name, Buffer<float>& into);
  absl::Status CheckRow(const SequenceCache& cache, int64_t tokens) const;
  absl::Status Embed(std::span<const TokenId> tokens);
  // From x_ of `rows_` through all layers.
  void Layers(bool prefill);
  void Norm(const Buffer<float>& weight);
  // y[rows, w.rows] = x[rows, w.columns]·wᵀ, or adds.
  void Multiply(const Packed<T>& w, const float* x, int64_t rows, float* y, bool add, bool prefill);
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
  uint64_t weight_bytes_ = 0;
  Packed<T> embedding_, head_;
  Buffer<float> final_norm_;
  std::vector<LayerWeights<T>> layers_;
  Buffer<float> cosine_, sine_;  // [max_positions, head_dim / 2]

  std::vector<Scratch> scratch_;
  std::vector<Row> rows_;
  Buffer<float> x_, normed_, qkv_, attended_, gate_up_, inner_;  // activations [rows, ...]
  Buffer<float> arranged_;                                       // a product's operand for our kernels,
  Buffer<T> low_;                                                // or for oneDNN
  Buffer<T> queries_;
};

template <typename T>
void LlamaDecoder<T>::BuildRotaryTables() {
  const int64_t half = config_.head_dim / 2;
  cosine_ = Buffer<float>(config_.max_positions * half);
  sine_ = Buffer<float>(config_.max_positions * half);
  for (int64_t i = 0; i < half; ++i) {
    const double frequency =
        std::pow(config_.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(config_.head_dim));
    for (int64_t position = 0; position < config_.max_positions; ++position) {
      const double angle = static_cast<double>(position) * frequency;
      cosine_[position * half + i] = static_cast<float>(std::cos(angle));
      sine_[position * half + i] = static_cast<float>(std::sin(angle));
    }
  }
}

template <typename T>
absl::Status LlamaDecoder<T>::ReadMatrix(const SafetensorsFile& file, const std::string& name, int64_t rows,
                                         int64_t columns, Packed<T>& into, int64_t first_row) {
  ASSIGN_OR_RETURN(const TensorView tensor, file.Get(name, {rows, columns}));
  std::vector<float> values(static_cast<size_t>(rows * columns));
  RETURN_IF_ERROR(Annotate(ReadAsFloat(tensor, values), name));
  for (int64_t r = 0; r < rows; ++r) {
    kernels_.store(values.data() + r * columns, columns, into.data.data() + (first_row + r) * into.stride);
  }
  weight_bytes_ += static_cast<uint64_t>(rows * columns) * sizeof(T);
  return absl::OkStatus();
}

template <typename T>
absl::Status LlamaDecoder<T>::ReadVector(const SafetensorsFile& file, const std::string& name, Buffer<float>& into) {
  ASSIGN_OR_RETURN(const TensorView tensor, file.Get(name, {config_.hidden_size}));
  into = Buffer<float>(config_.hidden_size);
  return Annotate(ReadAsFloat(tensor, into.span()), name);
}

template <typename T>
absl::Status LlamaDecoder<T>::ReadWeights(const SafetensorsFile& file) {
  const int64_t width = config_.hidden_size;
  const int64_t query = config_.query_width();
  const int64_t key = config_.kv_width();
  const int64_t inner = config_.intermediate_size;
  embedding_ = Packed<T>(config_.vocabulary_size, width);
  RETURN_IF_ERROR(ReadMatrix(file, "model.embed_tokens.weight", config_.vocabulary_size, width, embedding_, 0));
  if (!config_.tie_embeddings) {
    head_ = Packed<T>(config_.vocabulary_size, width);
    RETURN_IF_ERROR(ReadMatrix(file, "lm_head.weight", config_.vocabulary_size, width, head_, 0));
  }
  RETURN_IF_ERROR(ReadVector(file, "model.norm.weight", final_norm_));
  for (int64_t i = 0; i < config_.layers; ++i) {
    const std::string prefix = fmt::format("model.layers.{}.", i);
    LayerWeights<T>& layer = layers_.emplace_back();
    layer.qkv = Packed<T>(query + 2 * key, width);
    layer.output = Packed<T>(width, query);
    layer.gate_up = Packed<T>(2 * inner, width);
    layer.down = Packed<T>(width, inner);
    RETURN_IF_ERROR(ReadVector(file, prefix + "input_layernorm.weight", layer.attention_norm));
    RETURN_IF_ERROR(ReadMatrix(file, prefix + "self_attn.q_proj.weight", query, width, layer.qkv, 0));
    RETURN_IF_ERROR(ReadMatrix(file, prefix + "self_attn.k_proj.weight", key, width, layer.qkv, query));
    RETURN_IF_ERROR(ReadMatrix(file, prefix + "self_attn.v_proj.weight", key, width, layer.qkv, query + key));
    RETURN_IF_ERROR(ReadMatrix(file, prefix + "self_attn.o_proj.weight", width, query, layer.output, 0));
    RETURN_IF_ERROR(ReadVector(file, prefix + "post_attention_layernorm.weight", layer.mlp_norm));
    RETURN_IF_ERROR(ReadMatrix(file, prefix + "mlp.gate_proj.weight", inner, width, layer.gate_up, 0));
    RETURN_IF_ERROR(ReadMatrix(file, prefix + "mlp.up_proj.weight", inner, width, layer.gate_up, inner));
    RETURN_IF_ERROR(ReadMatrix(file, prefix + "mlp.down_proj.weight", width, inner, layer.down, 0));
  }
  return absl::OkStatus();
}

template <typename T>
void LlamaDecoder<T>::Norm(const Buffer<float>& weight) {
  const int64_t width = config_.hidden_size;
  for (size_t r = 0; r < rows_.size(); ++r) {
    kernels_.rms_norm(x_.data() + r * width, weight.data(), static_cast<float>(config_.rms_epsilon), width,
                      normed_.data() + r * width);
  }
}

template <typename T>
void LlamaDecoder<T>::Multiply(const Packed<T>& w, const float* x, int64_t rows, float* y, bool add, bool prefill) {
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
}

template <typename T>
void LlamaDecoder<T>::StoreKeysAndValues(int64_t layer) {
  const int64_t dim = config_.head_dim;
  const int64_t half = dim / 2;
  const int64_t row_width = config_.query_width() + 2 * config_.kv_width();
  for (size_t r = 0; r < rows_.size(); ++r) {
    const auto [cache, position] = rows_[r];
    float* row = qkv_.data() + r * row_width;
    kernels_.rotate(row, config_.heads + config_.kv_heads, dim, cosine_.data() + position * half,
                    sine_.data() + position * half);
    for (int64_t head = 0; head < config_.kv_heads; ++head) {
      const float* key = row + config_.query_width() + head * dim;
      kernels_.store(key, dim, cache->Keys(layer, head) + position * dim);
      kernels_.store(key + config_.kv_width(), dim, cache->Values(layer, head) + position * dim);
    }
  }
}

template <typename T>
void LlamaDecoder<T>::AttendRows(int64_t layer) {
  const int64_t dim = config_.head_dim;
  const int64_t row_width = config_.query_width() + 2 * config_.kv_width();
  const int64_t group = config_.heads / config_.kv_heads;
  pool_.Run(static_cast<int64_t>(rows_.size()) * config_.heads, [&](int64_t task, int thread) {
    const int64_t r = task / config_.heads;
    const int64_t head = task % config_.heads;
    const auto [cache, position] = rows_[r];
    std::vector<float>& scores = scratch_[thread].scores;
    if (static_cast<int64_t>(scores.size()) <= position) scores.resize(RoundUp(position + 1, kPositionGrain));
    kernels_.attend(qkv_.data() + r * row_width + head * dim, cache->Keys(layer, head / group),
                    cache->Values(layer, head / group), position + 1, dim, scale_, scores.data(),
                    attended_.data() + r * config_.query_width() + head * dim);
  });
}

template <typename T>
void LlamaDecoder<T>::AttendPrefill(int64_t layer) {
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
void LlamaDecoder<T>::AttendBlock(int64_t layer, int64_t head, int64_t begin, int64_t end, Scratch& scratch) {
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
    kernels_.softmax(scratch.scores.data() + (r - begin) * columns, rows_[r].position + 1, columns, scale_,
                     scratch.probabilities.data() + (r - begin) * columns);
  }
  scratch.products.Run(rows, dim, columns, Matrix<const T>{scratch.probabilities.data(), columns},
                       Matrix<const T>{cache->Values(layer, kv_head), dim},
                       Matrix<float>{attended_.data() + begin * query + head * dim, query});
}

template <typename T>
void LlamaDecoder<T>::Layers(bool prefill) {
  const int64_t rows = static_cast<int64_t>(rows_.size());
  const int64_t inner = config_.intermediate_size;
  for (int64_t i = 0; i < config_.layers; ++i) {
    const LayerWeights<T>& layer = layers_[i];
    Norm(layer.attention_norm);
    Multiply(layer.qkv, normed_.data(), rows, qkv_.data(), false, prefill);
    StoreKeysAndValues(i);
    if (prefill && rows >= kManyRows && many_rows_fast_) {
      AttendPrefill(i);
    } else {
      AttendRows(i);
    }
    Multiply(layer.output, attended_.data(), rows, x_.data(), true, prefill);
    Norm(layer.mlp_norm);
    Multiply(layer.gate_up, normed_.data(), rows, gate_up_.data(), false, prefill);
    for (int64_t r = 0; r < rows; ++r) {
      kernels_.swi_glu(gate_up_.data() + r * 2 * inner, inner, inner_.data() + r * inner);
    }
    Multiply(layer.down, inner_.data(), rows, x_.data(), true, prefill);
  }
}

template <typename T>
absl::Status LlamaDecoder<T>::Embed(std::span<const TokenId> tokens) {
  for (size_t r = 0; r < tokens.size(); ++r) {
    if (tokens[r] >= config_.vocabulary_size) {
      return absl::InvalidArgumentError(
          fmt::format("token {} is not below the model's vocabulary of {}", tokens[r], config_.vocabulary_size));
    }
    kernels_.load(embedding_.data.data() + tokens[r] * embedding_.stride, config_.hidden_size,
                  x_.data() + r * config_.hidden_size);
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status LlamaDecoder<T>::CheckRow(const SequenceCache& cache, int64_t tokens) const {
  if (cache.length() + tokens > std::min(cache.capacity(), config_.max_positions)) {
    return absl::InvalidArgumentError(fmt::format("{} tokens after {} do not fit a cache of {} and a context of {}",
                                                  tokens, cache.length(), cache.capacity(), config_.max_positions));
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status LlamaDecoder<T>::ProductStatus() const {
  for (const Scratch& scratch : scratch_) RETURN_IF_ERROR(scratch.products.status());
  return absl::OkStatus();
}

template <typename T>
absl::Status LlamaDecoder<T>::Prefill(SequenceCache& base, std::span<const TokenId> tokens, std::span<float> logits) {
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
    Norm(final_norm_);
    const Packed<T>& head = config_.tie_embeddings ? embedding_ : head_;
    const float* last = normed_.data() + (count - logit_rows) * config_.hidden_size;
    // Rounding all rows up to 16 would write beyond `logits`: our own kernel takes any number.
    Multiply(head, last, logit_rows, logits.data(), false, false);
  }
  return ProductStatus();
}

template <typename T>
absl::Status LlamaDecoder<T>::Decode(std::span<SequenceCache* const> caches, std::span<const TokenId> tokens,
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
  Norm(final_norm_);
  Multiply(config_.tie_embeddings ? embedding_ : head_, normed_.data(), count, logits.data(), false, false);
  return absl::OkStatus();
}

template <typename T>
absl::StatusOr<std::unique_ptr<Decoder>> CreateAs(const ModelConfig& config, const SafetensorsFile& weights,
                                                  int threads) {
  try {
    auto decoder = std::make_unique<LlamaDecoder<T>>(config, threads);
    RETURN_IF_ERROR(decoder->ReadWeights(weights));
    return decoder;
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(fmt::format("no memory for a model of {} weights", config.ParameterCount()));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Decoder>> Decoder::Create(const ModelConfig& config, const SafetensorsFile& weights,
                                                         const DecoderOptions& options) {
  RETURN_IF_ERROR(config.Validate());
  const int threads = std::clamp(options.threads, 1, 256);
  return options.precision == DecoderOptions::Precision::kF32 ? CreateAs<float>(config, weights, threads)
                                                              : CreateAs<Bf16>(config, weights, threads);
}

absl::StatusOr<std::unique_ptr<Decoder>> Decoder::Load(const std::string& directory, const DecoderOptions& options) {
  ASSIGN_OR_RETURN(const ModelConfig config, ModelConfig::Load(directory + "/config.json"));
  ASSIGN_OR_RETURN(const SafetensorsFile weights, SafetensorsFile::Open(directory + "/model.safetensors"));
  return Create(config, weights, options);
}

}  // namespace rhodes
