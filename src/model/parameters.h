// Where each weight of a model lies in one flat array, and what it is called in Hugging Face files.
#ifndef RHODES_MODEL_PARAMETERS_H_
#define RHODES_MODEL_PARAMETERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/config.h"

namespace rhodes {

// What a weight is for: optimizers treat the groups differently.
enum class ParameterKind {
  kMatrix,     // of a product inside a layer
  kRouter,     // the product that chooses experts
  kEmbedding,  // rows looked up by token; the output's product too when tied
  kHead,       // the output's product, when it has weights of its own
  kVector,     // norms' weights, biases
};

struct Parameter {
  std::string name;  // "model.layers.0.self_attn.q_proj.weight"
  int64_t rows;      // outputs; 1 for a vector
  int64_t columns;   // inputs; a vector's length
  ParameterKind kind;
  int64_t offset;  // elements from the start of the array
  bool expert;     // one of a mixture's experts: few of them take part in a token's products

  int64_t size() const { return rows * columns; }
  bool matrix() const { return kind != ParameterKind::kVector; }
  // The first value: norms start at 1, biases at 0.
  bool bias() const { return !matrix() && name.ends_with(".bias"); }
  // As in Hugging Face's files: [rows, columns], or [columns] of a vector.
  std::vector<int64_t> shape() const {
    return matrix() ? std::vector<int64_t>{rows, columns} : std::vector<int64_t>{columns};
  }
};

// The array has the weights in the order of the forward pass. q, k, v of a layer lie one after another, as do gate and
// up (of each expert too), so that one product computes them together. Groups begin on a cache line.
class ParameterLayout {
 public:
  struct GatedLayer {  // gate and up, then down; biases -1 without
    int64_t gate_up = -1, gate_up_bias = -1, down = -1, down_bias = -1;
  };
  // Offsets; -1 for what the architecture or its options do not have.
  struct Layer {
    int64_t begin = 0;  // of all the layer's weights
    int64_t end = 0;
    int64_t attention_norm = -1, qkv = -1, qkv_bias = -1, q_norm = -1, k_norm = -1, output = -1, output_bias = -1;
    int64_t attention_post_norm = -1;  // grok2
    int64_t mlp_norm = -1;
    GatedLayer mlp;
    int64_t router = -1;              // grok2
    std::vector<GatedLayer> experts;  // grok2
    int64_t mlp_post_norm = -1;       // grok2
  };

  explicit ParameterLayout(const ModelConfig& config);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  const std::vector<Layer>& layers() const { return layers_; }
  int64_t embedding() const { return embedding_; }
  int64_t final_norm() const { return final_norm_; }
  int64_t head() const { return head_; }  // the embedding itself when tied
  int64_t size() const { return size_; }  // of the array; gaps between groups are zero and stay so
  // Weights that exist, and those of them that take part in a matrix product of a token (the tied embedding does, as
  // the head; an untied one does not; of a mixture's experts as many as are chosen).
  int64_t count() const;
  int64_t product_count() const;

 private:
  int64_t Add(std::string name, int64_t rows, int64_t columns, ParameterKind kind, bool expert = false);
  int64_t AddVector(std::string name, int64_t size);
  void StartGroup();
  void AddAttention(const ModelConfig& config, const std::string& prefix, Layer& layer);
  void AddLlamaLayer(const ModelConfig& config, const std::string& prefix, Layer& layer);
  void AddGrok2Layer(const ModelConfig& config, const std::string& prefix, Layer& layer);

  std::vector<Parameter> parameters_;
  std::vector<Layer> layers_;
  int64_t embedding_ = 0, final_norm_ = 0, head_ = 0, size_ = 0;
  bool tied_;
  int64_t experts_, experts_per_token_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_PARAMETERS_H_
