// The logs in which a dish's answers are kept: what a line says besides the answer itself.
#ifndef RHODES_SOURCE_STARLINK_LOG_H_
#define RHODES_SOURCE_STARLINK_LOG_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/format.h"
#include "source/time.h"

namespace rhodes {

// "Start time: 1716822174724", the line before an answer that says when it was asked for; "End time: ..." behind it.
std::optional<Instant> TimeOfStartLine(std::string_view line);
bool IsStartLine(std::string_view line);
bool IsEndLine(std::string_view line);

// A time of a log, of the zone options.time_zone when it states none.
std::optional<Instant> LogTime(std::string_view text, const ReadOptions& options);

// options.polled_at as a time of the precision it shows.
std::optional<Instant> PollTime(const ReadOptions& options);

// What stands before the JSON on its line:
//   req: 2024-05-27T10:53:13.844772-04:00 | res: 2024-05-27T10:53:14.085348-04:00 | data:
//   2024-05-27T14:53:14Z
//   starlink/ut01000000-00000000-0085fd5f                    (an MQTT topic, a time before it or not)
struct LogPrefix {
  std::optional<Instant> time;                              // res (the answer was there) before req (it was asked for)
  std::string dish;                                         // the id in the topic
  std::vector<std::pair<std::string, std::string>> fields;  // as written: req, res, topic, prefix (what is not known)
};
LogPrefix ReadLogPrefix(std::string_view prefix, const ReadOptions& options);

// A line of the tools' MQTT messages, one value each: "[TIME ]starlink/dish_GROUP/ID/NAME VALUE".
struct TopicLine {
  std::optional<Instant> time;
  std::string_view topic;
  std::string_view group;  // "status", "obstruction_detail", "ping_drop", ...
  std::string_view dish;
  std::string_view name;
  std::string_view value;
};
std::optional<TopicLine> ReadTopicLine(std::string_view line, const ReadOptions& options);

}  // namespace rhodes

#endif  // RHODES_SOURCE_STARLINK_LOG_H_
