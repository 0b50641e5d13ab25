#include "serve/run_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/file.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::string StepLine(int64_t step, double loss, double rate = 1000, int64_t tokens_a_step = 100) {
  return fmt::format(
      R"({{"step":{},"loss":{},"learning_rate":0.01,"gradient_norm":2.5,"tokens":{},"tokens_per_second":{},"share_of_peak":0.5}})"
      "\n",
      step, loss, step * tokens_a_step, rate);
}

class RunLogTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(WriteFileAtomically(path_, "").ok()); }
  void Append(std::string_view text) { std::ofstream(path_, std::ios::app | std::ios::binary) << text; }
  void Read() {
    const absl::Status status = log_.Update(UINT64_MAX / 2);
    ASSERT_TRUE(status.ok()) << status;
  }

  const std::string path_ = testing::TempDir() + "run_log_metrics.jsonl";
  RunLog log_{path_};
};

TEST_F(RunLogTest, LinesOfEachKind_BecomeCurvesAndFigures) {
  Append(StepLine(1, 5) + StepLine(2, 4) + R"({"step":2,"validation_loss":4.5,"bits_per_byte":1.5})" +
         "\n"
         R"({"step":2,"prompt":"Once","sample":" upon a time"})" +
         "\n" + R"({"step":2,"trouble":"the loss jumped","at_step":3,"skipped_batch":2})" + "\n");
  Read();
  const Json curves = log_.Curves(100, -1, "");
  EXPECT_EQ(curves["steps"]["step"], Json({1, 2}));
  EXPECT_EQ(curves["steps"]["loss"], Json({5.0, 4.0}));
  EXPECT_EQ(curves["steps"]["tokens"], Json({100, 200}));
  EXPECT_EQ(curves["steps"]["seconds"], Json({0.1, 0.2}));
  EXPECT_EQ(curves["steps"]["tokens_per_second"], Json({1000.0, 1000.0}));
  EXPECT_EQ(curves["validation"]["step"], Json({2}));
  EXPECT_EQ(curves["validation"]["loss"], Json({4.5}));
  EXPECT_EQ(curves["validation"]["seconds"], Json({0.2}));
  EXPECT_EQ(curves["samples"][0], (Json{{"step", 2}, {"prompt", "Once"}, {"text", " upon a time"}}));
  EXPECT_EQ(curves["troubles"][0], (Json{{"step", 2}, {"at_step", 3}, {"reason", "the loss jumped"}}));
  EXPECT_EQ(log_.figures().step, 2);
  EXPECT_EQ(log_.figures().tokens, 200);
  EXPECT_DOUBLE_EQ(*log_.figures().loss, 4.5);
  EXPECT_DOUBLE_EQ(*log_.figures().bits_per_byte, 1.5);
  EXPECT_NEAR(log_.figures().tokens_per_second, 1000, 1e-6);
  EXPECT_NEAR(log_.figures().share_of_peak, 0.5, 1e-9);
  EXPECT_FALSE(log_.figures().final);
  EXPECT_EQ(log_.figures().bad_lines, 0u);
}

TEST_F(RunLogTest, LastLine_SumsUpAndIsNoPointOfTheCurve) {
  Append(StepLine(1, 5) + R"({"step":1,"prompt":"a","sample":"b","final":true})" + "\n");
  Read();
  EXPECT_FALSE(log_.figures().final) << "samples of the end are marked too, and come before the end";
  Append(R"({"steps":1,"parameters":77,"train_loss":4.9,"validation_loss":4.8,"bits_per_byte":1.9,)"
         R"("tokens_per_second":900,"share_of_peak":0.4,"stopped_early":true,"step":1,"final":true})"
         "\n");
  Read();
  EXPECT_TRUE(log_.figures().final);
  EXPECT_TRUE(log_.figures().stopped_early);
  EXPECT_EQ(log_.figures().parameters, 77);
  EXPECT_DOUBLE_EQ(*log_.figures().validation_loss, 4.8);
  EXPECT_DOUBLE_EQ(*log_.figures().loss, 4.9);
  EXPECT_THAT(log_.Curves(100, -1, "")["validation"]["step"], SizeIs(0));
}

TEST_F(RunLogTest, TornLastLine_WaitsForItsEnd) {
  const std::string line = StepLine(2, 4);
  Append(StepLine(1, 5) + line.substr(0, 30));
  Read();
  EXPECT_EQ(log_.figures().step, 1);
  EXPECT_EQ(log_.figures().bad_lines, 0u);
  EXPECT_TRUE(log_.complete());
  Append(line.substr(30));
  Read();
  EXPECT_EQ(log_.figures().step, 2);
  EXPECT_EQ(log_.figures().bad_lines, 0u);
}

TEST_F(RunLogTest, BadLines_AreCountedAndPassedOver) {
  Append(StepLine(1, 5) + "not json\n[1,2]\n{\"loss\":3}\n{\"step\":-4,\"loss\":3}\n{\"step\":\"2\",\"loss\":3}\n" +
         "{\"step\":1e300,\"loss\":1}\n{\"step\":9223372036854775807,\"loss\":1}\n" + std::string("\0\xff\xfe\n", 4) +
         StepLine(1, 3) +  // the same step again
         "\n" + StepLine(2, 4));
  Read();
  EXPECT_EQ(log_.figures().bad_lines, 9u);
  EXPECT_EQ(log_.Curves(100, -1, "")["steps"]["loss"], Json({5.0, 4.0}));
}

TEST_F(RunLogTest, ValuesThatAreNoNumbers_AreNull) {
  Append(R"({"step":1,"loss":null,"gradient_norm":2,"tokens":10,"tokens_per_second":"fast"})"
         "\n" +
         StepLine(2, 4));
  Read();
  const Json curves = log_.Curves(100, -1, "");
  EXPECT_EQ(curves["steps"]["loss"], Json({nullptr, 4.0}));
  EXPECT_EQ(curves["steps"]["loss_low"], Json({nullptr, 4.0}));
  EXPECT_EQ(curves["steps"]["tokens_per_second"][0], nullptr);
  EXPECT_DOUBLE_EQ(*log_.figures().loss, 4.0);
}

TEST_F(RunLogTest, LineLongerThanTheLimit_IsPassedOverInBoundedMemory) {
  Append(StepLine(1, 5) + "{\"step\":2,\"loss\":1,\"x\":\"" + std::string(3 << 20, 'x') + "\"}\n" + StepLine(3, 4));
  Read();
  EXPECT_EQ(log_.figures().bad_lines, 1u);
  EXPECT_EQ(log_.Curves(100, -1, "")["steps"]["step"], Json({1, 3}));
}

TEST_F(RunLogTest, ReplacedFile_IsReadAnew) {
  Append(StepLine(1, 5) + StepLine(2, 4) + StepLine(3, 3));
  Read();
  const std::string version = log_.Curves(100, -1, "")["version"];
  ASSERT_TRUE(WriteFileAtomically(path_, StepLine(1, 5)).ok());  // gone back to the checkpoint of step 1
  Append(StepLine(2, 4.5));
  Read();
  const Json curves = log_.Curves(100, 2, version);
  EXPECT_NE(curves["version"], version);
  EXPECT_EQ(curves["steps"]["loss"], Json({5.0, 4.5})) << "all of it: what was sent before does not hold any more";
  std::filesystem::resize_file(path_, StepLine(1, 5).size());
  Read();
  EXPECT_EQ(log_.figures().step, 1);
}

TEST_F(RunLogTest, FileThatIsGone_IsNotFound) {
  Append(StepLine(1, 5));
  Read();
  ASSERT_TRUE(RemoveTree(path_).ok());
  EXPECT_EQ(log_.Update(1 << 20).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(log_.figures().step, 1);
}

TEST_F(RunLogTest, TrainingsOfOneModel_FollowOneAnother) {
  const auto cycle = [](int64_t step, double loss, int number) {
    std::string line = StepLine(step, loss);
    return line.insert(line.size() - 2, fmt::format(",\"cycle\":{}", number));
  };
  Append(StepLine(1, 5) + StepLine(2, 4) + R"({"step":2,"parameters":7,"final":true})" + "\n" + cycle(1, 3.5, 1) +
         cycle(2, 3, 1) + cycle(1, 2.5, 2));
  Read();
  const Json curves = log_.Curves(100, -1, "");
  EXPECT_EQ(curves["steps"]["step"], Json({1, 2, 3, 4, 5}));
  EXPECT_EQ(curves["steps"]["tokens"], Json({100, 200, 300, 400, 500}));
  EXPECT_EQ(log_.figures().steps_before, 4);
  EXPECT_FALSE(log_.figures().final);
  EXPECT_EQ(log_.figures().bad_lines, 0u);
}

// Their sum passed the largest int64_t after 8,192 trainings of the most tokens that a line may state.
TEST_F(RunLogTest, TokensOfManyTrainings_StopAtWhatIsCountedExactly) {
  constexpr int64_t kMost = int64_t{1} << 50;
  std::string lines;
  for (int cycle = 1; cycle <= 8200; ++cycle) {
    lines += fmt::format("{{\"step\":1,\"loss\":1,\"tokens\":{},\"cycle\":{}}}\n", kMost, cycle);
  }
  Append(lines);
  Read();
  EXPECT_EQ(log_.figures().bad_lines, 0u);
  EXPECT_EQ(log_.figures().step, 8200);
  EXPECT_EQ(log_.figures().tokens, kMost);
  EXPECT_EQ(log_.Curves(100, -1, "")["steps"]["tokens"].back(), kMost);
}

TEST_F(RunLogTest, LongRun_IsShortenedToMeansWithTheirRange) {
  for (int64_t step = 1; step <= 100; ++step) log_.Add(StepLine(step, static_cast<double>(step)));
  const Json curves = log_.Curves(30, -1, "");
  EXPECT_EQ(curves["span"], 4);
  const Json& steps = curves["steps"];
  EXPECT_THAT(steps["step"], SizeIs(25));
  EXPECT_EQ(steps["step"][0], 4);
  EXPECT_EQ(steps["loss"][0], 2.5);
  EXPECT_EQ(steps["loss_low"][0], 1.0);
  EXPECT_EQ(steps["loss_high"][0], 4.0);
  EXPECT_EQ(steps["tokens"][24], 10000);
}

TEST_F(RunLogTest, After_GivesWhatIsNewAndReplacesTheOpenSpan) {
  for (int64_t step = 1; step <= 99; ++step) log_.Add(StepLine(step, 1));
  const Json first = log_.Curves(30, -1, "");
  EXPECT_EQ(first["next_after"], 96);
  EXPECT_EQ(first["steps"]["step"].back(), 99);
  for (int64_t step = 100; step <= 106; ++step) log_.Add(StepLine(step, 2));
  const Json next = log_.Curves(30, first["next_after"], first["version"].get<std::string>());
  EXPECT_EQ(next["version"], first["version"]);
  EXPECT_EQ(next["steps"]["step"], Json({100, 104, 106}));
  EXPECT_EQ(next["steps"]["loss"], Json({1.25, 2.0, 2.0}));
  for (int64_t step = 107; step <= 130; ++step) log_.Add(StepLine(step, 2));
  const Json longer = log_.Curves(30, next["next_after"], next["version"].get<std::string>());
  EXPECT_NE(longer["version"], next["version"]) << "spans are longer now: the caller begins anew";
  EXPECT_EQ(longer["steps"]["step"][0], 8);
}

TEST_F(RunLogTest, MillionSteps_AreReadInPiecesIntoABoundedAnswer) {
  std::string text;
  for (int64_t step = 1; step <= 1'000'000; ++step) {
    fmt::format_to(std::back_inserter(text), "{{\"step\":{},\"loss\":{},\"tokens\":{},\"tokens_per_second\":1000}}\n",
                   step, 3, step * 10);
  }
  Append(text);
  int calls = 0;
  do {
    ASSERT_TRUE(log_.Update(20 << 20).ok());
    ++calls;
  } while (!log_.complete());
  EXPECT_GT(calls, 2);
  EXPECT_EQ(log_.figures().step, 1'000'000);
  EXPECT_NEAR(log_.figures().seconds, 10'000, 1e-3);
  const Json curves = log_.Curves(1000, -1, "");
  EXPECT_LE(curves["steps"]["step"].size(), 1000u);
  EXPECT_GT(curves["steps"]["step"].size(), 400u);
  EXPECT_EQ(curves["steps"]["step"].back(), 1'000'000);
  EXPECT_LT(DumpJson(curves).size(), 200'000u);
}

// What is kept depends on the lines, not on the pieces in which they came.
TEST_F(RunLogTest, PiecesOfAnySize_GiveTheSame) {
  std::string text;
  for (int64_t step = 1; step <= 3000; ++step) text += StepLine(step, 5 - std::log(static_cast<double>(step)) / 2);
  log_.Add(text);
  RunLog other("");
  for (size_t at = 0, size = 1; at < text.size(); at += size, size = size * 7 % 1009 + 1) {
    other.Add(std::string_view(text).substr(at, size));
  }
  EXPECT_EQ(log_.Curves(500, -1, "")["steps"], other.Curves(500, -1, "")["steps"]);
}

TEST_F(RunLogTest, SamplesAndTroubles_TheLastOnesStay) {
  for (int i = 0; i < 100; ++i) {
    log_.Add(fmt::format("{{\"step\":{},\"prompt\":\"p\",\"sample\":\"{}\"}}\n", i, std::string(5000, 'x')));
    log_.Add(fmt::format("{{\"step\":{},\"trouble\":\"t\"}}\n", i));
  }
  const Json curves = log_.Curves(10, -1, "");
  EXPECT_THAT(curves["samples"], SizeIs(RunLog::kMostSamples));
  EXPECT_THAT(curves["troubles"], SizeIs(RunLog::kMostTroubles));
  EXPECT_EQ(curves["samples"].back()["step"], 99);
  EXPECT_THAT(curves["samples"].back()["text"].get<std::string>(), SizeIs(RunLog::kMostSampleBytes));
}

TEST(StepSeriesTest, StepsWithGaps_StayInTheirOwnSpans) {
  StepSeries series(5);
  for (const int64_t step : {1, 2, 1000, 1001, 5000, 5001}) series.Add(step, step, 0, {1, NAN, NAN, NAN});
  const StepSeries::Cut cut = series.Shortened(5);
  std::vector<int64_t> steps;
  for (const StepBucket& bucket : cut.buckets) steps.push_back(bucket.step);
  EXPECT_EQ(cut.span, 2);
  EXPECT_THAT(steps, ElementsAre(2, 1000, 1001, 5000, 5001));
}

}  // namespace
}  // namespace rhodes
