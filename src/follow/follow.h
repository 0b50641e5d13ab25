// Following: streams into the one database, for as long as one likes.
#ifndef RHODES_FOLLOW_FOLLOW_H_
#define RHODES_FOLLOW_FOLLOW_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "follow/stream.h"
#include "record/rights.h"
#include "store/record_store.h"

namespace rhodes {

struct FollowSource {
  std::string name;  // of the source; one stream a source
  StreamUrl url;
  std::shared_ptr<const ReadOptions> read;  // its `source` is `name`
  std::optional<Rights> rights;             // as stated
};

// A commit, told after it is durable.
struct FollowCommit {
  std::string source;
  IngestCounts counts;  // of the process so far
};

struct FollowOptions {
  std::string out;
  std::vector<FollowSource> sources;
  // What came in is committed, and counts, when it is so much text, originals and fields, or this long after its first
  // record. Parts of 64 MiB are compressed on the way, so that a commit waits for the last one alone: at 64 MiB a
  // commit following a topic took 1.3 times as long.
  uint64_t part_bytes = uint64_t{256} << 20;
  double part_seconds = 30;
  double stop_after_idle = 0;  // seconds without anything new in any stream, after which it ends well; 0: never
  int metrics_port = 0;        // Prometheus' text format at http://127.0.0.1:PORT/metrics; 0: none
  // Carries out what notices took back (of stored records in all sources); called with all sources closed. May be
  // empty.
  std::function<absl::Status()> carry_out_notices;
  std::function<bool()> may_carry_out;  // asked before that, again and again until it says yes; may be empty
  // Held shared by each commit: whoever holds it alone sees records that do not change. Not owned; may be null.
  std::shared_mutex* commits = nullptr;
  std::function<void(const FollowCommit&)> on_commit;  // from the source's thread; may be empty
  // How streams are opened; tests put others in.
  std::function<absl::StatusOr<std::unique_ptr<Stream>>(const StreamUrl&, const Json&, const StreamOptions&)> open =
      &OpenStream;
  std::chrono::milliseconds disk_pause{5000};  // before a full disk is tried again, doubled up to a minute
};

struct FollowReport {
  struct Source {
    std::string name;
    IngestCounts counts;
    uint64_t commits = 0;
    uint64_t reconnects = 0;
    uint64_t restarts = 0;  // from the last commit, after a full disk
  };
  std::vector<Source> sources;
  double seconds = 0;
};
Json ToJson(const FollowReport& report);

// Runs until `context.cancelled` (then INTERRUPTED, after a last commit), until nothing came for `stop_after_idle`, or
// until a stream ends with an error that waiting does not mend: the others commit, and that error is returned.
//
// Each source has a thread that reads, parses and stores, and threads that compress. A commit writes parts, logs and
// the stream's position in one step and tells the other side afterwards, so that after a kill at any instant nothing is
// lost and nothing stored twice, as far as the stream has positions. A full disk: nothing that was committed is lost;
// the source begins again at its last commit, after a pause, until there is room.
//
// Memory: `context.memory_bytes`, shared out among the sources, whatever comes in for however long.
// UsageError for a name given twice or one that cannot be a source's; FAILED_PRECONDITION while another run writes one.
absl::StatusOr<FollowReport> Follow(const FollowOptions& options, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_FOLLOW_FOLLOW_H_
