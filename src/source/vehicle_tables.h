// What vehicles' owners export and log as tables: TeslaFi, TeslaMate, OBD-II loggers.
#ifndef RHODES_SOURCE_VEHICLE_TABLES_H_
#define RHODES_SOURCE_VEHICLE_TABLES_H_

#include "source/format.h"

namespace rhodes {

// TeslaFi's monthly CSV. Kind "teslafi"; the author is the VIN. Its Date is the owner's local time: with
// ReadOptions::time_zone it becomes the record's time (an hour that the clock showed twice is told by the order of the
// rows), without it the record has none.
const Format& TeslaFiFormat();

// TeslaMate's tables as CSV with their header (COPY ... TO ... CSV HEADER), whose times are UTC. Kinds "position",
// "drive", "charge", "charging-process", "state", "update", "car"; the author is "car N", or the VIN in cars.
const Format& TeslaMateFormat();

// Logs of OBD-II readers. Kind "obd". Units stand in the header ("SPEED (km/h)") or in the cells ("48km/h"); a column
// map says what is time, place and device where the names do not.
const Format& ObdCsvFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_VEHICLE_TABLES_H_
