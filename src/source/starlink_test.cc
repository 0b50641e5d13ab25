// Dishes' answers: examples written by hand, and the samples where they are.
#include "source/starlink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "source/sample_testing.h"
#include "source/starlink_answer.h"
#include "source/starlink_units.h"

namespace rhodes {
namespace {

using source_testing::Channel;
using source_testing::Field;
using source_testing::Kinds;
using source_testing::Read;
using source_testing::ReadChecked;
using source_testing::Sample;
using source_testing::Unit;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr char kStatus[] =
    R"({"id":"7","status":null,"apiVersion":"17","dishGetStatus":{"deviceInfo":{"id":"ut01000000-00000000-00c0ffee",)"
    R"("hardwareVersion":"rev4","softwareVersion":"2024","utcOffsetS":-3600,"bootcount":3},)"
    R"("deviceState":{"uptimeS":"148"},"secondsToFirstNonemptySlot":-1,"popPingDropRate":0.25,"popPingLatencyMs":28.5,)"
    R"("downlinkThroughputBps":1200.5,"obstructionStats":{"fractionObstructed":0.125,"validS":43,)"
    R"("avgProlongedObstructionIntervalS":"NaN","currentlyObstructed":false},)"
    R"("alerts":{"roaming":true,"isHeating":true,"motorsStuck":false},)"
    R"("outage":{"cause":"NO_PINGS","startTimestampNs":"1400857366040671410","durationNs":"3700155778","didSwitch":true},)"
    R"("boresightAzimuthDeg":-10.5,"ethSpeedMbps":1000,"big":"9007199254740993"}})";

TEST(Starlink, AStatusGivesChannelsWithUnitsAlertsAndTheOutagesTrueTime) {
  const ParsedBlock parsed = ReadChecked(StarlinkStatusFormat(), kStatus);
  ASSERT_EQ(parsed.records.size(), 1u);
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.kind, "dish-status");
  EXPECT_EQ(record.author, "ut01000000-00000000-00c0ffee");
  EXPECT_EQ(record.time, std::nullopt);
  EXPECT_EQ(Channel(record, "popPingLatencyMs"), 28.5);
  EXPECT_EQ(Unit(record, "popPingLatencyMs"), "ms");
  EXPECT_EQ(Unit(record, "popPingDropRate"), "1");
  EXPECT_EQ(Unit(record, "downlinkThroughputBps"), "bit/s");
  EXPECT_EQ(Unit(record, "boresightAzimuthDeg"), "deg");
  EXPECT_EQ(Unit(record, "ethSpeedMbps"), "Mbit/s");
  EXPECT_EQ(Channel(record, "deviceState.uptimeS"), 148);
  EXPECT_EQ(Unit(record, "deviceState.uptimeS"), "s");
  EXPECT_EQ(Channel(record, "deviceInfo.bootcount"), 3);
  EXPECT_EQ(Unit(record, "deviceInfo.bootcount"), "(none)");
  EXPECT_EQ(Channel(record, "obstructionStats.fractionObstructed"), 0.125);
  EXPECT_EQ(Channel(record, "obstructionStats.avgProlongedObstructionIntervalS"), std::nullopt);
  EXPECT_EQ(Channel(record, "secondsToFirstNonemptySlot"), -1);
  EXPECT_EQ(Channel(record, "outage.durationNs"), 3700155778);
  EXPECT_EQ(Field(record, "outage.cause"), "NO_PINGS");
  EXPECT_EQ(Field(record, "outage.startTimestampNs"), "1400857366040671410");
  EXPECT_EQ(Field(record, "outage.start"), "2024-05-27T15:02:28.040671Z");
  EXPECT_EQ(Field(record, "alerts"), "roaming,isHeating");
  EXPECT_EQ(Field(record, "apiVersion"), "17");
  EXPECT_EQ(Field(record, "deviceInfo.softwareVersion"), "2024");
  EXPECT_EQ(Field(record, "big"), "9007199254740993");
  EXPECT_EQ(record.original, kStatus);
}

TEST(Starlink, ALogLineHasTheTimeOfItsAnswer) {
  const std::string log =
      "Start time: 1716821593813\nreq: 2024-05-27T10:53:13.844772-04:00 | res: "
      "2024-05-27T10:53:14.085348-04:00 | data: " +
      std::string(kStatus) + "\nreq: 2024-05-27T10:53:15.5-04:00 | res: never | data: " + kStatus +
      "\nreq: 2024-05-27T10:53:16-04:00 | res: x | data: {\"id\":\"0\nEnd time: 1716822019207\nError: "
      "timed out\n";
  const ParsedBlock parsed = ReadChecked(StarlinkStatusFormat(), log);
  ASSERT_EQ(parsed.records.size(), 2u);
  EXPECT_EQ(parsed.records[0].time, 1716821594085348);
  EXPECT_EQ(parsed.records[0].time_precision, TimePrecision::kMicrosecond);
  EXPECT_EQ(Field(parsed.records[0], "req"), "2024-05-27T10:53:13.844772-04:00");
  EXPECT_EQ(parsed.records[1].time, 1716821595500000);
  ASSERT_EQ(parsed.rejects.size(), 2u);
  EXPECT_EQ(parsed.rejects[0].reason, "not JSON: the object breaks off");
  EXPECT_EQ(parsed.rejects[1].reason, "not an answer of a dish: a line without JSON");
}

TEST(Starlink, TimesComeFromTheJsonTheOptionsAndTheZone) {
  ReadOptions options;
  options.polled_at = 1700000000000000;
  EXPECT_EQ(Read(StarlinkStatusFormat(), kStatus, options).records[0].time, 1700000000000000);
  const std::string inside = "{\"timestamp\": 1716821594.5, \"dish_get_status\": {\"pop_ping_drop_rate\": 1}}";
  const ParsedBlock parsed = ReadChecked(StarlinkStatusFormat(), inside, options);
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(parsed.records[0].time, 1716821594500000);
  EXPECT_EQ(Unit(parsed.records[0], "pop_ping_drop_rate"), "1");
  options.time_zone = "America/New_York";
  EXPECT_EQ(Read(StarlinkStatusFormat(), "2024-05-27 10:53:14 " + std::string(kStatus), options).records[0].time,
            1716821594000000);
}

TEST(Starlink, NotNumbersAndNoPingsAreAbsent) {
  const ParsedBlock parsed = ReadChecked(
      StarlinkStatusFormat(),
      R"({"id":"ut01000000-1","uptime":5,"pop_ping_drop_rate":1.0,"pop_ping_latency_ms":-1,"obstruction_interval":NaN,)"
      R"("alerts":65,"state":"SEARCHING","snr":null})");
  ASSERT_EQ(parsed.records.size(), 1u);
  const Record& record = parsed.records[0];
  EXPECT_THAT(record.channels, ElementsAre(Pair("alerts", 65), Pair("pop_ping_drop_rate", 1), Pair("uptime", 5)));
  EXPECT_EQ(Field(record, "alerts"), "motors_stuck,roaming");
  EXPECT_EQ(record.author, "ut01000000-1");
}

TEST(Starlink, LocationIsAPlaceAndOtherAnswersAreNamed) {
  const ParsedBlock parsed =
      ReadChecked(StarlinkStatusFormat(),
                  "{\"apiVersion\":\"17\",\"getLocation\":{\"lla\":{\"lat\":54.3,\"lon\":10.1,\"alt\":12.5}}}\n"
                  "{\"dishGetDiagnostics\":{\"hardwareSelfTest\":\"PASSED\"}}\n"
                  "{\"wifiGetStatus\":{}}\n{}\n");
  ASSERT_EQ(parsed.records.size(), 2u);
  EXPECT_EQ(parsed.records[0].kind, "dish-location");
  EXPECT_EQ(parsed.records[0].latitude, 54.3);
  EXPECT_EQ(parsed.records[0].longitude, 10.1);
  EXPECT_EQ(Channel(parsed.records[0], "lla.alt"), 12.5);
  EXPECT_EQ(parsed.records[1].kind, "dish-diagnostics");
  ASSERT_EQ(parsed.rejects.size(), 2u);
  EXPECT_EQ(parsed.rejects[0].reason, "no answer of a dish that is read: it has wifiGetStatus");
}

TEST(Starlink, TheToolsTableHasItsColumnsUnitsAndTimes) {
  const std::string table =
      "datetimestamp_utc,id,hardware_version,software_version,state,uptime,pop_ping_latency_ms,alerts\n"
      "2024-05-27T10:53:14,ut01000000-1,rev4,s1,CONNECTED,100,28.5,320\r\n"
      "2024-05-27T10:53:15.250000,,,,DISH_UNREACHABLE\n"
      "datetimestamp_utc,pop_ping_drop_rate,pop_ping_latency_ms\n"
      "2024-05-27T10:53:16,0.5,30\n"
      "2024-05-27T10:53:17,1.0,\n"
      "datetimestamp_utc,id,hardware_version,software_version,state,uptime,pop_ping_latency_ms,alerts\n"
      "2024-05-27T10:53:18,ut01000000-1,rev4,s1,CONNECTED,104,nan,0\n"
      "2024-05-27T10:53:19,ut01\n"
      "yesterday,ut01,,,,,,\n";
  ReadOptions options;
  options.time_zone = "Europe/Berlin";  // the column is UTC whatever is said
  const ParsedBlock parsed = ReadChecked(StarlinkStatusFormat(), table, options);
  EXPECT_THAT(Kinds(parsed), UnorderedElementsAre(Pair("dish-status", 2), Pair("dish-unreachable", 1),
                                                  Pair("dish-sample", 2), Pair("rejected", 2)));
  const Record& first = parsed.records[0];
  EXPECT_EQ(first.time, 1716807194000000);
  EXPECT_EQ(first.author, "ut01000000-1");
  EXPECT_EQ(Channel(first, "uptime"), 100);
  EXPECT_EQ(Unit(first, "uptime"), "s");
  EXPECT_EQ(Field(first, "alerts"), "roaming,is_heating");
  EXPECT_EQ(parsed.records[1].time, 1716807195250000);
  EXPECT_EQ(Channel(parsed.records[2], "pop_ping_drop_rate"), 0.5);
  EXPECT_EQ(parsed.rejects[0].reason, "2 cells, the header has 8");
  EXPECT_THAT(parsed.rejects[1].reason, HasSubstr("\"yesterday\" is no time"));
}

TEST(Starlink, ATableWithoutAHeaderIsRefused) {
  const ParsedBlock parsed = ReadChecked(StarlinkStatusFormat(),
                                         "2024-05-27T10:53:14,ut01000000-1,rev4,s1,CONNECTED,100\n"
                                         "2024-05-27T10:53:15,,,,DISH_UNREACHABLE\n");
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(parsed.records[0].kind, "dish-unreachable");
  ASSERT_EQ(parsed.rejects.size(), 1u);
  EXPECT_THAT(parsed.rejects[0].reason, HasSubstr("-H"));
}

TEST(Starlink, MqttMessagesAreReadAsJsonAndOneByOne) {
  const ParsedBlock parsed =
      ReadChecked(StarlinkStatusFormat(),
                  "starlink/ut01000000-1 {\"dish_status\": {\"id\": \"ut01000000-1\", \"uptime\": 9}, \"dish_usage\": "
                  "{\"download_usage\": 5}}\n"
                  "2024-05-27T14:53:14Z starlink/dish_status/ut01000000-1/pop_ping_latency_ms 25.5\n"
                  "starlink/dish_status/ut01000000-1/state DISH_UNREACHABLE\n"
                  "starlink/dish_ping_drop/ut01000000-1/samples 60\n");
  ASSERT_EQ(parsed.records.size(), 4u);
  EXPECT_EQ(Channel(parsed.records[0], "uptime"), 9);
  EXPECT_EQ(Channel(parsed.records[0], "dish_usage.download_usage"), 5);
  EXPECT_EQ(parsed.records[1].author, "ut01000000-1");
  EXPECT_EQ(parsed.records[1].time, 1716821594000000);
  EXPECT_EQ(Channel(parsed.records[1], "pop_ping_latency_ms"), 25.5);
  EXPECT_EQ(parsed.records[2].kind, "dish-unreachable");
  EXPECT_EQ(parsed.records[3].kind, "dish-statistics");
}

// A ring of four with six samples taken: the last four are 2, 3, 4 and 5, at 2, 3, 0 and 1.
std::string History(std::string_view outages, int current = 6, std::string_view drops = "0.4, 0.5, 0.2, 0.3") {
  return fmt::format(
      "{{\n  \"apiVersion\": \"17\",\n  \"dishGetHistory\": {{\n    \"current\": \"{}\",\n    \"popPingDropRate\": [\n "
      "     "
      "{}\n    ],\n    \"popPingLatencyMs\": [14, -1, \"NaN\", 13],\n    \"uplinkThroughputBps\": [105, 104],\n    "
      "\"downlinkThroughputBps\": [],\n    \"outages\": [{}]\n  }}\n}}\n",
      current, drops, outages);
}

TEST(Starlink, RingsAreUnrolledIntoSamplesWithTheirTimes) {
  const std::string log = "Start time: 1716822174724\n" + History("") + "End time: 1716822174916\n";
  const ParsedBlock parsed = ReadChecked(StarlinkHistoryFormat(), log);
  EXPECT_TRUE(parsed.rejects.empty());
  ASSERT_EQ(parsed.records.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(parsed.records[i].time, 1716822171724000 + static_cast<int64_t>(i) * 1000000) << i;
    EXPECT_EQ(parsed.records[i].time_precision, TimePrecision::kMillisecond);
    EXPECT_EQ(Field(parsed.records[i], "sample"), fmt::format("{}", i + 2));
    EXPECT_EQ(parsed.records[i].original, fmt::format("0.{}", i + 2));
  }
  EXPECT_THAT(parsed.records[0].channels, ElementsAre(Pair("popPingDropRate", 0.2)));
  EXPECT_THAT(parsed.records[1].channels, ElementsAre(Pair("popPingDropRate", 0.3), Pair("popPingLatencyMs", 13)));
  EXPECT_THAT(parsed.records[2].channels, ElementsAre(Pair("popPingDropRate", 0.4), Pair("popPingLatencyMs", 14),
                                                      Pair("uplinkThroughputBps", 105)));
  EXPECT_THAT(parsed.records[3].channels, ElementsAre(Pair("popPingDropRate", 0.5), Pair("uplinkThroughputBps", 104)));
}

TEST(Starlink, ASampleWithoutAPollTimeSaysHowLongBeforeThePollItWas) {
  const ParsedBlock parsed = ReadChecked(StarlinkHistoryFormat(), History("", 2));
  ASSERT_EQ(parsed.records.size(), 2u);  // two of the four are not taken yet
  EXPECT_EQ(parsed.records[0].time, std::nullopt);
  EXPECT_EQ(Channel(parsed.records[0], "seconds_before_poll"), 1);
  EXPECT_EQ(Channel(parsed.records[0], "popPingDropRate"), 0.4);
  EXPECT_EQ(Channel(parsed.records[1], "seconds_before_poll"), 0);
  ReadOptions options;
  options.polled_at = 1700000000000000;
  EXPECT_EQ(Read(StarlinkHistoryFormat(), History("", 2), options).records[0].time, 1699999999000000);
}

constexpr char kBooting[] =
    R"({"cause": "BOOTING", "startTimestampNs": "1400856664946424875", "durationNs": "425194235686"})";

TEST(Starlink, OutagesHaveTheirOwnTimes) {
  const std::string outages = fmt::format(
      R"({}, {{"cause":"NO_PINGS","startTimestampNs":"-1","durationNs":"0","didSwitch":false}}, 5)", kBooting);
  const ParsedBlock parsed = ReadChecked(StarlinkHistoryFormat(), History(outages, 0));
  ASSERT_EQ(parsed.records.size(), 2u);
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.kind, "dish-outage");
  EXPECT_EQ(record.time, 1716821446946424);
  EXPECT_EQ(record.time_precision, TimePrecision::kMicrosecond);
  EXPECT_EQ(Channel(record, "duration"), 425.194235686);
  EXPECT_EQ(Unit(record, "duration"), "s");
  EXPECT_EQ(Field(record, "cause"), "BOOTING");
  EXPECT_EQ(record.original, kBooting);
  EXPECT_EQ(parsed.records[1].time, std::nullopt);
  EXPECT_EQ(Field(parsed.records[1], "didSwitch"), "false");
  ASSERT_EQ(parsed.rejects.size(), 1u);
  EXPECT_EQ(parsed.rejects[0].reason, "not an outage: no JSON object");
}

std::set<std::string> SampleIds(const ParsedBlock& parsed) {
  std::set<std::string> ids;
  for (const Record& record : parsed.records) {
    if (record.kind == "dish-sample") ids.insert(record.id);
  }
  return ids;
}

size_t Common(const std::set<std::string>& a, const std::set<std::string>& b) {
  return static_cast<size_t>(std::count_if(a.begin(), a.end(), [&](const std::string& id) { return b.contains(id); }));
}

TEST(Starlink, TwoPollsThatOverlapShareTheSamplesInBoth) {
  const auto ids = [](const std::string& history, int64_t polled_at) {
    ReadOptions options;
    if (polled_at > 0) options.polled_at = polled_at;
    return SampleIds(Read(StarlinkHistoryFormat(), history, options));
  };
  const std::string zeros = "0, 0, 0, 0";
  // All four values of a poll are the same bytes, and four samples for all that.
  EXPECT_EQ(ids(History(kBooting, 6, zeros), 0).size(), 4u);
  // Two seconds later half of them are new, whatever the clocks of the polls say.
  EXPECT_EQ(Common(ids(History(kBooting, 6, zeros), 0), ids(History(kBooting, 8, zeros), 1700000000900000)), 2u);
  // Without the beginning of the boot, the polls' times tell; without those too, every answer stands for itself.
  const std::string first = R"({"dishGetHistory":{"current":6,"popPingDropRate":[0.4,0.5,0.2,0.3]}})";
  const std::string second = R"({"dishGetHistory":{"current":8,"popPingDropRate":[0.4,0.5,0.6,0.7]}})";
  EXPECT_EQ(Common(ids(first, 1700000000000000), ids(second, 1700000002100000)), 2u);
  EXPECT_EQ(Common(ids(first, 1700000000000000), ids(second, 1700009992000000)), 0u);
  EXPECT_EQ(Common(ids(first, 0), ids(second, 0)), 0u);
  EXPECT_EQ(Common(ids(first, 0), ids(first, 0)), 4u);
}

TEST(Starlink, AHistoryThatCannotBePlacedIsRejected) {
  EXPECT_EQ(Read(StarlinkHistoryFormat(), R"({"dishGetHistory":{"popPingDropRate":[1]}})").rejects[0].reason,
            "a history without \"current\": which samples are new?");
  EXPECT_EQ(
      Read(StarlinkHistoryFormat(), R"({"dishGetHistory":{"current":-4,"popPingDropRate":[1]}})").rejects[0].reason,
      "a history's \"current\" is no count");
  EXPECT_EQ(
      Read(StarlinkHistoryFormat(), R"({"dishGetHistory":{"current":"0","popPingDropRate":[0]}})").rejects[0].reason,
      "a history without samples and outages");
  const ParsedBlock parsed =
      ReadChecked(StarlinkHistoryFormat(), R"({"dishGetHistory":{"current":1,"popPingDropRate":[[1]],"snr":[9]}})");
  ASSERT_EQ(parsed.rejects.size(), 1u);
  EXPECT_EQ(parsed.rejects[0].reason, "\"popPingDropRate\" of a history is no ring of numbers");
  EXPECT_EQ(Channel(parsed.records.at(0), "snr"), 9);
}

TEST(Starlink, AMapIsCountedAndKeptInRuns) {
  const std::string map =
      R"({"dishGetObstructionMap":{"numRows":2,"numCols":3,"snr":[-1,-1.0,0,1,1,0.5],"minElevationDeg":10}})";
  const ParsedBlock parsed = ReadChecked(StarlinkObstructionFormat(), map, {}, "/data/maps_1692088243.json");
  ASSERT_EQ(parsed.records.size(), 1u);
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.kind, "obstruction-map");
  EXPECT_EQ(record.time, 1692088243000000);
  EXPECT_EQ(record.time_precision, TimePrecision::kSecond);
  EXPECT_THAT(record.channels,
              ElementsAre(Pair("meanSnr", 0.625), Pair("minElevationDeg", 10), Pair("numCols", 3), Pair("numRows", 2),
                          Pair("observedCells", 4), Pair("obstructedCells", 1), Pair("obstructedFraction", 0.25)));
  EXPECT_EQ(Field(record, "snr"), "-1x2 0 1x2 0.5");
  EXPECT_THAT(Read(StarlinkObstructionFormat(), R"({"dishGetObstructionMap":{"numRows":2,"numCols":3,"snr":[1]}})")
                  .rejects.at(0)
                  .reason,
              HasSubstr("1 cells"));
  EXPECT_THAT(Read(StarlinkObstructionFormat(), R"({"dishGetObstructionMap":{"numRows":1,"numCols":1,"snr":["x"]}})")
                  .rejects.at(0)
                  .reason,
              HasSubstr("cell 0 of the map is no number: x"));
}

TEST(Starlink, TheTimeInAFileNameMustBePlausibleAndOnlyOne) {
  EXPECT_EQ(TimeOfFileName("/a/1692088243/map-1689286270.json")->time, 1689286270000000);
  EXPECT_FALSE(TimeOfFileName("/a/map-1089286270.json"));
  EXPECT_FALSE(TimeOfFileName("/a/map-16892862700.json"));
  EXPECT_FALSE(TimeOfFileName("/a/1689286270-1689286280.json"));
}

TEST(Starlink, FilesAreKnownByTheirFirstAnswer) {
  const auto detect = [](std::string_view head) {
    return std::vector<int>{StarlinkStatusFormat().Detect("/f", head), StarlinkHistoryFormat().Detect("/f", head),
                            StarlinkObstructionFormat().Detect("/f", head)};
  };
  EXPECT_THAT(detect(kStatus), ElementsAre(95, 0, 0));
  EXPECT_THAT(detect(History("")), ElementsAre(0, 95, 0));
  EXPECT_THAT(detect("{\"dishGetObstructionMap\": {"), ElementsAre(0, 0, 95));
  EXPECT_THAT(detect("datetimestamp_utc,id,state\n"), ElementsAre(95, 0, 0));
  EXPECT_THAT(detect("{\"text\": \"\\\"dishGetStatus\\\": {\"}"), ElementsAre(0, 0, 0));
  EXPECT_THAT(detect("{\"numRows\": 5}"), ElementsAre(0, 0, 0));
  EXPECT_THAT(detect("id,time,state\n"), ElementsAre(0, 0, 0));
}

struct HistoryFacts {
  const char* file;
  int samples;
  int outages;
  int64_t boot;
  int64_t last_outage;
  int64_t poll;
  double latency;
};

TEST(Starlink, TheSampleHistoriesAreUnrolled) {
  constexpr HistoryFacts kFacts[] = {
      {"get_history.json", 900, 683, 1715210086801994, 1715223570500715, 0, 29.543373},
      {"history_20240527_110254704.out", 689, 31, 1716821446946424, 1716822148040671, 1716822174724000, 41.949215},
      {"history_20240527_135903400.out", 900, 29, 1716831669275007, 1716832724420730, 1716832743433000, 38.89386},
      {"history_20240527_180215620.out", 900, 22, 1716843120205950, 1716847307260783, 1716847335644000, 28.19735},
      {"history_20240528_151337934.out", 900, 37, 1716918783526839, 1716923591920739, 1716923617954000, 27.469797}};
  for (const HistoryFacts& facts : kFacts) {
    const std::string bytes = Sample(std::string("starlink_dish/") + facts.file);
    if (bytes.empty()) GTEST_SKIP() << "no sample data";
    EXPECT_EQ(StarlinkHistoryFormat().Detect("/f.json", bytes.substr(0, 65536)), 95);
    const ParsedBlock parsed = ReadChecked(StarlinkHistoryFormat(), bytes);
    EXPECT_THAT(Kinds(parsed),
                UnorderedElementsAre(Pair("dish-sample", facts.samples), Pair("dish-outage", facts.outages)))
        << facts.file;
    EXPECT_EQ(SampleIds(parsed).size(), static_cast<size_t>(facts.samples));
    const Record& newest = parsed.records[static_cast<size_t>(facts.samples) - 1];
    EXPECT_EQ(Channel(newest, "popPingLatencyMs"), facts.latency);
    EXPECT_EQ(newest.time.value_or(0), facts.poll);
    EXPECT_EQ(parsed.records[static_cast<size_t>(facts.samples)].time, facts.boot);
    EXPECT_EQ(parsed.records.back().time, facts.last_outage);
    if (facts.poll > 0) {
      EXPECT_LT(facts.poll - facts.last_outage, 240'000'000);  // shortly before the poll
    }
  }
}

TEST(Starlink, TheSampleStatusLogsAreReadLineByLine) {
  struct Facts {
    const char* file;
    size_t lines;
    int pings;
    int outages;
    int alerts;
    double uptimes;
  };
  constexpr Facts kFacts[] = {{"status_20240527_105313741.out", 947, 176, 774, 276, 338846},
                              {"status_20240527_154059901.out", 946, 946, 0, 946, 3208401},
                              {"status_20240529_154044242.out", 901, 901, 715, 901, 610706}};
  for (const Facts& facts : kFacts) {
    const std::string bytes = Sample(std::string("starlink_dish/") + facts.file);
    if (bytes.empty()) GTEST_SKIP() << "no sample data";
    EXPECT_EQ(StarlinkStatusFormat().Detect("/f.out", bytes.substr(0, 65536)), 95);
    const ParsedBlock parsed = ReadChecked(StarlinkStatusFormat(), bytes);
    EXPECT_TRUE(parsed.rejects.empty());
    ASSERT_EQ(parsed.records.size(), facts.lines);
    int pings = 0;
    int outages = 0;
    int alerts = 0;
    double uptimes = 0;
    for (const Record& record : parsed.records) {
      EXPECT_EQ(record.author, "ut01000000-00000000-0085fd5f");
      pings += Channel(record, "popPingLatencyMs").has_value();
      outages += Field(record, "outage.cause") != "(none)";
      alerts += Field(record, "alerts") != "(none)";
      uptimes += Channel(record, "deviceState.uptimeS").value_or(0);
    }
    EXPECT_EQ(pings, facts.pings);
    EXPECT_EQ(outages, facts.outages);
    EXPECT_EQ(alerts, facts.alerts);
    EXPECT_EQ(uptimes, facts.uptimes);
  }
  const std::string bytes = Sample("starlink_dish/status_20240527_105313741.out");
  const ParsedBlock parsed = Read(StarlinkStatusFormat(), bytes);
  EXPECT_EQ(parsed.records.front().time, 1716821594085348);
  EXPECT_EQ(Field(parsed.records.front(), "outage.start"), "(none)");  // -1: still booting
  EXPECT_EQ(parsed.records.back().time, 1716822018773416);
  EXPECT_EQ(Kinds(Read(StarlinkStatusFormat(), Sample("starlink_dish/get_status.json")))["dish-status"], 1);
}

TEST(Starlink, TheSampleMapsHaveTheirCellsAndTimes) {
  struct Facts {
    const char* file;
    double observed;
    double obstructed;
    int64_t time;
  };
  constexpr Facts kFacts[] = {{"obstruction_maps1_map-1689286270.json", 55, 0, 1689286270},
                              {"obstruction_maps1_map-1689286286.json", 69, 0, 1689286286},
                              {"obstruction_maps2_map-1689321882.json", 2208, 2, 1689321882},
                              {"obstruction_maps2_map-1689322188.json", 101, 0, 1689322188},
                              {"obstruction_maps3_map-1689374824.json", 228, 0, 1689374824},
                              {"obstruction_maps3_map-1689375315.json", 501, 0, 1689375315},
                              {"obstruction_maps_1692088243.json", 29, 0, 1692088243},
                              {"obstruction_maps_1692088268.json", 45, 0, 1692088268}};
  for (const Facts& facts : kFacts) {
    const std::string name = std::string("starlink_dish/obstruction_") + facts.file;
    const std::string bytes = Sample(name);
    if (bytes.empty()) GTEST_SKIP() << "no sample data";
    EXPECT_EQ(StarlinkObstructionFormat().Detect(name, bytes.substr(0, 65536)), 95);
    const ParsedBlock parsed = ReadChecked(StarlinkObstructionFormat(), bytes, {}, name);
    ASSERT_EQ(parsed.records.size(), 1u);
    const Record& record = parsed.records[0];
    EXPECT_EQ(record.time, facts.time * 1000000);
    EXPECT_EQ(Channel(record, "observedCells"), facts.observed);
    EXPECT_EQ(Channel(record, "obstructedCells"), facts.obstructed);
    EXPECT_EQ(Channel(record, "numRows"), 123);
    EXPECT_EQ(Channel(record, "minElevationDeg"), 10);
    EXPECT_EQ(Unit(record, "minElevationDeg"), "deg");
  }
}

}  // namespace
}  // namespace rhodes
