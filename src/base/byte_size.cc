#include "base/byte_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace rhodes {

absl::StatusOr<uint64_t> ParseByteSize(std::string_view text) {
  const std::string_view trimmed = Trim(text);
  const size_t digits = std::min(trimmed.find_first_not_of("0123456789."), trimmed.size());
  const std::string unit = LowerAscii(Trim(trimmed.substr(digits)));
  struct Unit {
    std::string_view name;
    double bytes;
  };
  constexpr std::array<Unit, 10> kUnits{{{"", 1},
                                         {"b", 1},
                                         {"kb", 1e3},
                                         {"mb", 1e6},
                                         {"gb", 1e9},
                                         {"tb", 1e12},
                                         {"kib", 1024.0},
                                         {"mib", 1048576.0},
                                         {"gib", 1073741824.0},
                                         {"tib", 1099511627776.0}}};
  double number = 0;
  if (digits > 0 && std::from_chars(trimmed.data(), trimmed.data() + digits, number).ptr == trimmed.data() + digits) {
    for (const Unit& candidate : kUnits) {
      if (unit == candidate.name && number * candidate.bytes < 1e18) {
        return static_cast<uint64_t>(std::llround(number * candidate.bytes));
      }
    }
  }
  return absl::InvalidArgumentError(fmt::format("\"{}\" is not a size; write it as 500MB, 2GB or 4GiB", text));
}

std::string FormatByteSize(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace rhodes
