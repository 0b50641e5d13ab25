#include "train/muon.h"

#include <algorithm>
#include <cmath>

#include "model/kernels/elementwise.h"

namespace rhodes {
namespace {

// Of the quintic a·x + b·x³ + c·x⁵; chosen by its author for the steepest slope at zero, so that small singular values
// grow fast, at the price of not converging to exactly one.
constexpr float kA = 3.4445f, kB = -4.7750f, kC = 2.0315f;
constexpr int kSteps = 5;
constexpr float kTiny = 1e-7f;  // least norm that is divided by

int64_t MostElements(const std::vector<MatrixShape>& shapes) {
  int64_t most = 0;
  for (const MatrixShape& shape : shapes) most = std::max(most, shape.rows * shape.columns);
  return most;
}

int64_t MostSide(const std::vector<MatrixShape>& shapes) {
  int64_t most = 0;
  for (const MatrixShape& shape : shapes) most = std::max(most, std::min(shape.rows, shape.columns));
  return most;
}

}  // namespace

template <typename T>
MuonWorker<T>::MuonWorker(const std::vector<MatrixShape>& shapes)
    : update_(MostElements(shapes)),
      x_(MostElements(shapes)),
      next_(MostElements(shapes)),
      gram_(MostSide(shapes) * MostSide(shapes)),
      polynomial_(gram_.size()),
      square_(gram_.size()) {}

template <typename T>
uint64_t MuonWorker<T>::MemoryBytes(const std::vector<MatrixShape>& shapes) {
  const uint64_t matrix = static_cast<uint64_t>(MostElements(shapes));
  const uint64_t side = static_cast<uint64_t>(MostSide(shapes));
  return matrix * (sizeof(float) + 2 * sizeof(T)) + side * side * (sizeof(float) + 2 * sizeof(T));
}

// The iteration keeps the singular vectors, so it may run on whichever side is smaller: with A = X·Xᵀ (or Xᵀ·X) each
// step is X ← (a·I + b·A + c·A²)·X (or X·(...)), three products and one pass over the small square.
template <typename T>
void MuonWorker<T>::Orthogonalize(std::span<float> x, MatrixShape shape) {
  const auto [rows, columns] = shape;
  const bool wide = rows <= columns;
  const int64_t side = std::min(rows, columns);
  const Elementwise<T>& fast = FastElementwise<T>();
  const float norm = static_cast<float>(std::sqrt(fast.sum_of_squares(x.data(), rows * columns)));
  const float factor = 1.0f / std::max(norm, kTiny);
  for (float& value : x) value *= factor;
  fast.store_rows(x.data(), nullptr, 1, rows * columns, rows * columns, x_.data());
  for (int step = 0; step < kSteps; ++step) {
    const Matrix<const T> plain{x_.data(), columns}, transposed{x_.data(), columns, true};
    const Matrix<const T> gram{gram_.data(), side};
    if (wide) {
      products_.Run(side, side, columns, plain, transposed, Matrix<T>{gram_.data(), side});
    } else {
      products_.Run(side, side, rows, transposed, plain, Matrix<T>{gram_.data(), side});
    }
    products_.Run(side, side, side, gram, gram, Matrix<float>{square_.data(), side});
    for (int64_t i = 0; i < side * side; ++i) square_[i] = kC * square_[i] + kB * ToFloat(gram_[i]);
    for (int64_t i = 0; i < side; ++i) square_[i * side + i] += kA;
    fast.store_rows(square_.data(), nullptr, 1, side * side, side * side, polynomial_.data());
    const Matrix<const T> polynomial{polynomial_.data(), side};
    const Matrix<T> next{next_.data(), columns};
    if (wide) {
      products_.Run(rows, columns, side, polynomial, plain, next);
    } else {
      products_.Run(rows, columns, side, plain, polynomial, next);
    }
    std::swap(x_, next_);
  }
  for (size_t i = 0; i < x.size(); ++i) x[i] = ToFloat(x_[i]);
}

template <typename T>
void MuonWorker<T>::Step(const MuonSettings& settings, std::span<const float> gradient, MatrixShape shape,
                         std::span<float> weight, std::span<float> momentum) {
  const size_t count = static_cast<size_t>(shape.rows * shape.columns);
  const std::span<float> update = update_.span().first(count);
  for (size_t i = 0; i < count; ++i) {
    const float g = gradient[i] * settings.gradient_factor;
    momentum[i] += (1.0f - settings.momentum) * (g - momentum[i]);
    update[i] = g + settings.momentum * (momentum[i] - g);
  }
  Orthogonalize(update, shape);
  const float keep = 1.0f - settings.learning_rate * settings.decay;
  const float ratio = static_cast<float>(shape.rows) / static_cast<float>(shape.columns);
  const float rate = settings.learning_rate * std::sqrt(std::max(1.0f, ratio));
  for (size_t i = 0; i < count; ++i) weight[i] = weight[i] * keep - rate * update[i];
}

template class MuonWorker<float>;
template class MuonWorker<Bf16>;

}  // namespace rhodes
