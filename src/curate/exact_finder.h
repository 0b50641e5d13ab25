// Rule "exact" for inputs of any size: which documents have the same text, and which of them stays.
#ifndef RHODES_CURATE_EXACT_FINDER_H_
#define RHODES_CURATE_EXACT_FINDER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "base/run_context.h"
#include "base/status.h"
#include "curate/exact.h"

namespace rhodes {

struct ExactDuplicate {
  uint64_t ordinal = 0;
  uint64_t kept_ordinal = 0;  // the document with the same text that stays

  friend bool operator==(const ExactDuplicate&, const ExactDuplicate&) = default;
  friend bool operator<(const ExactDuplicate& a, const ExactDuplicate& b) { return a.ordinal < b.ordinal; }
};

// Finds all documents whose text is that of another:
//
//   ASSIGN_OR_RETURN(auto finder, ExactFinder::Create(directory, context));
//   for (...) RETURN_IF_ERROR(finder->Add(ordinal, HashText(text), priority));
//   RETURN_IF_ERROR(finder->Finish());
//   ExactDuplicate duplicate;
//   while (true) {
//     ASSIGN_OR_RETURN(const bool more, finder->Next(duplicate));
//     if (!more) break;
//     ...  // in the order of ordinals
//   }
//
// Of equal texts the one of the lowest priority stays, of those the one of the lowest ordinal. The result depends on
// what was added alone, not on its order, on threads or memory. Not thread-safe; Finish() works on context.Threads()
// threads.
//
// Memory: a quarter of context.memory_bytes (at least 16 MB), whatever the number of documents. Disk: 24 bytes for each
// document and 16 for each duplicate, in `directory`.
class ExactFinder {
 public:
  // `directory` is made, emptied and, by the destructor, removed.
  static absl::StatusOr<std::unique_ptr<ExactFinder>> Create(const std::string& directory, const RunContext& context);
  virtual ~ExactFinder() = default;

  // `ordinal`: the caller's number of the document, each once, below 2^48. `priority`: the rank of its source.
  // INVALID_ARGUMENT for an ordinal out of range.
  virtual absl::Status Add(uint64_t ordinal, const TextHash& hash, uint16_t priority = 0) = 0;

  // After the last document. UNAVAILABLE or RESOURCE_EXHAUSTED when the disk fails; INTERRUPTED.
  virtual absl::Status Finish() = 0;

  // The next document to drop, ascending; false after the last one.
  virtual absl::StatusOr<bool> Next(ExactDuplicate& duplicate) = 0;

  virtual uint64_t documents() const = 0;
  virtual uint64_t duplicates() const = 0;  // complete after Finish()
};

}  // namespace rhodes

#endif  // RHODES_CURATE_EXACT_FINDER_H_
