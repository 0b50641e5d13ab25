// The operations of elementwise.h as their formulas say, in f64: what the tests of the fast set trust.
#include <algorithm>
#include <cmath>
#include <vector>

#include "model/kernels/elementwise.h"

namespace rhodes {
namespace {

template <typename T>
T Low(double value) {
  return FromFloat<T>(static_cast<float>(value));
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

constexpr double kGelu = 0.7978845608028654;  // √(2/π)
double Gelu(double x) { return 0.5 * x * (1 + std::tanh(kGelu * (x + 0.044715 * x * x * x))); }
double GeluSlope(double x) {
  const double t = std::tanh(kGelu * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * kGelu * (1 + 3 * 0.044715 * x * x);
}

double Cap(double x, double cap) { return cap > 0 ? cap * std::tanh(x / cap) : x; }
double CapSlope(double capped, double cap) { return cap > 0 ? 1 - capped / cap * (capped / cap) : 1; }

template <typename T>
struct Plain {
  static void GatherRows(const T* table, const uint32_t* tokens, int64_t rows, int64_t width, float* out) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i) out[r * width + i] = ToFloat(table[tokens[r] * width + i]);
    }
  }

  static void ScatterAddRows(const float* d, const uint32_t* tokens, int64_t rows, int64_t width, int64_t begin,
                             int64_t end, float* gradient) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = begin; i < end; ++i) gradient[tokens[r] * width + i] += d[r * width + i];
    }
  }

  static void RmsNormForward(const float* x, const T* weight, float epsilon, int64_t rows, int64_t width, T* unit,
                             T* out, float* inverse) {
    for (int64_t r = 0; r < rows; ++r) {
      double squares = 0;
      for (int64_t i = 0; i < width; ++i) squares += double{x[r * width + i]} * x[r * width + i];
      const double factor = 1 / std::sqrt(squares / static_cast<double>(width) + epsilon);
      inverse[r] = static_cast<float>(factor);
      for (int64_t i = 0; i < width; ++i) {
        const double value = x[r * width + i] * factor;
        unit[r * width + i] = Low<T>(value);
        out[r * width + i] = Low<T>(value * ToFloat(weight[i]));
      }
    }
  }

  static void RmsNormAddForward(const float* x, const T* weight, float epsilon, int64_t rows, int64_t width, T* unit,
                                float* residual, float* inverse) {
    for (int64_t r = 0; r < rows; ++r) {
      double squares = 0;
      for (int64_t i = 0; i < width; ++i) squares += double{x[r * width + i]} * x[r * width + i];
      const double factor = 1 / std::sqrt(squares / static_cast<double>(width) + epsilon);
      inverse[r] = static_cast<float>(factor);
      for (int64_t i = 0; i < width; ++i) {
        const double value = x[r * width + i] * factor;
        unit[r * width + i] = Low<T>(value);
        residual[r * width + i] = static_cast<float>(residual[r * width + i] + value * ToFloat(weight[i]));
      }
    }
  }

  static void RmsNormBackward(const T* d_out, const T* unit, const float* inverse, const T* weight, int64_t rows,
                              int64_t width, bool accumulate, float* d_x, T* d_x_low, float* d_weight) {
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t at = r * width;
      double sum = 0;
      for (int64_t i = 0; i < width; ++i) {
        const double product = double{ToFloat(d_out[at + i])} * ToFloat(unit[at + i]);
        d_weight[i] += static_cast<float>(product);
        sum += product * ToFloat(weight[i]);
      }
      const double mean = sum / static_cast<double>(width);
      for (int64_t i = 0; i < width; ++i) {
        const double g = double{ToFloat(d_out[at + i])} * ToFloat(weight[i]);
        const double value = inverse[r] * (g - ToFloat(unit[at + i]) * mean) + (accumulate ? d_x[at + i] : 0);
        if (d_x != nullptr) d_x[at + i] = static_cast<float>(value);
        d_x_low[at + i] = Low<T>(value);
      }
    }
  }

  // `sign` 1: rows to heads; -1: heads to rows.
  static void Exchange(int sign, const T* in, int64_t rows, int64_t heads, int64_t rotated, int64_t head_dim,
                       int64_t position, int64_t length, const float* cosine, const float* sine, T* out) {
    const int64_t half = head_dim / 2;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t h = 0; h < heads; ++h) {
        const int64_t row = (r * heads + h) * head_dim;
        const int64_t head = (h * length + position + r) * head_dim;
        const T* from = in + (sign > 0 ? row : head);
        T* to = out + (sign > 0 ? head : row);
        for (int64_t i = 0; i < half; ++i) {
          const double c = h < rotated ? cosine[(position + r) * half + i] : 1;
          const double s = h < rotated ? static_cast<float>(sign) * sine[(position + r) * half + i] : 0;
          const double a = ToFloat(from[i]);
          const double b = ToFloat(from[i + half]);
          to[i] = Low<T>(a * c - b * s);
          to[i + half] = Low<T>(b * c + a * s);
        }
      }
    }
  }
  static void SplitHeads(const T* in, int64_t rows, int64_t heads, int64_t rotated, int64_t head_dim, int64_t position,
                         int64_t length, const float* cosine, const float* sine, T* out) {
    Exchange(1, in, rows, heads, rotated, head_dim, position, length, cosine, sine, out);
  }
  static void MergeHeads(const T* in, int64_t rows, int64_t heads, int64_t rotated, int64_t head_dim, int64_t position,
                         int64_t length, const float* cosine, const float* sine, T* out) {
    Exchange(-1, in, rows, heads, rotated, head_dim, position, length, cosine, sine, out);
  }

  static void SwiGluForward(const T* gate_up, int64_t rows, int64_t inner, T* out) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < inner; ++i) {
        const double g = ToFloat(gate_up[r * 2 * inner + i]);
        out[r * inner + i] = Low<T>(g * Sigmoid(g) * ToFloat(gate_up[r * 2 * inner + inner + i]));
      }
    }
  }

  static void SwiGluBackward(T* d_out, T* gate_up, int64_t rows, int64_t inner) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < inner; ++i) {
        T& gate = gate_up[r * 2 * inner + i];
        T& up = gate_up[r * 2 * inner + inner + i];
        T& d = d_out[r * inner + i];
        const double g = ToFloat(gate);
        const double u = ToFloat(up);
        const double gradient = ToFloat(d);
        const double s = Sigmoid(g);
        gate = Low<T>(gradient * u * s * (1 + g * (1 - s)));
        up = Low<T>(gradient * g * s);
        d = Low<T>(g * s * u);
      }
    }
  }

  static void GeGluForward(const T* gate_up, const float* factors, int64_t rows, int64_t inner, T* out) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < inner; ++i) {
        const double g = ToFloat(gate_up[r * 2 * inner + i]);
        const double u = ToFloat(gate_up[r * 2 * inner + inner + i]);
        out[r * inner + i] = Low<T>(Gelu(g) * u * (factors == nullptr ? 1.0f : factors[r]));
      }
    }
  }

  static void GeGluBackward(T* d_out, T* gate_up, const float* factors, int64_t rows, int64_t inner, float* d_factors) {
    for (int64_t r = 0; r < rows; ++r) {
      const double factor = factors == nullptr ? 1.0f : factors[r];
      double sum = 0;
      for (int64_t i = 0; i < inner; ++i) {
        T& gate = gate_up[r * 2 * inner + i];
        T& up = gate_up[r * 2 * inner + inner + i];
        T& d = d_out[r * inner + i];
        const double g = ToFloat(gate);
        const double u = ToFloat(up);
        const double gradient = ToFloat(d);
        sum += gradient * Gelu(g) * u;
        gate = Low<T>(gradient * factor * u * GeluSlope(g));
        up = Low<T>(gradient * factor * Gelu(g));
        d = Low<T>(Gelu(g) * u * factor);
      }
      if (d_factors != nullptr) d_factors[r] = static_cast<float>(sum);
    }
  }

  static void CappedCrossEntropy(T* logits, const uint32_t* targets, int64_t rows, int64_t classes, float multiplier,
                                 float cap, float scale, float* losses, float* /*scratch*/) {
    for (int64_t r = 0; r < rows; ++r) {
      T* row = logits + r * classes;
      const auto capped = [&](int64_t i) { return Cap(double{ToFloat(row[i])} * multiplier, cap); };
      const double target = capped(targets[r]);
      double maximum = capped(0);
      for (int64_t i = 0; i < classes; ++i) maximum = std::max(maximum, capped(i));
      double sum = 0;
      for (int64_t i = 0; i < classes; ++i) sum += std::exp(capped(i) - maximum);
      losses[r] = static_cast<float>(std::log(sum) + maximum - target);
      if (scale == 0) continue;
      for (int64_t i = 0; i < classes; ++i) {
        const double p = std::exp(capped(i) - maximum) / sum;
        row[i] = Low<T>((p - (i == targets[r] ? 1 : 0)) * scale * multiplier * CapSlope(capped(i), cap));
      }
    }
  }

  static void SoftCap(float* x, int64_t count, float multiplier, float cap) {
    for (int64_t i = 0; i < count; ++i) x[i] = static_cast<float>(Cap(double{x[i]} * multiplier, cap));
  }

  static void SoftmaxCrossEntropy(T* logits, const uint32_t* targets, int64_t rows, int64_t classes, float scale,
                                  float* losses, float* /*scratch*/) {
    for (int64_t r = 0; r < rows; ++r) {
      T* row = logits + r * classes;
      double maximum = ToFloat(row[0]);
      for (int64_t i = 0; i < classes; ++i) maximum = std::max<double>(maximum, ToFloat(row[i]));
      double sum = 0;
      for (int64_t i = 0; i < classes; ++i) sum += std::exp(ToFloat(row[i]) - maximum);
      losses[r] = static_cast<float>(std::log(sum) + maximum - ToFloat(row[targets[r]]));
      if (scale == 0) continue;
      for (int64_t i = 0; i < classes; ++i) {
        const double p = std::exp(ToFloat(row[i]) - maximum) / sum;
        row[i] = Low<T>((p - (i == targets[r] ? 1 : 0)) * scale);
      }
    }
  }

  static void AttentionSoftmaxForward(const float* scores, const int32_t* first, const int32_t* last, int64_t rows,
                                      int64_t columns, int64_t stride, float scale, float cap, T* out,
                                      float* inverse_sum, float* log_sum) {
    for (int64_t r = 0; r < rows; ++r) {
      const auto score = [&](int32_t i) { return Cap(double{scores[r * stride + i]} * scale, cap); };
      double maximum = score(first[r]);
      for (int32_t i = first[r]; i <= last[r]; ++i) maximum = std::max(maximum, score(i));
      double sum = 0;
      for (int32_t i = 0; i < columns; ++i) {
        const bool seen = i >= first[r] && i <= last[r];
        const double e = seen ? std::exp(score(i) - maximum) : 0;
        sum += e;
        out[r * stride + i] = Low<T>(e);
      }
      inverse_sum[r] = static_cast<float>(1 / sum);
      log_sum[r] = static_cast<float>(std::log(sum) + maximum);
    }
  }

  static void AttentionSoftmaxBackward(const float* scores, const float* d_p, const int32_t* first, const int32_t* last,
                                       const float* log_sum, const float* delta, int64_t rows, int64_t columns,
                                       int64_t stride, float scale, float cap, T* p, T* d_s) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int32_t i = 0; i < columns; ++i) {
        const int64_t at = r * stride + i;
        const bool seen = i >= first[r] && i <= last[r];
        const double score = Cap(double{scores[at]} * scale, cap);
        const double weight = seen ? std::exp(score - log_sum[r]) : 0;
        p[at] = Low<T>(weight);
        d_s[at] = Low<T>(seen ? weight * (d_p[at] - delta[r]) * scale * CapSlope(score, cap) : 0);
      }
    }
  }

  static void RowDots(const T* a, int64_t a_stride, const T* b, int64_t b_stride, int64_t rows, int64_t width,
                      float* sums) {
    for (int64_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (int64_t i = 0; i < width; ++i) sum += double{ToFloat(a[r * a_stride + i])} * ToFloat(b[r * b_stride + i]);
      sums[r] = static_cast<float>(sum);
    }
  }

  static void StoreRows(const float* x, const float* factors, int64_t rows, int64_t width, int64_t stride, T* out) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i) {
        out[r * stride + i] = Low<T>(double{x[r * width + i]} * (factors == nullptr ? 1.0f : factors[r]));
      }
    }
  }

  static double SumOfSquares(const float* x, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += double{x[i]} * x[i];
    return sum;
  }

  static void AdamWStep(const AdamW& s, const float* gradient, int64_t count, float* weight, float* m, float* v,
                        T* low) {
    for (int64_t i = 0; i < count; ++i) {
      const double g = double{gradient[i]} * s.gradient_factor;
      const double m2 = s.beta1 * double{m[i]} + (1 - double{s.beta1}) * g;
      const double v2 = s.beta2 * double{v[i]} + (1 - double{s.beta2}) * g * g;
      const double denominator = std::sqrt(v2) / std::sqrt(double{s.correction2}) + s.epsilon;
      const double w = weight[i] * (1 - double{s.learning_rate} * s.decay) -
                       double{s.learning_rate} / s.correction1 * m2 / denominator;
      m[i] = static_cast<float>(m2);
      v[i] = static_cast<float>(v2);
      weight[i] = static_cast<float>(w);
      low[i] = Low<T>(w);
    }
  }

  static const Elementwise<T>& Table() {
    static const Elementwise<T> table = {.gather_rows = GatherRows,
                                         .scatter_add_rows = ScatterAddRows,
                                         .rms_norm_forward = RmsNormForward,
                                         .rms_norm_add_forward = RmsNormAddForward,
                                         .rms_norm_backward = RmsNormBackward,
                                         .split_heads = SplitHeads,
                                         .merge_heads = MergeHeads,
                                         .swi_glu_forward = SwiGluForward,
                                         .swi_glu_backward = SwiGluBackward,
                                         .ge_glu_forward = GeGluForward,
                                         .ge_glu_backward = GeGluBackward,
                                         .softmax_cross_entropy = SoftmaxCrossEntropy,
                                         .capped_cross_entropy = CappedCrossEntropy,
                                         .soft_cap = SoftCap,
                                         .attention_softmax_forward = AttentionSoftmaxForward,
                                         .attention_softmax_backward = AttentionSoftmaxBackward,
                                         .row_dots = RowDots,
                                         .store_rows = StoreRows,
                                         .sum_of_squares = SumOfSquares,
                                         .adamw_step = AdamWStep};
    return table;
  }
};

}  // namespace

template <>
const Elementwise<float>& ReferenceElementwise<float>() {
  return Plain<float>::Table();
}
template <>
const Elementwise<Bf16>& ReferenceElementwise<Bf16>() {
  return Plain<Bf16>::Table();
}

}  // namespace rhodes
