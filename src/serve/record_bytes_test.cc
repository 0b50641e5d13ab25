#include "serve/record_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "base/file.h"

namespace rhodes {
namespace {

TEST(RecordBytes, ReadRecordBytes_GivesExactlyTheRangeAndWhatIsAround) {
  const std::string path = testing::TempDir() + "record.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "0123456789").ok());
  const absl::StatusOr<RecordBytes> middle = ReadRecordBytes({path, 4, 6}, 3);
  ASSERT_TRUE(middle.ok()) << middle.status();
  EXPECT_EQ(middle->before, "123");
  EXPECT_EQ(middle->bytes, "45");
  EXPECT_EQ(middle->after, "678");
  const absl::StatusOr<RecordBytes> all = ReadRecordBytes({path, 0, 10}, 3);
  EXPECT_EQ(all->before + "|" + all->bytes + "|" + all->after, "|0123456789|");
}

TEST(RecordBytes, ReadRecordBytes_CountsUncompressedBytes) {
  const std::string path = testing::TempDir() + "record.gz";
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i);
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  gzclose(file);
  const absl::StatusOr<RecordBytes> record = ReadRecordBytes({path, 700'000, 700'050}, 10);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->before, text.substr(699'990, 10));
  EXPECT_EQ(record->bytes, text.substr(700'000, 50));
  EXPECT_EQ(record->after, text.substr(700'050, 10));
}

TEST(RecordBytes, ReadRecordBytes_SaysWhenTheFileHasChanged) {
  const std::string path = testing::TempDir() + "short.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "0123").ok());
  EXPECT_THAT(Message(ReadRecordBytes({path, 2, 5}, 3).status()), testing::HasSubstr("has no bytes 2 to 5 any more"));
  EXPECT_EQ(ReadRecordBytes({path, 9, 9}, 3).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ReadRecordBytes({path + ".gone", 0, 1}, 3).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rhodes
