#include "serve/serve.h"

#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "serve/api.h"
#include "serve/runs.h"

namespace rhodes {
namespace {

bool IsLoopback(std::string_view host) { return host == "localhost" || host.starts_with("127.") || host == "::1"; }

ApiOptions MakeApiOptions(const ServeOptions& options, const std::string& model) {
  ApiOptions api;
  const std::string& folder = options.out.empty() ? model : options.out;
  api.model_id = !options.name.empty() || folder.empty() ? options.name : ModelName(folder);
  api.summary = options.out.empty() ? Json::object() : SummaryOf(options.out);
  api.allow_origin = options.allow_origin;
  if (IsLoopback(options.http.host)) {
    api.hosts = {"localhost", "127.0.0.1", "[::1]", LowerAscii(options.http.host)};
    for (const std::string& host : options.allow_hosts) api.hosts.push_back(LowerAscii(host));
  }
  return api;
}

absl::Status CheckFolders(const ServeOptions& options) {
  if (options.out.empty() && options.model.empty() && options.runs.empty()) {
    return UsageError("serve: name --out OUT, --model DIR or --runs DIR");
  }
  if (!options.out.empty() && !PathExists(options.out)) {
    return absl::NotFoundError(fmt::format("{}: no such folder; `rhodes run` makes one", options.out));
  }
  for (const std::string& folder : options.runs) {
    if (!std::filesystem::is_directory(folder)) {
      return absl::NotFoundError(fmt::format("--runs {}: no such folder", folder));
    }
  }
  return absl::OkStatus();
}

// "" for none: with training runs to show, a model that is not there yet is no error.
std::string ModelToServe(const ServeOptions& options) {
  if (!options.model.empty()) return options.model;
  if (options.out.empty()) return "";
  const std::string model = options.out + "/model";
  const bool training = PathExists(options.out + "/metrics.jsonl") || !options.runs.empty();
  return PathExists(model) || !training ? model : "";
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
  RETURN_IF_ERROR(CheckFolders(options));
  const std::string model = ModelToServe(options);
  // The port first: it is the likeliest to fail and the model the slowest to load.
  ASSIGN_OR_RETURN(const std::unique_ptr<HttpServer> server, HttpServer::Listen(options.http));
  std::unique_ptr<Engine> engine;
  if (!model.empty()) {
    ASSIGN_OR_RETURN(engine, Engine::Open(model, options.engine));
  } else {
    context.progress->Say("there is no model yet: training runs are shown, questions are not answered");
  }
  std::unique_ptr<Evidence> evidence;
  if (engine != nullptr && !options.out.empty()) {
    absl::StatusOr<std::unique_ptr<Evidence>> opened = Evidence::Open(options.out, context);
    if (opened.ok()) {
      evidence = *std::move(opened);
    } else {
      context.progress->Say(fmt::format("answers are not led back: {}", Message(opened.status())));
    }
  }
  std::vector<std::string> folders = options.runs;
  if (!options.out.empty()) folders.insert(folders.begin(), options.out);
  Runs runs(folders);
  Api api(engine.get(), evidence.get(), runs, MakeApiOptions(options, model));
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
