#include "table/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<Database> InMemory() {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open({});
  EXPECT_TRUE(database.ok()) << database.status();
  return *std::move(database);
}

TEST(Database, Query_StreamsTypedValues) {
  const std::unique_ptr<Database> database = InMemory();
  absl::StatusOr<QueryResult> result = database->Query(
      "SELECT i::BIGINT, i::UBIGINT, i / 2.0::DOUBLE, 'row ' || i, ['a', NULL, ?], NULL::VARCHAR "
      "FROM range(5000) t(i)",
      {"it's"});
  ASSERT_TRUE(result.ok()) << result.status();
  size_t rows = 0;
  while (*result->Next()) {
    for (size_t row = 0; row < result->row_count(); ++row, ++rows) {
      ASSERT_EQ(result->Int64(0, row), static_cast<int64_t>(rows));
      ASSERT_EQ(result->UInt64(1, row), rows);
      ASSERT_EQ(result->String(3, row), "row " + std::to_string(rows));
      ASSERT_THAT(result->StringList(4, row), ElementsAre("a", "", "it's"));
      ASSERT_TRUE(result->IsNull(5, row));
    }
  }
  EXPECT_EQ(rows, 5000u);
}

TEST(Database, AWrongStatementShowsItsLine) {
  const std::unique_ptr<Database> database = InMemory();
  const absl::Status status = database->Query("SELECT 1,\n  nope FROM range(3)").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(Message(status), HasSubstr("LINE 2"));
}

TEST(Database, BeyondTheMemoryLimitSaysWhatToDo) {
  Database::Options options;
  options.memory_bytes = 32 << 20;
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(options);
  ASSERT_TRUE(database.ok());
  const absl::Status status =
      (*database)->Execute("CREATE TABLE t AS SELECT range AS i, random() AS r FROM range(20000000)");
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(Message(status), HasSubstr("--memory"));
}

TEST(TableAppender, WritesEveryKindOfColumnAcrossChunks) {
  const std::unique_ptr<Database> database = InMemory();
  ASSERT_TRUE(database
                  ->Execute("CREATE TABLE t (s VARCHAR, n BIGINT, u UBIGINT, d DOUBLE, l VARCHAR[], "
                            "c MAP(VARCHAR, DOUBLE), f MAP(VARCHAR, VARCHAR), b BLOB, w TIMESTAMP)")
                  .ok());
  absl::StatusOr<std::unique_ptr<TableAppender>> appender = TableAppender::Open(*database, "t");
  ASSERT_TRUE(appender.ok());
  constexpr int kRows = 5001;
  for (int i = 0; i < kRows; ++i) {
    const std::string text = "a string that is longer than twelve bytes " + std::to_string(i);
    (*appender)->SetString(0, text);
    (*appender)->SetInt64(1, -i);
    if (i % 2 == 0) (*appender)->SetUInt64(2, static_cast<uint64_t>(i));
    (*appender)->SetDouble(3, i * 0.5);
    (*appender)->SetStringList(4, std::vector<std::string>(static_cast<size_t>(i % 4), text));
    (*appender)->SetMap(5, std::vector<std::pair<std::string, double>>{{"speed", i * 1.0}});
    if (i % 3 == 0) (*appender)->SetMap(6, std::vector<std::pair<std::string, std::string>>{{"package", text}});
    (*appender)->SetString(7, std::string_view("\0\xFF", 2));
    (*appender)->SetInt64(8, 1000000);
    ASSERT_TRUE((*appender)->EndRow().ok());
  }
  ASSERT_TRUE((*appender)->Finish().ok());
  EXPECT_EQ(*database->QueryCount("SELECT count(*) FROM t"), 5001u);
  EXPECT_EQ(
      *database->QueryCount("SELECT count(*) FROM t WHERE u = -n AND c['speed'] = u AND b = '\\x00\\xFF'::BLOB AND "
                            "w = TIMESTAMP '1970-01-01 00:00:01' AND len(l) = u % 4"),
      2501u);
  EXPECT_EQ(*database->QueryCount("SELECT count(*) FROM t WHERE f['package'] = s AND f IS NOT NULL"), 1667u);
  EXPECT_EQ(*database->QueryCount("SELECT count(*) FROM t WHERE list_contains(l, s)"), 3750u);
}

TEST(Sql, QuotingDoublesTheQuote) {
  EXPECT_EQ(SqlLiteral("it's"), "'it''s'");
  EXPECT_EQ(SqlIdentifier("a\"b"), "\"a\"\"b\"");
}

}  // namespace
}  // namespace rhodes
