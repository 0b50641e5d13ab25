// The Llama architecture: RMSNorm before each part, rotary positions, grouped-query attention, SwiGLU.
//
//   h = x + Attention(norm(x))        y = h + down(silu(gate(norm(h))) · up(norm(h)))
//
// Same mathematics as Hugging Face's LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM and Qwen3ForCausalLM
// (rotate-half rotary positions with their scalings, biases, QK-norm, sliding window), so weights pass between the two
// unchanged.
#ifndef RHODES_MODEL_LLAMA_H_
#define RHODES_MODEL_LLAMA_H_

#include <memory>

#include "model/model.h"

namespace rhodes {

// As Model::Create and Model::MemoryBytes, for a valid `config` of this architecture; may throw std::bad_alloc.
std::unique_ptr<Model> CreateLlama(const ModelConfig& config, const ModelOptions& options);
uint64_t LlamaMemoryBytes(const ModelConfig& config, const ModelOptions& options);

}  // namespace rhodes

#endif  // RHODES_MODEL_LLAMA_H_
