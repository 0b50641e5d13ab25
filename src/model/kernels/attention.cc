#include "model/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "model/kernels/elementwise.h"
#include "model/kernels/threads.h"

namespace rhodes {
namespace {

constexpr int64_t kQueryRows = 128;

// Score rows begin at multiples of a vector, so that the softmax may work on whole vectors.
int64_t RoundUp(int64_t columns) { return (columns + 15) / 16 * 16; }

// body(sequence, position, rows) for runs of rows that lie in one sequence.
template <typename Body>
void ForRows(int threads, int64_t sequences, int64_t length, const Body& body) {
  ParallelRanges(threads, sequences * length, 1, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t position = begin % length;
      const int64_t rows = std::min(end - begin, length - position);
      body(begin / length, position, rows);
      begin += rows;
    }
  });
}

}  // namespace

template <typename T>
Attention<T>::Attention(const AttentionShape& shape, int64_t max_rows, bool training, int threads)
    : shape_(shape), threads_(threads), scale_(1.0f / std::sqrt(static_cast<float>(shape.head_dim))) {
  const int64_t rows = std::min(kQueryRows, shape.max_context);
  const int64_t square = rows * RoundUp(shape.max_context);
  for (int i = 0; i < threads; ++i) {
    Scratch& s = scratch_.emplace_back();
    s.scores = Buffer<float>(square);
    s.p = Buffer<T>(square);
    s.result = Buffer<float>(rows * shape.head_dim);
    s.inverse_sum = Buffer<float>(rows);
    s.first.resize(rows);
    s.last.resize(rows);
    if (!training) continue;
    s.d_p = Buffer<float>(square);
    s.d_s = Buffer<T>(square);
    s.d_k = Buffer<float>(shape.max_context * shape.head_dim);
    s.d_v = Buffer<float>(shape.max_context * shape.head_dim);
  }
  if (training) {
    d_split_ = Buffer<T>(max_rows * columns());
    d_out_split_ = Buffer<T>(max_rows * shape.heads * shape.head_dim);
    delta_ = Buffer<float>(max_rows * shape.heads);
  }
}

template <typename T>
uint64_t Attention<T>::ScratchBytes(const AttentionShape& shape, bool training, int threads) {
  const int64_t rows = std::min(kQueryRows, shape.max_context);
  const int64_t square = rows * RoundUp(shape.max_context) * static_cast<int64_t>(sizeof(float) + sizeof(T));
  const int64_t one = square * (training ? 2 : 1) + rows * shape.head_dim * 4 +
                      (training ? 2 * shape.max_context * shape.head_dim * 4 : 0);
  return static_cast<uint64_t>(one * threads);
}

template <typename T>
const absl::Status& Attention<T>::status() const {
  for (const Scratch& scratch : scratch_) {
    if (!scratch.products.status().ok()) return scratch.products.status();
  }
  return scratch_.front().products.status();
}

template <typename T>
typename Attention<T>::Block Attention<T>::PlanBlock(Scratch& scratch, const int32_t* starts, int64_t begin,
                                                     int64_t length) const {
  Block block;
  block.begin = begin;
  block.rows = std::min(kQueryRows, length - begin);
  block.key_begin = starts[begin] / kQueryRows * kQueryRows;
  block.key_count = begin + block.rows - block.key_begin;
  block.stride = RoundUp(block.key_count);
  for (int64_t r = 0; r < block.rows; ++r) {
    scratch.first[r] = static_cast<int32_t>(starts[begin + r] - block.key_begin);
    scratch.last[r] = static_cast<int32_t>(begin + r - block.key_begin);
  }
  return block;
}

template <typename T>
typename Attention<T>::Head Attention<T>::HeadOf(const T* split, int64_t length, int64_t head) const {
  const int64_t size = length * shape_.head_dim;
  const T* k = split + (shape_.heads + head / (shape_.heads / shape_.kv_heads)) * size;
  return {split + head * size, k, k + shape_.kv_heads * size};
}

template <typename T>
void Attention<T>::ForwardHead(Scratch& s, const Head& in, const int32_t* starts, int64_t length, T* out,
                               float* log_sum) {
  const Elementwise<T>& fast = FastElementwise<T>();
  const int64_t dim = shape_.head_dim;
  const int64_t out_stride = shape_.heads * dim;
  for (int64_t begin = 0; begin < length; begin += kQueryRows) {
    const Block b = PlanBlock(s, starts, begin, length);
    s.products.Run(b.rows, b.key_count, dim, Matrix<const T>{in.q + begin * dim, dim},
                   Matrix<const T>{in.k + b.key_begin * dim, dim, true}, Matrix<float>{s.scores.data(), b.stride});
    fast.attention_softmax_forward(s.scores.data(), s.first.data(), s.last.data(), b.rows, b.key_count, b.stride,
                                   scale_, shape_.cap, s.p.data(), s.inverse_sum.data(), log_sum + begin);
    s.products.Run(b.rows, dim, b.key_count, Matrix<const T>{s.p.data(), b.stride},
                   Matrix<const T>{in.v + b.key_begin * dim, dim}, Matrix<float>{s.result.data(), dim});
    fast.store_rows(s.result.data(), s.inverse_sum.data(), b.rows, dim, out_stride, out + begin * out_stride);
  }
}

template <typename T>
void Attention<T>::Forward(const T* qkv, const int32_t* starts, const float* cosine, const float* sine,
                           int64_t sequences, int64_t length, T* split, T* out, float* log_sum) {
  const int64_t heads = shape_.heads;
  const int64_t size = length * columns();
  ForRows(threads_, sequences, length, [&](int64_t i, int64_t position, int64_t rows) {
    FastElementwise<T>().split_heads(qkv + i * size + position * columns(), rows, heads + 2 * shape_.kv_heads,
                                     rotated(), shape_.head_dim, position, length, cosine, sine, split + i * size);
  });
  ParallelTasks(threads_, sequences * heads, [&](int64_t task, int thread) {
    const int64_t i = task / heads;
    const int64_t head = task % heads;
    ForwardHead(scratch_[thread], HeadOf(split + i * size, length, head), starts + i * length, length,
                out + (i * length * heads + head) * shape_.head_dim, log_sum + task * length);
  });
}

// One query head: d_q, and d_k and d_v added to s.d_k and s.d_v.
template <typename T>
void Attention<T>::BackwardHead(Scratch& s, const Head& in, const T* d_out, const float* delta, const float* log_sum,
                                const int32_t* starts, int64_t length, T* d_q) {
  const int64_t dim = shape_.head_dim;
  for (int64_t begin = 0; begin < length; begin += kQueryRows) {
    const Block b = PlanBlock(s, starts, begin, length);
    const Matrix<const T> q{in.q + begin * dim, dim};
    const Matrix<const T> d{d_out + begin * dim, dim};
    const T* k = in.k + b.key_begin * dim;
    const T* v = in.v + b.key_begin * dim;
    s.products.Run(b.rows, b.key_count, dim, q, Matrix<const T>{k, dim, true},
                   Matrix<float>{s.scores.data(), b.stride});
    s.products.Run(b.rows, b.key_count, dim, d, Matrix<const T>{v, dim, true}, Matrix<float>{s.d_p.data(), b.stride});
    FastElementwise<T>().attention_softmax_backward(s.scores.data(), s.d_p.data(), s.first.data(), s.last.data(),
                                                    log_sum + begin, delta + begin, b.rows, b.key_count, b.stride,
                                                    scale_, shape_.cap, s.p.data(), s.d_s.data());
    s.products.Run(b.rows, dim, b.key_count, Matrix<const T>{s.d_s.data(), b.stride}, Matrix<const T>{k, dim},
                   Matrix<T>{d_q + begin * dim, dim});
    s.products.Run(b.key_count, dim, b.rows, Matrix<const T>{s.d_s.data(), b.stride, true}, q,
                   Matrix<float>{s.d_k.data() + b.key_begin * dim, dim}, true);
    s.products.Run(b.key_count, dim, b.rows, Matrix<const T>{s.p.data(), b.stride, true}, d,
                   Matrix<float>{s.d_v.data() + b.key_begin * dim, dim}, true);
  }
}

template <typename T>
void Attention<T>::Backward(const T* d_out, const T* out, const T* split, const float* log_sum, const int32_t* starts,
                            const float* cosine, const float* sine, int64_t sequences, int64_t length, T* d_qkv) {
  const Elementwise<T>& fast = FastElementwise<T>();
  const int64_t heads = shape_.heads;
  const int64_t dim = shape_.head_dim;
  const int64_t group = heads / shape_.kv_heads;
  const int64_t size = length * columns();
  const int64_t out_size = length * heads * dim;
  ForRows(threads_, sequences, length, [&](int64_t i, int64_t position, int64_t rows) {
    const int64_t at = i * out_size + position * heads * dim;
    fast.split_heads(d_out + at, rows, heads, 0, dim, position, length, cosine, sine,
                     d_out_split_.data() + i * out_size);
    for (int64_t r = 0; r < rows; ++r) {
      float sums[256];
      for (int64_t first = 0; first < heads; first += 256) {
        const int64_t count = std::min<int64_t>(256, heads - first);
        const int64_t row = at + (r * heads + first) * dim;
        fast.row_dots(d_out + row, dim, out + row, dim, count, dim, sums);
        for (int64_t h = 0; h < count; ++h) delta_[(i * heads + first + h) * length + position + r] = sums[h];
      }
    }
  });
  ParallelTasks(threads_, sequences * shape_.kv_heads, [&](int64_t task, int thread) {
    Scratch& s = scratch_[thread];
    const int64_t i = task / shape_.kv_heads;
    const int64_t kv_head = task % shape_.kv_heads;
    T* d_split = d_split_.data() + i * size;
    std::fill_n(s.d_k.data(), length * dim, 0.0f);
    std::fill_n(s.d_v.data(), length * dim, 0.0f);
    for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      const int64_t row = i * heads + head;
      BackwardHead(s, HeadOf(split + i * size, length, head), d_out_split_.data() + row * length * dim,
                   delta_.data() + row * length, log_sum + row * length, starts + i * length, length,
                   d_split + head * length * dim);
    }
    T* d_k = d_split + (heads + kv_head) * length * dim;
    fast.store_rows(s.d_k.data(), nullptr, 1, length * dim, length * dim, d_k);
    fast.store_rows(s.d_v.data(), nullptr, 1, length * dim, length * dim, d_k + shape_.kv_heads * length * dim);
  });
  ForRows(threads_, sequences, length, [&](int64_t i, int64_t position, int64_t rows) {
    fast.merge_heads(d_split_.data() + i * size, rows, heads + 2 * shape_.kv_heads, rotated(), dim, position, length,
                     cosine, sine, d_qkv + i * size + position * columns());
  });
}

template class Attention<float>;
template class Attention<Bf16>;

}  // namespace rhodes
