// Whole runs with the choices that a user has: optimizers, early stop, sources, what an output folder holds already.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "train/estimate.h"
#include "train/testing_ranks.h"
#include "train/testing_run.h"

namespace rhodes {
namespace {

struct Listener final : Progress {
  void Begin(std::string_view, uint64_t, std::string_view) override {}
  void Update(uint64_t, std::string_view) override {}
  void End() override {}
  void Say(std::string_view line) override { said += std::string(line) + "\n"; }
  std::string said;
};

class RunTest : public RunFixture {
 protected:
  RunTest() { context.threads = 1; }
};

TEST_F(RunTest, MuonLearnsFasterThanAdamW) {
  // Each at the better of several rates, so that neither is held back.
  const auto best_loss = [&](OptimizerKind kind, std::initializer_list<double> rates) {
    double best = 1e9;
    for (const double rate : rates) {
      TrainOptions options = Options(fmt::format("{}-{}", OptimizerName(kind), rate), 60);
      options.optimizer = kind;
      options.eval_every = -1;
      options.sample_prompts.clear();
      (kind == OptimizerKind::kMuon ? options.muon_learning_rate : options.schedule.peak) = rate;
      if (kind == OptimizerKind::kMuon) options.schedule.peak = 1e-2;
      const absl::StatusOr<TrainReport> report = Run(options);
      EXPECT_TRUE(report.ok()) << Message(report.status());
      if (report.ok()) best = std::min(best, report->validation.loss);
    }
    return best;
  };
  const double adamw = best_loss(OptimizerKind::kAdamW, {3e-3, 1e-2, 2e-2});
  const double muon = best_loss(OptimizerKind::kMuon, {0.02, 0.05});
  EXPECT_LT(muon, adamw);
}

TEST_F(RunTest, MuonGoesOnFromACheckpointToTheSameBytes) {
  TrainOptions options = Options("straight", 20);
  options.optimizer = OptimizerKind::kMuon;
  ASSERT_TRUE(Run(options).ok());
  TrainOptions stopped = Options("stopped", 20);
  stopped.optimizer = OptimizerKind::kMuon;
  ASSERT_FALSE(StopAfter(9, stopped).ok());
  ASSERT_TRUE(Run(stopped).ok());
  EXPECT_EQ(Weights("straight"), Weights("stopped"));
  EXPECT_EQ(Metrics("straight"), Metrics("stopped"));
}

TEST_F(RunTest, OverfitsOneBatchToNearZero) {
  // One document of one batch's tokens, again and again. Epochs cut it at other places, and what stands at the
  // beginning of a window must be told from one token: so each byte occurs once.
  std::mt19937 random(5);
  std::string text;
  for (int i = 0; i < 4 * 32; ++i) text += static_cast<char>(i);
  std::shuffle(text.begin(), text.end(), random);
  const MemoryShards one({text});
  TrainOptions options = Options("a", 300);
  options.compute = TrainOptions::Compute::kF32;
  options.schedule.peak = 1e-2;
  options.weight_decay = 0;
  options.eval_every = -1;
  options.sample_prompts.clear();
  const absl::StatusOr<TrainReport> report = RunTraining(options, {&tokenizer, &one, nullptr}, context);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_LT(report->train_loss, 0.02);  // ln 128 = 4.85 to anyone who has not seen the text
}

TEST_F(RunTest, TheSameSeedGivesTheSameBitsAndAnotherOtherOnes) {
  ASSERT_TRUE(Run(Options("first", 10)).ok());
  ASSERT_TRUE(Run(Options("second", 10)).ok());
  TrainOptions other = Options("other", 10);
  other.seed = 2;
  ASSERT_TRUE(Run(other).ok());
  EXPECT_EQ(Weights("first"), Weights("second"));
  EXPECT_EQ(Metrics("first"), Metrics("second"));
  EXPECT_NE(Weights("first"), Weights("other"));
}

TEST_F(RunTest, AccumulationEqualsALargerBatch) {
  TrainOptions whole = Options("whole", 10), parts = Options("parts", 10);
  whole.compute = parts.compute = TrainOptions::Compute::kF32;
  parts.batch = 1;
  parts.accumulation = 4;
  const absl::StatusOr<TrainReport> a = Run(whole), b = Run(parts);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_NEAR(a->validation.loss, b->validation.loss, 2e-4 * a->validation.loss);  // sums in another order
  EXPECT_EQ(a->tokens, b->tokens);
}

TEST_F(RunTest, RecomputingActivationsTakesLessMemoryAndGivesTheSameBits) {
  TrainOptions kept = Options("kept", 6), made = Options("made", 6);
  made.recompute = true;
  EXPECT_LT(MemoryOf(made, 1).activations, MemoryOf(kept, 1).activations);
  ASSERT_TRUE(Run(kept).ok());
  ASSERT_TRUE(Run(made).ok());
  EXPECT_EQ(Weights("kept"), Weights("made"));
}

TEST_F(RunTest, StopsEarlyAndKeepsTheBestWeights) {
  // Too little text for the model: held-out loss falls, then rises.
  const MemoryShards few(Documents(3));
  TrainOptions options = Options("a", 2000);
  options.schedule.kind = ScheduleKind::kConstant;
  options.schedule.peak = 1e-2;
  options.eval_every = 10;
  options.patience = 3;
  options.sample_prompts.clear();
  const TrainInputs inputs{&tokenizer, &few, &validation};
  const absl::StatusOr<TrainReport> report = RunTraining(options, inputs, context);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_TRUE(report->stopped_early);
  EXPECT_LT(report->steps, 1000);
  double best = 1e9;
  int64_t best_step = 0;
  const std::string metrics = Metrics("a");
  for (const std::string_view line : Split(metrics, '\n')) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || json.contains("final") || !json.contains("validation_loss")) continue;
    if (json["validation_loss"].get<double>() < best) {
      best = json["validation_loss"];
      best_step = json["step"];
    }
  }
  EXPECT_EQ(report->steps, best_step + 30);
  EXPECT_LT(report->validation.loss, best + 0.05);  // with overlap, of the best step's weights
  EXPECT_EQ((*ReadJsonFile(options.out + "/model/manifest.json"))["counts"]["weights_of_step"], best_step);

  // A kill on the way changes nothing.
  TrainOptions stopped = options;
  stopped.out += "-stopped";
  std::filesystem::create_directories(stopped.out);
  const auto run = [&](const TrainOptions& own) { return RunTraining(own, inputs, context); };
  ASSERT_FALSE(StopAfter(best_step + 15, stopped, run).ok());
  ASSERT_TRUE(run(stopped).ok());
  EXPECT_EQ(Weights("a"), Weights("a-stopped"));
  EXPECT_EQ(Metrics("a"), Metrics("a-stopped"));
}

TEST_F(RunTest, EvaluatesEachSourceBesideTheWhole) {
  const MemoryShards numbers({"0123456789 0123456789", "9876543210"});
  TrainOptions options = Options("a", 14);
  options.event_dir = options.out + "/events";
  TrainInputs inputs{&tokenizer, &train, &validation};
  inputs.validation_by_source = {{"words", &validation}, {"numbers", &numbers}};
  const absl::StatusOr<TrainReport> report = RunTraining(options, inputs, context);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_EQ(report->validation_by_source["words"]["loss"], report->validation.loss);
  EXPECT_GT(report->validation_by_source["numbers"]["loss"].get<double>(), report->validation.loss + 0.5);
  EXPECT_NE(Metrics("a").find("\"validation_by_source\""), std::string::npos);
  const std::vector<std::string> events = *ListFiles(options.event_dir);
  ASSERT_EQ(events.size(), 1u);
  const std::string bytes = *ReadFile(events[0]);
  for (const char* tag :
       {"train/loss", "train/share_of_peak", "validation/validation_loss", "validation_loss/numbers", "sample/the "}) {
    EXPECT_NE(bytes.find(tag), std::string::npos) << tag;
  }
}

TEST_F(RunTest, WhatTheFolderHoldsIsReplacedRefusedOrGoneOnWith) {
  Listener listener;
  context.progress = &listener;
  TrainOptions options = Options("a", 8);
  ASSERT_TRUE(Run(options).ok());
  const auto resolve = [&](TrainOptions::Existing existing, const auto& change) {
    TrainOptions other = Options("a", 8);
    other.key = "other";
    other.existing = existing;
    change(other);
    other.settings = SettingsOf(other);
    const absl::Status status = ResolveExisting(other, context);
    return std::make_pair(status, other.key);
  };
  using Existing = TrainOptions::Existing;
  const auto longer = [](TrainOptions& o) { o.steps = 12; };
  const auto another_seed = [](TrainOptions& o) { o.seed = 9; };
  EXPECT_EQ(resolve(Existing::kReplace, another_seed).second, "other");
  EXPECT_EQ(resolve(Existing::kRefuse, [](TrainOptions&) {}).second, "k");  // the same settings: the same run
  const auto refused = resolve(Existing::kRefuse, longer);
  EXPECT_EQ(ExitCodeOf(refused.first), ExitCode::kUsage);
  EXPECT_NE(Message(refused.first).find("differs in steps: --resume"), std::string::npos) << Message(refused.first);
  const auto foreign = resolve(Existing::kResume, another_seed);
  EXPECT_EQ(ExitCodeOf(foreign.first), ExitCode::kUsage);
  EXPECT_NE(Message(foreign.first).find("differ in seed"), std::string::npos) << Message(foreign.first);
  const auto resumed = resolve(Existing::kResume, longer);
  EXPECT_TRUE(resumed.first.ok()) << Message(resumed.first);
  EXPECT_EQ(resumed.second, "k");

  options = Options("a", 12);
  options.key = resumed.second;
  const absl::StatusOr<TrainReport> report = Run(options);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_EQ(report->resumed_from, 8);
  EXPECT_EQ(report->steps, 12);

  // Without a checkpoint there is nothing that another run could destroy: a run that failed on damaged weights was
  // refused with mended ones.
  for (const auto& entry : std::filesystem::directory_iterator(Options("a", 8).out + "/checkpoints")) {
    if (entry.path().extension() == ".state") std::filesystem::remove(entry.path());
  }
  const auto anew = resolve(Existing::kRefuse, another_seed);
  EXPECT_TRUE(anew.first.ok()) << Message(anew.first);
  EXPECT_EQ(anew.second, "other");

  TrainOptions empty = Options("empty", 8);
  empty.existing = Existing::kResume;
  EXPECT_TRUE(ResolveExisting(empty, context).ok());
  EXPECT_NE(listener.said.find("holds no run to go on with"), std::string::npos) << listener.said;
}

TEST_F(RunTest, AnEstimateAddsUpAndSaysWhatDoesNotFit) {
  TrainOptions options = Options("a", 100);
  options.accumulation = 2;
  const absl::StatusOr<Json> e = EstimateTraining(options, context);
  ASSERT_TRUE(e.ok()) << Message(e.status());
  const Json& memory = (*e)["memory_bytes"];
  uint64_t sum = 0;
  for (const auto& [kind, bytes] : memory.items()) {
    if (kind != "total" && kind != "checkpoint_copy") sum += bytes.get<uint64_t>();
  }
  EXPECT_EQ(memory["total"], sum);
  EXPECT_EQ((*e)["tokens"], 100 * 2 * 4 * 32);
  EXPECT_NEAR((*e)["seconds"].get<double>() * (*e)["tokens_per_second"].get<double>(), 100 * 2 * 4 * 32, 1e-3);
  EXPECT_TRUE((*e)["fits"].get<bool>());
  // AdamW keeps two numbers a weight, Muon one and the second of what it leaves to AdamW.
  options.optimizer = OptimizerKind::kMuon;
  const TrainMemory muon = MemoryOf(options, 1);
  EXPECT_LT(muon.optimizer_state, memory["optimizer_state"].get<uint64_t>());
  EXPECT_GT(muon.optimizer_work, 0u);
  context.memory_bytes = 1 << 20;
  const absl::StatusOr<Json> small = EstimateTraining(options, context);
  ASSERT_TRUE(small.ok());
  EXPECT_FALSE((*small)["fits"].get<bool>());
  EXPECT_TRUE((*small)["tokens_per_second"].is_null());
}

TEST_F(RunTest, AnEstimateOfSeveralRanksDealsOutTheStateAndGivesRankZeroRoomForAll) {
  for (const auto kind : {OptimizerKind::kAdamW, OptimizerKind::kMuon}) {
    TrainOptions options = Options("a", 100);
    options.batch = 6;
    options.optimizer = kind;
    const ParameterLayout layout(options.config);
    const uint64_t weights = static_cast<uint64_t>(layout.size()) * sizeof(float);
    const uint64_t state = Optimizer::StateBytes(kind, layout);
    const TrainMemory alone = MemoryOf(options, 1);
    uint64_t dealt = 0;
    for (int rank = 0; rank < 4; ++rank) {
      const TrainMemory memory = MemoryOf(options, 1, 4, rank);
      dealt += memory.optimizer_state;
      EXPECT_EQ(memory.weights, alone.weights);
      EXPECT_EQ(memory.gradients, alone.gradients);  // whole during the backward pass
      EXPECT_LT(memory.activations, alone.activations / 2);
      EXPECT_GT(memory.messages, 0u);
      EXPECT_EQ(memory.checkpoint_copy, rank == 0 ? weights + state : 0u);
    }
    EXPECT_EQ(dealt, state);
    const absl::StatusOr<Json> e = EstimateTraining(options, context, 4);
    ASSERT_TRUE(e.ok()) << Message(e.status());
    EXPECT_EQ((*e)["ranks"], 4);
    EXPECT_EQ((*e)["memory_bytes"]["total"], MemoryOf(options, 1, 4).total());
    EXPECT_EQ((*e)["memory_bytes"]["checkpoint_copy"], weights + state);
    EXPECT_EQ((*e)["memory_bytes_of_others"]["total"], MemoryOfOthers(options, 1, 4).total());
    EXPECT_EQ((*e)["memory_bytes_of_others"]["checkpoint_copy"], 0);
    EXPECT_TRUE((*e)["tokens_per_second"].is_null());
  }
  TrainOptions few = Options("few", 1);
  EXPECT_EQ(ExitCodeOf(EstimateTraining(few, context, 5).status()), ExitCode::kUsage);
}

TEST_F(RunTest, RanksOfOneMachineMayShareItsMemoryUnequally) {
  TrainOptions options = Options("a", 10);
  const uint64_t first = MemoryOf(options, 1, 2, 0).total(), other = MemoryOf(options, 1, 2, 1).total();
  ASSERT_GT(first, other);
  const auto check = [&](TrainOptions::Machine machine, uint64_t allowed) {
    std::vector<absl::Status> results(2);
    RunRanks(2, [&](Communicator& ranks) {
      TrainOptions own = options;
      own.ranks = &ranks;
      own.machine = machine;
      results[static_cast<size_t>(ranks.rank())] = CheckMemory(own, 1, allowed);
    });
    return results;
  };
  // A half for each would be too little for rank 0.
  for (const absl::Status& status : check({2, true}, first + other)) EXPECT_TRUE(status.ok()) << Message(status);
  for (const absl::Status& status : check({2, true}, first + other - 1)) {
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_NE(Message(status).find("by 2 ranks on this machine"), std::string::npos) << Message(status);
  }
  const std::vector<absl::Status> each = check({}, other);
  EXPECT_NE(Message(each[0]).find("the checkpoint of all ranks"), std::string::npos) << Message(each[0]);
  EXPECT_TRUE(each[1].ok());
}

}  // namespace
}  // namespace rhodes
