// Repeated passages of a corpus, end to end:
//   substring_duplicates FILE [THREADS] [MEMORY_MB] [MIN_TOKENS] [words|characters] [CUTS]
// FILE has one document a line: a JSON object with the member "text". Reads it, then times Add(), Finish() and Next();
// with CUTS writes the cuts there, one a line: document, begin, end, kept document, kept begin (zero-based, bytes),
// which bench/peers/substring_duplicates.py compares with those of a suffix array. Without FILE ("-"), 200 MB of
// news-like text are made, of which about half is repeated.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "curate/substring.h"
#include "curate/substring_cut.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::string file;
  int threads = 2;
  uint64_t memory = uint64_t{2000} << 20;
  rhodes::SubstringSettings substring;
  std::string cuts;
};

double SecondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// Of the resident memory so far (Linux).
double PeakMegabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1e3;
  }
  return 0;
}

// Articles of which a third are taken over from others with changes at the ends, over a vocabulary of 50,000 words with
// the frequencies of Zipf's law.
std::vector<std::string> MakeArticles(uint64_t bytes) {
  std::mt19937_64 random(1);
  std::vector<std::string> vocabulary;
  for (int i = 0; i < 50'000; ++i) {
    std::string word;
    for (uint64_t n = 2 + random() % 9; n > 0; --n) word += static_cast<char>('a' + random() % 26);
    vocabulary.push_back(word);
  }
  const auto word = [&] {
    const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
    return vocabulary[static_cast<size_t>(std::pow(5e4, unit)) - 1];
  };
  std::vector<std::string> articles;
  for (uint64_t made = 0; made < bytes; made += articles.back().size()) {
    std::string text;
    for (uint64_t n = 5 + random() % 200; n > 0; --n) text += word() + (n % 17 == 0 ? ". " : " ");
    if (!articles.empty() && random() % 2 == 0) text += articles[random() % articles.size()].substr(0, 4000);
    for (uint64_t n = 5 + random() % 200; n > 0; --n) text += word() + (n % 17 == 0 ? ".\n" : " ");
    articles.push_back(std::move(text));
  }
  return articles;
}

absl::StatusOr<std::vector<std::string>> ReadTexts(const std::string& path) {
  std::vector<std::string> texts;
  std::ifstream file(path);
  if (!file) return absl::NotFoundError("cannot read " + path);
  for (std::string line; std::getline(file, line);) texts.push_back(rhodes::Json::parse(line).at("text"));
  return texts;
}

absl::Status Run(const Settings& settings) {
  std::vector<std::string> texts;
  if (settings.file == "-") {
    texts = MakeArticles(200'000'000);
  } else {
    ASSIGN_OR_RETURN(texts, ReadTexts(settings.file));
  }
  const double before = PeakMegabytes();
  rhodes::RunContext context;
  context.threads = settings.threads;
  context.memory_bytes = settings.memory;
  const std::string directory = (settings.cuts.empty() ? settings.file : settings.cuts) + ".scratch";
  const Clock::time_point begun = Clock::now();
  const std::clock_t begun_work = std::clock();
  ASSIGN_OR_RETURN(const auto finder,
                   rhodes::SubstringFinder::Create(settings.substring,
                                                   settings.file == "-" ? "substring.scratch" : directory, context));
  for (size_t i = 0; i < texts.size(); ++i) RETURN_IF_ERROR(finder->Add(i, texts[i]));
  const double added = SecondsSince(begun);
  RETURN_IF_ERROR(finder->Finish());
  const double finished = SecondsSince(begun);
  std::ofstream out;
  if (!settings.cuts.empty()) out.open(settings.cuts);
  uint64_t left = 0;
  rhodes::DocumentCuts cuts;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, finder->Next(cuts));
    if (!more) break;
    left += rhodes::CutSubstrings(texts[cuts.ordinal], cuts.cuts).size();
    if (settings.cuts.empty()) continue;
    for (const rhodes::SubstringCut& cut : cuts.cuts) {
      out << fmt::format("{} {} {} {} {}\n", cuts.ordinal, cut.begin, cut.end, cut.kept_ordinal, cut.kept_begin);
    }
  }
  const double seconds = SecondsSince(begun);
  const double work = static_cast<double>(std::clock() - begun_work) / CLOCKS_PER_SEC;  // of all threads
  const rhodes::SubstringCounts& counts = finder->counts();
  const double megabytes = static_cast<double>(counts.text_bytes) / 1e6;
  fmt::print("{} documents, {:.1f} MB, {} tokens; {} cuts in {} documents, {:.1f} % of the tokens\n", counts.documents,
             megabytes, counts.tokens, counts.cuts, counts.documents_with_cuts,
             100.0 * static_cast<double>(counts.repeated_tokens) / static_cast<double>(counts.tokens));
  fmt::print("candidates {:.1f} % of the windows, repeated {:.1f} %; files {:.1f} MB at most\n",
             100.0 * static_cast<double>(counts.candidate_windows) / static_cast<double>(counts.tokens),
             100.0 * static_cast<double>(counts.repeated_windows) / static_cast<double>(counts.tokens),
             static_cast<double>(counts.spill_bytes) / 1e6);
  fmt::print(
      "{} threads: {:.2f} s (add {:.2f}, find {:.2f}, cut {:.2f}), {:.1f} MB/s; {:.1f} MB a second of "
      "processor time; peak memory "
      "{:.0f} MB above the texts, {} bytes left in documents with cuts\n",
      settings.threads, seconds, added, finished - added, seconds - finished, megabytes / seconds, megabytes / work,
      PeakMegabytes() - before, left);
  return absl::OkStatus();
}

}  // namespace

int main(int count, char** arguments) {
  Settings settings;
  if (count < 2) {
    fmt::print(stderr, "substring_duplicates FILE|- [THREADS] [MEMORY_MB] [MIN_TOKENS] [words|characters] [CUTS]\n");
    return 2;
  }
  settings.file = arguments[1];
  if (count > 2) settings.threads = std::stoi(arguments[2]);
  if (count > 3) settings.memory = std::stoull(arguments[3]) << 20;
  if (count > 4) settings.substring.min_tokens = static_cast<uint32_t>(std::stoul(arguments[4]));
  if (count > 5 && arguments[5] == std::string_view("characters")) {
    settings.substring.unit = rhodes::TokenUnit::kCharacter;
  }
  if (count > 6) settings.cuts = arguments[6];
  const absl::Status status = Run(settings);
  if (status.ok()) return 0;
  fmt::print(stderr, "{}\n", rhodes::Message(status));
  return 1;
}
