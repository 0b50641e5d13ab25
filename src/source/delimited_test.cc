#include "source/delimited.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/testing.h"

namespace rhodes {
namespace {

using source_testing::Field;
using source_testing::Read;
using source_testing::Violation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(Csv, Parse_ReadsQuotesLineBreaksInQuotesAndCrlf) {
  const std::string file =
      "text,author,n\r\n"
      "\"Say \"\"hi\"\",\r\nthen go\",ana,1\r\n"
      "5\" screws,bo,2\r\n"
      "\r\n"
      "last,,3";
  const ParsedBlock parsed = Read(CsvFormat(), file);
  EXPECT_THAT(parsed.rejects, IsEmpty());
  ASSERT_THAT(parsed.records, SizeIs(3));
  EXPECT_EQ(parsed.records[0].text, "Say \"hi\",\r\nthen go");
  EXPECT_EQ(parsed.records[0].original, "\"Say \"\"hi\"\",\r\nthen go\",ana,1");
  EXPECT_EQ(parsed.records[1].text, "5\" screws");
  EXPECT_EQ(parsed.records[2].author, "");
  EXPECT_THAT(parsed.records[2].channels, ElementsAre(Pair("n", 3.0)));
  EXPECT_EQ(Violation(parsed, file), "");
}

TEST(Csv, Prepare_FindsSeparatorAndHeader) {
  EXPECT_EQ(Read(CsvFormat(), "content;date\nA, b;2024-01-01\n").records.at(0).text, "A, b");
  EXPECT_EQ(Read(CsvFormat(), "\xEF\xBB\xBFtext\tid\nA\t007\n").records.at(0).fields.at(0).second, "007");
  const ParsedBlock headless = Read(CsvFormat(), "1.5,20\n2.5,30\n");
  ASSERT_THAT(headless.records, SizeIs(2));
  EXPECT_THAT(headless.records[0].channels, ElementsAre(Pair("column1", 1.5), Pair("column2", 20.0)));
}

TEST(Csv, Prepare_CommentsBeforeTheTableMayHoldTheHeader) {
  const std::string file = "# measured at the harbour, by day\n# time,volts\n2024-02-29,1.5\n2024-03-01,2.5\n";
  const ParsedBlock parsed = Read(CsvFormat(), file);
  ASSERT_THAT(parsed.records, SizeIs(2));
  EXPECT_THAT(parsed.records[0].channels, ElementsAre(Pair("volts", 1.5)));
  EXPECT_TRUE(parsed.records[0].time.has_value());
  EXPECT_EQ(Violation(parsed, file), "");
}

TEST(Csv, Parse_RejectsOnlyTheBrokenLine) {
  const std::string file =
      "text,n\n"
      "one,1\n"
      "two\n"
      "\"open\" wrong,2\n"
      "three,3\n"
      "\"never closed,4\n"
      "four,5\n";
  const ParsedBlock parsed = Read(CsvFormat(), file);
  ASSERT_THAT(parsed.records, SizeIs(3));
  EXPECT_EQ(parsed.records[2].text, "four");
  ASSERT_THAT(parsed.rejects, SizeIs(3));
  EXPECT_EQ(parsed.rejects[0].reason, "1 cells, the header has 2");
  EXPECT_THAT(parsed.rejects[1].reason, HasSubstr("a quote is not closed, or text follows"));
  EXPECT_THAT(parsed.rejects[2].reason, HasSubstr("a quote is not closed, or text follows"));
  EXPECT_EQ(file.substr(parsed.rejects[2].origin.begin, 13), "\"never closed");
  EXPECT_EQ(Violation(parsed, file), "");
}

TEST(Csv, Parse_DecodesRowsThatAreNotUtf8) {
  const ParsedBlock parsed = Read(CsvFormat(), "text,n\nM\xFCnchen,1\n");
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_EQ(parsed.records[0].text, "München");
  EXPECT_EQ(Field(parsed.records[0], "encoding"), "windows-1252");
}

TEST(Csv, Parse_NamesThatLookLikeNumbersStayNames) {
  const ParsedBlock parsed = Read(CsvFormat(), "text,zip,phone,x,y\na,01234,+49123,.5,2E-3\n");
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_EQ(Field(parsed.records[0], "zip"), "01234");
  EXPECT_EQ(Field(parsed.records[0], "phone"), "+49123");
  EXPECT_THAT(parsed.records[0].channels, ElementsAre(Pair("x", 0.5), Pair("y", 0.002)));
}

TEST(Csv, Parse_BlocksOfAnySizeGiveTheSame) {
  std::string file = "text,n\n";
  for (int i = 0; i < 100; ++i) {
    file += fmt::format("\"row {},\nwith a break\",{}\n", i, i);
    if (i % 9 == 0) file += "plain,1\nbroken \"\"row\n\"a\"b\n";
  }
  file += "\"open to the end\nmore\n";
  const ParsedBlock whole = Read(CsvFormat(), file);
  EXPECT_EQ(Violation(whole, file), "");
  EXPECT_GE(whole.records.size(), 112U);
  for (const size_t block : {1, 10, 100, 1000}) {
    EXPECT_TRUE(source_testing::Same(whole, Read(CsvFormat(), file, {}, "/data/file", block))) << block;
  }
}

// Found by fuzzing: a block's end fell before a quote whose cell had a line break, and the row was cut there.
TEST(Csv, Cut_NeverInsideOfQuotes) {
  const std::string file = "text,n\n\"a \"\"b\"\",\nc\"(1\nd,2\n\"e,\nf\",3\n";
  const ParsedBlock whole = Read(CsvFormat(), file);
  for (size_t block = 1; block < file.size(); ++block) {
    EXPECT_TRUE(source_testing::Same(whole, Read(CsvFormat(), file, {}, "/data/file", block))) << block;
  }
}

TEST(Tsv, Prepare_TakesQuotesAsTextWhenTheFileDoes) {
  const ParsedBlock parsed = Read(TsvFormat(), "text\tlabel\n\"Hi\" she said\tx\n\"open\ty\n");
  EXPECT_THAT(parsed.rejects, IsEmpty());
  ASSERT_THAT(parsed.records, SizeIs(2));
  EXPECT_EQ(parsed.records[0].text, "\"Hi\" she said");
  EXPECT_EQ(parsed.records[1].text, "\"open");
}

}  // namespace
}  // namespace rhodes
