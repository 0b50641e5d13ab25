// How well a fusion found the hidden events: documents of a view beside truth.jsonl.
#ifndef RHODES_WORLD_SCORE_H_
#define RHODES_WORLD_SCORE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"

namespace rhodes {

// Right of what was said, and said of what is right: pairs of a record and an event.
struct PairCounts {
  uint64_t right = 0;       // the document is the event's, and the record belongs to the event
  uint64_t claimed = 0;     // pairs of a record and a document
  uint64_t true_pairs = 0;  // pairs of a record and an event
  double Precision() const { return claimed == 0 ? 0 : static_cast<double>(right) / static_cast<double>(claimed); }
  double Recall() const { return true_pairs == 0 ? 0 : static_cast<double>(right) / static_cast<double>(true_pairs); }
};

// A set of records as one document or one event has it; numbers stand for records.
using RecordSets = std::vector<std::vector<uint64_t>>;

// Which event each document is (-1: none): documents and events are paired one to one, the pair with the most records
// in common first (of equals the earlier document, then the earlier event). So an event that was told twice, or a
// document of two events, costs what it has beyond the better half. Records in a set are distinct.
std::vector<int> MatchDocuments(const RecordSets& documents, const RecordSets& events);

struct SourceBalance {
  uint64_t read = 0, stored = 0, duplicates = 0, rejected = 0, erased = 0;  // as the manifest counts
  uint64_t emitted = 0;   // pieces that the world wrote: unique, duplicates and corrupted
  uint64_t expected = 0;  // records that must be there
  uint64_t there = 0;     // records that are there
  bool balanced = false;  // read = stored + duplicates + rejected = emitted
  bool complete = false;  // exactly the expected records are there, by the sum of their keys' fingerprints
};

struct FusionScore {
  uint64_t events = 0;
  uint64_t documents = 0;
  uint64_t matched = 0;  // documents that are an event
  PairCounts pairs;
  std::map<std::string, PairCounts> by_source;
  // kind of event: events, matched, pairs of these events (claimed: of the documents that are such an event)
  struct Kind {
    uint64_t events = 0;
    uint64_t matched = 0;
    PairCounts pairs;
  };
  std::map<std::string, Kind> by_kind;
  std::map<std::string, SourceBalance> balance;
  uint64_t deleted = 0;         // posts that a notice deletes
  uint64_t deleted_stored = 0;  // of these still stored
  uint64_t rumours = 0;         // posts of what did not happen
  uint64_t rumours_joined = 0;  // of these in a document of the view
  bool Sound() const;           // all is balanced and complete, nothing deleted is stored
};
Json ToJson(const FusionScore& score);
std::string FormatScore(const FusionScore& score);

// Scores OUT's documents of view `view` beside `truth` (truth.jsonl). Of a document's parents those count of whose kind
// the truth speaks: posts, telemetry, outages, statuses, element sets, articles; not the gazetteer's rows and dishes'
// locations, which belong to places. Memory: the witnesses of truth and documents, some 100 bytes each. NOT_FOUND where
// OUT has no records or no documents; UsageError for a truth of another format or a view without documents that is not
// named in `documents`.
absl::StatusOr<FusionScore> ScoreFusion(const std::string& out, const std::string& truth, const std::string& view,
                                        RunContext& context);

}  // namespace rhodes

#endif  // RHODES_WORLD_SCORE_H_
