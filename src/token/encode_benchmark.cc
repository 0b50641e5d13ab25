#include "token/encode_benchmark.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <vector>

#include "base/file.h"
#include "token/tokenizer.h"

namespace rhodes {
namespace {

constexpr double kShares[] = {0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1};
constexpr size_t kUnseenBytes = size_t{16} << 20;  // of the text that words are replaced in
constexpr size_t kLeastWord = 3;                   // letters: of two, few words are left that no text has

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// ASCII words of `text` (runs of letters) replaced by random ones of the same length, `share` of those that are long
// enough.
std::string WithUnseenWords(std::string_view text, double share, uint64_t seed) {
  std::string changed(text);
  std::mt19937_64 random(seed);
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  for (size_t begin = 0; begin < changed.size();) {
    size_t end = begin;
    while (end < changed.size() && is_letter(changed[end])) ++end;
    const bool chosen = static_cast<double>(random() >> 11) * 0x1p-53 < share;
    if (chosen && end - begin >= kLeastWord) {
      for (size_t i = begin; i < end; ++i) changed[i] = static_cast<char>('a' + random() % 26);
    }
    begin = std::max(end, begin + 1);
  }
  return changed;
}

class Benchmark {
 public:
  Benchmark(const EncodeBenchmarkOptions& options, const RunContext& context, MappedFile file)
      : options_(options), context_(context), file_(std::move(file)) {}

  absl::StatusOr<Json> Run() {
    ASSIGN_OR_RETURN(tokenizer_, Tokenizer::Load(options_.tokenizer, options_.pattern));
    std::vector<TokenId> ids;
    tokenizer_->Encode(text(), ids);  // and the file is in the system's cache
    const double tokens = static_cast<double>(ids.size());
    ids = {};
    Json rates;
    for (const bool all : {false, true}) {
      const int threads = all ? context_.Threads() : 1;
      Json& to = rates[all ? "all_threads" : "one_thread"];
      ASSIGN_OR_RETURN(to["cold"], Rate(threads, "", text(), true));
      const size_t half = SecondHalf();
      ASSIGN_OR_RETURN(to["warm"], Rate(threads, text().substr(0, half), text().substr(half), true));
      ASSIGN_OR_RETURN(to["seen"], Rate(threads, text(), text(), false));
    }
    ASSIGN_OR_RETURN(const Json unseen, UnseenWords());
    return Json{{"input", options_.input},
                {"tokenizer", options_.tokenizer},
                {"bytes", text().size()},
                {"tokens", static_cast<uint64_t>(tokens)},
                {"bytes_per_token", static_cast<double>(text().size()) / tokens},
                {"threads", context_.Threads()},
                {"rounds", options_.rounds},
                {"bytes_per_second", rates},
                {"unseen_words", unseen}};
  }

 private:
  std::string_view text() const { return file_.bytes(); }

  // Where the second half begins: at a line, if there are lines.
  size_t SecondHalf() const {
    const size_t half = text().size() / 2;
    const size_t line = text().find('\n', half);
    return line == std::string_view::npos || line + 1 == text().size() ? half : line + 1;
  }

  // The median rate of encoding `measured`; before each round, or only once, a new tokenizer has seen `before`.
  absl::StatusOr<double> Rate(int threads, std::string_view before, std::string_view measured, bool every_round) {
    std::vector<double> rates;
    for (int round = 0; round < options_.rounds; ++round) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      if (every_round || round == 0) {
        ASSIGN_OR_RETURN(tokenizer_, Tokenizer::Load(options_.tokenizer, options_.pattern));
        std::vector<TokenId> ids;
        // As many times as there are threads that remember what they have seen.
        for (int i = 0; i < threads && !before.empty(); ++i) {
          ids.clear();
          tokenizer_->EncodeOnThreads(before, threads, ids);
        }
      }
      std::vector<TokenId> ids;
      const auto begin = std::chrono::steady_clock::now();
      tokenizer_->EncodeOnThreads(measured, threads, ids);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
      rates.push_back(static_cast<double>(measured.size()) / seconds.count());
    }
    return Median(std::move(rates));
  }

  absl::StatusOr<Json> UnseenWords() {
    Json rows = Json::array();
    const std::string_view part = text().substr(0, kUnseenBytes);
    for (const double share : kShares) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      std::vector<double> rates;
      for (int round = 0; round < options_.rounds; ++round) {
        ASSIGN_OR_RETURN(const double rate, RateOfUnseen(part, share, static_cast<uint64_t>(round)));
        rates.push_back(rate);
      }
      rows.push_back({{"share", share}, {"bytes_per_second", Median(std::move(rates))}});
    }
    return rows;
  }

  absl::StatusOr<double> RateOfUnseen(std::string_view part, double share, uint64_t seed) {
    const std::string changed = WithUnseenWords(part, share, seed);
    ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, Tokenizer::Load(options_.tokenizer, options_.pattern));
    std::vector<TokenId> ids;
    tokenizer->Encode(part, ids);
    std::vector<TokenId> measured;
    const auto begin = std::chrono::steady_clock::now();
    tokenizer->Encode(changed, measured);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    return static_cast<double>(changed.size()) / seconds.count();
  }

  const EncodeBenchmarkOptions& options_;
  const RunContext& context_;
  MappedFile file_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

}  // namespace

absl::StatusOr<Json> BenchmarkEncoding(const EncodeBenchmarkOptions& options, const RunContext& context) {
  ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(options.input));
  if (file.bytes().empty()) return UsageError(options.input + ": is empty; name a file of text");
  return Benchmark(options, context, std::move(file)).Run();
}

}  // namespace rhodes
