#include "source/encoding.h"

#include <simdjson.h>
#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "base/text.h"

namespace rhodes {
namespace {

// 0x80 to 0x9F of Windows-1252 (WHATWG encoding standard, index-windows-1252).
constexpr std::array<char16_t, 32> kWindows1252 = {0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                   0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
                                                   0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                   0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

std::string FromWindows1252(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    AppendUtf8(byte >= 0x80 && byte < 0xA0 ? kWindows1252[byte - 0x80] : byte, text);
  }
  return text;
}

bool FromNamed(std::string_view bytes, std::string_view name, std::string& text) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open(std::string(name).c_str(), &error),
                                                                     &ucnv_close);
  if (U_FAILURE(error) != 0) return false;
  const icu::UnicodeString unicode(bytes.data(), static_cast<int32_t>(bytes.size()), converter.get(), error);
  if (U_FAILURE(error) != 0) return false;
  unicode.toUTF8String(text);
  return true;
}

// HTML means Windows-1252 when it says Latin-1 or ASCII, and so do people.
bool IsLatin1Name(std::string_view name) {
  const std::string lower = LowerAscii(name);
  return lower == "iso-8859-1" || lower == "latin1" || lower == "latin-1" || lower == "us-ascii" || lower == "ascii" ||
         lower == "windows-1252" || lower == "cp1252";
}

}  // namespace

size_t FindInvalidUtf8(std::string_view bytes) {
  if (simdjson::validate_utf8(bytes.data(), bytes.size())) return std::string_view::npos;
  // Somewhere: narrow it down in pieces cut before a lead byte, then byte by byte.
  size_t begin = 0;
  while (true) {
    size_t end = std::min(bytes.size(), begin + 4096);
    while (end < bytes.size() && end > begin && (static_cast<uint8_t>(bytes[end]) & 0xC0) == 0x80) --end;
    if (end == begin) end = std::min(bytes.size(), begin + 4096);
    const std::string_view piece = bytes.substr(begin, end - begin);
    if (!simdjson::validate_utf8(piece.data(), piece.size())) {
      for (size_t i = 0; i < piece.size();) {
        size_t length = 1;
        while (i + length < piece.size() && (static_cast<uint8_t>(piece[i + length]) & 0xC0) == 0x80) ++length;
        if (!IsValidUtf8(piece.substr(i, length))) return begin + i;
        i += length;
      }
      return begin;
    }
    begin = end;
  }
}

DecodedText DecodeText(std::string_view bytes, std::string_view declared) {
  DecodedText decoded;
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    if (FromNamed(bytes.substr(2), bytes[0] == '\xFF' ? "UTF-16LE" : "UTF-16BE", decoded.text)) {
      decoded.encoding = "utf-16";
      return decoded;
    }
  }
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (simdjson::validate_utf8(bytes.data(), bytes.size())) {
    decoded.text = bytes;
    return decoded;
  }
  const std::string lower = LowerAscii(declared);
  if (!lower.empty() && lower != "utf-8" && lower != "utf8" && !IsLatin1Name(lower) &&
      FromNamed(bytes, lower, decoded.text)) {
    decoded.encoding = lower;
    return decoded;
  }
  decoded.text = FromWindows1252(bytes);
  decoded.encoding = "windows-1252";
  return decoded;
}

bool LooksBinary(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) return false;
  size_t controls = 0;
  for (const char c : bytes) {
    if (c == '\0') return true;
    const auto byte = static_cast<uint8_t>(c);
    // Tab, newline, form feed, return, backspace (overstriking) and escape (colours) occur in text.
    if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r' && byte != '\f' && byte != '\b' && byte != 0x1B) {
      ++controls;
    }
  }
  return controls * 20 > bytes.size();
}

}  // namespace rhodes
