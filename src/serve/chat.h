// `rhodes chat`: questions and answers on a terminal.
#ifndef RHODES_SERVE_CHAT_H_
#define RHODES_SERVE_CHAT_H_

#include <cstdio>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "infer/engine.h"

namespace rhodes {

struct ChatOptions {
  std::string model;  // a model's folder; empty: OUT/model
  std::string out;    // OUT of a run, for what answers lean on; may be empty
  std::string system;
  int64_t max_tokens = 256;
  SamplingOptions sampling;
  std::vector<std::string> stop;
  bool raw = false;  // no chat form: the prompt is continued as it is
  EngineOptions engine;
};

// {"prompt", "text", "prompt_tokens", "tokens", "tokens_per_second", "prompt_seconds", "decode_seconds",
// "finish_reason", "seed"} and, with `out`, "trace".
absl::StatusOr<Json> AskForJson(const ChatOptions& options, const std::string& prompt, RunContext& context);
// Writes the answer as it comes, then (with `out`) the documents it leans on.
absl::Status AskOnce(const ChatOptions& options, const std::string& prompt, RunContext& context, std::FILE* output);
// Reads questions line by line until end of input or /quit; /trace shows what the last answer leans on, /new forgets
// the conversation.
absl::Status Converse(const ChatOptions& options, RunContext& context, std::FILE* input, std::FILE* output);

}  // namespace rhodes

#endif  // RHODES_SERVE_CHAT_H_
