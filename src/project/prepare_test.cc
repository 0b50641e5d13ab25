#include "project/prepare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "project/out_lock.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Lines final : public Progress {
 public:
  void Begin(std::string_view, uint64_t, std::string_view) override {}
  void Update(uint64_t, std::string_view) override {}
  void End() override {}
  void Say(std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class PrepareTest : public ::testing::Test {
 protected:
  PrepareTest() : directory_(std::filesystem::temp_directory_path() / fmt::format("rhodes-prepare-{}", getpid())) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    context_.progress = &lines_;
  }
  ~PrepareTest() override { std::filesystem::remove_all(directory_); }

  absl::Status Run(const std::string& script, const std::string& product = "made") {
    settings_ = {{"sh", "-c", script}, {(directory_ / product).string()}};
    return Prepare(settings_, directory_.string(), context_);
  }

  std::filesystem::path directory_;
  PrepareSettings settings_;
  Lines lines_;
  RunContext context_;
};

TEST_F(PrepareTest, RunsInTheProjectsDirectoryAndPassesLinesOn) {
  EXPECT_TRUE(Run("echo one; echo two >&2; printf 'three'; touch made").ok());
  EXPECT_THAT(lines_.lines, ElementsAre("one", "two", "three"));
  EXPECT_TRUE(IsPrepared(settings_));
}

TEST_F(PrepareTest, TheCommandKnowsWhereTheProgramIs) {
  EXPECT_TRUE(Run("echo $RHODES; touch made").ok());
  EXPECT_THAT(lines_.lines, ElementsAre(std::filesystem::read_symlink("/proc/self/exe").string()));
}

TEST_F(PrepareTest, AFailureShowsCodeAndLastLines) {
  const absl::Status status = Run("seq 1 30; echo it broke; exit 3");
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kFailed);
  EXPECT_THAT(Message(status), HasSubstr("ended with code 3"));
  EXPECT_THAT(Message(status), HasSubstr("it broke"));
  EXPECT_THAT(Message(status), ::testing::Not(HasSubstr("\n  20\n")));
  EXPECT_FALSE(IsPrepared(settings_));
}

TEST_F(PrepareTest, AMissingProductOrProgramIsAnError) {
  EXPECT_THAT(Message(Run("true")), HasSubstr("made is not there"));
  settings_ = {{"no-such-program"}, {"x"}};
  EXPECT_THAT(Message(Prepare(settings_, directory_.string(), context_)), HasSubstr("cannot run no-such-program"));
}

TEST_F(PrepareTest, StopsTheCommandWhenTheUserAsks) {
  std::atomic<bool> cancelled{false};
  context_.cancelled = &cancelled;
  std::thread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    cancelled = true;
  });
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(ExitCodeOf(Run("sleep 60; touch made")), ExitCode::kInterrupted);
  user.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
}

TEST_F(PrepareTest, OutLock_NamesTheHolderAndLetsGo) {
  const std::string out = (directory_ / "out").string();
  {
    const absl::StatusOr<OutLock> lock = OutLock::Acquire(out);
    ASSERT_TRUE(lock.ok()) << lock.status();
    const absl::Status second = OutLock::Acquire(out).status();  // another open file: flock tells them apart
    EXPECT_EQ(ExitCodeOf(second), ExitCode::kFailed);
    EXPECT_THAT(Message(second), HasSubstr(fmt::format("(process {})", getpid())));
    EXPECT_THAT(Message(second), HasSubstr(out));
  }
  EXPECT_TRUE(OutLock::Acquire(out).ok());
}

}  // namespace
}  // namespace rhodes
