// Element sets of many satellites over time: which of them describes which satellite at a moment.
#ifndef RHODES_ORBIT_CATALOGUE_H_
#define RHODES_ORBIT_CATALOGUE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orbit/elements.h"
#include "orbit/sgp4.h"

namespace rhodes {

// Filled with Add(), then Finish(); immutable and thread-safe from then on.
class Catalogue {
 public:
  struct Entry {
    std::string satellite;  // its catalogue number
    std::string name;       // may be empty
    std::string record;     // id of the record that states the elements
    MeanElements elements;
  };

  void Add(Entry entry) { entries_.push_back(std::move(entry)); }
  // Sorts by satellite, epoch and record, and makes the satellites ready.
  void Finish();

  size_t size() const { return entries_.size(); }
  const Entry& entry(size_t number) const { return entries_[number]; }
  const std::vector<Satellite>& satellites() const { return satellites_; }  // by entry

  // For each satellite the entry that describes it at `time`: the one with the newest epoch at or before it, else the
  // oldest (of equal epochs the last by record id). Ascending. `until`: the first moment at which the answer may be
  // another; `from`: since when it has been this one.
  struct Chosen {
    std::vector<size_t> entries;
    int64_t from = 0;
    int64_t until = 0;
  };
  Chosen At(int64_t time) const;
  // The same for one satellite; nothing when there is none of this number.
  std::optional<size_t> Find(std::string_view satellite, int64_t time) const;

 private:
  size_t Choose(size_t first, size_t last, int64_t time) const;

  std::vector<Entry> entries_;
  std::vector<Satellite> satellites_;
  std::vector<size_t> firsts_;  // the first entry of each satellite, and the end
};

}  // namespace rhodes

#endif  // RHODES_ORBIT_CATALOGUE_H_
