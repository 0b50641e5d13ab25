// Precision, recall and speed of the rule "pii".
//
//   bench_personal_data [--labelled FILE.jsonl] [--errors N] [--phones FILE.txt] [--speed FILE.jsonl] [--seconds S]
//                       [--items FILE.jsonl] [--formatter FILE.jsonl] [--json]
//
// --labelled: rows {text, items: [{begin, end, kind}]} (bench/peers/personal_data_corpus.py). An item is found when one
// of its kind overlaps it; `exact` counts those with the same ends. --errors shows the first N that are missed or
// wrong.
// --phones: "DIGITS 1" for valid numbers behind "+", "DIGITS 0" for invalid ones (bench/peers/phone_plans.py).
// --speed: megabytes a second of processor time over the `text` of all rows, in memory, by the rule and by its mode
// that finds as datatrove's PIIFormatter does.
// --formatter: writes the `text` of each row of a file as datatrove's PIIFormatter gives it, as {text} to standard
// output.
// --items: writes what is found in the rows of a file to standard output as {id, kind, found, around}.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "curate/personal_data.h"
#include "curate/personal_data_formatter.h"
#include "curate/personal_data_phones.h"

namespace {

using rhodes::Json;
using rhodes::PersonalDataItem;
using rhodes::PersonalDataKind;

struct Options {
  std::string labelled, phones, speed, items, formatter;
  size_t errors = 0;
  double seconds = 2;
  bool json = false;
};

[[noreturn]] void Fail(const std::string& message) {
  std::cerr << "bench_personal_data: " << message << "\n";
  std::exit(2);
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) Fail(fmt::format("{} needs a value", flag));
      return argv[++i];
    };
    if (flag == "--labelled") {
      options.labelled = value();
    } else if (flag == "--phones") {
      options.phones = value();
    } else if (flag == "--speed") {
      options.speed = value();
    } else if (flag == "--items") {
      options.items = value();
    } else if (flag == "--formatter") {
      options.formatter = value();
    } else if (flag == "--errors") {
      options.errors = std::stoul(value());
    } else if (flag == "--seconds") {
      options.seconds = std::stod(value());
    } else if (flag == "--json") {
      options.json = true;
    } else {
      Fail(fmt::format("unknown option {}", flag));
    }
  }
  return options;
}

std::vector<Json> ReadRows(const std::string& path) {
  std::ifstream file(path);
  if (!file) Fail("cannot read " + path);
  std::vector<Json> rows;
  for (std::string line; std::getline(file, line);) {
    absl::StatusOr<Json> row = rhodes::ParseJson(line, path);
    if (!row.ok()) Fail(row.status().ToString());
    rows.push_back(*std::move(row));
  }
  return rows;
}

struct Score {
  size_t labelled = 0, found = 0, right = 0, recalled = 0, exact = 0;

  Json ToJson() const {
    const auto share = [](size_t a, size_t b) {
      return b == 0 ? 1.0 : static_cast<double>(a) / static_cast<double>(b);
    };
    return {{"labelled", labelled},
            {"found", found},
            {"precision", share(right, found)},
            {"recall", share(recalled, labelled)},
            {"exact", share(exact, labelled)}};
  }
};

bool Overlaps(const PersonalDataItem& a, const PersonalDataItem& b) {
  return a.kind == b.kind && a.begin < b.end && b.begin < a.end;
}

std::vector<PersonalDataItem> LabelsOf(const Json& row) {
  std::vector<PersonalDataItem> labels;
  for (const Json& item : row.at("items")) {
    for (size_t kind = 0; kind < rhodes::kPersonalDataKinds; ++kind) {
      if (rhodes::PersonalDataName(static_cast<PersonalDataKind>(kind)) != item.at("kind").get<std::string>()) continue;
      labels.push_back({item.at("begin"), item.at("end"), static_cast<PersonalDataKind>(kind)});
    }
  }
  return labels;
}

Json Labelled(const Options& options) {
  std::array<Score, rhodes::kPersonalDataKinds> scores;
  size_t shown = 0;
  const auto show = [&](const std::string& what, const std::string& text, const PersonalDataItem& item) {
    if (shown++ >= options.errors) return;
    const size_t from = item.begin < 30 ? 0 : item.begin - 30;
    std::cerr << what << " " << rhodes::PersonalDataName(item.kind) << ": "
              << text.substr(item.begin, item.end - item.begin) << "   in: " << text.substr(from, item.end - from + 10)
              << "\n";
  };
  for (const Json& row : ReadRows(options.labelled)) {
    const std::string text = row.at("text");
    const std::vector<PersonalDataItem> labels = LabelsOf(row);
    const std::vector<PersonalDataItem> found = rhodes::FindPersonalData(text, {});
    const auto any = [](const PersonalDataItem& one, const std::vector<PersonalDataItem>& others) {
      for (const PersonalDataItem& other : others) {
        if (Overlaps(one, other)) return true;
      }
      return false;
    };
    for (const PersonalDataItem& label : labels) {
      Score& score = scores[static_cast<size_t>(label.kind)];
      const bool hit = any(label, found);
      ++score.labelled;
      score.recalled += hit ? 1 : 0;
      score.exact += std::find(found.begin(), found.end(), label) != found.end() ? 1 : 0;
      if (!hit) show("missed", text, label);
    }
    for (const PersonalDataItem& one : found) {
      Score& score = scores[static_cast<size_t>(one.kind)];
      const bool hit = any(one, labels);
      ++score.found;
      score.right += hit ? 1 : 0;
      if (!hit) show("wrong", text, one);
    }
  }
  Json by_kind = Json::object();
  Score all;
  for (size_t kind = 0; kind < scores.size(); ++kind) {
    const Score& score = scores[kind];
    by_kind[std::string(rhodes::PersonalDataName(static_cast<PersonalDataKind>(kind)))] = score.ToJson();
    all = {all.labelled + score.labelled, all.found + score.found, all.right + score.right,
           all.recalled + score.recalled, all.exact + score.exact};
  }
  by_kind["all"] = all.ToJson();
  return by_kind;
}

Json Phones(const Options& options) {
  std::ifstream file(options.phones);
  if (!file) Fail("cannot read " + options.phones);
  std::array<size_t, 2> numbers{}, agreed{};
  size_t shown = 0;
  std::string digits;
  for (size_t valid = 0; file >> digits >> valid;) {
    ++numbers[valid];
    const bool ours = rhodes::IsInternationalPhone(digits);
    agreed[valid] += ours == (valid == 1) ? 1 : 0;
    if (ours != (valid == 1) && shown++ < options.errors) std::cerr << "phone " << digits << " " << valid << "\n";
  }
  return {{"valid", numbers[1]}, {"valid_found", agreed[1]}, {"invalid", numbers[0]}, {"invalid_refused", agreed[0]}};
}

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Bytes a second of processor time that `find` takes over all texts, and how many items it finds.
template <typename Find>
std::pair<double, size_t> SpeedOf(const Options& options, const std::vector<std::string>& texts, const Find& find) {
  size_t items = 0;
  size_t rounds = 0;
  double bytes = 0;
  const double begun = ProcessorSeconds();
  double elapsed = 0;
  while (elapsed < options.seconds) {
    for (const std::string& text : texts) {
      items += find(text, rhodes::PersonalDataSettings()).size();
      bytes += static_cast<double>(text.size());
    }
    ++rounds;
    elapsed = ProcessorSeconds() - begun;
  }
  return {bytes / elapsed, items / rounds};
}

Json Speed(const Options& options) {
  std::vector<std::string> texts;
  double bytes = 0;
  for (const Json& row : ReadRows(options.speed)) {
    texts.push_back(row.at("text"));
    bytes += static_cast<double>(texts.back().size());
  }
  const auto [ours, items] = SpeedOf(options, texts, rhodes::FindPersonalData);
  const auto [formatter, formatter_items] = SpeedOf(options, texts, rhodes::FindAsFormatter);
  return {{"megabytes_per_processor_second", ours / 1e6},
          {"items", items},
          {"formatter_megabytes_per_processor_second", formatter / 1e6},
          {"formatter_items", formatter_items},
          {"text_megabytes", bytes / 1e6}};
}

void WriteItems(const Options& options) {
  for (const Json& row : ReadRows(options.items)) {
    const std::string text = row.at("text");
    for (const PersonalDataItem& item : rhodes::FindPersonalData(text, {})) {
      size_t from = item.begin < 40 ? 0 : item.begin - 40;
      while (from > 0 && (text[from] & 0xC0) == 0x80) --from;
      size_t until = std::min(text.size(), item.end + 15);
      while (until < text.size() && (text[until] & 0xC0) == 0x80) ++until;
      std::cout << rhodes::DumpJson({{"kind", rhodes::PersonalDataName(item.kind)},
                                     {"found", text.substr(item.begin, item.end - item.begin)},
                                     {"around", text.substr(from, until - from)}})
                << "\n";
    }
  }
}

void WriteAsFormatter(const Options& options) {
  rhodes::FormatterReplacements replacements;
  for (const Json& row : ReadRows(options.formatter)) {
    const std::string text = row.at("text");
    const std::string replaced = replacements.Replace(text, rhodes::FindAsFormatter(text, {}), nullptr);
    std::cout << rhodes::DumpJson({{"text", replaced}}) << "\n";
  }
}

void PrintTable(const Json& result) {
  if (result.contains("labelled")) {
    fmt::print("{:<12} {:>9} {:>7} {:>10} {:>7} {:>7}\n", "kind", "labelled", "found", "precision", "recall", "exact");
    for (const auto& [kind, score] : result["labelled"].items()) {
      fmt::print("{:<12} {:>9} {:>7} {:>10.4f} {:>7.4f} {:>7.4f}\n", kind, score["labelled"].get<size_t>(),
                 score["found"].get<size_t>(), score["precision"].get<double>(), score["recall"].get<double>(),
                 score["exact"].get<double>());
    }
  }
  for (const char* part : {"phones", "speed"}) {
    if (result.contains(part)) fmt::print("{}: {}\n", part, rhodes::DumpJson(result[part]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  Json result = Json::object();
  if (!options.labelled.empty()) result["labelled"] = Labelled(options);
  if (!options.phones.empty()) result["phones"] = Phones(options);
  if (!options.speed.empty()) result["speed"] = Speed(options);
  if (!options.items.empty()) WriteItems(options);
  if (!options.formatter.empty()) WriteAsFormatter(options);
  if (options.json) {
    std::cout << rhodes::DumpJson(result) << "\n";
  } else {
    PrintTable(result);
  }
  return 0;
}
