#include "token/shard_lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/hash.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

// The table with its checksum made right again.
std::string Sealed(std::string table) {
  table.resize(table.size() - 8);
  const uint64_t checksum = Fingerprint(table);
  table.append(reinterpret_cast<const char*>(&checksum), 8);
  return table;
}

TEST(Lineage, WhatIsWrittenIsReadForEveryShapeOfLengths) {
  std::mt19937_64 random(3);
  for (const uint64_t longest :
       {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{300}, uint64_t{100000}, uint64_t{1} << 40}) {
    for (const size_t documents : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{1000}}) {
      const uint64_t corpus = std::max<uint64_t>(1, random() >> (random() % 64));
      std::vector<uint64_t> ends;
      std::vector<uint64_t> rows;
      for (size_t d = 0; d < documents; ++d) {
        // Most documents are short and a few are long, as texts are; lengths of nothing too.
        const uint64_t length = random() % 10 == 0 ? random() % longest : random() % (longest / 50 + 2);
        ends.push_back((d == 0 ? 0 : ends.back()) + length);
        rows.push_back(random() % corpus);
      }
      const std::string table = LineageBytes(ends, rows, corpus, 77, ChecksumsOf("data"));
      const absl::StatusOr<Lineage> lineage = Lineage::Parse(table, "x.lineage");
      ASSERT_TRUE(lineage.ok()) << lineage.status() << longest << " " << documents;
      ASSERT_EQ(lineage->documents(), documents);
      EXPECT_EQ(lineage->header().corpus_rows, corpus);
      EXPECT_EQ(lineage->header().text_bytes, 77U);
      for (size_t d = 0; d < documents; ++d) {
        ASSERT_EQ(lineage->CorpusRow(d), rows[d]);
        ASSERT_EQ(lineage->DocumentBegin(d + 1), ends[d]);
        if (ends[d] > lineage->DocumentBegin(d)) {
          ASSERT_EQ(lineage->DocumentOf(ends[d] - 1), d);
          ASSERT_EQ(lineage->DocumentOf(lineage->DocumentBegin(d)), d);
        }
      }
    }
  }
}

TEST(Lineage, TakesFewBitsADocument) {
  std::vector<uint64_t> ends;
  std::vector<uint64_t> rows;
  std::mt19937_64 random(5);
  for (size_t d = 0; d < 100000; ++d) {
    ends.push_back((d == 0 ? 0 : ends.back()) + 1 + random() % 500);
    rows.push_back(d);
  }
  // 17 bits for one of 100,000 rows, and 2 + log2(250) for an end.
  EXPECT_LT(LineageBytes(ends, rows, rows.size(), 0, ChecksumsOf("")).size(), 100000 * 27.1 / 8);
}

TEST(Lineage, DataThatChangedIsNamedWithItsBytes) {
  std::string data(3 * kLineageBlockBytes + 500, 'x');
  const std::string table = LineageBytes({data.size()}, {0}, 1, 1, ChecksumsOf(data));
  const Lineage lineage = *Lineage::Parse(table, "t");
  EXPECT_TRUE(lineage.CheckData(data, "d.bin").ok());
  data[2 * kLineageBlockBytes] = 'y';
  absl::Status status = lineage.CheckData(data, "d.bin");
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(Message(status), HasSubstr("d.bin: bytes 2097152 to 3145728: the checksum is wrong"));
  data[2 * kLineageBlockBytes] = 'x';
  data.back() = 'y';
  EXPECT_THAT(Message(lineage.CheckData(data, "d.bin")), HasSubstr("bytes 3145728 to 3146228"));
  data.pop_back();
  EXPECT_THAT(Message(lineage.CheckData(data, "d.bin")),
              HasSubstr("d.bin: ends at byte 3146227, 3146228 were written"));
}

TEST(Lineage, EveryChangedByteAndEveryCutIsSeen) {
  const std::string table = LineageBytes({3, 9, 10}, {4, 2, 0}, 5, 30, ChecksumsOf("some data"));
  for (size_t i = 0; i < table.size(); ++i) {
    std::string bad = table;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_TRUE(absl::IsDataLoss(Lineage::Parse(bad, "t").status())) << i;
    EXPECT_TRUE(absl::IsDataLoss(Lineage::Parse(table.substr(0, i), "t").status())) << i;
  }
}

TEST(Lineage, WrongNumbersUnderARightChecksumAreRefused) {
  const std::string table = LineageBytes({3, 9, 10}, {4, 2, 0}, 5, 30, ChecksumsOf("some data"));
  const auto status_of = [&](size_t offset, uint64_t value, size_t bytes) {
    std::string bad = table;
    std::memcpy(bad.data() + offset, &value, bytes);
    return Message(Lineage::Parse(Sealed(bad), "t").status());
  };
  EXPECT_THAT(status_of(8, uint64_t{1} << 62, 8), HasSubstr("header does not fit"));
  EXPECT_THAT(status_of(32, ~uint64_t{0}, 8), HasSubstr("header does not fit"));
  EXPECT_THAT(status_of(40, ~uint64_t{0}, 8), HasSubstr("header does not fit"));
  EXPECT_THAT(status_of(48, 0, 8), HasSubstr("header does not fit"));
  EXPECT_THAT(status_of(56, 60, 4), HasSubstr("header does not fit"));
  EXPECT_THAT(status_of(32, 11, 8), HasSubstr("documents end at token 10; its header says 3 and 11"));
  EXPECT_THAT(status_of(72, 7, 8), HasSubstr("document 0 is of a row that the corpus does not have"));
}

}  // namespace
}  // namespace rhodes
