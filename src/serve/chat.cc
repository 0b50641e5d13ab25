#include "serve/chat.h"

#include <poll.h>
#include <unistd.h>

#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "serve/evidence.h"

namespace rhodes {
namespace {

constexpr size_t kWordsShown = 70;  // bytes of a span in the list

struct Session {
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Evidence> evidence;  // null without `out`
};

absl::StatusOr<Session> OpenSession(const ChatOptions& options, RunContext& context) {
  if (options.model.empty() && options.out.empty()) return UsageError("chat: name --model DIR or --out OUT");
  Session session;
  ASSIGN_OR_RETURN(session.engine,
                   Engine::Open(options.model.empty() ? options.out + "/model" : options.model, options.engine));
  if (options.out.empty()) return session;
  if (!PathExists(options.out)) {
    return absl::NotFoundError(fmt::format("{}: no such folder; `rhodes run` makes one", options.out));
  }
  ASSIGN_OR_RETURN(session.evidence, Evidence::Open(options.out, context));
  return session;
}

absl::StatusOr<GenerationRequest> MakeRequest(const ChatOptions& options, const Engine& engine,
                                              const std::vector<ChatMessage>& messages) {
  GenerationRequest request;
  request.sampling = options.sampling;
  request.max_tokens = options.max_tokens;
  request.stop = options.stop;
  if (options.raw) {
    request.prompt = engine.Tokenize(messages.back().content);
    return request;
  }
  std::vector<ChatMessage> all;
  if (!options.system.empty()) all.push_back({"system", options.system});
  all.insert(all.end(), messages.begin(), messages.end());
  ASSIGN_OR_RETURN(request.prompt, engine.TokenizeChat(all));
  request.skip_leading_space = true;
  request.stop.insert(request.stop.end(), engine.chat().stop.begin(), engine.chat().stop.end());
  return request;
}

double Rate(const GenerationResult& result) {
  return result.decode_seconds > 0 ? static_cast<double>(result.completion_tokens) / result.decode_seconds : 0;
}

void Write(std::FILE* output, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), output);
  std::fflush(output);
}

absl::StatusOr<GenerationResult> Stream(const GenerationRequest& request, Engine& engine, RunContext& context,
                                        std::FILE* output) {
  const auto show = [&](const GenerationPiece& piece) {
    Write(output, piece.text);
    return std::ferror(output) == 0;
  };
  absl::StatusOr<GenerationResult> result = engine.Generate(request, show, context.cancelled);
  Write(output, "\n");
  return result;
}

// The documents that `text` leans on, each with its longest span and the record that comes first.
absl::Status ShowTrace(Evidence& evidence, const std::string& text, std::FILE* output) {
  ASSIGN_OR_RETURN(const Json trace, evidence.Trace(text));
  std::string lines;
  for (const Json& document : trace["documents"]) {
    std::string words;
    for (const Json& number : document["spans"]) {
      const std::string span = trace["spans"][number.get<size_t>()]["text"].get<std::string>();
      if (span.size() > words.size()) words = span;
    }
    words = Trim(words);
    if (words.size() > kWordsShown) words = words.substr(0, kWordsShown) + "…";
    lines += fmt::format("  {} · {}\n    \"{}\"\n", document["source"].get<std::string>(),
                         document["title"].get<std::string>(), words);
    if (document["records"].empty()) continue;
    const Json& record = document["records"][0];
    const size_t others = document["records"].size() - 1;
    lines +=
        fmt::format("    {} bytes {} to {}{}\n", record["file"].get<std::string>(), record["begin"].get<uint64_t>(),
                    record["end"].get<uint64_t>(), others > 0 ? fmt::format(" and {} more", others) : "");
  }
  Write(output, lines.empty() ? "\nno words of this stand in the training text\n"
                              : "\nleans on:\n" + ReplaceInvalidUtf8(lines));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Json> AskForJson(const ChatOptions& options, const std::string& prompt, RunContext& context) {
  ASSIGN_OR_RETURN(const Session session, OpenSession(options, context));
  ASSIGN_OR_RETURN(const GenerationRequest request, MakeRequest(options, *session.engine, {{"user", prompt}}));
  ASSIGN_OR_RETURN(const GenerationResult result, session.engine->Generate(request, {}, context.cancelled));
  RETURN_IF_ERROR(context.CheckCancelled());
  Json answer = {{"prompt", prompt},
                 {"text", result.text},
                 {"prompt_tokens", result.prompt_tokens},
                 {"tokens", result.completion_tokens},
                 {"tokens_per_second", Rate(result)},
                 {"prompt_seconds", result.prompt_seconds},
                 {"decode_seconds", result.decode_seconds},
                 {"finish_reason", FinishReasonName(result.finish_reason)},
                 {"seed", options.sampling.seed}};
  if (session.evidence != nullptr) {
    ASSIGN_OR_RETURN(answer["trace"], session.evidence->Trace(result.text));
  }
  return answer;
}

absl::Status AskOnce(const ChatOptions& options, const std::string& prompt, RunContext& context, std::FILE* output) {
  ASSIGN_OR_RETURN(const Session session, OpenSession(options, context));
  ASSIGN_OR_RETURN(const GenerationRequest request, MakeRequest(options, *session.engine, {{"user", prompt}}));
  if (options.raw) Write(output, prompt);
  ASSIGN_OR_RETURN(const GenerationResult result, Stream(request, *session.engine, context, output));
  RETURN_IF_ERROR(context.CheckCancelled());
  return session.evidence != nullptr ? ShowTrace(*session.evidence, result.text, output) : absl::OkStatus();
}

namespace {

// A line of input without its end; nothing at the end of the input or when the user asked to stop. Waits with poll:
// a read that a signal handler interrupts is begun again by the library, and Ctrl-C would do nothing.
std::optional<std::string> ReadLine(std::FILE* input, RunContext& context) {
  std::string line;
  while (true) {
    pollfd entry = {::fileno(input), POLLIN, 0};
    while (::poll(&entry, 1, 100) <= 0) {
      if (!context.CheckCancelled().ok()) return std::nullopt;
    }
    char byte;
    const ssize_t got = ::read(::fileno(input), &byte, 1);
    if (got < 0) continue;
    if (got == 0) return line.empty() ? std::nullopt : std::optional(line);
    if (byte == '\n') return line;
    line += byte;
  }
}

// The loop of a conversation and what it remembers.
class Conversation {
 public:
  Conversation(const ChatOptions& options, Session session, RunContext& context, std::FILE* output)
      : options_(options), session_(std::move(session)), context_(context), output_(output) {}

  // False for /quit.
  bool Take(const std::string& line) {
    const std::string_view text = Trim(line);
    if (text.empty()) return true;
    if (text == "/quit" || text == "/exit") return false;
    if (text == "/new") {
      messages_.clear();
      Write(output_, "(a new conversation)\n");
    } else if (text == "/trace") {
      Trace();
    } else if (text.starts_with('/')) {
      Write(output_, "known: /quit, /new, /trace\n");
    } else {
      Ask(std::string(text));
    }
    return true;
  }

 private:
  void Trace() {
    if (session_.evidence == nullptr)
      return Write(output_, "answers are led back when chat is started with --out OUT\n");
    if (messages_.empty()) return Write(output_, "nothing was answered yet\n");
    Tell(ShowTrace(*session_.evidence, messages_.back().content, output_));
  }

  void Ask(std::string question) {
    messages_.push_back({"user", std::move(question)});
    absl::StatusOr<GenerationResult> result = Answer();
    // The oldest turns make room for the newest.
    while (!result.ok() && result.status().code() == absl::StatusCode::kOutOfRange && messages_.size() > 2) {
      messages_.erase(messages_.begin(), messages_.begin() + 2);
      result = Answer();
    }
    if (result.ok()) {
      messages_.push_back({"assistant", result->text});
    } else {
      messages_.pop_back();
      Tell(result.status());
    }
  }

  absl::StatusOr<GenerationResult> Answer() {
    ASSIGN_OR_RETURN(const GenerationRequest request, MakeRequest(options_, *session_.engine, messages_));
    return Stream(request, *session_.engine, context_, output_);
  }

  void Tell(const absl::Status& status) {
    if (!status.ok()) Write(output_, Message(status) + "\n");
  }

  const ChatOptions& options_;
  Session session_;
  RunContext& context_;
  std::FILE* output_;
  std::vector<ChatMessage> messages_;
};

}  // namespace

absl::Status Converse(const ChatOptions& options, RunContext& context, std::FILE* input, std::FILE* output) {
  ASSIGN_OR_RETURN(Session session, OpenSession(options, context));
  const bool terminal = ::isatty(::fileno(input)) != 0;
  Conversation conversation(options, std::move(session), context, output);
  if (terminal) Write(output, "Ask. /quit ends, /new starts over, /trace shows what the last answer leans on.\n");
  while (true) {
    if (terminal) Write(output, "\n> ");
    const std::optional<std::string> line = ReadLine(input, context);
    if (!line.has_value() || !conversation.Take(*line)) break;
    if (!context.CheckCancelled().ok()) break;
  }
  if (terminal) Write(output, "\n");
  return absl::OkStatus();
}

}  // namespace rhodes
