// rhodes logits: what a model says of each next token.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "exchange/logits.h"

namespace rhodes {
namespace {

struct Flags {
  std::string model;
  std::string tokens;
  bool last = false;
  bool bf16 = false;
};

CommandBody Setup(CLI::App& app) {
  auto own = std::make_shared<Flags>();
  app.add_option("--model", own->model, "folder with config.json and model.safetensors, or a GGUF file")->required();
  app.add_option("--tokens", own->tokens, "ids separated by spaces or commas; rhodes encode prints them")->required();
  app.add_flag("--last", own->last, "only those after the last token");
  app.add_flag("--bf16", own->bf16, "compute in bf16 instead of f32");
  return [own](const CommonFlags& flags, RunContext& context) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<TokenId> tokens, ParseTokenIds(own->tokens));
    LogitsOptions options;
    options.compute = own->bf16 ? ComputeType::kBf16 : ComputeType::kF32;
    options.threads = context.Threads();
    options.last_only = own->last;
    ASSIGN_OR_RETURN(const TokenLogits logits, ComputeLogits(own->model, tokens, options));
    if (flags.json) {
      PrintJson(LogitsToJson(own->model, logits));
    } else {
      fmt::print("{}", FormatLogits(logits, 5));
    }
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration(
    {"logits", "what a model says of each next token",
     "  rhodes logits --model out/model --tokens \"1 2 3\" --json\n"
     "  rhodes logits --model model.gguf --tokens \"$(echo -n Hello | rhodes encode --tokenizer out/tokenizer.json)\" "
     "--last\n",
     71, &Setup});

}  // namespace
}  // namespace rhodes
