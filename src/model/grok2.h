// The Grok-2 architecture: a mixture of experts beside a dense layer, four norms a block, soft caps.
//
//   x = embedding_multiplier · E[token]
//   h = x + norm(Attention(norm(x)))
//   y = h + norm((MLP(z) + Σ_k share_k · Expert_k(z)) / √2)     with z = norm(h), MLP and experts gated with tanh-GELU
//   logits = 50 · tanh(output_multiplier · W · norm(y) / 50)
//
// Attention has grouped queries, rotary positions without scaling (rotate-half, all of head_dim) and scores
// 30 · tanh(q·k / √head_dim / 30). No biases, no QK-norm. The caps are the config's.
//
// The released programs disagree on the router, and config.router says which of them is followed:
//   kLlamaCpp (the default)  p = softmax(W z), the shares of the two likeliest divided by their sum; the config's
//                            router cap is read and written but not computed. Exactly what llama.cpp computes for the
//                            same file, so a model trained so is exported without loss.
//   kSglang                  p = softmax(30 · tanh(W z / 30)), shares not divided: what SGLang computes.
// The two agree only where every expert is chosen. Neither the temperature of positions beyond attn_temperature_len nor
// YaRN is computed: llama.cpp loads the first and leaves it out, and SGLang and vLLM read the file's rope_type
// "original" as no scaling (so an export writes no rope.scaling keys).
#ifndef RHODES_MODEL_GROK2_H_
#define RHODES_MODEL_GROK2_H_

#include <memory>

#include "model/model.h"

namespace rhodes {

// As Model::Create and Model::MemoryBytes, for a valid `config` of this architecture; may throw std::bad_alloc.
std::unique_ptr<Model> CreateGrok2(const ModelConfig& config, const ModelOptions& options);
uint64_t Grok2MemoryBytes(const ModelConfig& config, const ModelOptions& options);

}  // namespace rhodes

#endif  // RHODES_MODEL_GROK2_H_
