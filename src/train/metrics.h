// metrics.jsonl: one JSON object a line, cut back to the checkpoint when a run goes on.
#ifndef RHODES_TRAIN_METRICS_H_
#define RHODES_TRAIN_METRICS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "base/json.h"
#include "base/status.h"

namespace rhodes {

class MetricsLog {
 public:
  // Keeps the lines of `path` whose "step" is at most `step` (a torn last line goes too) and appends after them.
  // `listener`, if any, is handed each new line.
  static absl::StatusOr<MetricsLog> Open(const std::string& path, int64_t step,
                                         std::function<void(const Json&)> listener);
  MetricsLog(MetricsLog&& other) noexcept;
  MetricsLog& operator=(MetricsLog&&) = delete;
  ~MetricsLog();

  // Written at once, so that a kill loses nothing.
  absl::Status Append(const Json& line);

  // Seconds of all steps so far (tokens over rate), those of earlier processes of the run included.
  double training_seconds() const { return seconds_; }

 private:
  MetricsLog(std::string path, int file, std::function<void(const Json&)> listener);
  void Count(const Json& line);

  std::string path_;
  int file_ = -1;
  std::function<void(const Json&)> listener_;
  double seconds_ = 0;
  int64_t tokens_ = 0;
};

// Mean of each of the numbers `names` over the lines of steps > `after`; 0 when they have none. The last line does not
// count.
absl::StatusOr<std::vector<double>> MeansAfter(const std::string& path, const std::vector<std::string>& names,
                                               int64_t after);

}  // namespace rhodes

#endif  // RHODES_TRAIN_METRICS_H_
