// The names behind the numbers of Tesla's Fleet Telemetry, from its published protocol (vehicle_data.proto of the
// fleet-telemetry server), and the units that its documentation gives to fields.
#ifndef RHODES_SOURCE_TESLA_FIELDS_H_
#define RHODES_SOURCE_TESLA_FIELDS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace rhodes {

// "VehicleSpeed" for 4; "Field_9999" for a number that is newer than this table.
std::string TeslaFieldName(uint64_t number);
bool IsTeslaField(std::string_view name);
// Of member `value_field` of the message Value, when that is an enumeration: the value's name, or its number.
std::string TeslaValueName(uint32_t value_field, uint64_t number);
bool IsTeslaEnum(uint32_t value_field);
// "mi/h", "degC", ...; empty when it has none or is not known.
std::string_view UnitOfTeslaField(std::string_view name);

}  // namespace rhodes

#endif  // RHODES_SOURCE_TESLA_FIELDS_H_
