// The logits of a token sequence: what a model says of each next token, for comparing it with others.
#ifndef RHODES_INFER_LOGITS_H_
#define RHODES_INFER_LOGITS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "base/status.h"
#include "infer/decoder.h"

namespace rhodes {

// "1 2 3" (or with commas) as ids. UsageError naming the first part that is no id.
absl::StatusOr<std::vector<TokenId>> ParseTokenIds(std::string_view text);

// Logits [T, V] after each of the T `tokens`, or with `last_only` [V] after the last one. UsageError for no tokens,
// more than the model's context, and an id that is not below its vocabulary; INTERRUPTED when asked to stop.
absl::StatusOr<std::vector<float>> TokenLogits(Decoder& decoder, const std::vector<TokenId>& tokens, bool last_only,
                                               const RunContext& context);

// {"model", "vocabulary_size", "tokens", "positions": [0, 1, ...], "logits": [[V numbers], ...]}
// `logits` are those of TokenLogits, rows of `vocabulary`; of the last position alone when there is one row.
Json LogitsToJson(const std::string& model, const std::vector<TokenId>& tokens, const std::vector<float>& logits,
                  int64_t vocabulary);
// A line a position: its token and the `count` likeliest next ones with their logits.
std::string FormatLogits(const std::vector<TokenId>& tokens, const std::vector<float>& logits, int64_t vocabulary,
                         size_t count);

}  // namespace rhodes

#endif  // RHODES_INFER_LOGITS_H_
