// The bodies of the OpenAI API: requests read and checked, answers built.
#ifndef RHODES_SERVE_OPENAI_H_
#define RHODES_SERVE_OPENAI_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "infer/engine.h"

namespace rhodes {

// A status with the request's field that it is about ("param" of the API's errors).
absl::Status FieldError(std::string_view field, std::string_view message);

// How a status is told to a client.
struct ApiError {
  int status = 500;
  std::string message;
  std::string type;   // "invalid_request_error", "server_error"
  std::string param;  // "" for null
  std::string code;   // "" for null

  static ApiError From(const absl::Status& status);
  // {"error": {"message", "type", "param", "code"}}
  std::string Body() const;
};

// A request for text, as it came.
struct CompletionCall {
  bool chat = false;
  std::string model;
  bool stream = false;
  bool include_usage = false;               // stream_options.include_usage
  bool echo = false;                        // /v1/completions: the prompt before its continuation
  std::vector<GenerationRequest> requests;  // one for each prompt; a chat has one
  std::vector<std::string> prompt_texts;    // for echo
};

// From the body of POST /v1/chat/completions or /v1/completions. Unknown fields are ignored as OpenAI does; fields that
// would change the answer and are not supported are refused. INVALID_ARGUMENT with the field and what it may be.
absl::StatusOr<CompletionCall> ReadChatCall(const Json& body, const Engine& engine);
absl::StatusOr<CompletionCall> ReadTextCall(const Json& body, const Engine& engine);

// What all objects of one answer carry.
struct AnswerHead {
  std::string id;  // "chatcmpl-..." or "cmpl-..."
  int64_t created = 0;
  std::string model;
};

// Whole answers. `results` belong to call.requests.
Json ChatAnswer(const AnswerHead& head, const CompletionCall& call, const GenerationResult& result,
                const Tokenizer& tokenizer);
Json TextAnswer(const AnswerHead& head, const CompletionCall& call, const std::vector<GenerationResult>& results,
                const Tokenizer& tokenizer);

// Pieces of a streamed answer: the first delta has the role, then come the texts, then an empty delta with the
// reason. `last` is null until the end.
Json ChatChunk(const AnswerHead& head, const CompletionCall& call, const GenerationPiece* piece,
               const GenerationResult* last, const Tokenizer& tokenizer);
Json TextChunk(const AnswerHead& head, const CompletionCall& call, const GenerationPiece* piece,
               const GenerationResult* last, const Tokenizer& tokenizer);
// The chunk after the last when the client asked for usage.
Json UsageChunk(const AnswerHead& head, const CompletionCall& call, const GenerationResult& result);

}  // namespace rhodes

#endif  // RHODES_SERVE_OPENAI_H_
