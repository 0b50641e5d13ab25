// The paths that are served: the OpenAI API, the page and its own API.
#ifndef RHODES_SERVE_API_H_
#define RHODES_SERVE_API_H_

#include <atomic>
#include <string>
#include <vector>

#include "infer/engine.h"
#include "serve/evidence.h"
#include "serve/http_server.h"
#include "serve/openai.h"
#include "serve/runs.h"

namespace rhodes {

struct ApiOptions {
  std::string model_id;      // what /v1/models lists
  Json summary;              // what /api/summary gives
  std::string allow_origin;  // Access-Control-Allow-Origin; "": other origins' pages cannot read answers
  // Names in the Host header that are answered; empty: all. On a loopback address this keeps pages of the web out that
  // point a name of theirs at it (DNS rebinding).
  std::vector<std::string> hosts;
};

// Thread-safe. What it is given must outlive it. Without `engine` (null) there is no model, without `evidence` no
// trace; their paths answer 404 then.
class Api {
 public:
  Api(Engine* engine, Evidence* evidence, Runs& runs, ApiOptions options);
  void Handle(const HttpRequest& request, HttpResponder& responder);

 private:
  struct Route;
  static const std::vector<Route>& Routes();
  absl::Status CheckHost(const HttpRequest& request) const;
  HttpHeaders Headers() const;
  void SendJson(HttpResponder& responder, const Json& json) const;
  void SendError(HttpResponder& responder, const ApiError& error, HttpHeaders headers = {}) const;
  void SendResult(HttpResponder& responder, const absl::StatusOr<Json>& json) const;

  void Health(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void Models(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void Model(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void ChatCompletions(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void Completions(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void Summary(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void Trace(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void Document(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void Record(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void RunList(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void RunMetrics(const HttpRequest& request, const std::string& rest, HttpResponder& responder);
  void Page(const HttpRequest& request, HttpResponder& responder);

  Json ModelObject() const;
  bool RefuseWithoutModel(HttpResponder& responder) const;
  void Answer(absl::StatusOr<CompletionCall> call, HttpResponder& responder);
  void AnswerWhole(const CompletionCall& call, const AnswerHead& head, HttpResponder& responder);
  void AnswerStream(const CompletionCall& call, const AnswerHead& head, HttpResponder& responder);

  Engine* const engine_;
  Evidence* const evidence_;
  Runs& runs_;
  const ApiOptions options_;
  const int64_t started_;
  std::atomic<uint64_t> answers_{0};
};

}  // namespace rhodes

#endif  // RHODES_SERVE_API_H_
