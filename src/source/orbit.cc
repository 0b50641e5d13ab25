#include "source/orbit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "source/gps_time.h"
#include "source/json_document.h"

namespace rhodes {
namespace {

struct Element {
  std::string_view key;
  std::string_view unit;
};
// What is a number in CCSDS 502.0-B-3 and in what CelesTrak and Space-Track add to it.
constexpr std::array<Element, 34> kElements = {{{"MEAN_MOTION", "rev/d"},
                                                {"SEMI_MAJOR_AXIS", "km"},
                                                {"ECCENTRICITY", "1"},
                                                {"INCLINATION", "deg"},
                                                {"RA_OF_ASC_NODE", "deg"},
                                                {"ARG_OF_PERICENTER", "deg"},
                                                {"MEAN_ANOMALY", "deg"},
                                                {"GM", "km3/s2"},
                                                {"MASS", "kg"},
                                                {"SOLAR_RAD_AREA", "m2"},
                                                {"SOLAR_RAD_COEFF", "1"},
                                                {"DRAG_AREA", "m2"},
                                                {"DRAG_COEFF", "1"},
                                                {"ELEMENT_SET_NO", ""},
                                                {"REV_AT_EPOCH", ""},
                                                {"BSTAR", "1/earth_radius"},
                                                {"BTERM", "m2/kg"},
                                                {"AGOM", "m2/kg"},
                                                {"MEAN_MOTION_DOT", "rev/d2"},
                                                {"MEAN_MOTION_DDOT", "rev/d3"},
                                                {"SEMIMAJOR_AXIS", "km"},
                                                {"PERIOD", "min"},
                                                {"APOAPSIS", "km"},
                                                {"PERIAPSIS", "km"},
                                                {"APOGEE", "km"},
                                                {"PERIGEE", "km"},
                                                {"RMS", "km"},
                                                {"CX_X", "km2"},
                                                {"CY_X", "km2"},
                                                {"CY_Y", "km2"},
                                                {"CZ_X", "km2"},
                                                {"CZ_Y", "km2"},
                                                {"CZ_Z", "km2"},
                                                {"NORAD_CAT_ID", ""}}};

const Element* FindElement(std::string_view key) {
  // The rest of the covariance: CX_DOT_Y, CZ_DOT_X_DOT.
  static constexpr Element kMixed = {"", "km2/s"};
  static constexpr Element kVelocities = {"", "km2/s2"};
  for (const Element& element : kElements) {
    if (key == element.key) return &element;
  }
  if (key.size() < 8 || key[0] != 'C' || key[1] < 'X' || key[1] > 'Z' || key.substr(2, 5) != "_DOT_") return nullptr;
  if (key[7] < 'X' || key[7] > 'Z') return nullptr;
  return key.size() == 8 ? &kMixed : key.substr(8) == "_DOT" ? &kVelocities : nullptr;
}

// "rev/day**2" as this program writes it: "rev/d2".
std::string PlainUnit(std::string_view unit) {
  std::string plain(Trim(unit));
  const auto replace = [&](std::string_view from, std::string_view to) {
    for (size_t at = plain.find(from); at != std::string::npos; at = plain.find(from, at + to.size())) {
      plain.replace(at, from.size(), to);
    }
  };
  replace("**", "");
  replace("^", "");
  replace("day", "d");
  replace("REV", "rev");
  replace("1/ER", "1/earth_radius");
  replace("n/a", "1");
  return plain;
}

struct Range {
  std::string_view key;
  double least;
  double most;
};
constexpr std::array<Range, 4> kRanges = {{{"INCLINATION", 0, 180},
                                           {"RA_OF_ASC_NODE", -360, 360},
                                           {"ARG_OF_PERICENTER", -360, 360},
                                           {"MEAN_ANOMALY", -360, 360}}};

}  // namespace

std::optional<std::string> CatalogNumber(std::string_view text) {
  text = Trim(text);
  if (text.empty() || text.size() > 9) return std::nullopt;
  int first = 0;
  if (text[0] >= 'A' && text[0] <= 'Z') {
    constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ";
    const size_t place = kLetters.find(text[0]);
    if (place == std::string_view::npos || text.size() != 5) return std::nullopt;
    first = 10 + static_cast<int>(place);
    text.remove_prefix(1);
  }
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  if (first > 0) return fmt::format("{}{}", first, text);
  const size_t digit = text.find_first_not_of('0');
  return std::string(digit == std::string_view::npos ? "0" : text.substr(digit));
}

std::optional<double> OrbitNumber(std::string_view text) {
  text = Trim(text);
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  // A double reads "inf", "nan" and "0x" too.
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  // Too small for a double is nothing; too large is no measurement.
  if (error == std::errc::result_out_of_range) {
    const size_t exponent = text.find_first_of("eE");
    const bool small = exponent != std::string_view::npos && text.substr(exponent + 1).starts_with('-');
    return small ? std::optional(0.0) : std::nullopt;
  }
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

void ElementSet::AddNumber(std::string_view key, double value) {
  if (!std::isfinite(value)) return;
  record_.channels.emplace_back(key, value);
  if (const Element* element = FindElement(key); element != nullptr && !element->unit.empty()) {
    record_.units.emplace_back(key, element->unit);
  }
}

void ElementSet::Add(std::string_view key, std::string_view value, std::string_view unit) {
  const std::string_view word = Trim(value);
  if (word.empty()) return;
  const auto wrong = [&](std::string reason) {
    if (wrong_.empty()) wrong_ = std::move(reason);
  };
  if (key == "EPOCH") {
    if (!epoch_text_.empty() && epoch_text_ != word) wrong("two epochs in one element set");
    epoch_text_ = word;
    return;
  }
  if (key == "COMMENT") {
    for (auto& [name, text] : record_.fields) {
      if (name == key) {
        text += fmt::format("\n{}", word);
        return;
      }
    }
  }
  const Element* element = FindElement(key);
  if (element == nullptr) {
    record_.fields.emplace_back(key, word);
    return;
  }
  if (key == "NORAD_CAT_ID") {
    const std::optional<std::string> number = CatalogNumber(word);
    if (!number) return wrong(fmt::format("NORAD_CAT_ID is no catalogue number: \"{}\"", word.substr(0, 40)));
    record_.author = *number;
    return AddNumber(key, *OrbitNumber(*number));
  }
  const std::optional<double> number = OrbitNumber(word);
  if (!number) return wrong(fmt::format("{} is not a number: \"{}\"", key, word.substr(0, 40)));
  if (const std::string plain = PlainUnit(unit); !plain.empty() && plain != element->unit && !element->unit.empty()) {
    return wrong(fmt::format("{} is in {}, where {} is due", key, plain, element->unit));
  }
  AddNumber(key, *number);
}

std::string ElementSet::Finish(Record& record) {
  if (!wrong_.empty()) return wrong_;
  SortValues(record_);
  const auto channel = [&](std::string_view name) -> std::optional<double> {
    for (const auto& [key, value] : record_.channels) {
      if (key == name) return value;
    }
    return std::nullopt;
  };
  const auto field = [&](std::string_view name) -> std::string_view {
    for (const auto& [key, value] : record_.fields) {
      if (key == name) return value;
    }
    return {};
  };
  if (!epoch_ && epoch_text_.empty()) return "no EPOCH";
  if (!channel("MEAN_MOTION") && !channel("SEMI_MAJOR_AXIS")) return "no MEAN_MOTION and no SEMI_MAJOR_AXIS";
  for (const char* key : {"MEAN_MOTION", "SEMI_MAJOR_AXIS"}) {
    if (const auto value = channel(key); value && *value <= 0) return fmt::format("{} {} is not above 0", key, *value);
  }
  const std::optional<double> eccentricity = channel("ECCENTRICITY");
  if (!eccentricity) return "no ECCENTRICITY";
  if (*eccentricity < 0 || *eccentricity >= 1) return fmt::format("ECCENTRICITY {} is not in [0, 1)", *eccentricity);
  for (const Range& range : kRanges) {
    const std::optional<double> value = channel(range.key);
    if (!value) return fmt::format("no {}", range.key);
    if (*value < range.least || *value > range.most) {
      return fmt::format("{} {} is not in [{}, {}]", range.key, *value, range.least, range.most);
    }
  }
  if (!epoch_) {
    const std::optional<Instant> epoch = ParseOrbitTime(epoch_text_);
    if (!epoch) return fmt::format("EPOCH is no date: \"{}\"", epoch_text_.substr(0, 40));
    const std::string_view system = field("TIME_SYSTEM");
    // Seconds by which the clock of a system is ahead of GPS's.
    const std::optional<int64_t> ahead = system == "GPS"   ? std::optional<int64_t>(0)
                                         : system == "TAI" ? std::optional<int64_t>(19'000'000)
                                         : system == "TT"  ? std::optional<int64_t>(51'184'000)
                                                           : std::nullopt;
    if (system.empty() || system == "UTC") {
      epoch_ = epoch;
    } else {
      record_.fields.emplace_back("EPOCH", epoch_text_);
      constexpr int64_t kGpsEpoch = 315'964'800'000'000;
      if (ahead) epoch_ = Instant{*UnixOfGpsMicroseconds(epoch->time - *ahead - kGpsEpoch), epoch->precision, true};
    }
  }
  if (epoch_) {
    record_.time = epoch_->time;
    record_.time_precision = epoch_->precision;
  }
  if (record_.author.empty()) record_.author = field("OBJECT_ID");
  SortValues(record_);
  record = std::move(record_);
  return "";
}

}  // namespace rhodes
