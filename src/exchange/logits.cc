#include "exchange/logits.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "model/open_model.h"

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

absl::StatusOr<TokenLogits> ComputeLogits(const std::string& path, const std::vector<TokenId>& tokens,
                                          const LogitsOptions& options) {
  ASSIGN_OR_RETURN(const OpenedModel opened, OpenModel(path));
  const ModelConfig& config = opened.config;
  const int64_t count = static_cast<int64_t>(tokens.size());
  if (count == 0) return UsageError("tokens: none given");
  if (count > config.max_positions) {
    return UsageError(fmt::format("tokens: {} given, and the model's context is {}", count, config.max_positions));
  }
  for (const TokenId id : tokens) {
    if (id < config.vocabulary_size) continue;
    return UsageError(fmt::format("tokens: {} is not below the vocabulary of {}", id, config.vocabulary_size));
  }
  ModelOptions model_options;
  model_options.compute = options.compute;
  model_options.threads = options.threads;
  model_options.max_context = count;
  ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, Model::Create(config, model_options));
  RETURN_IF_ERROR(ReadWeights(ReaderOf(*opened.weights), *model));
  TokenLogits logits;
  logits.vocabulary = config.vocabulary_size;
  logits.tokens = tokens;
  logits.values.resize(static_cast<size_t>((options.last_only ? 1 : count) * config.vocabulary_size));
  TokenBatch batch;
  batch.sequences = 1;
  batch.length = count;
  batch.tokens = tokens;
  RETURN_IF_ERROR(model->Logits(batch, options.last_only, logits.values));
  return logits;
}

Json LogitsToJson(const std::string& model, const TokenLogits& logits) {
  Json positions = Json::array();
  Json rows = Json::array();
  for (size_t position = logits.first_position(); position < logits.tokens.size(); ++position) {
    const auto begin =
        logits.values.begin() + static_cast<int64_t>(position - logits.first_position()) * logits.vocabulary;
    positions.push_back(position);
    rows.push_back(std::vector<float>(begin, begin + logits.vocabulary));
  }
  return Json{{"model", model},
              {"vocabulary_size", logits.vocabulary},
              {"tokens", logits.tokens},
              {"positions", std::move(positions)},
              {"logits", std::move(rows)}};
}

std::string FormatLogits(const TokenLogits& logits, size_t count) {
  std::string out = fmt::format("{:>8} {:>8}  likeliest next: token logit\n", "position", "token");
  std::vector<TokenId> order(static_cast<size_t>(logits.vocabulary));
  const size_t shown = std::min(count, order.size());
  const size_t first = logits.first_position();
  for (size_t position = first; position < logits.tokens.size(); ++position) {
    const float* row = logits.values.data() + (position - first) * static_cast<size_t>(logits.vocabulary);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + static_cast<int64_t>(shown), order.end(),
                      [&](TokenId a, TokenId b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
    out += fmt::format("{:>8} {:>8} ", position, logits.tokens[position]);
    for (size_t i = 0; i < shown; ++i) {
      out += fmt::format(" {} {:.4f}{}", order[i], row[order[i]], i + 1 < shown ? "," : "");
    }
    out += "\n";
  }
  return out;
}

}  // namespace rhodes
