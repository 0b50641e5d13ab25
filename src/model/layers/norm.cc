#include "model/layers/norm.h"

#include "model/kernels/row_ops.h"

namespace rhodes {
namespace {

// d_x null: only the low copy is written.
template <typename T>
void Backward(LayerContext<T>& context, int64_t rows, int64_t offset, const NormActivations<T>& a, const T* d_out,
              bool add, float* d_x, T* d_x_low) {
  const SectionTimer timer(context.seconds, Section::kNorm);
  const int64_t width = context.config.hidden_size;
  context.SumOverRows(
      rows, width,
      [&](int64_t begin, int64_t count, float* sums) {
        const int64_t at = begin * width;
        context.fast().rms_norm_backward(d_out + at, a.unit.data() + at, a.inverse.data() + begin,
                                         context.weights.low(offset), count, width, add,
                                         d_x == nullptr ? nullptr : d_x + at, d_x_low + at, sums);
      },
      [&](const float* sums) { context.StoreVectorGradient(offset, width, sums); });
}

}  // namespace

template <typename T>
void NormForward(LayerContext<T>& context, int64_t rows, int64_t offset, NormActivations<T>& a, T* normed) {
  const SectionTimer timer(context.seconds, Section::kNorm);
  const int64_t width = context.config.hidden_size;
  ParallelRanges(context.threads, rows, 1, [&](int64_t begin, int64_t end) {
    const int64_t at = begin * width;
    context.fast().rms_norm_forward(context.residual.data() + at, context.weights.low(offset),
                                    static_cast<float>(context.config.rms_epsilon), end - begin, width,
                                    a.unit.data() + at, normed + at, a.inverse.data() + begin);
  });
}

template <typename T>
void NormBackward(LayerContext<T>& context, int64_t rows, int64_t offset, const NormActivations<T>& a, bool add) {
  Backward<T>(context, rows, offset, a, context.d_normed.data(), add, context.d_residual.data(),
              context.d_residual_low.data());
}

template <typename T>
void PostNormForward(LayerContext<T>& context, int64_t rows, int64_t offset, const float* x, NormActivations<T>& a) {
  const SectionTimer timer(context.seconds, Section::kNorm);
  const int64_t width = context.config.hidden_size;
  ParallelRanges(context.threads, rows, 1, [&](int64_t begin, int64_t end) {
    const int64_t at = begin * width;
    context.fast().rms_norm_add_forward(x + at, context.weights.low(offset),
                                        static_cast<float>(context.config.rms_epsilon), end - begin, width,
                                        a.unit.data() + at, context.residual.data() + at, a.inverse.data() + begin);
  });
}

template <typename T>
void PostNormBackward(LayerContext<T>& context, int64_t rows, int64_t offset, const NormActivations<T>& a, float factor,
                      T* d_x) {
  Backward<T>(context, rows, offset, a, context.d_residual_low.data(), false, nullptr, d_x);
  if (factor == 1.0f) return;
  const SectionTimer timer(context.seconds, Section::kNorm);
  ParallelRanges(context.threads, rows * context.config.hidden_size, 1024,
                 [&](int64_t begin, int64_t end) { FastRowOps<T>().scale(d_x + begin, end - begin, factor); });
}

template void NormForward(LayerContext<float>&, int64_t, int64_t, NormActivations<float>&, float*);
template void NormForward(LayerContext<Bf16>&, int64_t, int64_t, NormActivations<Bf16>&, Bf16*);
template void NormBackward(LayerContext<float>&, int64_t, int64_t, const NormActivations<float>&, bool);
template void NormBackward(LayerContext<Bf16>&, int64_t, int64_t, const NormActivations<Bf16>&, bool);
template void PostNormForward(LayerContext<float>&, int64_t, int64_t, const float*, NormActivations<float>&);
template void PostNormForward(LayerContext<Bf16>&, int64_t, int64_t, const float*, NormActivations<Bf16>&);
template void PostNormBackward(LayerContext<float>&, int64_t, int64_t, const NormActivations<float>&, float, float*);
template void PostNormBackward(LayerContext<Bf16>&, int64_t, int64_t, const NormActivations<Bf16>&, float, Bf16*);

}  // namespace rhodes
