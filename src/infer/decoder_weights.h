// A decoder's weights in the order that its products read them.
#ifndef RHODES_INFER_DECODER_WEIGHTS_H_
#define RHODES_INFER_DECODER_WEIGHTS_H_

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "infer/kernels.h"
#include "model/config.h"
#include "model/kernels/buffer.h"
#include "model/model_files.h"

namespace rhodes {

// A weight matrix [rows, columns], rows padded to `stride`, and the bias [rows] when there is one.
template <typename T>
struct Packed {
  int64_t rows = 0, columns = 0, stride = 0;
  Buffer<T> data;
  Buffer<float> bias;

  Packed() = default;
  Packed(int64_t row_count, int64_t column_count)
      : rows(row_count), columns(column_count), stride(PaddedColumns(column_count)), data(row_count * stride) {}
};

template <typename T>
struct GatedWeights {
  Packed<T> gate_up;  // [2 · inner, C]
  Packed<T> down;     // [C, inner]
};

// Empty where the architecture or its options have none.
template <typename T>
struct DecoderLayer {
  Buffer<float> attention_norm, attention_post_norm, mlp_norm, mlp_post_norm;
  Buffer<float> q_norm, k_norm;
  Packed<T> qkv, output;
  GatedWeights<T> mlp;
  Packed<T> router;
  std::vector<GatedWeights<T>> experts;
};

// T is the storage type (float or Bf16).
template <typename T>
struct DecoderWeights {
  // Errors are those of `read`. May throw std::bad_alloc.
  static absl::StatusOr<DecoderWeights> Read(const ModelConfig& config, const TensorReader& read);

  Packed<T> embedding;
  Packed<T> head;  // empty when tied
  Buffer<float> final_norm;
  std::vector<DecoderLayer<T>> layers;
  uint64_t bytes = 0;  // of the matrices, without padding
};

}  // namespace rhodes

#endif  // RHODES_INFER_DECODER_WEIGHTS_H_
