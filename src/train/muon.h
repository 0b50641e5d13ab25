// Muon (Keller Jordan, 2024): momentum whose update of a matrix is made orthogonal, for the matrices between the
// layers.
#ifndef RHODES_TRAIN_MUON_H_
#define RHODES_TRAIN_MUON_H_

#include <cstdint>
#include <span>
#include <vector>

#include "model/kernels/buffer.h"
#include "model/kernels/product.h"

namespace rhodes {

struct MuonSettings {
  float learning_rate = 0.02f;
  float momentum = 0.95f;
  float decay = 0.0f;            // of the weights, times the rate
  float gradient_factor = 1.0f;  // clipping
};

// The largest matrix that a scratch serves.
struct MatrixShape {
  int64_t rows = 0, columns = 0;
};

// Works on one matrix after another, on the calling thread. T is the products' type: Bf16 as in the published code, or
// float. Not thread-safe; one a thread.
template <typename T>
class MuonWorker {
 public:
  // Memory for the largest of `shapes`.
  explicit MuonWorker(const std::vector<MatrixShape>& shapes);

  // x [rows, columns], row-major, becomes about U·Vᵀ of its singular value decomposition U·S·Vᵀ: five steps of a
  // Newton-Schulz iteration with the published coefficients, which bring every singular value that is not tiny into
  // about [0.7, 1.2].
  void Orthogonalize(std::span<float> x, MatrixShape shape);

  // One step, in the order of operations of torch.optim.Muon (nesterov, adjust_lr_fn "original"):
  //   momentum = lerp(momentum, gradient, 1 - μ);  update = orthogonal(lerp(gradient, momentum, μ))
  //   weight = weight · (1 - rate · decay) - rate · √max(1, rows / columns) · update
  // All [rows, columns]. The same bits whatever else runs.
  void Step(const MuonSettings& settings, std::span<const float> gradient, MatrixShape shape, std::span<float> weight,
            std::span<float> momentum);

  // The first error of a product since creation; results after it are void.
  const absl::Status& status() const { return products_.status(); }

  static uint64_t MemoryBytes(const std::vector<MatrixShape>& shapes);

 private:
  Products products_{1};
  Buffer<float> update_;
  Buffer<T> x_, next_;           // the matrix
  Buffer<T> gram_, polynomial_;  // [side, side], side being the smaller of rows and columns
  Buffer<float> square_;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_MUON_H_
