// Numbers in text that stand for people: telephones, cards, national ids.
#ifndef RHODES_CURATE_PERSONAL_DATA_NUMBERS_H_
#define RHODES_CURATE_PERSONAL_DATA_NUMBERS_H_

#include <cstddef>
#include <optional>
#include <string_view>

#include "curate/personal_data.h"

namespace rhodes {

// The length in bytes of the digit at `at` (ASCII, U+0660 to U+0669, U+06F0 to U+06F9), or 0 when there is none.
inline size_t DigitLength(std::string_view text, size_t at) {
  if (at >= text.size()) return 0;
  const auto c = static_cast<unsigned char>(text[at]);
  if (c >= '0' && c <= '9') return 1;
  if ((c != 0xD9 && c != 0xDB) || at + 1 >= text.size()) return 0;
  const auto next = static_cast<unsigned char>(text[at + 1]);
  const unsigned first = c == 0xD9 ? 0xA0 : 0xB0;
  return next >= first && next < first + 10 ? 2 : 0;
}

// The card, national id or telephone number whose first digit stands at `first`, written in groups of digits with
// separators; the item begins there, or before it at a "+" or a bracket. A form that other numbers have as well counts
// only when one of the words for it stands in the 48 bytes before. Looks at no more than 100 bytes around. Pure.
std::optional<PersonalDataItem> FindNumber(std::string_view text, size_t first);

}  // namespace rhodes

#endif  // RHODES_CURATE_PERSONAL_DATA_NUMBERS_H_
