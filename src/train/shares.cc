#include "train/shares.h"

#include <algorithm>

namespace rhodes {
namespace {

constexpr int64_t kLine = 32;          // elements; borders inside a run lie on cache lines of its copies too
constexpr int64_t kLeastPiece = 4096;  // a run is not cut into smaller ones: a message has its cost
constexpr double kElementCost = 64;    // of AdamW beside a multiplication of Muon's: it waits for memory

struct Unit {
  int64_t begin = 0, end = 0;
  double cost = 0;
  bool whole = false;
};

// A matrix of Muon is a unit, what lies between two of them another. A gap goes with what is before it.
std::vector<Unit> UnitsOf(const ParameterLayout& layout, int64_t begin, int64_t end, bool whole_matrices) {
  std::vector<Unit> units;
  for (const Parameter& p : layout.parameters()) {
    if (p.offset < begin || p.offset >= end) continue;
    const bool whole = whole_matrices && p.kind == ParameterKind::kMatrix;
    if (!units.empty()) units.back().end = p.offset;
    if (units.empty() || whole || units.back().whole)
      units.push_back({units.empty() ? begin : p.offset, end, 0, whole});
    const double size = static_cast<double>(p.size());
    units.back().cost += whole ? size * static_cast<double>(std::min(p.rows, p.columns)) : size * kElementCost;
  }
  if (!units.empty()) units.back().end = end;
  return units;
}

}  // namespace

std::vector<Share> DealShares(const ParameterLayout& layout, int ranks, bool whole_matrices) {
  std::vector<Share> shares;
  std::vector<double> load(static_cast<size_t>(ranks));
  const auto deal = [&](int64_t begin, int64_t end) {
    std::vector<Unit> units = UnitsOf(layout, begin, end, whole_matrices);
    std::ranges::stable_sort(units, std::greater<>(), &Unit::cost);
    for (const Unit& unit : units) {
      const int64_t size = unit.end - unit.begin;
      if (!unit.whole && size >= ranks * kLeastPiece) {
        for (int rank = 0; rank < ranks; ++rank) {
          const int64_t lines = (size + kLine - 1) / kLine;
          const int64_t from = unit.begin + lines * rank / ranks * kLine;
          const int64_t to = std::min(unit.end, unit.begin + lines * (rank + 1) / ranks * kLine);
          shares.push_back({from, to, rank});
          load[static_cast<size_t>(rank)] += unit.cost / ranks;
        }
        continue;
      }
      const auto least = std::ranges::min_element(load);
      shares.push_back({unit.begin, unit.end, static_cast<int>(least - load.begin())});
      *least += unit.cost;
    }
  };
  const auto& layers = layout.layers();
  deal(0, layers.front().begin);
  for (const ParameterLayout::Layer& layer : layers) deal(layer.begin, layer.end);
  deal(layout.final_norm(), layout.size());
  std::ranges::sort(shares, std::less<>(), &Share::begin);
  return shares;
}

std::span<const Share> SharesIn(std::span<const Share> shares, int64_t begin, int64_t end) {
  const auto first = std::ranges::lower_bound(shares, begin, std::less<>(), &Share::begin);
  const auto last = std::ranges::lower_bound(shares, end, std::less<>(), &Share::begin);
  return {first, last};
}

}  // namespace rhodes
