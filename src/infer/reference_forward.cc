#include "infer/reference_forward.h"

#include <cmath>
#include <random>

namespace rhodes {
namespace {

using Values = std::vector<double>;

Values Norm(const Values& x, const std::vector<float>& weight, double epsilon) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  const double factor = 1.0 / std::sqrt(sum / static_cast<double>(x.size()) + epsilon);
  Values out(x.size());
  for (size_t i = 0; i < x.size(); ++i) out[i] = x[i] * factor * static_cast<double>(weight[i]);
  return out;
}

Values Times(const std::vector<float>& matrix, const Values& x) {
  Values out(matrix.size() / x.size());
  for (size_t row = 0; row < out.size(); ++row) {
    for (size_t i = 0; i < x.size(); ++i) out[row] += static_cast<double>(matrix[row * x.size() + i]) * x[i];
  }
  return out;
}

void Add(Values& x, const Values& y) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

void Rotate(Values& heads, size_t dim, size_t position, double theta) {
  for (size_t head = 0; head < heads.size(); head += dim) {
    for (size_t i = 0; i < dim / 2; ++i) {
      const double angle =
          static_cast<double>(position) * std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(dim));
      const double a = heads[head + i];
      const double b = heads[head + i + dim / 2];
      heads[head + i] = a * std::cos(angle) - b * std::sin(angle);
      heads[head + i + dim / 2] = b * std::cos(angle) + a * std::sin(angle);
    }
  }
}

// One query row over the keys and values of the positions up to its own.
Values Attend(const ModelConfig& config, const Values& query, const std::vector<Values>& keys,
              const std::vector<Values>& values, size_t positions) {
  const size_t dim = static_cast<size_t>(config.head_dim);
  const size_t group = static_cast<size_t>(config.heads / config.kv_heads);
  Values out(query.size());
  for (size_t head = 0; head < static_cast<size_t>(config.heads); ++head) {
    const size_t offset = head / group * dim;
    Values scores(positions);
    double sum = 0;
    for (size_t t = 0; t < positions; ++t) {
      double score = 0;
      for (size_t i = 0; i < dim; ++i) score += query[head * dim + i] * keys[t][offset + i];
      scores[t] = std::exp(score / std::sqrt(static_cast<double>(dim)));
      sum += scores[t];
    }
    for (size_t t = 0; t < positions; ++t) {
      for (size_t i = 0; i < dim; ++i) out[head * dim + i] += scores[t] / sum * values[t][offset + i];
    }
  }
  return out;
}

Values SwiGlu(const Values& gate, const Values& up) {
  Values out(gate.size());
  for (size_t i = 0; i < gate.size(); ++i) out[i] = gate[i] / (1.0 + std::exp(-gate[i])) * up[i];
  return out;
}

struct Shape {
  std::string name;
  int64_t rows, columns;  // rows 0: a vector
};

std::vector<Shape> Shapes(const ModelConfig& config) {
  const int64_t width = config.hidden_size;
  std::vector<Shape> shapes = {{"model.embed_tokens.weight", config.vocabulary_size, width},
                               {"model.norm.weight", 0, width}};
  if (!config.tie_embeddings) shapes.push_back({"lm_head.weight", config.vocabulary_size, width});
  for (int64_t i = 0; i < config.layers; ++i) {
    const std::string prefix = fmt::format("model.layers.{}.", i);
    shapes.push_back({prefix + "input_layernorm.weight", 0, width});
    shapes.push_back({prefix + "post_attention_layernorm.weight", 0, width});
    shapes.push_back({prefix + "self_attn.q_proj.weight", config.query_width(), width});
    shapes.push_back({prefix + "self_attn.k_proj.weight", config.kv_width(), width});
    shapes.push_back({prefix + "self_attn.v_proj.weight", config.kv_width(), width});
    shapes.push_back({prefix + "self_attn.o_proj.weight", width, config.query_width()});
    shapes.push_back({prefix + "mlp.gate_proj.weight", config.intermediate_size, width});
    shapes.push_back({prefix + "mlp.up_proj.weight", config.intermediate_size, width});
    shapes.push_back({prefix + "mlp.down_proj.weight", width, config.intermediate_size});
  }
  return shapes;
}

}  // namespace

NamedWeights RandomWeights(const ModelConfig& config, uint64_t seed) {
  std::mt19937_64 random(seed);
  // Not std::normal_distribution: its values are the library's choice.
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53 * 2.0 - 1.0; };
  NamedWeights weights;
  for (const Shape& shape : Shapes(config)) {
    std::vector<float>& values = weights[shape.name];
    values.resize(static_cast<size_t>((shape.rows > 0 ? shape.rows : 1) * shape.columns));
    const double spread = shape.rows > 0 ? 2.0 / std::sqrt(static_cast<double>(shape.columns)) : 0.3;
    for (float& value : values) value = static_cast<float>((shape.rows > 0 ? 0.0 : 1.0) + spread * uniform());
  }
  return weights;
}

absl::Status WriteModel(const std::string& directory, const ModelConfig& config, const NamedWeights& weights) {
  RETURN_IF_ERROR(CreateDirectories(directory));
  std::vector<NamedTensor> tensors;
  for (const Shape& shape : Shapes(config)) {
    const std::vector<float>& values = weights.at(shape.name);
    TensorView view;
    view.dtype = DType::kF32;
    if (shape.rows > 0) view.shape.push_back(shape.rows);
    view.shape.push_back(shape.columns);
    view.bytes = {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
    tensors.push_back({shape.name, std::move(view)});
  }
  RETURN_IF_ERROR(WriteFileAtomically(directory + "/config.json", DumpJson(config.ToJson(), 2)));
  return WriteSafetensors(directory + "/model.safetensors", std::move(tensors), {{"format", "pt"}});
}

std::vector<double> ReferenceLogits(const ModelConfig& config, const NamedWeights& weights,
                                    std::span<const uint32_t> tokens) {
  const size_t width = static_cast<size_t>(config.hidden_size);
  const std::vector<float>& embedding = weights.at("model.embed_tokens.weight");
  std::vector<Values> x;
  for (const uint32_t token : tokens) {
    x.emplace_back(embedding.begin() + static_cast<int64_t>(token * width),
                   embedding.begin() + static_cast<int64_t>((token + 1) * width));
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const auto weight = [&](const char* name) -> const std::vector<float>& {
      return weights.at(fmt::format("model.layers.{}.{}.weight", layer, name));
    };
    std::vector<Values> keys, values;
    for (size_t t = 0; t < x.size(); ++t) {
      const Values normed = Norm(x[t], weight("input_layernorm"), config.rms_epsilon);
      keys.push_back(Times(weight("self_attn.k_proj"), normed));
      values.push_back(Times(weight("self_attn.v_proj"), normed));
      Rotate(keys.back(), static_cast<size_t>(config.head_dim), t, config.rope_theta);
      Values query = Times(weight("self_attn.q_proj"), normed);
      Rotate(query, static_cast<size_t>(config.head_dim), t, config.rope_theta);
      Add(x[t], Times(weight("self_attn.o_proj"), Attend(config, query, keys, values, t + 1)));
      const Values inner = Norm(x[t], weight("post_attention_layernorm"), config.rms_epsilon);
      Add(x[t], Times(weight("mlp.down_proj"),
                      SwiGlu(Times(weight("mlp.gate_proj"), inner), Times(weight("mlp.up_proj"), inner))));
    }
  }
  std::vector<double> logits;
  for (const Values& row : x) {
    const Values out = Times(config.tie_embeddings ? embedding : weights.at("lm_head.weight"),
                             Norm(row, weights.at("model.norm.weight"), config.rms_epsilon));
    logits.insert(logits.end(), out.begin(), out.end());
  }
  return logits;
}

}  // namespace rhodes
