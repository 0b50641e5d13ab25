// The report of a comparison as tables for people.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "value/compare.h"

namespace rhodes {
namespace {

constexpr size_t kColumn = 16;

std::string TimeText(int64_t microseconds) {
  using std::chrono::sys_time;
  return fmt::format("{:%Y-%m-%d %H:%M} UTC",
                     std::chrono::floor<std::chrono::seconds>(
                         sys_time<std::chrono::microseconds>{std::chrono::microseconds{microseconds}}));
}

const Json* Find(const Json& rows, const std::string& arm, const std::string& set, const char* arm_key) {
  for (const Json& row : rows) {
    if (row[arm_key] == arm && row["set"] == set) return &row;
  }
  return nullptr;
}

std::string Verdict(const Json& test) {
  const double p = test["p"];
  const double difference = test["difference"];
  const char* word = difference < 0 ? "better" : "worse";
  if (test["degrees"].get<int>() < 1) return fmt::format("{:+.4f}  (one seed: no test)", difference);
  if (p >= 0.05)
    return fmt::format("{:+.4f} [{:+.4f}, {:+.4f}]  p {:.3f}, no difference shown", difference,
                       test["low"].get<double>(), test["high"].get<double>(), p);
  return fmt::format("{:+.4f} [{:+.4f}, {:+.4f}]  p {:.4f}, {}", difference, test["low"].get<double>(),
                     test["high"].get<double>(), p, word);
}

}  // namespace

std::string FormatComparison(const Json& report) {
  const Json& runs = report["runs"];
  std::vector<std::string> sets;
  for (const Json& set : report["sets"]) sets.push_back(set["name"]);
  sets.emplace_back("all");
  size_t name_width = 8;
  for (const Json& arm : report["arms"]) name_width = std::max(name_width, arm["name"].get<std::string>().size());

  std::string text = fmt::format(
      "What merging is worth: bits per byte on held-out texts (from {} on), mean and standard deviation of {} seeds.\n"
      "Each model has {} parameters and trained on {} tokens; the lowest of a column is marked *.\n\n",
      TimeText(report["boundary"]), report["settings"]["seeds"].get<int64_t>(), runs[0]["parameters"].get<int64_t>(),
      runs[0]["tokens"].get<int64_t>());
  text += fmt::format("  {:<{}} {:>9} {:>7}", "arm", name_width, "tokens", "epochs");
  for (const std::string& set : sets) text += fmt::format(" {:>{}}", set, kColumn);
  text += "\n";
  for (const Json& arm : report["arms"]) {
    const std::string name = arm["name"];
    text += fmt::format("  {:<{}} {:>9}", name, name_width, arm["tokens"].get<uint64_t>());
    if (arm.contains("skipped")) {
      text += fmt::format("   left out: {}\n", arm["skipped"].get<std::string>());
      continue;
    }
    text += fmt::format(" {:>7.1f}", arm["epochs"].get<double>());
    for (const std::string& set : sets) {
      const Json& bits = (*Find(report["matrix"], name, set, "arm"))["bits_per_byte"];
      const bool lowest = std::all_of(report["matrix"].begin(), report["matrix"].end(), [&](const Json& other) {
        return other["set"] != set || other["bits_per_byte"]["mean"].get<double>() >= bits["mean"].get<double>();
      });
      text += fmt::format(" {:>{}}",
                          fmt::format("{:.3f} ±{:.3f}{}", bits["mean"].get<double>(), bits["deviation"].get<double>(),
                                      lowest ? "*" : " "),
                          kColumn + 1);  // ± has two bytes and one column
    }
    text += "\n";
  }
  if (report["tests"].empty()) return text;
  const std::string last = report["tests"][0]["arm"];
  for (const Json& arm : report["arms"]) {
    const std::string name = arm["name"];
    if (name != "unfused" && report["arms"].size() > 2) continue;
    if (Find(report["tests"], name, "all", "against") == nullptr) continue;
    text += fmt::format("\n  {} against {}: bits per byte less or more, 95 % interval, paired t-test over seeds\n",
                        last, name);
    for (const std::string& set : sets) {
      text += fmt::format("    {:<{}} {}\n", set, name_width, Verdict(*Find(report["tests"], name, set, "against")));
    }
  }
  return text;
}

}  // namespace rhodes
