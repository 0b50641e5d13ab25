#include "model/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "model/kernels/elementwise.h"
#include "model/kernels/threads.h"

namespace rhodes {
namespace {

constexpr int64_t kQueryRows = 128;

}  // namespace

template <typename T>
Attention<T>::Attention(const AttentionShape& shape, int threads)
    : shape_(shape), threads_(threads), scale_(1.0f / std::sqrt(static_cast<float>(shape.head_dim))) {
  const int64_t rows = std::min(kQueryRows, shape.max_context);
  for (int i = 0; i < threads; ++i) {
    Scratch& s = scratch_.emplace_back();
    s.scores = Buffer<float>(rows * shape.max_context);
    s.d_p = Buffer<float>(rows * shape.max_context);
    s.p = Buffer<T>(rows * shape.max_context);
    s.d_s = Buffer<T>(rows * shape.max_context);
    s.d_k = Buffer<float>(shape.max_context * shape.head_dim);
    s.d_v = Buffer<float>(shape.max_context * shape.head_dim);
    s.delta = Buffer<float>(rows);
    s.first.resize(rows);
    s.last.resize(rows);
  }
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
  for (int64_t r = 0; r < block.rows; ++r) {
    scratch.first[r] = static_cast<int32_t>(starts[begin + r] - block.key_begin);
    scratch.last[r] = static_cast<int32_t>(begin + r - block.key_begin);
  }
  return block;
}

template <typename T>
void Attention<T>::ForwardHead(Scratch& scratch, const T* qkv, const int32_t* starts, int64_t length, int64_t head,
                               T* out, float* log_sum) {
  const int64_t dim = shape_.head_dim;
  const int64_t stride = (shape_.heads + 2 * shape_.kv_heads) * dim;
  const int64_t out_stride = shape_.heads * dim;
  const int64_t kv_head = head / (shape_.heads / shape_.kv_heads);
  const T* q = qkv + head * dim;
  const T* k = qkv + (shape_.heads + kv_head) * dim;
  const T* v = k + shape_.kv_heads * dim;
  for (int64_t begin = 0; begin < length; begin += kQueryRows) {
    const Block b = PlanBlock(scratch, starts, begin, length);
    scratch.products.Run(b.rows, b.key_count, dim, Matrix<const T>{q + begin * stride, stride},
                         Matrix<const T>{k + b.key_begin * stride, stride, true},
                         Matrix<float>{scratch.scores.data(), b.key_count});
    FastElementwise<T>().attention_softmax_forward(scratch.scores.data(), scratch.first.data(), scratch.last.data(),
                                                   b.rows, b.key_count, scale_, scratch.p.data(), log_sum + begin);
    scratch.products.Run(b.rows, dim, b.key_count, Matrix<const T>{scratch.p.data(), b.key_count},
                         Matrix<const T>{v + b.key_begin * stride, stride},
                         Matrix<T>{out + begin * out_stride + head * dim, out_stride});
  }
}

template <typename T>
void Attention<T>::Forward(const T* qkv, const int32_t* starts, int64_t sequences, int64_t length, T* out,
                           float* log_sum) {
  const int64_t heads = shape_.heads;
  const int64_t stride = (heads + 2 * shape_.kv_heads) * shape_.head_dim;
  ParallelTasks(threads_, sequences * heads, [&](int64_t task, int thread) {
    const int64_t sequence = task / heads;
    const int64_t head = task % heads;
    ForwardHead(scratch_[thread], qkv + sequence * length * stride, starts + sequence * length, length, head,
                out + sequence * length * heads * shape_.head_dim, log_sum + task * length);
  });
}

template <typename T>
void Attention<T>::BackwardGroup(Scratch& scratch, const T* d_out, const T* out, const T* qkv, const float* log_sum,
                                 const int32_t* starts, const float* cosine, const float* sine, int64_t length,
                                 int64_t kv_head, T* d_qkv) {
  const Elementwise<T>& fast = FastElementwise<T>();
  const int64_t dim = shape_.head_dim;
  const int64_t stride = (shape_.heads + 2 * shape_.kv_heads) * dim;
  const int64_t out_stride = shape_.heads * dim;
  const int64_t group = shape_.heads / shape_.kv_heads;
  const int64_t k_at = (shape_.heads + kv_head) * dim;
  const int64_t v_at = k_at + shape_.kv_heads * dim;
  std::fill_n(scratch.d_k.data(), length * dim, 0.0f);
  std::fill_n(scratch.d_v.data(), length * dim, 0.0f);
  for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
    for (int64_t begin = 0; begin < length; begin += kQueryRows) {
      const Block b = PlanBlock(scratch, starts, begin, length);
      const Matrix<const T> q{qkv + begin * stride + head * dim, stride};
      const T* d_out_rows = d_out + begin * out_stride + head * dim;
      fast.row_dots(d_out_rows, out + begin * out_stride + head * dim, b.rows, out_stride, dim, scratch.delta.data());
      scratch.products.Run(b.rows, b.key_count, dim, q,
                           Matrix<const T>{qkv + b.key_begin * stride + k_at, stride, true},
                           Matrix<float>{scratch.scores.data(), b.key_count});
      scratch.products.Run(b.rows, b.key_count, dim, Matrix<const T>{d_out_rows, out_stride},
                           Matrix<const T>{qkv + b.key_begin * stride + v_at, stride, true},
                           Matrix<float>{scratch.d_p.data(), b.key_count});
      fast.attention_softmax_backward(scratch.scores.data(), scratch.d_p.data(), scratch.first.data(),
                                      scratch.last.data(), log_sum + head * length + begin, scratch.delta.data(),
                                      b.rows, b.key_count, scale_, scratch.p.data(), scratch.d_s.data());
      scratch.products.Run(b.rows, dim, b.key_count, Matrix<const T>{scratch.d_s.data(), b.key_count},
                           Matrix<const T>{qkv + b.key_begin * stride + k_at, stride},
                           Matrix<T>{d_qkv + begin * stride + head * dim, stride});
      scratch.products.Run(b.key_count, dim, b.rows, Matrix<const T>{scratch.d_s.data(), b.key_count, true}, q,
                           Matrix<float>{scratch.d_k.data() + b.key_begin * dim, dim}, true);
      scratch.products.Run(b.key_count, dim, b.rows, Matrix<const T>{scratch.p.data(), b.key_count, true},
                           Matrix<const T>{d_out_rows, out_stride},
                           Matrix<float>{scratch.d_v.data() + b.key_begin * dim, dim}, true);
    }
    fast.rotate(d_qkv + head * dim, length, stride, 1, dim, 0, cosine, sine, true);
  }
  fast.store_rows(scratch.d_k.data(), length, dim, stride, d_qkv + k_at);
  fast.store_rows(scratch.d_v.data(), length, dim, stride, d_qkv + v_at);
  fast.rotate(d_qkv + k_at, length, stride, 1, dim, 0, cosine, sine, true);
}

template <typename T>
void Attention<T>::Backward(const T* d_out, const T* out, const T* qkv, const float* log_sum, const int32_t* starts,
                            const float* cosine, const float* sine, int64_t sequences, int64_t length, T* d_qkv) {
  const int64_t stride = (shape_.heads + 2 * shape_.kv_heads) * shape_.head_dim;
  const int64_t out_size = length * shape_.heads * shape_.head_dim;
  ParallelTasks(threads_, sequences * shape_.kv_heads, [&](int64_t task, int thread) {
    const int64_t s = task / shape_.kv_heads;
    BackwardGroup(scratch_[thread], d_out + s * out_size, out + s * out_size, qkv + s * length * stride,
                  log_sum + s * shape_.heads * length, starts + s * length, cosine, sine, length,
                  task % shape_.kv_heads, d_qkv + s * length * stride);
  });
}

template class Attention<float>;
template class Attention<Bf16>;

}  // namespace rhodes
