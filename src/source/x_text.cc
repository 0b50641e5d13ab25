#include "source/x_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "source/json_document.h"
#include "source/path_facts.h"
#include "source/time.h"

namespace rhodes {
namespace {

constexpr uint64_t kFirstTimedNumber = 29'700'859'247;
constexpr int64_t kEpochMilliseconds = 1'288'834'974'657;

bool IsInRange(double latitude, double longitude) { return std::fabs(latitude) <= 90 && std::fabs(longitude) <= 180; }

}  // namespace

std::optional<int64_t> TimeOfXNumber(uint64_t number) {
  if (number < kFirstTimedNumber || number >= uint64_t{1} << 63) return std::nullopt;
  return (static_cast<int64_t>(number >> 22) + kEpochMilliseconds) * 1000;
}

void SetXTime(std::string_view created_at, uint64_t number, Record& record) {
  if (!created_at.empty()) {
    if (const std::optional<Instant> instant = ParseInstant(created_at)) {
      record.time = instant->time;
      record.time_precision = instant->precision;
      return;
    }
    AddField("created_at", created_at, record);
  }
  record.time = TimeOfXNumber(number);
  if (record.time) record.time_precision = TimePrecision::kMillisecond;
}

std::string UnescapeXText(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> kReferences = {
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}}};
  std::string plain;
  plain.reserve(text.size());
  size_t at = 0;
  while (at < text.size()) {
    const size_t reference = std::min(text.find('&', at), text.size());
    plain.append(text, at, reference - at);
    at = reference;
    if (at == text.size()) break;
    bool known = false;
    for (const auto& [name, character] : kReferences) {
      if (text.compare(at, name.size(), name) != 0) continue;
      plain += character;
      at += name.size();
      known = true;
      break;
    }
    if (!known) plain += text[at++];
  }
  return plain;
}

void ExpandXLinks(simdjson::dom::element entities, std::string& text) {
  simdjson::dom::object object;
  if (entities.get(object) != simdjson::SUCCESS || text.find("://") == std::string::npos) return;
  for (const char* list : {"urls", "media"}) {
    simdjson::dom::array links;
    if (object[list].get(links) != simdjson::SUCCESS) continue;
    for (const simdjson::dom::element link : links) {
      std::string_view shortened;
      std::string_view expanded;
      if (link["url"].get(shortened) != simdjson::SUCCESS || link["expanded_url"].get(expanded) != simdjson::SUCCESS ||
          shortened.size() < 8 || expanded.empty() || shortened == expanded) {
        continue;
      }
      for (size_t at = text.find(shortened); at != std::string::npos; at = text.find(shortened, at)) {
        text.replace(at, shortened.size(), expanded);
        at += expanded.size();
      }
    }
  }
}

std::string LanguageOfX(std::string_view language) {
  // Codes of old that X has kept: in (Indonesian), iw (Hebrew); und and the q.. codes say that there is no language.
  if (language == "in") return "id";
  if (language == "iw") return "he";
  if (language.empty() || language == "und" || language == "zxx" || language == "art" ||
      (language.size() == 3 && language[0] == 'q')) {
    return "";
  }
  return LanguageTag(language);
}

std::string ClientOfX(std::string_view source) {
  const size_t open = source.find('>');
  const size_t close = source.rfind("</");
  if (!source.starts_with('<') || open == std::string_view::npos || close == std::string_view::npos || close <= open) {
    return std::string(source);
  }
  return UnescapeXText(source.substr(open + 1, close - open - 1));
}

void SetXPlace(simdjson::dom::element point, bool longitude_first, Record& record) {
  simdjson::dom::array pair;
  if (point["coordinates"].get(pair) != simdjson::SUCCESS || pair.size() != 2) return;
  const std::optional<double> first = NumberOf(pair.at(0).value_unsafe());
  const std::optional<double> second = NumberOf(pair.at(1).value_unsafe());
  if (!first || !second) return;
  const double latitude = longitude_first ? *second : *first;
  const double longitude = longitude_first ? *first : *second;
  if (!IsInRange(latitude, longitude)) {
    AddField("coordinates", TextOf(point), record);
    return;
  }
  record.latitude = latitude;
  record.longitude = longitude;
}

void AddField(std::string_view name, std::string_view value, Record& record) {
  if (!value.empty()) record.fields.emplace_back(name, value);
}

void AddNumberField(std::string_view name, uint64_t number, Record& record) {
  if (number != 0) record.fields.emplace_back(name, fmt::format_int(number).str());
}

}  // namespace rhodes
