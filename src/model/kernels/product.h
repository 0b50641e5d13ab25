// Matrix products on oneDNN, with the primitives made once for each shape.
#ifndef RHODES_MODEL_KERNELS_PRODUCT_H_
#define RHODES_MODEL_KERNELS_PRODUCT_H_

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "model/kernels/bfloat16.h"

namespace rhodes {

// Number formats of a model's products; the sums are f32 in both.
enum class ComputeType { kF32, kBf16 };

// kBf16 where the processor multiplies bf16 natively (AMX or AVX-512 BF16), else kF32: without, bf16 products work but
// are slower than f32 ones, because oneDNN emulates them (AVX-512) or has none and they are widened here (AVX2).
ComputeType NativeComputeType();
// Instruction set that oneDNN dispatches to, for reports: "avx512_core_amx".
const char* InstructionSetName();

// A row-major operand: `leading` is the distance between rows in elements. Transposed: the product uses its transpose.
template <typename T>
struct Matrix {
  T* data;
  int64_t leading;
  bool transposed = false;
};

// Runs C[m, n] = A[m, k] · B[k, n], or adds to C. Accumulates in f32. One object serves one calling thread: with
// `threads` > 1 each product is spread over an OpenMP team of that size; with 1 it runs on the calling thread, also
// inside a parallel region. Same shape, same operands, same threads: same bits.
class Products {
 public:
  explicit Products(int threads);
  ~Products();
  Products(Products&&) noexcept;

  void Run(int64_t m, int64_t n, int64_t k, Matrix<const float> a, Matrix<const float> b, Matrix<float> c,
           bool accumulate = false);
  void Run(int64_t m, int64_t n, int64_t k, Matrix<const Bf16> a, Matrix<const Bf16> b, Matrix<float> c,
           bool accumulate = false);
  void Run(int64_t m, int64_t n, int64_t k, Matrix<const Bf16> a, Matrix<const Bf16> b, Matrix<Bf16> c,
           bool accumulate = false);

  // The first error of any Run since creation. Run itself returns nothing: hundreds of calls make one step, and after
  // an error all results are void; the caller asks once at the end of the step.
  const absl::Status& status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Floating-point operations a second of the machine's products on `threads` threads: the best of several 1024³ (and
// larger) products, each repeated for at least `seconds` / 4.
double MeasurePeak(ComputeType type, int threads, double seconds = 0.4);

}  // namespace rhodes

#endif  // RHODES_MODEL_KERNELS_PRODUCT_H_
