// Training: shards in, a model directory out, with checkpoints on the way.
#ifndef RHODES_TRAIN_TRAIN_H_
#define RHODES_TRAIN_TRAIN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "model/config.h"
#include "model/kernels/product.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace rhodes {

class Communicator;

// What one step did. All but the last two members are the same in every run of the same work.
struct StepReport {
  int64_t step = 0;  // counted from 1
  double loss = 0;   // mean nats a token of the step's batch, before the update
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping
  int64_t tokens = 0;        // so far
  int64_t total_steps = 0;   // of the plan
  double tokens_per_second = 0;
  double share_of_peak = 0;
};

// Progress of the run at an evaluation.
struct Evaluation {
  double loss = 0;           // mean nats a token
  double bits_per_byte = 0;  // all nats (end-of-text tokens' included) / ln 2 / bytes of text
  uint64_t tokens = 0;
  uint64_t bytes = 0;
};

struct TrainOptions {
  std::string out;         // receives model/, checkpoints/ and metrics.jsonl
  std::string shards_dir;  // with a train split, and a validation split unless evaluations are off
  std::string tokenizer;   // tokenizer.json that the shards were made with
  ModelConfig config;      // vocabulary_size 0: the tokenizer's; max_positions 0: context

  int64_t batch = 16;  // sequences a product pass
  int64_t context = 256;
  int64_t accumulation = 1;  // passes a step
  // Exactly one is above 0.
  int64_t steps = 0;
  int64_t tokens = 0;  // rounded up to whole steps
  double minutes = 0;  // made a number of steps when training starts, from a short measurement (checkpoints/plan.json)

  Schedule schedule;  // Muon's rate follows the same course
  OptimizerKind optimizer = OptimizerKind::kAdamW;
  double muon_learning_rate = 0.02;  // peak, of the layers' matrices; schedule.peak is that of all else
  double muon_momentum = 0.95;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;  // of matrices
  double clip = 1.0;          // most Euclidean norm of the gradient; 0: no limit
  double deviation = 0.02;    // of the initial weights
  uint64_t seed = 1;
  bool recompute = false;  // activations in the backward pass: the same bits, less memory, more work
  enum class Compute { kAuto, kBf16, kF32 } compute = Compute::kAuto;  // auto: bf16 where the processor has it

  int64_t eval_every = 0;         // steps; 0: about ten times in all; below 0: only at the end
  int64_t eval_tokens = 32768;    // of the validation split, on the way; the last evaluation takes
  int64_t final_eval_tokens = 0;  // this many (0: all)
  bool evaluate_sources = false;  // each source beside the whole, where ../corpus beside the shards names them
  std::vector<std::string> sample_prompts;  // continued at each evaluation
  int64_t sample_tokens = 48;
  double checkpoint_seconds = 30;  // at least: further apart where training would wait 2 % for them; 0: each step
  int keep_checkpoints = 2;
  double peak_seconds = 0.4;  // for measuring the products' peak
  std::string event_dir;      // receives TensorBoard event files; empty: none

  // A loss that is no number, or one this many deviations (and a nat) above those before it, is trouble: the run goes
  // back to its last checkpoint and leaves that step's batch out (train/trouble.h). 0: only what is no number.
  double spike_deviations = 8;
  int most_rollbacks = 3;  // after so many, jumps are taken in, and what is no number ends the run

  // Early stop: after so many evaluations on the way that did not lower the validation loss by at least
  // `least_improvement`. The model is then that of the best evaluation. 0: never.
  int patience = 0;
  double least_improvement = 0;

  // What becomes of a run that OUT holds already. One with the same key goes on in any case.
  enum class Existing {
    kReplace,  // its checkpoints are removed
    kRefuse,   // USAGE
    kResume    // goes on, if it differs in its budget, schedule and watching alone; otherwise USAGE naming what differs
  } existing = Existing::kReplace;

  // Continued training: the state that it begins from. Checkpoints of an earlier run (its key, and how many updates its
  // optimizer's averages have seen), or, without, the weights of a model directory and a fresh optimizer.
  struct Start {
    std::string checkpoints;
    std::string key;
    int64_t updates = 0;
    std::string model;  // its `key` then only tells the run from others
  };
  std::optional<Start> start;

  // The processes that train together, each called with the same options (but for callbacks: rank 0 alone calls them,
  // says and writes anything). Not owned; null: this process is alone. The number of ranks does not belong to the key.
  Communicator* ranks = nullptr;
  // Ranks whose memory together is held against context.memory_bytes: those of this machine, or this one alone.
  struct Machine {
    int ranks = 1;
    bool has_root = false;  // with several: rank 0, which needs more, is among them
  } machine = {};

  std::string key;                                   // empty: a hash of these settings and the inputs
  Json settings;                                     // for the manifest; empty: these settings
  Json rights = Json::object();                      // further members of the manifest: whose data it was
  std::function<void(const StepReport&)> on_step;    // may be empty
  std::function<void(const Json&)> on_metrics_line;  // each line of metrics.jsonl as it is written; may be empty
};

struct TrainReport {
  int64_t steps = 0;
  int64_t resumed_from = 0;  // 0: from the start
  int64_t tokens = 0;
  int64_t parameters = 0;
  double train_loss = 0;  // mean over the last tenth of the steps
  Evaluation validation;
  Json validation_by_source;             // {name: {"loss", "bits_per_byte", "tokens"}}; null without
  std::vector<int64_t> skipped_batches;  // left out after trouble
  bool stopped_early = false;
  double training_seconds = 0;          // of the steps alone, over all processes of the run
  double checkpoint_stall_seconds = 0;  // that this process's training waited for checkpoints
  double tokens_per_second = 0;
  double flops_per_second = 0;
  double peak_flops_per_second = 0;
  double share_of_peak = 0;
  uint64_t peak_memory_bytes = 0;
  std::string compute;  // "bf16" or "f32"
};
Json ToJson(const TrainReport& report);

// Trains from scratch, or goes on from the newest whole checkpoint in OUT/checkpoints that has the same key: called
// again after a kill it ends with the same bytes as an undisturbed run. Writes
//   OUT/model/             config.json, model.safetensors (bf16, or f32 when computing in f32), tokenizer.json,
//                          tokenizer_config.json, generation_config.json, manifest.json; whole or not at all
//   OUT/checkpoints/       plan.json and the last checkpoint
//   OUT/metrics.jsonl      a line a step, a line an evaluation; the last one sums the run up
//   OUT/trouble/           for each loss that was trouble: the state before that step, its batch, its gradients' norms
// Only rates, seconds and memory differ between runs of the same work; they stand in metrics.jsonl alone.
//
// INVALID_ARGUMENT (with what to change) when options contradict each other or the inputs; RESOURCE_EXHAUSTED when the
// run would need more than context.memory_bytes; INTERRUPTED after a checkpoint was written when the user asked to
// stop; UNAVAILABLE when another rank is gone; FAILED_PRECONDITION naming the step when trouble (see spike_deviations)
// came more often than most_rollbacks (the state before is kept).
absl::StatusOr<TrainReport> Train(const TrainOptions& options, RunContext& context);

// The shapes of the benchmark: "124m", "14m", "1.4m", "grok2-60m". UsageError naming the known ones otherwise.
std::vector<std::string> PresetNames();
absl::StatusOr<ModelConfig> PresetConfig(const std::string& name);

// A decoder of `layers` of `width`: heads of 64 (32 below 256), as many key-value heads, SwiGLU of 8/3 width rounded up
// to 128, tied embeddings.
ModelConfig MakeConfig(int64_t layers, int64_t width, int64_t vocabulary, int64_t context);

}  // namespace rhodes

#endif  // RHODES_TRAIN_TRAIN_H_
