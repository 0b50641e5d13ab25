#include "orbit/elements.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace rhodes {
namespace {

constexpr size_t kLineLength = 69;
constexpr int64_t kDay = int64_t{86400} * 1000 * 1000;

// Days from 1970-01-01 to January 1 of `year` (Gregorian).
int64_t DaysToYear(int64_t year) {
  const int64_t before = year - 1;
  return before * 365 + before / 4 - before / 100 + before / 400 - 719162;
}

std::string_view Columns(std::string_view line, size_t first, size_t last) {  // counted from 1, both included
  std::string_view text = line.substr(first - 1, last - first + 1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<double> Number(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// "-10273-4" is -0.10273e-4: the point and the E are not written.
std::optional<double> ImpliedPoint(std::string_view text) {
  std::string written;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    if (text.front() == '-') written = "-";
    text.remove_prefix(1);
  }
  const size_t sign = text.find_first_of("+-");
  written += "0." + std::string(text.substr(0, sign));
  if (sign != std::string_view::npos) {
    written += "e" + std::string(text.substr(text[sign] == '+' ? sign + 1 : sign));
  }
  return Number(written);
}

int ChecksumOf(std::string_view line) {
  int sum = 0;
  for (const char c : line.substr(0, kLineLength - 1)) {
    if (c >= '0' && c <= '9') sum += c - '0';
    if (c == '-') ++sum;
  }
  return sum % 10;
}

absl::Status CheckLine(std::string_view line, char number) {
  if (line.size() != kLineLength) {
    return absl::InvalidArgumentError(fmt::format("line {} has {} columns, not {}", number, line.size(), kLineLength));
  }
  if (line[0] != number || line[1] != ' ') {
    return absl::InvalidArgumentError(fmt::format("line {} does not begin with \"{} \"", number, number));
  }
  const int checksum = ChecksumOf(line);
  if (line.back() != static_cast<char>('0' + checksum)) {
    return absl::InvalidArgumentError(
        fmt::format("line {} ends with the checksum '{}', and its columns give {}", number, line.back(), checksum));
  }
  return absl::OkStatus();
}

absl::Status Read(std::string_view line, size_t first, size_t last, std::string_view name, double& value) {
  const std::optional<double> number = Number(Columns(line, first, last));
  if (!number) {
    return absl::InvalidArgumentError(fmt::format("line {}, columns {} to {}: \"{}\" is no {}", line[0], first, last,
                                                  Columns(line, first, last), name));
  }
  value = *number;
  return absl::OkStatus();
}

// "19 74B" fits 8 columns; a number beyond 99999 becomes a letter (A to Z without I and O) and four digits.
std::string CatalogColumns(uint32_t number) {
  constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ";
  if (number < 100000) return fmt::format("{:05}", number);
  const uint32_t letter = std::min<uint32_t>(number / 10000 - 10, kLetters.size() - 1);
  return fmt::format("{}{:04}", kLetters[letter], number % 10000);
}

std::string ImpliedPointText(double value) {
  if (value == 0 || std::abs(value) < 1e-10) return " 00000+0";
  int exponent = static_cast<int>(std::floor(std::log10(std::abs(value)))) + 1;
  auto digits = static_cast<int64_t>(std::llround(std::abs(value) * std::pow(10.0, 5 - exponent)));
  if (digits == 100000) {
    digits = 10000;
    ++exponent;
  }
  return fmt::format("{}{:05}{}{}", value < 0 ? '-' : ' ', digits, exponent < 0 ? '-' : '+', std::abs(exponent) % 10);
}

double Turn(double degrees) {
  const double turned = std::fmod(degrees, 360.0);
  return turned < 0 ? turned + 360.0 : turned;
}

std::string WithChecksum(std::string line) {
  line.resize(kLineLength - 1, ' ');
  line += ' ';
  line.back() = static_cast<char>('0' + ChecksumOf(line));
  return line;
}

}  // namespace

absl::StatusOr<MeanElements> ParseTwoLines(std::string_view line1, std::string_view line2) {
  RETURN_IF_ERROR(CheckLine(line1, '1'));
  RETURN_IF_ERROR(CheckLine(line2, '2'));
  MeanElements elements;
  double year = 0;
  double day = 0;
  RETURN_IF_ERROR(Read(line1, 19, 20, "year", year));
  RETURN_IF_ERROR(Read(line1, 21, 32, "day of the year", day));
  if (day < 1 || day >= 367 || year < 0 || year > 99 || year != std::floor(year)) {
    return absl::InvalidArgumentError(
        fmt::format("line 1, columns 19 to 32: \"{}\" is no epoch", Columns(line1, 19, 32)));
  }
  const auto full_year = static_cast<int64_t>(year) + (year < 57 ? 2000 : 1900);
  elements.epoch = DaysToYear(full_year) * kDay + static_cast<int64_t>(std::llround((day - 1) * 86400e6));
  const std::optional<double> drag = ImpliedPoint(Columns(line1, 54, 61));
  if (!drag) {
    return absl::InvalidArgumentError(
        fmt::format("line 1, columns 54 to 61: \"{}\" is no drag term", Columns(line1, 54, 61)));
  }
  elements.drag = *drag;
  RETURN_IF_ERROR(Read(line2, 9, 16, "inclination", elements.inclination));
  RETURN_IF_ERROR(Read(line2, 18, 25, "right ascension", elements.right_ascension));
  double millionths = 0;
  RETURN_IF_ERROR(Read(line2, 27, 33, "eccentricity", millionths));
  elements.eccentricity = millionths * 1e-7;
  RETURN_IF_ERROR(Read(line2, 35, 42, "argument of perigee", elements.argument_of_perigee));
  RETURN_IF_ERROR(Read(line2, 44, 51, "mean anomaly", elements.mean_anomaly));
  RETURN_IF_ERROR(Read(line2, 53, 63, "mean motion", elements.mean_motion));
  return elements;
}

std::string WriteTwoLines(uint32_t number, std::string_view designator, const MeanElements& elements) {
  int64_t days = elements.epoch / kDay;
  if (elements.epoch < days * kDay) --days;
  int64_t year = 1970 + days / 366;  // at or before the year
  while (DaysToYear(year + 1) <= days) ++year;
  while (DaysToYear(year) > days) --year;
  const double day = static_cast<double>(elements.epoch - DaysToYear(year) * kDay) / 86400e6 + 1;
  const std::string catalog = CatalogColumns(number);
  const std::string line1 = fmt::format("1 {}U {:<8} {:02}{:012.8f}  .00000000  00000+0 {} 0  999", catalog,
                                        designator.substr(0, 8), year % 100, day, ImpliedPointText(elements.drag));
  const std::string line2 =
      fmt::format("2 {} {:8.4f} {:8.4f} {:07} {:8.4f} {:8.4f} {:11.8f}    0", catalog, elements.inclination,
                  Turn(elements.right_ascension), static_cast<int64_t>(std::llround(elements.eccentricity * 1e7)),
                  Turn(elements.argument_of_perigee), Turn(elements.mean_anomaly), elements.mean_motion);
  return WithChecksum(line1) + "\n" + WithChecksum(line2);
}

}  // namespace rhodes
