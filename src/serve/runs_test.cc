#include "serve/runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/text.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class RunsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RemoveTree(root_).ok());
    ASSERT_TRUE(CreateDirectories(root_).ok());
  }
  // A run of `steps` steps of 10 tokens in 1 second each.
  void AddRun(const std::string& folder, int steps, std::string_view more = "") {
    std::string text;
    for (int step = 1; step <= steps; ++step) {
      text += fmt::format("{{\"step\":{},\"loss\":4,\"tokens\":{},\"tokens_per_second\":10}}\n", step, step * 10);
    }
    ASSERT_TRUE(CreateDirectories(root_ + "/" + folder).ok());
    ASSERT_TRUE(WriteFileAtomically(root_ + "/" + folder + "/metrics.jsonl", text.append(more)).ok());
  }
  void AddPlan(const std::string& folder, int steps, const Json& settings) {
    ASSERT_TRUE(CreateDirectories(root_ + "/" + folder + "/checkpoints").ok());
    ASSERT_TRUE(WriteFileAtomically(root_ + "/" + folder + "/checkpoints/plan.json",
                                    DumpJson({{"steps", steps}, {"settings", settings}}))
                    .ok());
  }
  static std::vector<std::string> Names(const Json& list) {
    std::vector<std::string> names;
    for (const Json& run : list["runs"]) names.push_back(run["name"]);
    return names;
  }
  int64_t Now() const { return now_; }

  const std::string root_ = testing::TempDir() + "runs_root";
  int64_t now_ = std::time(nullptr);
  Runs runs_{{root_}, [this] { return now_; }};
};

TEST_F(RunsTest, List_FindsRunsBelowTheFolder) {
  AddRun("a", 3);
  AddRun("deep/er/b", 2);
  AddRun("a/next/train-1", 1);
  AddRun("a/checkpoints", 1);  // a run's own folders are not searched
  AddRun(".hidden", 1);
  std::filesystem::create_directory_symlink(root_ + "/a", root_ + "/again");
  EXPECT_THAT(Names(runs_.List()),
              UnorderedElementsAre("runs_root/a", "runs_root/deep/er/b", "runs_root/a/next/train-1"));
  ASSERT_TRUE(RemoveTree(root_ + "/a").ok());
  EXPECT_THAT(Names(runs_.List()), ElementsAre("runs_root/deep/er/b"));
}

TEST_F(RunsTest, FoldersOfTheSameName_GetNamesOfTheirOwnAndNoneIsListedTwice) {
  AddRun("x/out", 1);
  AddRun("y/x/out", 1);
  Runs runs({root_ + "/x/out", root_ + "/y/x/out", root_ + "/x"});
  EXPECT_THAT(Names(runs.List()), UnorderedElementsAre("x", "x-2"));
}

TEST_F(RunsTest, List_SaysHowFarARunIs) {
  AddRun("a", 3);
  AddPlan("a", 10, {{"batch", 4}});
  const Json run = runs_.List()["runs"][0];
  EXPECT_EQ(run["step"], 3);
  EXPECT_EQ(run["steps"], 10);
  EXPECT_EQ(run["tokens"], 30);
  EXPECT_EQ(run["seconds"], 3.0);
  EXPECT_EQ(run["loss"], 4.0);
  EXPECT_EQ(run["bits_per_byte"], nullptr);
  EXPECT_EQ(run["tokens_per_second"], 10.0);
  EXPECT_EQ(run["seconds_left"], 7.0);
  EXPECT_EQ(run["complete"], true);
  EXPECT_EQ(run["bad_lines"], 0);
}

TEST_F(RunsTest, State_IsOfTheLastLineAndItsAge) {
  AddRun("a", 3);
  EXPECT_EQ(runs_.List()["runs"][0]["state"], "running");
  now_ += 119;
  EXPECT_EQ(runs_.List()["runs"][0]["state"], "running");
  now_ += 60;
  EXPECT_EQ(runs_.List()["runs"][0]["state"], "stopped");
  EXPECT_EQ(runs_.List()["runs"][0]["seconds_left"], nullptr);
  AddRun("a", 3, "{\"step\":3,\"final\":true}\n");
  EXPECT_EQ(runs_.List()["runs"][0]["state"], "finished");
}

TEST_F(RunsTest, State_OfARunWithLongSteps_WaitsLonger) {
  AddRun("a", 0, "{\"step\":1,\"loss\":4,\"tokens\":1000,\"tokens_per_second\":10}\n");  // 100 seconds
  now_ += 1900;
  EXPECT_EQ(runs_.List()["runs"][0]["state"], "running");
  now_ += 200;
  EXPECT_EQ(runs_.List()["runs"][0]["state"], "stopped");
}

TEST_F(RunsTest, State_AfterTroubleThatEndedTheRun_IsFailed) {
  AddRun("a", 3);
  ASSERT_TRUE(CreateDirectories(root_ + "/a/trouble/step-0000000004-batch-3").ok());
  ASSERT_TRUE(WriteFileAtomically(root_ + "/a/trouble/step-0000000004-batch-3/report.json", "{}").ok());
  EXPECT_EQ(runs_.List()["runs"][0]["state"], "running") << "it may be going back to its checkpoint";
  now_ += 20;
  EXPECT_EQ(runs_.List()["runs"][0]["state"], "failed");
  // It went back and on: its metrics are newer than the trouble.
  std::filesystem::last_write_time(root_ + "/a/metrics.jsonl",
                                   std::filesystem::file_time_type::clock::now() + std::chrono::seconds(10));
  EXPECT_EQ(runs_.List()["runs"][0]["state"], "running");
}

TEST_F(RunsTest, Metrics_HasSettingsAndCurves) {
  AddRun("a", 3);
  AddPlan("a", 10, {{"batch", 4}});
  const absl::StatusOr<Json> metrics = runs_.Metrics("runs_root/a", {});  // without a List before
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  EXPECT_EQ((*metrics)["run"]["name"], "runs_root/a");
  EXPECT_EQ((*metrics)["settings"], (Json{{"batch", 4}}));
  EXPECT_EQ((*metrics)["steps"]["step"], Json({1, 2, 3}));
  EXPECT_EQ((*metrics)["complete"], true);
}

TEST_F(RunsTest, Metrics_OfAnOlderRun_HasTheSettingsOfItsModel) {
  AddRun("a", 3);
  ASSERT_TRUE(CreateDirectories(root_ + "/a/model").ok());
  ASSERT_TRUE(WriteFileAtomically(root_ + "/a/model/manifest.json", R"({"settings":{"batch":8}})").ok());
  EXPECT_EQ((*runs_.Metrics("runs_root/a", {}))["settings"]["batch"], 8);
  ASSERT_TRUE(WriteFileAtomically(root_ + "/a/model/manifest.json", "{broken").ok());
  EXPECT_EQ((*runs_.Metrics("runs_root/a", {}))["settings"], nullptr);
}

TEST_F(RunsTest, Metrics_OfANameThatIsNoRun_IsNotFound) {
  AddRun("a", 3);
  AddRun("../runs_outside", 3);
  runs_.List();
  for (const char* name : {"", "none", "runs_root", "runs_root/..", "runs_root/../runs_outside", "runs_root/a/../a",
                           "../runs_outside", "/etc", "runs_root//a", "runs_root/a/"}) {
    EXPECT_EQ(runs_.Metrics(name, {}).status().code(), absl::StatusCode::kNotFound) << name;
  }
  ASSERT_TRUE(RemoveTree(root_ + "/../runs_outside").ok());
}

TEST_F(RunsTest, Metrics_OfARunThatWent_IsNotFound) {
  AddRun("a", 3);
  runs_.List();
  ASSERT_TRUE(RemoveTree(root_ + "/a").ok());
  EXPECT_EQ(runs_.Metrics("runs_root/a", {}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RunsTest, NoFolder_HasNoRuns) {
  Runs runs({root_ + "/none"});
  EXPECT_THAT(Names(runs.List()), IsEmpty());
}

TEST(RunsQueryTest, ReadQuery_TakesWhatItKnows) {
  const absl::StatusOr<Runs::Query> query = Runs::ReadQuery("after=12&points=50&version=1.2.3.4&other=x&flag");
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->after, 12);
  EXPECT_EQ(query->points, 50u);
  EXPECT_EQ(query->version, "1.2.3.4");
  EXPECT_EQ(Runs::ReadQuery("")->after, -1);
  for (const char* text : {"points=1", "points=2001", "points=x", "points=", "points", "after=-2", "after=1.5",
                           "after=99999999999999999999"}) {
    EXPECT_EQ(Runs::ReadQuery(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_THAT(Message(Runs::ReadQuery("points=1").status()),
              HasSubstr("points is \"1\"; it must be a whole number from 2 to 2000"));
}

}  // namespace
}  // namespace rhodes
