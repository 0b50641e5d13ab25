#include "fuse/orbit_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "orbit/visibility.h"
#include "store/record_store.h"
#include "store/views.h"

namespace rhodes {
namespace {

constexpr int64_t kEpoch = 1709208000000000;  // 2024-02-29T12:00:00Z
constexpr char kTime[] = "TIMESTAMP '2024-02-29 13:00:00'";

class OrbitFunctionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    out_ = ::testing::TempDir() + "rhodes_orbit_functions_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(out_).ok());
    auto writer = *RecordWriter::Open(out_, "catalogue", RecordWriter::Mode::kReplace, RunContext());
    for (int satellite = 0; satellite < 40; ++satellite) {
      // Two sets each; the second one is of two hours later.
      for (const int64_t later : {int64_t{0}, int64_t{7200} * 1000000}) {
        Record record;
        record.source = "catalogue";
        record.kind = "element-set";
        record.author = std::to_string(44700 + satellite);
        record.time = kEpoch + later;
        record.text = fmt::format("set {} {}", satellite, later);
        record.original = record.text;
        record.id = ContentId({record.text});
        MeanElements elements;
        elements.epoch = *record.time;
        elements.mean_motion = 15.06397820;
        elements.eccentricity = 0.0001412;
        elements.inclination = 53.0552;
        elements.right_ascension = 9.0 * satellite;
        elements.argument_of_perigee = 91.3951;
        elements.mean_anomaly = 17.0 * satellite;
        elements.drag = 1e-5;
        record.channels = {{"ARG_OF_PERICENTER", elements.argument_of_perigee},
                           {"BSTAR", elements.drag},
                           {"ECCENTRICITY", elements.eccentricity},
                           {"INCLINATION", elements.inclination},
                           {"MEAN_ANOMALY", elements.mean_anomaly},
                           {"MEAN_MOTION", elements.mean_motion},
                           {"RA_OF_ASC_NODE", elements.right_ascension}};
        record.fields = {{"OBJECT_NAME", "LAMP " + std::to_string(satellite)}};
        if (later == 0) {
          satellites_.emplace_back(elements);
          records_.push_back(record.id);
        } else {
          later_records_.push_back(record.id);
        }
        ASSERT_TRUE(writer->Append(record).ok());
      }
    }
    ASSERT_TRUE(writer->Commit("", Json::object(), 0).ok());
    Database::Options options;
    options.threads = 2;
    database_ = *Database::Open(options);
    ASSERT_TRUE(CreateViews(*database_, out_).ok());
    const absl::Status registered = RegisterOrbitFunctions(*database_);
    ASSERT_TRUE(registered.ok()) << registered;
  }
  void TearDown() override {
    database_.reset();
    ASSERT_TRUE(RemoveTree(out_).ok());
  }

  // The rows of a query, a string each.
  std::vector<std::string> Rows(const std::string& sql) {
    std::vector<std::string> values;
    absl::StatusOr<QueryResult> rows = database_->Query("SELECT q.v::VARCHAR FROM (" + sql + ") q(v)");
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (!rows.ok()) return values;
    for (absl::StatusOr<bool> more = rows->Next(); more.ok() && *more; more = rows->Next()) {
      for (size_t row = 0; row < rows->row_count(); ++row) {
        values.emplace_back(rows->IsNull(0, row) ? "NULL" : std::string(rows->String(0, row)));
      }
    }
    return values;
  }

  std::string out_;
  std::vector<Satellite> satellites_;  // of the earlier sets
  std::vector<std::string> records_, later_records_;
  std::unique_ptr<Database> database_;
};

TEST_F(OrbitFunctionsTest, SatellitesAboveAreThoseOfTheLibraryWithTheirRecords) {
  SatelliteSet set(satellites_);
  const std::vector<VisibleSatellite> expected = set.Above({48.1, 11.6, 500}, kEpoch + int64_t{3600} * 1000000, 10);
  ASSERT_GE(expected.size(), 1u);
  const std::string call = fmt::format("satellites_above({}, 48.1, 11.6, 500, 10)", kTime);
  const std::vector<std::string> records = Rows(fmt::format("SELECT list_transform({}, x -> x.record)", call));
  std::string list;
  for (const VisibleSatellite& visible : expected) list += (list.empty() ? "" : ", ") + records_[visible.number];
  EXPECT_EQ(records, std::vector<std::string>{"[" + list + "]"});
  const std::vector<std::string> name = Rows(fmt::format("SELECT {}[1].name", call));
  EXPECT_EQ(name[0], fmt::format("LAMP {}", expected[0].number));
}

TEST_F(OrbitFunctionsTest, TheNewestSetAtOrBeforeTheTimeIsTakenElseTheOldest) {
  const auto record = [&](const char* time) {
    return Rows(fmt::format("SELECT satellite_place('44705', TIMESTAMP '{}').record", time))[0];
  };
  EXPECT_EQ(record("2024-02-29 11:00:00"), records_[5]);
  EXPECT_EQ(record("2024-02-29 12:00:00"), records_[5]);
  EXPECT_EQ(record("2024-02-29 13:59:59"), records_[5]);
  EXPECT_EQ(record("2024-02-29 14:00:00"), later_records_[5]);
  EXPECT_EQ(Rows("SELECT count(*) FROM (SELECT unnest(satellites_above(TIMESTAMP '2024-02-29 14:00:00', 48.1, 11.6, 0, "
                 "-90)) AS s) WHERE s.record IN (SELECT id FROM records WHERE time = TIMESTAMP '2024-02-29 14:00:00')"),
            std::vector<std::string>{"40"});
}

TEST_F(OrbitFunctionsTest, ManyRowsOnSeveralThreadsGiveWhatEachGivesAlone) {
  const std::vector<std::string> differing = Rows(fmt::format(
      "SELECT count(*) FROM (SELECT t, len(satellites_above(t, 48.1, 11.6, 500, 0)) AS n, "
      "len(list_filter(list_transform(range(44700, 44740), s -> satellite_look(s::VARCHAR, t, 48.1, 11.6, "
      "500).elevation), "
      "e -> e >= 0)) AS m FROM (SELECT {} + to_seconds((r * 7919) % 20000) AS t FROM range(3000) x(r))) WHERE n <> m",
      kTime));
  EXPECT_EQ(differing, std::vector<std::string>{"0"});
}

TEST_F(OrbitFunctionsTest, NothingKnownIsNull) {
  EXPECT_EQ(Rows(fmt::format("SELECT satellite_place('99999', {})", kTime))[0], "NULL");
  EXPECT_EQ(Rows("SELECT satellite_place('44705', NULL)")[0], "NULL");
  EXPECT_EQ(Rows(fmt::format("SELECT satellite_look('44705', {}, 91, 0, 0)", kTime))[0], "NULL");
  EXPECT_EQ(Rows(fmt::format("SELECT satellites_above({}, NULL, 11.6, 500, 10)", kTime))[0], "NULL");
  EXPECT_EQ(Rows(fmt::format("SELECT sgp4('1 nothing', '2 nothing', {}).error", kTime))[0], "-1");
  EXPECT_EQ(Rows("SELECT satellite_place('44705', TIMESTAMP '2224-02-29 12:00:00')")[0], "NULL");
}

TEST_F(OrbitFunctionsTest, TwoLinesGiveTheStateInTeme) {
  const std::string x = Rows(
      "SELECT round(sgp4('1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753', "
      "'2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667', "
      "TIMESTAMP '2000-06-27 18:50:19.733568').x, 3)")[0];
  EXPECT_EQ(x, "7022.465");  // the first line of the published verification output
}

TEST(OrbitFunctions, WithoutElementSetsNoSatelliteIsAbove) {
  const std::unique_ptr<Database> database = *Database::Open({});
  ASSERT_TRUE(database
                  ->Execute("CREATE TABLE records (id VARCHAR, author VARCHAR, kind VARCHAR, time TIMESTAMP, channels "
                            "MAP(VARCHAR, DOUBLE), fields MAP(VARCHAR, VARCHAR))")
                  .ok());
  ASSERT_TRUE(RegisterOrbitFunctions(*database).ok());
  absl::StatusOr<uint64_t> count = database->QueryCount(
      "SELECT len(satellites_above(TIMESTAMP '2024-02-29 13:00:00', 48.1, 11.6, 500, 10))::UBIGINT");
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 0u);
}

}  // namespace
}  // namespace rhodes
