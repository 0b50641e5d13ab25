// All rules over one document, the comparison with other documents excepted.
#ifndef RHODES_CURATE_JUDGE_H_
#define RHODES_CURATE_JUDGE_H_

#include "curate/exact.h"
#include "curate/settings.h"
#include "curate/verdict.h"
#include "record/record.h"

namespace rhodes {

struct JudgedDocument {
  Document document;  // text and language as they are stored; meta has `language_confidence`
  Verdict verdict;
  TextHash hash;  // of the normalised text
  uint64_t input_bytes = 0;
  PersonalDataCounts personal_data{};  // items found by the rule "pii", by kind
};

// Kept from document to document by one thread: up to 180 MiB once a document had 4 million words.
struct JudgeScratch {
  Words words;
  RepetitionScratch repetition;
};

// Deterministic; thread-safe for distinct `scratch`. Invalid UTF-8 is repaired even when "normalise" is off: what is
// stored must be UTF-8.
JudgedDocument Judge(Document document, const CurateSettings& settings, JudgeScratch& scratch, NormaliseCounts& counts);

}  // namespace rhodes

#endif  // RHODES_CURATE_JUDGE_H_
