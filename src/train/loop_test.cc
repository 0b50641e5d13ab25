#include "train/loop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "model/safetensors.h"
#include "train/evaluate.h"
#include "train/export.h"
#include "train/testing_run.h"

namespace rhodes {
namespace {

using LoopTest = RunFixture;

TEST_F(LoopTest, LearnsAndWritesAModelThatLoadsToTheSameLoss) {
  const TrainOptions options = Options("a", 60);
  const absl::StatusOr<TrainReport> report = Run(options);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_EQ(report->steps, 60);
  EXPECT_EQ(report->tokens, 60 * 4 * 32);
  EXPECT_LT(report->validation.bits_per_byte, 3.0);  // 8 at the start
  EXPECT_LT(report->train_loss, 2.5);
  EXPECT_EQ(report->validation.tokens, validation.token_count());
  EXPECT_EQ(report->validation.bytes, validation.text_bytes());
  EXPECT_NEAR(report->validation.bits_per_byte,
              report->validation.loss * static_cast<double>(validation.token_count()) / std::log(2.0) /
                  static_cast<double>(validation.text_bytes()),
              1e-9);

  const absl::StatusOr<ModelConfig> config = ModelConfig::Load(options.out + "/model/config.json");
  ASSERT_TRUE(config.ok()) << Message(config.status());
  EXPECT_EQ(config->eos_id, 256);
  const auto model = Model::Create(*config, {NativeComputeType(), 2, 4, 32, false});
  ASSERT_TRUE(model.ok());
  ASSERT_TRUE(LoadWeights(options.out + "/model", **model).ok());
  const absl::StatusOr<Evaluation> again = Evaluate(**model, validation, tokenizer, 0, 32, true, context);
  ASSERT_TRUE(again.ok());
  EXPECT_DOUBLE_EQ(again->loss, report->validation.loss);  // the file holds the weights that were evaluated
  for (const char* file : {"tokenizer.json", "tokenizer_config.json", "generation_config.json", "manifest.json"}) {
    EXPECT_TRUE(PathExists(options.out + "/model/" + file)) << file;
  }
}

TEST_F(LoopTest, FortyStepsEqualTwentyThenAStopThenTwenty) {
  ASSERT_TRUE(Run(Options("straight", 40)).ok());
  const TrainOptions options = Options("resumed", 40);
  EXPECT_EQ(ExitCodeOf(StopAfter(20, options).status()), ExitCode::kInterrupted);
  EXPECT_FALSE(PathExists(options.out + "/model"));
  const absl::StatusOr<TrainReport> report = Run(options);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_EQ(report->resumed_from, 20);
  EXPECT_EQ(Weights("straight"), Weights("resumed"));
  EXPECT_EQ(Metrics("straight"), Metrics("resumed"));
}

TEST_F(LoopTest, AKillBetweenCheckpointsEndsWithTheSameBytes) {
  ASSERT_TRUE(Run(Options("straight", 30)).ok());
  // A checkpoint at every step, and files as a kill leaves them: the newest checkpoint torn, metrics beyond it, half a
  // line at their end.
  TrainOptions options = Options("killed", 30);
  options.checkpoint_seconds = 0;
  ASSERT_FALSE(StopAfter(25, options).ok());
  std::filesystem::resize_file(options.out + "/checkpoints/checkpoint-0000000025.state", 100);
  {
    std::string metrics = *ReadFile(options.out + "/metrics.jsonl");
    ASSERT_TRUE(WriteFileAtomically(options.out + "/metrics.jsonl", metrics + "{\"step\": 26, \"lo").ok());
  }
  const absl::StatusOr<TrainReport> report = Run(options);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_EQ(report->resumed_from, 24);
  EXPECT_EQ(Weights("straight"), Weights("killed"));
  EXPECT_EQ(Metrics("straight"), Metrics("killed"));
  // Once more, whole: nothing is trained again, and the result is the same.
  ASSERT_TRUE(Run(options).ok());
  EXPECT_EQ(Weights("straight"), Weights("killed"));
  EXPECT_EQ(Metrics("straight"), Metrics("killed"));
}

TEST_F(LoopTest, AnotherKeyStartsAfresh) {
  TrainOptions options = Options("a", 5);
  ASSERT_TRUE(Run(options).ok());
  options.key = "other";
  options.steps = 6;
  const absl::StatusOr<TrainReport> report = Run(options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->resumed_from, 0);
  EXPECT_EQ(report->steps, 6);
}

TEST_F(LoopTest, MinutesBecomeAPlanThatIsKept) {
  TrainOptions options = Options("a", 0);
  options.minutes = 6.0 / 60;
  ASSERT_FALSE(StopAfter(5, options).ok());
  const Json plan = *ReadJsonFile(options.out + "/checkpoints/plan.json");
  EXPECT_GE(plan["steps"].get<int64_t>(), 10);
  EXPECT_GT(plan["seconds_per_step"].get<double>(), 0);
  Json shorter = plan;
  shorter["steps"] = 12;  // what counts is the plan, not a new measurement
  ASSERT_TRUE(WriteFileAtomically(options.out + "/checkpoints/plan.json", DumpJson(shorter)).ok());
  const absl::StatusOr<TrainReport> report = Run(options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->steps, 12);
  EXPECT_EQ(report->resumed_from, 5);
}

TEST_F(LoopTest, StopsWithTheStepAndAdviceWhenTheLossIsNoNumber) {
  TrainOptions options = Options("a", 30);
  options.schedule.peak = 1e30;
  options.schedule.kind = ScheduleKind::kConstant;
  options.eval_every = -1;
  const absl::Status status = Run(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(Message(status).find("not numbers any more"), std::string::npos) << Message(status);
  EXPECT_NE(Message(status).find("lower learning rate"), std::string::npos) << Message(status);
}

TEST_F(LoopTest, ForetellsThatTheMemoryIsNotEnough) {
  context.memory_bytes = 1 << 20;
  const absl::Status status = Run(Options("a", 5)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(Message(status).find("--memory"), std::string::npos) << Message(status);
}

TEST_F(LoopTest, ForetellsItForABatchThatCouldNotEvenBeRead) {
  TrainOptions options = Options("a", 5);
  options.batch = int64_t{1} << 40;
  EXPECT_EQ(Run(options).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(LoopTest, Evaluate_CountsEveryTokenOnceWithAndWithoutOverlap) {
  // A model whose every prediction is uniform makes the loss exactly ln V: with double counting it would not be.
  const ModelConfig config = MakeConfig(1, 64, 272, 32);
  const auto model = *Model::Create(config, {ComputeType::kF32, 2, 3, 32, false});
  model->Initialize(1, 0.0f);
  for (const bool overlap : {false, true}) {
    for (const uint64_t tokens : {uint64_t{0}, uint64_t{1}, uint64_t{31}, uint64_t{32}, uint64_t{33}, uint64_t{100}}) {
      const absl::StatusOr<Evaluation> e = Evaluate(*model, validation, tokenizer, tokens, 32, overlap, context);
      ASSERT_TRUE(e.ok());
      EXPECT_EQ(e->tokens, tokens == 0 ? validation.token_count() : tokens);
      EXPECT_NEAR(e->loss, std::log(272.0), 1e-5);
    }
  }
}

TEST_F(LoopTest, Sample_DependsOnTheSeedAlone) {
  const auto model = *Model::Create(MakeConfig(1, 64, 272, 128), {ComputeType::kF32, 2, 1, 128, false});
  model->Initialize(1, 0.05f);
  const std::string first = *Sample(*model, tokenizer, "the ", 20, 5);
  EXPECT_EQ(first, *Sample(*model, tokenizer, "the ", 20, 5));
  EXPECT_NE(first, *Sample(*model, tokenizer, "the ", 20, 6));
  EXPECT_TRUE(first.starts_with("the "));
}

// On a text that looks the same from every window, 8 steps and then 8 more at a constant rate are 16 steps, to the bit.
TEST_F(LoopTest, GoesOnFromACheckpointWithWhatTheOptimizerKnew) {
  std::string text;
  for (int i = 0; i < 32 * 4000; ++i) text += static_cast<char>('a' + i % 32);
  const MemoryShards same({text});
  const auto run = [&](const std::string& name, int64_t steps, std::optional<TrainOptions::Start> start) {
    TrainOptions options = Options(name, steps);
    options.schedule.kind = ScheduleKind::kConstant;
    options.schedule.warmup_share = 0;
    options.key = name;
    options.start = std::move(start);
    return RunTraining(options, {&tokenizer, &same, nullptr}, context).status();
  };
  ASSERT_TRUE(run("straight", 16, std::nullopt).ok());
  ASSERT_TRUE(run("first", 8, std::nullopt).ok());
  ASSERT_TRUE(run("second", 8, TrainOptions::Start{root + "/first/checkpoints", "first", 8, ""}).ok());
  ASSERT_TRUE(run("forgetful", 8, TrainOptions::Start{"", "", 0, root + "/first/model"}).ok());
  EXPECT_EQ(Weights("second"), Weights("straight"));
  EXPECT_NE(Weights("forgetful"), Weights("straight"));
}

TEST_F(LoopTest, ContinuedTrainingSurvivesAKillAndReplaysOldText) {
  ASSERT_TRUE(Run(Options("base", 20)).ok());
  std::vector<std::string> other(40, "zyx wvu tsr qpo nml kji hgf ");
  for (size_t i = 0; i < other.size(); ++i) other[i] += std::to_string(i);
  const MemoryShards fresh(other);
  const auto continued = [&](const std::string& name) {
    TrainOptions options = Options(name, 16);
    options.key = "k2";
    options.start = TrainOptions::Start{root + "/base/checkpoints", "k", 20, ""};
    return options;
  };
  const auto run = [&](const TrainOptions& options) {
    return RunTraining(options, {&tokenizer, &fresh, &validation, &train, 0.5}, context);
  };
  const absl::StatusOr<TrainReport> straight = run(continued("straight"));
  ASSERT_TRUE(straight.ok()) << Message(straight.status());
  const TrainOptions stopped = continued("stopped");
  EXPECT_EQ(ExitCodeOf(StopAfter(5, stopped, run).status()), ExitCode::kInterrupted);
  ASSERT_TRUE(run(stopped).ok());
  EXPECT_EQ(Weights("straight"), Weights("stopped"));
  EXPECT_EQ(Metrics("straight"), Metrics("stopped"));

  // Without old text between the new, more of it is forgotten.
  const absl::StatusOr<TrainReport> alone = RunTraining(continued("alone"), {&tokenizer, &fresh, &validation}, context);
  ASSERT_TRUE(alone.ok());
  EXPECT_GT(alone->validation.loss, straight->validation.loss + 0.05);
}

TEST_F(LoopTest, GoesOnFromWeightsAloneAndSaysWhenACheckpointIsMissing) {
  ASSERT_TRUE(Run(Options("base", 20)).ok());
  TrainOptions options = Options("weights", 5);
  options.key = "k2";
  options.start = TrainOptions::Start{"", "", 0, root + "/base/model"};
  const absl::StatusOr<TrainReport> report = Run(options);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_LT(report->validation.bits_per_byte, 5.0);
  TrainOptions missing = Options("missing", 5);
  missing.key = "k3";
  missing.start = TrainOptions::Start{root + "/base/checkpoints", "of another run", 20, ""};
  EXPECT_TRUE(absl::IsNotFound(Run(missing).status()));
}

}  // namespace
}  // namespace rhodes
