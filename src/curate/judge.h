// All rules over one document, the comparison with other documents excepted.
#ifndef RHODES_CURATE_JUDGE_H_
#define RHODES_CURATE_JUDGE_H_

#include <vector>

#include "base/run_context.h"
#include "curate/exact.h"
#include "curate/overlap.h"
#include "curate/personal_data_formatter.h"
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
  std::vector<OverlapFound> overlap;   // with evaluation sets, by the rule "overlap"; for OverlapCounts
  bool overlap_cut = false;            // their passages were cut out
};

// Kept from document to document by one thread: up to 400 MiB once a document had 4 million words, 4 MiB before.
struct JudgeScratch {
  WordSplitter splitter;
  Words words;
  RepetitionScratch repetition;
  LineHashes lines;
  OverlapScratch overlap;
  LanguageScratch language;
};

// Loads what the rules of `settings` look things up in, before the first Judge(): the model of "language", and the
// evaluation sets of "overlap" into a quarter of `context.memory_bytes`. What LoadLanguageModel() and
// OverlapIndex::Load() return.
absl::Status PrepareRules(CurateSettings& settings, const RunContext& context);

// Deterministic; thread-safe for distinct `scratch`. Invalid UTF-8 is repaired even when "normalise" is off: what is
// stored must be UTF-8.
//
// With `measures` every measure of every rule of text that is on (quality, repetition, gopher-*, c4-*, fineweb*) is put
// there, in the order in which they are looked at, also those after the one that drops the document: a rule after
// "c4-quality" measures the lines that stay. The verdict is the same. Without, judging ends at the first that drops.
JudgedDocument Judge(Document document, const CurateSettings& settings, JudgeScratch& scratch, NormaliseCounts& counts,
                     std::vector<Measure>* measures = nullptr);

// Whether the rule "pii" replaces as datatrove does: from a list that is taken in turn, from document to document.
bool ReplacesInTurn(const CurateSettings& settings);
// Then does so; called for the documents that are kept, in order. Judge() leaves it to the caller, as in the
// reference's pipelines PIIFormatter is the last step.
void ReplaceAsFormatter(const CurateSettings& settings, FormatterReplacements& replacements, JudgedDocument& judged);

// Where spans begin and end, ascending, each once: the marks that Normalise() and its like move.
std::vector<size_t> SpanEnds(const std::vector<Span>& spans);
// The spans with their ends moved from `before` to `after`; those of whose text nothing is left go. With none left the
// text counts as being from all parents, as it does without spans.
void MoveSpans(const std::vector<size_t>& before, const std::vector<size_t>& after, std::vector<Span>& spans);

}  // namespace rhodes

#endif  // RHODES_CURATE_JUDGE_H_
