#include "world/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "orbit/elements.h"
#include "world/clock.h"
#include "world/events.h"
#include "world/phrases.h"
#include "world/record_key.h"
#include "world/rng.h"
#include "world/sky.h"
#include "world/truth_file.h"

namespace rhodes {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

TEST(WorldRng, StreamsAreTheirOwnAndStayInRange) {
  WorldRng rng(7, "dish", 3);
  const uint64_t first = rng.Next();
  WorldRng again(7, "dish", 3);
  EXPECT_EQ(again.Next(), first);
  WorldRng other(7, "dish", 4);
  EXPECT_NE(other.Next(), first);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LT(rng.Below(7), 7u);
    EXPECT_THAT(rng.Between(-3, 3), AllOf(Ge(-3), Le(3)));
    EXPECT_THAT(rng.Unit(), AllOf(Ge(0.0), ::testing::Lt(1.0)));
  }
  EXPECT_EQ(rng.Below(0), 0u);
}

TEST(WorldClock, WritesTheFormsOfItsSystems) {
  const int64_t time = 1'709'240'645'250'000;  // 2024-02-29T21:04:05.25Z, a leap day
  EXPECT_EQ(IsoSeconds(time), "2024-02-29T21:04:05Z");
  EXPECT_EQ(IsoMilliseconds(time), "2024-02-29T21:04:05.250Z");
  EXPECT_EQ(XTime(time), "Thu Feb 29 21:04:05 +0000 2024");
  EXPECT_EQ(FeedTime(time), "Thu, 29 Feb 2024 21:04:05 GMT");
  EXPECT_EQ(LocalSeconds(time), "2024-03-01 00:04:05");
  EXPECT_EQ(ClockTime(time), "00:04");
  EXPECT_EQ(WeekdayName(time, false), "Friday");
  EXPECT_EQ(WeekdayName(time, true), "الجمعة");
  EXPECT_EQ(CivilOf(time).day_of_year, 60);
  EXPECT_EQ(IsoSeconds(kWorldStart), "2026-03-02T00:00:00Z");
}

TEST(WorldClock, CountsAsXAndDishesDo) {
  // docs/sources/x.md: the time within a post's number; docs/sources/starlink.md: an outage's start.
  EXPECT_EQ((SnowflakeOf(1'709'240'645'000'000) >> 22) + 1'288'834'974'657, 1'709'240'645'000u);
  EXPECT_EQ(GpsNanosecondsOf(1'716'822'148'040'671), 1'400'857'366'040'671'000);
}

TEST(ExpandPhrase, PicksAlternativesAndFillsSlots) {
  WorldRng rng(1, "phrases");
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) seen.insert(ExpandPhrase("{a|{b|c} $x|} d $none.", {{"x", "{1|2}"}}, rng));
  EXPECT_EQ(seen, (std::set<std::string>{"a d.", "b 1 d.", "b 2 d.", "c 1 d.", "c 2 d.", "d."}));
  EXPECT_EQ(ExpandPhrase("$a$b ،", {{"a", "x "}}, rng), "x،");
  EXPECT_EQ(ExpandPhrase("{open", {}, rng), "open");
}

TEST(WorldMap, NamesAreDistinctAndRoadsJoinNeighbours) {
  const WorldMap map(3, 4000);
  std::set<std::string> names;
  for (const WorldTown& town : map.towns()) {
    names.insert(town.name);
    names.insert(town.arabic);
    EXPECT_FALSE(town.roads.empty()) << town.name;
  }
  EXPECT_EQ(names.size(), 2 * map.towns().size());
  for (const WorldRoad& road : map.roads()) EXPECT_THAT(road.km, AllOf(Ge(15.0), Le(75.0))) << road.name;
  for (const int town : map.TownsWithin(500, 110)) {
    EXPECT_LE(map.Distance(map.town(town).centre, map.town(500).centre), 110);
  }
}

TEST(EventPlan, EventsOfOneTownThatLookAlikeAreHoursApart) {
  const WorldMap map(5, 120);
  const EventPlan plan(5, map, kWorldStart, kWorldStart + 240 * kWorldHour);
  ASSERT_GT(plan.events().size(), 200u);
  std::set<EventKind> kinds;
  for (const WorldEvent& event : plan.events()) kinds.insert(event.kind);
  EXPECT_EQ(kinds.size(), static_cast<size_t>(kEventKinds));
  for (size_t town = 0; town < map.towns().size(); ++town) {
    const std::vector<int>& here = plan.InTown(static_cast<int>(town));
    for (size_t i = 0; i < here.size(); ++i) {
      for (size_t j = i + 1; j < here.size(); ++j) {
        const WorldEvent& a = plan.event(here[i]);
        const WorldEvent& b = plan.event(here[j]);
        if (a.towns.size() > 2 || b.towns.size() > 2 || !ShareSymptoms(a.kind, b.kind)) continue;
        EXPECT_GE(b.begin, a.end + 4 * kWorldHour) << a.id << " and " << b.id;
      }
    }
  }
}

TEST(Sky, ElementSetsReadBackAndSatellitesAreAbove) {
  const Sky sky(2, 48);
  int above = 0;
  for (int hour = 0; hour < 48; ++hour) {
    const auto found = sky.Above({24, 45}, kWorldStart + hour * kWorldHour);
    ASSERT_TRUE(found.ok()) << found.status();
    for (const Sky::Overhead& each : *found) {
      EXPECT_GE(each.elevation, Sky::kMask);
      EXPECT_LE(each.epoch, kWorldStart + hour * kWorldHour);
      EXPECT_GT(each.epoch, kWorldStart + (hour - 31) * kWorldHour) << "the newest set is a day old at most";
    }
    above += static_cast<int>(found->size());
  }
  // 440 satellites at 550 km: 0.54 % of the sphere sees one at 25 degrees, some more at this latitude.
  EXPECT_THAT(above, AllOf(Ge(48), Le(48 * 6)));
  WorldElements elements;
  elements.number = 71001;
  elements.name = "LANTERN-1001";
  elements.designator = "25100A";
  elements.mean.epoch = kWorldStart;
  elements.mean.mean_motion = 15.05;
  elements.mean.inclination = 53.05;
  const std::string text = FormatTle(elements);
  const std::vector<std::string_view> lines = Split(text, '\n');
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], "LANTERN-1001            ");
  const absl::StatusOr<MeanElements> read = ParseTwoLines(lines[1], lines[2]);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->epoch, kWorldStart);
}

class MakeWorldTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "rhodes_world_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(directory_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(directory_).ok()); }

  absl::StatusOr<WorldReport> Make(const std::string& name, uint64_t seed, double noise = 1, int dishes = 12,
                                   int hours = 24) {
    WorldSettings settings;
    settings.seed = seed;
    settings.dishes = dishes;
    settings.hours = hours;
    settings.noise = noise;
    settings.directory = directory_ + "/" + name;
    return MakeWorld(settings, context_);
  }
  // Path within the world -> hash.
  std::map<std::string, std::string> Digests(const std::string& name) const {
    std::map<std::string, std::string> digests;
    const std::string root = directory_ + "/" + name;
    const std::vector<std::string> files = *ListFiles(root);
    for (const std::string& path : files) digests[path.substr(root.size())] = *Sha256OfFile(path);
    return digests;
  }
  std::string Read(const std::string& path) const { return *ReadFile(directory_ + "/" + path); }

  std::string directory_;
  RunContext context_;
};

TEST_F(MakeWorldTest, TheSameSeedGivesTheSameBytes) {
  ASSERT_TRUE(Make("a", 7).ok());
  ASSERT_TRUE(Make("b", 7).ok());
  ASSERT_TRUE(Make("c", 8).ok());
  const auto a = Digests("a");
  EXPECT_EQ(a, Digests("b"));
  EXPECT_NE(a, Digests("c"));
  // And on every machine: a change of this digest is a change of all worlds.
  std::string all;
  for (const auto& [path, digest] : a) all += path + " " + digest + "\n";
  EXPECT_EQ(Sha256Hex(all).substr(0, 16), "e40ffb4f52a7621a");
}

TEST_F(MakeWorldTest, ReportAndTruthAgree) {
  const absl::StatusOr<WorldReport> report = Make("w", 3);
  ASSERT_TRUE(report.ok()) << report.status();
  const absl::StatusOr<WorldTruth> truth = ParseTruth(Read("w/truth.jsonl"), "truth");
  ASSERT_TRUE(truth.ok()) << truth.status();
  EXPECT_EQ(truth->events.size(), report->events);
  uint64_t witnesses = 0;
  for (const WorldTruth::Event& event : truth->events) {
    witnesses += event.records.size();
    EXPECT_FALSE(event.records.empty()) << event.id;
  }
  EXPECT_EQ(witnesses, report->witnesses);
  EXPECT_EQ(truth->totals.size(), report->sources.size());
  uint64_t bytes = 0;
  const std::vector<std::string> files = *ListFiles(directory_ + "/w");
  for (const std::string& path : files) bytes += *FileSize(path);
  EXPECT_EQ(bytes, report->bytes);
  for (const auto& [name, counts] : report->sources) EXPECT_EQ(truth->totals.at(name).keys, counts.keys) << name;
}

TEST_F(MakeWorldTest, WithoutNoiseNothingGoesWrong) {
  const absl::StatusOr<WorldReport> quiet = Make("quiet", 3, 0);
  ASSERT_TRUE(quiet.ok()) << quiet.status();
  for (const auto& [name, counts] : quiet->sources) {
    EXPECT_EQ(counts.corrupted, 0u) << name;
    EXPECT_EQ(counts.taken_back, 0u) << name;
    // What comes again even so is what the formats repeat: outages in each history, items in each feed, posts beside
    // their reposts.
    const bool repeats = name == "dishes" || name == "feeds" || name == "posts";
    EXPECT_TRUE(repeats || counts.duplicates == 0) << name;
  }
  EXPECT_THAT(Read("quiet/truth.jsonl"), ::testing::Not(HasSubstr("rumour")));
  const absl::StatusOr<WorldReport> loud = Make("loud", 3, 4);
  ASSERT_TRUE(loud.ok()) << loud.status();
  EXPECT_GT(loud->sources.at("dishes").corrupted, 0u);
  EXPECT_GT(loud->sources.at("posts").taken_back, 0u);
  EXPECT_THAT(Read("loud/truth.jsonl"), HasSubstr("rumour"));
}

TEST_F(MakeWorldTest, PostsHaveTextsOfTheirOwn) {
  ASSERT_TRUE(Make("w", 4, 0, 40, 48).ok());
  std::set<std::string> texts;
  size_t posts = 0;
  const std::string stream = Read("w/x/v1-stream.jsonl");
  for (const std::string_view line : Split(stream, '\n')) {
    const absl::StatusOr<Json> json = ParseJson(line, "line");
    if (!json.ok() || !json->contains("text") || json->contains("retweeted_status")) continue;
    ++posts;
    texts.insert((*json)["text"].get<std::string>());
  }
  ASSERT_GT(posts, 300u);
  EXPECT_GT(texts.size() * 100, posts * 75) << "three quarters are unlike all others";
}

TEST_F(MakeWorldTest, RefusesWhatIsOutOfRangeAndAFolderInUse) {
  const auto error = [](const absl::StatusOr<WorldReport>& report) {
    EXPECT_EQ(ExitCodeOf(report.status()), ExitCode::kUsage);
    return Message(report.status());
  };
  EXPECT_THAT(error(Make("w", 1, 1, 3)), HasSubstr("size is 3; it must be 4 to 200000"));
  EXPECT_THAT(error(Make("w", 1, 1, 12, 5)), HasSubstr("hours is 5"));
  EXPECT_THAT(error(Make("w", 1, -1)), HasSubstr("noise is -1"));
  EXPECT_THAT(error(Make("w", 1, std::numeric_limits<double>::quiet_NaN())), HasSubstr("noise is nan"));
  ASSERT_TRUE(Make("w", 1, 1, 4, 6).ok());
  EXPECT_THAT(error(Make("w", 1)), HasSubstr("is not empty"));
}

}  // namespace
}  // namespace rhodes
