#include "exchange/tokenizer_files.h"

#include <simdjson.h>

#include <optional>

#include "base/file.h"
#include "model/open_model.h"
#include "token/gguf_tokenizer.h"
#include "token/tokenizer_file.h"

namespace rhodes {
namespace {

absl::StatusOr<Json> ReadObject(const std::string& path) {
  if (!PathExists(path)) return Json::object();
  ASSIGN_OR_RETURN(Json json, ReadJsonFile(path));
  if (!json.is_object()) return absl::InvalidArgumentError(fmt::format("{}: not a JSON object", path));
  return json;
}

// The string under `key`; empty when there is none.
std::string TextOf(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The template in tokenizer_config.json: a string, or of several the one named "default".
std::string TemplateOf(const Json& tokenizer_config) {
  const auto found = tokenizer_config.find("chat_template");
  if (found == tokenizer_config.end() || !found->is_array()) return TextOf(tokenizer_config, "chat_template");
  for (const Json& one : *found) {
    if (TextOf(one, "name") == "default") return TextOf(one, "template");
  }
  return "";
}

// Whether a post-processor of tokenizer.json puts a special token before a text; nothing when it says nothing about it.
std::optional<bool> PutsTokenFirst(simdjson::dom::element processor) {
  using simdjson::SUCCESS;
  std::string_view type;
  if (processor["type"].get(type) != SUCCESS) return std::nullopt;
  simdjson::dom::array parts;
  if (type == "Sequence" && processor["processors"].get(parts) == SUCCESS) {
    for (const simdjson::dom::element step : parts) {
      if (const std::optional<bool> puts = PutsTokenFirst(step)) return puts;
    }
    return std::nullopt;
  }
  if (type != "TemplateProcessing" || processor["single"].get(parts) != SUCCESS || parts.size() == 0) {
    return std::nullopt;
  }
  simdjson::dom::element token;
  return parts.at(0)["SpecialToken"].get(token) == SUCCESS;
}

bool AddsBos(const TokenizerFiles& files, const ModelConfig& config) {
  if (config.bos_id < 0) return false;
  const auto stated = files.tokenizer_config.find("add_bos_token");
  if (stated != files.tokenizer_config.end() && stated->is_boolean()) return stated->get<bool>();
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string padded(files.tokenizer_json);
  if (parser.parse(padded).get(root) == simdjson::SUCCESS) {
    simdjson::dom::element processor;
    if (root["post_processor"].get(processor) == simdjson::SUCCESS) {
      if (const std::optional<bool> puts = PutsTokenFirst(processor)) return *puts;
    }
  }
  const std::string tokenizer_class = TextOf(files.tokenizer_config, "tokenizer_class");
  return !tokenizer_class.starts_with("GPT2") && !tokenizer_class.starts_with("Qwen2");
}

absl::StatusOr<TokenizerFiles> ReadFolder(const std::string& directory, const ModelConfig& config) {
  TokenizerFiles files;
  ASSIGN_OR_RETURN(files.tokenizer_json, ReadFile(directory + "/tokenizer.json"));
  ASSIGN_OR_RETURN(files.tokenizer_config, ReadObject(directory + "/tokenizer_config.json"));
  ASSIGN_OR_RETURN(files.generation_config, ReadObject(directory + "/generation_config.json"));
  const std::string jinja = directory + "/chat_template.jinja";
  if (PathExists(jinja)) {
    ASSIGN_OR_RETURN(files.chat_template, ReadFile(jinja));
  } else {
    files.chat_template = TemplateOf(files.tokenizer_config);
  }
  files.add_bos = AddsBos(files, config);
  return files;
}

absl::StatusOr<GgufTokenizer> ReadTokenizerKeys(const GgufFile& file) {
  GgufTokenizer tokenizer;
  const auto text = [&](const char* key, std::string& into) -> absl::Status {
    if (!file.Has(key)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::string_view value, file.Text(key));
    into = value;
    return absl::OkStatus();
  };
  const auto flag = [&](const char* key, bool& into) -> absl::Status {
    if (!file.Has(key)) return absl::OkStatus();
    ASSIGN_OR_RETURN(into, file.Boolean(key));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(tokenizer.model, file.Text("tokenizer.ggml.model"));
  RETURN_IF_ERROR(text("tokenizer.ggml.pre", tokenizer.pre));
  ASSIGN_OR_RETURN(const std::vector<std::string_view> tokens, file.Texts("tokenizer.ggml.tokens"));
  tokenizer.tokens.assign(tokens.begin(), tokens.end());
  if (file.Has("tokenizer.ggml.token_type")) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> types, file.Integers("tokenizer.ggml.token_type"));
    for (const int64_t type : types) tokenizer.types.push_back(static_cast<int32_t>(type));
  }
  if (tokenizer.model == "gpt2") {
    ASSIGN_OR_RETURN(const std::vector<std::string_view> merges, file.Texts("tokenizer.ggml.merges"));
    tokenizer.merges.assign(merges.begin(), merges.end());
  }
  if (tokenizer.model == "llama") {
    ASSIGN_OR_RETURN(const std::vector<double> scores, file.Numbers("tokenizer.ggml.scores"));
    for (const double score : scores) tokenizer.scores.push_back(static_cast<float>(score));
    tokenizer.add_space_prefix = true;  // llama.cpp's default for this kind
  }
  RETURN_IF_ERROR(flag("tokenizer.ggml.add_space_prefix", tokenizer.add_space_prefix));
  RETURN_IF_ERROR(text("tokenizer.rhodes.pattern", tokenizer.pattern));
  RETURN_IF_ERROR(flag("tokenizer.rhodes.nfc", tokenizer.nfc));
  RETURN_IF_ERROR(flag("tokenizer.rhodes.ignore_merges", tokenizer.ignore_merges));
  return tokenizer;
}

absl::StatusOr<TokenizerFiles> ReadGguf(const std::string& path, const ModelConfig& config) {
  ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(path));
  ASSIGN_OR_RETURN(const GgufTokenizer tokenizer, ReadTokenizerKeys(file));
  TokenizerFiles files;
  ASSIGN_OR_RETURN(files.tokenizer_json, FromGgufTokenizer(tokenizer, path));
  // What llama.cpp does where the key is missing.
  files.add_bos = tokenizer.model == "llama" || tokenizer.pre == "llama-bpe" || tokenizer.pre == "llama3";
  if (file.Has("tokenizer.ggml.add_bos_token")) {
    ASSIGN_OR_RETURN(files.add_bos, file.Boolean("tokenizer.ggml.add_bos_token"));
  }
  files.add_bos = files.add_bos && config.bos_id >= 0;
  if (file.Has("tokenizer.chat_template")) {
    ASSIGN_OR_RETURN(files.chat_template, file.Text("tokenizer.chat_template"));
  }
  const auto token = [&](int64_t id) {
    const bool known = id >= 0 && id < static_cast<int64_t>(tokenizer.tokens.size());
    return known ? Json(tokenizer.tokens[static_cast<size_t>(id)]) : Json(nullptr);
  };
  int64_t padding = config.eos_id;
  if (file.Has("tokenizer.ggml.padding_token_id")) {
    ASSIGN_OR_RETURN(padding, file.Integer("tokenizer.ggml.padding_token_id"));
  }
  files.tokenizer_config = Json{{"tokenizer_class", "PreTrainedTokenizerFast"},
                                {"bos_token", token(config.bos_id)},
                                {"eos_token", token(config.eos_id)},
                                {"pad_token", token(padding)},
                                {"add_bos_token", files.add_bos},
                                {"model_max_length", config.max_positions},
                                {"clean_up_tokenization_spaces", false}};
  if (!files.chat_template.empty()) files.tokenizer_config["chat_template"] = files.chat_template;
  const auto id = [](int64_t value) { return value < 0 ? Json(nullptr) : Json(value); };
  files.generation_config = Json{{"bos_token_id", id(config.bos_id)},
                                 {"eos_token_id", id(config.eos_id)},
                                 {"pad_token_id", id(padding)},
                                 {"max_length", config.max_positions}};
  return files;
}

// The id of the token that tokenizer_config.json names under `key`, as a string or an object with "content".
std::optional<uint32_t> NamedToken(const Json& tokenizer_config, const char* key, const TokenizerSpec& spec) {
  std::string text = TextOf(tokenizer_config, key);
  const auto found = tokenizer_config.find(key);
  if (found != tokenizer_config.end() && found->is_object()) text = TextOf(*found, "content");
  for (const AddedToken& token : spec.added) {
    if (!text.empty() && token.text == text) return token.id;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<TokenizerFiles> ReadTokenizerFiles(const std::string& path, const ModelConfig& config) {
  return IsGgufFile(path) ? ReadGguf(path, config) : ReadFolder(path, config);
}

absl::StatusOr<std::unique_ptr<Tokenizer>> MakeTokenizer(const TokenizerFiles& files, const ModelConfig& config,
                                                         const std::string& path) {
  const std::string what = IsGgufFile(path) ? path : path + "/tokenizer.json";
  ASSIGN_OR_RETURN(std::unique_ptr<Tokenizer> tokenizer, Tokenizer::Parse(files.tokenizer_json, what));
  if (tokenizer->vocabulary_size() > config.vocabulary_size) {
    return absl::InvalidArgumentError(
        fmt::format("{}: has {} tokens, and the model's embedding {} rows: one of them "
                    "belongs to another model",
                    what, tokenizer->vocabulary_size(), config.vocabulary_size));
  }
  return tokenizer;
}

absl::StatusOr<std::vector<std::string>> AddGgufTokenizer(const TokenizerFiles& files, const ModelConfig& config,
                                                          const std::string& path, GgufWriter& writer) {
  const std::string what = path + "/tokenizer.json";
  ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> whole, MakeTokenizer(files, config, path));
  ASSIGN_OR_RETURN(const TokenizerSpec spec, ParseTokenizerFile(files.tokenizer_json, what));
  ASSIGN_OR_RETURN(const GgufTokenizerResult result, ToGgufTokenizer(spec, config.vocabulary_size, what));
  const GgufTokenizer& tokenizer = result.tokenizer;
  writer.AddText("tokenizer.ggml.model", tokenizer.model);
  writer.AddText("tokenizer.ggml.pre", tokenizer.pre);
  writer.AddTexts("tokenizer.ggml.tokens", tokenizer.tokens);
  writer.AddI32s("tokenizer.ggml.token_type", tokenizer.types);
  if (tokenizer.model == "gpt2") {
    writer.AddTexts("tokenizer.ggml.merges", tokenizer.merges);
    writer.AddText("tokenizer.rhodes.pattern", tokenizer.pattern);
    writer.AddBool("tokenizer.rhodes.nfc", tokenizer.nfc);
    writer.AddBool("tokenizer.rhodes.ignore_merges", tokenizer.ignore_merges);
  } else {
    writer.AddF32s("tokenizer.ggml.scores", tokenizer.scores);
    writer.AddBool("tokenizer.ggml.add_space_prefix", tokenizer.add_space_prefix);
  }
  // Without these keys llama.cpp would take token 11 for both.
  const uint32_t end = config.eos_id >= 0 ? static_cast<uint32_t>(config.eos_id) : whole->end_of_text();
  writer.AddU32("tokenizer.ggml.bos_token_id", config.bos_id >= 0 ? static_cast<uint32_t>(config.bos_id) : end);
  writer.AddU32("tokenizer.ggml.eos_token_id", end);
  writer.AddU32("tokenizer.ggml.padding_token_id", NamedToken(files.tokenizer_config, "pad_token", spec).value_or(end));
  writer.AddBool("tokenizer.ggml.add_bos_token", files.add_bos);
  writer.AddBool("tokenizer.ggml.add_eos_token", false);
  if (!files.chat_template.empty()) writer.AddText("tokenizer.chat_template", files.chat_template);
  return result.notes;
}

}  // namespace rhodes
