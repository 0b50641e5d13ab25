#include "fuse/view_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fuse/functions.h"

namespace rhodes {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ViewCheck : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Database>> database = Database::Open({});
    ASSERT_TRUE(database.ok());
    database_ = *std::move(database);
    ASSERT_TRUE(RegisterFuseFunctions(*database_).ok());
    ASSERT_TRUE(
        database_
            ->Execute("CREATE TABLE posts AS SELECT i::VARCHAR AS id, 'a' AS author, 'src' AS source, "
                      "TIMESTAMP '2026-01-01' AS time, 'now()' AS text, 1.0::DOUBLE AS latitude, 2.0::DOUBLE AS "
                      "longitude, MAP {'speed': 1.0::DOUBLE} AS channels FROM range(5000) t(i);"
                      "CREATE TABLE cars AS FROM posts; CREATE TABLE few AS FROM posts LIMIT 10;"
                      "CREATE MACRO hidden() AS now()")
            .ok());
    options_.known = {"posts", "cars", "few"};
  }
  std::string Check(const std::string& sql) {
    const absl::Status status = CheckView(*database_, sql, options_);
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
    return status.ok() ? "" : Message(status);
  }

  std::unique_ptr<Database> database_;
  ViewCheckOptions options_;
};

TEST_F(ViewCheck, ASourceThatIsNotThereIsNamedWithTheNearestAndItsLine) {
  EXPECT_THAT(Check("SELECT text\nFROM few f\nJOIN psots p USING (id)"),
              AllOf(StartsWith("LINE 3: there is no source or earlier view \"psots\"; did you mean \"posts\"?"),
                    HasSubstr("posts, cars, few")));
  EXPECT_THAT(Check("SELECT text\nFROM nearest('posts', 'crs', INTERVAL 1 MINUTE)"),
              StartsWith("LINE 2: there is no source or earlier view \"crs\"; did you mean \"cars\"?"));
  EXPECT_THAT(Check("SELECT text FROM elephants"), Not(HasSubstr("did you mean")));
  EXPECT_THAT(Check("SELECT txet FROM posts"), HasSubstr("\"text\"")) << "DuckDB's own words";
}

TEST_F(ViewCheck, ACrossProductOfMillionsIsRefusedWithItsLineAndSizes) {
  EXPECT_THAT(Check("SELECT a.text\nFROM posts f JOIN posts a USING (id)\nCROSS JOIN cars b"),
              AllOf(StartsWith("LINE 3: "), HasSubstr("allow_cross_product = true")));
  EXPECT_THAT(Check("SELECT a.text FROM posts a, cars b"),
              AllOf(HasSubstr("about 5000 rows"), HasSubstr("a cross product")));
  EXPECT_EQ(Check("SELECT a.text FROM posts a JOIN cars b ON a.text || b.text LIKE '%x%'"), "") << "25 million pairs";
  options_.most_pairs = 10'000'000;
  EXPECT_THAT(Check("SELECT a.text FROM posts a JOIN cars b ON a.text || b.text LIKE '%x%'"),
              HasSubstr("a join that no equality narrows"));
  EXPECT_THAT(Check("SELECT a.text FROM posts a JOIN cars b ON distance_m(a.latitude, a.longitude, b.latitude, "
                    "b.longitude) < 10"),
              HasSubstr("within_distance()"));
  EXPECT_THAT(Check("SELECT count(*) FROM (SELECT 1 FROM few, few b, few c, few d, few e, few f, few g, few h)"),
              HasSubstr("compared with every one"));
  options_.allow_cross_product = true;
  EXPECT_EQ(Check("SELECT a.text FROM posts a, cars b"), "");
}

TEST_F(ViewCheck, JoinsThatAreNarrowedAndSmallProductsMayRun) {
  EXPECT_EQ(Check("SELECT a.text FROM posts a, few b"), "");
  EXPECT_EQ(Check("SELECT a.text FROM posts a, cars b WHERE a.id = b.id"), "");
  EXPECT_EQ(Check("SELECT a.text FROM posts a JOIN cars b ON a.time < b.time AND a.time > b.time - INTERVAL 1 DAY"),
            "");
  EXPECT_EQ(Check("SELECT a.text FROM posts a, (SELECT max(time) AS last FROM cars)"), "");
  EXPECT_EQ(Check("SELECT a.text, (SELECT count(*) FROM cars) FROM posts a"), "");
}

TEST_F(ViewCheck, TheMacrosThemselvesPass) {
  for (const char* sql :
       {"FROM nearest('posts', 'cars', INTERVAL 1 MINUTE)",
        "FROM nearest_before(posts, cars, INTERVAL 1 MINUTE, 'author')",
        "FROM within_distance('posts', 'cars', 100, INTERVAL 1 MINUTE)", "FROM sessions('posts', INTERVAL 1 MINUTE)",
        "FROM bursts('posts', 'author', INTERVAL 1 MINUTE, INTERVAL 1 HOUR, 3)",
        "FROM trips('cars', 'speed', 1, INTERVAL 1 HOUR)", "FROM same_event('posts', 100, INTERVAL 1 MINUTE)",
        "FROM telemetry_windows('cars', INTERVAL 1 MINUTE)"}) {
    EXPECT_EQ(Check(sql), "") << sql;
  }
}

TEST_F(ViewCheck, WhatDiffersFromRunToRunIsNamedWithItsLine) {
  EXPECT_THAT(Check("SELECT text,\n now() AS time FROM posts"),
              AllOf(StartsWith("LINE 2: now differs from run to run"), HasSubstr("allow_nondeterministic = true")));
  for (const char* call : {"CURRENT_TIMESTAMP", "current_date", "today()", "get_current_timestamp ( )", "uuidv7()",
                           "localtimestamp", "txid_current()"}) {
    EXPECT_THAT(Check(fmt::format("SELECT text, {} FROM posts", call)), StartsWith("LINE 1: ")) << call;
  }
  EXPECT_THAT(Check("SELECT text, hidden() FROM posts"), HasSubstr("differs from run to run")) << "inside a macro";
  options_.allow_nondeterministic = true;
  EXPECT_EQ(Check("SELECT text, now() FROM posts"), "");
}

TEST_F(ViewCheck, WordsInTextsCommentsAndNamesAreNoCalls) {
  EXPECT_EQ(Check("SELECT text FROM posts WHERE text LIKE '%call now() free%' -- now()\n/* today() */"), "");
  EXPECT_EQ(Check("SELECT text AS now, $$uuidv7()$$ AS today FROM posts"), "");
  EXPECT_EQ(Check("SELECT 'it''s now()' AS text FROM posts"), "");
  EXPECT_EQ(Check("SELECT text || random() || uuid() FROM posts"), "") << "seeded";
}

}  // namespace
}  // namespace rhodes
