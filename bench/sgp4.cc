// Propagations a second on one thread: sgp4 FILE.tle [DUMP]. With DUMP the states of the first satellites are written
// there, for bench/peers/sgp4_speed.py to compare before it times.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "orbit/propagate.h"
#include "orbit/visibility.h"

namespace rhodes {
namespace {

constexpr size_t kTimes = 512;
constexpr size_t kDumped = 50;

double MedianSeconds(const auto& body) {
  std::vector<double> seconds;
  for (int run = 0; run < 7; ++run) {
    const auto begun = std::chrono::steady_clock::now();
    body();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

int Main(const char* path, const char* dump) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return 1;
  std::vector<Satellite> satellites;
  std::string first;
  for (std::string_view line : Split(*text, '\n')) {
    line = Trim(line);
    if (line.starts_with("1 ")) first = line;
    if (!line.starts_with("2 ")) continue;
    const absl::StatusOr<MeanElements> elements = ParseTwoLines(first, line);
    if (elements.ok()) satellites.emplace_back(*elements);
  }
  if (satellites.empty()) return 1;
  std::vector<double> minutes(kTimes);
  for (size_t i = 0; i < kTimes; ++i) minutes[i] = static_cast<double>(i) * 2.5;
  std::vector<OrbitState> states(kTimes);
  std::vector<OrbitError> errors(kTimes);
  if (dump != nullptr) {
    std::string lines;
    for (size_t s = 0; s < std::min(kDumped, satellites.size()); ++s) {
      PropagateMany(satellites[s], minutes, states, errors);
      for (size_t i = 0; i < kTimes; i += 50) {
        const auto& p = states[i].position;
        lines += fmt::format("{} {} {} {:.9f} {:.9f} {:.9f}\n", s, minutes[i], static_cast<int>(errors[i]), p[0], p[1],
                             p[2]);
      }
    }
    if (!WriteFileAtomically(dump, lines).ok()) return 1;
  }
  const auto print = [](const char* what, double seconds, size_t count) {
    fmt::print("{{\"what\": \"{}\", \"propagations_per_second\": {:.0f}}}\n", what,
               static_cast<double>(count) / seconds);
  };
  const size_t some = std::min<size_t>(satellites.size(), 2000);
  print("scalar", MedianSeconds([&] {
          for (size_t s = 0; s < some; ++s) {
            for (size_t i = 0; i < 32; ++i) errors[i] = satellites[s].After(minutes[i], states[i]);
          }
        }),
        some * 32);
  print("one satellite, many times", MedianSeconds([&] {
          for (size_t s = 0; s < some; ++s) PropagateMany(satellites[s], minutes, states, errors);
        }),
        some * kTimes);
  SatelliteSet set(satellites);
  const int64_t epoch = satellites[0].epoch();
  print("many satellites above a place at one time", MedianSeconds([&] {
          for (int64_t i = 0; i < 50; ++i) set.Above({59.9, 10.7, 0}, epoch + (i + 1) * 60000000, 25);
          set.Above({59.9, 10.7, 0}, epoch, 25);
        }),
        satellites.size() * 51);
  return 0;
}

}  // namespace
}  // namespace rhodes

int main(int count, char** arguments) {
  if (count < 2) return 2;
  return rhodes::Main(arguments[1], count > 2 ? arguments[2] : nullptr);
}
