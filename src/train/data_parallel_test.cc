// Whole runs on several ranks, which are threads here.
#include "train/data_parallel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "train/testing_ranks.h"
#include "train/testing_run.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

class DataParallelTest : public RunFixture {
 protected:
  DataParallelTest() { context.threads = 1; }

  // The report of rank 0; every rank must end alike.
  absl::StatusOr<TrainReport> RunOn(int ranks, const TrainOptions& options, const TrainInputs& inputs) {
    std::vector<absl::StatusOr<TrainReport>> reports(static_cast<size_t>(ranks), absl::UnknownError("did not run"));
    RunRanks(ranks, [&](Communicator& communicator) {
      TrainOptions own = options;
      own.ranks = &communicator;
      RunContext own_context = context;
      reports[static_cast<size_t>(communicator.rank())] = RunTraining(own, inputs, own_context);
    });
    for (const auto& report : reports) {
      EXPECT_EQ(report.status().code(), reports[0].status().code()) << Message(report.status());
      if (!report.ok() || !reports[0].ok()) continue;
      EXPECT_EQ(report->steps, reports[0]->steps);
      EXPECT_EQ(report->validation.loss, reports[0]->validation.loss);
      EXPECT_EQ(report->skipped_batches, reports[0]->skipped_batches);
    }
    return reports[0];
  }
  absl::StatusOr<TrainReport> RunOn(int ranks, const TrainOptions& options) {
    return RunOn(ranks, options, {&tokenizer, &train, &validation});
  }
  std::vector<double> Losses(const std::string& name) {
    std::vector<double> losses;
    const std::string text = *ReadFile(root + "/" + name + "/metrics.jsonl");
    for (const std::string_view line : Split(text, '\n')) {
      const Json json = Json::parse(line, nullptr, false);
      if (json.is_object() && json.contains("loss")) losses.push_back(json["loss"]);
    }
    return losses;
  }
  // Largest difference between the losses of two runs, as a share.
  double LargestDifference(const std::string& a, const std::string& b) {
    const std::vector<double> x = Losses(a), y = Losses(b);
    EXPECT_EQ(x.size(), y.size());
    double largest = 0;
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      largest = std::max(largest, std::abs(x[i] - y[i]) / x[i]);
    }
    return largest;
  }
};

TEST_F(DataParallelTest, SequencesAreDealtInTheOrderOfRanks) {
  for (const int ranks : {1, 2, 3, 5}) {
    int64_t at = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const SequenceRange range = SequencesOf(7, rank, ranks);
      EXPECT_EQ(range.begin, at);
      EXPECT_GE(range.count(), 7 / ranks);
      EXPECT_LE(range.count(), 7 / ranks + 1);
      at = range.end;
    }
    EXPECT_EQ(at, 7);
  }
}

TEST_F(DataParallelTest, RanksLearnWhatOneDoes) {
  for (const auto kind : {OptimizerKind::kAdamW, OptimizerKind::kMuon}) {
    const auto options = [&](int ranks) {
      // Sums in another order differ in their last bit; a step at a high rate makes more of that (Muon's, which divides
      // by singular values, up to 500 times), and a text of eight words is learned by then.
      TrainOptions o =
          Options(fmt::format("{}-{}", OptimizerName(kind), ranks), kind == OptimizerKind::kMuon ? 20 : 200);
      o.optimizer = kind;
      o.compute = TrainOptions::Compute::kF32;
      o.schedule.peak = 1e-3;
      o.muon_learning_rate = 2e-3;
      o.accumulation = kind == OptimizerKind::kMuon ? 2 : 1;
      o.eval_every = 50;
      return o;
    };
    for (const int ranks : {1, 2, 3, 4}) {
      ASSERT_TRUE(RunOn(ranks, options(ranks)).ok());
      const double difference =
          LargestDifference(fmt::format("{}-1", OptimizerName(kind)), fmt::format("{}-{}", OptimizerName(kind), ranks));
      RecordProperty(fmt::format("{}-{}", OptimizerName(kind), ranks), fmt::format("{}", difference));
      EXPECT_LT(difference, 1e-4) << OptimizerName(kind) << " on " << ranks;
    }
  }
}

TEST_F(DataParallelTest, TheSameRanksGiveTheSameBits) {
  for (const auto kind : {OptimizerKind::kAdamW, OptimizerKind::kMuon}) {
    for (const char* name : {"first", "second"}) {
      TrainOptions options = Options(name, 12);
      options.optimizer = kind;
      options.key = OptimizerName(kind);
      ASSERT_TRUE(RunOn(3, options).ok());
    }
    EXPECT_EQ(Weights("first"), Weights("second"));
    EXPECT_EQ(Metrics("first"), Metrics("second"));
  }
}

TEST_F(DataParallelTest, GoesOnFromACheckpointOnAnyNumberOfRanks) {
  for (const auto kind : {OptimizerKind::kAdamW, OptimizerKind::kMuon}) {
    const auto options = [&](const std::string& name) {
      TrainOptions o = Options(fmt::format("{}-{}", OptimizerName(kind), name), 20);
      o.optimizer = kind;
      o.compute = TrainOptions::Compute::kF32;
      return o;
    };
    const std::string straight = fmt::format("{}-straight", OptimizerName(kind));
    ASSERT_TRUE(RunOn(2, options("straight")).ok());
    for (const int ranks : {2, 1, 4}) {
      const std::string name = fmt::format("then-{}", ranks);
      const auto stopped = StopAfter(9, options(name), [&](const TrainOptions& own) { return RunOn(2, own); });
      EXPECT_EQ(ExitCodeOf(stopped.status()), ExitCode::kInterrupted);
      const absl::StatusOr<TrainReport> report = RunOn(ranks, options(name));
      ASSERT_TRUE(report.ok()) << Message(report.status());
      EXPECT_EQ(report->resumed_from, 9);
      const std::string whole = fmt::format("{}-{}", OptimizerName(kind), name);
      EXPECT_LT(LargestDifference(straight, whole), 1e-4);
      if (ranks == 2) {
        EXPECT_EQ(Weights(straight), Weights(whole));
        EXPECT_EQ(Metrics(straight), Metrics(whole));
      }
    }
  }
}

TEST_F(DataParallelTest, AllGoBackTogetherWhenOneHasTrouble) {
  TrainOptions options = Options("trouble", 12);
  options.checkpoint_seconds = 0;
  options.compute = TrainOptions::Compute::kF32;
  TrainInputs inputs{&tokenizer, &train, &validation};
  // In the last weights alone, which one rank keeps: the others hear of it through the norm.
  inputs.after_backward = [](int64_t batch, std::span<float> gradients) {
    if (batch == 5) gradients.back() = gradients[gradients.size() - 64] = std::numeric_limits<float>::quiet_NaN();
  };
  const absl::StatusOr<TrainReport> several = RunOn(3, options, inputs);
  ASSERT_TRUE(several.ok()) << Message(several.status());
  EXPECT_EQ(several->skipped_batches, std::vector<int64_t>{5});
  TrainOptions alone = Options("alone", 12);
  alone.compute = TrainOptions::Compute::kF32;
  ASSERT_TRUE(RunOn(1, alone, inputs).ok());
  EXPECT_LT(LargestDifference("alone", "trouble"), 1e-4);
  const std::string where = "/trouble/step-0000000006-batch-5/report.json";
  const Json a = *ReadJsonFile(root + "/alone" + where), b = *ReadJsonFile(root + "/trouble" + where);
  EXPECT_EQ(a["tokens"], b["tokens"]);  // of the whole batch
}

TEST_F(DataParallelTest, StopsEarlyTogetherWithTheBestWeights) {
  const MemoryShards few(Documents(3));
  TrainOptions options = Options("early", 2000);
  options.schedule.kind = ScheduleKind::kConstant;
  options.schedule.peak = 1e-2;
  options.eval_every = 10;
  options.patience = 3;
  options.sample_prompts.clear();
  const absl::StatusOr<TrainReport> report = RunOn(2, options, {&tokenizer, &few, &validation});
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_TRUE(report->stopped_early);
  EXPECT_LT(report->steps, 2000);
}

TEST_F(DataParallelTest, MinutesBecomeOnePlanForAll) {
  TrainOptions options = Options("minutes", 0);
  options.minutes = 0.1;
  options.eval_tokens = 64;
  options.final_eval_tokens = 64;
  const absl::StatusOr<TrainReport> report = RunOn(2, options);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_GE(report->steps, 10);
}

// Only rank 1 is asked to stop, while steps are timed: once it ended alone and left the others waiting.
TEST_F(DataParallelTest, AStopOfOneWhileStepsAreTimedStopsAll) {
  std::vector<absl::Status> ended(3);
  const std::atomic<bool> stop{true};
  RunRanks(
      3,
      [&](Communicator& ranks) {
        TrainOptions options = Options("stopped", 0);
        options.minutes = 1;
        options.ranks = &ranks;
        RunContext own = context;
        if (ranks.rank() == 1) own.cancelled = const_cast<std::atomic<bool>*>(&stop);
        ended[static_cast<size_t>(ranks.rank())] =
            RunTraining(options, {&tokenizer, &train, &validation}, own).status();
      },
      1.0);
  for (const absl::Status& status : ended) EXPECT_EQ(ExitCodeOf(status), ExitCode::kInterrupted) << Message(status);
}

// The first rank that returns ends the processes of all.
TEST_F(DataParallelTest, NoRankReturnsWithAnErrorOfAllBeforeTheStateIsWritten) {
  TrainInputs inputs{&tokenizer, &train, nullptr};
  inputs.after_backward = [](int64_t batch, std::span<float> gradients) {
    if (batch == 3) gradients.back() = gradients[0] = std::numeric_limits<float>::quiet_NaN();
  };
  RunRanks(3, [&](Communicator& ranks) {
    TrainOptions options = Options("given-up", 12);
    options.config = MakeConfig(4, 256, 4000, 32);  // takes a while to write
    options.most_rollbacks = 0;
    options.sample_prompts.clear();
    options.ranks = &ranks;
    RunContext own = context;
    const absl::Status status = RunTraining(options, inputs, own).status();
    EXPECT_THAT(Message(status), HasSubstr("are not numbers any more"));
    EXPECT_TRUE(PathExists(options.out + "/checkpoints/checkpoint-0000000003.state")) << ranks.rank();
  });
}

// The model goes after an error in a backward pass; sums under way wrote into it.
TEST_F(DataParallelTest, AStepLeftBeforeItsEndTouchesTheGradientsNoMore) {
  std::vector<uint32_t> tokens(33);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<uint32_t>(i);
  const TokenBatch batch{1, 32, std::span(tokens).first(32), std::span(tokens).last(32), {}};
  RunRanks(
      2,
      [&](Communicator& ranks) {
        ModelOptions model_options{ComputeType::kF32, 1, 1, 32, true};
        const auto model = *Model::Create(MakeConfig(2, 64, 272, 32), model_options);
        model->Initialize(1, 0.02f);
        auto parallel = std::make_unique<DataParallel>(ranks, *model, OptimizerKind::kAdamW);
        if (!ranks.root()) std::this_thread::sleep_for(std::chrono::milliseconds(300));
        ASSERT_TRUE(parallel->ForwardBackward(batch, 1.0f, false, true).ok());
        if (!ranks.root()) {
          EXPECT_TRUE(absl::IsUnavailable(parallel->FinishGradients()));
          return;
        }
        parallel.reset();
        const std::vector<float> before(model->gradients().begin(), model->gradients().end());
        std::this_thread::sleep_for(std::chrono::milliseconds(600));  // the other one's come meanwhile
        EXPECT_TRUE(std::ranges::equal(before, model->gradients()));
        EXPECT_FALSE(ranks.Barrier().ok());
      },
      1.0);
}

TEST_F(DataParallelTest, StateIsDealtOutNotCopied) {
  RunRanks(4, [&](Communicator& ranks) {
    ModelOptions model_options{ComputeType::kF32, 1, 1, 32, true};
    const auto model = *Model::Create(MakeConfig(2, 64, 272, 32), model_options);
    DataParallel parallel(ranks, *model, OptimizerKind::kAdamW);
    EXPECT_LT(parallel.optimizer().m().size(), model->weights().size() / 3);
  });
}

}  // namespace
}  // namespace rhodes
