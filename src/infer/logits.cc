#include "infer/logits.h"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace rhodes {

absl::StatusOr<std::vector<TokenId>> ParseTokenIds(std::string_view text) {
  std::vector<TokenId> ids;
  constexpr std::string_view kBetween = " ,\t\r\n";
  for (size_t at = text.find_first_not_of(kBetween); at != std::string_view::npos;
       at = text.find_first_not_of(kBetween, at)) {
    const size_t end = std::min(text.find_first_of(kBetween, at), text.size());
    TokenId id = 0;
    const auto [stopped, error] = std::from_chars(text.data() + at, text.data() + end, id);
    if (error != std::errc() || stopped != text.data() + end) {
      return UsageError(fmt::format("tokens: \"{}\" is no token id", text.substr(at, end - at)));
    }
    ids.push_back(id);
    at = end;
  }
  return ids;
}

absl::StatusOr<std::vector<float>> TokenLogits(Decoder& decoder, const std::vector<TokenId>& tokens, bool last_only,
                                               const RunContext& context) {
  const int64_t count = static_cast<int64_t>(tokens.size());
  const int64_t vocabulary = decoder.config().vocabulary_size;
  if (count == 0) return UsageError("tokens: none given");
  if (count > decoder.config().max_positions) {
    return UsageError(
        fmt::format("tokens: {} given, and the model's context is {}", count, decoder.config().max_positions));
  }
  for (const TokenId id : tokens) {
    if (id >= vocabulary)
      return UsageError(fmt::format("tokens: {} is not below the vocabulary of {}", id, vocabulary));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<SequenceCache> cache, decoder.NewCache(count));
  std::vector<float> logits(static_cast<size_t>((last_only ? 1 : count) * vocabulary));
  for (int64_t begin = 0; begin < count; begin += Decoder::kMaxPrefill) {
    RETURN_IF_ERROR(context.CheckCancelled());
    const int64_t rows = std::min(Decoder::kMaxPrefill, count - begin);
    std::span<float> out;
    if (!last_only) {
      out = std::span(logits).subspan(static_cast<size_t>(begin * vocabulary), static_cast<size_t>(rows * vocabulary));
    } else if (begin + rows == count) {
      out = logits;
    }
    RETURN_IF_ERROR(
        decoder.Prefill(*cache, std::span(tokens).subspan(static_cast<size_t>(begin), static_cast<size_t>(rows)), out));
  }
  return logits;
}

namespace {

// The rows of `logits` are those after the last of `tokens`: the position of the first one.
size_t FirstPosition(const std::vector<TokenId>& tokens, const std::vector<float>& logits, int64_t vocabulary) {
  return tokens.size() - logits.size() / static_cast<size_t>(vocabulary);
}

}  // namespace

Json LogitsToJson(const std::string& model, const std::vector<TokenId>& tokens, const std::vector<float>& logits,
                  int64_t vocabulary) {
  Json positions = Json::array();
  Json rows = Json::array();
  const size_t first = FirstPosition(tokens, logits, vocabulary);
  for (size_t position = first; position < tokens.size(); ++position) {
    const auto begin = logits.begin() + static_cast<int64_t>(position - first) * vocabulary;
    positions.push_back(position);
    rows.push_back(std::vector<float>(begin, begin + vocabulary));
  }
  return Json{{"model", model},
              {"vocabulary_size", vocabulary},
              {"tokens", tokens},
              {"positions", std::move(positions)},
              {"logits", std::move(rows)}};
}

std::string FormatLogits(const std::vector<TokenId>& tokens, const std::vector<float>& logits, int64_t vocabulary,
                         size_t count) {
  std::string out = fmt::format("{:>8} {:>8}  likeliest next: token logit\n", "position", "token");
  const size_t first = FirstPosition(tokens, logits, vocabulary);
  std::vector<TokenId> order(static_cast<size_t>(vocabulary));
  const size_t shown = std::min(count, order.size());
  for (size_t position = first; position < tokens.size(); ++position) {
    const float* row = logits.data() + (position - first) * static_cast<size_t>(vocabulary);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + static_cast<int64_t>(shown), order.end(),
                      [&](TokenId a, TokenId b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
    out += fmt::format("{:>8} {:>8} ", position, tokens[position]);
    for (size_t i = 0; i < shown; ++i)
      out += fmt::format(" {} {:.4f}{}", order[i], row[order[i]], i + 1 < shown ? "," : "");
    out += "\n";
  }
  return out;
}

}  // namespace rhodes
