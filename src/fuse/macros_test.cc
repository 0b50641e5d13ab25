// Each macro beside a plain loop over all rows, on random tables with ties, NULLs, poles and the 180th meridian.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "fuse/cluster.h"
#include "fuse/functions.h"
#include "fuse/place.h"

namespace rhodes {
namespace {

using testing::HasSubstr;

struct Item {
  std::string id;
  std::optional<std::string> source;
  std::optional<std::string> author;
  std::optional<int64_t> time;  // microseconds
  std::optional<double> latitude;
  std::optional<double> longitude;
  std::optional<double> speed;
};

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

class Macros : public testing::Test {
 protected:
  void SetUp() override {
    Database::Options options;
    options.threads = 4;
    absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(options);
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = *std::move(database);
    Run("SET TimeZone = 'UTC'");
    const absl::Status registered = RegisterFuseFunctions(*database_);
    ASSERT_TRUE(registered.ok()) << registered;
  }

  void Run(const std::string& sql) {
    const absl::Status status = database_->Execute(sql);
    ASSERT_TRUE(status.ok()) << status << "\n" << sql;
  }

  static std::string Quoted(const std::optional<std::string>& text) { return text ? SqlLiteral(*text) : "NULL"; }
  static std::string Number(const std::optional<double>& number) {
    return number ? fmt::format("{:.17g}::DOUBLE", *number) : "NULL";
  }

  void Fill(const std::string& name, const std::vector<Item>& items) {
    Run(fmt::format(
        "CREATE OR REPLACE TABLE \"{}\" (id VARCHAR, source VARCHAR, author VARCHAR, time TIMESTAMP, "
        "latitude DOUBLE, longitude DOUBLE, channels MAP(VARCHAR, DOUBLE), file VARCHAR, \"begin\" UBIGINT)",
        name));
    if (items.empty()) return;
    std::string rows;
    uint64_t at = 0;
    for (const Item& item : items) {
      rows += fmt::format("{}({}, {}, {}, {}, {}, {}, {}, 'f', {})", rows.empty() ? "" : ", ", SqlLiteral(item.id),
                          Quoted(item.source), Quoted(item.author),
                          item.time ? fmt::format("make_timestamp({})", *item.time) : "NULL", Number(item.latitude),
                          Number(item.longitude),
                          item.speed ? fmt::format("MAP {{'speed': {}}}", Number(item.speed)) : "NULL", at++);
    }
    Run(fmt::format("INSERT INTO \"{}\" VALUES {}", name, rows));
  }

  // Rows as text, each value NULL or as DuckDB writes it, sorted.
  std::vector<std::string> Rows(const std::string& sql) {
    std::vector<std::string> rows;
    absl::StatusOr<QueryResult> result = database_->Query(
        "SELECT concat_ws('|', * COLUMNS(c -> true)) FROM (SELECT coalesce(COLUMNS(*)::VARCHAR, "
        "'NULL') FROM (" +
        sql + "))");
    EXPECT_TRUE(result.ok()) << result.status() << "\n" << sql;
    if (!result.ok()) return rows;
    while (true) {
      const absl::StatusOr<bool> more = result->Next();
      EXPECT_TRUE(more.ok()) << more.status();
      if (!more.ok() || !*more) break;
      for (size_t i = 0; i < result->row_count(); ++i) rows.emplace_back(result->String(0, i));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  double Number(const std::string& sql) {
    absl::StatusOr<QueryResult> result = database_->Query("SELECT CAST((" + sql + ") AS DOUBLE)");
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok() || !result->Next().value_or(false)) return -1;
    return result->IsNull(0, 0) ? std::nan("") : result->Double(0, 0);
  }

  std::unique_ptr<Database> database_;
};

// Few times, names and places, so that there are ties; some of each are NULL.
std::vector<Item> RandomItems(std::mt19937& random, const std::string& prefix, int count) {
  const auto below = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
  std::vector<Item> items;
  for (int i = 0; i < count; ++i) {
    Item item;
    item.id = fmt::format("{}{:03}", prefix, i);
    item.source = "s" + std::to_string(below(3));
    if (below(8) != 0) item.author = "a" + std::to_string(below(3));
    if (below(10) != 0) item.time = kStart + below(60) * 10 * kSecond;
    if (below(10) != 0) {
      switch (below(4)) {
        case 0:  // by a pole
          item.latitude = (below(2) == 0 ? 1 : -1) * (90 - below(5) * 0.003);
          item.longitude = below(360) - 180;
          break;
        case 1:  // by the 180th meridian
          item.latitude = below(4) * 0.004;
          item.longitude = (below(2) == 0 ? 180 - below(4) * 0.004 : -180 + below(4) * 0.004);
          break;
        default:
          item.latitude = 36.4 + below(6) * 0.004;
          item.longitude = 28.2 + below(6) * 0.004;
      }
    }
    if (below(6) != 0) item.speed = below(4) * 10;
    items.push_back(item);
  }
  std::shuffle(items.begin(), items.end(), random);
  return items;
}

bool Before(const Item& a, const Item& b) { return std::tie(*a.time, a.id) < std::tie(*b.time, b.id); }

// direction: 0 before, 1 after, 2 both.
std::vector<std::string> NearestByLoop(const std::vector<Item>& left, const std::vector<Item>& right, int64_t window,
                                       bool keyed, int direction) {
  std::vector<std::string> rows;
  for (const Item& one : left) {
    const Item* best = nullptr;
    for (const Item& other : right) {
      if (!one.time || !other.time || (keyed && (!one.author || one.author != other.author))) continue;
      const int64_t apart = *one.time - *other.time;
      if (std::abs(apart) > window || (direction == 0 && apart < 0) || (direction == 1 && apart > 0)) continue;
      const auto rank = [&](const Item& item) {
        const int64_t distance = *one.time - *item.time;
        return std::make_tuple(std::abs(distance), distance < 0, item.id);
      };
      if (best == nullptr || rank(other) < rank(*best)) best = &other;
    }
    rows.push_back(best == nullptr ? one.id + "|NULL|NULL"
                                   : fmt::format("{}|{}|{:.1f}", one.id, best->id,
                                                 static_cast<double>(*one.time - *best->time) / 1e6));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST_F(Macros, NearestIsThatOfALoopOverAllPairs) {
  std::mt19937 random(1);
  for (int round = 0; round < 12; ++round) {
    const std::vector<Item> left = RandomItems(random, "l", round == 0 ? 0 : 70);
    const std::vector<Item> right = RandomItems(random, "r", round == 1 ? 0 : 5 * round);
    Fill("left-side", left);
    Fill("right-side", right);
    for (const int64_t window : {0, 10, 45, 5000}) {
      int direction = 0;
      for (const char* name : {"nearest_before", "nearest_after", "nearest"}) {
        const std::string call = fmt::format(
            "SELECT id, near_id, seconds FROM {}('left-side', 'right-side', INTERVAL {} SECOND", name, window);
        EXPECT_EQ(Rows(call + ")"), NearestByLoop(left, right, window * kSecond, false, direction)) << call;
        EXPECT_EQ(Rows(call + ", 'author')"), NearestByLoop(left, right, window * kSecond, true, direction)) << call;
        ++direction;
      }
    }
  }
}

TEST_F(Macros, NearestKeepsAllColumnsOfBothAndTakesNamesAndQueries) {
  Fill("posts", {{"p", "s", "a", kStart, 1, 2, {}}});
  Fill("cars", {{"c", "s", "a", kStart - kSecond, 1, 2, 50}});
  EXPECT_THAT(Rows("WITH fast AS (FROM cars WHERE channels['speed'] > 40) SELECT id, near_id, near_channels['speed'], "
                   "near_author, seconds FROM nearest(posts, fast, INTERVAL 1 MINUTE)"),
              testing::ElementsAre("p|c|50.0|a|1.0"));
}

TEST_F(Macros, TimesAtInfinityAreNearNothing) {
  Fill("posts", {{"p", "s", "a", kStart, 1, 2, {}}});
  Run("INSERT INTO posts SELECT 'i', source, author, 'infinity', latitude, longitude, channels, file, \"begin\" FROM "
      "posts");
  Fill("cars", {{"c", "s", "a", kStart, 1, 2, 50}});
  Run("INSERT INTO cars SELECT 'm', source, author, '-infinity', latitude, longitude, channels, file, \"begin\" FROM "
      "cars");
  EXPECT_THAT(Rows("SELECT id, near_id FROM nearest(posts, cars, INTERVAL 100 YEAR)"),
              testing::ElementsAre("i|NULL", "p|c"));
  EXPECT_THAT(Rows("SELECT id, near_id FROM within_distance(posts, cars, 10, INTERVAL 100 YEAR)"),
              testing::ElementsAre("p|c"));
}

TEST_F(Macros, WithinDistanceIsThatOfALoopOverAllPairs) {
  std::mt19937 random(2);
  for (int round = 0; round < 10; ++round) {
    const std::vector<Item> left = RandomItems(random, "l", round == 0 ? 0 : 120);
    const std::vector<Item> right = round == 2 ? left : RandomItems(random, "r", round == 1 ? 0 : 60);
    Fill("l", left);
    Fill("r", right);
    for (const double metres : {1.0, 350.0, 1000.0, 20'000.0, 3e6, 3e7}) {
      const int64_t window = round * 20;
      std::vector<std::string> expected;
      for (const Item& a : left) {
        for (const Item& b : right) {
          if (!a.time || !b.time || !a.latitude || !b.latitude || a.id == b.id) continue;
          if (std::abs(*a.time - *b.time) > window * kSecond) continue;
          if (DistanceMetres(*a.latitude, *a.longitude, *b.latitude, *b.longitude) > metres) continue;
          expected.push_back(a.id + "|" + b.id);
        }
      }
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(Rows(fmt::format("SELECT id, near_id FROM within_distance('l', 'r', {}, INTERVAL {} SECOND)", metres,
                                 window)),
                expected)
          << metres << " " << window;
    }
  }
}

TEST(PlaceGrid, NoNearPairIsMissedAndEachCellComesOnce) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> unit(-1, 1);
  for (int i = 0; i < 60'000; ++i) {
    const double metres = std::pow(10.0, 3 + 4.4 * unit(random));
    const int64_t window = static_cast<int64_t>(random() % 1000);
    // Mostly near poles and the meridian, at the scale of the distance.
    const double scale = metres / 111'000 * 3;
    double latitude = i % 3 == 0 ? 90 - std::abs(unit(random)) * scale : unit(random) * 90;
    latitude = std::clamp(latitude, -90.0, 90.0) * (i % 2 == 0 ? 1 : -1);
    const double longitude = i % 5 == 0 ? 180 + unit(random) * scale : unit(random) * 180;
    const double stretch = std::max(std::cos(latitude * 0.0174532925), 1e-6);
    const double other_latitude = std::clamp(latitude + unit(random) * scale / 3, -90.0, 90.0);
    const double other_longitude =
        std::clamp(i % 7 == 0 ? unit(random) * 360 : longitude + unit(random) * scale / 3 / stretch, -360.0, 360.0);
    const auto time = static_cast<int64_t>(random() % 100'000) - 50'000;
    const int64_t other_time = time + static_cast<int64_t>(random() % static_cast<uint64_t>(2 * window + 1)) - window;
    if (std::abs(longitude) > 360) continue;
    const PlaceGrid grid(metres, window);
    std::vector<uint64_t> cells;
    grid.NearCells(latitude, longitude, time, cells);
    EXPECT_EQ(std::set<uint64_t>(cells.begin(), cells.end()).size(), cells.size());
    EXPECT_LE(cells.size(), 100U) << metres << " " << latitude;
    if (DistanceMetres(latitude, longitude, other_latitude, other_longitude) > metres) continue;
    EXPECT_THAT(cells, testing::Contains(grid.Cell(other_latitude, other_longitude, other_time)))
        << metres << " " << latitude << "," << longitude << " " << other_latitude << "," << other_longitude;
  }
}

TEST_F(Macros, WindowsOfTelemetryAreThoseOfALoop) {
  std::mt19937 random(4);
  const std::vector<Item> items = RandomItems(random, "x", 300);
  Fill("cars", items);
  std::map<std::tuple<std::string, std::string, int64_t>, std::vector<Item>> windows;
  for (const Item& item : items) {
    if (!item.time || !item.speed) continue;
    windows[{*item.source, item.author.value_or("NULL"), *item.time / (60 * kSecond)}].push_back(item);
  }
  std::vector<std::string> expected;
  for (auto& [key, all] : windows) {
    std::sort(all.begin(), all.end(), Before);
    double sum = 0;
    double least = 1e9;
    double most = -1e9;
    std::string ids;
    for (const Item& item : all) {
      sum += *item.speed;
      least = std::min(least, *item.speed);
      most = std::max(most, *item.speed);
      ids += (ids.empty() ? "" : ", ") + item.id;
    }
    expected.push_back(fmt::format("{}|{}|speed|{}|{}|{:.4f}|{:.1f}|{:.1f}|{:.1f}|{:.1f}|[{}]", std::get<0>(key),
                                   std::get<1>(key), std::get<2>(key) * 60, all.size(),
                                   sum / static_cast<double>(all.size()), least, most, *all.front().speed,
                                   *all.back().speed, ids));
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(Rows("SELECT source, author, channel, epoch(begin_time)::BIGINT, samples, printf('%.4f', mean), min, max, "
                 "first, last, parents FROM telemetry_windows('cars', INTERVAL 1 MINUTE)"),
            expected);
}

std::vector<std::string> SessionsByLoop(const std::vector<Item>& items, int64_t gap, std::optional<double> above) {
  std::map<std::pair<std::string, std::string>, std::vector<Item>> streams;
  for (const Item& item : items) {
    if (!item.time || (above && !(item.speed && *item.speed > *above))) continue;
    streams[{*item.source, item.author.value_or("NULL")}].push_back(item);
  }
  std::vector<std::string> rows;
  for (auto& [key, all] : streams) {
    std::sort(all.begin(), all.end(), Before);
    for (size_t begin = 0, number = 1; begin < all.size(); ++number) {
      size_t end = begin + 1;
      double metres = 0;
      std::string ids = all[begin].id;
      while (end < all.size() && *all[end].time - *all[end - 1].time <= gap) {
        if (all[end].latitude && all[end - 1].latitude) {
          metres +=
              DistanceMetres(*all[end - 1].latitude, *all[end - 1].longitude, *all[end].latitude, *all[end].longitude);
        }
        ids += ", " + all[end++].id;
      }
      rows.push_back(fmt::format("{}|{}|{}|{}|{}|{:.3f}|[{}]", key.first, key.second, number,
                                 *all[end - 1].time - *all[begin].time, end - begin, metres, ids));
      begin = end;
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST_F(Macros, SessionsAndTripsAreThoseOfALoop) {
  std::mt19937 random(5);
  const std::string columns =
      "SELECT source, author, number, epoch_us(end_time) - epoch_us(begin_time), records, printf('%.3f', metres), "
      "parents FROM ";
  for (int round = 0; round < 5; ++round) {
    const std::vector<Item> items = RandomItems(random, "x", round == 0 ? 0 : 150);
    Fill("cars", items);
    EXPECT_EQ(Rows(columns + "sessions('cars', INTERVAL 20 SECOND)"), SessionsByLoop(items, 20 * kSecond, {}));
    EXPECT_EQ(Rows(columns + "trips('cars', 'speed', 5, INTERVAL 30 SECOND)"), SessionsByLoop(items, 30 * kSecond, 5));
  }
}

TEST_F(Macros, BurstsAreThoseOfALoop) {
  std::mt19937 random(6);
  std::vector<Item> items;
  for (int i = 0; i < 900; ++i) {
    const bool burst = i % 3 == 0;
    const int64_t minute = burst ? 60 + static_cast<int64_t>(random() % 4) : static_cast<int64_t>(random() % 120);
    items.push_back({fmt::format("p{:03}", i),
                     "s",
                     burst ? "outage" : fmt::format("t{}", random() % 3),
                     kStart / (60 * kSecond) * 60 * kSecond + minute * 60 * kSecond,
                     {},
                     {},
                     {}});
  }
  items.push_back({"none", "s", {}, kStart, {}, {}, {}});
  Fill("posts", items);
  std::map<std::string, std::map<int64_t, std::vector<std::string>>> counts;
  int64_t first = items[0].time.value();
  for (const Item& item : items) {
    first = std::min(first, *item.time);
    if (item.author) counts[*item.author][*item.time / (60 * kSecond)].push_back(item.id);
  }
  first /= 60 * kSecond;
  std::vector<std::string> expected;
  for (auto& [key, minutes] : counts) {
    for (auto at = minutes.begin(); at != minutes.end();) {
      int64_t end = at->first;
      const int64_t begin = end;
      double best = 0;
      std::string ids;
      size_t records = 0;
      for (; at != minutes.end() && at->first == end; ++at, ++end) {
        size_t before = 0;
        for (const auto& [minute, ids_of] : minutes) {
          if (minute >= end - 30 && minute < end) before += ids_of.size();
        }
        const int64_t length = std::min<int64_t>(30, end - first);
        const double mean = static_cast<double>(before + 1) / static_cast<double>(length + 1);
        const double surprise = PoissonSurprise(static_cast<int64_t>(at->second.size()), mean);
        if (length == 0 || surprise < 3) break;
        best = std::max(best, surprise);
        std::sort(at->second.begin(), at->second.end());
        for (const std::string& id : at->second) ids += (ids.empty() ? "" : ", ") + id;
        records += at->second.size();
      }
      if (end == begin) {
        ++at;
        continue;
      }
      expected.push_back(fmt::format("{}|{}|{}|{}|{:.6f}|[{}]", key, begin * 60, end * 60, records, best, ids));
    }
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(Rows("SELECT key, epoch(begin_time)::BIGINT, epoch(end_time)::BIGINT, records, printf('%.6f', surprise), "
                 "parents FROM bursts('posts', 'author', INTERVAL 1 MINUTE, INTERVAL 30 MINUTE, 3)"),
            expected);
  EXPECT_THAT(expected, testing::Contains(testing::StartsWith("outage|")));
}

// Complete linkage as it is written in textbooks: all pairs, no grid, no memory of refusals.
std::vector<int64_t> ClustersByLoop(const std::vector<EventPoint>& points, double metres, int64_t window) {
  std::vector<std::tuple<double, size_t, size_t>> pairs;
  const auto score = [&](size_t a, size_t b) {
    const double apart = std::abs(static_cast<double>(points[a].time - points[b].time));
    if (apart > static_cast<double>(window)) return 2.0;
    return std::max(
        DistanceMetres(points[a].latitude, points[a].longitude, points[b].latitude, points[b].longitude) / metres,
        apart == 0 ? 0 : apart / static_cast<double>(window));
  };
  for (size_t b = 0; b < points.size(); ++b) {
    for (size_t a = 0; a < b; ++a) pairs.emplace_back(score(a, b), a, b);
  }
  std::sort(pairs.begin(), pairs.end());
  std::vector<int64_t> label(points.size());
  for (size_t i = 0; i < points.size(); ++i) label[i] = static_cast<int64_t>(i);
  for (const auto& [value, a, b] : pairs) {
    if (value > 1 || label[a] == label[b]) continue;
    bool fits = true;
    for (size_t i = 0; i < points.size(); ++i) {
      for (size_t j = 0; j < points.size(); ++j) {
        if (label[i] == label[a] && label[j] == label[b]) fits = fits && score(i, j) <= 1;
      }
    }
    if (!fits) continue;
    const int64_t to = std::min(label[a], label[b]);
    const int64_t from = std::max(label[a], label[b]);
    for (int64_t& one : label) one = one == from ? to : one;
  }
  return label;
}

TEST(ClusterEvents, AreThoseOfALoopAndFitIntoTheirBounds) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    std::vector<EventPoint> points;
    for (int i = 0; i < round; ++i) {
      points.push_back({static_cast<int64_t>(random() % 300), 36 + static_cast<double>(random() % 50) * 0.001,
                        round % 2 == 0 ? 179.98 + static_cast<double>(random() % 40) * 0.001 : 28});
    }
    std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    const absl::StatusOr<std::vector<int64_t>> clusters = ClusterEvents(points, 1500, 100);
    ASSERT_TRUE(clusters.ok());
    EXPECT_EQ(*clusters, ClustersByLoop(points, 1500, 100));
  }
}

TEST(ClusterEvents, SaysWhenThereAreTooManyPairs) {
  const std::vector<EventPoint> points(7000, EventPoint{0, 1, 2});
  EXPECT_THAT(Message(ClusterEvents(points, 10, 10).status()), HasSubstr("take fewer metres, a shorter window"));
}

TEST_F(Macros, TheSameEventIsToldByTheSourcesOfOneCluster) {
  std::mt19937 random(8);
  const std::vector<Item> items = RandomItems(random, "x", 250);
  Fill("told", items);
  std::vector<Item> sorted;
  for (const Item& item : items) {
    if (item.time && item.latitude) sorted.push_back(item);
  }
  std::sort(sorted.begin(), sorted.end(), Before);
  std::vector<EventPoint> points;
  for (const Item& item : sorted) points.push_back({*item.time, *item.latitude, *item.longitude});
  const std::vector<int64_t> labels = ClustersByLoop(points, 800, 15 * kSecond);
  std::map<int64_t, std::pair<std::string, std::set<std::string>>> clusters;
  for (size_t i = 0; i < sorted.size(); ++i) {
    auto& [ids, sources] = clusters[labels[i]];
    ids += (ids.empty() ? "" : ", ") + sorted[i].id;
    sources.insert(*sorted[i].source);
  }
  std::vector<std::string> expected;
  for (const auto& [label, cluster] : clusters) {
    if (cluster.second.size() < 2) continue;
    expected.push_back(fmt::format("{}|[{}]|[{}]", sorted[static_cast<size_t>(label)].id,
                                   fmt::join(cluster.second, ", "), cluster.first));
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_GT(expected.size(), 5U);
  EXPECT_EQ(Rows("SELECT event, sources, parents FROM same_event('told', 800, INTERVAL 15 SECOND)"), expected);
}

// From the PyPI package haversine 2.9, whose radius is 6371.0088 km.
TEST(Place, DistancesAreThoseOfAnotherProgram) {
  const double golden[][5] = {{36.4349, 28.2176, 37.9838, 23.7275, 433272.126620},
                              {90, 0, -90, 0, 20015114.442036},
                              {89.999, 10, 89.999, -170, 222.390160},
                              {0, 179.999, 0, -179.999, 222.390160},
                              {51.4778, -0.0014, 40.6892, -74.0445, 5583745.889017},
                              {0, 0, 0, 180, 20015114.442036},
                              {-33.8688, 151.2093, -33.8688, 151.2094, 9.232704},
                              {24.7136, 46.6753, 21.4858, 39.1925, 845101.919195}};
  for (const auto& [latitude1, longitude1, latitude2, longitude2, metres] : golden) {
    const double ours = DistanceMetres(latitude1, longitude1, latitude2, longitude2);
    EXPECT_NEAR(ours, metres, metres * 1e-8 + 1e-6);  // the radii differ by 4.5e-9
    EXPECT_EQ(ours, DistanceMetres(latitude2, longitude2, latitude1, longitude1));
  }
}

// -log10(gammainc(n, 0, mean, regularized=True)) of the PyPI package mpmath, with 40 digits.
TEST(Poisson, SurprisesAreThoseOfAnotherProgram) {
  const std::tuple<int64_t, double, double> golden[] = {
      {1, 0.001, 3.00021712914535},  {1, 1, 0.199200084627781},         {5, 1, 2.43653709040653},
      {10, 9.5, 0.320414061891363},  {100, 100, 0.289629752496193},     {1000, 10, 1571.9432286623},
      {50, 0.02, 149.440090635232},  {100000, 99000, 3.12066327652903}, {7, 7.000001, 0.259409094911802},
      {3, 100, 8.47527546015586e-41}};
  for (const auto& [count, expected, surprise] : golden) {
    EXPECT_NEAR(PoissonSurprise(count, expected), surprise, std::max(1.0, surprise) * 1e-9) << count << " " << expected;
  }
  EXPECT_EQ(PoissonSurprise(0, 3), 0);
}

TEST_F(Macros, BadNumbersGiveNothingAndAreNoError) {
  EXPECT_TRUE(std::isnan(Number("distance_m(91, 0, 0, 0)")));
  EXPECT_TRUE(std::isnan(Number("distance_m(NULL, 0, 0, 0)")));
  EXPECT_TRUE(std::isnan(Number("distance_m(0, 'nan'::DOUBLE, 0, 0)")));
  EXPECT_TRUE(std::isnan(Number("near_cell(0, 0, 0, 0, 0)")));
  EXPECT_TRUE(std::isnan(Number("near_cell(0, 0, 0, 1, -1)")));
  EXPECT_TRUE(std::isnan(Number("near_cell(9223372036854775807, 0, 0, 1, 5)")));
  EXPECT_TRUE(std::isnan(Number("poisson_surprise(3, 0)")));
  EXPECT_TRUE(std::isnan(Number("len(cluster_events([1], [91], [0], 5, 5))")));
  EXPECT_EQ(Number("len(cluster_events([], [], [], 5, 5))"), 0);
}

TEST_F(Macros, AKeyThatIsNoColumnIsNamed) {
  Fill("posts", {});
  EXPECT_THAT(Message(database_->Execute("FROM nearest(posts, posts, INTERVAL 1 MINUTE, 'autor')")),
              HasSubstr("autor"));
}

TEST_F(Macros, HashtagsOfBothScripts) {
  EXPECT_THAT(Rows("SELECT hashtags('#Outage in #رودس, again #outage #a_1!')"),
              testing::ElementsAre("[a_1, outage, رودس]"));
}

}  // namespace
}  // namespace rhodes
