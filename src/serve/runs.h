// The training runs below some folders, for the page.
#ifndef RHODES_SERVE_RUNS_H_
#define RHODES_SERVE_RUNS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "serve/run_log.h"

namespace rhodes {

// Finds runs (folders with a metrics.jsonl) and reads them as they grow. A name is looked up among those found and is
// never made a path. Thread-safe.
class Runs {
 public:
  static constexpr size_t kMostRuns = 500;
  static constexpr size_t kMostFolders = 20'000;    // that one search looks into
  static constexpr int kMostDepth = 5;              // of a run's folder below those named
  static constexpr uint64_t kReadBytes = 64 << 20;  // of metrics that one request reads; the next one goes on

  // `now` gives seconds since 1970.
  explicit Runs(std::vector<std::string> folders, std::function<int64_t()> now = {});

  bool empty() const { return folders_.empty(); }

  // {"runs": [...], "truncated"}, those with the newest lines first. A run: {"name", "folder", "state", "step",
  // "steps" (of the plan, null when not known), "tokens", "seconds", "loss", "validation_loss", "bits_per_byte",
  // "tokens_per_second", "share_of_peak", "parameters", "updated", "age_seconds", "seconds_left", "bad_lines",
  // "complete"}; what is not known is null. `state`:
  //   finished  the last line sums up
  //   failed    a step with trouble was written down after the last line, and the run did not go on
  //   running   the last line is younger than 2 minutes, or than 20 steps take
  //   stopped   else
  // `complete` is false while the metrics are longer than what the requests so far have read.
  Json List();

  struct Query {
    size_t points = 1000;  // of a curve, at most
    int64_t after = -1;
    std::string version;
  };
  // From "after=100&points=500&version=...". INVALID_ARGUMENT naming the one that is wrong; other names are ignored.
  static absl::StatusOr<Query> ReadQuery(std::string_view text);
  // {"run": as in List, "settings": of the training, and what RunLog::Curves gives}. NOT_FOUND for a name that List
  // does not have.
  absl::StatusOr<Json> Metrics(const std::string& name, const Query& query);

 private:
  struct Run {
    std::string name, folder;
    std::mutex mutex;  // of log
    RunLog log;
    Run(std::string n, std::string f) : name(std::move(n)), folder(std::move(f)), log(folder + "/metrics.jsonl") {}
  };
  struct Search;
  // Looks for runs that came and forgets those that went.
  void Refresh();
  static void Visit(const std::string& label, const std::string& folder, int depth, Search& search);
  std::string StateOf(const Run& run, int64_t age) const;
  Json Describe(const Run& run, const Json& plan) const;

  const std::vector<std::string> folders_;
  const std::function<int64_t()> now_;
  std::mutex mutex_;  // of what follows
  std::map<std::string, std::shared_ptr<Run>> runs_;
  bool truncated_ = false;
};

}  // namespace rhodes

#endif  // RHODES_SERVE_RUNS_H_
