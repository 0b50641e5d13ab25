// Writes tokenizer.json and tokenizer_config.json.
#include "base/json.h"
#include "token/byte_alphabet.h"
#include "token/tokenizer_file.h"

namespace rhodes {
namespace {

void AppendString(std::string_view text, std::string& out) { out += DumpJson(Json(std::string(text))); }

void AppendAdded(const TokenizerSpec& spec, std::string& out) {
  out += "  \"added_tokens\": [";
  const char* separator = "\n";
  for (const AddedToken& token : spec.added) {
    out += fmt::format("{}    {{\"id\": {}, \"content\": ", separator, token.id);
    AppendString(token.text, out);
    out += fmt::format(", \"single_word\": {}, \"lstrip\": {}, \"rstrip\": {}, \"normalized\": {}, \"special\": {}}}",
                       token.single_word, token.lstrip, token.rstrip, token.normalized, token.special);
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
         "'\\n\\n' }}{% elif message['role'] in ['system', 'developer'] %}{{ message['content'] + '\\n\\n' }}{% else "
         "%}{{ 'Question: "
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
