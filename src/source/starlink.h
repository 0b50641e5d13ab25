// What a Starlink dish answers, and the logs in which its answers are kept.
#ifndef RHODES_SOURCE_STARLINK_H_
#define RHODES_SOURCE_STARLINK_H_

#include "source/format.h"

namespace rhodes {

// Answers as JSON, one or many in a file: documents over several lines or a line each, in an array or not, bare or
// within what grpcurl prints around them, in camelCase or snake_case, after a time, after "req: ... | res: ... | data:"
// or after an MQTT topic on their line; starlink-grpc-tools' CSV and MQTT messages.
//
// The three read the same: a log may have all kinds of answers in it. They differ in what they are found by.
//   dishGetStatus          one record, dish-status
//   dishGetHistory         a record for each second (dish-sample), each outage (dish-outage) and event (dish-event)
//   dishGetObstructionMap  one record, obstruction-map
//   getLocation, dishGetDiagnostics, getDeviceInfo, dishGetContext   one record, dish-location, dish-diagnostics, ...
// docs/sources/starlink.md says what becomes of each value, and where a record's time comes from.
const Format& StarlinkStatusFormat();
const Format& StarlinkHistoryFormat();
const Format& StarlinkObstructionFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_STARLINK_H_
