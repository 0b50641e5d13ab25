#include "orbit/sgp4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numbers>
#include <random>
#include <sstream>

#include "orbit/geometry.h"
#include "orbit/propagate.h"
#include "orbit/visibility.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

std::string Testdata(const std::string& name) { return std::string(RHODES_SOURCE_DIR) + "/src/orbit/testdata/" + name; }

// Calls `row(satellite, line)` for each line below two lines of elements.
template <typename Row>
void ForEachRow(const std::string& name, const Row& row) {
  std::ifstream file(Testdata(name));
  ASSERT_TRUE(file.is_open());
  std::string line, first;
  std::optional<Satellite> satellite;
  while (std::getline(file, line)) {
    if (line.starts_with("1 ")) {
      first = line;
    } else if (line.starts_with("2 ")) {
      const absl::StatusOr<MeanElements> elements = ParseTwoLines(first, line);
      ASSERT_TRUE(elements.ok()) << elements.status() << "\n" << first;
      satellite.emplace(*elements);
    } else {
      row(*satellite, line);
    }
  }
}

double Distance(const std::array<double, 3>& a, const std::array<double, 3>& b) {
  return std::sqrt(std::pow(a[0] - b[0], 2) + std::pow(a[1] - b[1], 2) + std::pow(a[2] - b[2], 2));
}

// 33 orbits, among them deep space, both resonances, Lyddane's case, decay: the published verification set.
TEST(Sgp4, GivesThePublishedVerificationStatesToACentimetre) {
  int states = 0, errors = 0, deep = 0;
  ForEachRow("verification_states.txt", [&](const Satellite& satellite, const std::string& line) {
    std::istringstream row(line);
    double minutes = 0;
    int error = 0;
    OrbitState expected, state;
    row >> minutes >> error;
    for (double& value : expected.position) row >> value;
    for (double& value : expected.velocity) row >> value;
    ASSERT_EQ(static_cast<int>(satellite.After(minutes, state)), error) << line;
    if (error != 0) {
      ++errors;
      return;
    }
    EXPECT_LT(Distance(state.position, expected.position), 1e-5) << line;
    EXPECT_LT(Distance(state.velocity, expected.velocity), 1e-8) << line;
    ++states;
    deep += satellite.deep_space() ? 1 : 0;
  });
  EXPECT_GT(states, 700);
  EXPECT_GT(deep, 300);
  EXPECT_GT(errors, 5);
}

TEST(Sgp4, TheVectorsGiveWhatTheScalarCodeGives) {
  ForEachRow("verification_states.txt", [&](const Satellite& satellite, const std::string& line) {
    if (satellite.deep_space()) return;
    const double minutes = std::stod(line);
    OrbitState scalar;
    const OrbitError error = satellite.After(minutes, scalar);
    NearEarthBatch batch;
    batch.Add(satellite, minutes);
    batch.Propagate();
    ASSERT_EQ(batch.error(0), error) << line;
    if (error != OrbitError::kNone) return;
    EXPECT_LT(Distance(batch.state(0).position, scalar.position), 1e-6) << line;
    EXPECT_LT(Distance(batch.state(0).velocity, scalar.velocity), 1e-9) << line;
  });
}

MeanElements RandomElements(std::mt19937& random) {
  std::uniform_real_distribution<double> share(0, 1);
  MeanElements elements;
  elements.epoch = 1709208000000000;
  elements.mean_motion = 6.5 + 9.8 * share(random);  // below the deep-space limit of 225 minutes
  elements.eccentricity = std::pow(10.0, -5 + 4 * share(random));
  elements.inclination = 180 * share(random);
  elements.right_ascension = 360 * share(random);
  elements.argument_of_perigee = 360 * share(random);
  elements.mean_anomaly = 360 * share(random);
  elements.drag = 1e-3 * (share(random) - 0.3);
  return elements;
}

TEST(Sgp4, VectorsOfRandomOrbitsAtRandomTimesAgreeWithTheScalarCode) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> minutes(-20000, 20000);
  NearEarthBatch batch;
  std::vector<OrbitState> states(1003);
  std::vector<OrbitError> errors(states.size());
  for (size_t i = 0; i < states.size(); ++i) {
    const Satellite satellite(RandomElements(random));
    ASSERT_FALSE(satellite.deep_space());
    const double t = minutes(random);
    errors[i] = satellite.After(t, states[i]);
    batch.Add(satellite, t);
  }
  batch.Propagate();
  int good = 0;
  for (size_t i = 0; i < states.size(); ++i) {
    ASSERT_EQ(batch.error(i), errors[i]) << i;
    if (errors[i] != OrbitError::kNone) continue;
    ++good;
    EXPECT_LT(Distance(batch.state(i).position, states[i].position), 1e-6) << i;
  }
  EXPECT_GT(good, 700);
}

TEST(Sgp4, ManyTimesOfOneSatelliteAgreeWithOneAfterAnother) {
  std::mt19937 random(8);
  for (const bool deep : {false, true}) {
    MeanElements elements = RandomElements(random);
    if (deep) elements.mean_motion = 2.0056;
    const Satellite satellite(elements);
    ASSERT_EQ(satellite.deep_space(), deep);
    std::vector<double> minutes;
    for (int i = 0; i < 37; ++i) minutes.push_back(i * 13.7 - 100);
    std::vector<OrbitState> states(minutes.size());
    std::vector<OrbitError> errors(minutes.size());
    PropagateMany(satellite, minutes, states, errors);
    for (size_t i = 0; i < minutes.size(); ++i) {
      OrbitState state;
      ASSERT_EQ(satellite.After(minutes[i], state), errors[i]);
      EXPECT_LT(Distance(states[i].position, state.position), 1e-6);
    }
  }
}

TEST(Sgp4, ElementsThatMakeNoOrbitGiveErrorsAndNoNumbersFromNowhere) {
  const double nan = std::nan("");
  for (const double bad : {nan, 0.0, -1.0, 1e300, HUGE_VAL}) {
    MeanElements elements;
    elements.mean_motion = bad;
    elements.eccentricity = 0.01;
    OrbitState state;
    EXPECT_NE(Satellite(elements).After(10, state), OrbitError::kNone) << bad;
  }
  MeanElements elements;
  elements.mean_motion = 15;
  elements.eccentricity = 1.5;
  OrbitState state;
  EXPECT_NE(Satellite(elements).After(10, state), OrbitError::kNone);
  elements.eccentricity = 0.001;
  EXPECT_EQ(Satellite(elements).After(1e9, state), OrbitError::kTooFar);
  EXPECT_EQ(Satellite(elements).After(nan, state), OrbitError::kTooFar);
}

TEST(TwoLines, WhatIsWrittenReadsBack) {
  std::mt19937 random(9);
  for (int i = 0; i < 200; ++i) {
    const MeanElements elements = RandomElements(random);
    const std::string lines = WriteTwoLines(static_cast<uint32_t>(i * 1600 + 1), "24001A", elements);
    const absl::StatusOr<MeanElements> read = ParseTwoLines(lines.substr(0, 69), lines.substr(70));
    ASSERT_TRUE(read.ok()) << read.status() << "\n" << lines;
    EXPECT_NEAR(static_cast<double>(read->epoch - elements.epoch), 0, 900);
    EXPECT_NEAR(read->mean_motion, elements.mean_motion, 1e-8);
    EXPECT_NEAR(read->eccentricity, elements.eccentricity, 1e-7);
    EXPECT_NEAR(read->inclination, elements.inclination, 1e-4);
    EXPECT_NEAR(read->mean_anomaly, elements.mean_anomaly, 1e-4);
    EXPECT_NEAR(read->drag, elements.drag, 5.1e-5 * std::abs(elements.drag) + 1e-10);  // five digits
  }
}

TEST(TwoLines, SayWhichColumnsAreWrong) {
  MeanElements elements;
  elements.mean_motion = 15;
  const std::string lines = WriteTwoLines(5, "24001A", elements);
  std::string first = lines.substr(0, 69), second = lines.substr(70);
  const auto message = [&] { return std::string(ParseTwoLines(first, second).status().message()); };
  first[68] = first[68] == '3' ? '4' : '3';
  EXPECT_THAT(message(), HasSubstr("ends with the checksum"));
  first = lines.substr(0, 68);
  EXPECT_THAT(message(), HasSubstr("line 1 has 68 columns"));
  first = lines.substr(0, 69);
  second[10] = 'x';
  EXPECT_FALSE(ParseTwoLines(first, second).ok());
}

// Skyfield knows the earth's irregular turning (UT1) and nutation; the sidereal time here takes UTC for UT1.
TEST(LookAngles, AgreeWithSkyfield) {
  int rows = 0;
  ForEachRow("look_angles.txt", [&](const Satellite& satellite, const std::string& line) {
    std::istringstream row(line);
    Geodetic place;
    int64_t seconds = 0;
    LookAngles expected;
    row >> place.latitude >> place.longitude >> place.altitude >> seconds >> expected.azimuth >> expected.elevation >>
        expected.range;
    OrbitState state;
    ASSERT_EQ(satellite.At(seconds * 1000000, state), OrbitError::kNone);
    const LookAngles look = Observer(place).LookAt(TemeToEcef(state.position, SiderealTime(seconds * 1000000)));
    EXPECT_NEAR(look.range, expected.range, 0.5) << line;
    EXPECT_NEAR(look.elevation, expected.elevation, 0.05) << line;
    const double around = std::remainder(look.azimuth - expected.azimuth, 360);
    EXPECT_NEAR(around * std::cos(look.elevation * std::numbers::pi / 180), 0, 0.05) << line;
    ++rows;
  });
  EXPECT_EQ(rows, 120);
}

TEST(Geometry, GeodeticCoordinatesSurviveTheRoundTrip) {
  for (const double latitude : {-90.0, -45.3, 0.0, 1e-7, 51.5, 89.99999, 90.0}) {
    for (const double longitude : {-180.0, -0.1, 0.0, 73.2, 179.9}) {
      for (const double altitude : {-400.0, 0.0, 8848.0, 550000.0, 35786000.0}) {
        const Geodetic back = ToGeodetic(ToEcef({latitude, longitude, altitude}));
        EXPECT_NEAR(back.latitude, latitude, 1e-9);
        EXPECT_NEAR(back.altitude, altitude, 1e-4);
        if (std::abs(latitude) < 90) {
          EXPECT_NEAR(std::remainder(back.longitude - longitude, 360), 0, 1e-9);
        }
      }
    }
  }
}

// The reference: each satellite alone, scalar.
TEST(SatelliteSet, FindsExactlyThoseAboveTheHorizon) {
  std::mt19937 random(10);
  std::vector<Satellite> satellites;
  for (int i = 0; i < 300; ++i) {
    MeanElements elements = RandomElements(random);
    if (i % 10 == 0) elements.mean_motion = 1.0027;
    satellites.emplace_back(elements);
  }
  SatelliteSet set(satellites);
  const Geodetic place{48.1, 11.6, 500};
  const Observer observer(place);
  for (const double minimum : {-90.0, 0.0, 25.0}) {
    const int64_t time = 1709208000000000 + 3600000000;
    std::vector<size_t> expected;
    for (size_t i = 0; i < satellites.size(); ++i) {
      OrbitState state;
      if (satellites[i].At(time, state) != OrbitError::kNone) continue;
      if (observer.LookAt(TemeToEcef(state.position, SiderealTime(time))).elevation >= minimum) expected.push_back(i);
    }
    std::vector<size_t> found;
    double last = 91;
    for (const VisibleSatellite& visible : set.Above(place, time, minimum)) {
      found.push_back(visible.number);
      EXPECT_LE(visible.look.elevation, last);
      last = visible.look.elevation;
    }
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, expected);
    EXPECT_FALSE(expected.empty());
  }
}

}  // namespace
}  // namespace rhodes
