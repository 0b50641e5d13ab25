// What the rule "overlap" does with a document, and what it did with all of them.
#ifndef RHODES_CURATE_OVERLAP_RULE_H_
#define RHODES_CURATE_OVERLAP_RULE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "curate/overlap.h"
#include "curate/verdict.h"

namespace rhodes {

struct OverlapJudgement {
  std::vector<OverlapFound> found;  // with sets that count by min_ngrams and min_share; empty: nothing happened
  Json meta;                        // for the document: [{set, item, id, ngrams, of, share, passage}]
  Verdict verdict;                  // of the rule "overlap" when the document goes
  bool cut = false;                 // `text` is to take the text's place
  std::string text;
};

// `marks`: places in `text` (ascending) that move with it when it is cut; may be null. Thread-safe for distinct
// `scratch`.
OverlapJudgement JudgeOverlap(std::string_view text, const OverlapSettings& settings, const OverlapIndex& index,
                              OverlapScratch& scratch, std::vector<size_t>* marks, std::vector<Measure>* measures);

// `text` without `passages` (ascending, not touching) and settings.margin characters on either side of each, on to the
// next white space if it is near; the pieces of at least settings.min_piece characters that are left, a blank line
// between two; `pieces` says how many. `marks` as with Normalise(): one in what goes moves to where the next piece
// begins, or to the end.
std::string CutPassages(std::string_view text, const std::vector<std::pair<size_t, size_t>>& passages,
                        const OverlapSettings& settings, std::vector<size_t>* marks, uint64_t* pieces);

// By set: documents flagged, dropped and cut, and which items were found. Not thread-safe. Memory: a bit for each pair
// of an n-gram and an item.
class OverlapCounts {
 public:
  explicit OverlapCounts(std::shared_ptr<const OverlapIndex> index);

  // What was found in one document, and what became of it.
  void Add(const std::vector<OverlapFound>& found, bool dropped, bool cut);
  // [{set, files, items, items_too_short, ngrams, items_hit, documents, dropped, cut}]; an item is hit when an n-gram
  // of it stands in a document counted here.
  Json ToJson() const;
  // An item that was hit a line: {set, item, id (when it has one), file, line, ngrams, ngrams_found, share}.
  std::string ItemsHit() const;

 private:
  struct OfSet {
    uint64_t documents = 0;
    uint64_t dropped = 0;
    uint64_t cut = 0;
  };
  // N-grams of each item, and of these those found.
  void CountItems(std::vector<uint32_t>& ngrams, std::vector<uint32_t>& found) const;

  std::shared_ptr<const OverlapIndex> index_;
  std::vector<OfSet> sets_;
  std::vector<bool> found_;  // of each pair of the index that begins a set in an n-gram's run
};

}  // namespace rhodes

#endif  // RHODES_CURATE_OVERLAP_RULE_H_
