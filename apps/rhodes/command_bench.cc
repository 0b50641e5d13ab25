#include <fmt/format.h>

#include <cstdio>

#include "command.h"
#include "on_ranks.h"
#include "token/encode_benchmark.h"
#include "train/benchmark.h"
#include "train/train.h"

namespace rhodes {
namespace {

struct BenchFlags {
  std::string what;
  std::string preset = "14m";
  int64_t batch = 0;
  int64_t context = 256;
  int64_t steps = 10;
  std::string compute = "auto";
  bool recompute = false;
  EncodeBenchmarkOptions encode;
};

void PrintTraining(const std::string& preset, const Json& r) {
  std::printf("train step, %s: %.1f M parameters, B%ld T%ld, %s    median %.0f ms (%.0f to %.0f)\n", preset.c_str(),
              r["parameters"].get<double>() * 1e-6, r["batch"].get<long>(), r["context"].get<long>(),
              r["compute"].get<std::string>().c_str(), r["median_step_seconds"].get<double>() * 1e3,
              r["fastest_step_seconds"].get<double>() * 1e3, r["slowest_step_seconds"].get<double>() * 1e3);
  std::printf("%.0f tokens/s    %.0f GFLOP/s    %.1f %% of the peak of %.0f GFLOP/s\n",
              r["tokens_per_second"].get<double>(), r["flops_per_second"].get<double>() * 1e-9,
              r["share_of_peak"].get<double>() * 100, r["peak_flops_per_second"].get<double>() * 1e-9);
  std::printf("%s\n", r["formula"].get<std::string>().c_str());
  for (const auto& [kind, seconds] : r["step_seconds_by_kind"].items()) {
    std::printf("  %-14s %8.2f ms\n", kind.c_str(), seconds.get<double>() * 1e3);
  }
}

absl::Status RunPeak(const CommonFlags& flags, RunContext& context) {
  const Json result = BenchmarkPeak(context);
  if (flags.json) {
    PrintJson(result);
  } else {
    std::printf("products on %d threads (%s): bf16 %.0f GFLOP/s, f32 %.0f GFLOP/s\n", result["threads"].get<int>(),
                result["instruction_set"].get<std::string>().c_str(),
                result["bf16_flops_per_second"].get<double>() * 1e-9,
                result["f32_flops_per_second"].get<double>() * 1e-9);
  }
  return absl::OkStatus();
}

absl::Status RunTrainOn(MpiRanks* mpi, const BenchFlags& own, const CommonFlags& flags, RunContext& context) {
  TrainBenchmarkOptions options;
  ASSIGN_OR_RETURN(options.config, PresetConfig(own.preset));
  options.config.max_positions = own.context;
  options.batch = own.batch > 0 ? own.batch : own.preset == "124m" ? 4 : own.preset == "1.4m" ? 32 : 16;
  options.context = own.context;
  options.steps = own.steps;
  options.recompute = own.recompute;
  options.compute = own.compute == "auto"   ? NativeComputeType()
                    : own.compute == "bf16" ? ComputeType::kBf16
                                            : ComputeType::kF32;
  if (mpi != nullptr) options.ranks = &mpi->communicator();
  ASSIGN_OR_RETURN(Json result, BenchmarkTraining(options, context));
  result["preset"] = own.preset;
  if (mpi != nullptr && !mpi->communicator().root()) return absl::OkStatus();
  if (flags.json) {
    PrintJson(result);
  } else {
    PrintTraining(own.preset, result);
  }
  return absl::OkStatus();
}

absl::Status RunTrain(const BenchFlags& own, const CommonFlags& flags, RunContext& context) {
  return RunOnRanks("bench", context, [&](MpiRanks* mpi) { return RunTrainOn(mpi, own, flags, context); });
}

absl::Status RunEncode(const EncodeBenchmarkOptions& options, const CommonFlags& flags, const RunContext& context) {
  if (options.tokenizer.empty()) return UsageError("bench encode: name the tokenizer with --tokenizer FILE");
  if (options.input.empty()) return UsageError("bench encode: name a file of text to encode");
  ASSIGN_OR_RETURN(const Json result, BenchmarkEncoding(options, context));
  if (flags.json) {
    PrintJson(result);
    return absl::OkStatus();
  }
  std::printf("encode %s: %lu bytes, %lu tokens, %.3f bytes a token; MB/s, medians of %d\n", options.input.c_str(),
              result["bytes"].get<unsigned long>(), result["tokens"].get<unsigned long>(),
              result["bytes_per_token"].get<double>(), options.rounds);
  std::printf("%12s %10s %10s %10s\n", "threads", "cold", "warm", "seen");
  for (const auto& [threads, key] : {std::pair(1, "one_thread"), std::pair(context.Threads(), "all_threads")}) {
    const Json& rates = result["bytes_per_second"][key];
    std::printf("%12d %10.1f %10.1f %10.1f\n", threads, rates["cold"].get<double>() * 1e-6,
                rates["warm"].get<double>() * 1e-6, rates["seen"].get<double>() * 1e-6);
  }
  std::printf("one thread that has seen the text, by the share of its words that are new\n");
  for (const Json& row : result["unseen_words"]) {
    std::printf("%11.0f%% %10.1f\n", row["share"].get<double>() * 100, row["bytes_per_second"].get<double>() * 1e-6);
  }
  return absl::OkStatus();
}

CommandBody Setup(CLI::App& app) {
  auto own = std::make_shared<BenchFlags>();
  app.add_option("what", own->what, "peak: the machine's products; train: whole training steps; encode: a tokenizer")
      ->required()
      ->check(CLI::IsMember({"peak", "train", "encode"}));
  app.add_option("input", own->encode.input, "encode: a file of text");
  app.add_option("--tokenizer", own->encode.tokenizer, "encode: tokenizer.json, or a tiktoken rank file");
  app.add_option("--pattern", own->encode.pattern, "encode: what cuts the words of an unknown rank file");
  app.add_option("--rounds", own->encode.rounds, "encode: of each measurement, of which the median is taken")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--preset", own->preset,
                 "shape of the model (layers, heads, width, vocabulary): 124m 12, 12, 768, "
                 "50304; 14m 6, 6, 384, 8192; 1.4m 4, 4, 128, 4096; grok2-60m 6, 6, 384, 8192 with 8 experts, 2 of "
                 "them a token")
      ->check(CLI::IsMember(PresetNames()))
      ->capture_default_str();
  app.add_option("--batch", own->batch, "sequences a step (default: 4, 16, 32 by preset)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--context", own->context, "tokens a sequence")->check(CLI::Range(2, 1 << 20))->capture_default_str();
  app.add_option("--steps", own->steps, "timed steps")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--compute", own->compute, "auto, bf16 or f32; auto: bf16 where the processor has it")
      ->check(CLI::IsMember({"auto", "bf16", "f32"}))
      ->capture_default_str();
  return [own](const CommonFlags& flags, RunContext& context) {
    if (own->what == "encode") return RunEncode(own->encode, flags, context);
    return own->what == "peak" ? RunPeak(flags, context) : RunTrain(*own, flags, context);
  };
}

const CommandRegistration kRegistration({"bench", "measure this machine: products, training, encoding",
                                         "  rhodes bench peak\n"
                                         "  rhodes bench train --preset 14m --batch 16 --context 256 --threads 2\n"
                                         "  rhodes bench train --preset 124m --json\n"
                                         "  mpirun -np 2 rhodes bench train --preset 14m --threads 1\n"
                                         "  rhodes bench train --preset grok2-60m --json\n"
                                         "  rhodes bench encode --tokenizer o200k_base.tiktoken book.txt --json\n",
                                         120, &Setup});

}  // namespace
}  // namespace rhodes
