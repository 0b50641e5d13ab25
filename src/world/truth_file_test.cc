#include "world/truth_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "world/record_key.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParseTruth, ReadsEventsRumoursDeletionsAndTotals) {
  const std::string path = std::string(RHODES_SOURCE_DIR) + "/src/world/testdata/truth_file_fuzz/whole";
  const absl::StatusOr<WorldTruth> truth = ParseTruth(*ReadFile(path), "truth");
  ASSERT_TRUE(truth.ok()) << truth.status();
  ASSERT_EQ(truth->events.size(), 1u);
  EXPECT_EQ(truth->events[0].kind, "storm");
  EXPECT_THAT(truth->events[0].records, ElementsAre(KeyFingerprint("post:17")));
  EXPECT_EQ(truth->sources.at(KeyFingerprint("post:17")), "posts");
  EXPECT_TRUE(truth->rumours.contains(KeyFingerprint("post:18")));
  EXPECT_TRUE(truth->deleted.contains(KeyFingerprint("post:19")));
  EXPECT_EQ(truth->totals.at("posts").unique, 3u);
  EXPECT_EQ(truth->totals.at("posts").taken_back, 1u);
  EXPECT_EQ(truth->totals.at("posts").keys, 255u);
}

TEST(ParseTruth, NamesTheLineAndWhatIsWrong) {
  const auto error = [](const std::string& text) {
    const absl::Status status = ParseTruth(text, "t.jsonl").status();
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage) << text;
    return Message(status);
  };
  EXPECT_THAT(error("{}"), HasSubstr("t.jsonl: line 1: no line of a truth"));
  EXPECT_THAT(error("\n7"), HasSubstr("line 2: no JSON object"));
  EXPECT_THAT(error("{"), HasSubstr("line 1"));
  EXPECT_THAT(error(R"({"type":"world","format":1e999})"), HasSubstr("line 1: ")) << "a number that no double holds";
  EXPECT_THAT(error(R"({"type":"world","format":2})"), HasSubstr("another format"));
  EXPECT_THAT(error(R"({"type":"event"})"), HasSubstr("without \"records\""));
  EXPECT_THAT(error(R"({"type":"event","records":{"posts":[]}})"), HasSubstr("not by file"));
  EXPECT_THAT(error(R"({"type":"event","records":{"posts":{"f":[1]}}})"), HasSubstr("a record in \"f\" is no string"));
  EXPECT_THAT(error(R"({"type":"source","keys":"xyz"})"), HasSubstr("no hexadecimal number"));
  EXPECT_THAT(error(R"({"type":"song"})"), HasSubstr("unknown type \"song\""));
  EXPECT_THAT(error(R"({"type":"world","format":1})"), HasSubstr("its end is missing"));
}

TEST(ParseTruth, ReadsOrRefusesTheFuzzersCorpus) {
  const std::string folder = std::string(RHODES_SOURCE_DIR) + "/src/world/testdata/truth_file_fuzz";
  const absl::StatusOr<std::vector<std::string>> files = ListFiles(folder);
  ASSERT_TRUE(files.ok() && !files->empty());
  for (const std::string& file : *files) {
    const absl::Status status = ParseTruth(*ReadFile(file), file).status();
    EXPECT_TRUE(status.ok() || ExitCodeOf(status) == ExitCode::kUsage) << status;
  }
}

}  // namespace
}  // namespace rhodes
