// Which documents may be trained on and which are held out, by time, so that no arm of a comparison sees what it is
// measured on.
#ifndef RHODES_VALUE_HOLDOUT_H_
#define RHODES_VALUE_HOLDOUT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "table/database.h"

namespace rhodes {

// The boundary in time. What is at or behind it is held out.
struct HoldOutSettings {
  double last_share = 0.2;       // of the time from the first to the last document of OUT/corpus
  bool of_documents = false;     // the share is one of the documents that have a time, the latest of them
  std::optional<int64_t> after;  // microseconds since 1970; instead of the share
};

// A set of texts: the union of what its members name. "*" stands for all.
struct TextSelection {
  std::vector<std::string> sources;  // records of these sources, each as a document of its own
  std::vector<std::string> views;    // documents (of OUT/corpus) that these views of the project made
  std::string sql;                   // one SELECT that yields `id`s of records, corpus or both
};
Json ToJson(const TextSelection& selection);

enum class TextPart { kTrain, kHeldOut };

struct SelectedText {
  std::string id;  // of the record or document
  std::string text;
};

struct SelectionCounts {
  uint64_t texts = 0;       // different ones
  uint64_t bytes = 0;       // of theirs
  uint64_t duplicates = 0;  // of the same bytes as one of them
  uint64_t empty = 0;       // that have nothing to read
};

// A database over OUT that has judged all records and documents:
//   held out   the time is at or behind the boundary; a document without a time has that of its latest parent
//   train      all else, but for what follows
//   straddling a document before the boundary with a parent behind it: neither
//   embargoed  a dated record before the boundary that documents for training do not have for a parent, and held-out
//              or straddling ones do: neither. Otherwise arms of plain records would train on what is told in the
//              held-out documents, and the fused arm would not.
//   undated    a record without a time in a source that gives times, or a document with such a parent: neither.
//              Records of sources that never give one (places, manuals) are static: always for training.
// Not thread-safe. Memory: context.memory_bytes, beyond which DuckDB spills to `temporary`.
class HoldOut {
 public:
  // NOT_FOUND when OUT has no records or no corpus; FAILED_PRECONDITION with what to do when there is nothing on one of
  // the two sides of the boundary.
  static absl::StatusOr<std::unique_ptr<HoldOut>> Open(const std::string& out, const HoldOutSettings& settings,
                                                       const std::string& temporary, const RunContext& context);

  int64_t boundary() const { return boundary_; }
  const std::vector<std::string>& sources() const { return sources_; }
  // {"documents": {"train": n, ...}, "records": {...}, "static_sources": [...]}
  const Json& counts() const { return counts_; }

  // Hands the texts of one part of a selection to `take` in the order of their ids (which are hashes, so a random one),
  // each text once, until `most_bytes` are passed. A record's text is its text; without one, its bytes as received when
  // they are UTF-8; without those, its channels.
  // UsageError for a source, view or SQL that is none.
  absl::StatusOr<SelectionCounts> Select(const TextSelection& selection, TextPart part, uint64_t most_bytes,
                                         const std::function<absl::Status(SelectedText)>& take);

 private:
  HoldOut() = default;
  absl::Status Judge(const HoldOutSettings& settings);
  absl::Status FindBoundary(const HoldOutSettings& settings);
  absl::Status Count();
  absl::StatusOr<std::string> Sql(const TextSelection& selection, TextPart part);

  std::unique_ptr<Database> database_;
  const RunContext* context_ = nullptr;
  int64_t boundary_ = 0;
  std::vector<std::string> sources_;
  std::vector<std::string> views_;
  Json counts_;
};

}  // namespace rhodes

#endif  // RHODES_VALUE_HOLDOUT_H_
