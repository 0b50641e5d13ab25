// Tesla's Fleet Telemetry in the shapes in which its server passes it on.
#ifndef RHODES_SOURCE_TESLA_TELEMETRY_H_
#define RHODES_SOURCE_TESLA_TELEMETRY_H_

#include "source/format.h"

namespace rhodes {

// A record a message: kinds "telemetry", "alert", "error", "connectivity", "metric"; the author is the VIN. Files:
//   one payload (protobuf); payloads one after another, each behind its length as a varint or as four bytes, the
//   highest first; lines of decoded records (JSON), of the server's log, of {"topic", "key", "value" in base64}, and of
//   `topic payload` as mosquitto_sub -v writes MQTT.
const Format& TeslaTelemetryFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_TESLA_TELEMETRY_H_
