// rhodes import: a GGUF file or a Hugging Face folder as a model folder.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "exchange/exchange.h"

namespace rhodes {
namespace {

struct Flags {
  std::string from;
  std::string out;
};

CommandBody Setup(CLI::App& app) {
  auto own = std::make_shared<Flags>();
  app.add_option("FROM", own->from,
                 "GGUF file, or folder with config.json, tokenizer.json and model.safetensors (or its shards)")
      ->required();
  app.add_option("--out", own->out, "folder to write: a model that rhodes chat, serve and train read")->required();
  return [own](const CommonFlags& flags, RunContext&) -> absl::Status {
    ASSIGN_OR_RETURN(const ExchangeReport report, ImportModel(own->from, own->out));
    if (flags.json) {
      PrintJson(ToJson(report));
    } else {
      fmt::print("written      {} ({}, {:.2f} M parameters, {:.1f} MB, {} tokens)\n", report.written,
                 report.architecture, static_cast<double>(report.parameters) * 1e-6,
                 static_cast<double>(report.bytes) * 1e-6, report.tokens);
    }
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration({"import", "read a model from a GGUF file or a Hugging Face folder",
                                         "  rhodes import model.gguf --out model\n"
                                         "  rhodes import SmolLM2-135M --out smollm2 --json\n",
                                         53, &Setup});

}  // namespace
}  // namespace rhodes
