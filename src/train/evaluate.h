// The loss on held-out text, and samples from the model.
#ifndef RHODES_TRAIN_EVALUATE_H_
#define RHODES_TRAIN_EVALUATE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/run_context.h"
#include "model/model.h"
#include "token/shards.h"
#include "token/tokenizer.h"
#include "train/train.h"

namespace rhodes {

// Loss of `model` on the first `tokens` tokens of `shards` (0: all), each predicted once, end-of-text tokens included;
// the first is predicted from an end-of-text token.
//
// The text is read in windows of `length`. With `overlap` windows advance by half a window and only the second half of
// each counts (all of the first), so that every token is predicted from at least half a window of what precedes it, at
// twice the cost. Without, windows stand side by side.
//
// On several `ranks` (null: this process alone), all of which call this with the same weights, each reads a part; the
// result is the same on all.
absl::StatusOr<Evaluation> Evaluate(Model& model, const ShardSet& shards, const Tokenizer& tokenizer, uint64_t tokens,
                                    int64_t length, bool overlap, RunContext& context, Communicator* ranks = nullptr);

// Each of `sets_by_name` in turn: {name: {"loss", "bits_per_byte", "tokens"}}.
absl::StatusOr<Json> EvaluateEach(Model& model,
                                  const std::vector<std::pair<std::string, const ShardSet*>>& sets_by_name,
                                  const Tokenizer& tokenizer, uint64_t tokens, int64_t length, bool overlap,
                                  RunContext& context, Communicator* ranks);

// The same of the model in `directory` (a model directory whose weights were computed in `compute`, "bf16" or "f32"),
// on each of `sets`, with overlap. Memory: the model, for 8 sequences of `length`.
absl::StatusOr<std::vector<Evaluation>> EvaluateDirectory(const std::string& directory, const std::string& compute,
                                                          const std::vector<const ShardSet*>& sets,
                                                          const Tokenizer& tokenizer, uint64_t tokens, int64_t length,
                                                          RunContext& context);

// Continues `prompt` by up to `count` tokens drawn at temperature 0.8 from the 40 likeliest, from `seed`; stops at
// end-of-text. For samples on the way: each token costs a pass over the whole text.
absl::StatusOr<std::string> Sample(Model& model, const Tokenizer& tokenizer, const std::string& prompt, int64_t count,
                                   uint64_t seed);

}  // namespace rhodes

#endif  // RHODES_TRAIN_EVALUATE_H_
