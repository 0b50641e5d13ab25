#include "token/tokenize.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "base/file.h"
#include "base/manifest.h"
#include "token/shard_shuffle.h"
#include "token/shard_writer.h"
#include "token/tokenizer.h"
#include "token/train_tokenizer.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
double SecondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

constexpr uint64_t kMixSeed = 0x6d6978;  // "mix": keeps this use of draws apart from the order

class Stage {
 public:
  Stage(const TokenizeOptions& options, RunContext& context) : options_(options), context_(context) {}

  absl::StatusOr<TokenizeReport> Run() {
    const Clock::time_point begun = Clock::now();
    ASSIGN_OR_RETURN(const std::string tokenizer_json, TokenizerJson());
    report_.training_seconds = SecondsSince(begun);
    ASSIGN_OR_RETURN(tokenizer_, Tokenizer::Parse(tokenizer_json, options_.tokenizer.empty() ? "the trained tokenizer"
                                                                                             : options_.tokenizer));
    report_.vocabulary_size = tokenizer_->vocabulary_size();
    ASSIGN_OR_RETURN(width_, WidthFor(options_.shard_format, tokenizer_->vocabulary_size()));

    const Clock::time_point encoding = Clock::now();
    ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(ShardsDirectory()));
    const std::string scratch = staged.path() + "/tokens.tmp";
    TokenStore store(scratch, context_.memory_bytes / 2);
    RETURN_IF_ERROR(EncodeAll(store));
    report_.encoding_seconds = SecondsSince(encoding);
    const Clock::time_point writing = Clock::now();
    RETURN_IF_ERROR(WriteShards(staged.path(), store));
    RETURN_IF_ERROR(RemoveTree(scratch));
    report_.writing_seconds = SecondsSince(writing);
    report_.seconds = SecondsSince(begun);
    Json counts = ToJson(report_);
    for (const char* timing : {"training_seconds", "encoding_seconds", "writing_seconds", "seconds"})
      counts.erase(timing);
    RETURN_IF_ERROR(
        WriteManifest(staged.path(), {"tokenize", options_.key, options_.settings, counts, report_.seconds, {}}));
    // The tokenizer first: killed between the two, the stage runs again and writes the same tokenizer.
    if (!options_.out.empty()) {
      RETURN_IF_ERROR(WriteFileAtomically(options_.out + "/tokenizer.json", tokenizer_json));
    }
    const Clock::time_point committing = Clock::now();
    RETURN_IF_ERROR(staged.Commit());
    report_.writing_seconds += SecondsSince(committing);
    report_.seconds = SecondsSince(begun);
    return report_;
  }

 private:
  std::string ShardsDirectory() const { return options_.shards.empty() ? options_.out + "/shards" : options_.shards; }

  absl::StatusOr<std::string> TokenizerJson() {
    if (!options_.tokenizer.empty()) return ReadFile(options_.tokenizer);
    TrainTokenizerOptions trainer;
    trainer.input.paths = options_.inputs;
    trainer.input.format = options_.format;
    trainer.vocabulary_size = options_.vocabulary_size;
    trainer.pattern = options_.pattern;
    trainer.weights = options_.weights;
    ASSIGN_OR_RETURN(TokenizerTraining training, TrainTokenizer(trainer, context_));
    return std::move(training.tokenizer_json);
  }

  absl::Status EncodeAll(TokenStore& store) {
    TextInputOptions input;
    input.paths = options_.inputs;
    input.format = options_.format;
    ASSIGN_OR_RETURN(EncodedDocuments encoded, EncodeDocuments(input, *tokenizer_, width_, store, context_));
    waiting_ = std::move(encoded.documents);
    sources_ = std::move(encoded.sources);
    report_.by_source = std::move(encoded.by_source);
    report_.by_language = std::move(encoded.by_language);
    if (waiting_.size() < 2) {
      return absl::InvalidArgumentError(
          fmt::format("tokenize: {} documents are too few: one is trained on and one is held out at least; --format "
                      "lines makes one of "
                      "each line of a text",
                      waiting_.size()));
    }
    return store.Seal();
  }

  void Count(const WaitingDocument& document, TokenizeReport::Share& share) const {
    share.Add({1, document.text_bytes, document.bytes / static_cast<uint64_t>(width_)});
  }

  // Held out are the documents whose hash, as a fraction, is below the share; the lowest one in any case, and never
  // all.
  std::vector<bool> HeldOut() const {
    std::vector<bool> held_out(waiting_.size());
    size_t lowest = 0;
    size_t highest = 0;
    for (size_t i = 0; i < waiting_.size(); ++i) {
      held_out[i] = static_cast<double>(waiting_[i].id_hash) < options_.validation_share * 18446744073709551616.0;
      if (waiting_[i].id_hash < waiting_[lowest].id_hash) lowest = i;
      if (waiting_[i].id_hash >= waiting_[highest].id_hash) highest = i;
    }
    held_out[lowest] = true;
    held_out[highest] = false;
    return held_out;
  }

  // How often each document stands in the training split: `times` of its source, and once more when it is in `more`.
  struct Copies {
    std::vector<uint32_t> times;  // by source
    std::vector<bool> more;       // by row; empty: none
  };

  absl::StatusOr<Copies> CopiesByMix(const std::vector<bool>& held_out) {
    Copies copies = {std::vector<uint32_t>(sources_.size(), 1), {}};
    if (options_.mix.weights.empty()) return copies;
    const auto width = static_cast<uint64_t>(width_);
    report_.mix.resize(sources_.size());
    for (size_t s = 0; s < sources_.size(); ++s) report_.mix[s].name = sources_[s];
    for (size_t row = 0; row < waiting_.size(); ++row) {
      if (!held_out[row]) report_.mix[waiting_[row].source].available += waiting_[row].bytes / width;
    }
    RETURN_IF_ERROR(MixTargets(options_.mix, report_.mix));
    std::vector<uint64_t> missing(sources_.size());  // tokens, beyond the whole repetitions
    for (size_t s = 0; s < missing.size(); ++s) {
      const MixSource& source = report_.mix[s];
      copies.times[s] = source.available == 0 ? 0 : static_cast<uint32_t>(source.target / source.available);
      missing[s] = source.available == 0 ? 0 : source.target % source.available;
    }
    std::vector<DrawnDocument> candidates;
    for (size_t row = 0; row < waiting_.size(); ++row) {
      if (!held_out[row] && missing[waiting_[row].source] > 0)
        candidates.push_back(Draw(options_.seed ^ kMixSeed, row, 0));
    }
    SortByDraw(candidates, context_.Threads());
    copies.more.resize(waiting_.size());
    for (const DrawnDocument& candidate : candidates) {
      const WaitingDocument& document = waiting_[candidate.row];
      uint64_t& tokens = missing[document.source];
      if (tokens == 0) continue;
      copies.more[candidate.row] = true;
      tokens -= std::min<uint64_t>(tokens, document.bytes / width);
    }
    return copies;
  }

  absl::Status WriteSplit(const std::string& split, const ShardLayoutOptions& layout, const TokenStore& store,
                          std::vector<DrawnDocument> order) {
    ShardLayoutOptions options = layout;
    options.split = split;
    ASSIGN_OR_RETURN(ShardWriter writer, ShardWriter::Create(options, waiting_.size()));
    SortByDraw(order, context_.Threads());
    RETURN_IF_ERROR(WriteInOrder(waiting_, store, order, layout.directory + "/" + split + ".tmp",
                                 context_.memory_bytes / 4, writer, context_));
    RETURN_IF_ERROR(writer.Finish());
    report_.shard_bytes += writer.data_bytes();
    report_.lineage_bytes += writer.lineage_bytes();
    return absl::OkStatus();
  }

  absl::Status WriteShards(const std::string& directory, const TokenStore& store) {
    const std::vector<bool> held_out = HeldOut();
    ASSIGN_OR_RETURN(const Copies copies, CopiesByMix(held_out));
    std::vector<TextShare> trained(sources_.size());
    std::vector<DrawnDocument> train;
    std::vector<DrawnDocument> validation;
    for (uint64_t row = 0; row < waiting_.size(); ++row) {
      const WaitingDocument& document = waiting_[row];
      const bool more = !copies.more.empty() && copies.more[row];
      const uint32_t times = held_out[row] ? 1 : copies.times[document.source] + (more ? 1 : 0);
      for (uint32_t copy = 0; copy < times; ++copy) {
        (held_out[row] ? validation : train).push_back(Draw(options_.seed, row, copy));
        Count(document, held_out[row] ? report_.validation : report_.train);
        if (!held_out[row]) Count(document, trained[document.source]);
      }
    }
    for (size_t s = 0; s < trained.size(); ++s) {
      if (trained[s].documents > 0) report_.trained[sources_[s]] = trained[s];
    }
    const ShardLayoutOptions layout = {options_.shard_format,
                                       directory,
                                       "",
                                       width_,
                                       options_.shard_tokens,
                                       options_.tokenizer.empty() ? "tokenizer.json" : options_.tokenizer};
    RETURN_IF_ERROR(WriteSplit("train", layout, store, std::move(train)));
    return WriteSplit("validation", layout, store, std::move(validation));
  }

  const TokenizeOptions& options_;
  RunContext& context_;
  std::unique_ptr<Tokenizer> tokenizer_;
  TokenWidth width_ = TokenWidth::kUint16;
  std::vector<WaitingDocument> waiting_;  // by corpus row
  std::vector<std::string> sources_;      // by number
  TokenizeReport report_;
};

Json ShareJson(const TokenizeReport::Share& share) {
  Json json = {{"documents", share.documents}, {"bytes", share.bytes}, {"tokens", share.tokens}};
  json["bytes_per_token"] =
      share.tokens == 0 ? 0.0 : static_cast<double>(share.bytes) / static_cast<double>(share.tokens);
  return json;
}

}  // namespace

Json ToJson(const TokenizeReport& report) {
  Json sources = Json::object();
  for (const auto& [name, share] : report.by_source) sources[name] = ShareJson(share);
  Json languages = Json::object();
  for (const auto& [name, share] : report.by_language) languages[name.empty() ? "und" : name] = ShareJson(share);
  Json json = {{"vocabulary_size", report.vocabulary_size},
               {"documents", report.train.documents + report.validation.documents},
               {"tokens", report.train.tokens + report.validation.tokens},
               {"train", ShareJson(report.train)},
               {"validation", ShareJson(report.validation)},
               {"by_source", sources},
               {"by_language", languages},
               {"shard_bytes", report.shard_bytes},
               {"lineage_bytes", report.lineage_bytes},
               {"training_seconds", report.training_seconds},
               {"encoding_seconds", report.encoding_seconds},
               {"writing_seconds", report.writing_seconds},
               {"seconds", report.seconds}};
  for (const MixSource& source : report.mix) {
    const auto found = report.trained.find(source.name);
    const TokenizeReport::Share trained = found == report.trained.end() ? TokenizeReport::Share() : found->second;
    json["mix"][source.name] = {{"available", source.available},
                                {"target", source.target},
                                {"documents", trained.documents},
                                {"tokens", trained.tokens}};
  }
  return json;
}

absl::StatusOr<TokenizeReport> Tokenize(const TokenizeOptions& options, RunContext& context) {
  return Stage(options, context).Run();
}

}  // namespace rhodes
