#include "train/event_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/json.h"

namespace rhodes {
namespace {

TEST(EventFile, ChecksumsAreThoseOfTheRfc) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
}

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// testdata/event_goldens.json: the same events written by tensorboard's own writer (bench/peers/event_goldens.py).
TEST(EventFile, RecordsAreThoseOfTensorBoardsWriter) {
  const Json golden = *ReadJsonFile(RHODES_SOURCE_DIR "/src/train/testdata/event_goldens.json");
  EXPECT_EQ(TfRecord(VersionEvent(1.5)), FromHex(golden["version"]));
  EXPECT_EQ(TfRecord(StartEvent(2.25, 11)), FromHex(golden["start"]));
  EXPECT_EQ(TfRecord(ScalarEvent(3.5, 300, "train/loss", 2.75f)), FromHex(golden["scalar"]));
  EXPECT_EQ(TfRecord(TextEvent(4.5, 7, "sample/the ", "the sum\nis \xd9\x85")), FromHex(golden["text"]));
}

TEST(EventFile, ARunThatGoesOnAddsAFile) {
  const std::string directory = testing::TempDir() + "/rhodes_event_file_test";
  std::filesystem::remove_all(directory);
  for (const int64_t step : {0, 20}) {
    absl::StatusOr<EventFile> events = EventFile::Create(directory, step);
    ASSERT_TRUE(events.ok()) << Message(events.status());
    ASSERT_TRUE(events->Scalar(step + 1, "train/loss", 1.0).ok());
  }
  const std::vector<std::string> files = *ListFiles(directory);
  ASSERT_EQ(files.size(), 2u);
  EXPECT_TRUE(files[1].ends_with("/events.out.tfevents.0000000001.rhodes")) << files[1];
  const std::string bytes = *ReadFile(files[1]);
  EXPECT_NE(bytes.find("brain.Event:2"), std::string::npos);
  EXPECT_NE(bytes.find("train/loss"), std::string::npos);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace rhodes
