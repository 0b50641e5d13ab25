#include "model/layers/head.h"

#include "model/layers/linear.h"

namespace rhodes {
namespace {

// Rows of logits that exist at once. The gradient of the head is read and written once a chunk, so fewer, larger chunks
// win until they leave the last-level cache: 1024 rows of 8192 classes beat 256 by 1.2x, 512 of 50304 beat 128 by 1.5x.
int64_t LogitRows(const ModelConfig& config, int64_t rows) {
  const int64_t fitting = (int64_t{26} << 20) / config.vocabulary_size / 64 * 64;
  return std::min(rows, std::clamp<int64_t>(fitting, 64, 1024));
}

bool IsPlain(const ModelConfig& config) { return config.output_multiplier == 1.0 && config.final_cap == 0.0; }

template <typename T>
Linear<T> Product(LayerContext<T>& context) {
  return {context, context.config.vocabulary_size, context.config.hidden_size, context.weights.layout().head(),
          -1,      Section::kHeadProducts};
}

}  // namespace

template <typename T>
LanguageHead<T>::LanguageHead(LayerContext<T>& context)
    : context_(context),
      classes_(context.config.vocabulary_size),
      rows_(LogitRows(context.config, context.max_rows)),
      plain_(IsPlain(context.config)),
      logits_(rows_ * classes_),
      scratch_((plain_ ? 1 : 2) * classes_ * context.threads) {}

template <typename T>
uint64_t LanguageHead<T>::Bytes(const ModelConfig& config, int64_t rows, int threads) {
  const uint64_t classes = static_cast<uint64_t>(config.vocabulary_size);
  return static_cast<uint64_t>(LogitRows(config, rows)) * classes * sizeof(T) +
         (IsPlain(config) ? 1 : 2) * classes * static_cast<uint64_t>(threads) * sizeof(float);
}

template <typename T>
void LanguageHead<T>::Losses(int64_t rows, const T* x, std::span<const uint32_t> targets, float scale, float* losses) {
  const int64_t width = context_.config.hidden_size;
  const float multiplier = static_cast<float>(context_.config.output_multiplier);
  const float cap = static_cast<float>(context_.config.final_cap);
  for (int64_t first = 0; first < rows; first += rows_) {
    const int64_t count = std::min(rows_, rows - first);
    Product(context_).Forward(count, x + first * width, logits_.data(), false);
    {
      const SectionTimer timer(context_.seconds, Section::kLoss);
      ParallelRanges(context_.threads, count, 1, [&](int64_t begin, int64_t end) {
        float* scratch = scratch_.data() + omp_get_thread_num() * classes_ * (plain_ ? 1 : 2);
        T* logits = logits_.data() + begin * classes_;
        const uint32_t* wanted = targets.data() + first + begin;
        if (plain_) {
          context_.fast().softmax_cross_entropy(logits, wanted, end - begin, classes_, scale, losses + first + begin,
                                                scratch);
        } else {
          context_.fast().capped_cross_entropy(logits, wanted, end - begin, classes_, multiplier, cap, scale,
                                               losses + first + begin, scratch);
        }
      });
    }
    if (scale == 0.0f) continue;
    Product(context_).InputGradient(count, logits_.data(), context_.d_normed.data() + first * width);
    Product(context_).WeightGradient(count, logits_.data(), x + first * width, first > 0);
  }
}

template <typename T>
void LanguageHead<T>::Logits(int64_t rows, const T* x, int64_t leading, std::span<float> logits) {
  const SectionTimer timer(context_.seconds, Section::kHeadProducts);
  const int64_t width = context_.config.hidden_size;
  const T* head = context_.weights.low(context_.weights.layout().head());
  context_.products.Run(rows, classes_, width, Matrix<const T>{x, leading}, Matrix<const T>{head, width, true},
                        Matrix<float>{logits.data(), classes_});
  if (plain_) return;
  ParallelRanges(context_.threads, rows, 1, [&](int64_t begin, int64_t end) {
    context_.fast().soft_cap(logits.data() + begin * classes_, (end - begin) * classes_,
                             static_cast<float>(context_.config.output_multiplier),
                             static_cast<float>(context_.config.final_cap));
  });
}

template class LanguageHead<float>;
template class LanguageHead<Bf16>;

}  // namespace rhodes
