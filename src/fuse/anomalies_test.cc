#include "fuse/anomalies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "fuse/functions.h"

namespace rhodes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Anomalies : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Database>> database = Database::Open({});
    ASSERT_TRUE(database.ok());
    database_ = *std::move(database);
    ASSERT_TRUE(RegisterFuseFunctions(*database_).ok());
    Run("CREATE TABLE records (id VARCHAR, source VARCHAR, kind VARCHAR, author VARCHAR, time TIMESTAMP, latitude "
        "DOUBLE, longitude "
        "DOUBLE, channels MAP(VARCHAR, DOUBLE), file VARCHAR, \"begin\" UBIGINT)");
  }
  void Run(const std::string& sql) {
    const absl::Status status = database_->Execute(sql);
    ASSERT_TRUE(status.ok()) << status;
  }
  // A sample of a device; seconds, degrees.
  void Add(const std::string& author, int64_t seconds, double latitude, double longitude, const char* file = "f") {
    Run(fmt::format(
        "INSERT INTO records VALUES ('r{:04}', 'cars', 'row', {}, make_timestamp({}), {}, {}, MAP {{'speed': "
        "1.0}}, '{}', {})",
        next_, SqlLiteral(author), seconds * 1'000'000, latitude, longitude, file, next_));
    ++next_;
  }
  AnomalyReport Find(int64_t latest) {
    AnomalyOptions options;
    options.latest = latest * 1'000'000;
    absl::StatusOr<AnomalyReport> report = FindAnomalies(*database_, options, 2);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : AnomalyReport();
  }

  std::unique_ptr<Database> database_;
  int next_ = 0;
};

TEST_F(Anomalies, EachIsNamedWithSourceDeviceFirstRecordAndWhatToDo) {
  Add("car1", 100, 36, 28);
  Add("car1", 160, 36, 28.001);
  Add("car1", 130, 36, 28.001);  // the clock jumps
  Add("car2", 100, 36, 28);
  Add("car2", 110, 37, 28);  // 111 km in 10 s
  Add("car3", 9000, 36, 28);
  const AnomalyReport report = Find(1000);
  EXPECT_EQ(report.records, 6U);
  EXPECT_EQ(report.from_future, 1U);
  EXPECT_EQ(report.clock_jumps, 1U);
  EXPECT_EQ(report.two_places, 1U);
  EXPECT_THAT(
      Lines(report),
      ElementsAre(HasSubstr("source \"cars\", car3: 1 record from the future; the first: r0005 (8000 s after"),
                  HasSubstr("source \"cars\", car1: 1 record where the clock jumps back; the first: r0002 (30 s "
                            "back): order by file"),
                  HasSubstr("source \"cars\", car2: 1 record in two places at once; the first: r0004 (111.2 km "
                            "in 10 s): see whether two devices")));
  EXPECT_EQ(ToJson(report)["anomalies"][2]["before"], "r0003");
  EXPECT_EQ(ToJson(report)["anomalies"][0]["author"], "car3");
}

TEST_F(Anomalies, AFileWrittenTheNewestFirstIsNoJump) {
  for (int64_t i = 0; i < 10; ++i) Add("car1", 1000 - i * 60, 36, 28);
  const AnomalyReport report = Find(2000);
  EXPECT_EQ(report.clock_jumps, 0U);
  EXPECT_EQ(report.reversed_streams, 1U);
}

TEST_F(Anomalies, OtherDevicesFilesAndRecordsWithoutChannelsAreOtherStreams) {
  Add("car1", 1000, 36, 28, "f");
  Add("car1", 900, 80, 28, "g");
  Add("car2", 800, -36, 28, "f");
  Run("UPDATE records SET channels = NULL WHERE id = 'r0000'");
  Add("car1", 10, 0, 0, "f");
  Run("INSERT INTO records SELECT 'none', source, kind, author, NULL, NULL, NULL, channels, file, 99 FROM records");
  EXPECT_TRUE(Find(2000).anomalies.empty());
}

// A dish gives its status and, beside it, samples of the seconds before.
TEST_F(Anomalies, KindsOfRecordsThatTakeTurnsAreOtherStreams) {
  for (int64_t i = 0; i < 11; ++i) Add("dish1", 1000 + i * 60 - (i % 2) * 100, 36, 28);
  EXPECT_EQ(Find(5000).clock_jumps, 5U);
  Run("UPDATE records SET kind = 'sample' WHERE \"begin\" % 2 = 1");
  EXPECT_TRUE(Find(5000).anomalies.empty());
  EXPECT_EQ(database_->QueryCount("SELECT count(*) FROM anomalies('records', TIMESTAMP '2000-01-01', 340)").value_or(9),
            0U);
}

TEST_F(Anomalies, OfManyDevicesAFewAreNamed) {
  for (int i = 0; i < 12; ++i) Add(fmt::format("car{:02}", i), 9000, 36, 28);
  const std::vector<std::string> lines = Lines(Find(1000));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_THAT(lines[5], HasSubstr("source \"cars\": 7 more devices or authors with records from the future"));
}

TEST_F(Anomalies, TheMacroListsWhatTheReportCounts) {
  std::mt19937 random(4);
  int64_t seconds = 0;
  for (int i = 0; i < 400; ++i) {
    seconds += static_cast<int64_t>(random() % 50);
    const int64_t jump = random() % 12 == 0 ? -static_cast<int64_t>(random() % 200) : 0;
    Add(fmt::format("car{}", random() % 3), seconds + jump, 36 + static_cast<double>(random() % 20) * 0.004, 28);
  }
  Run("UPDATE records SET latitude = NULL WHERE hash(id) % 7 = 0");
  Run("UPDATE records SET time = NULL WHERE hash(id) % 11 = 0");
  const AnomalyReport report = Find(8000);
  EXPECT_EQ(report.reversed_streams, 0U);
  EXPECT_GT(report.clock_jumps, 5U);
  EXPECT_GT(report.from_future, 5U);
  EXPECT_GT(report.two_places, 2U);
  const auto count = [&](const std::string& kind) {
    return database_
        ->QueryCount("SELECT count(*) FROM anomalies('records', make_timestamp(8000000000), 340) WHERE anomaly = '" +
                     kind + "'")
        .value_or(0);
  };
  EXPECT_EQ(count("future"), report.from_future);
  EXPECT_EQ(count("clock"), report.clock_jumps);
  EXPECT_EQ(count("two places"), report.two_places);
  for (const Anomaly& anomaly : report.anomalies) {
    EXPECT_EQ(
        database_
                ->QueryCount("SELECT count(*) FROM anomalies('records', make_timestamp(8000000000), 340) WHERE id = " +
                             SqlLiteral(anomaly.id) + " AND author = " + SqlLiteral(anomaly.author))
                .value_or(0) > 0,
        true);
  }
}

}  // namespace
}  // namespace rhodes
