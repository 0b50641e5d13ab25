// `rhodes serve`: a model, what its answers lean on, and training runs, over HTTP.
#ifndef RHODES_SERVE_SERVE_H_
#define RHODES_SERVE_SERVE_H_

#include <functional>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "infer/engine.h"
#include "serve/http_server.h"

namespace rhodes {

struct ServeOptions {
  std::string out;                // OUT of a run: its model, trace index, documents and records; may be empty
  std::string model;              // a model's folder; empty: OUT/model, or no model where there is none yet
  std::vector<std::string> runs;  // further folders with training runs below them; OUT's are shown in any case
  std::string name;               // what /v1/models calls it; empty: after the folder
  HttpOptions http;
  EngineOptions engine;
  std::string allow_origin;              // see ApiOptions
  std::vector<std::string> allow_hosts;  // besides the loopback names, when bound to a loopback address
};

// Serves until the context is cancelled, then stops gracefully and returns OK. `ready` is called once with the URL
// when requests are taken.
absl::Status Serve(const ServeOptions& options, RunContext& context,
                   const std::function<void(const std::string&)>& ready);

// "debian" for examples/debian/out and examples/debian/out/model.
std::string ModelName(const std::string& folder);

}  // namespace rhodes

#endif  // RHODES_SERVE_SERVE_H_
