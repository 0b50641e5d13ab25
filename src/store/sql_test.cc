#include "store/sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "store/record_store.h"
#include "table/database.h"

namespace rhodes {
namespace {

class SqlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    out_ = ::testing::TempDir() + "rhodes_sql_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(out_).ok());
    absl::StatusOr<std::unique_ptr<RecordWriter>> writer =
        RecordWriter::Open(out_, "posts", RecordWriter::Mode::kReplace, RunContext());
    for (const char* text : {"plain", "with, comma and \"quote\""}) {
      Record record;
      record.text = text;
      record.original = text;
      record.id = ContentId({text});
      ASSERT_TRUE((*writer)->Append(record).ok());
    }
    ASSERT_TRUE((*writer)->Commit("", Json::object(), 0).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(out_).ok()); }
  absl::StatusOr<std::string> Run(const std::string& sql, const std::string& format) const {
    std::string text;
    RunContext context;
    RETURN_IF_ERROR(RunSql(
        out_, sql, format, [&](std::string_view piece) { text += piece; }, context));
    return text;
  }
  std::string out_;
};

TEST_F(SqlTest, PrintsEveryFormat) {
  EXPECT_EQ(*Run("SELECT text, 1 AS n FROM posts ORDER BY text;", "csv"),
            "text,n\nplain,1\n\"with, comma and \"\"quote\"\"\",1\n");
  EXPECT_EQ(*Run("SELECT [1, 2] AS l, NULL AS x", "json"), "{\"l\":[1,2],\"x\":null}\n");
  EXPECT_THAT(*Run("SUMMARIZE SELECT 7 AS n", "csv"), ::testing::HasSubstr("n,INTEGER,7,7,1,"));
  EXPECT_THAT(*Run("DESCRIBE posts", "json"), ::testing::HasSubstr("{\"column_name\":\"id\""));
  EXPECT_THAT(*Run("EXPLAIN SELECT 1", "csv"), ::testing::HasSubstr("physical_plan"));
  EXPECT_EQ(*Run("SELECT count(*) AS n FROM records", "table"), "n\n-\n2\n(1 row)\n");
}

TEST_F(SqlTest, ParquetKeepsTypesAndComesWhole) {
  const absl::StatusOr<std::string> bytes =
      Run("SELECT text, 1::TINYINT AS n, [1.5, NULL] AS l, MAP {'k': TIMESTAMP '2024-01-02 03:04:05'} AS m, original "
          "FROM posts ORDER BY text;",
          "parquet");
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const std::string path = out_ + "/result.parquet";
  ASSERT_TRUE(WriteFileAtomically(path, *bytes).ok());
  const std::unique_ptr<Database> database = *Database::Open({});
  absl::StatusOr<QueryResult> rows = database->Query(
      "SELECT typeof(n) || ' ' || typeof(l) || ' ' || typeof(m) || ' ' || typeof(original) || ' ' || text || ' ' || "
      "m['k'] FROM read_parquet(" +
      SqlLiteral(path) + ")");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_TRUE(*rows->Next());
  EXPECT_EQ(rows->String(0, 0), "TINYINT DECIMAL(2,1)[] MAP(VARCHAR, TIMESTAMP) BLOB plain 2024-01-02 03:04:05");
  EXPECT_EQ(rows->row_count(), 2u);
  EXPECT_TRUE(Run("SELECT 1 WHERE false", "parquet")->starts_with("PAR1")) << "no rows, and a file all the same";
  EXPECT_TRUE(Run("DESCRIBE posts", "parquet")->starts_with("PAR1"));
}

TEST_F(SqlTest, ParquetWritesNoOtherFile) {
  const std::string other = out_ + "/other";
  for (const std::string& sql :
       {"SELECT 1) TO '" + other + "'; COPY (SELECT 1", "SELECT 1) TO '" + other + "' --", std::string("SELECT nope"),
        std::string("EXPLAIN SELECT 1"), std::string("SELECT * FROM read_csv('/etc/passwd')")}) {
    EXPECT_EQ(ExitCodeOf(Run(sql, "parquet").status()), ExitCode::kUsage) << sql;
  }
  EXPECT_FALSE(PathExists(other));
}

TEST_F(SqlTest, OnlyQueriesAreRunAndErrorsAreUsageErrors) {
  EXPECT_EQ(ExitCodeOf(Run("DROP VIEW posts", "csv").status()), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(Run("SELECT nope FROM posts", "csv").status()), ExitCode::kUsage);
  EXPECT_THAT(Message(Run("SELECT * FROM read_csv('/etc/passwd')", "csv").status()), ::testing::HasSubstr("disabled"));
  EXPECT_THAT(Message(Run("SELECT\nnope FROM posts", "csv").status()), ::testing::HasSubstr("nope"));
}

}  // namespace
}  // namespace rhodes
