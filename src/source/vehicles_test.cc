// Tesla's formats and OBD-II logs: messages built by hand from the protocol, and the samples where they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <filesystem>

#include "base/decompress.h"
#include "source/tesla_fleet.h"
#include "source/tesla_telemetry.h"
#include "source/testing.h"
#include "source/vehicle_tables.h"

namespace rhodes {
namespace {

using source_testing::Field;
using source_testing::Read;
using source_testing::Violation;
using ::testing::HasSubstr;

ParsedBlock ReadChecked(const Format& format, std::string_view bytes, const ReadOptions& options = {},
                        std::string_view path = "/data/file") {
  const ParsedBlock whole = Read(format, bytes, options, path);
  EXPECT_EQ(Violation(whole, bytes), "");
  for (const size_t block : {size_t{1}, size_t{60}}) {
    EXPECT_TRUE(source_testing::Same(whole, Read(format, bytes, options, path, block))) << block;
  }
  return whole;
}

double Channel(const Record& record, std::string_view name) {
  for (const auto& [key, value] : record.channels) {
    if (key == name) return value;
  }
  return -12345;
}
std::string Unit(const Record& record, std::string_view name) {
  for (const auto& [key, value] : record.units) {
    if (key == name) return value;
  }
  return "(none)";
}

// The wire format, written down once more.
std::string Varint(uint64_t value) {
  std::string bytes;
  do {
    bytes += static_cast<char>((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
    value >>= 7;
  } while (value > 0);
  return bytes;
}
std::string Number(uint32_t field, uint64_t value) { return Varint(field << 3) + Varint(value); }
std::string Bytes(uint32_t field, std::string_view bytes) {
  return Varint(field << 3 | 2) + Varint(bytes.size()) + std::string(bytes);
}
std::string Fixed(uint32_t field, uint64_t bits, size_t size) {
  std::string bytes = Varint(field << 3 | (size == 8 ? 1 : 5));
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(bits >> (8 * i) & 0xFF);
  return bytes;
}
std::string Datum(uint32_t key, const std::string& value) { return Bytes(1, Number(1, key) + Bytes(2, value)); }

constexpr char kVin[] = "5YJ3E1EA0PF000001";

std::string Payload() {
  const std::string location =
      Fixed(1, std::bit_cast<uint64_t>(54.32), 8) + Fixed(2, std::bit_cast<uint64_t>(10.14), 8);
  return Datum(4, Bytes(1, "65.2")) +                                 // VehicleSpeed as a string
         Datum(5, Fixed(5, std::bit_cast<uint64_t>(12345.5), 8)) +    // Odometer as a double
         Datum(8, Fixed(4, std::bit_cast<uint32_t>(71.3F), 4)) +      // Soc as a float
         Datum(10, Number(9, 5)) +                                    // Gear as an enumeration
         Datum(21, Bytes(7, location)) + Datum(64, Bytes(1, "42")) +  // Location; VehicleName
         Datum(85, Number(10, 1)) + Datum(9999, Number(2, 7)) +       // invalid; unknown
         Bytes(2, Number(1, 1709240645) + Number(2, 250'000'000)) + Bytes(3, kVin) + Number(4, 1);
}

void ExpectTelemetry(const Record& record) {
  EXPECT_EQ(record.kind, "telemetry");
  EXPECT_EQ(record.author, kVin);
  EXPECT_EQ(Channel(record, "VehicleSpeed"), 65.2);
  EXPECT_EQ(Unit(record, "VehicleSpeed"), "mi/h");
  EXPECT_EQ(Channel(record, "Odometer"), 12345.5);
  EXPECT_EQ(record.latitude, 54.32);
  EXPECT_EQ(record.longitude, 10.14);
  EXPECT_EQ(Field(record, "VehicleName"), "42");
}

TEST(ObdCsv, LocalTimesAreOfTheStatedZone) {
  ReadOptions options;
  options.time_zone = "Europe/Berlin";
  const ParsedBlock parsed =
      source_testing::Read(ObdCsvFormat(), "Time,SPEED (km/h)\n2024-07-01 12:00:00,50\n", options);
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(parsed.records[0].time, 1719828000000000);
}

TEST(TeslaFleet, NumbersThatNoDoubleHoldStayDigits) {
  const ParsedBlock parsed = source_testing::Read(
      TeslaFleetFormat(),
      R"({"response":{"id":12345678901234567,"vin":"5YJ3E1EA0LF000001","state":"online","charge_state":{"battery_level":80}}})");
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(source_testing::Field(parsed.records[0], "id"), "12345678901234567");
}

TEST(TeslaTelemetry, APayloadGivesChannelsFieldsPlaceAndTime) {
  const ParsedBlock parsed = ReadChecked(TeslaTelemetryFormat(), Payload());
  ASSERT_EQ(parsed.records.size(), 1u) << (parsed.rejects.empty() ? "" : parsed.rejects[0].reason);
  const Record& record = parsed.records[0];
  ExpectTelemetry(record);
  EXPECT_EQ(Channel(record, "Soc"), 71.3);
  EXPECT_EQ(Channel(record, "Field_9999"), 7);
  EXPECT_EQ(record.time, 1709240645250000);
  EXPECT_EQ(record.time_precision, TimePrecision::kMillisecond);
  EXPECT_EQ(Field(record, "is_resend"), "true");
  EXPECT_NE(Field(record, "invalid"), "(none)");
  EXPECT_EQ(DetectFormat("/x/tesla_V.pb", Payload()).value(), &TeslaTelemetryFormat());
}

TEST(TeslaTelemetry, StreamsOfPayloadsBehindTheirLengths) {
  const std::string payload = Payload();
  std::string varints;
  std::string fixed;
  for (int i = 0; i < 3; ++i) {
    varints += Varint(payload.size()) + payload;
    fixed += std::string("\0\0", 2) + static_cast<char>(payload.size() >> 8) +
             static_cast<char>(payload.size() & 0xFF) + payload;
  }
  EXPECT_EQ(ReadChecked(TeslaTelemetryFormat(), varints).records.size(), 3u);
  EXPECT_EQ(ReadChecked(TeslaTelemetryFormat(), fixed).records.size(), 3u);
  const ParsedBlock cut = Read(TeslaTelemetryFormat(), varints.substr(0, varints.size() - 5));
  EXPECT_EQ(cut.records.size(), 2u);
  ASSERT_EQ(cut.rejects.size(), 1u);
  EXPECT_THAT(cut.rejects[0].reason, HasSubstr("breaks off"));
}

TEST(TeslaTelemetry, AlertsErrorsAndConnectivity) {
  const std::string alert = Bytes(1, "ESP_a118") + Bytes(2, std::string("\1\2", 2)) +
                            Bytes(3, Number(1, 1709240645123)) + Bytes(4, Number(1, 1709240700));  // ms in seconds
  ParsedBlock parsed = ReadChecked(TeslaTelemetryFormat(), Bytes(1, alert) + Bytes(3, kVin), {}, "/t/tesla_alerts.pb");
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(parsed.records[0].kind, "alert");
  EXPECT_EQ(Field(parsed.records[0], "name"), "ESP_a118");
  EXPECT_EQ(Field(parsed.records[0], "started_at"), "2024-02-29T21:04:05Z");
  EXPECT_EQ(parsed.records[0].time, 1709240645123000);
  const std::string error = Bytes(1, Number(1, 1709240645)) + Bytes(2, "cloud_error") +
                            Bytes(3, Bytes(1, "k") + Bytes(2, "v")) + Bytes(4, "no route");
  parsed = ReadChecked(TeslaTelemetryFormat(), Bytes(1, error) + Bytes(3, kVin));
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(parsed.records[0].kind, "error");
  EXPECT_EQ(Field(parsed.records[0], "body"), "no route");
  parsed = ReadChecked(TeslaTelemetryFormat(), Bytes(1, kVin) + Bytes(2, "c1") + Number(3, 1) +
                                                   Bytes(4, Number(1, 1709240645)) + Bytes(5, "wifi"));
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(parsed.records[0].kind, "connectivity");
  EXPECT_EQ(Field(parsed.records[0], "status"), "CONNECTED");
  parsed = Read(TeslaTelemetryFormat(), std::string("\xFF\xFF\0\1", 4));
  ASSERT_EQ(parsed.rejects.size(), 1u);
}

TEST(TeslaTelemetry, DecodedLoggedAndMqttLines) {
  const ParsedBlock parsed = ReadChecked(
      TeslaTelemetryFormat(),
      R"({"data":[{"key":"VehicleSpeed","value":{"stringValue":"65.2"}},{"key":"Odometer","value":{"doubleValue":12345.5}},)"
      R"({"key":"Location","value":{"locationValue":{"latitude":54.32,"longitude":10.14}}},{"key":"VehicleName","value":{"stringValue":"42"}},)"
      R"({"key":"Gear","value":{"shiftStateValue":"ShiftStateD"}},{"key":"Soc","value":{"invalid":true}}],"createdAt":"2024-02-29T21:04:05.250Z","vin":"5YJ3E1EA0PF000001","isResend":false})"
      "\n"
      R"j({"activity":true,"context":"main","data":{"CreatedAt":"2024-02-29T21:04:05Z","IsResend":false,"VehicleSpeed":65.2,"Odometer":"1.23455e4","Location":"(54.32 N, 10.14 E)","VehicleName":"42","Soc":"<invalid>","Vin":"5YJ3E1EA0PF000001"},"level":"info","msg":"record_payload","vin":"5YJ3E1EA0PF000001"})j"
      "\n"
      "fleet/5YJ3E1EA0PF000001/v/VehicleSpeed 65.2\n"
      "fleet/5YJ3E1EA0PF000001/connectivity "
      "{\"ConnectionId\":\"c\",\"Status\":\"CONNECTED\",\"CreatedAt\":\"2024-02-29T21:04:05Z\"}\n"
      "nothing\n");
  ASSERT_EQ(parsed.records.size(), 4u);
  ExpectTelemetry(parsed.records[0]);
  EXPECT_EQ(Field(parsed.records[0], "Gear"), "ShiftStateD");
  EXPECT_EQ(Field(parsed.records[0], "invalid"), "Soc");
  ExpectTelemetry(parsed.records[1]);
  EXPECT_EQ(Field(parsed.records[1], "invalid"), "Soc");
  EXPECT_EQ(Channel(parsed.records[2], "VehicleSpeed"), 65.2);
  EXPECT_EQ(parsed.records[2].author, kVin);
  EXPECT_EQ(parsed.records[3].kind, "connectivity");
  ASSERT_EQ(parsed.rejects.size(), 1u);
}

TEST(TeslaFleet, NumbersUnderTheirPathsWithPlaceAndNewestTime) {
  const ParsedBlock parsed =
      ReadChecked(TeslaFleetFormat(),
                  "{\"response\":\n {\"id\":1234,\"vin\":\"5YJ3E1EA0PF000001\",\"tokens\":[\"secret\"],\"color\":null,"
                  "\"charge_state\":{\"battery_level\":77,\"timestamp\":1705707520649,\"charging_state\":\"Charging\"},"
                  "\"drive_state\":{\"latitude\":-30.2,\"longitude\":-97.6,\"speed\":null,\"timestamp\":1705707520000,"
                  "\"gps_as_of\":1692137422}}}\n");
  ASSERT_EQ(parsed.records.size(), 1u);
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.time, 1705707520649000);
  EXPECT_EQ(record.latitude, -30.2);
  EXPECT_EQ(Channel(record, "charge_state.battery_level"), 77);
  EXPECT_EQ(Unit(record, "charge_state.battery_level"), "%");
  EXPECT_EQ(Field(record, "id"), "1234");
  EXPECT_EQ(Field(record, "charge_state.charging_state"), "Charging");
  EXPECT_EQ(Field(record, "tokens"), "(none)");
  const ParsedBlock refused = Read(TeslaFleetFormat(), R"({"response":null,"error":"vehicle unavailable"})");
  ASSERT_EQ(refused.rejects.size(), 1u);
  EXPECT_THAT(refused.rejects[0].reason, HasSubstr("vehicle unavailable"));
}

TEST(TeslaFi, LocalTimesOverTheHourThatIsShownTwice) {
  const std::string table =
      "\xEF\xBB\xBF"
      "data_id,Date,vin,shift_state,battery_level,odometer,latitude,longitude,locked\r\n"
      "1,2019-10-27 01:59:00,5YJ3E1EA0PF000001,D,80,100.5,54.32,10.14,True\r\n"
      "2,2019-10-27 02:30:00,5YJ3E1EA0PF000001,D,80,101,None,None,True\r\n"
      "3,2019-10-27 02:10:00,5YJ3E1EA0PF000001,D,80,102,,,True\r\n"
      "4,10/27/2019 03:00,5YJ3E1EA0PF000001,P,79,103,,,False\r\n"
      "5,2019-03-31 02:30:00,5YJ3E1EA0PF000001,P,79,103,,,False\r\n";
  ReadOptions options;
  options.time_zone = "Europe/Berlin";
  const ParsedBlock parsed = ReadChecked(TeslaFiFormat(), table, options);
  ASSERT_EQ(parsed.records.size(), 4u);
  EXPECT_EQ(parsed.records[0].time, 1572134340000000);  // 2019-10-26T23:59:00Z
  EXPECT_EQ(parsed.records[1].time, 1572136200000000);  // 2019-10-27T00:30:00Z, before the clock went back
  EXPECT_EQ(parsed.records[2].time, 1572138600000000);  // 2019-10-27T01:10:00Z, after it
  EXPECT_FALSE(parsed.records[3].time.has_value());
  EXPECT_EQ(Field(parsed.records[3], "Date"), "10/27/2019 03:00");
  EXPECT_EQ(Unit(parsed.records[0], "odometer"), "mi");
  ASSERT_EQ(parsed.rejects.size(), 1u);
  EXPECT_THAT(parsed.rejects[0].reason, HasSubstr("never showed it"));
  const ParsedBlock without = ReadChecked(TeslaFiFormat(), table);
  EXPECT_EQ(without.records.size(), 5u);
  EXPECT_FALSE(without.records[0].time.has_value());  // never guessed
}

TEST(TeslaMate, TablesAreToldByTheirHeaders) {
  const ParsedBlock parsed = ReadChecked(TeslaMateFormat(),
                                         "id,date,latitude,longitude,speed,power,odometer,car_id,drive_id\n"
                                         "1,2024-02-29 21:04:05.123,54.32,10.14,50,12,12345.6,1,7\n"
                                         "2,yesterday,,,,,,1,\n");
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(parsed.records[0].kind, "position");
  EXPECT_EQ(parsed.records[0].author, "car 1");
  EXPECT_EQ(Unit(parsed.records[0], "speed"), "km/h");
  EXPECT_EQ(parsed.records[0].time, 1709240645123000);
  ASSERT_EQ(parsed.rejects.size(), 1u);
}

TEST(ObdCsv, UnitsFromCellsAndHeadersAndNothingGuessed) {
  const ParsedBlock parsed =
      ReadChecked(ObdCsvFormat(),
                  "TIME;LATITUDE;LONGITUDE;VEHICLE_ID;ENGINE_RPM;VEHICLE_SPEED (km/h);ENGINE_LOAD;MAF;THROTTLE_POS\n"
                  "1,51336E+12;-58.321.307;-3.5;s11;2124RPM;48;79,20%;24,77g/s;\n");
  ASSERT_EQ(parsed.records.size(), 1u);
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.author, "s11");
  EXPECT_EQ(Channel(record, "ENGINE_RPM"), 2124);
  EXPECT_EQ(Unit(record, "ENGINE_RPM"), "r/min");
  EXPECT_EQ(Unit(record, "VEHICLE_SPEED"), "km/h");
  EXPECT_EQ(Channel(record, "ENGINE_LOAD"), 79.2);
  EXPECT_EQ(Channel(record, "MAF"), 24.77);
  EXPECT_FALSE(record.time.has_value());
  EXPECT_FALSE(record.latitude.has_value());
  EXPECT_EQ(Field(record, "TIME"), "1,51336E+12");
  EXPECT_EQ(Field(record, "latitude"), "-58.321.307");
  ReadOptions options;
  options.columns.time = "when";
  options.columns.author = "box";
  options.columns.channels = {{"a1", "oil_temperature", "degC"}};
  const ParsedBlock mapped =
      ReadChecked(ObdCsvFormat(), "when,box,a1,rpm\n2024-02-29T21:04:05Z,b7,\"87,5\",900\n", options);
  ASSERT_EQ(mapped.records.size(), 1u);
  EXPECT_EQ(mapped.records[0].author, "b7");
  EXPECT_EQ(Channel(mapped.records[0], "oil_temperature"), 87.5);
  EXPECT_EQ(Unit(mapped.records[0], "oil_temperature"), "degC");
}

// Rows counted with Python's csv module.
TEST(VehicleSamples, CountsBalance) {
  const std::string data = std::string(RHODES_SOURCE_DIR) + "/../shared/data/";
  if (!std::filesystem::exists(data + "tesla")) GTEST_SKIP() << "no samples here";
  const auto read = [&](const Format& format, const std::string& name) {
    const std::string bytes = ReadWholeFile(data + name, uint64_t{1} << 30).value();
    EXPECT_EQ(DetectFormat("/" + name, std::string_view(bytes).substr(0, 65536)).value(), &format) << name;
    ReadOptions options;
    options.time_zone = "Europe/Berlin";
    const ParsedBlock parsed = Read(format, bytes, options);
    EXPECT_EQ(Violation(parsed, bytes), "") << name;
    EXPECT_EQ(parsed.rejects.size(), 0u) << name;
    return parsed;
  };
  EXPECT_EQ(read(TeslaFiFormat(), "tesla/teslafi/01_complete_TeslaFi62016.csv").records.size(), 999u);
  EXPECT_EQ(read(TeslaFiFormat(), "tesla/teslafi/08_resilient_TeslaFi12018.csv").records.size(), 3u);
  const ParsedBlock saving = read(TeslaFiFormat(), "tesla/teslafi/05_dst_TeslaFi102019.csv");
  EXPECT_EQ(saving.records.size(), 218u);
  for (size_t i = 1; i < saving.records.size(); ++i) {  // in true order, the hour that was shown twice included
    EXPECT_LT(*saving.records[i - 1].time, *saving.records[i].time) << i;
  }
  EXPECT_EQ(read(TeslaFleetFormat(), "tesla/fleet_api/vehicle_data.json").records[0].author, "LRWXF7EK4KC700000");
  EXPECT_EQ(read(ObdCsvFormat(), "vehicle_obd/19drivers.csv").records.size(), 8261u);
}

}  // namespace
}  // namespace rhodes
