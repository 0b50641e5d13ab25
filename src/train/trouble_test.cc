#include "train/trouble.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "train/testing_run.h"

namespace rhodes {
namespace {

TEST(SpikeDetector, JudgesNumbersAndJumpsOnceItHasSeenEnough) {
  SpikeDetector spikes(8);
  EXPECT_EQ(spikes.Judge(NAN, 1), "the loss is no number");
  EXPECT_EQ(spikes.Judge(1, INFINITY), "the gradient is no number");
  for (int i = 0; i < 19; ++i) spikes.Add(2.0 + 0.01 * (i % 2));
  EXPECT_EQ(spikes.Judge(100, 1), "");  // too early to tell
  spikes.Add(2.0);
  EXPECT_EQ(spikes.Judge(2.9, 1), "");  // below one nat
  EXPECT_EQ(spikes.Judge(3.1, 1), "the loss jumped");
  EXPECT_EQ(SpikeDetector(0).Judge(1e9, 1), "");
  SpikeDetector other(8);
  other.Restore(Json::parse(DumpJson(spikes.ToJson())));
  EXPECT_EQ(other.median(), spikes.median());  // to the bit, through a checkpoint's header
  EXPECT_EQ(other.deviation(), spikes.deviation());
}

TEST(SpikeDetector, NoisyLossesRaiseTheBar) {
  SpikeDetector spikes(8);
  for (int i = 0; i < 200; ++i) spikes.Add(i % 2 == 0 ? 1.0 : 3.0);
  EXPECT_DOUBLE_EQ(spikes.median(), 2.0);
  EXPECT_NEAR(spikes.deviation(), 1.4826, 1e-9);
  EXPECT_EQ(spikes.Judge(13.0, 1), "");
  EXPECT_EQ(spikes.Judge(14.0, 1), "the loss jumped");
  spikes.Add(1000);  // one jump that was taken in
  EXPECT_EQ(spikes.Judge(14.0, 1), "");
  EXPECT_EQ(spikes.Judge(20.0, 1), "the loss jumped");
}

TEST(BatchSequence, LeavesOutWhatIsSkipped) {
  BatchSequence batches;
  batches.Skip(3);
  batches.Skip(0);
  batches.Skip(4);
  batches.Skip(3);
  std::vector<int64_t> order;
  for (int64_t step = 0; step < 5; ++step) order.push_back(batches.BatchOf(step));
  EXPECT_EQ(order, (std::vector<int64_t>{1, 2, 5, 6, 7}));
  EXPECT_EQ(batches.skipped(), (std::vector<int64_t>{0, 3, 4}));
}

class TroubleTest : public RunFixture {
 protected:
  TroubleTest() { context.threads = 1; }

  // A run in which the gradients of these batches are spoilt.
  absl::StatusOr<TrainReport> RunWithFaults(const TrainOptions& options, const std::vector<int64_t>& faulty) {
    TrainInputs inputs{&tokenizer, &train, &validation};
    inputs.after_backward = [faulty](int64_t batch, std::span<float> gradients) {
      if (std::ranges::find(faulty, batch) != faulty.end()) gradients[100] = std::numeric_limits<float>::quiet_NaN();
    };
    return RunTraining(options, inputs, context);
  }
  // Metrics of steps alone: what is said of trouble names the checkpoint that was at hand.
  std::string Steps(const std::string& name) {
    std::string kept;
    const std::string metrics = Metrics(name);
    for (const std::string_view line : Split(metrics, '\n')) {
      if (line.find("\"loss\"") != std::string_view::npos) kept += std::string(line) + "\n";
    }
    return kept;
  }
};

TEST_F(TroubleTest, ABatchThatMakesNoNumbersIsLeftOutAndItsStateKept) {
  const TrainOptions options = Options("faulty", 20);
  const absl::StatusOr<TrainReport> report = RunWithFaults(options, {7, 8});
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_EQ(report->steps, 20);
  EXPECT_EQ(report->skipped_batches, (std::vector<int64_t>{7, 8}));
  const std::string kept = options.out + "/trouble/step-0000000008-batch-7";
  const absl::StatusOr<Json> described = ReadJsonFile(kept + "/report.json");
  ASSERT_TRUE(described.ok()) << Message(described.status());
  EXPECT_EQ((*described)["reason"], "the gradient is no number");
  EXPECT_EQ((*described)["gradient_norm"], "nan");
  EXPECT_EQ((*described)["largest_gradients"][0]["weight"], "model.embed_tokens.weight");
  EXPECT_EQ((*described)["tokens"].size(), 4u * 32u);
  EXPECT_TRUE(PathExists(kept + "/checkpoint-0000000007.state"));
  EXPECT_NE(Metrics("faulty").find("\"trouble\":\"the gradient is no number\""), std::string::npos);
}

TEST_F(TroubleTest, TheResultDoesNotDependOnTheCheckpointsOrOnAKill) {
  const std::vector<int64_t> faulty = {6, 15};
  ASSERT_TRUE(RunWithFaults(Options("rare", 25), faulty).ok());  // no checkpoint before the end
  TrainOptions often = Options("often", 25);
  often.checkpoint_seconds = 0;
  ASSERT_TRUE(RunWithFaults(often, faulty).ok());
  const TrainOptions stopped = Options("stopped", 25);
  ASSERT_FALSE(StopAfter(10, stopped, [&](const TrainOptions& own) { return RunWithFaults(own, faulty); }).ok());
  const absl::StatusOr<TrainReport> report = RunWithFaults(stopped, faulty);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_EQ(report->resumed_from, 10);
  EXPECT_EQ(report->skipped_batches, faulty);  // the first one from the checkpoint
  for (const char* name : {"often", "stopped"}) {
    EXPECT_EQ(Weights(name), Weights("rare")) << name;
    EXPECT_EQ(Steps(name), Steps("rare")) << name;
  }
}

TEST_F(TroubleTest, ASpikeOfTheLossIsRolledBack) {
  // Text of eight words, and in the middle of it eight windows' worth of bytes that never follow one another elsewhere.
  std::vector<std::string> documents = Documents(60);
  std::mt19937 random(1);
  std::string noise;
  for (int i = 0; i < 8 * 32; ++i) noise += static_cast<char>(128 + random() % 128);
  documents.insert(documents.begin() + 30, noise);
  const MemoryShards spoilt(documents);
  TrainOptions options = Options("a", 200);
  options.batch = 1;  // a window of noise is a batch of noise
  options.eval_every = -1;
  options.spike_deviations = 5;
  options.most_rollbacks = 10;
  options.seed = 3;
  const absl::StatusOr<TrainReport> report = RunTraining(options, {&tokenizer, &spoilt, &validation}, context);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  ASSERT_FALSE(report->skipped_batches.empty());
  // With the watch off the same run takes the noise in.
  options.out += "-unwatched";
  std::filesystem::create_directories(options.out);
  options.spike_deviations = 0;
  const absl::StatusOr<TrainReport> unwatched = RunTraining(options, {&tokenizer, &spoilt, &validation}, context);
  ASSERT_TRUE(unwatched.ok());
  EXPECT_TRUE(unwatched->skipped_batches.empty());
  const Json described = *ReadJsonFile(root + fmt::format("/a/trouble/step-{:010}-batch-{}/report.json",
                                                          report->skipped_batches[0] + 1, report->skipped_batches[0]));
  EXPECT_EQ(described["reason"], "the loss jumped");
  int64_t of_noise = 0;
  for (const Json& token : described["tokens"]) of_noise += token.get<int>() >= 128 ? 1 : 0;
  EXPECT_GT(of_noise, 8);
}

TEST_F(TroubleTest, EndsWhenTroubleDoesNotEnd) {
  TrainOptions options = Options("a", 20);
  const absl::Status status = RunWithFaults(options, {4, 5, 6, 7, 8}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(Message(status).find("after 3 batches were left out"), std::string::npos) << Message(status);
  options.most_rollbacks = 0;
  options.out += "-at-once";
  std::filesystem::create_directories(options.out);
  const absl::Status at_once = RunWithFaults(options, {4}).status();
  EXPECT_NE(Message(at_once).find("step 5: "), std::string::npos) << Message(at_once);
}

TEST_F(TroubleTest, ALossThatJumpsAgainAndAgainIsTakenIn) {
  // After so many rollbacks a run over mixed text goes on with what it is given.
  TrainOptions options = Options("a", 60);
  options.batch = 1;
  options.eval_every = -1;
  options.most_rollbacks = 1;
  options.spike_deviations = 0.01;
  std::vector<std::string> documents = Documents(60);
  std::mt19937 random(1);
  for (size_t i = 0; i < documents.size(); i += 3) {
    for (char& c : documents[i]) c = static_cast<char>(128 + random() % 128);
  }
  const MemoryShards mixed(documents);
  const absl::StatusOr<TrainReport> report = RunTraining(options, {&tokenizer, &mixed, nullptr}, context);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_EQ(report->skipped_batches.size(), 1u);
  EXPECT_EQ(report->steps, 60);
}

TEST_F(TroubleTest, ACheckpointThatTroubleFollowedTwiceIsNotTrustedAgain) {
  TrainOptions options = Options("a", 20);
  options.checkpoint_seconds = 0;
  options.keep_checkpoints = 3;
  // From batch 10 on three batches fail in a row: after the second, the checkpoint of step 10 goes.
  std::vector<int64_t> from;
  options.on_metrics_line = [&](const Json& line) {
    if (line.contains("trouble")) from.push_back(line["step"].get<int64_t>());
  };
  ASSERT_TRUE(RunWithFaults(options, {10, 11}).ok());
  EXPECT_EQ(from, (std::vector<int64_t>{10, 9}));
}

}  // namespace
}  // namespace rhodes
