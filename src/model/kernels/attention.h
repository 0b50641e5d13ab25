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
// Works on blocks of query rows that fit the second-level cache, one (sequence, key-value head) a task; key blocks that
// lie wholly after a query block or before its documents are skipped, so the [T, T] matrix never goes to memory.
// starts[t] is the first position (inside its sequence) that position t may attend to; it must not decrease with t and
// must not exceed t.
template <typename T>
class Attention {
 public:
  Attention(const AttentionShape& shape, int threads);

  void Forward(const T* qkv, const int32_t* starts, int64_t sequences, int64_t length, T* out, float* log_sum);
  // d_qkv is written wholly. Turns d_q and d_k back by the rotary tables [T, head_dim / 2] on the way: they are at
  // hand.
  void Backward(const T* d_out, const T* out, const T* qkv, const float* log_sum, const int32_t* starts,
                const float* cosine, const float* sine, int64_t sequences, int64_t length, T* d_qkv);

  const absl::Status& status() const;

 private:
  struct Scratch {  // of one thread
    Products products{1};
    Buffer<float> scores, d_p;  // [kQueryRows, T]
    Buffer<T> p, d_s;           // [kQueryRows, T]
    Buffer<float> d_k, d_v;     // [T, head_dim]
    Buffer<float> delta;
    std::vector<int32_t> first, last;
  };
  struct Block {
    int64_t begin, rows;           // queries
    int64_t key_begin, key_count;  // keys they can see, rounded out to whole blocks
  };
  Block PlanBlock(Scratch& scratch, const int32_t* starts, int64_t begin, int64_t length) const;
  void ForwardHead(Scratch& scratch, const T* qkv, const int32_t* starts, int64_t length, int64_t head, T* out,
                   float* log_sum);
  void BackwardGroup(Scratch& scratch, const T* d_out, const T* out, const T* qkv, const float* log_sum,
                     const int32_t* starts, const float* cosine, const float* sine, int64_t length, int64_t kv_head,
                     T* d_qkv);

  AttentionShape shape_;
  int threads_;
  float scale_;
  std::vector<Scratch> scratch_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_KERNELS_ATTENTION_H_
