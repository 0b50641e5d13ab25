// Names of records that the world and the store agree on, in the formats' own terms.
//
//   post:NUMBER               a post (X's number)
//   notice:NUMBER             the notice that deletes that post
//   car:VIN:KIND:MICROSECONDS a message of a vehicle: kind ("telemetry", "alert") and createdAt
//   fi:VIN:DATA_ID            a row of TeslaFi
//   status:DISH:MICROSECONDS  a dish's status, by the time of the poll; so location:...
//   sample:DISH:MICROSECONDS  a second of a dish's history
//   outage:DISH:START:LENGTH  an outage in a dish's history: start (GPS) and length in nanoseconds
//   set:NUMBER:MICROSECONDS   an element set: catalogue number and epoch
//   article:URL, item:URL     a page, an item of a feed
//   place:NAME                a row of the gazetteer
#ifndef RHODES_WORLD_RECORD_KEY_H_
#define RHODES_WORLD_RECORD_KEY_H_

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"

namespace rhodes {

inline std::string PostKey(uint64_t number) { return fmt::format("post:{}", number); }
inline std::string NoticeKey(uint64_t number) { return fmt::format("notice:{}", number); }
inline std::string CarKey(std::string_view vin, std::string_view kind, int64_t time) {
  return fmt::format("car:{}:{}:{}", vin, kind, time);
}
inline std::string TimedKey(std::string_view what, std::string_view device, int64_t time) {
  return fmt::format("{}:{}:{}", what, device, time);
}
inline std::string OutageKey(std::string_view dish, int64_t start, int64_t length) {
  return fmt::format("outage:{}:{}:{}", dish, start, length);
}

// What is summed up to compare two sets of keys without holding them.
inline uint64_t KeyFingerprint(std::string_view key) { return Fingerprint(key, 0x72686f646573ULL); }

}  // namespace rhodes

#endif  // RHODES_WORLD_RECORD_KEY_H_
