// A decoder in a GGUF file as llama.cpp reads it: keys of the configuration, names and order of the weights.
//
// Families and llama.cpp's architectures: llama and mistral are "llama", qwen2 and qwen3 bear their own names, grok2 is
// "grok". llama.cpp's "llama" turns neighbouring pairs of a head's values (2i, 2i + 1) where Hugging Face's turns i and
// i + head_dim/2: there the rows of the query and key projections are stored in another order. Experts of a layer are
// one tensor. Sources: llama.cpp, src/llama-arch.cpp and src/models/*.cpp (names, keys and defaults), conversion/
// (llama.py: order of rows, Llama 3's rotary factors).
#ifndef RHODES_MODEL_GGUF_MODEL_H_
#define RHODES_MODEL_GGUF_MODEL_H_

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/config.h"
#include "model/gguf.h"
#include "model/weight_source.h"

namespace rhodes {

// general.architecture of such a model: "llama", "qwen2", "qwen3", "grok".
std::string GgufArchitecture(const ModelConfig& config);

// Adds `general.*` and the architecture's keys. `name` is general.name. Returns where llama.cpp computes something else
// than this program, a sentence each. INVALID_ARGUMENT for what llama.cpp's architecture cannot be told.
absl::StatusOr<std::vector<std::string>> AddGgufConfig(const ModelConfig& config, const std::string& name,
                                                       GgmlType type, GgufWriter& writer);

// The configuration that the keys state; torch_dtype is that of the embedding ("float32" for f32 and q8_0).
// INVALID_ARGUMENT "`file`: ..." for an architecture or a setting that is not computed here.
absl::StatusOr<ModelConfig> ReadGgufConfig(const GgufFile& file);

// Adds the weights of `config` in the order of the forward pass. Matrices are stored as `type`; vectors, a mixture's
// router, and matrices whose rows are not whole blocks of q8_0 as f32. `source` is read when the writer writes.
// NOT_FOUND and INVALID_ARGUMENT for a weight that is missing or of another shape, here; NaN and infinity are found
// when writing.
absl::Status AddGgufWeights(const ModelConfig& config, const std::shared_ptr<const WeightSource>& source, GgmlType type,
                            GgufWriter& writer);

// The file's weights under their Hugging Face names, in Hugging Face's order of rows. INVALID_ARGUMENT for a tensor of
// the file that the configuration has no use for: it would be left out of what is computed.
absl::StatusOr<std::unique_ptr<WeightSource>> OpenGgufWeights(GgufFile file, const ModelConfig& config);

// By how much Llama 3's scaling slows each of head_dim / 2 rotary frequencies: the tensor rope_freqs.weight.
std::vector<float> Llama3RotaryFactors(const ModelConfig& config);
inline constexpr char kRotaryFactorsTensor[] = "rope_freqs.weight";

}  // namespace rhodes

#endif  // RHODES_MODEL_GGUF_MODEL_H_
