#include "orbit/catalogue.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace rhodes {

void Catalogue::Finish() {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.satellite, a.elements.epoch, a.record) < std::tie(b.satellite, b.elements.epoch, b.record);
  });
  satellites_.reserve(entries_.size());
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (i == 0 || entries_[i].satellite != entries_[i - 1].satellite) firsts_.push_back(i);
    satellites_.emplace_back(entries_[i].elements);
  }
  firsts_.push_back(entries_.size());
}

size_t Catalogue::Choose(size_t first, size_t last, int64_t time) const {
  const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(last);
  const auto after =
      std::upper_bound(begin, end, time, [](int64_t t, const Entry& entry) { return t < entry.elements.epoch; });
  return after == begin ? first : static_cast<size_t>(after - entries_.begin()) - 1;
}

Catalogue::Chosen Catalogue::At(int64_t time) const {
  Chosen chosen;
  chosen.from = std::numeric_limits<int64_t>::min();
  chosen.until = std::numeric_limits<int64_t>::max();
  for (size_t s = 0; s + 1 < firsts_.size(); ++s) {
    const size_t entry = Choose(firsts_[s], firsts_[s + 1], time);
    chosen.entries.push_back(entry);
    // Before its first epoch a satellite is described by that one already.
    const int64_t epoch = entries_[entry].elements.epoch;
    if (epoch <= time) chosen.from = std::max(chosen.from, entry == firsts_[s] ? chosen.from : epoch);
    if (entry + 1 < firsts_[s + 1]) chosen.until = std::min(chosen.until, entries_[entry + 1].elements.epoch);
  }
  return chosen;
}

std::optional<size_t> Catalogue::Find(std::string_view satellite, int64_t time) const {
  const auto found =
      std::lower_bound(firsts_.begin(), firsts_.empty() ? firsts_.end() : firsts_.end() - 1, satellite,
                       [&](size_t first, std::string_view number) { return entries_[first].satellite < number; });
  if (firsts_.empty() || found == firsts_.end() - 1 || entries_[*found].satellite != satellite) return std::nullopt;
  return Choose(*found, *(found + 1), time);
}

}  // namespace rhodes
