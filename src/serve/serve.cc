#include "serve/serve.h"

#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "serve/api.h"

namespace rhodes {
namespace {

bool IsLoopback(std::string_view host) { return host == "localhost" || host.starts_with("127.") || host == "::1"; }

ApiOptions MakeApiOptions(const ServeOptions& options, const std::string& model) {
  ApiOptions api;
  api.model_id = !options.name.empty() ? options.name : ModelName(options.out.empty() ? model : options.out);
  api.summary = options.out.empty() ? Json::object() : SummaryOf(options.out);
  api.allow_origin = options.allow_origin;
  if (IsLoopback(options.http.host)) {
    api.hosts = {"localhost", "127.0.0.1", "[::1]", LowerAscii(options.http.host)};
    for (const std::string& host : options.allow_hosts) api.hosts.push_back(LowerAscii(host));
  }
  return api;
}

}  // namespace

std::string ModelName(const std::string& folder) {
  std::filesystem::path path = std::filesystem::absolute(folder).lexically_normal();
  while (path.has_relative_path()) {
    const std::string name = path.filename().string();
    if (!name.empty() && name != "out" && name != "model" && name != "model.safetensors") return name;
    path = path.parent_path();
  }
  return "rhodes";
}

absl::Status Serve(const ServeOptions& options, RunContext& context,
                   const std::function<void(const std::string&)>& ready) {
  if (options.out.empty() && options.model.empty()) return UsageError("serve: name --out OUT or --model DIR");
  if (!options.out.empty() && !PathExists(options.out)) {
    return absl::NotFoundError(fmt::format("{}: no such folder; `rhodes run` makes one", options.out));
  }
  const std::string model = options.model.empty() ? options.out + "/model" : options.model;
  // The port first: it is the likeliest to fail and the model the slowest to load.
  ASSIGN_OR_RETURN(const std::unique_ptr<HttpServer> server, HttpServer::Listen(options.http));
  ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine, Engine::Open(model, options.engine));
  std::unique_ptr<Evidence> evidence;
  if (!options.out.empty()) {
    absl::StatusOr<std::unique_ptr<Evidence>> opened = Evidence::Open(options.out, context);
    if (opened.ok()) {
      evidence = *std::move(opened);
    } else {
      context.progress->Say(fmt::format("answers are not led back: {}", Message(opened.status())));
    }
  }
  Api api(*engine, evidence.get(), MakeApiOptions(options, model));
  const bool wildcard = options.http.host == "0.0.0.0" || options.http.host == "::";
  const bool v6 = options.http.host.find(':') != std::string::npos;
  ready(fmt::format("http://{}{}{}:{}", v6 && !wildcard ? "[" : "", wildcard ? "127.0.0.1" : options.http.host,
                    v6 && !wildcard ? "]" : "", server->port()));
  static const std::atomic<bool> never{false};
  server->Serve([&](const HttpRequest& request, HttpResponder& responder) { api.Handle(request, responder); },
                [](int status, std::string_view message) {
                  return ApiError{status, std::string(message), status < 500 ? "invalid_request_error" : "server_error",
                                  "", ""}
                      .Body();
                },
                context.cancelled != nullptr ? *context.cancelled : never);
  return absl::OkStatus();
}

}  // namespace rhodes
