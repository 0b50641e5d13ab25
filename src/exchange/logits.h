// The logits of a token sequence: what a model says of each next token, for comparing it with others.
#ifndef RHODES_EXCHANGE_LOGITS_H_
#define RHODES_EXCHANGE_LOGITS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "model/model.h"
#include "token/tokenizer.h"

namespace rhodes {

// "1 2 3" (or with commas) as ids. UsageError naming the first part that is no id.
absl::StatusOr<std::vector<TokenId>> ParseTokenIds(std::string_view text);

struct TokenLogits {
  int64_t vocabulary = 0;
  std::vector<TokenId> tokens;
  std::vector<float> values;  // [T, V] after each of the T tokens, or [V] after the last one

  // Position of the token that the first row comes after.
  size_t first_position() const { return tokens.size() - values.size() / static_cast<size_t>(vocabulary); }
};

struct LogitsOptions {
  ComputeType compute = ComputeType::kF32;
  int threads = 1;
  bool last_only = false;
};

// Of the model at `path` (model/open_model.h), with the mathematics that it is trained with: every architecture, no
// cache. All tokens are one sequence. UsageError for no tokens, more than the model's context, and an id that is not
// below its vocabulary; RESOURCE_EXHAUSTED when the weights do not fit the memory.
absl::StatusOr<TokenLogits> ComputeLogits(const std::string& path, const std::vector<TokenId>& tokens,
                                          const LogitsOptions& options);

// {"model", "vocabulary_size", "tokens", "positions": [0, 1, ...], "logits": [[V numbers], ...]}
Json LogitsToJson(const std::string& model, const TokenLogits& logits);
// A line a position: its token and the `count` likeliest next ones with their logits.
std::string FormatLogits(const TokenLogits& logits, size_t count);

}  // namespace rhodes

#endif  // RHODES_EXCHANGE_LOGITS_H_
