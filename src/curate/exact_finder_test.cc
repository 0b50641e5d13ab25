#include "curate/exact_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <random>
#include <vector>

#include "base/file.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Input {
  uint64_t ordinal;
  std::string text;
  uint16_t priority = 0;
};

std::vector<ExactDuplicate> Find(const std::vector<Input>& inputs, int threads = 2, uint64_t memory = 0) {
  RunContext context;
  context.threads = threads;
  context.memory_bytes = memory;
  auto finder = ExactFinder::Create(fmt::format("{}/exact_{}", testing::TempDir(), getpid()), context);
  EXPECT_TRUE(finder.ok()) << finder.status();
  for (const Input& input : inputs) {
    EXPECT_TRUE((*finder)->Add(input.ordinal, HashText(input.text), input.priority).ok());
  }
  EXPECT_TRUE((*finder)->Finish().ok());
  std::vector<ExactDuplicate> found;
  ExactDuplicate duplicate;
  while (*(*finder)->Next(duplicate)) found.push_back(duplicate);
  EXPECT_EQ((*finder)->documents(), inputs.size());
  EXPECT_EQ((*finder)->duplicates(), found.size());
  return found;
}

TEST(ExactFinder, TheFirstOfTheLowestPriorityStays) {
  EXPECT_THAT(Find({{0, "a"}, {1, "b"}, {2, "a"}, {3, "a "}, {4, "a"}}),
              ElementsAre(ExactDuplicate{2, 0}, ExactDuplicate{4, 0}));
  EXPECT_THAT(Find({{0, "a", 7}, {5, "a", 3}, {9, "a", 3}}), ElementsAre(ExactDuplicate{0, 5}, ExactDuplicate{9, 5}));
  EXPECT_THAT(Find({{0, "a", 65535}, {(uint64_t{1} << 48) - 1, "a", 0}}),
              ElementsAre(ExactDuplicate{0, (uint64_t{1} << 48) - 1}));
  EXPECT_THAT(Find({}), ElementsAre());
}

TEST(ExactFinder, EqualsAMapWhateverTheThreadsAndTheMemory) {
  std::mt19937_64 random(9);
  std::vector<Input> inputs;
  std::map<std::string, std::pair<uint16_t, uint64_t>> kept;
  for (uint64_t i = 0; i < 300'000; ++i) {
    // Every third document has one text: more than a partition's share of the least memory.
    const std::string text = i % 3 == 0 ? "boilerplate" : std::to_string(random() % 100'000);
    inputs.push_back({i * 5, text, static_cast<uint16_t>(random() % 4)});
    const std::pair<uint16_t, uint64_t> order(inputs.back().priority, i * 5);
    const auto [at, added] = kept.emplace(text, order);
    if (!added) at->second = std::min(at->second, order);
  }
  std::vector<ExactDuplicate> expected;
  for (const Input& input : inputs) {
    const uint64_t stays = kept.at(input.text).second;
    if (stays != input.ordinal) expected.push_back({input.ordinal, stays});
  }
  EXPECT_EQ(Find(inputs, 1, uint64_t{1} << 32), expected);
  EXPECT_EQ(Find(inputs, 64), expected) << "256 KB a thread: the partition of the one text is sorted on disk";
  std::shuffle(inputs.begin(), inputs.end(), random);
  EXPECT_EQ(Find(inputs, 3), expected) << "in any order";
}

TEST(ExactFinder, SaysWhatIsWrong) {
  const std::string directory = testing::TempDir() + "/exact_wrong";
  auto finder = ExactFinder::Create(directory, {});
  ASSERT_TRUE(finder.ok());
  ExactDuplicate duplicate;
  EXPECT_THAT(Message((*finder)->Next(duplicate).status()), HasSubstr("before Finish()"));
  EXPECT_THAT(Message((*finder)->Add(uint64_t{1} << 48, {})), HasSubstr("is not below 2^48"));
  ASSERT_TRUE((*finder)->Finish().ok());
  EXPECT_EQ((*finder)->Add(1, {}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ((*finder)->Finish().code(), absl::StatusCode::kFailedPrecondition);
  finder->reset();
  EXPECT_FALSE(PathExists(directory));
}

}  // namespace
}  // namespace rhodes
