#include "curate/sorted_spill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "base/file.h"
#include "base/parallel.h"

namespace rhodes {
namespace {

using Spill = SortedSpill<uint64_t>;

std::vector<uint64_t> ReadAll(Spill& spill, size_t partition, uint64_t memory) {
  std::vector<uint64_t> records;
  const absl::Status status = spill.Read(partition, memory, [&](std::span<const uint64_t> run) {
    EXPECT_LE(run.size(), std::max<uint64_t>(memory / sizeof(uint64_t), 1024));
    records.insert(records.end(), run.begin(), run.end());
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return records;
}

TEST(SortedSpill, HandsRecordsBackInOrderWhateverTheMemory) {
  for (const uint64_t memory : {uint64_t{1} << 30, uint64_t{100'000}, uint64_t{20'000}, uint64_t{0}}) {
    auto spill = Spill::Create(testing::TempDir(), 3);
    ASSERT_TRUE(spill.ok()) << spill.status();
    std::vector<std::vector<uint64_t>> expected(3);
    std::mt19937_64 random(memory + 1);
    Spill::Writer writer(*spill, 1000);
    for (int i = 0; i < 150'000; ++i) {
      const uint64_t record = random() % 100'000;
      const size_t partition = random() % 9 == 0 ? 0 : 2;
      expected[partition].push_back(record);
      ASSERT_TRUE(writer.Append(partition, record).ok());
    }
    ASSERT_TRUE(writer.Flush().ok());
    EXPECT_EQ(spill->bytes(), 150'000 * sizeof(uint64_t));
    for (size_t i = 0; i < 3; ++i) {
      std::sort(expected[i].begin(), expected[i].end());
      EXPECT_EQ(ReadAll(*spill, i, memory), expected[i]) << memory;
    }
    EXPECT_EQ(spill->bytes(), 0u) << "read means given back";
  }
}

TEST(SortedSpill, WritersOfSeveralThreads) {
  auto spill = Spill::Create(testing::TempDir(), 2);
  ASSERT_TRUE(spill.ok());
  const absl::Status status = ParallelFor(4, 50, [&](size_t i) {
    Spill::Writer writer(*spill, 512);
    for (uint64_t k = 0; k < 1000; ++k) EXPECT_TRUE(writer.Append(k % 2, i * 1000 + k).ok());
    return writer.Flush();
  });
  ASSERT_TRUE(status.ok());
  const std::vector<uint64_t> even = ReadAll(*spill, 0, 8192);
  ASSERT_EQ(even.size(), 25'000u);
  for (size_t i = 0; i < even.size(); ++i) ASSERT_EQ(even[i], 2 * i);
}

TEST(ScratchFile, HasNoNameAndSaysWhereItCouldNotBe) {
  const std::string directory = testing::TempDir() + "/scratch_file_test";
  ASSERT_TRUE(CreateDirectories(directory).ok());
  auto file = ScratchFile::Create(directory);
  ASSERT_TRUE(file.ok());
  EXPECT_THAT(*ListFiles(directory), testing::IsEmpty());
  ASSERT_TRUE(file->Append("abc", 3).ok());
  char bytes[4];
  EXPECT_EQ(file->ReadAt(0, bytes, 4).code(), absl::StatusCode::kDataLoss);
  ASSERT_TRUE(file->ReadAt(1, bytes, 2).ok());
  EXPECT_EQ(std::string_view(bytes, 2), "bc");
  EXPECT_THAT(Message(ScratchFile::Create(directory + "/none").status()), testing::HasSubstr(directory + "/none"));
  ASSERT_TRUE(RemoveTree(directory).ok());
}

}  // namespace
}  // namespace rhodes
