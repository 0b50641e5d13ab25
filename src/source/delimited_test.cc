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

TEST(Tsv, AMapThatCountsColumnsSaysThereIsNoHeader) {
  ReadOptions options;
  options.columns.text = "column2";
  const std::string_view table = "pos\tfirst words\nneg\tmore words\n";
  const ParsedBlock parsed = Read(TsvFormat(), table, options);
  ASSERT_EQ(parsed.records.size(), 2u);
  EXPECT_EQ(parsed.records[0].text, "first words");
  EXPECT_EQ(Field(parsed.records[0], "column1"), "pos");
  EXPECT_EQ(Read(TsvFormat(), table).records.size(), 0u);
  const ParsedBlock named = Read(TsvFormat(), "column1\tcolumn2\npos\twords\n", options);
  ASSERT_EQ(named.records.size(), 1u);
  EXPECT_EQ(named.records[0].text, "words");
}

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

TEST(Csv, Parse_DecimalCommasOfAFile) {
  const ParsedBlock parsed = Read(CsvFormat(),
                                  "time;latitude;longitude;volts;count;note\n"
                                  "2024-02-29 12:00;54,300;13,400;396,5;7;a, b\n"
                                  "2024-02-29 12:01;54,301;13,401;-0,25;1.234;\n");
  EXPECT_THAT(parsed.rejects, IsEmpty());
  ASSERT_THAT(parsed.records, SizeIs(2));
  EXPECT_EQ(parsed.records[0].latitude, 54.3);
  EXPECT_EQ(parsed.records[0].longitude, 13.4);
  EXPECT_EQ(parsed.records[0].time_precision, TimePrecision::kMinute);
  EXPECT_THAT(parsed.records[0].channels, ElementsAre(Pair("count", 7.0), Pair("volts", 396.5)));
  EXPECT_EQ(Field(parsed.records[0], "note"), "a, b");
  // A point is no decimal mark here, and thousands are not guessed.
  EXPECT_THAT(parsed.records[1].channels, ElementsAre(Pair("volts", -0.25)));
  EXPECT_EQ(Field(parsed.records[1], "count"), "1.234");
}

TEST(Csv, Parse_CommasThatMayBeThousandsAreNoDecimals) {
  const ParsedBlock parsed = Read(CsvFormat(), "n;m\n1,234;5\n2,345;6\n");
  ASSERT_THAT(parsed.records, SizeIs(2));
  EXPECT_THAT(parsed.records[0].channels, ElementsAre(Pair("m", 5.0)));
  EXPECT_EQ(Field(parsed.records[0], "n"), "1,234");
}

TEST(Csv, Parse_AColumnOfAFileThatWritesBothMarks) {
  const ParsedBlock parsed = Read(CsvFormat(), "a;b;c\n1,5;46.0;1.234.567\n2,5;52.5;1.234\n");
  ASSERT_THAT(parsed.records, SizeIs(2));
  EXPECT_THAT(parsed.records[0].channels, ElementsAre(Pair("a", 1.5), Pair("b", 46.0)));
  // In a column with 1.234.567 nobody knows what 1.234 is.
  EXPECT_THAT(parsed.records[1].channels, ElementsAre(Pair("a", 2.5), Pair("b", 52.5)));
  EXPECT_EQ(Field(parsed.records[1], "c"), "1.234");
}

TEST(Csv, Prepare_DecimalCommasAreNoSeparators) {
  const ParsedBlock parsed = Read(CsvFormat(), "1,5;2,5;3,5\n4,5;5,5;6,5\n");
  ASSERT_THAT(parsed.records, SizeIs(2));
  EXPECT_THAT(parsed.records[0].channels,
              ElementsAre(Pair("column1", 1.5), Pair("column2", 2.5), Pair("column3", 3.5)));
  const ParsedBlock plain = Read(CsvFormat(), "a,b\n1,5\n2,6\n");
  ASSERT_THAT(plain.records, SizeIs(2));
  EXPECT_THAT(plain.records[0].channels, ElementsAre(Pair("a", 1.0), Pair("b", 5.0)));
}

TEST(Csv, Parse_ChannelsOfTheColumnMap) {
  ReadOptions options;
  options.columns.channels = {{"SPEED", "speed", "km/h"}, {"LOAD", "", ""}, {"RPM", "", ""}};
  const ParsedBlock parsed = Read(CsvFormat(),
                                  "SPEED;LOAD;RPM;n\n\"87,5 km/h\";74,50%;2124RPM;1\n54 mph;n/a;1,234;1\n"
                                  "48km/h;;;1\n12;NaN;inf;1\n",
                                  options);
  ASSERT_THAT(parsed.records, SizeIs(4));
  EXPECT_THAT(parsed.records[0].channels,
              ElementsAre(Pair("LOAD", 74.5), Pair("RPM", 2124.0), Pair("n", 1.0), Pair("speed", 87.5)));
  EXPECT_THAT(parsed.records[0].units, ElementsAre(Pair("LOAD", "%"), Pair("RPM", "RPM"), Pair("speed", "km/h")));
  // Another unit than the map's, no number, and what may be thousands stay as they are.
  EXPECT_THAT(parsed.records[1].channels, ElementsAre(Pair("n", 1.0)));
  EXPECT_THAT(parsed.records[1].fields,
              ElementsAre(Pair("LOAD", "n/a"), Pair("RPM", "1,234"), Pair("SPEED", "54 mph")));
  EXPECT_THAT(parsed.records[2].channels, ElementsAre(Pair("n", 1.0), Pair("speed", 48.0)));
  EXPECT_THAT(parsed.records[3].channels, ElementsAre(Pair("n", 1.0), Pair("speed", 12.0)));
  EXPECT_THAT(parsed.records[3].fields, ElementsAre(Pair("LOAD", "NaN"), Pair("RPM", "inf")));
}

TEST(Csv, Parse_LocalTimesOfAZone) {
  ReadOptions options;
  options.time_zone = "America/New_York";
  const ParsedBlock parsed = Read(CsvFormat(),
                                  "time,n\n2024-07-01 08:00:00,1\n2024-07-01 08:00:00Z,2\n2024-11-03 01:30:00,3\n"
                                  "2024-03-10 02:30:00,4\n2024-07-01,5\n1719835200,6\n",
                                  options);
  ASSERT_THAT(parsed.records, SizeIs(6));
  EXPECT_EQ(parsed.records[0].time, 1719835200000000);
  EXPECT_EQ(parsed.records[1].time, 1719820800000000);
  EXPECT_FALSE(parsed.records[2].time.has_value());  // twice on that clock
  EXPECT_EQ(Field(parsed.records[2], "time"), "2024-11-03 01:30:00");
  EXPECT_FALSE(parsed.records[3].time.has_value());  // never on that clock
  EXPECT_EQ(parsed.records[4].time, 1719792000000000);
  EXPECT_EQ(parsed.records[4].time_precision, TimePrecision::kDay);
  EXPECT_EQ(parsed.records[5].time, 1719835200000000);
}

TEST(Csv, Parse_TheSampleWithMangledNumbers) {
  const std::string path = source_testing::SampleData("vehicle_obd/19drivers.csv");
  if (path.empty()) GTEST_SKIP() << "no sample data here";
  const std::string file = ReadFile(path).value();
  ReadOptions options;
  options.columns.channels = {{"SPEED", "", ""}, {"MAF", "", ""}};
  const ParsedBlock parsed = Read(CsvFormat(), file, options);
  EXPECT_EQ(Violation(parsed, file), "");
  ASSERT_FALSE(parsed.records.empty());
  const Record& record = parsed.records[0];
  EXPECT_FALSE(record.time.has_value());  // a spreadsheet rounded 1,51336E+12 to some hour
  EXPECT_FALSE(record.latitude.has_value());
  EXPECT_EQ(Field(record, "LATITUDE"), "-58.321.307");
  EXPECT_THAT(record.units, ElementsAre(Pair("MAF", "g/s"), Pair("SPEED", "km/h")));
}

// Found by fuzzing: a quote in a comment was taken for one that opens a cell, and rows were cut behind the closing one.
TEST(Csv, Cut_NotByQuotesInComments) {
  const std::string file = "# text,\"n\n\"a\nb\",1\n0,2\n";
  const ParsedBlock whole = Read(CsvFormat(), file);
  EXPECT_THAT(whole.records, SizeIs(2));
  for (const size_t block : {1, 8, 12}) {
    EXPECT_TRUE(source_testing::Same(whole, Read(CsvFormat(), file, {}, "/data/file", block))) << block;
  }
}

}  // namespace
}  // namespace rhodes
