// rhodes serve: the OpenAI API, the page, what answers lean on, and training runs, over HTTP.
#include <cstdio>

#include "command.h"
#include "serve/serve.h"

namespace rhodes {
namespace {

CommandBody Setup(CLI::App& app) {
  auto options = std::make_shared<ServeOptions>();
  auto f32 = std::make_shared<bool>(false);
  app.add_option("--out", options->out, "folder of a run: serves its model, and leads answers back to its records");
  app.add_option("--model", options->model,
                 "folder with config.json, model.safetensors and tokenizer.json (default: OUT/model)");
  app.add_option("--runs", options->runs,
                 "folders below which the page looks for further training runs; OUT's own are shown in any case");
  app.add_option("--name", options->name, "what the API calls the model (default: after the folder)");
  app.add_option("--host", options->http.host, "address to listen on; 0.0.0.0 for all")->capture_default_str();
  app.add_option("--port", options->http.port, "port to listen on; 0 for any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--sequences", options->engine.max_sequences, "requests answered at the same time; others wait")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_flag("--f32", *f32, "compute in f32 instead of bf16: slower, for comparing numbers");
  app.add_option("--allow-origin", options->allow_origin,
                 "let pages of this origin (such as https://example.org, or *) read answers");
  app.add_option("--allow-host", options->allow_hosts, "further host names to answer to on a loopback address");
  return [options, f32](const CommonFlags& flags, RunContext& context) -> absl::Status {
    options->engine.threads = context.Threads();
    options->engine.cache_bytes = context.memory_bytes / 2;
    if (*f32) options->engine.precision = DecoderOptions::Precision::kF32;
    return Serve(*options, context, [&](const std::string& url) {
      if (flags.json) return PrintJson({{"url", url}});
      std::printf("serving on %s (Ctrl-C ends it)\n", url.c_str());
      std::fflush(stdout);
    });
  };
}

const CommandRegistration kRegistration(
    {"serve",
     "serve a model over HTTP: the OpenAI API, and a page that shows what answers lean on and compares training runs",
     "  rhodes serve --out examples/debian/out\n"
     "  rhodes serve --out run1 --runs experiments     # page: Training compares run1 and all runs below experiments\n"
     "  rhodes serve --model models/tiny --port 9000 --host 0.0.0.0\n"
     "  curl http://127.0.0.1:8080/v1/chat/completions -d '{\"messages\": [{\"role\": \"user\", \"content\": \"What is "
     "zstd?\"}]}'\n",
     80, &Setup});

}  // namespace
}  // namespace rhodes
