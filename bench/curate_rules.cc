// Speed and verdicts of the rule families of curation, from text in memory.
//
//   bench_curate_rules FILE.jsonl --language eng_Latn [--rules a,b] [--set NAME=VALUE]... [--datatrove]
//                      [--seconds S] [--verdicts OUT.jsonl] [--threads N]
//
// FILE.jsonl has rows with `text` (and `id`). Prints one JSON object: megabytes a second of text with one thread and
// with N (2), by the clock and by processor time. --verdicts writes {id, rule, reason, text} of each row, where `text`
// is there when it was changed; bench/peers/datatrove_verdicts.py compares them with the reference's.
#include <fmt/format.h>
#include <time.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "curate/judge.h"
#include "curate/language.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string file;
  std::string verdicts;
  std::string language = "eng_Latn";
  rhodes::CurateSettings settings;
  double seconds = 2;
  unsigned threads = 2;
};

[[noreturn]] void Fail(const std::string& message) {
  std::cerr << "bench_curate_rules: " << message << "\n";
  std::exit(2);
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  options.settings.rules = {"gopher-repetition", "gopher-quality", "c4-quality", "fineweb-quality"};
  const auto value = [&](int& i) -> std::string {
    if (i + 1 >= argc) Fail(fmt::format("{} needs a value", argv[i]));
    return argv[++i];
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--language") {
      options.language = value(i);
    } else if (flag == "--verdicts") {
      options.verdicts = value(i);
    } else if (flag == "--datatrove") {
      options.settings.datatrove_compatibility = true;
    } else if (flag == "--seconds") {
      options.seconds = std::stod(value(i));
    } else if (flag == "--threads") {
      options.threads = static_cast<unsigned>(std::stoul(value(i)));
    } else if (flag == "--set") {
      if (const absl::Status set = rhodes::SetByName(value(i), options.settings); !set.ok()) Fail(set.ToString());
    } else if (flag == "--rules") {
      std::vector<std::string> names;
      const std::string list = value(i);
      for (const std::string_view name : rhodes::Split(list, ',')) names.emplace_back(name);
      const absl::StatusOr<std::vector<std::string>> rules = rhodes::ParseRules(names);
      if (!rules.ok()) Fail(rules.status().ToString());
      options.settings.rules = *rules;
    } else {
      options.file = flag;
    }
  }
  const absl::StatusOr<std::string> code = rhodes::ParseLanguageCode(options.language);
  if (!code.ok()) Fail(code.status().ToString());
  options.language = *code;
  return options;
}

std::vector<rhodes::Document> ReadDocuments(const Options& options) {
  std::ifstream file(options.file);
  if (!file) Fail("cannot read " + options.file);
  std::vector<rhodes::Document> documents;
  for (std::string line; std::getline(file, line);) {
    const absl::StatusOr<rhodes::Json> row = rhodes::ParseJson(line, options.file);
    if (!row.ok()) Fail(row.status().ToString());
    rhodes::Document document;
    document.id = row->value("id", std::to_string(documents.size()));
    document.text = row->value("text", "");
    document.language = options.language;
    documents.push_back(std::move(document));
  }
  return documents;
}

// Of the calling thread: a machine that others use, too, does not change it much.
double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Rates {
  double wall = 0;  // bytes a second, all threads together
  double core = 0;  // bytes a second of processor time
};

// Judges all documents again and again.
Rates Speed(const Options& options, const std::vector<rhodes::Document>& documents, unsigned threads) {
  std::vector<Rates> rates(threads);
  std::vector<std::thread> workers;
  for (unsigned t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      rhodes::JudgeScratch scratch;
      rhodes::NormaliseCounts counts;
      const Clock::time_point begun = Clock::now();
      const double processor_begun = ProcessorSeconds();
      double bytes = 0;
      double elapsed = 0;
      while (elapsed < options.seconds) {
        for (const rhodes::Document& document : documents) {
          bytes += static_cast<double>(rhodes::Judge(document, options.settings, scratch, counts).input_bytes);
        }
        elapsed = std::chrono::duration<double>(Clock::now() - begun).count();
      }
      rates[t] = {bytes / elapsed, bytes / (ProcessorSeconds() - processor_begun)};
    });
  }
  Rates all;
  for (std::thread& worker : workers) worker.join();
  for (const Rates& one : rates) all = {all.wall + one.wall, all.core + one.core / threads};
  return all;
}

void WriteVerdicts(const Options& options, const std::vector<rhodes::Document>& documents) {
  std::ofstream out(options.verdicts);
  rhodes::JudgeScratch scratch;
  rhodes::NormaliseCounts counts;
  for (const rhodes::Document& document : documents) {
    const rhodes::JudgedDocument judged = rhodes::Judge(document, options.settings, scratch, counts);
    rhodes::Json row = {{"id", document.id}, {"rule", judged.verdict.rule}, {"reason", judged.verdict.reason}};
    if (judged.verdict.kept() && judged.document.text != document.text) row["text"] = judged.document.text;
    out << rhodes::DumpJson(row) << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  const std::vector<rhodes::Document> documents = ReadDocuments(options);
  if (!options.verdicts.empty()) WriteVerdicts(options, documents);
  rhodes::Json result = {{"documents", documents.size()}, {"rules", options.settings.rules}};
  if (options.seconds > 0) {
    const Rates one = Speed(options, documents, 1);
    result["megabytes_per_second"] = one.wall / 1e6;
    result["megabytes_per_processor_second"] = one.core / 1e6;
    if (options.threads > 1) {
      const Rates many = Speed(options, documents, options.threads);
      result["threads"] = options.threads;
      result["megabytes_per_second_threads"] = many.wall / 1e6;
      result["megabytes_per_processor_second_threads"] = many.core / 1e6;
    }
  }
  std::cout << rhodes::DumpJson(result) << "\n";
  return 0;
}
