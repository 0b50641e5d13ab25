// Tables of rotary positions, with the scalings of transformers.
#ifndef RHODES_MODEL_LAYERS_ROTARY_H_
#define RHODES_MODEL_LAYERS_ROTARY_H_

#include <cstdint>
#include <vector>

#include "model/config.h"
#include "model/kernels/buffer.h"

namespace rhodes {

// Angles a position, [head_dim / 2], as transformers' modeling_rope_utils computes them (there in f32, here in f64).
std::vector<double> RotaryFrequencies(const ModelConfig& config);

// cos and sin of position · frequency, times the scaling's attention factor: [positions, head_dim / 2] each. May throw
// std::bad_alloc.
struct RotaryTables {
  RotaryTables(const ModelConfig& config, int64_t positions);
  Buffer<float> cosine, sine;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_LAYERS_ROTARY_H_
