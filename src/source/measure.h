// Numbers as people write them into cells: "87,5 km/h".
#ifndef RHODES_SOURCE_MEASURE_H_
#define RHODES_SOURCE_MEASURE_H_

#include <optional>
#include <string>
#include <string_view>

namespace rhodes {

// How a file writes fractions. kEither: not known.
enum class DecimalMark { kPoint, kComma, kEither };

struct Measure {
  double number = 0;
  std::string unit;  // as written, but °C, °F, °, Ω and µ in ASCII: degC, degF, deg, Ohm, u; empty: none
};

// A sign, digits with at most one decimal mark, an exponent, and a unit of one word behind it: "-3", "87,5 km/h", "12
// %", "21,4°C". Separators of thousands are not guessed: "1.234,5", "1 234" and, with kEither, "1,234" are nothing; so
// is "1.234" where the mark is the comma. Nothing also for NaN, infinity and what no double holds.
std::optional<Measure> ParseMeasure(std::string_view text, DecimalMark mark);

// A number with a decimal comma as tables write it, without unit: "12,5", "-0,25", "12"; not "007", "1.5", "1,5 V".
std::optional<double> ParseCommaNumber(std::string_view text);

}  // namespace rhodes

#endif  // RHODES_SOURCE_MEASURE_H_
