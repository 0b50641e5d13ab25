#include "project/follow_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace rhodes {
namespace {

using testing::HasSubstr;

class FollowStateTest : public testing::Test {
 protected:
  FollowStateTest() {
    RemoveTree(out_).IgnoreError();
    CreateDirectories(out_).IgnoreError();
  }
  void Write(const std::string& path, const std::string& text) {
    const std::string whole = out_ + "/" + path;
    ASSERT_TRUE(CreateDirectories(whole.substr(0, whole.rfind('/'))).ok());
    ASSERT_TRUE(WriteFileAtomically(whole, text).ok());
  }
  std::string Read(const std::string& path) { return ReadFile(out_ + "/" + path).value_or("none"); }

  const std::string out_ = testing::TempDir() + "/rhodes_follow_state_test";
};

TEST_F(FollowStateTest, IdsComeBackSortedAndEachOnce) {
  const std::string path = out_ + "/ids.bin";
  ASSERT_TRUE(SaveIds(path, {{5, 1}, {1, 7}, {5, 1}, {1, 2}}).ok());
  const absl::StatusOr<DocumentIds> ids = LoadIds(path);
  ASSERT_TRUE(ids.ok());
  EXPECT_EQ(*ids, (DocumentIds{{1, 2}, {1, 7}, {5, 1}}));
  ASSERT_TRUE(SaveIds(path, {}).ok());
  EXPECT_TRUE(LoadIds(path)->empty());
}

TEST_F(FollowStateTest, DamagedIdsAreRefused) {
  const std::string path = out_ + "/ids.bin";
  ASSERT_TRUE(SaveIds(path, {{5, 1}, {1, 7}}).ok());
  const std::string whole = *ReadFile(path);
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string broken = whole;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    ASSERT_TRUE(WriteFileAtomically(path, broken).ok());
    EXPECT_TRUE(absl::IsDataLoss(LoadIds(path).status())) << i;
    ASSERT_TRUE(WriteFileAtomically(path, whole.substr(0, i)).ok());
    EXPECT_TRUE(absl::IsDataLoss(LoadIds(path).status())) << i;
  }
}

// Whatever was moved when the kill came, the rest follows.
TEST_F(FollowStateTest, AnExchangeIsFinishedFromEveryState) {
  for (int moved = 0; moved <= 3; ++moved) {
    SCOPED_TRACE(moved);
    ASSERT_TRUE(RemoveTree(out_).ok());
    Write("corpus/old", "old corpus");
    Write("model/old", "old model");
    Write("state.json", "old state");
    Write("next/corpus/new", "new corpus");
    Write("next/train-1/model/new", "new model");
    Write("next/state.json", "new state");
    Write("next/ready.json",
          R"({"moves": [["corpus", "corpus"], ["train-1/model", "model"], ["state.json", "state.json"]]})");
    if (moved >= 1) {  // killed between two renames
      ASSERT_TRUE(Rename(out_ + "/corpus", out_ + "/corpus.replaced").ok());
    }
    if (moved >= 2) {
      ASSERT_TRUE(Rename(out_ + "/next/corpus", out_ + "/corpus").ok());
    }
    if (moved >= 3) {
      ASSERT_TRUE(RemoveTree(out_ + "/corpus.replaced").ok());
      ASSERT_TRUE(RemoveTree(out_ + "/model").ok());
      ASSERT_TRUE(Rename(out_ + "/next/train-1/model", out_ + "/model").ok());
    }
    ASSERT_TRUE(FinishExchange(out_).ok());
    EXPECT_EQ(Read("corpus/new"), "new corpus");
    EXPECT_EQ(Read("model/new"), "new model");
    EXPECT_EQ(Read("state.json"), "new state");
    EXPECT_EQ(Read("corpus/old"), "none");
    EXPECT_FALSE(PathExists(out_ + "/next"));
    EXPECT_FALSE(PathExists(out_ + "/corpus.replaced"));
    ASSERT_TRUE(FinishExchange(out_).ok());  // nothing to do
  }
}

TEST_F(FollowStateTest, WithoutReadyNothingMoves) {
  Write("corpus/old", "old corpus");
  Write("next/corpus/new", "new corpus");
  ASSERT_TRUE(FinishExchange(out_).ok());
  EXPECT_EQ(Read("corpus/old"), "old corpus");
  EXPECT_EQ(Read("next/corpus/new"), "new corpus");
}

TEST_F(FollowStateTest, AStateOfAnotherVersionOrShapeIsRefused) {
  ProjectFile project;
  project.out = out_;
  project.path = "rhodes.toml";
  EXPECT_TRUE(absl::IsNotFound(ReadFollowState(project).status()));
  Write("follow/state.json", R"({"format": 99, "cycles": 1, "updates": 2, "settings": ""})");
  EXPECT_TRUE(absl::IsDataLoss(ReadFollowState(project).status()));
  Write("follow/state.json", R"({"format": 1, "cycles": 1, "updates": 2, "settings": "of another"})");
  EXPECT_THAT(Message(ReadFollowState(project).status()), HasSubstr("shape"));
}

}  // namespace
}  // namespace rhodes
