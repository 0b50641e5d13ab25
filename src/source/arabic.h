// Arabic text as sources write it: digits, dates, letters in presentation forms, marks that steer its direction.
#ifndef RHODES_SOURCE_ARABIC_H_
#define RHODES_SOURCE_ARABIC_H_

#include <optional>
#include <string>
#include <string_view>

#include "source/time.h"

namespace rhodes {

// Folds the presentation forms (U+FB50 to U+FDFF, U+FE70 to U+FEFC) to the letters they show, by NFKC, and removes the
// marks of direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069) and U+FEFF. Letters, diacritics and
// tatweel stay as they are written. Nothing is looked at twice in a text without such bytes.
void NormaliseArabic(std::string& text);

// Arabic-Indic (U+0660 to U+0669) and Persian digits (U+06F0 to U+06F9) as ASCII ones, and the Arabic decimal separator
// (U+066B) as a point.
std::string AsciiDigits(std::string_view text);

// "الثلاثاء 12 نوفمبر 2019 - 08:30 م": a day, a month's name and a year in this order, with a weekday before and a
// clock behind or not. The months of the Gregorian calendar as they are called from Morocco to Iraq; of the Islamic
// one, whose days differ by place, nothing is read.
std::optional<Instant> ParseArabicInstant(std::string_view text);

}  // namespace rhodes

#endif  // RHODES_SOURCE_ARABIC_H_
