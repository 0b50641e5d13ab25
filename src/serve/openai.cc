#include "serve/openai.h"

#include <algorithm>
#include <optional>

#include "absl/strings/cord.h"
#include "base/text.h"

namespace rhodes {
namespace {

constexpr char kFieldPayload[] = "rhodes/field";
constexpr int64_t kMostTopLogprobs = 20;
constexpr size_t kMostPrompts = 64;
constexpr int64_t kDefaultTextTokens = 16;  // OpenAI's

// Reads typed fields of a request body and keeps the first error.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {}

  const Json* Find(const char* field) const {
    const auto found = json_.find(field);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  int64_t Integer(const char* field, int64_t otherwise, int64_t least, int64_t most) {
    const Json* value = Find(field);
    if (value == nullptr) return otherwise;
    if (!value->is_number_integer() || (value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX)) {
      return Fail(field, "is not an integer"), otherwise;
    }
    const int64_t number = value->get<int64_t>();
    if (number < least || number > most) {
      return Fail(field, fmt::format("is {}, not between {} and {}", number, least, most)), otherwise;
    }
    return number;
  }
  float Number(const char* field, float otherwise) {
    const Json* value = Find(field);
    if (value == nullptr) return otherwise;
    if (!value->is_number()) return Fail(field, "is not a number"), otherwise;
    return value->get<float>();
  }
  bool Boolean(const char* field, bool otherwise) {
    const Json* value = Find(field);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) return Fail(field, "is not true or false"), otherwise;
    return value->get<bool>();
  }
  std::string String(const char* field) {
    const Json* value = Find(field);
    if (value == nullptr) return "";
    if (!value->is_string()) return Fail(field, "is not a string"), "";
    return value->get<std::string>();
  }
  // A string or a list of strings.
  std::vector<std::string> Strings(const char* field, size_t most) {
    const Json* value = Find(field);
    std::vector<std::string> strings;
    if (value == nullptr) return strings;
    if (value->is_string()) return {value->get<std::string>()};
    const bool list = value->is_array() && value->size() <= most &&
                      std::all_of(value->begin(), value->end(), [](const Json& item) { return item.is_string(); });
    if (!list) return Fail(field, fmt::format("is not a string or a list of at most {} strings", most)), strings;
    return value->get<std::vector<std::string>>();
  }
  // Fields whose effect is not to be had must be absent or at the value that has none.
  void Only(const char* field, const Json& neutral, std::string_view why) {
    const Json* value = Find(field);
    if (value != nullptr && *value != neutral) Fail(field, why);
  }
  void Fail(const char* field, std::string_view why) {
    if (status_.ok()) status_ = FieldError(field, fmt::format("{} {}", field, why));
  }
  const absl::Status& status() const { return status_; }

 private:
  const Json& json_;
  absl::Status status_;
};

SamplingOptions ReadSampling(Fields& fields) {
  SamplingOptions sampling;
  sampling.temperature = fields.Number("temperature", sampling.temperature);
  sampling.top_p = fields.Number("top_p", sampling.top_p);
  sampling.min_p = fields.Number("min_p", sampling.min_p);
  sampling.top_k = fields.Integer("top_k", 0, 0, 1 << 30);
  sampling.repetition_penalty = fields.Number("repetition_penalty", sampling.repetition_penalty);
  sampling.presence_penalty = fields.Number("presence_penalty", 0);
  sampling.frequency_penalty = fields.Number("frequency_penalty", 0);
  sampling.seed = static_cast<uint64_t>(fields.Integer("seed", 0, INT64_MIN, INT64_MAX));
  return sampling;
}

// What both kinds of calls have; `request` is the pattern for each prompt.
absl::Status ReadCommon(const Json& body, Fields& fields, CompletionCall& call, GenerationRequest& request) {
  if (!body.is_object()) return absl::InvalidArgumentError("the body is not a JSON object");
  call.model = fields.String("model");
  call.stream = fields.Boolean("stream", false);
  if (const Json* options = fields.Find("stream_options"); options != nullptr) {
    if (!options->is_object()) return FieldError("stream_options", "stream_options is not an object");
    call.include_usage = Fields(*options).Boolean("include_usage", false);
  }
  request.sampling = ReadSampling(fields);
  request.stop = fields.Strings("stop", 16);
  fields.Only("n", 1, "is not 1: one answer a request");
  fields.Only("best_of", 1, "is not 1: one answer a request");
  fields.Only("logit_bias", Json::object(), "is not supported");
  RETURN_IF_ERROR(fields.status());
  if (absl::Status status = request.sampling.Validate(); !status.ok()) {
    const std::string message = Message(status);
    return FieldError(message.substr(0, message.find(' ')), message);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadContent(const Json& content, const std::string& field) {
  if (content.is_null()) return "";
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (!content.is_array()) return FieldError(field, field + " is not a string or a list of parts");
  for (const Json& part : content) {
    if (!part.is_object() || part.value("type", Json()) != "text" || !part.value("text", Json()).is_string()) {
      return FieldError(field, field + ": only parts of type \"text\" are supported");
    }
    text += part["text"].get<std::string>();
  }
  return text;
}

absl::StatusOr<std::vector<ChatMessage>> ReadMessages(const Json& body) {
  const auto messages = body.find("messages");
  if (messages == body.end() || !messages->is_array() || messages->empty()) {
    return FieldError("messages", "messages is not a list of at least one message");
  }
  std::vector<ChatMessage> read;
  for (size_t i = 0; i < messages->size(); ++i) {
    const Json& message = (*messages)[i];
    const std::string field = fmt::format("messages[{}]", i);
    if (!message.is_object() || !message.value("role", Json()).is_string()) {
      return FieldError(field, field + " is not an object with a role");
    }
    ASSIGN_OR_RETURN(std::string content, ReadContent(message.value("content", Json()), field + ".content"));
    read.push_back({message["role"].get<std::string>(), std::move(content)});
  }
  return read;
}

bool IsTokenList(const Json& json) {
  return json.is_array() && !json.empty() && std::all_of(json.begin(), json.end(), [](const Json& item) {
           return item.is_number_unsigned() && item.get<uint64_t>() < (uint64_t{1} << 32);
         });
}

// Appends the prompt to the call's.
absl::Status AddPrompt(const Json& prompt, const Engine& engine, GenerationRequest pattern, CompletionCall& call) {
  if (prompt.is_string()) {
    const std::string& text = prompt.get_ref<const std::string&>();
    pattern.prompt = engine.Tokenize(text);
    call.prompt_texts.push_back(text);
  } else if (IsTokenList(prompt)) {
    pattern.prompt = prompt.get<std::vector<TokenId>>();
    call.prompt_texts.push_back(ReplaceInvalidUtf8(engine.tokenizer().Decode(pattern.prompt)));
  } else {
    return FieldError("prompt", "prompt is not a string, a list of strings, a list of tokens or a list of such lists");
  }
  if (pattern.prompt.empty()) return FieldError("prompt", "prompt is empty");
  call.requests.push_back(std::move(pattern));
  return absl::OkStatus();
}

Json Usage(int64_t prompt, int64_t completion) {
  return {{"prompt_tokens", prompt}, {"completion_tokens", completion}, {"total_tokens", prompt + completion}};
}

Json Timings(const GenerationResult& result) {
  const double seconds = result.decode_seconds;
  return {{"prompt_seconds", result.prompt_seconds},
          {"decode_seconds", seconds},
          {"tokens_per_second", seconds > 0 ? static_cast<double>(result.completion_tokens) / seconds : 0.0}};
}

Json Head(const AnswerHead& head, std::string_view object) {
  return {{"id", head.id},
          {"object", object},
          {"created", head.created},
          {"model", head.model},
          {"system_fingerprint", fmt::format("rhodes-{}", head.model)}};
}

Json ChatToken(const TokenChance& chance, const Tokenizer& tokenizer) {
  const std::string_view bytes = tokenizer.TokenBytes(chance.token);
  Json numbers = Json::array();
  for (const char byte : bytes) numbers.push_back(static_cast<unsigned char>(byte));
  return {{"token", ReplaceInvalidUtf8(bytes)}, {"logprob", chance.logprob}, {"bytes", std::move(numbers)}};
}

Json ChatLogprobs(const std::vector<GeneratedToken>& tokens, const Tokenizer& tokenizer) {
  Json content = Json::array();
  for (const GeneratedToken& token : tokens) {
    Json entry = ChatToken({token.token, token.logprob}, tokenizer);
    entry["top_logprobs"] = Json::array();
    for (const TokenChance& other : token.top) entry["top_logprobs"].push_back(ChatToken(other, tokenizer));
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

// The older shape, of /v1/completions. `unknown_first` is a token without a logprob (the first of an echoed prompt).
Json TextLogprobs(const std::vector<GeneratedToken>& tokens, std::optional<TokenId> unknown_first,
                  const Tokenizer& tokenizer) {
  Json logprobs = {{"tokens", Json::array()},
                   {"token_logprobs", Json::array()},
                   {"top_logprobs", Json::array()},
                   {"text_offset", Json::array()}};
  size_t offset = 0;
  const auto add = [&](TokenId token, Json logprob, Json top) {
    const std::string text = ReplaceInvalidUtf8(tokenizer.TokenBytes(token));
    logprobs["tokens"].push_back(text);
    logprobs["token_logprobs"].push_back(std::move(logprob));
    logprobs["top_logprobs"].push_back(std::move(top));
    logprobs["text_offset"].push_back(offset);
    offset += text.size();
  };
  if (unknown_first.has_value()) add(*unknown_first, nullptr, nullptr);
  for (const GeneratedToken& token : tokens) {
    Json top = Json::object();
    for (const TokenChance& other : token.top) {
      top[ReplaceInvalidUtf8(tokenizer.TokenBytes(other.token))] = other.logprob;
    }
    add(token.token, token.logprob, std::move(top));
  }
  return logprobs;
}

// OpenAI knows "stop" and "length"; a cancelled answer has no reader who could mind.
std::string_view Reason(const GenerationResult& result) {
  return FinishReasonName(result.finish_reason == FinishReason::kCancelled ? FinishReason::kLength
                                                                           : result.finish_reason);
}

Json TextChoice(const CompletionCall& call, size_t index, const GenerationResult& result, const Tokenizer& tokenizer) {
  const GenerationRequest& request = call.requests[index];
  Json choice = {{"text", call.echo ? call.prompt_texts[index] + result.text : result.text},
                 {"index", index},
                 {"logprobs", nullptr},
                 {"finish_reason", Reason(result)}};
  if (request.logprobs < 0) return choice;
  std::vector<GeneratedToken> tokens;
  std::optional<TokenId> first;
  if (call.echo) {
    // A begin-of-text token that we put in front is not part of the text; then every token of it has a logprob.
    const std::vector<GeneratedToken>& prompt = result.prompt_token_chances;
    const bool ours = tokenizer.IsSpecial(request.prompt.front());
    if (!ours) first = request.prompt.front();
    tokens.assign(prompt.begin(), prompt.end());
  }
  tokens.insert(tokens.end(), result.tokens.begin(), result.tokens.end());
  choice["logprobs"] = TextLogprobs(tokens, first, tokenizer);
  return choice;
}

}  // namespace

absl::Status FieldError(std::string_view field, std::string_view message) {
  absl::Status status = absl::InvalidArgumentError(std::string(message));
  status.SetPayload(kFieldPayload, absl::Cord(std::string(field)));
  return status;
}

ApiError ApiError::From(const absl::Status& status) {
  ApiError error;
  error.message = Message(status);
  error.type = "invalid_request_error";
  if (const auto field = status.GetPayload(kFieldPayload); field.has_value()) error.param = std::string(*field);
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      error.status = 400;
      break;
    case absl::StatusCode::kOutOfRange:
      error.status = 400;
      error.code = "context_length_exceeded";
      break;
    case absl::StatusCode::kNotFound:
      error.status = 404;
      error.code = "not_found";
      break;
    case absl::StatusCode::kResourceExhausted:
      error.status = 503;
      error.type = "server_error";
      break;
    default:
      error.status = 500;
      error.type = "server_error";
  }
  return error;
}

std::string ApiError::Body() const {
  const auto text = [](const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); };
  return DumpJson({{"error", {{"message", message}, {"type", type}, {"param", text(param)}, {"code", text(code)}}}});
}

absl::StatusOr<CompletionCall> ReadChatCall(const Json& body, const Engine& engine) {
  CompletionCall call;
  call.chat = true;
  GenerationRequest request;
  Fields fields(body);
  RETURN_IF_ERROR(ReadCommon(body, fields, call, request));
  // Both names: the second is OpenAI's newer one.
  request.max_tokens =
      fields.Integer("max_completion_tokens", fields.Integer("max_tokens", -1, 1, INT64_MAX), 1, INT64_MAX);
  const bool logprobs = fields.Boolean("logprobs", false);
  const int64_t top = fields.Integer("top_logprobs", 0, 0, kMostTopLogprobs);
  if (top > 0 && !logprobs) fields.Fail("top_logprobs", "needs logprobs to be true");
  if (logprobs) request.logprobs = static_cast<int>(top);
  fields.Only("tools", Json::array(), "is not supported");
  fields.Only("response_format", Json{{"type", "text"}}, "is not {\"type\": \"text\"}, the only one supported");
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(const std::vector<ChatMessage> messages, ReadMessages(body));
  absl::StatusOr<std::vector<TokenId>> prompt = engine.TokenizeChat(messages);
  if (!prompt.ok()) return FieldError("messages", Message(prompt.status()));
  request.prompt = *std::move(prompt);
  request.skip_leading_space = true;
  request.stop.insert(request.stop.end(), engine.chat().stop.begin(), engine.chat().stop.end());
  call.requests.push_back(std::move(request));
  return call;
}

absl::StatusOr<CompletionCall> ReadTextCall(const Json& body, const Engine& engine) {
  CompletionCall call;
  GenerationRequest request;
  Fields fields(body);
  RETURN_IF_ERROR(ReadCommon(body, fields, call, request));
  request.max_tokens = fields.Integer("max_tokens", kDefaultTextTokens, 0, INT64_MAX);
  request.logprobs = static_cast<int>(fields.Integer("logprobs", -1, 0, kMostTopLogprobs));
  call.echo = fields.Boolean("echo", false);
  request.prompt_logprobs = call.echo && request.logprobs >= 0;
  fields.Only("suffix", "", "is not supported");
  RETURN_IF_ERROR(fields.status());
  const auto prompt = body.find("prompt");
  if (prompt == body.end()) return FieldError("prompt", "prompt is missing");
  const bool many = prompt->is_array() && !prompt->empty() && !prompt->front().is_number();
  if (!many) {
    RETURN_IF_ERROR(AddPrompt(*prompt, engine, std::move(request), call));
    return call;
  }
  if (prompt->size() > kMostPrompts || call.stream) {
    return FieldError(
        "prompt", fmt::format("prompt is a list of {}: at most {}, and 1 with stream", prompt->size(), kMostPrompts));
  }
  for (const Json& one : *prompt) RETURN_IF_ERROR(AddPrompt(one, engine, request, call));
  return call;
}

Json ChatAnswer(const AnswerHead& head, const CompletionCall& call, const GenerationResult& result,
                const Tokenizer& tokenizer) {
  Json answer = Head(head, "chat.completion");
  const bool logprobs = call.requests.front().logprobs >= 0;
  answer["choices"] =
      Json::array({{{"index", 0},
                    {"message", {{"role", "assistant"}, {"content", result.text}, {"refusal", nullptr}}},
                    {"logprobs", logprobs ? ChatLogprobs(result.tokens, tokenizer) : Json(nullptr)},
                    {"finish_reason", Reason(result)}}});
  answer["usage"] = Usage(result.prompt_tokens, result.completion_tokens);
  answer["timings"] = Timings(result);
  return answer;
}

Json TextAnswer(const AnswerHead& head, const CompletionCall& call, const std::vector<GenerationResult>& results,
                const Tokenizer& tokenizer) {
  Json answer = Head(head, "text_completion");
  answer["choices"] = Json::array();
  int64_t prompt = 0;
  int64_t completion = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    answer["choices"].push_back(TextChoice(call, i, results[i], tokenizer));
    prompt += results[i].prompt_tokens;
    completion += results[i].completion_tokens;
  }
  answer["usage"] = Usage(prompt, completion);
  if (results.size() == 1) answer["timings"] = Timings(results.front());
  return answer;
}

Json ChatChunk(const AnswerHead& head, const CompletionCall& call, const GenerationPiece* piece,
               const GenerationResult* last, const Tokenizer& tokenizer) {
  Json chunk = Head(head, "chat.completion.chunk");
  Json delta = Json::object();
  if (piece != nullptr) delta["content"] = piece->text;
  if (piece == nullptr && last == nullptr) delta = {{"role", "assistant"}, {"content", ""}};
  Json logprobs = nullptr;
  if (piece != nullptr && call.requests.front().logprobs >= 0) logprobs = ChatLogprobs(piece->tokens, tokenizer);
  chunk["choices"] = Json::array({{{"index", 0},
                                   {"delta", std::move(delta)},
                                   {"logprobs", std::move(logprobs)},
                                   {"finish_reason", last == nullptr ? Json(nullptr) : Json(Reason(*last))}}});
  if (last != nullptr) chunk["timings"] = Timings(*last);
  return chunk;
}

Json TextChunk(const AnswerHead& head, const CompletionCall& call, const GenerationPiece* piece,
               const GenerationResult* last, const Tokenizer& tokenizer) {
  Json chunk = Head(head, "text_completion");
  std::string text = piece != nullptr ? piece->text : "";
  if (piece == nullptr && last == nullptr) text = call.prompt_texts.front();  // an echo comes first
  Json logprobs = nullptr;
  if (piece != nullptr && call.requests.front().logprobs >= 0) {
    logprobs = TextLogprobs(piece->tokens, std::nullopt, tokenizer);
  }
  chunk["choices"] = Json::array({{{"index", 0},
                                   {"text", std::move(text)},
                                   {"logprobs", std::move(logprobs)},
                                   {"finish_reason", last == nullptr ? Json(nullptr) : Json(Reason(*last))}}});
  if (last != nullptr) chunk["timings"] = Timings(*last);
  return chunk;
}

Json UsageChunk(const AnswerHead& head, const CompletionCall& call, const GenerationResult& result) {
  Json chunk = Head(head, call.chat ? "chat.completion.chunk" : "text_completion");
  chunk["choices"] = Json::array();
  chunk["usage"] = Usage(result.prompt_tokens, result.completion_tokens);
  return chunk;
}

}  // namespace rhodes
