// A satellite's orbit as mean elements, however it was written: the schema that TLE and OMM share.
#ifndef RHODES_SOURCE_ORBIT_H_
#define RHODES_SOURCE_ORBIT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/format.h"
#include "source/time.h"

namespace rhodes {

// The decimal number of a catalogue number as written: digits (up to nine, blanks or zeros before them), or Alpha-5: a
// letter but I and O for 10 to 33, then four digits ("A0534" is 100534). Nothing when it is neither.
std::optional<std::string> CatalogNumber(std::string_view text);

// A number as catalogues write it: "0925", "+.5", "-.47102E-5". Not NaN, not infinite.
std::optional<double> OrbitNumber(std::string_view text);

// Collects the values of one element set under their keywords in CCSDS 502.0 (OMM) and makes the record.
//
// Channels: what is a number, with the unit that the standard gives it. Fields: everything else. author: the catalogue
// number, else OBJECT_ID. time: EPOCH, when TIME_SYSTEM is UTC (or is not said), GPS, TAI or TT; an epoch of another
// system stays in fields["EPOCH"] and the record has no time.
class ElementSet {
 public:
  // `unit` as written behind the value, or "".
  void Add(std::string_view key, std::string_view value, std::string_view unit = {});
  void AddNumber(std::string_view key, double value);
  void SetEpoch(Instant epoch) { epoch_ = epoch; }

  // What is wrong with the set, or "": a value that is no number where one is due, an element that is missing or out of
  // its range (an eccentricity of 1, an inclination of 181 degrees), an epoch that is no date.
  std::string Finish(Record& record);

 private:
  std::string wrong_;
  std::string epoch_text_;
  std::optional<Instant> epoch_;
  Record record_;
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_ORBIT_H_
