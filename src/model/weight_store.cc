#include "model/weight_store.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "model/kernels/threads.h"

namespace rhodes {
namespace {

// Elements of a gradient that are summed together for its norm, and updated together by the optimizer.
constexpr int64_t kParameterBlock = int64_t{1} << 16;

// A well-mixed function of its argument (SplitMix64): random numbers that do not depend on the order of drawing.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

float Normal(uint64_t seed, uint64_t index) {
  const uint64_t a = Mix(seed ^ Mix(2 * index));
  const uint64_t b = Mix(seed ^ Mix(2 * index + 1));
  const double u = (static_cast<double>(a >> 11) + 0.5) * 0x1p-53;
  const double v = static_cast<double>(b >> 11) * 0x1p-53;
  return static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v));
}

bool WritesResidual(const std::string& name) {
  return name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight") || name.ends_with("w2.weight");
}

}  // namespace

template <typename T>
WeightStore<T>::WeightStore(const ModelConfig& config, int threads, bool training)
    : layout_(config),
      threads_(threads),
      weights_(layout_.size()),
      low_(layout_.size()),
      gradients_(training ? layout_.size() : 0) {}

template <typename T>
uint64_t WeightStore<T>::Bytes(const ModelConfig& config, bool training) {
  const uint64_t count = static_cast<uint64_t>(ParameterLayout(config).size());
  return count * (sizeof(float) + sizeof(T) + (training ? sizeof(float) : 0));
}

template <typename T>
void WeightStore<T>::Commit(int64_t first, int64_t last) {
  ParallelRanges(threads_, last - first, kParameterBlock, [&](int64_t begin, int64_t end) {
    FastElementwise<T>().store_rows(weights_.data() + first + begin, nullptr, 1, end - begin, end - begin,
                                    low_.data() + first + begin);
  });
}

template <typename T>
void WeightStore<T>::Initialize(uint64_t seed, float deviation) {
  const float output_deviation = deviation / std::sqrt(2.0f * static_cast<float>(layout_.layers().size()));
  for (size_t p = 0; p < layout_.parameters().size(); ++p) {
    const Parameter& parameter = layout_.parameters()[p];
    float* to = weights_.data() + parameter.offset;
    if (!parameter.matrix()) {
      std::fill_n(to, parameter.size(), parameter.bias() ? 0.0f : 1.0f);
      continue;
    }
    const float factor = WritesResidual(parameter.name) ? output_deviation : deviation;
    const uint64_t stream = Mix(seed ^ Mix(p));
    ParallelRanges(threads_, parameter.size(), 1024, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = factor * Normal(stream, i);
    });
  }
  Commit(0, layout_.size());
}

template <typename T>
double WeightStore<T>::GradientSquares(int64_t first, int64_t last) const {
  const int64_t blocks = (last - first + kParameterBlock - 1) / kParameterBlock;
  std::vector<double> sums(blocks);
  ParallelRanges(threads_, blocks, 1, [&](int64_t from, int64_t to) {
    for (int64_t block = from; block < to; ++block) {
      const int64_t begin = first + block * kParameterBlock;
      sums[block] =
          FastElementwise<T>().sum_of_squares(gradients_.data() + begin, std::min(kParameterBlock, last - begin));
    }
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

template <typename T>
void WeightStore<T>::StepAdamW(const AdamW& settings, int64_t first, int64_t last, std::span<float> m,
                               std::span<float> v) {
  const auto& parameters = layout_.parameters();
  ParallelRanges(threads_, last - first, kParameterBlock, [&](int64_t begin, int64_t end) {
    for (const Parameter& parameter : parameters) {
      const int64_t from = std::max(first + begin, parameter.offset);
      const int64_t to = std::min(first + end, parameter.offset + parameter.size());
      if (from >= to) continue;
      AdamW own = settings;
      if (!parameter.matrix()) own.decay = 0.0f;
      FastElementwise<T>().adamw_step(own, gradients_.data() + from, to - from, weights_.data() + from,
                                      m.data() + (from - first), v.data() + (from - first), low_.data() + from);
    }
  });
}

template class WeightStore<float>;
template class WeightStore<Bf16>;

}  // namespace rhodes
