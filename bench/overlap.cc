// Speed of the rule "overlap" on texts in memory.
//
//   bench_overlap FILE.jsonl SET... [--datatrove] [--fields a,b] [--words N] [--seconds S]
//
// FILE.jsonl has rows with `text`; a SET is a path or NAME:PATH. Checks the answer first: the n-grams found in the
// first documents are those that a plain set of strings finds. Prints one JSON object: megabytes of text a second of
// processor time of one core (the median of several passes, and the spread), how many documents hold an n-gram, the
// pairs in the index, and for comparison the speed of adding up the text's bytes. bench/peers/datatrove_overlap.py
// speed times datatrove on the same files.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "curate/matching_text.h"
#include "curate/overlap.h"

namespace {

using rhodes::OverlapIndex;

[[noreturn]] void Fail(const std::string& message) {
  std::cerr << "bench_overlap: " << message << "\n";
  std::exit(2);
}

// Of this thread: a machine that others use, too, does not change it much.
double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Options {
  std::string file;
  rhodes::OverlapSettings settings;
  rhodes::OverlapReference reference;
  double seconds = 3;
};

Options ParseOptions(int argc, char** argv) {
  Options options;
  const auto value = [&](int& i) -> std::string {
    if (i + 1 >= argc) Fail(fmt::format("{} needs a value", argv[i]));
    return argv[++i];
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--datatrove") {
      options.reference.on = true;
    } else if (flag == "--words") {
      options.settings.words = std::stoull(value(i));
    } else if (flag == "--seconds") {
      options.seconds = std::stod(value(i));
    } else if (flag == "--fields") {
      const std::string list = value(i);
      for (const std::string_view one : rhodes::Split(list, ',')) options.settings.fields.emplace_back(one);
    } else if (options.file.empty()) {
      options.file = flag;
    } else {
      options.settings.sets.emplace_back(flag);
    }
  }
  if (options.settings.sets.empty()) Fail("usage: bench_overlap FILE.jsonl SET...");
  return options;
}

std::vector<std::string> ReadTexts(const std::string& path) {
  std::ifstream file(path);
  if (!file) Fail("cannot read " + path);
  std::vector<std::string> texts;
  for (std::string line; std::getline(file, line);) {
    const absl::StatusOr<rhodes::Json> row = rhodes::ParseJson(line, path);
    if (!row.ok()) Fail(row.status().ToString());
    texts.push_back(row->value("text", ""));
  }
  return texts;
}

// All n-grams of `text` as strings.
std::vector<std::string> PlainNgrams(const std::string& text, uint64_t n) {
  std::string form;
  rhodes::MatchingText(text, form);
  std::vector<std::string_view> words;
  for (const std::string_view word : rhodes::Split(form, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  std::vector<std::string> ngrams;
  for (size_t i = 0; i + n <= words.size(); ++i) {
    ngrams.emplace_back(words[i].data(), words[i + n - 1].data() + words[i + n - 1].size() - words[i].data());
  }
  return ngrams;
}

// Ends the program unless some documents have as many n-grams in the sets as plain strings say.
void CheckAnswers(const Options& options, const OverlapIndex& index, const std::vector<std::string>& texts) {
  const uint64_t n = options.settings.words == 0 ? 13 : options.settings.words;
  std::unordered_set<std::string> known;
  const auto sets = rhodes::FindEvaluationSets(options.settings.sets);
  rhodes::EvaluationReadOptions read;
  read.fields.texts = options.settings.fields;
  for (const rhodes::EvaluationSet& set : *sets) {
    const absl::Status status = rhodes::ReadEvaluationSet(set, read, [&](const rhodes::EvaluationItem& item) {
      for (const std::string_view text : item.texts)
        known.merge([&] {
          const std::vector<std::string> ngrams = PlainNgrams(std::string(text), n);
          return std::unordered_set<std::string>(ngrams.begin(), ngrams.end());
        }());
      return absl::OkStatus();
    });
    if (!status.ok()) Fail(status.ToString());
  }
  rhodes::OverlapScratch scratch;
  rhodes::OverlapResult result;
  for (size_t i = 0; i < std::min<size_t>(texts.size(), 2000); ++i) {
    uint64_t wanted = 0;
    uint64_t got = 0;
    for (const std::string& ngram : PlainNgrams(texts[i], n)) wanted += known.contains(ngram) ? 1 : 0;
    index.Find(texts[i], false, scratch, result);
    for (const auto& [place, seen] : scratch.seen) got += seen.count;
    if (got != wanted) Fail(fmt::format("document {}: {} n-grams found, {} by plain strings", i, got, wanted));
  }
}

// What a pass over the bytes costs at least.
double ReadingRate(const std::vector<std::string>& texts, double bytes) {
  double best = 0;
  uint64_t sum = 0;
  for (int pass = 0; pass < 5; ++pass) {
    const double begun = ProcessorSeconds();
    for (const std::string& text : texts) {
      for (size_t at = 0; at + 8 <= text.size(); at += 8) {
        uint64_t word;
        std::memcpy(&word, text.data() + at, 8);
        sum += word;
      }
    }
    best = std::max(best, bytes / (ProcessorSeconds() - begun));
  }
  return sum == 1 ? 0 : best;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  const std::vector<std::string> texts = ReadTexts(options.file);
  const auto index = OverlapIndex::Load(options.settings, options.reference, uint64_t{4} << 30);
  if (!index.ok()) Fail(index.status().ToString());
  if (!options.reference.on) CheckAnswers(options, **index, texts);
  double bytes = 0;
  for (const std::string& text : texts) bytes += static_cast<double>(text.size());

  rhodes::OverlapScratch scratch;
  rhodes::OverlapResult result;
  std::vector<double> rates;
  uint64_t found = 0;
  for (double spent = 0; spent < options.seconds || rates.size() < 3;) {
    found = 0;
    const double begun = ProcessorSeconds();
    for (const std::string& text : texts) {
      (*index)->Find(text, false, scratch, result);
      found += result.found.empty() ? 0 : 1;
    }
    const double seconds = ProcessorSeconds() - begun;
    rates.push_back(bytes / 1e6 / seconds);
    spent += seconds;
  }
  std::sort(rates.begin(), rates.end());
  rhodes::Json json = {{"documents", texts.size()},
                       {"megabytes", bytes / 1e6},
                       {"found_in", found},
                       {"pairs", (*index)->ngrams().size()},
                       {"mb_per_s_core", rates[rates.size() / 2]},
                       {"slowest", rates.front()},
                       {"fastest", rates.back()},
                       {"reading_mb_per_s", ReadingRate(texts, bytes) / 1e6}};
  fmt::print("{}\n", rhodes::DumpJson(json));
  return 0;
}
