// Speed and answers of a fastText language model, from text in memory.
//
//   bench_language_model MODEL FILE.jsonl [--seconds S] [--answers OUT.jsonl]
//
// FILE.jsonl has rows with `text`. Prints one JSON object: documents and megabytes a second of one thread, by processor
// time, median of five runs. --answers writes {label, probability} of each row; bench/peers/fasttext_language.py
// compares them with fastText's own.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "curate/language_model.h"

namespace {

[[noreturn]] void Fail(const std::string& message) {
  std::cerr << "bench_language_model: " << message << "\n";
  std::exit(2);
}

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::vector<std::string> Texts(const std::string& path) {
  std::ifstream file(path);
  if (!file) Fail("cannot read " + path);
  std::vector<std::string> texts;
  for (std::string line; std::getline(file, line);) {
    const absl::StatusOr<rhodes::Json> row = rhodes::ParseJson(line, path);
    if (!row.ok()) Fail(rhodes::Message(row.status()));
    texts.push_back(rhodes::ReplaceInvalidUtf8(row->value("text", "")));
  }
  return texts;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) Fail("needs MODEL and FILE.jsonl");
  double seconds = 1;
  std::string answers;
  for (int i = 3; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--seconds") seconds = std::stod(argv[i + 1]);
    if (std::string_view(argv[i]) == "--answers") answers = argv[i + 1];
  }
  const double begun = ProcessorSeconds();
  const absl::StatusOr<rhodes::LanguageModel> model = rhodes::LanguageModel::Load(argv[1]);
  if (!model.ok()) Fail(rhodes::Message(model.status()));
  const double loading = ProcessorSeconds() - begun;
  const std::vector<std::string> texts = Texts(argv[2]);
  rhodes::FastTextScratch scratch;
  if (!answers.empty()) {
    std::ofstream out(answers);
    for (const std::string& text : texts) {
      const rhodes::FastTextGuess guess = model->classifier().Best(text, scratch);
      const bool any = guess.label != rhodes::FastTextGuess::kNone;
      const rhodes::Json row = {{"label", any ? model->labels()[guess.label] : ""}, {"probability", guess.probability}};
      out << rhodes::DumpJson(row) << "\n";
    }
  }
  uint64_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  std::vector<double> runs;  // seconds for all texts
  uint64_t sum = 0;
  for (int run = 0; run < 5; ++run) {
    int rounds = 0;
    const double start = ProcessorSeconds();
    do {
      for (const std::string& text : texts) sum += model->classifier().Best(text, scratch).label;
      ++rounds;
    } while (ProcessorSeconds() - start < seconds / 5);
    runs.push_back((ProcessorSeconds() - start) / rounds);
  }
  std::sort(runs.begin(), runs.end());
  const rhodes::Json result = {{"documents", texts.size()},
                               {"bytes", bytes},
                               {"load_seconds", loading},
                               {"documents_per_second", static_cast<double>(texts.size()) / runs[2]},
                               {"megabytes_per_second", static_cast<double>(bytes) / runs[2] / 1e6},
                               {"slowest_megabytes_per_second", static_cast<double>(bytes) / runs[4] / 1e6},
                               {"labels_sum", sum}};
  fmt::print("{}\n", rhodes::DumpJson(result));
  return 0;
}
