#include "table/row_chunks.h"

#include <gtest/gtest.h>

namespace rhodes {
namespace {

TEST(RowChunks, GiveEveryKindOfColumnInOrderAcrossChunks) {
  const std::unique_ptr<Database> database = *Database::Open({});
  const absl::StatusOr<std::shared_ptr<const TableSchema>> schema = TableSchema::Parse(
      "s VARCHAR, n BIGINT, u UBIGINT, d DOUBLE, l VARCHAR[], c MAP(VARCHAR, DOUBLE), "
      "f MAP(VARCHAR, VARCHAR), b BLOB, w TIMESTAMP");
  ASSERT_TRUE(schema.ok()) << schema.status();
  RowChunks rows(*schema);
  constexpr int kRows = 5001;
  for (int i = 0; i < kRows; ++i) {
    const std::string text = "a string that is longer than twelve bytes " + std::to_string(i);
    rows.SetString(0, text);
    rows.SetInt64(1, -i);
    if (i % 2 == 0) rows.SetUInt64(2, static_cast<uint64_t>(i));
    rows.SetDouble(3, i * 0.5);
    rows.SetStringList(4, std::vector<std::string>(static_cast<size_t>(i % 4), text));
    rows.SetMap(5, std::vector<std::pair<std::string, double>>{{"speed", i * 1.0}});
    if (i % 3 == 0) rows.SetMap(6, std::vector<std::pair<std::string, std::string>>{{"package", text}});
    rows.SetString(7, std::string_view("\0\xFF", 2));
    rows.SetInt64(8, 1000000);
    rows.EndRow();
  }
  ASSERT_TRUE(rows.Register(*database, "rows_once").ok());
  ASSERT_TRUE(database->Execute("CREATE TABLE t AS SELECT *, row_number() OVER () - 1 AS place FROM rows_once()").ok());
  EXPECT_EQ(*database->QueryCount("SELECT count(*) FROM t WHERE place <> -n"), 0u);
  EXPECT_EQ(*database->QueryCount("SELECT count(*) FROM t"), 5001u);
  EXPECT_EQ(
      *database->QueryCount("SELECT count(*) FROM t WHERE u = -n AND c['speed'] = u AND b = '\\x00\\xFF'::BLOB AND "
                            "w = TIMESTAMP '1970-01-01 00:00:01' AND len(l) = u % 4"),
      2501u);
  EXPECT_EQ(*database->QueryCount("SELECT count(*) FROM t WHERE f['package'] = s AND f IS NOT NULL"), 1667u);
  EXPECT_EQ(*database->QueryCount("SELECT count(*) FROM t WHERE list_contains(l, s)"), 3750u);
}

TEST(RowChunks, TextThatIsNotUtf8IsReplacedAndSaidSo) {
  const std::unique_ptr<Database> database = *Database::Open({});
  RowChunks rows(*TableSchema::Parse("s VARCHAR, b BLOB"));
  EXPECT_TRUE(rows.SetString(0, std::string_view("a\0b", 3)));
  EXPECT_TRUE(rows.SetString(1, "\xFF"));
  rows.EndRow();
  EXPECT_FALSE(rows.SetString(0, "caf\xE9!"));
  rows.EndRow();
  ASSERT_TRUE(rows.Register(*database, "rows_once").ok());
  absl::StatusOr<QueryResult> result = database->Query("FROM rows_once()");
  ASSERT_TRUE(*result->Next());
  EXPECT_EQ(result->String(0, 0), std::string_view("a\0b", 3));
  EXPECT_EQ(result->String(1, 0), "\xFF");
  EXPECT_EQ(result->String(0, 1), "caf\xEF\xBF\xBD!");
  EXPECT_TRUE(result->IsNull(1, 1));
}

TEST(TableSchema, AWrongTypeIsAnError) {
  EXPECT_TRUE(absl::IsInvalidArgument(TableSchema::Parse("a NO_TYPE").status()));
}

}  // namespace
}  // namespace rhodes
