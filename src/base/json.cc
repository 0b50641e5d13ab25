#include "base/json.h"

#include <cstring>

#include "base/file.h"
#include "base/text.h"

namespace rhodes {

absl::StatusOr<Json> ParseJson(std::string_view text, std::string_view what) {
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& error) {
    return absl::InvalidArgumentError(fmt::format("{}: byte {}: not JSON: {}", what, error.byte, error.what()));
  } catch (const nlohmann::json::out_of_range& error) {  // 1e999: a number that no double holds
    return absl::InvalidArgumentError(fmt::format("{}: {}", what, error.what()));
  }
}

absl::StatusOr<Json> ReadJsonFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseJson(text, path);
}

std::string DumpJson(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

namespace {

bool IsPlain(unsigned char c) { return c >= 0x20 && c != '"' && c != '\\'; }

// Whether a byte of the eight is a quote, a backslash or below 0x20 (the test for a zero byte of Bit Twiddling Hacks,
// S. E. Anderson, which never misses one).
bool AnySpecial(uint64_t eight) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  const auto zero = [](uint64_t x) { return (x - kOnes) & ~x & kHighs; };
  const uint64_t below = (eight - kOnes * 0x20) & ~eight & kHighs;
  return (below | zero(eight ^ kOnes * '"') | zero(eight ^ kOnes * '\\')) != 0;
}

size_t PlainLength(std::string_view text) {
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if (AnySpecial(eight)) break;
  }
  while (at < text.size() && IsPlain(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

void AppendEscaped(char c, std::string& out) {
  constexpr std::string_view kSpecial = "\b\t\n\f\r\"\\";
  constexpr std::string_view kLetters = "btnfr\"\\";
  const size_t known = kSpecial.find(c);
  if (known != std::string_view::npos) {
    out += '\\';
    out += kLetters[known];
  } else {
    out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  if (!IsValidUtf8(text)) {
    out += DumpJson(Json(text));
    return;
  }
  out += '"';
  while (!text.empty()) {
    const size_t plain = PlainLength(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    AppendEscaped(text.front(), out);
    text.remove_prefix(1);
  }
  out += '"';
}

}  // namespace rhodes
