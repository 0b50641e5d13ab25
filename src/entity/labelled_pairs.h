// Pairs of which somebody said whether they are one: to fit a model with, and to measure one by.
#ifndef RHODES_ENTITY_LABELLED_PAIRS_H_
#define RHODES_ENTITY_LABELLED_PAIRS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "entity/compare.h"

namespace rhodes {

struct LabelledPairs {
  std::vector<std::string> attributes;           // in the order in which they first appear
  std::vector<std::vector<std::string>> values;  // [mention][attribute]; equal mentions are one
  struct Pair {
    uint32_t a = 0;  // in `values`
    uint32_t b = 0;
    bool same = false;
  };
  std::vector<Pair> pairs;  // in the order of the file
};

// One pair a line, in either form; empty lines are passed over.
//   COL name VAL value COL price VAL 12.5<TAB>COL name VAL ...<TAB>1      as Ditto's data sets have it
//   {"a": {"name": "value", ...}, "b": {...}, "same": true}               JSON Lines; "same" may be 0 or 1
// INVALID_ARGUMENT "WHAT:LINE: ..." for anything else, and for a text without a pair.
absl::StatusOr<LabelledPairs> ParseLabelledPairs(std::string_view text, std::string_view what);

// A comparison for each attribute by what its values look like: numbers in nine of ten: number; "LATITUDE LONGITUDE":
// place; more than 12 words in the mean: text; otherwise name.
std::vector<MatchAttribute> GuessComparisons(const LabelledPairs& pairs);

}  // namespace rhodes

#endif  // RHODES_ENTITY_LABELLED_PAIRS_H_
