// Rule "overlap": documents that hold word n-grams of evaluation sets, so that a model is not tested on what it has
// read.
//
//   auto index = OverlapIndex::Load(settings, reference, memory_bytes);  // once
//   index->Find(text, false, scratch, result);                           // in parallel, one scratch a thread
#ifndef RHODES_CURATE_OVERLAP_H_
#define RHODES_CURATE_OVERLAP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "curate/overlap_index.h"
#include "curate/overlap_set.h"
#include "curate/overlap_words.h"
#include "curate/words.h"

namespace rhodes {

struct OverlapSettings {
  static constexpr uint64_t kMostWords = 1000;

  std::vector<std::string> sets;    // "PATH" or "NAME:PATH" each (FindEvaluationSets())
  std::vector<std::string> fields;  // of a row that are looked at; empty: every string (compatibility: "text")
  std::vector<std::string> query;   // compatibility only: the fields of the query that a text answers; empty: "query"
  uint64_t words = 0;               // of an n-gram; 0: 13 as for GPT-3 (Brown et al. 2020, appendix C), or the
                                    // reference's 12
  uint64_t min_ngrams = 1;          // in a document, found in one set, for it to count
  double min_share = 0;             // of the document's n-grams
  bool drop = true;                 // false: only flagged, in meta `overlap`
  // Instead of the document the passages go: the n-grams found and `margin` characters on either side, as for GPT-3.
  // What is left between them stays if it has `min_piece` characters. A document in more than `max_pieces` goes.
  bool cut = false;
  uint64_t margin = 200;
  uint64_t min_piece = 200;
  uint64_t max_pieces = 10;
  // Compatibility only: which n-grams are looked for beside those of the text: of the query, and across both.
  bool query_ngrams = false;
  bool joined_ngrams = true;
};
// Set when n-grams are to be those of datatrove 0.10 (NGramsDecontIndexer, NGramsDecontFilter): SimplifyText(), the
// words of spaCy for one language joined by a space, XXH64 of that.
struct OverlapReference {
  bool on = false;
  WordRules rules = WordRules::kSpacyEnglish;  // of sets and documents alike
};
// The paths of `settings.sets`, without names.
std::vector<std::string> OverlapPaths(const OverlapSettings& settings);

// What one document shares with one set.
struct OverlapFound {
  uint32_t set = 0;
  uint64_t item = 0;    // of the set, from 0: that with the most n-grams in the document, of several the first
  uint64_t ngrams = 0;  // places of the document at which an n-gram of the set begins
  std::string passage;  // of the document: the first n-gram, its first 400 bytes (compatibility: in the form compared)
  // Places in the index of the n-grams found, ascending: for OverlapCounts.
  std::vector<uint32_t> places;
};

struct OverlapResult {
  uint64_t ngrams = 0;              // of the document
  std::vector<OverlapFound> found;  // by set, ascending
  size_t first = 0;  // of `found`: that whose n-gram comes first (compatibility: the one the reference would name)
  // Bytes of the document in n-grams of any set, ascending, not touching; when asked for.
  std::vector<std::pair<size_t, size_t>> passages;
};

// Kept from document to document. Not shared between threads. Memory: grows to the n-grams of one document that are in
// the index; with compatibility to three times the longest document, too.
struct OverlapScratch {
  struct Seen {
    uint64_t count = 0;
    uint64_t order = 0;  // of the first place in the document
    size_t begin = 0;
    size_t end = 0;
  };
  absl::flat_hash_map<uint64_t, Seen> seen;  // by the place of the n-gram's run in the index
  std::unique_ptr<OverlapWordScanner> scanner;
  // With a reference:
  WordSplitter splitter;
  Words words;
  std::string simplified;
  std::string joined;          // the words, a space between two
  std::vector<size_t> begins;  // of each in `joined`, and one more for a word behind the last
};

// The n-grams of evaluation sets. Words are those of MatchingText(), without regard to case, punctuation, vowel marks,
// alef forms, digits' scripts and other ways to write the same. An n-gram is known by a hash of 64 bits: with G n-grams
// in the sets and D in the documents, the chance of any false match is about G * D / 2^64 (10^6 and 10^9: 0.005 %).
//
// Memory: 15 bytes for each pair of an n-gram and an item it is in, 30 bytes an item and its id. Reading is
// thread-safe.
class OverlapIndex {
 public:
  struct SetCounts {
    std::string name;
    std::vector<std::string> files;
    uint64_t items = 0;
    uint64_t items_too_short = 0;  // without an n-gram: they cannot be found
    uint64_t ngrams = 0;           // different ones
    uint64_t first_item = 0;       // of all sets' items
  };
  struct Item {
    uint32_t set = 0;
    uint64_t item = 0;  // of the set
    std::string_view file;
    uint64_t line = 0;
    std::string_view id;
  };

  // UsageError for settings out of range, a set that cannot be read (curate/overlap_set.h), or no n-gram at all;
  // RESOURCE_EXHAUSTED when the n-grams do not fit into `memory_bytes`, saying what to do.
  static absl::StatusOr<std::shared_ptr<const OverlapIndex>> Load(const OverlapSettings& settings,
                                                                  OverlapReference reference, uint64_t memory_bytes);

  // Replaces `result`. `text` is valid UTF-8. Texts of fewer words than an n-gram has are never found. `passages`: also
  // those (without a reference only). Linear in `text`; an n-gram that several items share costs up to kMostItems steps
  // a set, once a document.
  void Find(std::string_view text, bool passages, OverlapScratch& scratch, OverlapResult& result) const;

  const std::vector<SetCounts>& sets() const { return sets_; }
  uint64_t items() const { return lines_.size(); }
  Item ItemOf(uint64_t item) const;  // of all sets' items
  uint32_t SetOf(uint64_t item) const;
  const NgramIndex& ngrams() const { return ngrams_; }
  const OverlapReference& reference() const { return reference_; }

 private:
  static constexpr uint64_t kMostItems = 64;
  // N-grams that follow each other: bytes of the text, or of `joined` with a reference.
  struct NgramBatch {
    size_t count = 0;
    const uint64_t* hash = nullptr;
    const size_t* begin = nullptr;
    const size_t* end = nullptr;
  };

  OverlapIndex(const OverlapSettings& settings, OverlapReference reference, uint64_t memory_bytes);

  absl::Status Read(const EvaluationSet& set, const EvaluationReadOptions& options, OverlapScratch& scratch);
  absl::Status AddItem(const EvaluationItem& item, OverlapScratch& scratch);
  // Adds the n-grams of `text`; whether there are any.
  bool AddText(std::string_view text, uint32_t item, OverlapScratch& scratch);
  bool AddReferenceTexts(const EvaluationItem& item, uint32_t number, OverlapScratch& scratch);
  bool AddWords(const std::vector<std::string>& words, uint32_t item);
  absl::Status DoNotFit() const;
  void CountNgrams();
  template <typename Take>
  void ForEachNgram(std::string_view text, OverlapScratch& scratch, Take take) const;
  template <typename Take>
  void ForEachReferenceNgram(OverlapScratch& scratch, Take take) const;
  void Collect(std::string_view text, OverlapScratch& scratch, OverlapResult& result) const;
  // Calls take(set, begin, end) for the pairs of each set in the run of one n-gram that begins at `place`.
  template <typename Take>
  void ForEachSet(uint64_t place, Take take) const;

  const OverlapSettings settings_;
  const OverlapReference reference_;
  const uint64_t words_;
  const uint64_t power_;  // the rolling hash's factor to the power of words_
  const uint64_t memory_bytes_;
  NgramIndex ngrams_;
  bool full_ = false;  // an n-gram did not fit
  std::vector<SetCounts> sets_;
  std::vector<uint32_t> ranks_;  // of sets, in the order in which the reference reads their files
  std::vector<uint32_t> files_;  // of each item: an index into the set's files
  std::vector<uint32_t> lines_;
  std::vector<uint64_t> id_ends_;
  std::string ids_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_OVERLAP_H_
