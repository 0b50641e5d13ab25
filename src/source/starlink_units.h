// Units and conventions of what a Starlink dish reports.
#ifndef RHODES_SOURCE_STARLINK_UNITS_H_
#define RHODES_SOURCE_STARLINK_UNITS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "record/record.h"

namespace rhodes {

// "popPingLatencyMs", "pop_ping_latency_ms" and "dish.popPingLatencyMs" as "poppinglatencyms": the last component
// without underscores, in lower case. camelCase and snake_case are two spellings of one protocol.
std::string PlainName(std::string_view name);

// The unit of a number of this name, camelCase or snake_case, a path or a column with an index ("..._latency_3"); ""
// when it has none or none is known.
std::string_view DishUnit(std::string_view name);

// Adds a number the dish reported to `record` with its unit. What is no measurement is left out: a number that is not
// finite, and a latency of -1, which says that no ping came back.
void AddDishNumber(std::string_view name, double number, Record& record);
// The same of a value in text: a number when it is one (and no name, version or code), else a field. "NaN", "Infinity",
// "None" and "" are absence.
void AddDishText(std::string_view name, std::string_view text, Record& record);

// The names of the alerts in the bit mask of the tools' column `alerts`: "roaming,is_heating".
std::string AlertsOfMask(uint64_t mask);

}  // namespace rhodes

#endif  // RHODES_SOURCE_STARLINK_UNITS_H_
