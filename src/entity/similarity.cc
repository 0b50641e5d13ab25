#include "entity/similarity.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace rhodes {
namespace {

// The letters of `a` and `b` that match within half the longer length, as Jaro counts them: their number, and half of
// those out of order.
std::pair<size_t, size_t> JaroMatches(std::string_view a, std::string_view b) {
  const size_t longer = std::max(a.size(), b.size());
  const size_t window = longer / 2 > 0 ? longer / 2 - 1 : 0;
  std::vector<bool> taken(b.size());
  std::vector<char> matched;
  for (size_t i = 0; i < a.size(); ++i) {
    const size_t begin = i > window ? i - window : 0;
    const size_t end = std::min(i + window + 1, b.size());
    for (size_t j = begin; j < end; ++j) {
      if (taken[j] || a[i] != b[j]) continue;
      taken[j] = true;
      matched.push_back(a[i]);
      break;
    }
  }
  size_t at = 0;
  size_t misplaced = 0;
  for (size_t j = 0; j < b.size(); ++j) {
    if (taken[j] && matched[at++] != b[j]) ++misplaced;
  }
  return {matched.size(), misplaced / 2};
}

}  // namespace

double JaroWinkler(std::string_view a, std::string_view b) {
  if (a == b) return 1;
  if (a.empty() || b.empty()) return 0;
  const auto [matches, transpositions] = JaroMatches(a, b);
  if (matches == 0) return 0;
  const auto m = static_cast<double>(matches);
  const double jaro = (m / static_cast<double>(a.size()) + m / static_cast<double>(b.size()) +
                       (m - static_cast<double>(transpositions)) / m) /
                      3;
  size_t prefix = 0;
  while (prefix < std::min({a.size(), b.size(), size_t{4}}) && a[prefix] == b[prefix]) ++prefix;
  return jaro + 0.1 * static_cast<double>(prefix) * (1 - jaro);
}

double NumberCloseness(double a, double b) {
  if (a == b) return 1;
  return std::max(0.0, 1 - std::abs(a - b) / std::max(std::abs(a), std::abs(b)));
}

double MetresBetween(std::pair<double, double> a, std::pair<double, double> b) {
  constexpr double kRadius = 6'371'008.8;
  constexpr double kRadians = std::numbers::pi / 180;
  const double north = std::sin((b.first - a.first) * kRadians / 2);
  const double east = std::sin((b.second - a.second) * kRadians / 2);
  const double h = north * north + std::cos(a.first * kRadians) * std::cos(b.first * kRadians) * east * east;
  return 2 * kRadius * std::asin(std::min(1.0, std::sqrt(h)));
}

double CodeCloseness(std::string_view a, std::string_view b) {
  if (a == b) return 1;
  if (a.size() > b.size()) std::swap(a, b);
  size_t common = 0;
  while (common < a.size() && a[common] == b[common]) ++common;
  if (b.ends_with(a)) common = a.size();
  const double share = static_cast<double>(common) / static_cast<double>(b.size());
  // One that goes on where the other ends is a variant; one that differs inside is another part.
  return share >= 0.6 && common == a.size() ? share : 0;
}

}  // namespace rhodes
