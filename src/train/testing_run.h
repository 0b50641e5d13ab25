// A fixture that trains small models, for tests of the training loop.
#ifndef RHODES_TRAIN_TESTING_RUN_H_
#define RHODES_TRAIN_TESTING_RUN_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "train/loop.h"
#include "train/testing_inputs.h"

namespace rhodes {

inline std::vector<std::string> Documents(int count) {
  std::mt19937 random(9);
  const std::vector<std::string> words = {"one ", "two ", "three ", "four ", "and ", "the ", "sum ", "is "};
  std::vector<std::string> documents;
  for (int i = 0; i < count; ++i) {
    std::string text;
    for (unsigned word = 0; word < 10 + random() % 30; ++word) text += words[random() % words.size()];
    documents.push_back(text);
  }
  return documents;
}

// Small runs below a scratch folder, over text of eight words.
class RunFixture : public testing::Test {
 protected:
  RunFixture() : train(Documents(60)), validation(Documents(5)) {
    std::filesystem::remove_all(root);
    std::filesystem::create_directories(root);
    WriteFileAtomically(root + "/tokenizer.json", "{}").IgnoreError();  // copied, not read
    context.threads = 2;
  }
  ~RunFixture() override { std::filesystem::remove_all(root); }

  TrainOptions Options(const std::string& name, int64_t steps) {
    TrainOptions options;
    options.out = root + "/" + name;
    options.tokenizer = root + "/tokenizer.json";
    options.config = MakeConfig(2, 64, 272, 32);
    options.batch = 4;
    options.context = 32;
    options.steps = steps;
    options.eval_every = 7;
    options.sample_prompts = {"the "};
    options.sample_tokens = 8;
    options.checkpoint_seconds = 1e9;
    options.peak_seconds = 0.01;
    options.key = "k";
    options.settings = SettingsOf(options);
    std::filesystem::create_directories(options.out);
    return options;
  }
  absl::StatusOr<TrainReport> Run(const TrainOptions& options) {
    return RunTraining(options, {&tokenizer, &train, &validation}, context);
  }
  // What `run` (a training with the options it gets) does when the user stops it after `step`.
  absl::StatusOr<TrainReport> StopAfter(int64_t step, TrainOptions options,
                                        const std::function<absl::StatusOr<TrainReport>(const TrainOptions&)>& run) {
    std::atomic<bool> stop{false};
    options.on_step = [&](const StepReport& report) { stop = report.step == step; };
    context.cancelled = &stop;
    absl::StatusOr<TrainReport> report = run(options);
    context.cancelled = nullptr;
    return report;
  }
  absl::StatusOr<TrainReport> StopAfter(int64_t step, const TrainOptions& options) {
    return StopAfter(step, options, [this](const TrainOptions& own) { return Run(own); });
  }
  // metrics.jsonl without what may differ between two runs.
  std::string Metrics(const std::string& name) {
    std::string kept;
    const std::string text = *ReadFile(root + "/" + name + "/metrics.jsonl");
    for (const std::string_view line : Split(text, '\n')) {
      Json json = Json::parse(line, nullptr, false);
      if (!json.is_object()) continue;
      for (const char* key : {"tokens_per_second", "share_of_peak", "training_seconds", "flops_per_second",
                              "peak_flops_per_second", "peak_memory_bytes"}) {
        json.erase(key);
      }
      kept += DumpJson(json) + "\n";
    }
    return kept;
  }
  std::string Weights(const std::string& name) { return *ReadFile(root + "/" + name + "/model/model.safetensors"); }

  // Of this process: the same test may run from another folder at the same time.
  const std::string root = fmt::format("{}/rhodes_{}_{}", testing::TempDir(),
                                       testing::UnitTest::GetInstance()->current_test_info()->name(), ::getpid());
  ByteTokenizer tokenizer;
  MemoryShards train, validation;
  RunContext context;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_TESTING_RUN_H_
