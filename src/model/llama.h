// The Llama architecture: RMSNorm, rotary positions, grouped-query attention, SwiGLU.
//
// Same mathematics as Hugging Face's LlamaForCausalLM (rotate-half rotary positions, no biases), so weights pass
// between the two unchanged.
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
