#include "fuse/place.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace rhodes {
namespace {

constexpr double kPi = std::numbers::pi;
// Greater than the error of DistanceMetres() in radians, which is largest (1e-8) for places opposite to each other.
constexpr double kMargin = 1e-7;

double Radians(double degrees) { return degrees * (kPi / 180); }

// In [0, 2 pi).
double Turn(double longitude) {
  const double turn = std::fmod(longitude, 360.0);
  const double radians = Radians(turn < 0 ? turn + 360 : turn);
  return radians >= 2 * kPi ? 0 : radians;
}

int64_t FloorDivide(int64_t value, int64_t by) {
  const int64_t quotient = value / by;
  return quotient - ((value % by != 0 && (value < 0) != (by < 0)) ? 1 : 0);
}

// The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
uint64_t Mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

uint64_t CellNumber(int64_t band, int64_t across, int64_t stretch) {
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15U;
  uint64_t hash = Mix(static_cast<uint64_t>(band) + kStep);
  hash = Mix(hash + static_cast<uint64_t>(across) + kStep);
  return Mix(hash + static_cast<uint64_t>(stretch) + kStep);
}

}  // namespace

bool IsPlace(double latitude, double longitude) { return std::abs(latitude) <= 90 && std::abs(longitude) <= 360; }

double DistanceMetres(double latitude1, double longitude1, double latitude2, double longitude2) {
  const double phi1 = Radians(latitude1);
  const double phi2 = Radians(latitude2);
  const double north = std::sin((phi2 - phi1) / 2);
  const double east = std::sin(Radians(longitude2 - longitude1) / 2);
  const double haversine = std::clamp(north * north + std::cos(phi1) * std::cos(phi2) * east * east, 0.0, 1.0);
  return 2 * kEarthRadiusMetres * std::atan2(std::sqrt(haversine), std::sqrt(1 - haversine));
}

PlaceGrid::PlaceGrid(double metres, int64_t window)
    : angle_(std::min(metres / kEarthRadiusMetres + kMargin, kPi)),
      sine_(std::sin(std::min(angle_, kPi / 2))),
      window_(window),
      stretch_(window > std::numeric_limits<int64_t>::max() / 2 ? std::numeric_limits<int64_t>::max()
                                                                : std::max<int64_t>(2 * window, 1)),
      bands_(std::max<int64_t>(static_cast<int64_t>(kPi / (2 * angle_)), 1)),
      height_(kPi / static_cast<double>(bands_)) {}

int64_t PlaceGrid::BandOf(double phi) const {
  return std::clamp<int64_t>(static_cast<int64_t>(std::floor((phi + kPi / 2) / height_)), 0, bands_ - 1);
}

int64_t PlaceGrid::CellsOf(int64_t band) const {
  const double south = -kPi / 2 + static_cast<double>(band) * height_;
  const double narrow = std::cos(std::min(std::max(std::abs(south), std::abs(south + height_)), kPi / 2));
  if (sine_ >= narrow) return 1;
  return std::max<int64_t>(static_cast<int64_t>(kPi / std::asin(sine_ / narrow)), 1);
}

uint64_t PlaceGrid::Cell(double latitude, double longitude, int64_t time) const {
  const int64_t band = BandOf(Radians(latitude));
  const int64_t cells = CellsOf(band);
  const double width = 2 * kPi / static_cast<double>(cells);
  const int64_t across = std::min(static_cast<int64_t>(Turn(longitude) / width), cells - 1);
  return CellNumber(band, across, FloorDivide(time, stretch_));
}

void PlaceGrid::NearCells(double latitude, double longitude, int64_t time, std::vector<uint64_t>& cells) const {
  const double phi = Radians(latitude);
  const double lambda = Turn(longitude);
  const bool pole = std::abs(phi) + angle_ >= kPi / 2;
  // How far a cap reaches east and west of its middle.
  const double reach = pole ? kPi : std::asin(std::min(sine_ / std::cos(phi), 1.0)) + kMargin;
  const int64_t first_stretch = FloorDivide(time - window_, stretch_);
  const int64_t last_stretch = FloorDivide(time + window_, stretch_);
  const int64_t last_band = BandOf(phi + angle_);
  for (int64_t band = BandOf(phi - angle_); band <= last_band; ++band) {
    const int64_t across = CellsOf(band);
    const double width = 2 * kPi / static_cast<double>(across);
    auto west = static_cast<int64_t>(std::floor((lambda - reach) / width));
    auto east = static_cast<int64_t>(std::floor((lambda + reach) / width));
    if (pole || east - west + 1 >= across) {
      west = 0;
      east = across - 1;
    }
    for (int64_t i = west; i <= east; ++i) {
      const int64_t cell = (i % across + across) % across;
      for (int64_t stretch = first_stretch; stretch <= last_stretch; ++stretch) {
        cells.push_back(CellNumber(band, cell, stretch));
      }
    }
  }
}

}  // namespace rhodes
