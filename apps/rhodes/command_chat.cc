// rhodes chat: asks a model, once or in a conversation on the terminal.
#include "command.h"
#include "serve/chat.h"

namespace rhodes {
namespace {

struct Flags {
  ChatOptions chat;
  std::string prompt;
  bool f32 = false;
};

void AddSampling(CLI::App& app, SamplingOptions& sampling) {
  app.add_option("--temperature", sampling.temperature, "0: always the likeliest token")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--top-k", sampling.top_k, "draw among the k likeliest tokens; 0: all")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str();
  app.add_option("--top-p", sampling.top_p, "draw among the fewest tokens of this probability in all")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--min-p", sampling.min_p, "draw among tokens at least so likely beside the likeliest")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--repetition-penalty", sampling.repetition_penalty, "above 1: tokens seen before become less likely")
      ->check(CLI::Range(0.01, 100.0))
      ->capture_default_str();
  app.add_option("--seed", sampling.seed, "same seed, same answer")->capture_default_str();
}

CommandBody Setup(CLI::App& app) {
  auto options = std::make_shared<Flags>();
  options->chat.sampling.temperature = 0.7f;
  app.add_option("--model", options->chat.model,
                 "folder with config.json, model.safetensors and tokenizer.json (default: OUT/model)");
  app.add_option("--out", options->chat.out, "folder of a run: shows the documents that answers lean on");
  app.add_option("--prompt", options->prompt, "ask once and end; without it: a conversation");
  app.add_option("--system", options->chat.system, "text that stands before the conversation");
  app.add_option("--max-tokens", options->chat.max_tokens, "tokens of an answer at most")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--stop", options->chat.stop, "end the answer before this text (may be given several times)");
  AddSampling(app, options->chat.sampling);
  app.add_flag("--raw", options->chat.raw, "continue the prompt as it is, without the form of a conversation");
  app.add_flag("--f32", options->f32, "compute in f32 instead of bf16");
  return [options, &app](const CommonFlags& flags, RunContext& context) -> absl::Status {
    options->chat.engine.threads = context.Threads();
    options->chat.engine.cache_bytes = context.memory_bytes / 2;
    if (options->f32) options->chat.engine.precision = DecoderOptions::Precision::kF32;
    if (app.count("--prompt") == 0) {
      if (flags.json) return UsageError("chat: --json needs --prompt");
      return Converse(options->chat, context, stdin, stdout);
    }
    if (!flags.json) return AskOnce(options->chat, options->prompt, context, stdout);
    absl::StatusOr<Json> answer = AskForJson(options->chat, options->prompt, context);
    if (answer.ok()) PrintJson(*answer);
    return answer.status();
  };
}

const CommandRegistration kRegistration(
    {"chat", "ask a model in the terminal",
     "  rhodes chat --model examples/debian/out/model --prompt \"What is zstd?\"\n"
     "  rhodes chat --out examples/debian/out                        # a conversation; /trace shows where an answer is "
     "from\n"
     "  rhodes chat --model out/model --prompt \"Once upon\" --raw --max-tokens 50 --temperature 0 --json\n",
     70, &Setup});

}  // namespace
}  // namespace rhodes
