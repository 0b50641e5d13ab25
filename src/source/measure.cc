#include "source/measure.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

size_t CountDigits(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  return count;
}

// Blanks that stand between number and unit: the no-break and the thin ones too.
void SkipBlanks(std::string_view& text) {
  while (true) {
    bool skipped = false;
    for (const std::string_view blank : {" ", "\t", "\u00A0", "\u202F", "\u2009"}) {
      if (!text.starts_with(blank)) continue;
      text.remove_prefix(blank.size());
      skipped = true;
    }
    if (!skipped) return;
  }
}

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::optional<std::string> UnitOf(std::string_view text) {
  if (text.size() > 24) return std::nullopt;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || byte >= 0x80;
    if (!letter && !IsDigit(c) && std::string_view("%/*^.-_'\"").find(c) == std::string_view::npos) return std::nullopt;
  }
  if (!text.empty() && (IsDigit(text[0]) || text[0] == '.' || text[0] == '-')) return std::nullopt;
  std::string unit(text);
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kAscii = {
      {{"\u2103", "degC"}, {"\u2109", "degF"}, {"\u00B0", "deg"}, {"\u00B5", "u"}, {"\u03BC", "u"}, {"\u03A9", "Ohm"}}};
  for (const auto& [from, to] : kAscii) ReplaceAll(unit, from, to);
  return unit;
}

}  // namespace

std::optional<Measure> ParseMeasure(std::string_view text, DecimalMark mark) {
  text = Trim(text);
  SkipBlanks(text);
  std::string digits;  // as std::from_chars reads them
  if (text.starts_with('-') || text.starts_with("\u2212")) {
    text.remove_prefix(text[0] == '-' ? 1 : 3);
    digits = "-";
  } else if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const size_t whole = CountDigits(text);
  digits += text.substr(0, whole);
  const char separator = whole < text.size() ? text[whole] : '\0';
  size_t end = whole;
  if (separator == '.' || separator == ',') {
    const size_t fraction = CountDigits(text.substr(whole + 1));
    if (fraction == 0) return std::nullopt;
    const bool thousands = fraction == 3 && whole >= 1 && whole <= 3 && text.substr(0, whole) != "0";
    if (separator == ',' ? mark == DecimalMark::kPoint || (thousands && mark == DecimalMark::kEither)
                         : mark == DecimalMark::kComma) {
      return std::nullopt;
    }
    digits += '.';
    digits += text.substr(whole + 1, fraction);
    end = whole + 1 + fraction;
  } else if (whole == 0) {
    return std::nullopt;
  }
  text.remove_prefix(end);
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    const size_t sign = text.size() > 1 && (text[1] == '-' || text[1] == '+') ? 1 : 0;
    if (const size_t exponent = CountDigits(text.substr(1 + sign)); exponent > 0) {
      digits += 'e';
      if (sign == 1 && text[1] == '-') digits += '-';
      digits += text.substr(1 + sign, exponent);
      text.remove_prefix(1 + sign + exponent);
    }
  }
  if (!text.empty() && (text[0] == '.' || text[0] == ',' || text[0] == '\'')) return std::nullopt;
  SkipBlanks(text);
  std::optional<std::string> unit = UnitOf(text);
  if (!unit) return std::nullopt;
  Measure measure{0, *std::move(unit)};
  const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), measure.number);
  if (error != std::errc() || last != digits.data() + digits.size() || !std::isfinite(measure.number)) {
    return std::nullopt;
  }
  return measure;
}

std::optional<double> ParseCommaNumber(std::string_view text) {
  if (text.size() > 40) return std::nullopt;
  std::array<char, 40> with_point;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') return std::nullopt;
    with_point[i] = text[i] == ',' ? '.' : text[i];
  }
  return ParseNumber({with_point.data(), text.size()});
}

}  // namespace rhodes
