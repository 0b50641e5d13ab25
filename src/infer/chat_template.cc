#include "infer/chat_template.h"

#include "base/file.h"

namespace rhodes {
namespace {

constexpr std::string_view kPlaceholder = "{content}";

std::string Fill(std::string_view form, std::string_view content) {
  const size_t at = form.find(kPlaceholder);
  return std::string(form.substr(0, at)).append(content).append(form.substr(at + kPlaceholder.size()));
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
    if (form == nullptr) return wrong(fmt::format("unknown key {}; known: system, user, assistant, prompt, stop", key));
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

absl::StatusOr<std::string> ChatTemplate::Render(const std::vector<ChatMessage>& messages) const {
  if (messages.empty()) return absl::InvalidArgumentError("messages is empty");
  if (messages.back().role != "user") {
    return absl::InvalidArgumentError(
        fmt::format("the last message is of role \"{}\", not \"user\"", messages.back().role));
  }
  std::string text;
  for (size_t i = 0; i < messages.size(); ++i) {
    const ChatMessage& message = messages[i];
    if (message.role == "system" || message.role == "developer") {
      text += Fill(system, message.content);
    } else if (message.role == "user") {
      text += Fill(user, message.content);
    } else if (message.role == "assistant") {
      text += Fill(assistant, message.content);
    } else {
      return absl::InvalidArgumentError(
          fmt::format("messages[{}].role is \"{}\"; known: system, developer, user, assistant", i, message.role));
    }
  }
  return text + prompt;
}

}  // namespace rhodes
