// Records that cannot be right: from the future, of clocks that jump back, of devices in two places at once.
#ifndef RHODES_FUSE_ANOMALIES_H_
#define RHODES_FUSE_ANOMALIES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "table/database.h"

namespace rhodes {

struct AnomalyOptions {
  // Microseconds; records behind it are from the future. None: not looked for.
  std::optional<int64_t> latest;
  double metres_per_second = 340;  // what moves faster is in two places
  double metres = 1000;            // nearer places are one, whatever their times: receivers err by so much
  int64_t back = 1'000'000;        // microseconds that a clock may go back
};

// With the machine's clock as `latest`.
AnomalyOptions AnomaliesUntilNow();

// All of one kind in the records of one source and author.
struct Anomaly {
  enum class Kind { kFuture, kClock, kTwoPlaces };
  Kind kind = Kind::kFuture;
  std::string source;
  std::string author;  // empty: none
  uint64_t count = 0;
  // The first.
  std::string id;
  std::string other_id;  // the record before it; empty for kFuture
  std::string detail;    // in plain words, with numbers
};

struct AnomalyReport {
  std::vector<Anomaly> anomalies;  // by kind, source, author
  uint64_t records = 0;
  uint64_t from_future = 0;
  uint64_t clock_jumps = 0;
  uint64_t two_places = 0;
  // Streams of a device in one file with more steps back than forth: written the newest first, which is no jump.
  uint64_t reversed_streams = 0;
};
Json ToJson(const AnomalyReport& report);
// One line for each anomaly: what, how many, the first, what to do; of many in one source the first few, and how many
// more.
std::vector<std::string> Lines(const AnomalyReport& report);

// One pass over main.records in the order in which they are stored. Clocks and places are those of devices: of records
// with channels and an author, each stream by source, author, kind and file. A record without time or place is passed
// over. Memory: about 300 bytes a stream. Sets the connection's `threads` to one and then to `threads`.
absl::StatusOr<AnomalyReport> FindAnomalies(Database& database, const AnomalyOptions& options, int threads);

}  // namespace rhodes

#endif  // RHODES_FUSE_ANOMALIES_H_
