// Models in and out: to a GGUF file or a folder in Hugging Face's layout, and from either.
#ifndef RHODES_EXCHANGE_EXCHANGE_H_
#define RHODES_EXCHANGE_EXCHANGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "model/gguf.h"

namespace rhodes {

struct ExchangeReport {
  std::string written;  // file or folder
  std::string architecture;
  int64_t parameters = 0;
  uint64_t bytes = 0;              // of the weights' file
  uint32_t tokens = 0;             // of the tokenizer
  std::vector<std::string> notes;  // where llama.cpp tokenizes or computes otherwise
};
Json ToJson(const ExchangeReport& report);

// "f32", "bf16", "q8_0". UsageError naming them otherwise.
absl::StatusOr<GgmlType> ParseGgufWeightType(const std::string& name);

// Writes the model in the folder `model` (or the GGUF file) as one GGUF file that llama.cpp reads; it appears when
// whole. Everything is checked before the first byte is written, but for NaN and infinity, which are found on the way.
// Errors name the file and the key, tensor or token.
absl::StatusOr<ExchangeReport> ExportGguf(const std::string& model, const std::string& file, GgmlType type);

// Writes the model at `from` (a GGUF file, or a folder in Hugging Face's layout, its weights in one file or several) as
// a model folder: config.json, model.safetensors, tokenizer.json, tokenizer_config.json, generation_config.json. Of a
// folder all but the weights are copied as they are; the weights keep their types (q8_0 becomes f32). `out` appears
// when whole. INVALID_ARGUMENT when `out` is `from`.
absl::StatusOr<ExchangeReport> ImportModel(const std::string& from, const std::string& out);

}  // namespace rhodes

#endif  // RHODES_EXCHANGE_EXCHANGE_H_
