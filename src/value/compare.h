// What merging is worth: the same small model trained on each source alone, on all sources unfused and on the fused
// documents, and the loss of each on what none of them has seen.
#ifndef RHODES_VALUE_COMPARE_H_
#define RHODES_VALUE_COMPARE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "train/train.h"
#include "value/holdout.h"

namespace rhodes {

// One mix of texts that a model is trained on.
struct CompareArm {
  std::string name;  // letters, digits, "_", "-", "."
  TextSelection texts;
};

struct CompareSettings {
  bool wanted = false;           // the project has a table [compare]
  std::vector<CompareArm> arms;  // empty: each source alone, "unfused" (all sources), "fused" (all documents)
  HoldOutSettings held_out;
  int64_t seeds = 3;
  uint32_t vocabulary = 2048;
  int64_t layers = 2;
  int64_t width = 192;
  int64_t context = 256;
  int64_t batch = 8;
  int64_t tokens = 300'000;  // that each run trains on, rounded up to whole steps
  double learning_rate = 3e-3;
  uint64_t eval_tokens = 16'384;  // most of each evaluation set
};
Json ToJson(const CompareSettings& settings);

struct CompareOptions {
  std::string out;  // a project's folder: records/ and corpus/ are read, compare/ is written
  CompareSettings settings;
  uint64_t seed = 1;  // of the first run of each arm; the next ones count up
  TrainOptions::Compute compute = TrainOptions::Compute::kAuto;
  std::string key;
};

// Trains arms x seeds models and evaluates each on every evaluation set. Writes OUT/compare/report.json, last:
//   key, settings, boundary, counts {documents, records by class}, vocabulary
//   arms   [{name, texts, documents, bytes, tokens (unique), epochs, or skipped: why}]
//   sets   [{name, documents, tokens, bytes}]: "fused" and each source that has held-out texts
//   runs   [{arm, seed, steps, tokens, parameters, train_loss, sets: {name: {loss, bits_per_byte}}}]; the set "all"
//          adds the nats, tokens and bytes of the others up
//   matrix [{arm, set, loss {mean, deviation}, bits_per_byte {mean, deviation}}]
//   tests  [{arm, against, set, difference, deviation, low, high, t, degrees, p}]: bits per byte of the last arm minus
//          those of each other, paired by seed
// All arms have the same tokenizer (trained on the arms' training texts together), shape, schedule and number of steps.
//
// Resumable: what is done lies in OUT/compare.partial, each run in a file of its own; called again after a kill it goes
// on there and ends with the same report. The texts, shards and models are removed at the end, so that nothing of the
// records is kept twice.
//
// What HoldOut::Open(), Select() and Train() return; FAILED_PRECONDITION when no arm has enough text for one window.
absl::StatusOr<Json> Compare(const CompareOptions& options, RunContext& context);

// The report as tables for people.
std::string FormatComparison(const Json& report);

}  // namespace rhodes

#endif  // RHODES_VALUE_COMPARE_H_
