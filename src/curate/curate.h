// The curation stage: decides which documents are kept, and says why not for each of the others.
#ifndef RHODES_CURATE_CURATE_H_
#define RHODES_CURATE_CURATE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "curate/settings.h"

namespace rhodes {

struct CurateOptions {
  std::vector<std::string> inputs;  // as DocumentReader::Open takes them
  // A stage's output: directories of Parquet parts, OUT/corpus and OUT/dropped; the latter has four more columns,
  // `rule`, `reason`, `cluster` and `kept_id`. Where the rule "near" is on, `clusters` receives a table of its
  // clusters; empty: none is written.
  std::string kept;
  std::string dropped;
  std::string clusters;
  // Or, with `kept` empty: DIRECTORY/kept.EXT, dropped.EXT and manifest.json in the format of the first input.
  std::string directory;
  // Where report.html and statistics.json go (curate/statistics.h); empty: neither is made. Every rule then measures
  // every document, also behind the one that drops it, which takes longer.
  std::string report;
  // Where the items of evaluation sets go that were found in documents, as JSON Lines (OverlapCounts::ItemsHit()),
  // where the rule "overlap" is on; empty: they are counted only.
  std::string overlap_items;
  CurateSettings settings;
  std::string key;  // goes into the manifest of `kept`
};

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
};

// Judges all documents of `inputs` in order. What is written is the same for any number of threads. Rules that compare
// documents take those that passed the others; the inputs are read once more for "near", and once more for "substring"
// (curate/comparison.h). Of copies the first is kept, or that of the source with the highest priority. A document's id
// stays; its text, language and meta
// (`language_confidence`, `language_stated`) become what the rules made of them.
//
// Memory: batches of documents (4 MiB) in flight up to a quarter of `context.memory_bytes`, evaluation sets up to
// another, the texts seen so far up to half of it (50 million documents in 2 x 2 GB), and per thread up to 180 MiB for
// documents of millions of words.
//
// What DocumentReader and DocumentWriter return; RESOURCE_EXHAUSTED when the texts seen do not fit; INTERNAL when the
// counts do not add up. On an error, what stood in `kept` and `dropped` stays.
absl::StatusOr<CurateReport> Curate(const CurateOptions& options, RunContext& context);

// documents, kept, dropped, reasons {rule: {reason: n}}, sources, languages, text_bytes, kept_text_bytes, normalised,
// overlap (with the rule: [{set, items, ngrams, items_hit, documents, dropped, cut, ...}]), seconds.
Json ToJson(const CurateReport& report);

}  // namespace rhodes

#endif  // RHODES_CURATE_CURATE_H_
