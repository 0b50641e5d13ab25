#include "serve/api.h"

#include <algorithm>
#include <ctime>

#include "base/hash.h"
#include "base/parallel.h"
#include "base/text.h"
#include "serve/page_files.h"

namespace rhodes {
namespace {

constexpr std::string_view kJson = "application/json";

std::string_view ContentType(std::string_view path) {
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

std::string Frame(const Json& json) { return fmt::format("data: {}\n\n", DumpJson(json)); }

// "name" of "name:8080" and of "[::1]:8080".
std::string_view HostName(std::string_view header) {
  if (header.starts_with('[')) return header.substr(0, std::min(header.find(']'), header.size() - 1) + 1);
  return header.substr(0, header.find(':'));
}

// A path's last part: percent-encoding undone. Ids have no such characters; anything else is simply not found.
std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t at) {
      const std::string_view digits = "0123456789abcdef";
      return at < text.size() ? digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(text[at]))))
                              : std::string_view::npos;
    };
    if (text[i] == '%' && digit(i + 1) != std::string_view::npos && digit(i + 2) != std::string_view::npos) {
      out += static_cast<char>(digit(i + 1) * 16 + digit(i + 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

absl::StatusOr<Json> ReadBody(const HttpRequest& request) {
  absl::StatusOr<Json> body = ParseJson(request.body, "body");
  if (body.ok() && !body->is_object()) return absl::InvalidArgumentError("the body is not a JSON object");
  return body;
}

}  // namespace

struct Api::Route {
  std::string_view method;
  std::string_view path;  // ends with '/': what follows is handed over
  void (Api::*handle)(const HttpRequest&, const std::string& rest, HttpResponder&);
};

const std::vector<Api::Route>& Api::Routes() {
  static const std::vector<Route> routes = {{"GET", "/health", &Api::Health},
                                            {"GET", "/v1/models", &Api::Models},
                                            {"GET", "/v1/models/", &Api::Model},
                                            {"POST", "/v1/chat/completions", &Api::ChatCompletions},
                                            {"POST", "/v1/completions", &Api::Completions},
                                            {"GET", "/api/summary", &Api::Summary},
                                            {"POST", "/api/trace", &Api::Trace},
                                            {"GET", "/api/document/", &Api::Document},
                                            {"GET", "/api/record/", &Api::Record},
                                            {"GET", "/api/runs", &Api::RunList},
                                            {"GET", "/api/runs/", &Api::RunMetrics}};
  return routes;
}

Api::Api(Engine* engine, Evidence* evidence, Runs& runs, ApiOptions options)
    : engine_(engine), evidence_(evidence), runs_(runs), options_(std::move(options)), started_(std::time(nullptr)) {}

HttpHeaders Api::Headers() const {
  HttpHeaders headers = {{"Cache-Control", "no-store"}};
  if (!options_.allow_origin.empty()) {
    headers.emplace_back("Access-Control-Allow-Origin", options_.allow_origin);
    headers.emplace_back("Vary", "Origin");
  }
  return headers;
}

void Api::SendJson(HttpResponder& responder, const Json& json) const {
  responder.Send(200, kJson, DumpJson(json), Headers());
}

void Api::SendError(HttpResponder& responder, const ApiError& error, HttpHeaders headers) const {
  for (const auto& header : Headers()) headers.push_back(header);
  responder.Send(error.status, kJson, error.Body(), headers);
}

void Api::SendResult(HttpResponder& responder, const absl::StatusOr<Json>& json) const {
  if (json.ok()) {
    SendJson(responder, *json);
  } else {
    SendError(responder, ApiError::From(json.status()));
  }
}

absl::Status Api::CheckHost(const HttpRequest& request) const {
  if (options_.hosts.empty()) return absl::OkStatus();
  const std::string_view name = HostName(request.Header("host"));
  if (std::find(options_.hosts.begin(), options_.hosts.end(), LowerAscii(name)) != options_.hosts.end()) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      fmt::format("host \"{}\" is not served; start with --allow-host {} to serve it", name, name));
}

void Api::Handle(const HttpRequest& request, HttpResponder& responder) {
  if (const absl::Status status = CheckHost(request); !status.ok()) {
    return SendError(responder, {403, Message(status), "invalid_request_error", "", "host_not_allowed"});
  }
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  if (method == "OPTIONS" && !options_.allow_origin.empty()) {
    HttpHeaders headers = Headers();
    headers.emplace_back("Access-Control-Allow-Methods", "GET, POST");
    headers.emplace_back("Access-Control-Allow-Headers", "Authorization, Content-Type");
    return responder.Send(204, kJson, "", headers);
  }
  std::string allowed;
  for (const Route& route : Routes()) {
    const bool prefix =
        route.path.ends_with('/') && request.path.starts_with(route.path) && request.path.size() > route.path.size();
    if (!prefix && request.path != route.path) continue;
    if (route.path.ends_with('/') && !prefix) continue;
    if (method == route.method) {
      const std::string rest = prefix ? PercentDecoded(std::string_view(request.path).substr(route.path.size())) : "";
      return (this->*route.handle)(request, rest, responder);
    }
    allowed = route.method;
  }
  if (allowed.empty()) return Page(request, responder);
  SendError(responder,
            {405, fmt::format("{} is not for {}; use {}", request.path, request.method, allowed),
             "invalid_request_error", "", "method_not_allowed"},
            {{"Allow", allowed}});
}

void Api::Page(const HttpRequest& request, HttpResponder& responder) {
  const std::string_view path = request.path == "/" ? "/index.html" : std::string_view(request.path);
  for (const PageFile& file : PageFiles()) {
    if (file.path != path) continue;
    if (request.method != "GET" && request.method != "HEAD") {
      return SendError(responder,
                       {405, fmt::format("{} is not for {}; use GET", path, request.method), "invalid_request_error",
                        "", "method_not_allowed"},
                       {{"Allow", "GET"}});
    }
    return responder.Send(200, ContentType(path), file.bytes,
                          {{"Cache-Control", "no-cache"},
                           {"Content-Security-Policy",
                            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
                           {"Referrer-Policy", "no-referrer"}});
  }
  SendError(responder, {404, fmt::format("{} {}: no such path", request.method, request.path), "invalid_request_error",
                        "", "not_found"});
}

void Api::Health(const HttpRequest&, const std::string&, HttpResponder& responder) {
  SendJson(responder, {{"status", "ok"}});
}

Json Api::ModelObject() const {
  return {{"id", options_.model_id},
          {"object", "model"},
          {"created", started_},
          {"owned_by", "rhodes"},
          {"context_length", engine_->config().max_positions},
          {"parameters", engine_->config().ParameterCount()}};
}

// True when there is none: then the request is answered.
bool Api::RefuseWithoutModel(HttpResponder& responder) const {
  if (engine_ != nullptr) return false;
  SendError(responder,
            {404, "no model is served, only training runs", "invalid_request_error", "model", "model_not_found"});
  return true;
}

void Api::Models(const HttpRequest&, const std::string&, HttpResponder& responder) {
  Json models = Json::array();
  if (engine_ != nullptr) models.push_back(ModelObject());
  SendJson(responder, {{"object", "list"}, {"data", std::move(models)}});
}

void Api::Model(const HttpRequest&, const std::string& rest, HttpResponder& responder) {
  if (RefuseWithoutModel(responder)) return;
  if (rest == options_.model_id) return SendJson(responder, ModelObject());
  SendError(responder, {404, fmt::format("model \"{}\" is not served; \"{}\" is", rest, options_.model_id),
                        "invalid_request_error", "model", "model_not_found"});
}

void Api::ChatCompletions(const HttpRequest& request, const std::string&, HttpResponder& responder) {
  if (RefuseWithoutModel(responder)) return;
  const absl::StatusOr<Json> body = ReadBody(request);
  Answer(body.ok() ? ReadChatCall(*body, *engine_) : body.status(), responder);
}

void Api::Completions(const HttpRequest& request, const std::string&, HttpResponder& responder) {
  if (RefuseWithoutModel(responder)) return;
  const absl::StatusOr<Json> body = ReadBody(request);
  Answer(body.ok() ? ReadTextCall(*body, *engine_) : body.status(), responder);
}

void Api::Answer(absl::StatusOr<CompletionCall> call, HttpResponder& responder) {
  if (!call.ok()) return SendError(responder, ApiError::From(call.status()));
  if (!call->model.empty() && call->model != options_.model_id) {
    return SendError(responder,
                     {404, fmt::format("model \"{}\" is not served; \"{}\" is", call->model, options_.model_id),
                      "invalid_request_error", "model", "model_not_found"});
  }
  AnswerHead head;
  head.created = std::time(nullptr);
  head.model = options_.model_id;
  head.id = fmt::format("{}{}", call->chat ? "chatcmpl-" : "cmpl-",
                        ContentId({std::to_string(head.created), std::to_string(++answers_)}));
  if (call->stream) {
    AnswerStream(*call, head, responder);
  } else {
    AnswerWhole(*call, head, responder);
  }
}

void Api::AnswerWhole(const CompletionCall& call, const AnswerHead& head, HttpResponder& responder) {
  std::vector<GenerationResult> results(call.requests.size());
  const auto generate = [&](size_t i) -> absl::Status {
    // Nothing is sent before the end, so only asking tells whether anybody still waits.
    const auto go_on = [&](const GenerationPiece&) { return i > 0 || !responder.ClientGone(); };
    ASSIGN_OR_RETURN(results[i], engine_->Generate(call.requests[i], go_on, &responder.cancelled()));
    return absl::OkStatus();
  };
  // All prompts at once: the engine decodes them together.
  const absl::Status status = ParallelFor(static_cast<int>(results.size()), results.size(), generate);
  if (!status.ok()) return SendError(responder, ApiError::From(status));
  if (responder.cancelled()) {
    return SendError(responder, {503, "the server is stopping", "server_error", "", "stopping"});
  }
  SendJson(responder, call.chat ? ChatAnswer(head, call, results.front(), engine_->tokenizer())
                                : TextAnswer(head, call, results, engine_->tokenizer()));
}

void Api::AnswerStream(const CompletionCall& call, const AnswerHead& head, HttpResponder& responder) {
  const Tokenizer& tokenizer = engine_->tokenizer();
  const auto chunk = call.chat ? &ChatChunk : &TextChunk;
  bool begun = false;
  // The answer begins with the first token: an error before it still gets its status code.
  const auto begin = [&]() -> absl::Status {
    if (std::exchange(begun, true)) return absl::OkStatus();
    RETURN_IF_ERROR(responder.BeginStream("text/event-stream", Headers()));
    if (!call.chat && !call.echo) return absl::OkStatus();
    return responder.Write(Frame(chunk(head, call, nullptr, nullptr, tokenizer)));
  };
  const auto on_piece = [&](const GenerationPiece& piece) {
    return begin().ok() && responder.Write(Frame(chunk(head, call, &piece, nullptr, tokenizer))).ok() &&
           !responder.ClientGone();
  };
  const absl::StatusOr<GenerationResult> result =
      engine_->Generate(call.requests.front(), on_piece, &responder.cancelled());
  if (!result.ok()) {
    const ApiError error = ApiError::From(result.status());
    if (!begun) return SendError(responder, error);
    responder.Write(fmt::format("data: {}\n\n", error.Body())).IgnoreError();  // the stream ends here in any case
    return;
  }
  // A failed write means that nobody reads any more.
  begin().IgnoreError();
  responder.Write(Frame(chunk(head, call, nullptr, &*result, tokenizer))).IgnoreError();
  if (call.include_usage) responder.Write(Frame(UsageChunk(head, call, *result))).IgnoreError();
  responder.Write("data: [DONE]\n\n").IgnoreError();
}

void Api::Summary(const HttpRequest&, const std::string&, HttpResponder& responder) {
  Json summary = options_.summary.is_object() ? options_.summary : Json::object();
  summary["model"] = engine_ != nullptr ? ModelObject() : Json();
  summary["trace"] = evidence_ != nullptr;
  SendJson(responder, summary);
}

void Api::Trace(const HttpRequest& request, const std::string&, HttpResponder& responder) {
  const absl::StatusOr<Json> body = ReadBody(request);
  if (!body.ok()) return SendResult(responder, body);
  const auto text = body->find("text");
  if (text == body->end() || !text->is_string()) {
    return SendResult(responder, FieldError("text", "text is not a string"));
  }
  if (evidence_ == nullptr) {
    return SendResult(responder, absl::NotFoundError("no trace index is served; start with --out OUT"));
  }
  SendResult(responder, evidence_->Trace(text->get_ref<const std::string&>()));
}

void Api::Document(const HttpRequest&, const std::string& rest, HttpResponder& responder) {
  if (evidence_ == nullptr) return SendResult(responder, absl::NotFoundError("no documents are served"));
  SendResult(responder, evidence_->Document(rest));
}

void Api::Record(const HttpRequest&, const std::string& rest, HttpResponder& responder) {
  if (evidence_ == nullptr) return SendResult(responder, absl::NotFoundError("no records are served"));
  SendResult(responder, evidence_->Record(rest));
}

void Api::RunList(const HttpRequest&, const std::string&, HttpResponder& responder) {
  SendJson(responder, runs_.List());
}

// "a/b/metrics": names have slashes in them.
void Api::RunMetrics(const HttpRequest& request, const std::string& rest, HttpResponder& responder) {
  constexpr std::string_view kMetrics = "/metrics";
  if (!rest.ends_with(kMetrics)) {
    return SendResult(responder, absl::NotFoundError(fmt::format("{}: ask for /api/runs/NAME/metrics", request.path)));
  }
  const absl::StatusOr<Runs::Query> query = Runs::ReadQuery(request.query);
  if (!query.ok()) return SendResult(responder, query.status());
  SendResult(responder, runs_.Metrics(rest.substr(0, rest.size() - kMetrics.size()), *query));
}

}  // namespace rhodes
