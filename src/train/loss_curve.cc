#include "train/loss_curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace rhodes {
namespace {

constexpr size_t kLabel = 8;  // characters left of the curve

// The dots of a braille character by column and row, from the top (Unicode 10.0, block U+2800).
constexpr uint8_t kDots[2][4] = {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}};

std::string Braille(uint8_t dots) {
  if (dots == 0) return " ";
  return {static_cast<char>(0xe2), static_cast<char>(0xa0 | dots >> 6), static_cast<char>(0x80 | (dots & 0x3f))};
}

// The mean of the values that fall on each of `places`.
std::vector<std::optional<double>> Means(std::span<const double> values, size_t whole, size_t places) {
  std::vector<double> sums(places);
  std::vector<size_t> counts(places);
  const size_t all = std::max<size_t>({whole, values.size(), 1});
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const size_t place = all <= places ? i * (places - 1) / std::max<size_t>(1, all - 1) : i * places / all;
    sums[place] += values[i];
    ++counts[place];
  }
  std::vector<std::optional<double>> means(places);
  for (size_t i = 0; i < places; ++i) {
    if (counts[i] > 0) means[i] = sums[i] / static_cast<double>(counts[i]);
  }
  return means;
}

}  // namespace

std::vector<std::string> DrawCurve(std::span<const double> values, size_t whole, size_t columns, size_t rows) {
  if (columns <= kLabel + 1 || rows == 0) return {};
  const size_t wide = columns - kLabel, places = 2 * wide, high = 4 * rows;
  const std::vector<std::optional<double>> means = Means(values, whole, places);
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const std::optional<double>& mean : means) {
    if (!mean) continue;
    least = std::min(least, *mean);
    most = std::max(most, *mean);
  }
  if (!std::isfinite(least)) return {};
  const double span = std::max(most - least, 1e-9);
  std::vector<uint8_t> cells(wide * rows);
  std::optional<size_t> before;
  for (size_t x = 0; x < places; ++x) {
    if (!means[x]) continue;
    const size_t y = static_cast<size_t>(std::lround((most - *means[x]) / span * static_cast<double>(high - 1)));
    const size_t from = std::min(before.value_or(y), y), to = std::max(before.value_or(y), y);
    for (size_t dot = from; dot <= to; ++dot) {
      if (before && dot == *before && from != to) continue;  // it has this dot already, to the left
      cells[dot / 4 * wide + x / 2] |= kDots[x % 2][dot % 4];
    }
    before = y;
  }
  std::vector<std::string> lines;
  for (size_t row = 0; row < rows; ++row) {
    std::string line = row == 0          ? fmt::format("{:>{}.3f} ", most, kLabel - 1)
                       : row + 1 == rows ? fmt::format("{:>{}.3f} ", least, kLabel - 1)
                                         : std::string(kLabel, ' ');
    for (size_t x = 0; x < wide; ++x) line += Braille(cells[row * wide + x]);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace rhodes
