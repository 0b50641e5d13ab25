// From a conversation to the plain text that a model continues.
#ifndef RHODES_INFER_CHAT_TEMPLATE_H_
#define RHODES_INFER_CHAT_TEMPLATE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace rhodes {

struct ChatMessage {
  std::string role;  // "system" (or "developer"), "user", "assistant"
  std::string content;
};

// The texts around each message; "{content}" stands for the message. By default the form of the question-and-answer
// documents that models are trained on here:
//   Question: ...
//   Answer: ...
//
// A model brings others in generation_config.json:
//   "rhodes_chat": {"system": "{content}\n\n", "user": "...", "assistant": "...", "prompt": "Answer:", "stop": ["..."]}
struct ChatTemplate {
  std::string system = "{content}\n\n";
  std::string user = "Question: {content}\n";
  std::string assistant = "Answer: {content}\n\n";
  std::string prompt = "Answer:";                   // ends the text; the model goes on from here
  std::vector<std::string> stop = {"\nQuestion:"};  // end the answer, besides the end-of-text token
  // Special tokens in the texts above are those tokens, and one in `stop` ends the answer as a token. In messages they
  // are ordinary text all the same: whoever writes a message does not write the conversation's form.
  bool special = false;

  // Keys that are absent keep their default. INVALID_ARGUMENT "`what`: rhodes_chat: ..." for what is no template.
  static absl::StatusOr<ChatTemplate> FromGenerationConfig(const Json& json, std::string_view what);
  // The form that a Jinja template stands for: of ChatML (SmolLM2, Qwen), Llama 3 and Grok-2, known by their special
  // tokens; nothing for another one, which is not interpreted.
  static std::optional<ChatTemplate> FromJinja(std::string_view jinja);
  // The default when there is no such file.
  static absl::StatusOr<ChatTemplate> Load(const std::string& generation_config_path);

  // A stretch of the rendered text: of the form, or of a message.
  struct Piece {
    std::string text;
    bool form;
  };
  // The rendered text in pieces. Errors as Render's.
  absl::StatusOr<std::vector<Piece>> Pieces(const std::vector<ChatMessage>& messages) const;
  // INVALID_ARGUMENT for no messages, an unknown role, or a last message that is not the user's.
  absl::StatusOr<std::string> Render(const std::vector<ChatMessage>& messages) const;
};

}  // namespace rhodes

#endif  // RHODES_INFER_CHAT_TEMPLATE_H_
