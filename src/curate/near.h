// Rule "near": nearly the same text again, found by MinHash and locality-sensitive hashing (Broder 1997; Indyk and
// Motwani 1998) in memory that does not grow with the texts.
//
//   NearHasher hasher(settings);                          // one, used by all threads
//   NearSignature s = hasher.Sign(text, scratch);         // in parallel, one scratch a thread
//   index->Add(ordinal, s, priority);                     // in the order of the documents
//   auto verdicts = index->Finish();                      // joins
//   verdicts->Of(ordinal)                                 // in a second pass over the documents
#ifndef RHODES_CURATE_NEAR_H_
#define RHODES_CURATE_NEAR_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "curate/minhash.h"

namespace rhodes {

// Replaces `words` by those of `simplified`, the result of SimplifyText(). They may view `simplified` or memory that
// lives as long as the splitter. Called on many threads at once.
using ShingleWords = std::function<void(std::string_view simplified, std::vector<std::string_view>& words)>;

// At white space. Equals the reference where its tokenizer has no more to split in simplified text, which has no
// punctuation of English left.
void SplitAtSpaces(std::string_view simplified, std::vector<std::string_view>& words);

struct NearSettings {
  // true: the reference's signatures bit for bit (14 bands of 8 values; SimplifyText(); no verification). false: ours
  // (21 bands of 6 of 128 values by one permutation; MatchingText(); candidates verified).
  bool datatrove = false;
  // Of the reference's mode only: its tokenizer.
  ShingleWords split_words = SplitAtSpaces;
  // Of ours only: two documents that share a band are duplicates when their sketches say that their Jaccard similarity
  // over shingles of five words is at least this; 0: no verification. In [0, 1].
  double verify_similarity = 0.72;
};

// What the index keeps of a document. A document of fewer words than a shingle has none and is never a duplicate.
struct NearSignature {
  static constexpr size_t kMaxBands = kOwnBands;
  bool present = false;
  std::array<uint64_t, kMaxBands> bands{};     // a hash of each band's values; the reference uses the first 14
  std::array<uint8_t, kSketchBytes> sketch{};  // four bits of each of ours; zero in the reference's mode
};

// Memory that grows to the longest text and is used again. Not shared between threads.
struct NearScratch {
  std::string text;
  std::vector<std::string_view> words;
  std::vector<uint64_t> hashes;
  std::string joined;
};

// Makes signatures. Thread-safe for distinct scratch.
class NearHasher {
 public:
  explicit NearHasher(NearSettings settings) : settings_(std::move(settings)) {}
  // `text` must be valid UTF-8. Linear in `text` for all inputs.
  NearSignature Sign(std::string_view text, NearScratch& scratch) const;
  size_t bands() const { return settings_.datatrove ? kDatatroveBuckets : NearSignature::kMaxBands; }

 private:
  NearSettings settings_;
};

struct NearVerdict {
  bool in_cluster = false;  // shares a cluster with at least one other document
  bool dropped = false;     // another document of the cluster is kept in its stead
  uint64_t kept = 0;        // ordinal of the kept one; its own when not dropped
  // The number of the cluster is `kept`: each cluster keeps one document.
};

struct NearCounts {
  uint64_t documents = 0;  // ordinals, those never added included
  uint64_t signed_documents = 0;
  uint64_t candidates = 0;  // pairs that shared a band and were looked at
  uint64_t clusters = 0;    // of two documents or more
  uint64_t dropped = 0;
  uint64_t spilled_bytes = 0;
};

// What Finish() decided. Read-only and thread-safe.
class NearVerdicts {
 public:
  virtual ~NearVerdicts() = default;
  // Constant time. An ordinal behind the last one added is in no cluster. Reading in ascending order touches memory in
  // order.
  virtual NearVerdict Of(uint64_t ordinal) const = 0;
  virtual const NearCounts& counts() const = 0;
};

// Finds which documents share a band. Memory: `memory_bytes` for all that grows with the documents but five bytes a
// document; when those exceed a quarter of the budget, they lie in a mapped file whose pages the system may take back.
// Sorted runs of band entries (12 bytes each) and sketches (64 bytes a document) are spilled to `directory`.
class NearIndex {
 public:
  static constexpr uint64_t kMinMemory = 16 << 20;
  // `directory` must exist and be the caller's own to remove (a stage's partial directory): the files in it have no
  // names once made, so that a kill leaves nothing. INVALID_ARGUMENT for less memory than kMinMemory.
  static absl::StatusOr<std::unique_ptr<NearIndex>> Create(const NearSettings& settings, const std::string& directory,
                                                           uint64_t memory_bytes, int threads);
  virtual ~NearIndex() = default;

  // `ordinal` must ascend; ordinals left out are documents without a signature. Of a cluster, the document of the
  // highest `priority` is kept, and of several such the first. At most 2^32 - 1 documents: RESOURCE_EXHAUSTED. A full
  // disk: RESOURCE_EXHAUSTED. Not thread-safe.
  virtual absl::Status Add(uint64_t ordinal, const NearSignature& signature, uint8_t priority = 0) = 0;

  // Joins the bands and clusters the documents; the same for any number of threads and any memory. Once, as the last
  // call.
  virtual absl::StatusOr<std::unique_ptr<NearVerdicts>> Finish() = 0;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_NEAR_H_
