// rhodes logits: what a model says of each next token.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "infer/logits.h"

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
    const auto precision = own->bf16 ? DecoderOptions::Precision::kBf16 : DecoderOptions::Precision::kF32;
    ASSIGN_OR_RETURN(const std::unique_ptr<Decoder> decoder, Decoder::Load(own->model, {precision, context.Threads()}));
    ASSIGN_OR_RETURN(const std::vector<float> logits, TokenLogits(*decoder, tokens, own->last, context));
    const int64_t vocabulary = decoder->config().vocabulary_size;
    if (flags.json) {
      PrintJson(LogitsToJson(own->model, tokens, logits, vocabulary));
    } else {
      fmt::print("{}", FormatLogits(tokens, logits, vocabulary, 5));
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
