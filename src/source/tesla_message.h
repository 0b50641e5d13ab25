// One message of Tesla's Fleet Telemetry as a record, from its bytes or from the JSON forms that its server writes.
#ifndef RHODES_SOURCE_TESLA_MESSAGE_H_
#define RHODES_SOURCE_TESLA_MESSAGE_H_

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "record/record.h"

namespace rhodes {

enum class TeslaMessage { kUnknown, kVehicleData, kAlerts, kErrors, kConnectivity, kMetrics };
// By a topic's or file's name: "tesla_V", "alerts", ...; kUnknown when it does not say.
TeslaMessage TeslaMessageOfName(std::string_view name);

// Adds one value of vehicle data. The type does not depend on the firmware that sent it: text fields (names, versions)
// are fields whatever comes; of all others numbers, and strings that are numbers, are channels; the rest are fields.
// "<invalid>" is listed in fields["invalid"].
void AddTeslaString(std::string_view name, std::string_view value, Record& record);
void AddTeslaNumber(std::string_view name, double value, Record& record);
void AddTeslaInvalid(std::string_view name, Record& record);
void SetTeslaLocation(std::string_view name, double latitude, double longitude, Record& record);

// A payload. `expected` decides where the bytes fit several messages. Returns what is wrong, or "".
std::string ReadTeslaPayload(std::string_view bytes, TeslaMessage expected, Record& record);
// A decoded record (protojson) or a line of the server's log. Returns what is wrong, or "".
std::string ReadTeslaJson(simdjson::dom::element json, TeslaMessage expected, Record& record);

}  // namespace rhodes

#endif  // RHODES_SOURCE_TESLA_MESSAGE_H_
