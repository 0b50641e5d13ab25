// Rule "overlap": documents that hold word n-grams of evaluation sets, so that a model is not tested on what it has
// read.
#ifndef RHODES_CURATE_OVERLAP_H_
#define RHODES_CURATE_OVERLAP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"

namespace rhodes {

struct OverlapSettings {
  std::vector<std::string> sets;  // JSON Lines files, one evaluation set each; every string of a row is looked at
  uint64_t words = 13;            // of an n-gram; 13 as for GPT-3 (Brown et al. 2020, appendix C)
  uint64_t min_ngrams = 1;        // in a document, found in one set, for it to count
  double min_share = 0;           // of the document's n-grams
  bool drop = true;               // false: only flagged, in meta `overlap`
};

// What one document shares with one set.
struct OverlapFound {
  uint32_t set = 0;
  uint64_t item = 0;    // row (from 0) of the n-gram found first
  uint64_t ngrams = 0;  // places of the document at which an n-gram of the set begins
};

// The n-grams of evaluation sets. Words are runs of letters and digits without regard to case, punctuation, Arabic
// vowel marks and tatweel. An n-gram is known by a hash of 64 bits: with G n-grams in the sets and D in the documents,
// the chance of any false match is about G * D / 2^64 (10^6 and 10^9: 0.005 %). Memory: 19 to 38 bytes an n-gram. An
// n-gram in several sets or rows counts for the first. Reading is thread-safe.
class OverlapIndex {
 public:
  explicit OverlapIndex(uint64_t words) : words_(words) {}
  // UsageError for a set that cannot be read, a row that is not JSON, or no n-gram at all.
  static absl::StatusOr<OverlapIndex> Load(const OverlapSettings& settings);

  // Texts of fewer than `words` words have no n-gram and are never found.
  void Add(uint32_t set, uint64_t item, std::string_view text);
  // By set, ascending; `total` becomes the count of the document's n-grams.
  std::vector<OverlapFound> Find(std::string_view text, uint64_t* total) const;
  uint64_t size() const { return first_.size(); }

 private:
  struct Place {
    uint32_t set;
    uint32_t item;
  };
  uint64_t words_;
  absl::flat_hash_map<uint64_t, Place> first_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_OVERLAP_H_
