// Replays the corpora of the fuzz targets, so that what they once found stays found.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <vector>

#include "base/file.h"
#include "source/format.h"
#include "source/testing.h"

namespace rhodes {
namespace {

const std::map<std::string, std::vector<const char*>>& Targets() {
  static const std::map<std::string, std::vector<const char*>> kTargets = {
      {"csv_fuzz", {"csv"}},
      {"debian_changelog_fuzz", {"debian-changelog"}},
      {"debian_packages_fuzz", {"debian-packages"}},
      {"ephemeris_fuzz", {"ephemeris"}},
      {"feed_fuzz", {"feed"}},
      {"html_fuzz", {"html"}},
      {"json_fuzz", {"json"}},
      {"jsonl_fuzz", {"jsonl"}},
      {"man_fuzz", {"man"}},
      {"mediawiki_fuzz", {"mediawiki"}},
      {"omm_fuzz", {"omm"}},
      {"starlink_fuzz", {"starlink-status", "starlink-history", "starlink-obstruction"}},
      {"tesla_fleet_fuzz", {"tesla-fleet"}},
      {"tesla_telemetry_fuzz", {"tesla-telemetry"}},
      {"tle_fuzz", {"tle"}},
      {"trec_fuzz", {"trec"}},
      {"tsv_fuzz", {"tsv"}},
      {"vehicle_tables_fuzz", {"teslafi", "teslamate", "obd-csv"}},
      {"warc_fuzz", {"warc"}},
      {"x_archive_fuzz", {"x-archive"}},
      {"x_v1_fuzz", {"x-v1"}},
      {"x_v2_fuzz", {"x-v2"}},
  };
  return kTargets;
}

TEST(FuzzCorpus, EveryInputIsReadTheSameHoweverItIsCut) {
  const std::string testdata = RHODES_SOURCE_DIR "/src/source/testdata";
  size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testdata)) {
    const std::string name = entry.path().filename().string();
    // These are not read in blocks.
    if (!name.ends_with("_fuzz") || name == "time_fuzz" || name == "parquet_fuzz") continue;
    const auto target = Targets().find(name);
    ASSERT_NE(target, Targets().end()) << name;
    for (const auto& file : std::filesystem::directory_iterator(entry.path())) {
      SCOPED_TRACE(file.path().string());
      const std::string bytes = ReadFile(file.path().string()).value();
      for (const char* format : target->second) source_testing::CheckAnyInput(*FindFormat(format).value(), bytes);
      ++inputs;
    }
  }
  EXPECT_GE(inputs, 40u);
}

// A seed of a kind is of use only when it is one.
TEST(FuzzCorpus, EveryTargetHasASeedThatGivesRecords) {
  for (const auto& [name, formats] : Targets()) {
    size_t records = 0;
    const std::string directory = RHODES_SOURCE_DIR "/src/source/testdata/" + name;
    ASSERT_TRUE(std::filesystem::exists(directory)) << name;
    for (const auto& file : std::filesystem::directory_iterator(directory)) {
      const std::string bytes = ReadFile(file.path().string()).value();
      for (const char* format : formats) {
        records += source_testing::Read(*FindFormat(format).value(), bytes).records.size();
      }
    }
    EXPECT_GT(records, 0u) << name;
  }
}

}  // namespace
}  // namespace rhodes
