// What the rules measured over all documents: histograms and samples, for a person who judges the rules by looking.
#ifndef RHODES_CURATE_STATISTICS_H_
#define RHODES_CURATE_STATISTICS_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "curate/verdict.h"
#include "record/record.h"

namespace rhodes {

// Counts by value. Shares (of which the threshold is at most 1) in 40 equal bins of [0, 1], larger ones in the last;
// counts and lengths by powers of the square root of two.
struct Histogram {
  static constexpr size_t kBins = 40;
  bool share = false;
  double threshold = 0;
  std::array<uint64_t, kBins> documents{};
  std::array<uint64_t, kBins> dropped{};  // of these, beyond the threshold

  void Add(const Measure& measure);
  size_t BinOf(double value) const;
  double BinBegin(size_t bin) const;
};

struct CurateSample {
  std::string id;
  std::string language;
  std::string text;  // its beginning
};

// Not thread-safe. Memory: a histogram (700 bytes) for each measure, source and language, and a few samples a reason.
class CurateStatistics {
 public:
  static constexpr size_t kSamples = 6;        // of each reason, and twice as many kept ones
  static constexpr size_t kSampleBytes = 700;  // of text
  static constexpr size_t kMostGroups = 64;    // sources, and languages; further ones are "other"

  // `verdict` is the last word; `measures` are those of the document's own rules.
  void Add(const Document& document, const Verdict& verdict, const std::vector<Measure>& measures);

  // The beginning of a text, as a sample shows it: what Add() needs of it.
  static std::string SampleOf(const std::string& text);

  // histograms [{rule, reason, threshold, group ("all", "source NAME", "language CODE"), begins, documents, dropped}]
  Json ToJson() const;
  // A page that needs nothing else: plots as SVG, tables, samples. `counts` is the report's JSON.
  std::string ToHtml(const Json& counts) const;

 private:
  using MeasureName = std::pair<std::string, std::string>;  // rule, reason
  void AddTo(const std::string& group, const std::vector<Measure>& measures);
  void KeepSample(const MeasureName& reason, const Document& document);
  std::string GroupOf(const char* kind, const std::string& name);

  std::vector<MeasureName> order_;  // as they were first met
  std::map<std::string, std::map<MeasureName, Histogram>> groups_;
  std::map<std::string, size_t> group_counts_;
  // By reason ({"", ""}: kept), those whose ids have the smallest hashes: the same whatever the order.
  std::map<MeasureName, std::map<uint64_t, CurateSample>> samples_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_STATISTICS_H_
