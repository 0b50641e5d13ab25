// Rule "substring": passages of many tokens that another document has already (Lee et al. 2021, "Deduplicating Training
// Data Makes Language Models Better", arXiv 2107.06499).
//
// A window is `min_tokens` tokens in a row. Of equal windows, the one that comes first in the order (priority, order of
// Add(), place) is kept, and with it every equal one of the same document; the others are repeated. A cut is a longest
// run of tokens that lie in repeated windows. So what is cut is exactly what a suffix array finds: every token that
// lies in a common substring of `min_tokens` or more with a document that goes before.
//
// Method, linear in the text for every input: (1) of each window the smallest hash of its sub-windows of half the
// length (its minimiser: Roberts et al. 2004; winnowing: Schleimer et al. 2003) is counted in a table of 2-bit
// counters. Equal windows have equal minimisers, so a window whose minimiser came once has no equal. (2) The others get
// a fingerprint of 122 bits (two polynomials modulo 2^61 - 1 over 64-bit hashes of the tokens), whose keys come from a
// hash of the whole input, so that nobody can make two texts that share one. (3) The fingerprints are sorted, on disk
// where needed; equal neighbours are repeats. (4) Repeats are compared token by token with what they repeat before they
// become cuts: nothing is cut that is not there a second time. That one is missed has a chance below 10^-12 for 10^11
// tokens.
#ifndef RHODES_CURATE_SUBSTRING_H_
#define RHODES_CURATE_SUBSTRING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_context.h"
#include "base/status.h"
#include "curate/substring_tokens.h"

namespace rhodes {

struct SubstringSettings {
  uint32_t min_tokens = 50;           // 2 to 65535
  TokenUnit unit = TokenUnit::kWord;  // what a token is
  TokenSplitter splitter = nullptr;   // for TokenUnit::kGiven: called from several threads at once
  // Whether repeats within one document count too: then all windows but the first, and those that overlap it, are
  // repeated. The published tools count them.
  bool within_documents = false;
  // A document is dropped when more than this share of its tokens is repeated; at 1 (default) only when all are.
  double drop_above = 1.0;
};

// Bytes [begin, end) of a document's text, from the first byte of a token to the last of another, that are repeated.
// `kept_begin`: where the window that begins the cut stands in the document `kept_ordinal`. Later windows of the same
// cut can have their first copies elsewhere.
struct SubstringCut {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t kept_ordinal = 0;
  uint64_t kept_begin = 0;

  friend bool operator==(const SubstringCut&, const SubstringCut&) = default;
};

// A document that has something repeated. Cuts are ascending and do not touch.
struct DocumentCuts {
  uint64_t ordinal = 0;
  uint64_t tokens = 0;
  uint64_t repeated_tokens = 0;
  bool drop = false;  // by `drop_above`, or because all of it is repeated
  std::vector<SubstringCut> cuts;
};

struct SubstringCounts {
  uint64_t documents = 0;
  uint64_t text_bytes = 0;
  uint64_t tokens = 0;
  uint64_t candidate_windows = 0;  // whose minimiser came more than once
  uint64_t repeated_windows = 0;
  uint64_t documents_with_cuts = 0;
  uint64_t documents_to_drop = 0;
  uint64_t cuts = 0;
  uint64_t repeated_tokens = 0;
  uint64_t cut_bytes = 0;    // as the cuts say, before CutSubstrings() looks at white space
  uint64_t spill_bytes = 0;  // largest sum of the files in `directory`
};

// Finds the repeated passages of all documents given:
//
//   ASSIGN_OR_RETURN(auto finder, SubstringFinder::Create(settings, directory, context));
//   for (...) RETURN_IF_ERROR(finder->Add(ordinal, text, priority));
//   RETURN_IF_ERROR(finder->Finish());
//   DocumentCuts cuts;
//   while (true) {
//     ASSIGN_OR_RETURN(const bool more, finder->Next(cuts));
//     if (!more) break;
//     ...  // documents with cuts, in the order of Add(); see CutSubstrings() in curate/substring_cut.h
//   }
//
// The result depends on settings and documents alone, not on threads or memory. Not thread-safe; Finish() works on
// context.Threads() threads.
//
// Memory: about context.memory_bytes / 2 (at least 32 MB and 8 MB a thread) beside pages of mapped files, whatever the
// input's size; a document's own cuts are held while it is worked on. Disk: the text, 24 bytes for each document, and
// while Finish() runs 24 bytes for each candidate window and 16 for each repeated one.
class SubstringFinder {
 public:
  // `directory` is made, emptied and, by the destructor, removed. INVALID_ARGUMENT for settings out of range.
  static absl::StatusOr<std::unique_ptr<SubstringFinder>> Create(const SubstringSettings& settings,
                                                                 const std::string& directory,
                                                                 const RunContext& context);
  virtual ~SubstringFinder() = default;

  // `ordinal`: the caller's number of the document, ascending. `priority`: the rank of its source; of equal passages
  // the one of the lowest is kept. `text` may be any bytes; of valid UTF-8 no cut splits a character.
  virtual absl::Status Add(uint64_t ordinal, std::string_view text, uint16_t priority = 0) = 0;

  // After the last document. UNAVAILABLE or RESOURCE_EXHAUSTED when the disk fails; INTERRUPTED.
  virtual absl::Status Finish() = 0;

  // The next document that has cuts, in the order of Add(); false after the last one.
  virtual absl::StatusOr<bool> Next(DocumentCuts& cuts) = 0;

  virtual const SubstringCounts& counts() const = 0;  // complete after Finish()
};

}  // namespace rhodes

#endif  // RHODES_CURATE_SUBSTRING_H_
