// Units as readers write them: symbols, and words that change with the number before them, in English and Arabic.
#ifndef RHODES_FUSE_UNITS_H_
#define RHODES_FUSE_UNITS_H_

#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

enum class TextLanguage : uint8_t { kEnglish, kArabic };

// What stands behind a number. The categories are those of the Unicode Common Locale Data Repository: English has `one`
// (1, nothing behind the point) and `other`; Arabic `one`, `two`, `few` (n % 100 is 3 to 10), `many` (11 to 99) and
// `other` (0, whole hundreds, the 1 and 2 behind them, fractions).
struct UnitForms {
  std::string one, two, few, many, other;
  // `one` and `two` say the number themselves: "ثانيتان" is two seconds, no numeral stands before it.
  bool says_number = false;

  // The form behind `digits`, a number in ASCII digits with or without sign, point and exponent.
  const std::string& For(std::string_view digits, TextLanguage language) const;
};

// `name` is a symbol ("km/h", "%", "°C"), an English word in the singular or plural ("seconds"), or forms written out
// with | between them: "dish|dishes" in English (one, other), five in Arabic (one, two, few, many, other), where the
// first two say the number. INVALID_ARGUMENT naming the nearest known unit.
absl::StatusOr<UnitForms> FindUnit(std::string_view name, TextLanguage language);

}  // namespace rhodes

#endif  // RHODES_FUSE_UNITS_H_
