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

TEST(Sql, QuotingDoublesTheQuote) {
  EXPECT_EQ(SqlLiteral("it's"), "'it''s'");
  EXPECT_EQ(SqlIdentifier("a\"b"), "\"a\"\"b\"");
}

}  // namespace
}  // namespace rhodes
