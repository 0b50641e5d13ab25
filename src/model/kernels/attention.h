// Causal attention inside documents, forward and backward, over packed query-key-value rows.
#ifndef RHODES_MODEL_KERNELS_ATTENTION_H_
#define RHODES_MODEL_KERNELS_ATTENTION_H_

#include <cstdint>
#include <vector>

#include "model/kernels/buffer.h"
#include "model/kernels/product.h"

namespace rhodes {

struct AttentionShape {
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
  int64_t max_context;
  float cap = 0;  // scores become cap · tanh(score / cap); 0: they stay
};

// Shapes: B sequences of T positions; a row of `qkv` is [heads | kv_heads | kv_heads] × head_dim, a row of `out`
// heads × head_dim; log_sum is [B, heads, T].
//
// Between the calls the rows of a sequence stand head by head, [heads + 2 · kv_heads, T, head_dim], turned by their
// rotary positions: `split` holds them from Forward for Backward. One head of one sequence is worked on at a time, in
// blocks of query rows that fit the second-level cache; key blocks that lie wholly after a query block or before its
// documents are skipped. So the [T, T] matrix never goes to memory.
//
// starts[t] is the first position (inside its sequence) that position t may attend to; it must not decrease with t and
// must not exceed t. The rotary tables are [T, head_dim / 2].
template <typename T>
class Attention {
 public:
  // `max_rows`: most B·T of any call. Without `training` there is no memory for Backward.
  Attention(const AttentionShape& shape, int64_t max_rows, bool training, int threads);
  // Bytes of the threads' scratch, which does not grow with the rows.
  static uint64_t ScratchBytes(const AttentionShape& shape, bool training, int threads);

  void Forward(const T* qkv, const int32_t* starts, const float* cosine, const float* sine, int64_t sequences,
               int64_t length, T* split, T* out, float* log_sum);
  // d_qkv is written wholly.
  void Backward(const T* d_out, const T* out, const T* split, const float* log_sum, const int32_t* starts,
                const float* cosine, const float* sine, int64_t sequences, int64_t length, T* d_qkv);

  const absl::Status& status() const;

 private:
  struct Scratch {  // of one thread
    Products products{1};
    Buffer<float> scores, d_p;         // [kQueryRows, T]
    Buffer<T> p, d_s;                  // [kQueryRows, T]
    Buffer<float> result;              // [kQueryRows, head_dim]
    Buffer<float> d_k, d_v;            // [T, head_dim]
    Buffer<float> inverse_sum;         // [kQueryRows]
    std::vector<int32_t> first, last;  // [kQueryRows]
  };
  struct Head {  // [T, head_dim] each
    const T* q;
    const T* k;
    const T* v;
  };
  struct Block {
    int64_t begin, rows;           // queries
    int64_t key_begin, key_count;  // keys they can see, rounded out to whole blocks
    int64_t stride;                // of the score rows
  };
  int64_t columns() const { return (shape_.heads + 2 * shape_.kv_heads) * shape_.head_dim; }
  int64_t rotated() const { return shape_.heads + shape_.kv_heads; }
  Head HeadOf(const T* split, int64_t length, int64_t head) const;
  Block PlanBlock(Scratch& scratch, const int32_t* starts, int64_t begin, int64_t length) const;
  void ForwardHead(Scratch& scratch, const Head& in, const int32_t* starts, int64_t length, T* out, float* log_sum);
  void BackwardHead(Scratch& scratch, const Head& in, const T* d_out, const float* delta, const float* log_sum,
                    const int32_t* starts, int64_t length, T* d_q);

  AttentionShape shape_;
  int threads_;
  float scale_;
  std::vector<Scratch> scratch_;
  Buffer<T> d_split_;      // as split
  Buffer<T> d_out_split_;  // [heads, T, head_dim] of each sequence
  Buffer<float> delta_;    // [heads, T] of each sequence
};

}  // namespace rhodes

#endif  // RHODES_MODEL_KERNELS_ATTENTION_H_
