// Orbits of satellites: examples written by hand, and the samples where they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "source/ephemeris.h"
#include "source/omm.h"
#include "source/orbit.h"
#include "source/sample_testing.h"
#include "source/tle.h"

namespace rhodes {
namespace {

using source_testing::Channel;
using source_testing::Field;
using source_testing::Read;
using source_testing::ReadChecked;
using source_testing::Sample;
using source_testing::Unit;

// `line` with the checksum that it should have.
std::string WithChecksum(std::string line) {
  int sum = 0;
  for (const char c : line.substr(0, 68)) sum += c >= '0' && c <= '9' ? c - '0' : c == '-' ? 1 : 0;
  line[68] = static_cast<char>('0' + sum % 10);
  return line;
}

const std::string kFirst = WithChecksum("1 12345U 19074B   24060.50000000 -.00000434  00000+0 -10273-4 0  9998");
const std::string kSecond = WithChecksum("2 12345  53.0552 131.8405 0001412  91.3951 268.7200 15.06397820 38505");

TEST(Orbit, CatalogueNumbersAreDecimalOrAlphaFive) {
  EXPECT_EQ(CatalogNumber("44714"), "44714");
  EXPECT_EQ(CatalogNumber("00005"), "5");
  EXPECT_EQ(CatalogNumber("    5"), "5");
  EXPECT_EQ(CatalogNumber("A0000"), "100000");
  EXPECT_EQ(CatalogNumber("H9999"), "179999");
  EXPECT_EQ(CatalogNumber("J0000"), "180000");
  EXPECT_EQ(CatalogNumber("P0000"), "230000");
  EXPECT_EQ(CatalogNumber("Z9999"), "339999");
  EXPECT_EQ(CatalogNumber("100534"), "100534");
  for (const char* bad : {"I0000", "O0000", "A000", "a0000", "-1", "1.5", "", "1234567890"}) {
    EXPECT_EQ(CatalogNumber(bad), std::nullopt) << bad;
  }
}

TEST(Orbit, NumbersAreReadAsCataloguesWriteThem) {
  EXPECT_EQ(OrbitNumber(".0001348"), .0001348);
  EXPECT_EQ(OrbitNumber("-.47102E-5"), -.47102e-5);
  EXPECT_EQ(OrbitNumber("+0.5"), 0.5);
  EXPECT_EQ(OrbitNumber("0925"), 925);
  EXPECT_EQ(OrbitNumber("1e-400"), 0);
  for (const char* bad : {"", "nan", "inf", "1e400", "0x1f", "1,5", "+-1", "-", "."}) {
    EXPECT_EQ(OrbitNumber(bad), std::nullopt) << bad;
  }
}

TEST(Tle, TwoAndThreeLinesGiveOneElementSet) {
  for (const std::string& name :
       {std::string(), std::string("LAMP 4                  \r\n"), std::string("0 LAMP 4\r\n")}) {
    const std::string file = name + kFirst + "\r\n" + kSecond + "\r\n";
    const ParsedBlock parsed = ReadChecked(TleFormat(), file);
    ASSERT_EQ(parsed.records.size(), 1u) << (parsed.rejects.empty() ? "" : parsed.rejects[0].reason);
    const Record& record = parsed.records[0];
    EXPECT_EQ(record.kind, "element-set");
    EXPECT_EQ(record.author, "12345");
    EXPECT_EQ(record.time, 1709208000000000);
    EXPECT_EQ(Field(record, "OBJECT_NAME"), name.empty() ? "(none)" : "LAMP 4");
    EXPECT_EQ(Field(record, "OBJECT_ID"), "2019-074B");
    EXPECT_EQ(Field(record, "CLASSIFICATION_TYPE"), "U");
    EXPECT_EQ(Field(record, "EPHEMERIS_TYPE"), "0");
    EXPECT_EQ(Channel(record, "MEAN_MOTION"), 15.0639782);
    EXPECT_EQ(Unit(record, "MEAN_MOTION"), "rev/d");
    EXPECT_EQ(Channel(record, "ECCENTRICITY"), 0.0001412);
    EXPECT_EQ(Channel(record, "INCLINATION"), 53.0552);
    EXPECT_EQ(Channel(record, "RA_OF_ASC_NODE"), 131.8405);
    EXPECT_EQ(Channel(record, "ARG_OF_PERICENTER"), 91.3951);
    EXPECT_EQ(Channel(record, "MEAN_ANOMALY"), 268.72);
    EXPECT_EQ(Channel(record, "BSTAR"), -0.10273e-4);
    EXPECT_EQ(Unit(record, "BSTAR"), "1/earth_radius");
    EXPECT_EQ(Channel(record, "MEAN_MOTION_DOT"), -.00000434);
    EXPECT_EQ(Channel(record, "MEAN_MOTION_DDOT"), 0);
    EXPECT_EQ(Channel(record, "NORAD_CAT_ID"), 12345);
    EXPECT_EQ(Channel(record, "ELEMENT_SET_NO"), 999);
    EXPECT_EQ(Channel(record, "REV_AT_EPOCH"), 3850);
    EXPECT_EQ(record.original, file.substr(0, file.size() - 2));
  }
}

TEST(Tle, AlphaFiveAndOldYearsAreRead) {
  const std::string first = WithChecksum("1 A0534U 57001A   57001.00000001  .00112611  00000-0  66694-3 0  9997");
  const std::string second = WithChecksum("2 A0534  70.0006 102.5417 0003228 274.4885  85.5946 15.77591240  4697");
  const ParsedBlock parsed = ReadChecked(TleFormat(), first + "\n" + second);
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(parsed.records[0].author, "100534");
  EXPECT_EQ(parsed.records[0].time, -410227200000000 + 864);
  EXPECT_EQ(Field(parsed.records[0], "OBJECT_ID"), "1957-001A");
}

std::string Reason(const std::string& first, const std::string& second) {
  const ParsedBlock parsed = ReadChecked(TleFormat(), first + "\n" + second + "\n");
  EXPECT_TRUE(parsed.records.empty());
  return parsed.rejects.size() == 1 ? parsed.rejects[0].reason : "";
}

std::string Changed(std::string line, size_t at, std::string_view with) { return line.replace(at, with.size(), with); }

TEST(Tle, WhatIsWrongWithASetIsSaid) {
  EXPECT_EQ(Reason(Changed(kFirst, 68, kFirst[68] == '3' ? "4" : "3"), kSecond),
            fmt::format("line 1: the checksum is {}, the line says {}", kFirst[68], kFirst[68] == '3' ? '4' : '3'));
  EXPECT_EQ(Reason(kFirst, kSecond.substr(0, 68)), "line 2 has 68 columns, not 69");
  EXPECT_EQ(Reason(kFirst, WithChecksum(Changed(kSecond, 2, "12346"))),
            "line 1 is of satellite 12345, line 2 of 12346");
  EXPECT_EQ(Reason(WithChecksum(Changed(kFirst, 18, "25366")), kSecond), "line 1: the year 2025 has no day 366");
  EXPECT_EQ(Reason(kFirst, WithChecksum(Changed(kSecond, 8, "181.0000"))), "INCLINATION 181 is not in [0, 180]");
  EXPECT_EQ(Reason(kFirst, WithChecksum(Changed(kSecond, 52, " 0.00000000"))), "MEAN_MOTION 0 is not above 0");
  EXPECT_EQ(Reason(kFirst, WithChecksum(Changed(kSecond, 26, "00O1412"))),
            "line 2, columns 27 to 33: no eccentricity: \"00O1412\"");
  EXPECT_EQ(Reason(WithChecksum(Changed(kFirst, 53, "-1027x-4")), kSecond),
            "line 1, columns 54 to 61: no number: \"-1027x-4\"");
  EXPECT_EQ(Reason(WithChecksum(Changed(kFirst, 8, "1")), kSecond), "line 1 has '1' in column 9, where a blank is due");
}

TEST(Tle, LinesWithoutTheirOthersAreRejectedAlone) {
  const std::string file =
      "LAMP 1\n" + kFirst + "\nLAMP 2\n" + kFirst + "\n" + kSecond + "\n" + kSecond + "\n\n# note\nLAMP 3\n";
  const ParsedBlock parsed = ReadChecked(TleFormat(), file);
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(Field(parsed.records[0], "OBJECT_NAME"), "LAMP 2");
  ASSERT_EQ(parsed.rejects.size(), 3u);
  EXPECT_EQ(parsed.rejects[0].reason, "line 1 of an element set without line 2");
  EXPECT_EQ(parsed.rejects[1].reason, "line 2 of an element set without line 1");
  EXPECT_EQ(parsed.rejects[2].reason, "not an element set: line 1 of one does not follow");
}

constexpr char kObject[] =
    R"({"OBJECT_NAME":"LAMP 4","OBJECT_ID":"2026-200A","EPOCH":"2026-10-01T22:11:24.452448","MEAN_MOTION":15.7759124,)"
    R"("ECCENTRICITY":0.00032284,"INCLINATION":70.0006,"RA_OF_ASC_NODE":102.5417,"ARG_OF_PERICENTER":274.4885,)"
    R"("MEAN_ANOMALY":85.5946,"EPHEMERIS_TYPE":0,"CLASSIFICATION_TYPE":"U","NORAD_CAT_ID":100534,"ELEMENT_SET_NO":999,)"
    R"("REV_AT_EPOCH":469,"BSTAR":0.00066694375,"MEAN_MOTION_DOT":0.00112611,"MEAN_MOTION_DDOT":0})";
constexpr char kHeader[] =
    "OBJECT_NAME,OBJECT_ID,EPOCH,MEAN_MOTION,ECCENTRICITY,INCLINATION,RA_OF_ASC_NODE,ARG_OF_PERICENTER,MEAN_ANOMALY,"
    "EPHEMERIS_TYPE,CLASSIFICATION_TYPE,NORAD_CAT_ID,ELEMENT_SET_NO,REV_AT_EPOCH,BSTAR,MEAN_MOTION_DOT,MEAN_MOTION_"
    "DDOT";
constexpr char kRow[] =
    "LAMP "
    "4,2026-200A,2026-10-01T22:11:24.452448,15.7759124,.00032284,70.0006,102.5417,274.4885,85.5946,0,U,100534,999,469,"
    ".66694375E-3,.112611E-2,0";
constexpr char kKvn[] =
    "CCSDS_OMM_VERS = 2.0\nCOMMENT one\nCOMMENT two\nOBJECT_NAME = LAMP 4\nOBJECT_ID = 2026-200A\n\nTIME_SYSTEM = UTC\n"
    "EPOCH = 2026-274T22:11:24.452448\nMEAN_MOTION = 15.7759124 [rev/day]\nECCENTRICITY = 0.00032284\n"
    "INCLINATION = 70.0006 [deg]\nRA_OF_ASC_NODE = 102.5417\nARG_OF_PERICENTER = 274.4885\nMEAN_ANOMALY = 85.5946\n"
    "EPHEMERIS_TYPE = 0\nCLASSIFICATION_TYPE = U\nNORAD_CAT_ID = 100534\nELEMENT_SET_NO = 0999\nREV_AT_EPOCH = 469\n"
    "BSTAR = 0.00066694375 [1/ER]\nMEAN_MOTION_DOT = 0.00112611 [rev/day**2]\nMEAN_MOTION_DDOT = 0 [rev/day**3]";
constexpr char kXml[] =
    "<omm id=\"CCSDS_OMM_VERS\" version=\"2.0\"><header><ORIGINATOR>A &amp; "
    "B</ORIGINATOR></header><body><segment><metadata>"
    "<OBJECT_NAME>LAMP 4</OBJECT_NAME><OBJECT_ID>2026-200A</OBJECT_ID><TIME_SYSTEM>UTC</TIME_SYSTEM></metadata><data>"
    "<meanElements><EPOCH>2026-10-01T22:11:24.452448</EPOCH><MEAN_MOTION units=\"rev/day\">15.7759124</MEAN_MOTION>"
    "<ECCENTRICITY>.00032284</ECCENTRICITY><INCLINATION>70.0006</INCLINATION><RA_OF_ASC_NODE>102.5417</RA_OF_ASC_NODE>"
    "<ARG_OF_PERICENTER>274.4885</ARG_OF_PERICENTER><MEAN_ANOMALY>85.5946</MEAN_ANOMALY></meanElements><tleParameters>"
    "<EPHEMERIS_TYPE>0</EPHEMERIS_TYPE><CLASSIFICATION_TYPE>U</CLASSIFICATION_TYPE><NORAD_CAT_ID>100534</NORAD_CAT_ID>"
    "<ELEMENT_SET_NO>999</ELEMENT_SET_NO><REV_AT_EPOCH>469</REV_AT_EPOCH><BSTAR>.66694375E-3</BSTAR>"
    "<MEAN_MOTION_DOT>.112611E-2</MEAN_MOTION_DOT><MEAN_MOTION_DDOT>0</MEAN_MOTION_DDOT></tleParameters>"
    "<userDefinedParameters><USER_DEFINED parameter=\"EARTH_MODEL\">WGS-84</USER_DEFINED></userDefinedParameters>"
    "</data></segment></body></omm>";

TEST(Omm, TheFourNotationsSayTheSame) {
  const std::string files[] = {
      std::string("[\n  ") + kObject + "\n]\n", std::string(kHeader) + "\r\n" + kRow + "\r\n", std::string(kKvn) + "\n",
      std::string("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ndm><!-- </omm> -->\n") + kXml + "\n</ndm>\n"};
  const std::string originals[] = {kObject, kRow, kKvn, kXml};
  std::vector<std::pair<std::string, double>> channels;
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(OmmFormat().Detect("/f", files[i]), 95) << i;
    const ParsedBlock parsed = ReadChecked(OmmFormat(), files[i]);
    ASSERT_EQ(parsed.records.size(), 1u) << i;
    EXPECT_TRUE(parsed.rejects.empty()) << i;
    const Record& record = parsed.records[0];
    EXPECT_EQ(record.kind, "element-set");
    EXPECT_EQ(record.author, "100534");
    EXPECT_EQ(record.time, 1790892684452448);
    EXPECT_EQ(record.time_precision, TimePrecision::kMicrosecond);
    EXPECT_EQ(Field(record, "OBJECT_NAME"), "LAMP 4");
    EXPECT_EQ(Field(record, "CLASSIFICATION_TYPE"), "U");
    EXPECT_EQ(Field(record, "EPHEMERIS_TYPE"), "0");
    EXPECT_EQ(Unit(record, "MEAN_MOTION_DOT"), "rev/d2");
    EXPECT_EQ(record.original, originals[i]);
    if (i == 0) channels = record.channels;
    EXPECT_EQ(record.channels, channels) << i;
  }
  EXPECT_EQ(channels.size(), 12u);
  EXPECT_EQ(Field(Read(OmmFormat(), files[2]).records[0], "COMMENT"), "one\ntwo");
  EXPECT_EQ(Field(Read(OmmFormat(), files[3]).records[0], "USER_DEFINED_EARTH_MODEL"), "WGS-84");
  EXPECT_EQ(Field(Read(OmmFormat(), files[3]).records[0], "ORIGINATOR"), "A & B");
}

TEST(Omm, SeveralInAFileAreReadInEachNotation) {
  const std::string object(kObject);
  const std::string files[] = {"[" + object + "," + object + "]",
                               object + "\n" + object + "\n",
                               "{\"request_metadata\":{\"Total\":2},\"data\":[" + object + ",\n" + object + "]}\n",
                               std::string(kHeader) + "\n" + kRow + "\n" + kHeader + "\n" + kRow,
                               std::string(kKvn) + "\n\n" + kKvn + "\n",
                               std::string("<ndm>") + kXml + "<!-- x -->" + kXml + "</ndm>"};
  for (const std::string& file : files) {
    const ParsedBlock parsed = ReadChecked(OmmFormat(), file);
    EXPECT_EQ(parsed.records.size(), 2u) << file;
    EXPECT_TRUE(parsed.rejects.empty()) << file << "\n" << parsed.rejects[0].reason;
  }
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

std::string OmmReason(const std::string& file) {
  const ParsedBlock parsed = ReadChecked(OmmFormat(), file);
  EXPECT_TRUE(parsed.records.empty());
  return parsed.rejects.size() == 1 ? parsed.rejects[0].reason : fmt::format("{} rejects", parsed.rejects.size());
}

TEST(Omm, WhatIsWrongWithAMessageIsSaid) {
  EXPECT_EQ(OmmReason(Replaced(kObject, "0.00032284", "1.0")), "ECCENTRICITY 1 is not in [0, 1)");
  EXPECT_EQ(OmmReason(Replaced(kObject, "0.00032284", "\"NaN\"")), "ECCENTRICITY is not a number: \"NaN\"");
  EXPECT_EQ(OmmReason(Replaced(kObject, "0.00032284", "null")), "no ECCENTRICITY");
  EXPECT_EQ(OmmReason(Replaced(kObject, "70.0006", "-1")), "INCLINATION -1 is not in [0, 180]");
  EXPECT_EQ(OmmReason(Replaced(kObject, "2026-10-01", "2026-02-30")),
            "EPOCH is no date: \"2026-02-30T22:11:24.452448\"");
  EXPECT_EQ(OmmReason(Replaced(kObject, "100534", "\"I0534\"")), "NORAD_CAT_ID is no catalogue number: \"I0534\"");
  EXPECT_EQ(OmmReason(Replaced(kKvn, "[deg]", "[rad]")), "INCLINATION is in rad, where deg is due");
  EXPECT_EQ(OmmReason(Replaced(kXml, "</segment>", "")).substr(0, 25), "not XML: mismatched tag a");
  EXPECT_EQ(OmmReason(std::string(kHeader) + "\nLAMP 4,2026-200A\n"), "2 cells, the header has 17");
  EXPECT_EQ(OmmReason("<ndm><oem></oem></ndm>"), "not an <omm>");
  EXPECT_EQ(OmmReason(std::string(kObject).substr(0, 200)), "not JSON: the object breaks off");
}

TEST(Omm, AnEpochOfAnotherClockIsConvertedOrLeftAsText) {
  const ParsedBlock gps = ReadChecked(OmmFormat(), Replaced(kKvn, "= UTC", "= GPS"));
  EXPECT_EQ(gps.records.at(0).time, 1790892684452448 - 18000000);
  EXPECT_EQ(Field(gps.records[0], "EPOCH"), "2026-274T22:11:24.452448");
  EXPECT_EQ(ReadChecked(OmmFormat(), Replaced(kKvn, "= UTC", "= TAI")).records.at(0).time, 1790892684452448 - 37000000);
  const ParsedBlock mission = ReadChecked(OmmFormat(), Replaced(kKvn, "= UTC", "= MRT"));
  EXPECT_EQ(mission.records.at(0).time, std::nullopt);
  EXPECT_EQ(Field(mission.records[0], "EPOCH"), "2026-274T22:11:24.452448");
}

constexpr char kEphemeris[] =
    "created:2026-09-11 01:55:52 UTC\n"
    "ephemeris_start:2026-09-11 01:42:42 UTC ephemeris_stop:2026-09-14 01:42:42 UTC step_size:60\n"
    "ephemeris_source:blend\nUVW\n"
    "2026254014242.000 4244.5 1264.25 5043.125 3.5 5.25 -4.125\n"
    "1e-07 2e-07 3e-07 4e-10 5e-10 6e-06 7e-10\n8e-10 9e-13 10e-12 11e-10 12e-10 13e-12 14e-13\n"
    "15e-13 16e-13 17e-13 18e-09 19e-16 20e-15 21e-12\n"
    "2026254014342.5 1 2 3 4 5 6\n"
    "2026366014442.000 1 2 3 4 5 6\n"
    "2026254014542.000 1 2 x 4 5 6\n"
    "2026254014642.000 1 2 3 4 5 6\n1 2 3\n\nbye\n";

TEST(Ephemeris, StatesHavePlaceVelocityAndCovariance) {
  EXPECT_EQ(EphemerisFormat().Detect("/f.txt", kEphemeris), 95);
  const ParsedBlock parsed = ReadChecked(EphemerisFormat(), kEphemeris, {},
                                         "/d/MEME_100001_STARLINK-38128_2540142_Operational_1_UNCLASSIFIED.txt");
  ASSERT_EQ(parsed.records.size(), 2u);
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.kind, "ephemeris-state");
  EXPECT_EQ(record.author, "100001");
  EXPECT_EQ(record.time, 1789090962000000);
  EXPECT_EQ(record.time_precision, TimePrecision::kMillisecond);
  EXPECT_EQ(Channel(record, "x"), 4244.5);
  EXPECT_EQ(Unit(record, "x"), "km");
  EXPECT_EQ(Channel(record, "vz"), -4.125);
  EXPECT_EQ(Unit(record, "vz"), "km/s");
  EXPECT_EQ(Channel(record, "c11"), 1e-7);
  EXPECT_EQ(Channel(record, "c33"), 6e-6);
  EXPECT_EQ(Channel(record, "c41"), 7e-10);
  EXPECT_EQ(Unit(record, "c41"), "km2/s");
  EXPECT_EQ(Channel(record, "c66"), 21e-12);
  EXPECT_EQ(Unit(record, "c66"), "km2/s2");
  EXPECT_EQ(record.channels.size(), 27u);
  EXPECT_EQ(Field(record, "OBJECT_NAME"), "STARLINK-38128");
  EXPECT_EQ(Field(record, "frame"), "EME2000");
  EXPECT_EQ(Field(record, "covariance_frame"), "UVW");
  EXPECT_EQ(Field(record, "ephemeris_source"), "blend");
  EXPECT_EQ(Field(record, "ephemeris_stop"), "2026-09-14 01:42:42 UTC");
  EXPECT_EQ(Field(record, "step_size"), "60");
  EXPECT_EQ(parsed.records[1].time, 1789091022500000);
  EXPECT_EQ(parsed.records[1].channels.size(), 6u);
  ASSERT_EQ(parsed.rejects.size(), 4u);
  EXPECT_EQ(parsed.rejects[0].reason, "no time: \"2026366014442.000\"");
  EXPECT_EQ(parsed.rejects[1].reason, "z is not a number: \"x\"");
  EXPECT_EQ(parsed.rejects[2].reason, "the covariance has 3 terms, not 21");
  EXPECT_EQ(parsed.rejects[3].reason, "a line that belongs to no state");
}

TEST(Ephemeris, AFileMayBeginWithAState) {
  const std::string file = std::string(kEphemeris).substr(std::string_view(kEphemeris).find("2026254014242"));
  EXPECT_EQ(EphemerisFormat().Detect("/f.txt", file), 95);
  const ParsedBlock parsed = ReadChecked(EphemerisFormat(), file);
  ASSERT_EQ(parsed.records.size(), 2u);
  EXPECT_EQ(parsed.records[0].author, "");
  EXPECT_EQ(Field(parsed.records[0], "frame"), "(none)");
}

TEST(Satellites, TheSampleTlesAreReadWhole) {
  struct Facts {
    const char* file;
    size_t sets;
    const char* last;
    int64_t time;
  };
  // 26001.25002315 is 2026-01-01T06:00:02.000160Z, 26140.50003471 2026-05-20T12:00:02.998944Z.
  constexpr Facts kFacts[] = {{"starlink_01-01-2026.tle", 9320, "67218", 1767247202000160},
                              {"starlink_20-05-2026.tle", 10360, "69048", 1779278402998944}};
  for (const Facts& facts : kFacts) {
    const std::string bytes = Sample(std::string("satellites/") + facts.file);
    if (bytes.empty()) GTEST_SKIP() << "no sample data";
    EXPECT_EQ(TleFormat().Detect("/f", bytes.substr(0, 65536)), 95);
    const ParsedBlock parsed = ReadChecked(TleFormat(), bytes);
    EXPECT_TRUE(parsed.rejects.empty());
    ASSERT_EQ(parsed.records.size(), facts.sets);
    EXPECT_EQ(parsed.records[0].author, "44714");
    EXPECT_EQ(parsed.records.back().author, facts.last);
    EXPECT_EQ(parsed.records.back().time, facts.time);
  }
}

TEST(Satellites, TheSampleOmmAreReadWholeAndTheTleOfASetSaysTheSame) {
  const std::string json = Sample("satellites/starlink_2025-05-25_omm.json");
  const std::string csv = Sample("satellites/starlink_2025-05-25_omm.csv");
  if (json.empty() || csv.empty()) GTEST_SKIP() << "no sample data";
  for (const std::string& bytes : {json, csv}) {
    EXPECT_EQ(OmmFormat().Detect("/f", bytes.substr(0, 65536)), 95);
    const ParsedBlock parsed = ReadChecked(OmmFormat(), bytes);
    EXPECT_TRUE(parsed.rejects.empty());
    ASSERT_EQ(parsed.records.size(), 7483u);
    const Record& first = parsed.records[0];
    EXPECT_EQ(first.author, "44714");
    EXPECT_EQ(first.time, 1748110822669728);
    EXPECT_EQ(Channel(first, "BSTAR"), 0.00020262);
    EXPECT_EQ(Channel(first, "MEAN_MOTION_DOT"), 2.739e-05);
    EXPECT_EQ(Channel(first, "ECCENTRICITY"), 0.0001348);
    EXPECT_EQ(parsed.records.back().author, "64047");
  }
  const ParsedBlock omm = ReadChecked(OmmFormat(), Sample("satellites/six_digit_catalog_omm.json"));
  const ParsedBlock tle = ReadChecked(TleFormat(), Sample("satellites/six_digit_catalog_alpha5.tle"));
  ASSERT_EQ(omm.records.size(), 1u);
  ASSERT_EQ(tle.records.size(), 1u);
  EXPECT_EQ(omm.records[0].author, "100534");
  EXPECT_EQ(tle.records[0].author, "100534");
  EXPECT_EQ(Field(tle.records[0], "OBJECT_ID"), Field(omm.records[0], "OBJECT_ID"));
  EXPECT_LE(std::abs(*omm.records[0].time - *tle.records[0].time), 864);
  for (const char* name :
       {"MEAN_MOTION", "INCLINATION", "RA_OF_ASC_NODE", "MEAN_ANOMALY", "MEAN_MOTION_DOT", "REV_AT_EPOCH"}) {
    EXPECT_EQ(Channel(tle.records[0], name), Channel(omm.records[0], name)) << name;
  }
}

TEST(Satellites, TheSampleMessagesAreReadOrRejectedForWhatIsWrong) {
  const auto read = [](const char* name) {
    return ReadChecked(OmmFormat(), Sample(std::string("satellites/omm_") + name));
  };
  if (Sample("satellites/omm_OMMExample1.txt").empty()) GTEST_SKIP() << "no sample data";
  for (const char* name : {"OMMExample1.txt", "OMMExample2.txt", "OMMExample2.xml", "OMM-with-units.xml"}) {
    const ParsedBlock parsed = read(name);
    ASSERT_EQ(parsed.records.size(), 1u) << name;
    EXPECT_EQ(parsed.records[0].author, "23581");
    EXPECT_EQ(parsed.records[0].time, 1173090881426400);
    EXPECT_EQ(Channel(parsed.records[0], "MEAN_MOTION"), 1.00273272);
    EXPECT_EQ(Channel(parsed.records[0], "ELEMENT_SET_NO"), 925);
  }
  EXPECT_EQ(Channel(read("OMMExample2.xml").records[0], "CX_DOT_X_DOT"), 4.296022805587290e-10);
  EXPECT_EQ(Unit(read("OMMExample2.txt").records[0], "CX_DOT_X_DOT"), "km2/s2");
  const ParsedBlock mission = read("OMMExample3.txt");
  ASSERT_EQ(mission.records.size(), 1u);
  EXPECT_EQ(mission.records[0].time, std::nullopt);  // of a mission's own clock
  EXPECT_EQ(mission.records[0].author, "1995-025A");
  EXPECT_EQ(Channel(mission.records[0], "SEMI_MAJOR_AXIS"), 6800);
  EXPECT_EQ(read("OMM-empty-object-id.xml").records.at(0).author, "7646");
  EXPECT_EQ(Field(read("OMM-empty-object-id.txt").records.at(0), "OBJECT_ID"), "(none)");
  EXPECT_EQ(read("OMM-number-format-error.txt").rejects.at(0).reason,
            "ARG_OF_PERICENTER is not a number: \"this-is-not-a-number\"");
}

TEST(Satellites, TheSampleEphemerisIsRead) {
  const std::string name = "satellites/MEME_100001_STARLINK-38128_first4.txt";
  const std::string bytes = Sample(name);
  if (bytes.empty()) GTEST_SKIP() << "no sample data";
  EXPECT_EQ(EphemerisFormat().Detect(name, bytes), 95);
  const ParsedBlock parsed = ReadChecked(EphemerisFormat(), bytes, {}, name);
  ASSERT_EQ(parsed.records.size(), 4u);
  EXPECT_TRUE(parsed.rejects.empty());
  const Record& last = parsed.records[3];
  EXPECT_EQ(last.time, 1789091142000000);
  EXPECT_EQ(last.author, "100001");
  EXPECT_EQ(Channel(last, "y"), 2177.3651006450);
  EXPECT_EQ(Channel(last, "c66"), 4.6120261365e-12);
  EXPECT_EQ(Channel(last, "c41"), 1.1508526116e-09);
}

// No file of the sample data is taken for one of these but their own.
TEST(Satellites, OnlyTheirOwnFilesAreFound) {
  const std::filesystem::path root = source_testing::SamplePath("");
  if (!std::filesystem::exists(root)) GTEST_SKIP() << "no sample data";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path().string();
    std::string head(65536, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<size_t>(file.gcount()));
    const absl::StatusOr<const Format*> format = DetectFormat(path, head);
    const std::string found = format.ok() && *format != nullptr ? std::string((*format)->name()) : "";
    const std::string name = entry.path().filename().string();
    const std::string folder = entry.path().parent_path().filename().string();
    std::string own;
    if (folder == "starlink_dish" && !name.starts_with("wetlinks")) {
      own = name.find("status") != std::string::npos    ? "starlink-status"
            : name.find("history") != std::string::npos ? "starlink-history"
                                                        : "starlink-obstruction";
    } else if (folder == "satellites") {
      own = name.ends_with(".tle") ? "tle" : name.starts_with("MEME") ? "ephemeris" : "omm";
    }
    const bool ours = found.starts_with("starlink-") || found == "tle" || found == "omm" || found == "ephemeris";
    if (ours || !own.empty()) {
      EXPECT_EQ(found, own) << path;
    }
  }
}

}  // namespace
}  // namespace rhodes
