// rhodes tokenize --train: its flags, and training a tokenizer.
#ifndef RHODES_APPS_RHODES_COMMAND_TOKENIZE_TRAIN_H_
#define RHODES_APPS_RHODES_COMMAND_TOKENIZE_TRAIN_H_

#include <string>
#include <vector>

#include "command.h"
#include "token/tokenize.h"
#include "token/training_weights.h"

namespace rhodes {

struct TrainTokenizerFlags {
  bool on = false;
  std::string format = "auto";
  std::vector<std::string> weights;
  std::vector<std::string> special;
  uint64_t min_frequency = 2;
  double save_seconds = 30;
};

void AddTrainTokenizerFlags(CLI::App& app, TrainTokenizerFlags& flags);
// What --weight says.
absl::StatusOr<TrainingWeights> WeightsOf(const TrainTokenizerFlags& flags);
// `options`: inputs, vocabulary and pattern; `out` is the file that is written.
absl::Status RunTrainTokenizer(const TrainTokenizerFlags& flags, const TokenizeOptions& options,
                               const CommonFlags& common, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_APPS_RHODES_COMMAND_TOKENIZE_TRAIN_H_
