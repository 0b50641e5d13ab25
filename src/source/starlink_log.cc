#include "source/starlink_log.h"

#include "absl/time/time.h"
#include "base/text.h"
#include "source/encoding.h"

namespace rhodes {
namespace {

constexpr std::string_view kStart = "Start time:";
constexpr std::string_view kEnd = "End time:";

// `text` without the brackets and dashes that logs set around a time.
std::string_view TrimMarks(std::string_view text) {
  while (!text.empty() && std::string_view(" \t\r[(-:|>").find(text.front()) != std::string_view::npos) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::string_view(" \t\r])-:|>").find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
  }
  return text;
}

std::string_view LastWord(std::string_view text) {
  text = Trim(text);
  const size_t blank = text.find_last_of(" \t");
  return blank == std::string_view::npos ? text : text.substr(blank + 1);
}

// "req: A | res: B | data:" into its parts. False when it is none of the kind.
bool ReadRequestPrefix(std::string_view prefix, const ReadOptions& options, LogPrefix& read) {
  if (!prefix.starts_with("req:") && !prefix.starts_with("res:")) return false;
  std::optional<Instant> asked;
  for (const std::string_view part : Split(prefix, '|')) {
    const size_t colon = part.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = Trim(part.substr(0, colon));
    const std::string_view value = Trim(part.substr(colon + 1));
    if (name == "req") asked = LogTime(value, options);
    if (name == "res") read.time = LogTime(value, options);
    if (!value.empty()) read.fields.emplace_back(DecodeText(name).text, DecodeText(value).text);
  }
  if (!read.time) read.time = asked;
  return true;
}

}  // namespace

bool IsStartLine(std::string_view line) { return TimeOfStartLine(line).has_value(); }
bool IsEndLine(std::string_view line) { return line.starts_with(kEnd); }

std::optional<Instant> TimeOfStartLine(std::string_view line) {
  if (!line.starts_with(kStart)) return std::nullopt;
  return ParseInstant(line.substr(kStart.size()));
}

std::optional<Instant> LogTime(std::string_view text, const ReadOptions& options) {
  std::optional<Instant> instant = ParseInstant(text);
  if (!instant || instant->has_zone || options.time_zone.empty()) return instant;
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(options.time_zone, &zone)) return instant;
  const absl::CivilSecond civil = absl::ToCivilSecond(absl::FromUnixMicros(instant->time), absl::UTCTimeZone());
  const absl::Time time = absl::FromCivil(civil, zone);  // of two, the earlier
  int64_t fraction = instant->time % 1'000'000;
  if (fraction < 0) fraction += 1'000'000;
  instant->time = absl::ToUnixSeconds(time) * 1'000'000 + fraction;
  return instant;
}

std::optional<Instant> PollTime(const ReadOptions& options) {
  if (!options.polled_at) return std::nullopt;
  const int64_t time = *options.polled_at;
  const TimePrecision precision = time % 1'000'000 == 0 ? TimePrecision::kSecond
                                  : time % 1000 == 0    ? TimePrecision::kMillisecond
                                                        : TimePrecision::kMicrosecond;
  return Instant{time, precision, true};
}

LogPrefix ReadLogPrefix(std::string_view prefix, const ReadOptions& options) {
  LogPrefix read;
  prefix = Trim(prefix);
  if (prefix.empty() || ReadRequestPrefix(prefix, options, read)) return read;
  const std::string_view topic = LastWord(prefix);
  if (topic.starts_with("starlink/")) {
    read.dish = DecodeText(topic.substr(topic.rfind('/') + 1)).text;
    read.fields.emplace_back("topic", DecodeText(topic).text);
    prefix = Trim(prefix.substr(0, prefix.size() - topic.size()));
  }
  if (prefix.empty()) return read;
  read.time = LogTime(TrimMarks(prefix), options);
  if (!read.time) read.fields.emplace_back("prefix", DecodeText(prefix).text);
  return read;
}

std::optional<TopicLine> ReadTopicLine(std::string_view line, const ReadOptions& options) {
  constexpr std::string_view kTopic = "starlink/dish_";
  const size_t begin = line.find(kTopic);
  if (begin == std::string_view::npos) return std::nullopt;
  TopicLine read;
  const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
  read.topic = line.substr(begin, end - begin);
  read.value = Trim(line.substr(end));
  const std::vector<std::string_view> parts = Split(read.topic, '/');
  if (parts.size() != 4 || parts[3].empty()) return std::nullopt;
  read.group = parts[1].substr(5);
  read.dish = parts[2];
  read.name = parts[3];
  const std::string_view before = TrimMarks(line.substr(0, begin));
  if (before.empty()) return read;
  read.time = LogTime(before, options);
  return read.time ? std::optional(read) : std::nullopt;
}

}  // namespace rhodes
