#include "source/arabic.h"

#include <fmt/format.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <array>
#include <charconv>
#include <vector>

#include "base/text.h"
#include "source/encoding.h"

namespace rhodes {
namespace {

struct Month {
  std::string_view name;
  int number;
};
// Egypt and the Gulf; the Levant and Iraq; the Maghreb. Two-word names first, since their second words are shared.
constexpr std::array kMonths =
    std::to_array<Month>({{"كانون الثاني", 1}, {"كانون الأول", 12}, {"كانون الاول", 12}, {"تشرين الثاني", 11},
                          {"تشرين الأول", 10}, {"تشرين الاول", 10}, {"يناير", 1},        {"جانفي", 1},
                          {"فبراير", 2},       {"فيفري", 2},        {"شباط", 2},         {"مارس", 3},
                          {"آذار", 3},         {"اذار", 3},         {"أبريل", 4},        {"ابريل", 4},
                          {"إبريل", 4},        {"أفريل", 4},        {"افريل", 4},        {"نيسان", 4},
                          {"مايو", 5},         {"ماي", 5},          {"أيار", 5},         {"ايار", 5},
                          {"يونيو", 6},        {"يونيه", 6},        {"جوان", 6},         {"حزيران", 6},
                          {"يوليو", 7},        {"يوليوز", 7},       {"يوليه", 7},        {"جويلية", 7},
                          {"تموز", 7},         {"أغسطس", 8},        {"اغسطس", 8},        {"غشت", 8},
                          {"أوت", 8},          {"اوت", 8},          {"آب", 8},           {"سبتمبر", 9},
                          {"شتنبر", 9},        {"أيلول", 9},        {"ايلول", 9},        {"أكتوبر", 10},
                          {"اكتوبر", 10},      {"نوفمبر", 11},      {"نونبر", 11},       {"ديسمبر", 12},
                          {"دجنبر", 12}});

bool IsDirectionMark(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
         c == 0xFEFF;
}

bool IsPresentationForm(char32_t c) { return (c >= 0xFB50 && c <= 0xFDFF) || (c >= 0xFE70 && c <= 0xFEFC); }

// The code point at `at`, which moves behind it. Invalid bytes are given out one by one as they are.
char32_t Decode(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(at++);
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  if (more == 0 || at + static_cast<size_t>(more) > text.size()) return first;
  char32_t c = first & (0x3F >> more);
  for (int i = 0; i < more; ++i) c = c << 6 | (byte(at++) & 0x3Fu);
  return c;
}

// Whether any byte could begin one of the characters that are changed: cheap for text without them.
bool MayChange(std::string_view text) {
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte == 0xEF && static_cast<uint8_t>(text[i + 1]) >= 0xAD) return true;
    if (byte == 0xE2 && (static_cast<uint8_t>(text[i + 1]) == 0x80 || static_cast<uint8_t>(text[i + 1]) == 0x81))
      return true;
    if (byte == 0xD8 && static_cast<uint8_t>(text[i + 1]) == 0x9C) return true;
  }
  return false;
}

void AppendFolded(char32_t c, std::string& out) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCInstance(status);
  icu::UnicodeString folded;
  if (U_FAILURE(status) != 0 || nfkc->getDecomposition(static_cast<UChar32>(c), folded) == 0) {
    AppendUtf8(c, out);
  } else {
    folded.toUTF8String(out);
  }
}

}  // namespace

void NormaliseArabic(std::string& text) {
  if (!MayChange(text)) return;
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = Decode(text, at);
    if (IsDirectionMark(c)) continue;
    if (IsPresentationForm(c)) {
      AppendFolded(c, out);
    } else {
      out.append(text, begin, at - begin);
    }
  }
  text = std::move(out);
}

std::string AsciiDigits(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = Decode(text, at);
    if (c >= 0x0660 && c <= 0x0669) {
      out += static_cast<char>('0' + (c - 0x0660));
    } else if (c >= 0x06F0 && c <= 0x06F9) {
      out += static_cast<char>('0' + (c - 0x06F0));
    } else if (c == 0x066B) {
      out += '.';
    } else {
      out.append(text, begin, at - begin);
    }
  }
  return out;
}

std::optional<Instant> ParseArabicInstant(std::string_view written) {
  std::string text = AsciiDigits(written);
  NormaliseArabic(text);
  for (const Month& month : kMonths) {
    const size_t at = text.find(month.name);
    if (at == std::string::npos) continue;
    // The day is the number before the month, the year the one behind it.
    const std::string_view before = Trim(std::string_view(text).substr(0, at));
    const std::string_view behind = Trim(std::string_view(text).substr(at + month.name.size()));
    const size_t day = before.find_last_not_of("0123456789") + 1;
    const size_t year_begin = behind.find_first_of("0123456789");
    if (day == before.size() || year_begin == std::string_view::npos) return std::nullopt;
    const size_t year_end = std::min(behind.find_first_not_of("0123456789", year_begin), behind.size());
    if (year_end - year_begin != 4) return std::nullopt;
    std::string iso = fmt::format("{}-{:02}-{:0>2}", behind.substr(year_begin, 4), month.number, before.substr(day));
    std::string_view rest = behind.substr(year_end);
    const size_t colon = rest.find(':');
    if (colon == std::string_view::npos || colon == 0) return ParseInstant(iso);
    size_t hour_begin = colon;
    while (hour_begin > 0 && rest[hour_begin - 1] >= '0' && rest[hour_begin - 1] <= '9') --hour_begin;
    int hour = 0;
    std::from_chars(rest.data() + hour_begin, rest.data() + colon, hour);
    const std::string_view minutes = rest.substr(colon + 1, 2);
    if (hour_begin == colon || minutes.size() != 2) return ParseInstant(iso);
    const std::string_view half = rest.substr(colon + 3);
    if (half.find("م") != std::string_view::npos && hour < 12) hour += 12;
    if (half.find("ص") != std::string_view::npos && hour == 12) hour = 0;
    return ParseInstant(fmt::format("{} {:02}:{}", iso, hour, minutes));
  }
  return std::nullopt;
}

}  // namespace rhodes
