// Takes repeated passages out of a text.
#ifndef RHODES_CURATE_SUBSTRING_CUT_H_
#define RHODES_CURATE_SUBSTRING_CUT_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "curate/substring.h"

namespace rhodes {

// `text` without `cuts` (ascending, not touching, within the text), joined as a person would: of the white space
// before and after a cut the one with more line ends stays, none at the ends of the text or between a word and a sign
// that stands close to it; where two words would run into one, a blank is put between. Valid UTF-8 stays valid. Equals
// `text` when there are no cuts.
//
// `marks`: ascending byte offsets into `text`, which become the offsets of the same places in the result, as with
// Normalise(): a place in what is removed becomes that of the join.
std::string CutSubstrings(std::string_view text, std::span<const SubstringCut> cuts,
                          std::vector<size_t>* marks = nullptr);

}  // namespace rhodes

#endif  // RHODES_CURATE_SUBSTRING_CUT_H_
