#include "infer/chat_template.h"

#include "base/file.h"

namespace rhodes {
namespace {

constexpr std::string_view kPlaceholder = "{content}";

void Append(std::string_view form, std::string_view content, std::vector<ChatTemplate::Piece>& pieces) {
  const size_t at = form.find(kPlaceholder);
  pieces.push_back({std::string(form.substr(0, at)), true});
  pieces.push_back({std::string(content), false});
  pieces.push_back({std::string(form.substr(at + kPlaceholder.size())), true});
}

}  // namespace

absl::StatusOr<ChatTemplate> ChatTemplate::FromGenerationConfig(const Json& json, std::string_view what) {
  ChatTemplate result;
  const auto settings = json.is_object() ? json.find("rhodes_chat") : json.end();
  if (!json.is_object() || settings == json.end() || settings->is_null()) return result;
  const auto wrong = [&](std::string_view why) {
    return absl::InvalidArgumentError(fmt::format("{}: rhodes_chat: {}", what, why));
  };
  if (!settings->is_object()) return wrong("not an object");
  for (const auto& [key, value] : settings->items()) {
    if (key == "special") {
      if (!value.is_boolean()) return wrong("special is not true or false");
      result.special = value.get<bool>();
      continue;
    }
    if (key == "stop") {
      if (!value.is_array()) return wrong("stop is not a list of strings");
      result.stop.clear();
      for (const Json& stop : value) {
        if (!stop.is_string()) return wrong("stop is not a list of strings");
        result.stop.push_back(stop.get<std::string>());
      }
      continue;
    }
    std::string* form = key == "system"      ? &result.system
                        : key == "user"      ? &result.user
                        : key == "assistant" ? &result.assistant
                        : key == "prompt"    ? &result.prompt
                                             : nullptr;
    if (form == nullptr)
      return wrong(fmt::format("unknown key {}; known: system, user, assistant, prompt, stop, special", key));
    if (!value.is_string()) return wrong(fmt::format("{} is not a string", key));
    *form = value.get<std::string>();
    if (form != &result.prompt && form->find(kPlaceholder) == std::string::npos) {
      return wrong(fmt::format("{} has no {}", key, kPlaceholder));
    }
  }
  return result;
}

absl::StatusOr<ChatTemplate> ChatTemplate::Load(const std::string& generation_config_path) {
  if (!PathExists(generation_config_path)) return ChatTemplate();
  ASSIGN_OR_RETURN(const Json json, ReadJsonFile(generation_config_path));
  return FromGenerationConfig(json, generation_config_path);
}

std::optional<ChatTemplate> ChatTemplate::FromJinja(std::string_view jinja) {
  const auto has = [&](std::string_view token) { return jinja.find(token) != std::string_view::npos; };
  ChatTemplate form;
  form.special = true;
  if (has("<|im_start|>") && has("<|im_end|>")) {
    form.system = "<|im_start|>system\n{content}<|im_end|>\n";
    form.user = "<|im_start|>user\n{content}<|im_end|>\n";
    form.assistant = "<|im_start|>assistant\n{content}<|im_end|>\n";
    form.prompt = "<|im_start|>assistant\n";
    form.stop = {"<|im_end|>"};
    return form;
  }
  if (has("<|start_header_id|>") && has("<|eot_id|>")) {
    form.system = "<|start_header_id|>system<|end_header_id|>\n\n{content}<|eot_id|>";
    form.user = "<|start_header_id|>user<|end_header_id|>\n\n{content}<|eot_id|>";
    form.assistant = "<|start_header_id|>assistant<|end_header_id|>\n\n{content}<|eot_id|>";
    form.prompt = "<|start_header_id|>assistant<|end_header_id|>\n\n";
    form.stop = {"<|eot_id|>"};
    return form;
  }
  if (has("<|separator|>") && has("Human: ")) {
    form.system = "System: {content}<|separator|>\n\n";
    form.user = "Human: {content}<|separator|>\n\n";
    form.assistant = "Assistant: {content}<|separator|>\n\n";
    form.prompt = "Assistant:";
    form.stop = {"<|separator|>"};
    return form;
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<ChatTemplate::Piece>> ChatTemplate::Pieces(const std::vector<ChatMessage>& messages) const {
  if (messages.empty()) return absl::InvalidArgumentError("messages is empty");
  if (messages.back().role != "user") {
    return absl::InvalidArgumentError(
        fmt::format("the last message is of role \"{}\", not \"user\"", messages.back().role));
  }
  std::vector<Piece> pieces;
  for (size_t i = 0; i < messages.size(); ++i) {
    const ChatMessage& message = messages[i];
    if (message.role == "system" || message.role == "developer") {
      Append(system, message.content, pieces);
    } else if (message.role == "user") {
      Append(user, message.content, pieces);
    } else if (message.role == "assistant") {
      Append(assistant, message.content, pieces);
    } else {
      return absl::InvalidArgumentError(
          fmt::format("messages[{}].role is \"{}\"; known: system, developer, user, assistant", i, message.role));
    }
  }
  pieces.push_back({prompt, true});
  return pieces;
}

absl::StatusOr<std::string> ChatTemplate::Render(const std::vector<ChatMessage>& messages) const {
  ASSIGN_OR_RETURN(const std::vector<Piece> pieces, Pieces(messages));
  std::string text;
  for (const Piece& piece : pieces) text += piece.text;
  return text;
}

}  // namespace rhodes
