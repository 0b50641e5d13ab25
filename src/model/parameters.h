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

  int64_t size() const { return rows * columns; }
  bool matrix() const { return kind != ParameterKind::kVector; }
  // As in Hugging Face's files: [rows, columns], or [columns] of a vector.
  std::vector<int64_t> shape() const {
    return matrix() ? std::vector<int64_t>{rows, columns} : std::vector<int64_t>{columns};
  }
};

// The array has the weights in the order of the forward pass. q, k, v of a layer lie one after another, as do gate and
// up, so that one product computes them together. Groups begin on a cache line.
class ParameterLayout {
 public:
  struct Layer {
    int64_t attention_norm, qkv, output, mlp_norm, gate_up, down;  // offsets
  };

  explicit ParameterLayout(const ModelConfig& config);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  const std::vector<Layer>& layers() const { return layers_; }
  int64_t embedding() const { return embedding_; }
  int64_t final_norm() const { return final_norm_; }
  int64_t head() const { return head_; }  // the embedding itself when tied
  int64_t size() const { return size_; }  // of the array; gaps between groups are zero and stay so
  // Weights that exist, and those of them that take part in a matrix product (the tied embedding does, as the head; an
  // untied one does not).
  int64_t count() const;
  int64_t product_count() const;

 private:
  int64_t Add(std::string name, int64_t rows, int64_t columns, ParameterKind kind);
  void StartGroup();

  std::vector<Parameter> parameters_;
  std::vector<Layer> layers_;
  int64_t embedding_ = 0, final_norm_ = 0, head_ = 0, size_ = 0;
  bool tied_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_PARAMETERS_H_
