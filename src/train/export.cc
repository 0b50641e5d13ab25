#include "train/export.h"

#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/manifest.h"
#include "model/model_files.h"
#include "model/safetensors.h"
#include "token/tokenizer_file.h"

namespace rhodes {
namespace {

absl::Status ExportWeights(Model& model, const std::string& directory) {
  const bool low = model.options().compute == ComputeType::kBf16;
  const std::span<const float> weights = model.weights();
  std::vector<uint16_t> rounded;
  if (low) {
    rounded.resize(weights.size());
    for (size_t i = 0; i < weights.size(); ++i) rounded[i] = FloatToBf16(weights[i]);
  }
  std::vector<NamedTensor> tensors;
  for (const Parameter& parameter : model.layout().parameters()) {
    const size_t width = low ? sizeof(uint16_t) : sizeof(float);
    const char* base =
        low ? reinterpret_cast<const char*>(rounded.data()) : reinterpret_cast<const char*>(weights.data());
    const std::string_view bytes(base + static_cast<size_t>(parameter.offset) * width,
                                 static_cast<size_t>(parameter.size()) * width);
    tensors.push_back({parameter.name, {low ? DType::kBf16 : DType::kF32, parameter.shape(), bytes}});
  }
  return WriteModelFiles(directory, std::move(tensors), {{"format", "pt"}});
}

}  // namespace

absl::Status ExportModel(Model& model, const Tokenizer& tokenizer, const std::string& tokenizer_path,
                         const std::string& directory) {
  const auto write = [&](const char* name, const Json& json) {
    return WriteFileAtomically(directory + "/" + name, DumpJson(json, 2) + "\n");
  };
  ModelConfig config = model.config();
  config.bos_id = config.eos_id = tokenizer.end_of_text();
  config.torch_dtype = model.options().compute == ComputeType::kBf16 ? "bfloat16" : "float32";
  RETURN_IF_ERROR(write("config.json", config.ToJson()));
  RETURN_IF_ERROR(ExportWeights(model, directory));
  ASSIGN_OR_RETURN(const std::string tokenizer_json, ReadFile(tokenizer_path));
  RETURN_IF_ERROR(WriteFileAtomically(directory + "/tokenizer.json", tokenizer_json));
  const std::string end(tokenizer.TokenBytes(tokenizer.end_of_text()));
  RETURN_IF_ERROR(write("tokenizer_config.json", Json{{"tokenizer_class", "PreTrainedTokenizerFast"},
                                                      {"bos_token", end},
                                                      {"eos_token", end},
                                                      {"pad_token", end},
                                                      {"add_bos_token", true},
                                                      {"model_max_length", config.max_positions},
                                                      {"clean_up_tokenization_spaces", false},
                                                      {"chat_template", PlainChatTemplate()}}));
  return write("generation_config.json", Json{{"bos_token_id", config.bos_id},
                                              {"eos_token_id", config.eos_id},
                                              {"pad_token_id", config.eos_id},
                                              {"do_sample", true},
                                              {"temperature", 0.8},
                                              {"top_k", 40},
                                              {"max_length", config.max_positions}});
}

absl::Status LoadWeights(const std::string& directory, Model& model) {
  ASSIGN_OR_RETURN(const ModelFiles files, ModelFiles::Open(directory));
  return ReadWeights(files.reader(), model);
}

}  // namespace rhodes
