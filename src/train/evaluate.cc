#include "train/evaluate.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <vector>

#include "train/communicator.h"
#include "train/export.h"

namespace rhodes {
namespace {

constexpr int64_t kEvaluationBatch = 8;
constexpr double kTemperature = 0.8;
constexpr size_t kCandidates = 40;
constexpr int64_t kSampleGrain = 64;  // texts are padded to a multiple, so that few shapes of products are made

int64_t ContextOf(const Model& model) {
  return model.options().max_context > 0 ? model.options().max_context : model.config().max_positions;
}

// One of the likeliest tokens. `unit` is uniform in [0, 1).
uint32_t Draw(std::span<const float> logits, double unit) {
  std::vector<uint32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0u);
  const size_t count = std::min(kCandidates, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<int64_t>(count), order.end(),
                    [&](uint32_t a, uint32_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });
  std::vector<double> weights(count);
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += weights[i] = std::exp((logits[order[i]] - logits[order[0]]) / kTemperature);
  double left = unit * sum;
  for (size_t i = 0; i < count; ++i) {
    left -= weights[i];
    if (left < 0) return order[i];
  }
  return order[count - 1];
}

}  // namespace

absl::StatusOr<Evaluation> Evaluate(Model& model, const ShardSet& shards, const Tokenizer& tokenizer, uint64_t tokens,
                                    int64_t length, bool overlap, RunContext& context, Communicator* ranks) {
  const uint64_t total = shards.token_count();
  const uint64_t wanted = tokens == 0 ? total : std::min(tokens, total);
  if (wanted == 0) return absl::InvalidArgumentError("evaluate: the validation split is empty");
  // text[0] is the end-of-text token that stands before the split; text[i + 1] is its i-th token.
  std::vector<uint32_t> text(wanted + 1);
  text[0] = tokenizer.end_of_text();
  shards.Read(0, std::span(text).subspan(1));

  const uint64_t size = static_cast<uint64_t>(length);
  const uint64_t stride = overlap ? std::max<uint64_t>(1, size / 2) : size;
  const int64_t batch = model.options().max_sequences;
  std::vector<uint32_t> inputs(batch * length), targets(batch * length);
  std::vector<int32_t> starts(batch * length);
  std::vector<float> losses(batch * length);
  double nats = 0;
  // Window w covers inputs [w·stride, w·stride + size); what lies beyond the end is padding and does not count.
  const uint64_t windows = wanted <= size ? 1 : 1 + (wanted - size + stride - 1) / stride;
  const uint64_t rank = ranks == nullptr ? 0 : static_cast<uint64_t>(ranks->rank());
  const uint64_t rank_count = ranks == nullptr ? 1 : static_cast<uint64_t>(ranks->size());
  const uint64_t from_window = windows * rank / rank_count, to_window = windows * (rank + 1) / rank_count;
  for (uint64_t first = from_window; first < to_window; first += static_cast<uint64_t>(batch)) {
    if (rank_count == 1) RETURN_IF_ERROR(context.CheckCancelled());  // several look between steps, together
    const int64_t count = static_cast<int64_t>(std::min<uint64_t>(static_cast<uint64_t>(batch), to_window - first));
    for (int64_t i = 0; i < count * length; ++i) {
      const uint64_t at = (first + static_cast<uint64_t>(i / length)) * stride + static_cast<uint64_t>(i % length);
      inputs[i] = at < wanted ? text[at] : tokenizer.end_of_text();
      targets[i] = at < wanted ? text[at + 1] : tokenizer.end_of_text();
    }
    const size_t used = static_cast<size_t>(count * length);
    DocumentStarts(std::span(inputs).first(used), length, tokenizer.end_of_text(), std::span(starts).first(used));
    const TokenBatch view{count, length, std::span(inputs).first(used), std::span(targets).first(used),
                          std::span(starts).first(used)};
    RETURN_IF_ERROR(model.Losses(view, losses));
    for (int64_t s = 0; s < count; ++s) {
      const uint64_t window = first + static_cast<uint64_t>(s);
      const int64_t from = window == 0 ? 0 : length - static_cast<int64_t>(stride);
      for (int64_t t = from; t < length; ++t) {
        if (window * stride + static_cast<uint64_t>(t) < wanted) nats += losses[s * length + t];
      }
    }
  }
  if (ranks != nullptr) RETURN_IF_ERROR(ranks->Sum({&nats, 1}));
  Evaluation result;
  result.tokens = wanted;
  if (wanted == total) {
    result.bytes = shards.text_bytes();
  } else {
    for (uint64_t i = 1; i <= wanted; ++i) {
      if (text[i] != tokenizer.end_of_text()) result.bytes += tokenizer.TokenBytes(text[i]).size();
    }
  }
  result.loss = nats / static_cast<double>(wanted);
  result.bits_per_byte = nats / std::numbers::ln2 / static_cast<double>(std::max<uint64_t>(1, result.bytes));
  return result;
}

absl::StatusOr<Json> EvaluateEach(Model& model,
                                  const std::vector<std::pair<std::string, const ShardSet*>>& sets_by_name,
                                  const Tokenizer& tokenizer, uint64_t tokens, int64_t length, bool overlap,
                                  RunContext& context, Communicator* ranks) {
  Json by_name = Json::object();
  for (const auto& [name, shards] : sets_by_name) {
    ASSIGN_OR_RETURN(const Evaluation e, Evaluate(model, *shards, tokenizer, tokens, length, overlap, context, ranks));
    by_name[name] = {{"loss", e.loss}, {"bits_per_byte", e.bits_per_byte}, {"tokens", e.tokens}};
  }
  return by_name;
}

absl::StatusOr<std::vector<Evaluation>> EvaluateDirectory(const std::string& directory, const std::string& compute,
                                                          const std::vector<const ShardSet*>& sets,
                                                          const Tokenizer& tokenizer, uint64_t tokens, int64_t length,
                                                          RunContext& context) {
  ASSIGN_OR_RETURN(const ModelConfig config, ModelConfig::Load(directory + "/config.json"));
  ModelOptions options;
  options.compute = compute == "bf16" ? ComputeType::kBf16 : ComputeType::kF32;
  options.threads = context.Threads();
  options.max_sequences = kEvaluationBatch;
  options.max_context = length;
  ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, Model::Create(config, options));
  RETURN_IF_ERROR(LoadWeights(directory, *model));
  std::vector<Evaluation> results;
  for (const ShardSet* set : sets) {
    ASSIGN_OR_RETURN(results.emplace_back(), Evaluate(*model, *set, tokenizer, tokens, length, true, context));
  }
  return results;
}

absl::StatusOr<std::string> Sample(Model& model, const Tokenizer& tokenizer, const std::string& prompt, int64_t count,
                                   uint64_t seed) {
  const int64_t grain = std::min(kSampleGrain, ContextOf(model));
  const int64_t limit = ContextOf(model) / grain * grain;
  std::vector<uint32_t> text = {tokenizer.end_of_text()};
  tokenizer.Encode(prompt, text);
  const size_t given = text.size();
  std::mt19937_64 random(seed);
  std::vector<float> logits;
  const size_t classes = static_cast<size_t>(model.config().vocabulary_size);
  while (static_cast<int64_t>(text.size() - given) < count && static_cast<int64_t>(text.size()) <= limit) {
    const size_t length =
        (text.size() + static_cast<size_t>(grain) - 1) / static_cast<size_t>(grain) * static_cast<size_t>(grain);
    std::vector<uint32_t> padded = text;
    padded.resize(length, tokenizer.end_of_text());
    logits.resize(length * classes);
    const TokenBatch view{1, static_cast<int64_t>(length), padded, {}, {}};
    RETURN_IF_ERROR(model.Logits(view, false, logits));
    const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
    const uint32_t next = Draw(std::span(logits).subspan((text.size() - 1) * classes, classes), unit);
    if (next == tokenizer.end_of_text()) break;
    text.push_back(next);
  }
  return tokenizer.Decode({text.begin() + 1, text.end()});
}

}  // namespace rhodes
