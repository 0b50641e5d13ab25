// ASOF and distance joins of many records with fewer, through the macros of fuse views:
//   fuse_joins DIRECTORY [LEFT] [RIGHT] [THREADS] [MEMORY_MB]
// Writes the records to DIRECTORY as left.parquet and right.parquet (which bench/peers/fuse_joins.py reads too), and
// times the joins of LEFT (10 million) with RIGHT (1 million) of them on THREADS (2) threads within MEMORY_MB (2000),
// after a sample of the answers was compared with a loop over all pairs. The
// records are those of a fleet: 1000 devices in a region of 400 by 400 km over 30 days, half of them around 20
// towns.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include "fuse/functions.h"
#include "fuse/place.h"

namespace {

using rhodes::Database;

struct Point {
  std::string id;
  int64_t time;
  double latitude;
  double longitude;
};

struct Settings {
  uint64_t left = 10'000'000;
  uint64_t right = 1'000'000;
  int threads = 2;
  uint64_t memory = uint64_t{2000} << 20;
  std::string directory;
};

constexpr int64_t kWindow = 600'000'000;
constexpr double kMetres = 1000;

// Hashes of row numbers: DuckDB's hash() is the same on every machine and in every run of one version.
std::string RecordsSql(bool left, uint64_t rows) {
  const auto unit = [&](int salt) {
    return fmt::format("(hash(i * 16 + {}) % 1000000007) / 1000000007.0::DOUBLE", salt + (left ? 0 : 8));
  };
  return fmt::format(
      "SELECT '{}' || printf('%031x', i) AS id, 'd' || printf('%03d', hash(i + 77) % 1000) AS author, TIMESTAMP "
      "'2026-01-01' + to_microseconds(CAST({} * 2592000e6 AS BIGINT)) AS time, CASE WHEN i % 2 = 0 THEN 36 + 3.6 * "
      "{lat} "
      "ELSE 36 + (hash(town) % 1000) / 1000.0::DOUBLE * 3.6 + 0.05 * ({lat} - 0.5) END AS latitude, CASE WHEN i % 2 = "
      "0 "
      "THEN 26 + 4.4 * {lon} ELSE 26 + (hash(town + 99) % 1000) / 1000.0::DOUBLE * 4.4 + 0.06 * ({lon} - 0.5) END AS "
      "longitude, i % 100 / 2.0::DOUBLE AS speed FROM (SELECT i, hash(i + 5) % 20 AS town FROM range({rows}) t(i))",
      left ? "a" : "b", unit(1), fmt::arg("lat", unit(2)), fmt::arg("lon", unit(3)), fmt::arg("rows", rows));
}

absl::StatusOr<std::vector<Point>> Read(Database& database, const std::string& sql) {
  std::vector<Point> points;
  ASSIGN_OR_RETURN(rhodes::QueryResult rows,
                   database.Query("SELECT id, epoch_us(time), latitude, longitude FROM " + sql));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return points;
    for (size_t i = 0; i < rows.row_count(); ++i) {
      points.push_back({std::string(rows.String(0, i)), rows.Int64(1, i), rows.Double(2, i), rows.Double(3, i)});
    }
  }
}

absl::StatusOr<std::vector<std::string>> Lines(Database& database, const std::string& sql) {
  std::vector<std::string> lines;
  ASSIGN_OR_RETURN(rhodes::QueryResult rows, database.Query(sql));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) break;
    for (size_t i = 0; i < rows.row_count(); ++i) {
      lines.push_back(fmt::format("{} {}", rows.String(0, i), rows.IsNull(1, i) ? "-" : rows.String(1, i)));
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

const std::string kNearest = "nearest_before({}, right_records, INTERVAL 10 MINUTE)";
const std::string kBoth = "nearest({}, right_records, INTERVAL 10 MINUTE)";
const std::string kKeyed = "nearest_before({}, right_records, INTERVAL 1 HOUR, 'author')";
const std::string kWithin = "within_distance({}, right_records, 1000, INTERVAL 10 MINUTE)";

absl::Status Check(const std::string& what, const std::vector<std::string>& got, std::vector<std::string> expected) {
  std::sort(expected.begin(), expected.end());
  if (got != expected) {
    return absl::InternalError(
        fmt::format("{}: {} answers, {} expected, or others", what, got.size(), expected.size()));
  }
  fmt::print("{}: {} answers of the sample are those of a loop over all pairs\n", what, got.size());
  return absl::OkStatus();
}

absl::Status CheckSample(Database& database) {
  RETURN_IF_ERROR(database.Execute(
      "CREATE TABLE sample AS SELECT * FROM left_records WHERE hash(id) % greatest((SELECT count(*) FROM left_records) "
      "// 400, 1) = 0"));
  ASSIGN_OR_RETURN(const std::vector<Point> sample, Read(database, "sample"));
  ASSIGN_OR_RETURN(const std::vector<Point> right, Read(database, "right_records"));
  std::vector<std::string> before;
  std::vector<std::string> within;
  for (const Point& one : sample) {
    const Point* best = nullptr;
    for (const Point& other : right) {
      const int64_t apart = one.time - other.time;
      if (std::abs(apart) > kWindow) continue;
      if (apart >= 0 && (best == nullptr || std::tie(best->time, other.id) < std::tie(other.time, best->id))) {
        best = &other;
      }
      if (rhodes::DistanceMetres(one.latitude, one.longitude, other.latitude, other.longitude) <= kMetres) {
        within.push_back(one.id + " " + other.id);
      }
    }
    before.push_back(one.id + " " + (best == nullptr ? "-" : best->id));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> got_before,
                   Lines(database, "SELECT id, near_id FROM " + fmt::format(fmt::runtime(kNearest), "sample")));
  RETURN_IF_ERROR(Check("nearest_before", got_before, before));
  ASSIGN_OR_RETURN(const std::vector<std::string> got_within,
                   Lines(database, "SELECT id, near_id FROM " + fmt::format(fmt::runtime(kWithin), "sample")));
  return Check("within_distance", got_within, within);
}

// Of the resident memory so far (Linux).
double PeakGigabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1e6;
  }
  return 0;
}

absl::Status Time(Database& database, const char* what, const std::string& macro) {
  const auto begun = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(database.Execute(fmt::format("CREATE OR REPLACE TABLE joined AS SELECT id, near_id, seconds FROM {}",
                                               fmt::format(fmt::runtime(macro), "left_records"))));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  ASSIGN_OR_RETURN(const uint64_t rows, database.QueryCount("SELECT count(near_id) FROM joined"));
  fmt::print("{:<28} {:7.1f} s  {:>10} pairs  peak memory so far {:.2f} GB\n", what, seconds, rows, PeakGigabytes());
  std::fflush(stdout);
  // Its memory is not the next one's.
  return database.Execute("CREATE OR REPLACE TABLE joined AS SELECT 0 AS near_id");
}

absl::Status Run(const Settings& settings) {
  Database::Options options;
  options.threads = settings.threads;
  options.memory_bytes = settings.memory;
  options.temporary_directory = settings.directory + "/spill";
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open(options));
  RETURN_IF_ERROR(rhodes::RegisterFuseFunctions(*database));
  for (const bool left : {true, false}) {
    const char* side = left ? "left" : "right";
    RETURN_IF_ERROR(database->Execute(
        fmt::format("COPY ({0}) TO '{1}/{2}.parquet'; CREATE VIEW {2}_records AS FROM read_parquet('{1}/{2}.parquet')",
                    RecordsSql(left, left ? settings.left : settings.right), settings.directory, side)));
  }
  RETURN_IF_ERROR(CheckSample(*database));
  fmt::print("{} with {} records, {} threads\n", settings.left, settings.right, settings.threads);
  RETURN_IF_ERROR(Time(*database, "nearest_before", kNearest));
  RETURN_IF_ERROR(Time(*database, "nearest_before, with a key", kKeyed));
  RETURN_IF_ERROR(Time(*database, "nearest of both sides", kBoth));
  return Time(*database, "within_distance", kWithin);
}

}  // namespace

int main(int count, char** arguments) {
  Settings settings;
  if (count < 2) {
    fmt::print(stderr, "fuse_joins DIRECTORY [LEFT] [RIGHT] [THREADS] [MEMORY_MB]\n");
    return 2;
  }
  settings.directory = arguments[1];
  if (count > 2) settings.left = std::stoull(arguments[2]);
  if (count > 3) settings.right = std::stoull(arguments[3]);
  if (count > 4) settings.threads = std::stoi(arguments[4]);
  if (count > 5) settings.memory = std::stoull(arguments[5]) << 20;
  const absl::Status status = Run(settings);
  if (status.ok()) return 0;
  fmt::print(stderr, "{}\n", rhodes::Message(status));
  return 1;
}
