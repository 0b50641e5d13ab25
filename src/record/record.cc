#include "record/record.h"

namespace rhodes {

std::string_view NameOf(TimePrecision precision) {
  switch (precision) {
    case TimePrecision::kNone:
      return "";
    case TimePrecision::kYear:
      return "year";
    case TimePrecision::kMonth:
      return "month";
    case TimePrecision::kDay:
      return "day";
    case TimePrecision::kHour:
      return "hour";
    case TimePrecision::kMinute:
      return "minute";
    case TimePrecision::kSecond:
      return "second";
    case TimePrecision::kMillisecond:
      return "millisecond";
    case TimePrecision::kMicrosecond:
      return "microsecond";
  }
  return "";
}

}  // namespace rhodes
