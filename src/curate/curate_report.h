// What curation did, in numbers that add up.
#ifndef RHODES_CURATE_CURATE_REPORT_H_
#define RHODES_CURATE_CURATE_REPORT_H_

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "curate/judge.h"
#include "curate/normalise.h"
#include "curate/personal_data.h"
#include "curate/verdict.h"

namespace rhodes {

struct SourceCounts {
  uint64_t documents = 0;
  uint64_t kept = 0;
  uint64_t text_bytes = 0;       // of all its documents, as they came
  uint64_t kept_text_bytes = 0;  // as they are stored
};

struct CurateReport {
  uint64_t documents = 0;  // = kept + the sum over `dropped`, always
  uint64_t kept = 0;
  PersonalDataCounts personal_data{};                              // items found by the rule "pii", by kind
  std::map<std::string, std::map<std::string, uint64_t>> dropped;  // by rule, then reason
  std::map<std::string, SourceCounts> sources;  // a document of several sources counts for each; "" for none
  std::map<std::string, uint64_t> languages;    // kept documents by language; "" when the rule is off and none stated
  uint64_t text_bytes = 0;                      // as it came
  uint64_t kept_text_bytes = 0;                 // as it is stored
  NormaliseCounts normalised;
  Json overlap = Json::array();  // by evaluation set (OverlapCounts)
  uint64_t clusters = 0;         // of near duplicates, of two documents or more
  uint64_t cut_text_bytes = 0;   // repeated passages taken out of kept documents
  double seconds = 0;

  // A document with its last verdict: its own counts, `overlap`, `clusters` and `seconds` apart.
  void Count(const JudgedDocument& judged, const Verdict& verdict, uint64_t cut_bytes);
  // Adds the counts of other documents, `overlap`, `clusters` and `seconds` apart.
  void Add(const CurateReport& other);
  uint64_t DroppedDocuments() const;  // the sum over `dropped`
};

// documents, kept, dropped, reasons {rule: {reason: n}}, sources, languages, text_bytes, kept_text_bytes, normalised,
// personal_data, clusters, cut_text_bytes, seconds, overlap (with the rule: [{set, items, ngrams, items_hit, documents,
// dropped, cut, ...}]).
Json ToJson(const CurateReport& report);

}  // namespace rhodes

#endif  // RHODES_CURATE_CURATE_REPORT_H_
