#include "world/truth_file.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "world/record_key.h"

namespace rhodes {
namespace {

std::string StringAt(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}
uint64_t CountAt(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

// {"posts": {"x/v1-stream.jsonl": ["post:1", ...]}, ...}. What is wrong with it; empty: nothing.
std::string ReadRecords(const Json& line, WorldTruth::Event& event, WorldTruth& truth) {
  const auto records = line.find("records");
  if (records == line.end() || !records->is_object()) return "an event without \"records\"";
  for (const auto& [source, files] : records->items()) {
    if (!files.is_object()) return fmt::format("the records of \"{}\" are not by file", source);
    for (const auto& [file, keys] : files.items()) {
      if (!keys.is_array()) return fmt::format("the records in \"{}\" are no list", file);
      for (const Json& key : keys) {
        if (!key.is_string()) return fmt::format("a record in \"{}\" is no string", file);
        const uint64_t print = KeyFingerprint(key.get<std::string>());
        event.records.push_back(print);
        truth.sources.emplace(print, source);
      }
    }
  }
  std::sort(event.records.begin(), event.records.end());
  event.records.erase(std::unique(event.records.begin(), event.records.end()), event.records.end());
  return "";
}

std::string ReadLine(const Json& line, WorldTruth& truth) {
  if (!line.is_object()) return "no JSON object";
  const std::string type = StringAt(line, "type");
  if (type == "world") return CountAt(line, "format") == 1 ? "" : "a truth of another format; make the world again";
  if (type == "event") {
    WorldTruth::Event event{StringAt(line, "id"), StringAt(line, "kind"), {}};
    std::string reason = ReadRecords(line, event, truth);
    truth.events.push_back(std::move(event));
    return reason;
  }
  if (type == "deleted" || type == "rumour") {
    (type == "deleted" ? truth.deleted : truth.rumours).insert(KeyFingerprint(StringAt(line, "record")));
    return "";
  }
  if (type == "source") {
    WorldTruth::Total total{CountAt(line, "unique"), CountAt(line, "duplicates"), CountAt(line, "corrupted"),
                            CountAt(line, "taken_back"), 0};
    const std::string keys = StringAt(line, "keys");
    const auto [end, error] = std::from_chars(keys.data(), keys.data() + keys.size(), total.keys, 16);
    if (error != std::errc() || end != keys.data() + keys.size()) return "\"keys\" is no hexadecimal number";
    truth.totals[StringAt(line, "source")] = total;
    return "";
  }
  return type.empty() ? "no line of a truth: it has no \"type\"" : fmt::format("a line of unknown type \"{}\"", type);
}

}  // namespace

absl::StatusOr<WorldTruth> ParseTruth(std::string_view text, std::string_view what) {
  WorldTruth truth;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (Trim(line).empty()) continue;
    const std::string where = fmt::format("{}: line {}", what, number);
    const absl::StatusOr<Json> json = ParseJson(line, where);
    if (!json.ok()) return UsageError(Message(json.status()));
    const std::string reason = ReadLine(*json, truth);
    if (!reason.empty()) return UsageError(fmt::format("{}: {}", where, reason));
  }
  if (truth.totals.empty()) {
    return UsageError(fmt::format("{}: no truth.jsonl of `rhodes world`, or its end is missing", what));
  }
  return truth;
}

}  // namespace rhodes
