// One training run's metrics.jsonl, read as it grows.
#ifndef RHODES_SERVE_RUN_LOG_H_
#define RHODES_SERVE_RUN_LOG_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"
#include "serve/step_series.h"

namespace rhodes {

// What the lines that were read come to. Steps, tokens and seconds run on over the trainings of a model that goes on
// learning (lines with another "cycle" begin at step 1 again).
struct RunFigures {
  int64_t step = 0;
  int64_t steps_before = 0;  // of earlier trainings in the same file
  int64_t tokens = 0;
  double seconds = 0;                                    // of training steps
  std::optional<double> loss;                            // mean of the last kRecent steps
  std::optional<double> validation_loss, bits_per_byte;  // the last ones
  double tokens_per_second = 0;                          // of the last kRecent steps
  double share_of_peak = 0;                              // mean over the time of the last kRecent steps
  double seconds_per_step = 0;                           // likewise
  int64_t parameters = 0;                                // from the last line; 0: not known yet
  bool final = false;                                    // the run's own summing up is the last word
  bool stopped_early = false;
  uint64_t bad_lines = 0;  // that are no JSON object, have no step, or go backwards
};

// One thread at a time. At most about 1 MB, whatever the file.
class RunLog {
 public:
  static constexpr size_t kRecent = 20;
  static constexpr size_t kMostSamples = 16, kMostTroubles = 32;  // the last ones
  static constexpr size_t kMostSampleBytes = 2000;
  static constexpr size_t kMostLineBytes = 1 << 20;  // longer ones are passed over

  explicit RunLog(std::string path) : path_(std::move(path)) {}

  // Reads on, at most `most_bytes` of them. A file that was replaced or became shorter is read anew from its
  // beginning: a run that goes on from a checkpoint writes its lines again. A last line without its end waits for it.
  // NOT_FOUND when the file is gone; what was read before stays.
  absl::Status Update(uint64_t most_bytes);
  // Takes in `bytes` as the next ones of the file.
  void Add(std::string_view bytes);

  bool complete() const { return offset_ == size_; }   // all that was there at the last Update
  uint64_t read_bytes() const { return read_bytes_; }  // by all calls of Update
  int64_t modified() const { return modified_; }       // seconds since 1970
  const RunFigures& figures() const { return figures_; }

  // The curves in at most `points` points each, columns of equal length; null where a number is not there:
  // {"version", "complete", "next_after", "span", "steps": {"step", "tokens", "seconds", "loss", "loss_low",
  // "loss_high", "learning_rate", "gradient_norm", "tokens_per_second", "share_of_peak"}, "validation": {"step",
  // "tokens", "seconds", "loss", "bits_per_byte"}, "samples": [{"step", "prompt", "text"}], "troubles": [{"step",
  // "at_step", "reason"}]}.
  // When `version` is that of the answer, points up to step `after` are left out of "steps": the caller, who gives
  // "next_after" of the last answer, replaces what it has beyond that step.
  Json Curves(size_t points, int64_t after, std::string_view version) const;

 private:
  struct Recent {
    double loss, share, seconds;
    int64_t tokens;
  };
  void Restart();
  class Parser;
  class Line;
  void AddLine(std::string_view text);
  void AddStep(const Line& line);
  void AddEvaluation(const Line& line);
  void AddSample(const Line& line);
  void AddFinal(const Line& line);
  void BeginTraining();

  std::string path_;
  uint64_t device_ = 0, inode_ = 0, offset_ = 0, size_ = 0, read_bytes_ = 0;
  int64_t modified_ = 0;
  uint64_t generation_ = 0;  // how often it was begun anew
  std::string pending_;      // the beginning of a line
  bool skipping_ = false;    // inside a line that is too long

  RunFigures figures_;
  int64_t cycle_ = 0, cycle_step_ = 0, cycle_tokens_ = 0, tokens_before_ = 0;
  std::deque<Recent> recent_;
  StepSeries steps_{2048};
  StepSeries validation_{512};
  std::deque<Json> samples_, troubles_;
  std::shared_ptr<Parser> parser_;
};

}  // namespace rhodes

#endif  // RHODES_SERVE_RUN_LOG_H_
