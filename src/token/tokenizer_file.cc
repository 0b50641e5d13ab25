#include "token/tokenizer_file.h"

#include <simdjson.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/json.h"
#include "token/byte_alphabet.h"

namespace rhodes {
namespace {

using simdjson::dom::element;

// A field of an object; a null element and a missing one are both nothing.
std::optional<element> Field(element object, std::string_view name) {
  element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}
std::string_view StringField(element object, std::string_view name) {
  const std::optional<element> value = Field(object, name);
  std::string_view text;
  return value && value->get(text) == simdjson::SUCCESS ? text : std::string_view();
}
bool BoolField(element object, std::string_view name, bool fallback) {
  const std::optional<element> value = Field(object, name);
  bool flag;
  return value && value->get(flag) == simdjson::SUCCESS ? flag : fallback;
}

class Parser {
 public:
  explicit Parser(std::string_view what) : what_(what) {}

  absl::StatusOr<TokenizerSpec> Parse(std::string_view json) {
    simdjson::dom::parser parser;
    element root;
    const simdjson::padded_string padded(json);
    if (const auto error = parser.parse(padded).get(root); error != simdjson::SUCCESS) {
      return Error(fmt::format("is not JSON: {}", simdjson::error_message(error)));
    }
    const std::optional<element> model = Field(root, "model");
    if (!model) return Error("has no \"model\"; is this a Hugging Face tokenizer.json?");
    RETURN_IF_ERROR(ReadNormalizer(root));
    RETURN_IF_ERROR(ReadPreTokenizer(root));
    RETURN_IF_ERROR(CheckModel(*model));
    RETURN_IF_ERROR(ReadAdded(root));
    RETURN_IF_ERROR(ReadVocabulary(*model));
    RETURN_IF_ERROR(ReadMerges(*model));
    return std::move(spec_);
  }

 private:
  absl::Status Error(std::string_view message) const {
    return absl::InvalidArgumentError(fmt::format("{}: {}", what_, message));
  }

  absl::Status ReadNormalizer(element root) {
    const std::optional<element> normalizer = Field(root, "normalizer");
    if (!normalizer) return absl::OkStatus();
    if (StringField(*normalizer, "type") == "NFC") {
      spec_.nfc = true;
      return absl::OkStatus();
    }
    return Error(
        fmt::format("normalizer \"{}\" is not supported (null and NFC are)", StringField(*normalizer, "type")));
  }

  absl::Status ReadByteLevel(element byte_level, bool& use_regex) {
    if (BoolField(byte_level, "add_prefix_space", true)) {
      return Error("pre_tokenizer ByteLevel with add_prefix_space is not supported");
    }
    use_regex = BoolField(byte_level, "use_regex", true);
    return absl::OkStatus();
  }

  absl::Status ReadSplit(element split) {
    const std::optional<element> pattern = Field(split, "pattern");
    const std::string_view regex = pattern ? StringField(*pattern, "Regex") : std::string_view();
    if (StringField(split, "behavior") != "Isolated" || BoolField(split, "invert", false)) {
      return Error("pre_tokenizer Split must have behavior \"Isolated\" and not be inverted");
    }
    const std::optional<Pattern> known = PatternFromRegex(regex);
    if (!known) {
      return Error(fmt::format("pre_tokenizer pattern is not one of gpt2, llama3, qwen2, o200k: \"{}\"", regex));
    }
    spec_.pattern = *known;
    return absl::OkStatus();
  }

  absl::Status ReadPreTokenizer(element root) {
    const std::optional<element> pre_tokenizer = Field(root, "pre_tokenizer");
    if (!pre_tokenizer) return Error("has no pre_tokenizer; only byte-level tokenizers are supported");
    bool use_regex = false;
    if (StringField(*pre_tokenizer, "type") == "ByteLevel") {
      RETURN_IF_ERROR(ReadByteLevel(*pre_tokenizer, use_regex));
      if (!use_regex) return Error("pre_tokenizer ByteLevel without a pattern is not supported");
      spec_.pattern = Pattern::kGpt2;
      return absl::OkStatus();
    }
    simdjson::dom::array steps;
    const std::optional<element> list = Field(*pre_tokenizer, "pretokenizers");
    if (StringField(*pre_tokenizer, "type") != "Sequence" || !list || list->get(steps) != simdjson::SUCCESS) {
      return Error(
          fmt::format("pre_tokenizer \"{}\" is not supported (ByteLevel, or a Sequence of Split and ByteLevel)",
                      StringField(*pre_tokenizer, "type")));
    }
    if (steps.size() != 2 || StringField(steps.at(0), "type") != "Split" ||
        StringField(steps.at(1), "type") != "ByteLevel") {
      return Error("pre_tokenizer Sequence must be one Split and one ByteLevel");
    }
    RETURN_IF_ERROR(ReadSplit(steps.at(0)));
    RETURN_IF_ERROR(ReadByteLevel(steps.at(1), use_regex));
    if (use_regex) return Error("pre_tokenizer ByteLevel after a Split must have use_regex false");
    return absl::OkStatus();
  }

  absl::Status CheckModel(element model) {
    const std::string_view type = StringField(model, "type");
    if (!type.empty() && type != "BPE") return Error(fmt::format("model \"{}\" is not supported (BPE is)", type));
    double dropout = 0;
    if (const auto value = Field(model, "dropout"); value && value->get(dropout) == simdjson::SUCCESS && dropout > 0) {
      return Error("model.dropout is not supported");
    }
    for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!StringField(model, name).empty()) return Error(fmt::format("model.{} is not supported", name));
    }
    if (BoolField(model, "byte_fallback", false)) return Error("model.byte_fallback is not supported");
    spec_.ignore_merges = BoolField(model, "ignore_merges", false);
    return absl::OkStatus();
  }

  absl::Status ReadAdded(element root) {
    simdjson::dom::array added;
    const std::optional<element> list = Field(root, "added_tokens");
    if (!list) return absl::OkStatus();
    if (list->get(added) != simdjson::SUCCESS) return Error("\"added_tokens\" is not an array");
    for (const element token : added) {
      uint64_t id;
      const std::optional<element> number = Field(token, "id");
      const std::string_view text = StringField(token, "content");
      if (!number || number->get(id) != simdjson::SUCCESS || id >= kMaxVocabulary || text.empty()) {
        return Error(fmt::format("added token \"{}\" has no usable id or content", text));
      }
      if (BoolField(token, "single_word", false)) {
        return Error(fmt::format("added token \"{}\": single_word is not supported", text));
      }
      spec_.added.push_back({static_cast<TokenId>(id), std::string(text), BoolField(token, "special", false),
                             BoolField(token, "lstrip", false), BoolField(token, "rstrip", false)});
    }
    std::sort(spec_.added.begin(), spec_.added.end(),
              [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    return absl::OkStatus();
  }

  absl::Status ReadVocabulary(element model) {
    simdjson::dom::object vocabulary;
    const std::optional<element> field = Field(model, "vocab");
    if (!field || field->get(vocabulary) != simdjson::SUCCESS) return Error("\"model.vocab\" is not an object");
    std::vector<std::pair<std::string_view, bool>> by_id;  // text as written, is there
    const auto place = [&](std::string_view text, uint64_t id) -> absl::Status {
      if (id >= kMaxVocabulary) return Error(fmt::format("token \"{}\" has no usable id", text));
      if (by_id.size() <= id) by_id.resize(id + 1);
      if (by_id[id].second && by_id[id].first != text) {
        return Error(fmt::format("id {} is given to \"{}\" and to \"{}\"", id, by_id[id].first, text));
      }
      by_id[id] = {text, true};
      return absl::OkStatus();
    };
    for (const auto& [text, value] : vocabulary) {
      uint64_t id;
      if (value.get(id) != simdjson::SUCCESS) return Error(fmt::format("token \"{}\" has no usable id", text));
      RETURN_IF_ERROR(place(text, id));
      ids_[std::string(text)] = static_cast<TokenId>(id);
    }
    std::vector<bool> is_added;
    for (const AddedToken& token : spec_.added) {
      RETURN_IF_ERROR(place(token.text, token.id));
      is_added.resize(std::max<size_t>(is_added.size(), token.id + 1));
      is_added[token.id] = true;
    }
    std::string bytes;
    for (size_t id = 0; id < by_id.size(); ++id) {
      const bool added = id < is_added.size() && is_added[id];
      if (added || !FromByteLevel(by_id[id].first, bytes)) bytes = by_id[id].first;
      spec_.tokens.Append(bytes);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<TokenId> IdOf(std::string_view text, size_t merge) const {
    const auto found = ids_.find(std::string(text));
    if (found != ids_.end()) return found->second;
    return Error(fmt::format("merge {}: \"{}\" is not in the vocabulary", merge, text));
  }

  absl::Status ReadMerges(element model) {
    simdjson::dom::array merges;
    const std::optional<element> field = Field(model, "merges");
    if (!field || field->get(merges) != simdjson::SUCCESS) return Error("\"model.merges\" is not an array");
    size_t number = 0;
    for (const element merge : merges) {
      std::string_view left;
      std::string_view right;
      if (std::string_view joined; merge.get(joined) == simdjson::SUCCESS) {
        const size_t space = joined.find(' ');
        if (space != std::string_view::npos) {
          left = joined.substr(0, space);
          right = joined.substr(space + 1);
        }
      } else if (simdjson::dom::array pair; merge.get(pair) == simdjson::SUCCESS && pair.size() == 2) {
        if (pair.at(0).get(left) != simdjson::SUCCESS || pair.at(1).get(right) != simdjson::SUCCESS) left = {};
      }
      if (left.empty() || right.empty()) return Error(fmt::format("merge {} is not a pair of tokens", number));
      Merge parsed;
      ASSIGN_OR_RETURN(parsed.left, IdOf(left, number));
      ASSIGN_OR_RETURN(parsed.right, IdOf(right, number));
      ASSIGN_OR_RETURN(parsed.result, IdOf(std::string(left) + std::string(right), number));
      spec_.merges.push_back(parsed);
      ++number;
    }
    return absl::OkStatus();
  }

  static constexpr uint64_t kMaxVocabulary = 1 << 22;  // a slip of the file must not cost gigabytes

  std::string_view what_;
  TokenizerSpec spec_;
  std::unordered_map<std::string, TokenId> ids_;  // of the vocabulary's texts
};

void AppendString(std::string_view text, std::string& out) { out += DumpJson(Json(std::string(text))); }

void AppendAdded(const TokenizerSpec& spec, std::string& out) {
  out += "  \"added_tokens\": [";
  const char* separator = "\n";
  for (const AddedToken& token : spec.added) {
    out += fmt::format("{}    {{\"id\": {}, \"content\": ", separator, token.id);
    AppendString(token.text, out);
    out += fmt::format(
        ", \"single_word\": false, \"lstrip\": {}, \"rstrip\": {}, \"normalized\": false, \"special\": {}}}",
        token.lstrip, token.rstrip, token.special);
    separator = ",\n";
  }
  out += "\n  ],\n";
}

std::vector<bool> AddedIds(const TokenizerSpec& spec) {
  std::vector<bool> added(spec.tokens.size());
  for (const AddedToken& token : spec.added) added[token.id] = true;
  return added;
}

}  // namespace

absl::StatusOr<TokenizerSpec> ParseTokenizerFile(std::string_view json, std::string_view what) {
  return Parser(what).Parse(json);
}

std::string WriteTokenizerFile(const TokenizerSpec& spec) {
  std::string out = "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n";
  AppendAdded(spec, out);
  out += fmt::format("  \"normalizer\": {},\n", spec.nfc ? "{\"type\": \"NFC\"}" : "null");
  if (spec.pattern == Pattern::kGpt2) {
    out +=
        "  \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, "
        "\"use_regex\": true},\n";
  } else {
    out +=
        "  \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [\n    {\"type\": \"Split\", \"pattern\": "
        "{\"Regex\": ";
    AppendString(PatternRegex(spec.pattern), out);
    out +=
        "}, \"behavior\": \"Isolated\", \"invert\": false},\n    {\"type\": \"ByteLevel\", \"add_prefix_space\": "
        "false, \"trim_offsets\": true, \"use_regex\": false}\n  ]},\n";
  }
  out +=
      "  \"post_processor\": null,\n  \"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, "
      "\"trim_offsets\": true, \"use_regex\": true},\n";
  out += fmt::format(
      "  \"model\": {{\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n    "
      "\"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n    \"fuse_unk\": false,\n    "
      "\"byte_fallback\": false,\n    \"ignore_merges\": {},\n    \"vocab\": {{",
      spec.ignore_merges);
  const std::vector<bool> added = AddedIds(spec);
  const char* separator = "\n";
  for (TokenId id = 0; id < spec.tokens.size(); ++id) {
    if (spec.tokens[id].empty()) continue;
    out += separator;
    out += "      ";
    AppendString(added[id] ? std::string(spec.tokens[id]) : ToByteLevel(spec.tokens[id]), out);
    out += fmt::format(": {}", id);
    separator = ",\n";
  }
  out += "\n    },\n    \"merges\": [";
  separator = "\n";
  for (const Merge& merge : spec.merges) {
    out += separator;
    out += "      ";
    AppendString(ToByteLevel(spec.tokens[merge.left]) + " " + ToByteLevel(spec.tokens[merge.right]), out);
    separator = ",\n";
  }
  out += "\n    ]\n  }\n}\n";
  return out;
}

std::string_view PlainChatTemplate() {
  return "{% for message in messages %}{% if message['role'] == 'assistant' %}{{ 'Answer: ' + message['content'] + "
         "'\\n\\n' }}{% elif message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}{% else %}{{ 'Question: "
         "' + message['content'] + '\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'Answer:' }}{% "
         "endif %}";
}

std::string WriteTokenizerConfig(uint64_t model_max_length) {
  const Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                       {"bos_token", nullptr},
                       {"eos_token", kEndOfTextToken},
                       {"pad_token", kEndOfTextToken},
                       {"unk_token", nullptr},
                       {"add_bos_token", false},
                       {"add_eos_token", false},
                       {"clean_up_tokenization_spaces", false},
                       {"model_max_length", model_max_length},
                       {"chat_template", PlainChatTemplate()}};
  return DumpJson(config, 2) + "\n";
}

}  // namespace rhodes
