#include "source/json_document.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "source/encoding.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

constexpr double kExactInteger = 9007199254740992.0;  // 2^53

// The grammar of RFC 8259, section 6.
bool IsJsonNumber(std::string_view token) {
  size_t at = token.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const size_t begin = at;
    while (at < token.size() && token[at] >= '0' && token[at] <= '9') ++at;
    return at - begin;
  };
  const bool zero = at < token.size() && token[at] == '0';
  const size_t integer = digits();
  if (integer == 0 || (zero && integer > 1)) return false;
  if (at < token.size() && token[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == token.size();
}

// `line` with every number that no double or 64-bit integer holds in quotes, so that it comes through as its digits
// instead of making the whole line fail. Valid JSON stays valid JSON, broken JSON stays broken.
std::string QuoteHugeNumbers(std::string_view line) {
  std::string quoted;
  quoted.reserve(line.size() + 64);
  bool in_string = false;
  for (size_t i = 0; i < line.size();) {
    const char c = line[i];
    if (in_string) {
      quoted += c;
      if (c == '\\' && i + 1 < line.size()) quoted += line[++i];
      if (c == '"') in_string = false;
      ++i;
      continue;
    }
    if (c != '-' && (c < '0' || c > '9')) {
      in_string = c == '"';
      quoted += c;
      ++i;
      continue;
    }
    const size_t end = std::min(line.find_first_not_of("0123456789+-.eE", i), line.size());
    const std::string_view token = line.substr(i, end - i);
    simdjson::dom::parser parser;
    simdjson::padded_string padded(token.data(), token.size());
    const bool huge = IsJsonNumber(token) && parser.parse(padded).error() == simdjson::NUMBER_ERROR;
    if (huge) quoted += '"';
    quoted += token;
    if (huge) quoted += '"';
    i = end;
  }
  return quoted;
}

std::string ReasonOf(simdjson::error_code error, std::string_view text, uint64_t at) {
  if (const size_t invalid = FindInvalidUtf8(text); invalid != std::string_view::npos) {
    return fmt::format("invalid UTF-8 at byte {}", at + invalid);
  }
  if (error == simdjson::DEPTH_ERROR) return "not read: JSON nested deeper than 1024";
  return fmt::format("not JSON: {}", simdjson::error_message(error));
}

template <typename T>
void SortUnique(std::vector<std::pair<std::string, T>>& pairs) {
  const auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (std::is_sorted(pairs.begin(), pairs.end(), less)) {
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (std::adjacent_find(pairs.begin(), pairs.end(), same) == pairs.end()) return;
  }
  std::stable_sort(pairs.begin(), pairs.end(), less);
  const auto kept =
      std::unique(pairs.rbegin(), pairs.rend(), [](const auto& a, const auto& b) { return a.first == b.first; });
  pairs.erase(pairs.begin(), kept.base());
}

}  // namespace

simdjson::error_code JsonDocument::ParseOnce(std::string_view text, size_t padding, simdjson::dom::element& root) {
  const char* data = text.data();
  if (padding < simdjson::SIMDJSON_PADDING) {
    padded_.assign(text);
    padded_.resize(text.size() + simdjson::SIMDJSON_PADDING, ' ');
    data = padded_.data();
  }
  return parser_.parse(reinterpret_cast<const uint8_t*>(data), text.size(), false).get(root);
}

std::string JsonDocument::Parse(std::string_view text, size_t padding, uint64_t at, simdjson::dom::element& root) {
  simdjson::error_code error = ParseOnce(text, padding, root);
  if (error == simdjson::NUMBER_ERROR) error = ParseOnce(QuoteHugeNumbers(text), 0, root);
  return error == simdjson::SUCCESS ? "" : ReasonOf(error, text, at);
}

simdjson::dom::element NullElement() {
  static const simdjson::dom::element kNull = [] {
    static simdjson::dom::parser parser;
    return parser.parse(simdjson::padded_string(std::string_view("null"))).value_unsafe();
  }();
  return kNull;
}

std::string_view StringOf(simdjson::dom::element value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::optional<uint64_t> UnsignedOf(simdjson::dom::element value) {
  uint64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS) return number;
  const std::string_view text = StringOf(value);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> NumberOf(simdjson::dom::element value) {
  double number = 0;
  if (value.is_number() && value.get(number) == simdjson::SUCCESS) {
    return std::isfinite(number) ? std::optional(number) : std::nullopt;
  }
  const std::string_view text = StringOf(value);
  return text.empty() ? std::nullopt : ParseNumber(text);
}

std::string TextOf(simdjson::dom::element value) {
  if (value.is_null()) return "";
  if (value.is_string()) return std::string(StringOf(value));
  return simdjson::minify(value);
}

void Flatten(simdjson::dom::element value, const std::string& name, bool numeric_strings, Record& record) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::OBJECT:
      for (const auto field : simdjson::dom::object(value)) {
        Flatten(field.value, name.empty() ? std::string(field.key) : fmt::format("{}.{}", name, field.key),
                numeric_strings, record);
      }
      return;
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE: {
      const std::optional<double> number = NumberOf(value);
      // is_double() is true of integers too: they can be read as one.
      if (number && (value.type() == element_type::DOUBLE || std::fabs(*number) < kExactInteger)) {
        record.channels.emplace_back(name, *number);
      } else {
        record.fields.emplace_back(name, TextOf(value));
      }
      return;
    }
    case element_type::STRING: {
      const std::string_view text = StringOf(value);
      const std::optional<double> number = numeric_strings ? ParseNumber(text) : std::nullopt;
      if (number && std::fabs(*number) < kExactInteger) {
        record.channels.emplace_back(name, *number);
      } else if (text != "NaN") {
        record.fields.emplace_back(name, text);
      }
      return;
    }
    case element_type::BOOL:
    case element_type::ARRAY:
      record.fields.emplace_back(name, TextOf(value));
      return;
    case element_type::NULL_VALUE:
      return;
  }
}

void SortValues(Record& record) {
  SortUnique(record.channels);
  SortUnique(record.units);
  SortUnique(record.fields);
}

bool BlockLines::Next(size_t& begin, size_t& end) {
  while (next_ < bytes_.size()) {
    begin = next_;
    const void* newline = std::memchr(bytes_.data() + begin, '\n', bytes_.size() - begin);
    end = newline == nullptr ? bytes_.size() : static_cast<size_t>(static_cast<const char*>(newline) - bytes_.data());
    next_ = end + 1;
    if (end > begin && bytes_[end - 1] == '\r') --end;
    if (bytes_.substr(begin, end - begin).find_first_not_of(" \t\r") != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace rhodes
