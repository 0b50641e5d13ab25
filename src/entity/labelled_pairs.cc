#include "entity/labelled_pairs.h"

#include <algorithm>
#include <charconv>

#include "absl/container/flat_hash_map.h"
#include "base/json.h"
#include "base/text.h"

namespace rhodes {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

absl::StatusOr<Values> ParseColumns(std::string_view text) {
  Values values;
  std::string_view rest = Trim(text);
  if (!rest.starts_with("COL ")) return absl::InvalidArgumentError("a side begins with \"COL NAME VAL VALUE\"");
  while (!rest.empty()) {
    rest.remove_prefix(4);
    const size_t val = rest.find(" VAL");
    if (val == std::string_view::npos) return absl::InvalidArgumentError("\"COL\" without \"VAL\"");
    const std::string_view name = Trim(rest.substr(0, val));
    rest.remove_prefix(val + 4);
    const size_t next = rest.find(" COL ");
    values.emplace_back(name, Trim(rest.substr(0, next)));
    rest.remove_prefix(next == std::string_view::npos ? rest.size() : next + 1);
  }
  return values;
}

absl::StatusOr<Values> ParseSide(const Json& json, const char* side) {
  const auto it = json.find(side);
  if (it == json.end() || !it->is_object()) {
    return absl::InvalidArgumentError(fmt::format("there is no object \"{}\"", side));
  }
  Values values;
  for (const auto& [name, value] : it->items()) {
    if (value.is_null()) continue;
    values.emplace_back(name, value.is_string() ? value.get<std::string>() : DumpJson(value));
  }
  return values;
}

class PairReader {
 public:
  absl::Status Add(std::string_view line) {
    if (line.starts_with('{')) return AddJson(line);
    const std::vector<std::string_view> columns = Split(line, '\t');
    if (columns.size() != 3) {
      return absl::InvalidArgumentError(
          fmt::format("a pair has three columns with tabs between, or is a JSON object; this has {}", columns.size()));
    }
    const std::string_view label = Trim(columns[2]);
    if (label != "0" && label != "1") {
      return absl::InvalidArgumentError(fmt::format("the third column is 0 or 1, not \"{}\"", label.substr(0, 40)));
    }
    ASSIGN_OR_RETURN(const Values a, ParseColumns(columns[0]));
    ASSIGN_OR_RETURN(const Values b, ParseColumns(columns[1]));
    AddPair(a, b, label == "1");
    return absl::OkStatus();
  }

  LabelledPairs Finish() {
    for (const auto& mention : mentions_) {
      std::vector<std::string>& row = pairs_.values.emplace_back(pairs_.attributes.size());
      for (const auto& [attribute, value] : mention) row[attribute] = value;
    }
    return std::move(pairs_);
  }

 private:
  using Mention = std::vector<std::pair<size_t, std::string>>;

  absl::Status AddJson(std::string_view line) {
    ASSIGN_OR_RETURN(const Json json, ParseJson(line, "the pair"));
    if (!json.is_object()) return absl::InvalidArgumentError("a pair is an object");
    ASSIGN_OR_RETURN(const Values a, ParseSide(json, "a"));
    ASSIGN_OR_RETURN(const Values b, ParseSide(json, "b"));
    const auto same = json.find("same");
    if (same == json.end() || (!same->is_boolean() && *same != Json(0) && *same != Json(1))) {
      return absl::InvalidArgumentError("\"same\" is true or false");
    }
    AddPair(a, b, same->is_boolean() ? same->get<bool>() : *same == Json(1));
    return absl::OkStatus();
  }

  void AddPair(const Values& a, const Values& b, bool same) { pairs_.pairs.push_back({Intern(a), Intern(b), same}); }

  uint32_t Intern(const Values& values) {
    Mention mention;
    std::string key;
    for (const auto& [name, value] : values) {
      const auto it = std::find(pairs_.attributes.begin(), pairs_.attributes.end(), name);
      const auto at = static_cast<size_t>(it - pairs_.attributes.begin());
      if (it == pairs_.attributes.end()) pairs_.attributes.push_back(name);
      mention.emplace_back(at, value);
      key += fmt::format("{} {}:{}", at, value.size(), value);
    }
    const auto [it, added] = ids_.try_emplace(std::move(key), static_cast<uint32_t>(mentions_.size()));
    if (added) mentions_.push_back(std::move(mention));
    return it->second;
  }

  LabelledPairs pairs_;
  std::vector<Mention> mentions_;
  absl::flat_hash_map<std::string, uint32_t> ids_;
};

bool IsNumber(std::string_view value) {
  const std::string_view trimmed = Trim(value);
  double number = 0;
  const std::string_view digits = trimmed.starts_with('$') ? Trim(trimmed.substr(1)) : trimmed;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size();
}

}  // namespace

absl::StatusOr<LabelledPairs> ParseLabelledPairs(std::string_view text, std::string_view what) {
  PairReader reader;
  size_t number = 0;
  size_t pairs = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (Trim(line).empty()) continue;
    if (const absl::Status status = reader.Add(line); !status.ok()) {
      return absl::InvalidArgumentError(fmt::format("{}:{}: {}", what, number, Message(status)));
    }
    ++pairs;
  }
  if (pairs == 0) return absl::InvalidArgumentError(fmt::format("{}: there is no pair in it", what));
  return reader.Finish();
}

std::vector<MatchAttribute> GuessComparisons(const LabelledPairs& pairs) {
  std::vector<MatchAttribute> attributes;
  for (size_t k = 0; k < pairs.attributes.size(); ++k) {
    size_t values = 0;
    size_t numbers = 0;
    size_t places = 0;
    size_t words = 0;
    for (const std::vector<std::string>& mention : pairs.values) {
      if (Trim(mention[k]).empty()) continue;
      ++values;
      numbers += IsNumber(mention[k]) ? 1 : 0;
      places += PlaceIn(mention[k]) ? 1 : 0;
      words += static_cast<size_t>(std::count(mention[k].begin(), mention[k].end(), ' ')) + 1;
    }
    MatchAttribute attribute;
    attribute.name = pairs.attributes[k];
    if (numbers * 10 >= values * 9 && values > 0) {
      attribute.comparison = Comparison::kNumber;
    } else if (places * 10 >= values * 9 && values > 0) {
      attribute.comparison = Comparison::kPlace;
    } else if (words > 12 * values) {
      attribute.comparison = Comparison::kText;
    }
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

}  // namespace rhodes
