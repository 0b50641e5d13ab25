#include "model/reference_forward.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "base/file.h"
#include "model/layers/rotary.h"
#include "model/parameters.h"

namespace rhodes {
namespace {

using Values = std::vector<double>;

Values Times(const Values& matrix, const Values& x) {
  Values out(matrix.size() / x.size());
  for (size_t row = 0; row < out.size(); ++row) {
    for (size_t i = 0; i < x.size(); ++i) out[row] += matrix[row * x.size() + i] * x[i];
  }
  return out;
}

void Add(Values& x, const Values& y, double factor = 1.0) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += factor * y[i];
}

double Cap(double x, double cap) { return cap > 0 ? cap * std::tanh(x / cap) : x; }

// One layer's (or the model's) weights and the config, as functions of rows.
class Plain {
 public:
  Plain(const ModelConfig& config, const NamedWeights& weights) : config_(config), weights_(weights) {}

  Values Logits(std::span<const uint32_t> tokens) const {
    const size_t width = static_cast<size_t>(config_.hidden_size);
    const Values& embedding = weights_.at("model.embed_tokens.weight");
    std::vector<Values> x;
    for (const uint32_t token : tokens) {
      Values& row = x.emplace_back(embedding.begin() + static_cast<int64_t>(token * width),
                                   embedding.begin() + static_cast<int64_t>((token + 1) * width));
      for (double& value : row) value *= config_.embedding_multiplier;
    }
    for (int64_t layer = 0; layer < config_.layers; ++layer) Layer(layer, x);
    Values logits;
    for (const Values& row : x) {
      const Values& head = config_.tie_embeddings ? embedding : weights_.at("lm_head.weight");
      for (const double logit : Times(head, Norm(row, weights_.at("model.norm.weight")))) {
        logits.push_back(Cap(logit * config_.output_multiplier, config_.final_cap));
      }
    }
    return logits;
  }

  // Of the tokens that Logits was called with: their number times the mean over layers of the routers' losses.
  double RouterLoss(const RouterCoefficients& coefficients) const {
    double sum = 0;
    for (const auto& [prefix, layer] : routed_) {
      const double count = static_cast<double>(layer.rows);
      for (size_t e = 0; e < layer.choices.size(); ++e) {
        sum += coefficients.aux * static_cast<double>(layer.choices.size()) * layer.choices[e] *
               layer.probabilities[e] / count;
      }
      sum += coefficients.z * layer.squares;
    }
    return sum / static_cast<double>(config_.layers);
  }

 private:
  struct Routed {  // sums over the rows of a layer
    int64_t rows = 0;
    Values choices, probabilities;
    double squares = 0;  // of ln Σ exp(logit)
  };

  bool grok2() const { return config_.architecture == Architecture::kGrok2; }

  Values Norm(const Values& x, const Values& weight) const {
    double sum = 0;
    for (const double value : x) sum += value * value;
    const double factor = 1.0 / std::sqrt(sum / static_cast<double>(x.size()) + config_.rms_epsilon);
    Values out(x.size());
    for (size_t i = 0; i < x.size(); ++i) out[i] = x[i] * factor * weight[i];
    return out;
  }

  // W x + b, with the bias when there is one of that name.
  Values Product(const std::string& name, const Values& x) const {
    Values out = Times(weights_.at(name + ".weight"), x);
    if (const auto bias = weights_.find(name + ".bias"); bias != weights_.end()) Add(out, bias->second);
    return out;
  }

  // Queries or keys of a row: their norm, then their rotary position.
  Values Turn(Values heads, const std::string& norm, size_t position) const {
    const size_t dim = static_cast<size_t>(config_.head_dim);
    const std::vector<double> frequencies = RotaryFrequencies(config_);
    const RopeScaling& scaling = config_.rope_scaling;
    const double size = scaling.kind == RopeScaling::Kind::kYarn ? scaling.attention_factor : 1.0;
    for (size_t head = 0; head < heads.size(); head += dim) {
      Values own(heads.begin() + static_cast<int64_t>(head), heads.begin() + static_cast<int64_t>(head + dim));
      if (config_.qk_norm) own = Norm(own, weights_.at(norm));
      for (size_t i = 0; i < dim / 2; ++i) {
        const double angle = static_cast<double>(position) * frequencies[i];
        const double a = own[i];
        const double b = own[i + dim / 2];
        heads[head + i] = size * (a * std::cos(angle) - b * std::sin(angle));
        heads[head + i + dim / 2] = size * (b * std::cos(angle) + a * std::sin(angle));
      }
    }
    return heads;
  }

  // The last row of keys and values is that of the query.
  Values Attend(const Values& query, const std::vector<Values>& keys, const std::vector<Values>& values,
                int64_t window) const {
    const size_t dim = static_cast<size_t>(config_.head_dim);
    const size_t group = static_cast<size_t>(config_.heads / config_.kv_heads);
    const size_t positions = keys.size();
    const size_t first =
        window > 0 && positions > static_cast<size_t>(window) ? positions - static_cast<size_t>(window) : 0;
    Values out(query.size());
    for (size_t head = 0; head < static_cast<size_t>(config_.heads); ++head) {
      const size_t offset = head / group * dim;
      Values scores(positions);
      double sum = 0;
      for (size_t t = first; t < positions; ++t) {
        double score = 0;
        for (size_t i = 0; i < dim; ++i) score += query[head * dim + i] * keys[t][offset + i];
        scores[t] = std::exp(Cap(score / std::sqrt(static_cast<double>(dim)), config_.attention_cap));
        sum += scores[t];
      }
      for (size_t t = first; t < positions; ++t) {
        for (size_t i = 0; i < dim; ++i) out[head * dim + i] += scores[t] / sum * values[t][offset + i];
      }
    }
    return out;
  }

  Values Gated(const std::string& gate, const std::string& up, const std::string& down, const Values& x) const {
    Values g = Product(gate, x);
    const Values u = Product(up, x);
    for (size_t i = 0; i < g.size(); ++i) {
      const double inner = std::sqrt(2 / M_PI) * (g[i] + 0.044715 * g[i] * g[i] * g[i]);
      g[i] = (grok2() ? 0.5 * g[i] * (1 + std::tanh(inner)) : g[i] / (1 + std::exp(-g[i]))) * u[i];
    }
    return Product(down, g);
  }

  Values Mixture(const std::string& prefix, const Values& x) const {
    Values p = Product(prefix + "gate", x);
    double sum = 0;
    for (double& value : p) sum += value = std::exp(Cap(value, config_.ComputedRouterCap()));
    std::vector<size_t> order(p.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] > p[b]; });
    order.resize(static_cast<size_t>(config_.experts_per_token));
    Routed& routed = routed_[prefix];
    ++routed.rows;
    routed.choices.resize(p.size());
    routed.probabilities.resize(p.size());
    for (const size_t e : order) ++routed.choices[e];
    for (size_t e = 0; e < p.size(); ++e) routed.probabilities[e] += p[e] / sum;
    routed.squares += std::log(sum) * std::log(sum);
    if (config_.RenormalizesExperts()) {
      sum = 0;
      for (const size_t e : order) sum += p[e];
    }
    Values out(x.size());
    for (const size_t e : order) {
      const std::string own = fmt::format("{}experts.{}.", prefix, e);
      Add(out, Gated(own + "w1", own + "w3", own + "w2", x), p[e] / sum);
    }
    return out;
  }

  Values FeedForward(const std::string& prefix, const Values& x) const {
    Values out = Gated(prefix + "mlp.gate_proj", prefix + "mlp.up_proj", prefix + "mlp.down_proj", x);
    if (!grok2()) return out;
    Add(out, Mixture(prefix + "block_sparse_moe.", x));
    for (double& value : out) value /= std::sqrt(2.0);
    return Norm(out, weights_.at(prefix + "post_moe_norm.weight"));
  }

  void Layer(int64_t layer, std::vector<Values>& x) const {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    const std::string own = prefix + "self_attn.";
    const Values& before_attention = weights_.at(prefix + (grok2() ? "pre_attn_norm" : "input_layernorm") + ".weight");
    const Values& before_mlp =
        weights_.at(prefix + (grok2() ? "pre_moe_norm" : "post_attention_layernorm") + ".weight");
    std::vector<Values> keys, values;
    for (size_t t = 0; t < x.size(); ++t) {
      const Values normed = Norm(x[t], before_attention);
      keys.push_back(Turn(Product(own + "k_proj", normed), own + "k_norm.weight", t));
      values.push_back(Product(own + "v_proj", normed));
      const Values query = Turn(Product(own + "q_proj", normed), own + "q_norm.weight", t);
      const Values result = Product(own + "o_proj", Attend(query, keys, values, config_.WindowOf(layer)));
      Add(x[t], grok2() ? Norm(result, weights_.at(prefix + "post_attn_norm.weight")) : result);
      Add(x[t], FeedForward(prefix, Norm(x[t], before_mlp)));
    }
  }

  const ModelConfig& config_;
  const NamedWeights& weights_;
  mutable std::map<std::string, Routed> routed_;
};

}  // namespace

NamedWeights RandomWeights(const ModelConfig& config, uint64_t seed) {
  std::mt19937_64 random(seed);
  // Not std::normal_distribution: its values are the library's choice.
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53 * 2.0 - 1.0; };
  NamedWeights weights;
  const ParameterLayout layout(config);
  for (const Parameter& parameter : layout.parameters()) {
    Values& values = weights[parameter.name];
    values.resize(static_cast<size_t>(parameter.size()));
    const double spread = parameter.matrix() ? 2.0 / std::sqrt(static_cast<double>(parameter.columns)) : 0.3;
    const double middle = parameter.matrix() || parameter.bias() ? 0.0 : 1.0;
    for (double& value : values) value = static_cast<float>(middle + spread * uniform());
  }
  return weights;
}

absl::Status WriteModel(const std::string& directory, const ModelConfig& config, const NamedWeights& weights) {
  RETURN_IF_ERROR(CreateDirectories(directory));
  std::map<std::string, std::vector<float>> narrow;
  std::vector<NamedTensor> tensors;
  const ParameterLayout layout(config);
  for (const Parameter& parameter : layout.parameters()) {
    const Values& wide = weights.at(parameter.name);
    std::vector<float>& values = narrow[parameter.name];
    values.assign(wide.begin(), wide.end());
    const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    tensors.push_back({parameter.name, {DType::kF32, parameter.shape(), bytes}});
  }
  RETURN_IF_ERROR(WriteFileAtomically(directory + "/config.json", DumpJson(config.ToJson(), 2)));
  return WriteSafetensors(directory + "/model.safetensors", std::move(tensors), {{"format", "pt"}});
}

std::vector<double> ReferenceLogits(const ModelConfig& config, const NamedWeights& weights,
                                    std::span<const uint32_t> tokens) {
  return Plain(config, weights).Logits(tokens);
}

double ReferenceLoss(const ModelConfig& config, const NamedWeights& weights, std::span<const uint32_t> tokens,
                     std::span<const uint32_t> targets, const RouterCoefficients& coefficients) {
  const Plain model(config, weights);
  const Values logits = model.Logits(tokens);
  const size_t classes = static_cast<size_t>(config.vocabulary_size);
  double loss = 0;
  for (size_t t = 0; t < tokens.size(); ++t) {
    const auto row = std::span(logits).subspan(t * classes, classes);
    const double maximum = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (const double logit : row) sum += std::exp(logit - maximum);
    loss += std::log(sum) + maximum - row[targets[t]];
  }
  return loss + (config.experts > 0 ? model.RouterLoss(coefficients) : 0);
}

}  // namespace rhodes
