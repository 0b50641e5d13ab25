#include "train/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "base/file.h"

namespace rhodes {
namespace {

struct Listener final : Progress {
  void Begin(std::string_view, uint64_t, std::string_view) override {}
  void Update(uint64_t, std::string_view) override {}
  void End() override {}
  void Say(std::string_view line) override { said += std::string(line) + "\n"; }
  std::string said;
};

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    std::filesystem::remove_all(directory);
    context.progress = &listener;
  }
  ~CheckpointTest() override { std::filesystem::remove_all(directory); }

  TrainState state(float first) {
    std::iota(weights.begin(), weights.end(), first);
    std::iota(m.begin(), m.end(), first + 0.25f);
    std::iota(v.begin(), v.end(), first + 0.5f);
    return {weights, m, v};
  }
  std::string path(int step) const { return fmt::format("{}/checkpoint-{:010}.state", directory, step); }

  const std::string directory = fmt::format("{}/rhodes_checkpoint_test_{}", testing::TempDir(), ::getpid());
  std::vector<float> weights = std::vector<float>(1000), m = weights, v = weights;
  Listener listener;
  RunContext context;
};

TEST_F(CheckpointTest, LoadsWhatWasSavedAndKeepsTheNewest) {
  for (const bool asynchronous : {false, true}) {
    CheckpointStore store(directory, "key", 2, asynchronous);
    for (const int step : {10, 20, 30}) ASSERT_TRUE(store.Save(step, state(static_cast<float>(step))).ok());
    ASSERT_TRUE(store.Wait().ok());
    EXPECT_FALSE(PathExists(path(10)));
    EXPECT_TRUE(PathExists(path(20)));
    const TrainState loaded = state(0);
    const auto step = store.LoadNewest(loaded, context);
    ASSERT_TRUE(step.ok());
    ASSERT_TRUE(step->has_value());
    EXPECT_EQ((*step)->step, 30);
    EXPECT_EQ(weights[7], 37.0f);
    EXPECT_EQ(m[7], 37.25f);
    EXPECT_EQ(v[7], 37.5f);
    ASSERT_TRUE(store.KeepOnly(30).ok());
    EXPECT_FALSE(PathExists(path(20)));
  }
}

TEST_F(CheckpointTest, ADamagedNewestIsNamedAndPassedOver) {
  CheckpointStore store(directory, "key", 3, false);
  ASSERT_TRUE(store.Save(10, state(10)).ok());
  ASSERT_TRUE(store.Save(20, state(20)).ok());
  ASSERT_TRUE(store.Save(30, state(30)).ok());
  std::filesystem::resize_file(path(30), 5000);  // truncated
  {
    std::fstream file(path(20), std::ios::in | std::ios::out | std::ios::binary);  // one byte of m changed
    file.seekp(6000);
    file.put('x');
  }
  const TrainState loaded = state(0);
  const auto step = store.LoadNewest(loaded, context);
  ASSERT_TRUE(step.ok());
  ASSERT_TRUE(step->has_value());
  EXPECT_EQ((*step)->step, 10);
  EXPECT_EQ(weights[0], 10.0f);
  EXPECT_NE(listener.said.find("step 30 passed over"), std::string::npos) << listener.said;
  EXPECT_NE(listener.said.find("checksum of part 2"), std::string::npos) << listener.said;
}

TEST_F(CheckpointTest, KeepsProgressAndASecondMomentOfItsOwnLength) {
  CheckpointStore store(directory, "key", 2, true);
  v.resize(10);  // as Muon's
  const Json progress = {{"skipped", {3, 5}}, {"mean", 0.1}};
  ASSERT_TRUE(store.Save(7, state(3), progress).ok());
  ASSERT_TRUE(store.Wait().ok());
  const auto loaded = store.LoadNewest(state(0), context);
  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  EXPECT_EQ((*loaded)->progress, progress);
  EXPECT_EQ(v[9], 12.5f);
  EXPECT_EQ(weights[999], 1002.0f);
  v.resize(1000);  // of another optimizer: not this file's
  const auto other = store.LoadNewest(state(0), context);
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(other->has_value());
  EXPECT_NE(listener.said.find("bytes;"), std::string::npos) << listener.said;
}

// On several ranks a state is as large as all of them together: rank 0 has room for one.
TEST_F(CheckpointTest, ABorrowedRoomIsTheLendersAndIsFreeOnlyWhenThatIsWritten) {
  CheckpointStore lender(directory, "key", 2, true), borrower(directory + "/best", "key", 1, false);
  borrower.BorrowRoom(lender);
  const TrainState first = *lender.Prepare(1000, 10);
  std::ranges::fill(first.weights, 1.0f);
  ASSERT_TRUE(lender.SavePrepared(1, Json::object()).ok());
  const absl::StatusOr<TrainState> second = borrower.Prepare(1000, 10);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->weights.data(), first.weights.data());
  EXPECT_TRUE(PathExists(path(1)));  // what was written from there is
  std::ranges::fill(second->weights, 2.0f);
  ASSERT_TRUE(borrower.SavePrepared(1, Json::object()).ok());
  v.resize(10);
  ASSERT_TRUE(lender.LoadNewest(state(0), context)->has_value());
  EXPECT_EQ(weights[999], 1.0f);
  ASSERT_TRUE(borrower.LoadNewest(state(0), context)->has_value());
  EXPECT_EQ(weights[999], 2.0f);
}

TEST_F(CheckpointTest, FoldersBelowAreNotLookedInto) {
  CheckpointStore store(directory, "key", 1, false), below(directory + "/best", "key", 1, false);
  ASSERT_TRUE(store.Save(10, state(10)).ok());
  ASSERT_TRUE(below.Save(20, state(20)).ok());
  EXPECT_EQ((*store.LoadNewest(state(0), context))->step, 10);
  ASSERT_TRUE(store.Save(30, state(30)).ok());
  EXPECT_EQ((*below.LoadNewest(state(0), context))->step, 20);
}

TEST_F(CheckpointTest, AnotherKeysCheckpointIsNotLoaded) {
  CheckpointStore other(directory, "other", 2, false);
  ASSERT_TRUE(other.Save(10, state(10)).ok());
  const CheckpointStore store(directory, "key", 2, false);
  const auto step = store.LoadNewest(state(0), context);
  ASSERT_TRUE(step.ok());
  EXPECT_FALSE(step->has_value());
  EXPECT_EQ(weights[1], 1.0f);
}

TEST_F(CheckpointTest, SaveReportsAnErrorOfTheWriterAtTheNextCall) {
  std::ofstream(directory) << "a file where the directory should be";
  CheckpointStore store(directory, "key", 2, true);
  absl::Status status = store.Save(10, state(10));
  if (status.ok()) status = store.Wait();
  EXPECT_FALSE(status.ok());
}

}  // namespace
}  // namespace rhodes
