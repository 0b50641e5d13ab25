#include "model/layers/experts.h"

#include <algorithm>
#include <cstring>

#include "model/kernels/row_ops.h"
#include "model/layers/linear.h"

namespace rhodes {
namespace {

constexpr int64_t kSlotGrain = 32;

// Most slots that `rows` rows can need.
int64_t MostSlots(const ModelConfig& config, int64_t rows) {
  const int64_t padded = rows * config.experts_per_token + config.experts * (kSlotGrain - 1);
  return (padded + kSlotGrain - 1) / kSlotGrain * kSlotGrain;
}

// One expert's products over its slots.
template <typename T>
Linear<T> GateUp(LayerContext<T>& c, const ParameterLayout::GatedLayer& at) {
  return {c, 2 * c.config.expert_intermediate, c.config.hidden_size, at.gate_up};
}
template <typename T>
Linear<T> Down(LayerContext<T>& c, const ParameterLayout::GatedLayer& at) {
  return {c, c.config.hidden_size, c.config.expert_intermediate, at.down};
}
template <typename T>
Linear<T> RouterProduct(LayerContext<T>& c, const ParameterLayout::Layer& at) {
  return {c, c.config.experts, c.config.hidden_size, at.router};
}

}  // namespace

template <typename T>
Experts<T>::Activations::Activations(const ModelConfig& config, int64_t rows)
    : logits(rows * config.experts),
      probabilities(rows * config.experts),
      chosen(rows * config.experts_per_token),
      shares(rows * config.experts_per_token),
      slots(rows * config.experts_per_token),
      rows_of(MostSlots(config, rows)),
      slot_shares(MostSlots(config, rows)),
      begin(static_cast<size_t>(config.experts) + 1),
      gate_up(MostSlots(config, rows) * 2 * config.expert_intermediate) {}

template <typename T>
uint64_t Experts<T>::Activations::Bytes(const ModelConfig& c, int64_t rows) {
  const int64_t slots = MostSlots(c, rows);
  const int64_t bytes = rows * 4 * (2 * c.experts + 3 * c.experts_per_token) +
                        slots * (8 + 2 * c.expert_intermediate * static_cast<int64_t>(sizeof(T)));
  return static_cast<uint64_t>(bytes);
}

template <typename T>
Experts<T>::Experts(LayerContext<T>& context)
    : context_(context),
      inner_(context.config.expert_intermediate),
      gathered_(MostSlots(context.config, context.max_rows) * context.config.hidden_size),
      results_(gathered_.size()),
      hidden_(MostSlots(context.config, context.max_rows) * inner_),
      d_shares_(context.training ? MostSlots(context.config, context.max_rows) : 0),
      d_logits_(context.training ? context.max_rows * context.config.experts : 0) {}

template <typename T>
uint64_t Experts<T>::Bytes(const ModelConfig& c, int64_t rows, bool training) {
  const int64_t slots = MostSlots(c, rows);
  const int64_t low = slots * (2 * c.hidden_size + c.expert_intermediate) + (training ? rows * c.experts : 0);
  return static_cast<uint64_t>(low) * sizeof(T) + (training ? static_cast<uint64_t>(slots) * 4 : 0);
}

template <typename T>
void Experts<T>::Choose(int64_t rows, const T* x, const ParameterLayout::Layer& at, Activations& a) {
  RouterProduct(context_, at).Forward(rows, x, a.logits.data(), false);
  const SectionTimer timer(context_.seconds, Section::kRouter);
  const RouterShape router = shape();
  const size_t experts = static_cast<size_t>(router.experts);
  const size_t k = static_cast<size_t>(router.chosen);
  ParallelRanges(context_.threads, rows, 64, [&](int64_t begin, int64_t end) {
    for (size_t r = static_cast<size_t>(begin); r < static_cast<size_t>(end); ++r) {
      Route(router, a.logits.span().subspan(r * experts, experts), a.probabilities.span().subspan(r * experts, experts),
            a.chosen.span().subspan(r * k, k), a.shares.span().subspan(r * k, k));
    }
  });
  PlaceRows(rows, a);
}

template <typename T>
void Experts<T>::PlaceRows(int64_t rows, Activations& a) {
  const int64_t k = context_.config.experts_per_token;
  const size_t experts = static_cast<size_t>(context_.config.experts);
  std::vector<int64_t> counts(experts);
  for (int64_t i = 0; i < rows * k; ++i) ++counts[static_cast<size_t>(a.chosen[i])];
  for (size_t e = 0; e < experts; ++e) {
    a.begin[e + 1] = a.begin[e] + (counts[e] + kSlotGrain - 1) / kSlotGrain * kSlotGrain;
  }
  std::fill_n(a.rows_of.data(), a.begin[experts], -1);
  std::fill_n(a.slot_shares.data(), a.begin[experts], 0.0f);
  std::vector<int64_t> next(a.begin.begin(), a.begin.end() - 1);
  for (int64_t i = 0; i < rows * k; ++i) {
    const int64_t slot = next[static_cast<size_t>(a.chosen[i])]++;
    a.slots[i] = static_cast<int32_t>(slot);
    a.rows_of[slot] = static_cast<int32_t>(i / k);
    a.slot_shares[slot] = a.shares[i];
  }
}

template <typename T>
void Experts<T>::Gather(const Activations& a, const T* from, T* table) {
  const int64_t width = context_.config.hidden_size;
  ParallelRanges(context_.threads, a.begin.back(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      T* to = table + slot * width;
      if (a.rows_of[slot] < 0) {
        std::fill_n(to, width, T{});
      } else {
        std::copy_n(from + a.rows_of[slot] * width, width, to);
      }
    }
  });
}

template <typename T>
void Experts<T>::Forward(int64_t rows, const T* x, const ParameterLayout::Layer& at, float factor, Activations& a,
                         float* y) {
  const int64_t width = context_.config.hidden_size;
  Choose(rows, x, at, a);
  {
    const SectionTimer timer(context_.seconds, Section::kRouter);
    Gather(a, x, gathered_.data());
  }
  for (size_t e = 0; e < at.experts.size(); ++e) {
    const int64_t begin = a.begin[e];
    GateUp(context_, at.experts[e])
        .Forward(a.begin[e + 1] - begin, gathered_.data() + begin * width, a.gate_up.data() + begin * 2 * inner_,
                 false);
  }
  {
    const SectionTimer timer(context_.seconds, Section::kActivation);
    ParallelRanges(context_.threads, a.begin.back(), 1, [&](int64_t begin, int64_t end) {
      context_.fast().ge_glu_forward(a.gate_up.data() + begin * 2 * inner_, a.slot_shares.data() + begin, end - begin,
                                     inner_, hidden_.data() + begin * inner_);
    });
  }
  for (size_t e = 0; e < at.experts.size(); ++e) {
    const int64_t begin = a.begin[e];
    Down(context_, at.experts[e])
        .Forward(a.begin[e + 1] - begin, hidden_.data() + begin * inner_, results_.data() + begin * width, false);
  }
  const SectionTimer timer(context_.seconds, Section::kRouter);
  const int64_t k = context_.config.experts_per_token;
  ParallelRanges(context_.threads, rows, 1, [&](int64_t begin, int64_t end) {
    FastRowOps<T>().sum_indexed(results_.data(), a.slots.data() + begin * k, k, end - begin, width, factor,
                                y + begin * width);
  });
}

template <typename T>
void Experts<T>::Backward(int64_t rows, const T* d_y, const T* x, const ParameterLayout::Layer& at,
                          const RouterBalance& balance, Activations& a, float* d_x, T* d_x_low) {
  const int64_t width = context_.config.hidden_size;
  {
    const SectionTimer timer(context_.seconds, Section::kRouter);
    Gather(a, d_y, results_.data());
    Gather(a, x, gathered_.data());
  }
  for (size_t e = 0; e < at.experts.size(); ++e) {
    const int64_t begin = a.begin[e];
    Down(context_, at.experts[e])
        .InputGradient(a.begin[e + 1] - begin, results_.data() + begin * width, hidden_.data() + begin * inner_);
  }
  {
    const SectionTimer timer(context_.seconds, Section::kActivation);
    ParallelRanges(context_.threads, a.begin.back(), 1, [&](int64_t begin, int64_t end) {
      context_.fast().ge_glu_backward(hidden_.data() + begin * inner_, a.gate_up.data() + begin * 2 * inner_,
                                      a.slot_shares.data() + begin, end - begin, inner_, d_shares_.data() + begin);
    });
  }
  for (size_t e = 0; e < at.experts.size(); ++e) {
    const int64_t begin = a.begin[e];
    const int64_t count = a.begin[e + 1] - begin;
    const ParameterLayout::GatedLayer& own = at.experts[e];
    if (count == 0) {  // chosen by no row: no product runs
      if (context_.accumulate) continue;
      std::fill_n(context_.weights.gradient(own.gate_up), 2 * inner_ * width, 0.0f);
      std::fill_n(context_.weights.gradient(own.down), inner_ * width, 0.0f);
      continue;
    }
    const T* d_gate_up = a.gate_up.data() + begin * 2 * inner_;
    Down(context_, own).WeightGradient(count, results_.data() + begin * width, hidden_.data() + begin * inner_);
    GateUp(context_, own).WeightGradient(count, d_gate_up, gathered_.data() + begin * width);
    GateUp(context_, own).InputGradient(count, d_gate_up, gathered_.data() + begin * width);
  }
  RouterBackward(rows, x, at, balance, a, d_x);
  const SectionTimer timer(context_.seconds, Section::kRouter);
  const int64_t k = context_.config.experts_per_token;
  ParallelRanges(context_.threads, rows, 1, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * width;
    FastRowOps<T>().sum_indexed(gathered_.data(), a.slots.data() + begin * k, k, end - begin, width, 1.0f, d_x + first);
    context_.fast().store_rows(d_x + first, nullptr, end - begin, width, width, d_x_low + first);
  });
}

template <typename T>
void Experts<T>::RouterBackward(int64_t rows, const T* x, const ParameterLayout::Layer& at,
                                const RouterBalance& balance, const Activations& a, float* d_x) {
  const RouterShape router = shape();
  const size_t experts = static_cast<size_t>(router.experts);
  const size_t k = static_cast<size_t>(router.chosen);
  {
    const SectionTimer timer(context_.seconds, Section::kRouter);
    ParallelRanges(context_.threads, rows, 64, [&](int64_t begin, int64_t end) {
      std::vector<float> d_shares(k), d_logits(experts);
      for (size_t r = static_cast<size_t>(begin); r < static_cast<size_t>(end); ++r) {
        for (size_t i = 0; i < k; ++i) d_shares[i] = d_shares_[static_cast<size_t>(a.slots[r * k + i])];
        RouteBackward(router, a.logits.span().subspan(r * experts, experts),
                      a.probabilities.span().subspan(r * experts, experts), a.chosen.span().subspan(r * k, k),
                      a.shares.span().subspan(r * k, k), d_shares, balance.GradientOf(static_cast<int64_t>(r)),
                      d_logits);
        for (size_t e = 0; e < experts; ++e) d_logits_[r * experts + e] = FromFloat<T>(d_logits[e]);
      }
    });
  }
  RouterProduct(context_, at).InputGradient(rows, d_logits_.data(), d_x, true);
  RouterProduct(context_, at).WeightGradient(rows, d_logits_.data(), x);
}

template class Experts<float>;
template class Experts<Bf16>;

}  // namespace rhodes
