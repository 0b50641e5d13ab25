// rhodes export: a model folder as a GGUF file.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "exchange/exchange.h"

namespace rhodes {
namespace {

struct Flags {
  std::string model;
  std::string gguf;
  std::string type = "bf16";
};

CommandBody Setup(CLI::App& app) {
  auto own = std::make_shared<Flags>();
  app.add_option("MODEL", own->model, "folder with config.json, model.safetensors and tokenizer.json, or a GGUF file")
      ->required();
  app.add_option("--gguf", own->gguf, "file to write, for llama.cpp and what is built on it")->required();
  app.add_option("--type", own->type, "of the matrices: f32, bf16 or q8_0 (8 bits and a scale for 32 values)")
      ->capture_default_str();
  return [own](const CommonFlags& flags, RunContext& context) -> absl::Status {
    ASSIGN_OR_RETURN(const GgmlType type, ParseGgufWeightType(own->type));
    ASSIGN_OR_RETURN(const ExchangeReport report, ExportGguf(own->model, own->gguf, type));
    if (flags.json) {
      PrintJson(ToJson(report));
      return absl::OkStatus();
    }
    fmt::print("written      {} ({}, {}, {:.2f} M parameters, {:.1f} MB, {} tokens)\n", report.written,
               report.architecture, own->type, static_cast<double>(report.parameters) * 1e-6,
               static_cast<double>(report.bytes) * 1e-6, report.tokens);
    for (const std::string& note : report.notes) context.progress->Say("note: in llama.cpp, " + note);
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration({"export", "write a model as a GGUF file",
                                         "  rhodes export out/model --gguf model.gguf --type q8_0\n"
                                         "  rhodes export out/model --gguf model-f32.gguf --type f32 --json\n",
                                         52, &Setup});

}  // namespace
}  // namespace rhodes
