#include "source/json_object.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "source/encoding.h"
#include "source/json_scan.h"

namespace rhodes {
namespace {

using simdjson::dom::element_type;

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

// Whether simdjson refuses the number: beyond a double, or an integer beyond 64 bits. Short ones never are.
bool IsHuge(std::string_view token) {
  if (token.size() < 19 && token.find_first_of("eE") == std::string_view::npos) return false;
  if (!IsJsonNumber(token)) return false;
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(token.data(), token.size());
  return parser.parse(padded).error() == simdjson::NUMBER_ERROR;
}

// `text` with every number that no double or 64-bit integer holds in quotes, so that it comes through as its digits
// instead of making the whole text fail. Valid JSON stays valid JSON, broken JSON stays broken.
std::string QuoteHugeNumbers(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size() + 64);
  bool in_string = false;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (in_string) {
      quoted += c;
      if (c == '\\' && i + 1 < text.size()) quoted += text[++i];
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
    const size_t end = std::min(text.find_first_not_of("0123456789+-.eE", i), text.size());
    const std::string_view token = text.substr(i, end - i);
    const bool huge = IsHuge(token);
    if (huge) quoted += '"';
    quoted += token;
    if (huge) quoted += '"';
    i = end;
  }
  return quoted;
}

// The value of the four digits behind "\u" at `at`, -1 when it is no such escape.
int EscapeAt(std::string_view text, size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int value = 0;
  for (const char c : text.substr(at + 2, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// The position of the first \uD800 to \uDFFF that is not half of a pair, npos when there is none.
size_t FindLoneSurrogate(std::string_view text) {
  for (size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
    const int unit = EscapeAt(text, at);
    if (unit < 0xD800 || unit > 0xDFFF) {
      at += 2;
      continue;
    }
    const int next = EscapeAt(text, at + 6);
    if (unit >= 0xDC00 || next < 0xDC00 || next > 0xDFFF) return at;
    at += 12;
  }
  return std::string_view::npos;
}

// The position of NaN, Infinity or -Infinity as a value, which some programs write; npos when there is none.
size_t FindNotFinite(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {
      at = AfterJsonString(text, at);
      if (at == std::string_view::npos) return at;
      --at;
    } else if (text.substr(at).starts_with("NaN") || text.substr(at).starts_with("Infinity")) {
      return at;
    }
  }
  return std::string_view::npos;
}

std::string ReasonOf(simdjson::error_code error, std::string_view text, uint64_t begin) {
  if (const size_t at = text.find('\0'); at != std::string_view::npos) {
    return fmt::format("not JSON: a NUL byte at byte {} (UTF-16 is to be converted to UTF-8)", begin + at);
  }
  if (const size_t at = FindInvalidUtf8(text); at != std::string_view::npos) {
    return fmt::format("invalid UTF-8 at byte {}", begin + at);
  }
  if (error == simdjson::DEPTH_ERROR) return "not read: JSON nested deeper than 1024";
  if (error == simdjson::STRING_ERROR) {
    if (const size_t at = FindLoneSurrogate(text); at != std::string_view::npos) {
      return fmt::format("lone surrogate at byte {}", begin + at);
    }
  }
  if (const size_t at = FindNotFinite(text); at != std::string_view::npos) {
    return fmt::format("not JSON: NaN or Infinity at byte {}", begin + at);
  }
  return fmt::format("not JSON: {}", simdjson::error_message(error));
}

bool IsString(simdjson::simdjson_result<simdjson::dom::element> value, std::string_view wanted) {
  std::string_view text;
  return value.get_string().get(text) == simdjson::SUCCESS && text == wanted;
}

// Puts the shared fields among the record's own, which win.
void AddShared(const JsonObjectReader::Fields& shared, Record& record) {
  const auto less = [](const auto& pair, const std::string& name) { return pair.first < name; };
  for (const auto& [name, value] : shared) {
    const auto channel = std::lower_bound(record.channels.begin(), record.channels.end(), name, less);
    if (channel != record.channels.end() && channel->first == name) continue;
    const auto field = std::lower_bound(record.fields.begin(), record.fields.end(), name, less);
    if (field == record.fields.end() || field->first != name) record.fields.insert(field, {name, value});
  }
}

}  // namespace

std::string_view JsonTypeName(simdjson::dom::element value) {
  switch (value.type()) {
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "a boolean";
    case element_type::NULL_VALUE:
      return "null";
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    default:
      return "a number";
  }
}

std::string JsonFieldText(simdjson::dom::element value) {
  if (value.is_string()) return std::string(value.get_string().value_unsafe());
  return simdjson::minify(value);
}

// The parser reads up to 64 bytes beyond the document; without that much behind it, it gets a copy.
simdjson::error_code JsonObjectReader::ParseDocument(std::string_view text, size_t padding) {
  const char* data = text.data();
  if (padding < simdjson::SIMDJSON_PADDING) {
    padded_.assign(text);
    padded_.resize(text.size() + simdjson::SIMDJSON_PADDING, ' ');
    data = padded_.data();
  }
  return parser_.parse(reinterpret_cast<const uint8_t*>(data), text.size(), false).get(root_);
}

std::string JsonObjectReader::Parse(const Block& block, size_t begin, size_t end) {
  const std::string_view text = block.bytes.substr(begin, end - begin);
  simdjson::error_code error = ParseDocument(text, block.bytes.size() - end + block.padding);
  if (error == simdjson::NUMBER_ERROR) error = ParseDocument(QuoteHugeNumbers(text), 0);
  return error == simdjson::SUCCESS ? "" : ReasonOf(error, text, block.begin + begin);
}

std::string JsonObjectReader::Parse(std::string_view text) {
  return Parse(Block{"", text, 0, 0, nullptr}, 0, text.size());
}

void JsonObjectReader::Emit(const Block& block, size_t begin, size_t end, const Fields& shared, ParsedBlock& out) {
  simdjson::dom::object object;
  if (root_.get(object) != simdjson::SUCCESS) {
    out.rejects.push_back(MakeReject(block, begin, end, fmt::format("not a JSON object: {}", JsonTypeName(root_))));
    return;
  }
  builder_.Begin();
  arena_used_ = 0;
  const bool feature = AddFeature(object);
  if (!feature) {
    for (const auto field : object) AddValue(field.key, field.value);
    AddParagraphs(object);
  }
  Record record;
  std::string reason;
  if (!builder_.Finish(options_, record, reason)) {
    out.rejects.push_back(MakeReject(block, begin, end, std::move(reason)));
    return;
  }
  if (!shared.empty()) AddShared(shared, record);
  record.original = block.bytes.substr(begin, end - begin);
  record.origin = {std::string(block.path), block.begin + begin, block.begin + end};
  SealRecord(options_, feature ? "feature" : "row", reader_, record);
  out.records.push_back(std::move(record));
}

std::string_view JsonObjectReader::Keep(std::string_view text) {
  if (arena_used_ == arena_.size()) arena_.emplace_back();
  std::string& kept = arena_[arena_used_++];
  kept.assign(text);
  return kept;
}

void JsonObjectReader::AddValue(std::string_view name, simdjson::dom::element value) {
  switch (value.type()) {
    case element_type::STRING:
      builder_.AddString(name, value.get_string().value_unsafe());
      break;
    case element_type::INT64: {
      const int64_t number = value.get_int64().value_unsafe();
      const fmt::format_int digits(number);
      builder_.AddNumber(name, static_cast<double>(number), Keep({digits.data(), digits.size()}));
      break;
    }
    case element_type::UINT64: {
      const uint64_t number = value.get_uint64().value_unsafe();
      const fmt::format_int digits(number);
      builder_.AddNumber(name, static_cast<double>(number), Keep({digits.data(), digits.size()}));
      break;
    }
    case element_type::DOUBLE: {
      const double number = value.get_double().value_unsafe();
      std::array<char, 40> digits;
      const auto end = fmt::format_to_n(digits.data(), digits.size(), "{}", number);
      builder_.AddNumber(name, number, Keep({digits.data(), std::min(end.size, digits.size())}));
      break;
    }
    case element_type::BOOL:
      builder_.AddOther(name, value.get_bool().value_unsafe() ? "true" : "false");
      break;
    case element_type::ARRAY:
    case element_type::OBJECT:
      builder_.AddOther(name, Keep(simdjson::minify(value)));
      break;
    case element_type::NULL_VALUE:
      break;
  }
}

// True, and the members added, when the object is a feature of GeoJSON (RFC 7946, section 3.2).
bool JsonObjectReader::AddFeature(simdjson::dom::object object) {
  if (!IsString(object["type"], "Feature")) return false;
  simdjson::dom::element properties;
  simdjson::dom::element geometry;
  if (object["properties"].get(properties) != simdjson::SUCCESS || !(properties.is_object() || properties.is_null()) ||
      object["geometry"].get(geometry) != simdjson::SUCCESS || !(geometry.is_object() || geometry.is_null())) {
    return false;
  }
  for (const auto field : object) {
    if (field.key == "type") continue;
    if (field.key == "properties" && properties.is_object()) {
      const simdjson::dom::object inner = properties.get_object().value_unsafe();
      for (const auto property : inner) AddValue(property.key, property.value);
    } else if (field.key != "geometry" || !field.value.is_object() ||
               !AddPoint(field.value.get_object().value_unsafe())) {
      AddValue(field.key, field.value);
    }
  }
  return true;
}

// True when latitude and longitude say all that the geometry does.
bool JsonObjectReader::AddPoint(simdjson::dom::object geometry) {
  simdjson::dom::array coordinates;
  double longitude = 0;
  double latitude = 0;
  if (!IsString(geometry["type"], "Point") || geometry["coordinates"].get(coordinates) != simdjson::SUCCESS ||
      coordinates.size() < 2 || coordinates.at(0).get(longitude) != simdjson::SUCCESS ||
      coordinates.at(1).get(latitude) != simdjson::SUCCESS) {
    return false;
  }
  if (!(longitude >= -180 && longitude <= 360 && latitude >= -90 && latitude <= 90)) return false;
  builder_.AddNumber("geometry.longitude", {Role::kLongitude, 0, -1}, longitude, Keep(fmt::format("{}", longitude)));
  builder_.AddNumber("geometry.latitude", {Role::kLatitude, 0, -1}, latitude, Keep(fmt::format("{}", latitude)));
  return coordinates.size() == 2;
}

void JsonObjectReader::AddParagraphs(simdjson::dom::object object) {
  simdjson::dom::array paragraphs;
  if (!roles_.text_column().empty() || object["paragraphs"].get(paragraphs) != simdjson::SUCCESS) return;
  std::string text;
  for (const auto paragraph : paragraphs) {
    std::string_view context;
    if (paragraph["context"].get(context) != simdjson::SUCCESS) return;
    if (!text.empty()) text += "\n\n";
    text += context;
  }
  if (!text.empty()) builder_.AddString("context", {Role::kText, 255, -1}, Keep(text));
}

}  // namespace rhodes
