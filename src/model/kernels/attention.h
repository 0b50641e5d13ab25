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
};

// Shapes: B sequences of T positions; a row of `qkv` is [heads | kv_heads | kv_heads] × head_dim, a row of `out`
// heads × head_dim; log_sum is [B, heads, T].
//
// Works on one head of one sequence at a time: queries, keys and values are copied together (and turned by their rotary
// positions on the way), then taken in blocks of query rows that fit the second-level cache; key blocks that lie wholly
// after a query block or before its documents are skipped. So the [T, T] matrix never goes to memory. Copying costs a
// tenth of what it saves: products on rows that lie apart take twice the time.
//
// starts[t] is the first position (inside its sequence) that position t may attend to; it must not decrease with t and
// must not exceed t. The rotary tables are [T, head_dim / 2].
template <typename T>
class Attention {
 public:
  Attention(const AttentionShape& shape, int threads);

  void Forward(const T* qkv, const int32_t* starts, const float* cosine, const float* sine, int64_t sequences,
               int64_t length, T* out, float* log_sum);
  // d_qkv is written wholly.
  void Backward(const T* d_out, const T* out, const T* qkv, const float* log_sum, const int32_t* starts,
                const float* cosine, const float* sine, int64_t sequences, int64_t length, T* d_qkv);

  const absl::Status& status() const;

 private:
  struct Call {  // what one Forward or Backward works on
    const T* qkv;
    const int32_t* starts;
    const float* cosine;
    const float* sine;
    int64_t length;
  };
  struct Scratch {  // of one thread
    Products products{1};
    Buffer<T> q, k, v, d_out;          // [T, head_dim]
    Buffer<float> scores, d_p;         // [kQueryRows, T]
    Buffer<T> p, d_s;                  // [kQueryRows, T]
    Buffer<float> result, d_k, d_v;    // [T, head_dim]
    Buffer<float> inverse_sum, delta;  // [kQueryRows]
    std::vector<int32_t> first, last;  // [kQueryRows]
  };
  struct Block {
    int64_t begin, rows;           // queries
    int64_t key_begin, key_count;  // keys they can see, rounded out to whole blocks
    int64_t stride;                // of the score rows
  };
  Block PlanBlock(Scratch& scratch, const int32_t* starts, int64_t begin, int64_t length) const;
  // Copies one head's rows together; turned by `call`'s tables when `rotated`.
  void Collect(const Call& call, int64_t column, bool rotated, T* to) const;
  void ForwardHead(Scratch& scratch, const Call& call, int64_t head, T* out, float* log_sum);
  void BackwardGroup(Scratch& scratch, const Call& call, const T* d_out, const T* out, const float* log_sum,
                     int64_t kv_head, T* d_qkv);
  void BackwardHead(Scratch& scratch, const Call& call, const T* out, const float* log_sum, int64_t head);
  int64_t stride() const { return (shape_.heads + 2 * shape_.kv_heads) * shape_.head_dim; }

  AttentionShape shape_;
  int threads_;
  float scale_;
  std::vector<Scratch> scratch_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_KERNELS_ATTENTION_H_
