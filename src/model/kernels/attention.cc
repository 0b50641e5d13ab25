#include "model/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/kernels/elementwise.h"
#include "model/kernels/threads.h"

namespace rhodes {
namespace {

constexpr int64_t kQueryRows = 128;

// Score rows begin at multiples of a vector, so that the softmax may work on whole vectors.
int64_t RoundUp(int64_t columns) { return (columns + 15) / 16 * 16; }

}  // namespace

template <typename T>
Attention<T>::Attention(const AttentionShape& shape, int threads)
    : shape_(shape), threads_(threads), scale_(1.0f / std::sqrt(static_cast<float>(shape.head_dim))) {
  const int64_t rows = std::min(kQueryRows, shape.max_context);
  const int64_t square = rows * RoundUp(shape.max_context);
  const int64_t head = shape.max_context * shape.head_dim;
  for (int i = 0; i < threads; ++i) {
    Scratch& s = scratch_.emplace_back();
    for (Buffer<T>* buffer : {&s.q, &s.k, &s.v, &s.d_out}) *buffer = Buffer<T>(head);
    for (Buffer<float>* buffer : {&s.result, &s.d_k, &s.d_v}) *buffer = Buffer<float>(head);
    for (Buffer<float>* buffer : {&s.scores, &s.d_p}) *buffer = Buffer<float>(square);
    for (Buffer<T>* buffer : {&s.p, &s.d_s}) *buffer = Buffer<T>(square);
    for (Buffer<float>* buffer : {&s.inverse_sum, &s.delta}) *buffer = Buffer<float>(rows);
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
  block.stride = RoundUp(block.key_count);
  for (int64_t r = 0; r < block.rows; ++r) {
    scratch.first[r] = static_cast<int32_t>(starts[begin + r] - block.key_begin);
    scratch.last[r] = static_cast<int32_t>(begin + r - block.key_begin);
  }
  return block;
}

template <typename T>
void Attention<T>::Collect(const Call& call, int64_t column, bool rotated, T* to) const {
  const int64_t dim = shape_.head_dim;
  const T* from = call.qkv + column;
  if (rotated) {
    FastElementwise<T>().rotate_rows(from, stride(), call.length, dim, call.cosine, call.sine, false, to, dim);
    return;
  }
  for (int64_t r = 0; r < call.length; ++r) std::memcpy(to + r * dim, from + r * stride(), dim * sizeof(T));
}

template <typename T>
void Attention<T>::ForwardHead(Scratch& s, const Call& call, int64_t head, T* out, float* log_sum) {
  const Elementwise<T>& fast = FastElementwise<T>();
  const int64_t dim = shape_.head_dim;
  const int64_t out_stride = shape_.heads * dim;
  const int64_t k_at = (shape_.heads + head / (shape_.heads / shape_.kv_heads)) * dim;
  Collect(call, head * dim, true, s.q.data());
  Collect(call, k_at, true, s.k.data());
  Collect(call, k_at + shape_.kv_heads * dim, false, s.v.data());
  for (int64_t begin = 0; begin < call.length; begin += kQueryRows) {
    const Block b = PlanBlock(s, call.starts, begin, call.length);
    s.products.Run(b.rows, b.key_count, dim, Matrix<const T>{s.q.data() + begin * dim, dim},
                   Matrix<const T>{s.k.data() + b.key_begin * dim, dim, true},
                   Matrix<float>{s.scores.data(), b.stride});
    fast.attention_softmax_forward(s.scores.data(), s.first.data(), s.last.data(), b.rows, b.key_count, b.stride,
                                   scale_, s.p.data(), s.inverse_sum.data(), log_sum + begin);
    s.products.Run(b.rows, dim, b.key_count, Matrix<const T>{s.p.data(), b.stride},
                   Matrix<const T>{s.v.data() + b.key_begin * dim, dim}, Matrix<float>{s.result.data(), dim});
    fast.store_rows(s.result.data(), s.inverse_sum.data(), b.rows, dim, out_stride,
                    out + begin * out_stride + head * dim);
  }
}

template <typename T>
void Attention<T>::Forward(const T* qkv, const int32_t* starts, const float* cosine, const float* sine,
                           int64_t sequences, int64_t length, T* out, float* log_sum) {
  const int64_t heads = shape_.heads;
  ParallelTasks(threads_, sequences * heads, [&](int64_t task, int thread) {
    const int64_t sequence = task / heads;
    const Call call{qkv + sequence * length * stride(), starts + sequence * length, cosine, sine, length};
    ForwardHead(scratch_[thread], call, task % heads, out + sequence * length * heads * shape_.head_dim,
                log_sum + task * length);
  });
}

// One query head: d_q into s.result, d_k and d_v added to s.d_k and s.d_v. s.q, s.k, s.v and s.d_out are collected.
template <typename T>
void Attention<T>::BackwardHead(Scratch& s, const Call& call, const T* out, const float* log_sum, int64_t head) {
  const Elementwise<T>& fast = FastElementwise<T>();
  const int64_t dim = shape_.head_dim;
  const int64_t out_stride = shape_.heads * dim;
  for (int64_t begin = 0; begin < call.length; begin += kQueryRows) {
    const Block b = PlanBlock(s, call.starts, begin, call.length);
    const Matrix<const T> q{s.q.data() + begin * dim, dim};
    const Matrix<const T> d_out{s.d_out.data() + begin * dim, dim};
    const T* k = s.k.data() + b.key_begin * dim;
    fast.row_dots(d_out.data, dim, out + begin * out_stride + head * dim, out_stride, b.rows, dim, s.delta.data());
    s.products.Run(b.rows, b.key_count, dim, q, Matrix<const T>{k, dim, true},
                   Matrix<float>{s.scores.data(), b.stride});
    s.products.Run(b.rows, b.key_count, dim, d_out, Matrix<const T>{s.v.data() + b.key_begin * dim, dim, true},
                   Matrix<float>{s.d_p.data(), b.stride});
    fast.attention_softmax_backward(s.scores.data(), s.d_p.data(), s.first.data(), s.last.data(), log_sum + begin,
                                    s.delta.data(), b.rows, b.key_count, b.stride, scale_, s.p.data(), s.d_s.data());
    s.products.Run(b.rows, dim, b.key_count, Matrix<const T>{s.d_s.data(), b.stride}, Matrix<const T>{k, dim},
                   Matrix<float>{s.result.data() + begin * dim, dim});
    s.products.Run(b.key_count, dim, b.rows, Matrix<const T>{s.d_s.data(), b.stride, true}, q,
                   Matrix<float>{s.d_k.data() + b.key_begin * dim, dim}, true);
    s.products.Run(b.key_count, dim, b.rows, Matrix<const T>{s.p.data(), b.stride, true}, d_out,
                   Matrix<float>{s.d_v.data() + b.key_begin * dim, dim}, true);
  }
}

template <typename T>
void Attention<T>::BackwardGroup(Scratch& s, const Call& call, const T* d_out, const T* out, const float* log_sum,
                                 int64_t kv_head, T* d_qkv) {
  const Elementwise<T>& fast = FastElementwise<T>();
  const int64_t dim = shape_.head_dim;
  const int64_t out_stride = shape_.heads * dim;
  const int64_t group = shape_.heads / shape_.kv_heads;
  const int64_t k_at = (shape_.heads + kv_head) * dim;
  const int64_t v_at = k_at + shape_.kv_heads * dim;
  std::fill_n(s.d_k.data(), call.length * dim, 0.0f);
  std::fill_n(s.d_v.data(), call.length * dim, 0.0f);
  Collect(call, k_at, true, s.k.data());
  Collect(call, v_at, false, s.v.data());
  const auto store_turned_back = [&](const float* d, T* to) {
    fast.store_rows(d, nullptr, call.length, dim, stride(), to);
    fast.rotate_rows(to, stride(), call.length, dim, call.cosine, call.sine, true, to, stride());
  };
  for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
    Collect(call, head * dim, true, s.q.data());
    for (int64_t r = 0; r < call.length; ++r) {
      std::memcpy(s.d_out.data() + r * dim, d_out + r * out_stride + head * dim, dim * sizeof(T));
    }
    BackwardHead(s, call, out, log_sum + head * call.length, head);
    store_turned_back(s.result.data(), d_qkv + head * dim);
  }
  store_turned_back(s.d_k.data(), d_qkv + k_at);
  fast.store_rows(s.d_v.data(), nullptr, call.length, dim, stride(), d_qkv + v_at);
}

template <typename T>
void Attention<T>::Backward(const T* d_out, const T* out, const T* qkv, const float* log_sum, const int32_t* starts,
                            const float* cosine, const float* sine, int64_t sequences, int64_t length, T* d_qkv) {
  const int64_t out_size = length * shape_.heads * shape_.head_dim;
  ParallelTasks(threads_, sequences * shape_.kv_heads, [&](int64_t task, int thread) {
    const int64_t i = task / shape_.kv_heads;
    const Call call{qkv + i * length * stride(), starts + i * length, cosine, sine, length};
    BackwardGroup(scratch_[thread], call, d_out + i * out_size, out + i * out_size, log_sum + i * shape_.heads * length,
                  task % shape_.kv_heads, d_qkv + i * length * stride());
  });
}

template class Attention<float>;
template class Attention<Bf16>;

}  // namespace rhodes
