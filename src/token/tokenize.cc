#include "token/tokenize.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "base/parallel.h"
#include "record/document_table.h"
#include "token/bpe_trainer.h"
#include "token/shard_writer.h"
#include "token/tokenizer.h"
#include "token/tokenizer_file.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
double SecondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// Seeds that keep the two uses of hashes apart.
constexpr uint64_t kSplitSeed = 0x73706c6974;  // "split"

// One batch of documents, encoded.
struct EncodedBatch {
  struct Item {
    uint64_t id_hash = 0;
    uint32_t text_bytes = 0;
    uint64_t tokens = 0;
    std::string sources;  // joined by '+'
    std::string language;
  };
  std::vector<Item> items;
  std::vector<uint8_t> tokens;  // as they are stored
};

// Where a document waits in the temporary file.
struct Waiting {
  uint64_t offset = 0;
  uint64_t id_hash = 0;
  uint32_t bytes = 0;  // of its tokens
  uint32_t text_bytes = 0;
};

std::string Joined(const std::vector<std::string>& sources) {
  std::string joined;
  for (const std::string& source : sources) joined += (joined.empty() ? "" : "+") + source;
  return joined;
}

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
    const std::string waiting_path = staged.path() + "/tokens.tmp";
    RETURN_IF_ERROR(EncodeAll(waiting_path));
    RETURN_IF_ERROR(WriteShards(staged.path(), waiting_path));
    RETURN_IF_ERROR(RemoveTree(waiting_path));
    report_.encoding_seconds = SecondsSince(encoding);
    report_.seconds = SecondsSince(begun);
    Json counts = ToJson(report_);
    for (const char* timing : {"training_seconds", "encoding_seconds", "seconds"}) counts.erase(timing);
    RETURN_IF_ERROR(
        WriteManifest(staged.path(), {"tokenize", options_.key, options_.settings, counts, report_.seconds, {}}));
    // The tokenizer first: killed between the two, the stage runs again and writes the same tokenizer.
    if (!options_.out.empty()) {
      RETURN_IF_ERROR(WriteFileAtomically(options_.out + "/tokenizer.json", tokenizer_json));
    }
    RETURN_IF_ERROR(staged.Commit());
    return report_;
  }

 private:
  std::string ShardsDirectory() const { return options_.shards.empty() ? options_.out + "/shards" : options_.shards; }

  absl::StatusOr<std::string> TokenizerJson() {
    if (!options_.tokenizer.empty()) return ReadFile(options_.tokenizer);
    ASSIGN_OR_RETURN(const Pattern pattern, PatternFromName(options_.pattern));
    ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::Open(options_.inputs));
    context_.progress->Begin("tokenizer", reader->row_count(), "documents");
    BpeTrainerOptions trainer;
    trainer.vocabulary_size = options_.vocabulary_size;
    trainer.pattern = pattern;
    uint64_t done = 0;
    ASSIGN_OR_RETURN(const BpeTraining training, TrainBpe(
                                                     trainer,
                                                     [&](std::vector<std::string>& texts) -> absl::StatusOr<bool> {
                                                       std::vector<Document> batch;
                                                       ASSIGN_OR_RETURN(const bool more, reader->Next(batch));
                                                       for (Document& document : batch)
                                                         texts.push_back(std::move(document.text));
                                                       context_.progress->Update(done += batch.size(),
                                                                                 "counting words");
                                                       return more;
                                                     },
                                                     context_));
    context_.progress->End();
    return WriteTokenizerFile(training.spec);
  }

  absl::Status EncodeAll(const std::string& waiting_path) {
    ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::Open(options_.inputs));
    std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(waiting_path.c_str(), "wbe"), &fclose);
    if (file == nullptr) return ErrnoError(errno, "create", waiting_path);
    context_.progress->Begin("tokenize", reader->row_count(), "documents");
    uint64_t offset = 0;
    const absl::Status encoded = OrderedPipeline<std::vector<Document>, EncodedBatch>(
        context_.Threads(), 2 * static_cast<size_t>(context_.Threads()),
        [&]() -> absl::StatusOr<std::optional<std::vector<Document>>> {
          RETURN_IF_ERROR(context_.CheckCancelled());
          std::vector<Document> batch;
          ASSIGN_OR_RETURN(const bool more, reader->Next(batch));
          if (!more) return std::optional<std::vector<Document>>();
          return std::optional<std::vector<Document>>(std::move(batch));
        },
        [&](std::vector<Document> batch) { return EncodeBatch(batch); },
        [&](EncodedBatch batch) -> absl::Status {
          if (fwrite(batch.tokens.data(), 1, batch.tokens.size(), file.get()) != batch.tokens.size()) {
            return ErrnoError(errno, "write", waiting_path);
          }
          for (const EncodedBatch::Item& item : batch.items) {
            const uint64_t bytes = item.tokens * static_cast<uint64_t>(width_);
            if (bytes > UINT32_MAX)
              return absl::InvalidArgumentError(
                  fmt::format("a document of {} tokens is longer than a shard can hold", item.tokens));
            waiting_.push_back({offset, item.id_hash, static_cast<uint32_t>(bytes), item.text_bytes});
            offset += bytes;
            for (TokenizeReport::Share* share :
                 {&report_.by_source[item.sources], &report_.by_language[item.language]}) {
              ++share->documents;
              share->bytes += item.text_bytes;
              share->tokens += item.tokens;
            }
          }
          context_.progress->Update(waiting_.size(), "");
          return absl::OkStatus();
        });
    RETURN_IF_ERROR(encoded);
    context_.progress->End();
    if (fclose(file.release()) != 0) return ErrnoError(errno, "close", waiting_path);
    if (waiting_.size() < 2) {
      return absl::InvalidArgumentError(fmt::format(
          "tokenize: {} documents are too few: one is trained on and one is held out at least", waiting_.size()));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<EncodedBatch> EncodeBatch(const std::vector<Document>& batch) const {
    EncodedBatch encoded;
    std::vector<TokenId> ids;
    for (const Document& document : batch) {
      if (document.text.size() > UINT32_MAX)
        return absl::InvalidArgumentError(fmt::format("document {} is longer than 4 GiB", document.id));
      ids.clear();
      tokenizer_->Encode(document.text, ids);
      ids.push_back(tokenizer_->end_of_text());
      StoreTokens(ids, width_, encoded.tokens);
      encoded.items.push_back({Fingerprint(document.id, kSplitSeed), static_cast<uint32_t>(document.text.size()),
                               ids.size(), Joined(document.sources), document.language});
    }
    return encoded;
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

  absl::Status WriteShards(const std::string& directory, const std::string& waiting_path) {
    ASSIGN_OR_RETURN(const MappedFile tokens, MappedFile::Open(waiting_path));
    const std::vector<bool> held_out = HeldOut();
    std::vector<std::pair<uint64_t, uint64_t>> order;  // drawn number, corpus row
    order.reserve(waiting_.size());
    for (uint64_t row = 0; row < waiting_.size(); ++row) {
      order.emplace_back(Fingerprint({reinterpret_cast<const char*>(&row), sizeof(row)}, options_.seed), row);
    }
    std::sort(order.begin(), order.end());
    ShardLayoutOptions layout = {options_.shard_format,
                                 directory,
                                 "train",
                                 width_,
                                 options_.shard_tokens,
                                 options_.tokenizer.empty() ? "tokenizer.json" : options_.tokenizer};
    ASSIGN_OR_RETURN(ShardWriter train, ShardWriter::Create(layout, waiting_.size()));
    layout.split = "validation";
    ASSIGN_OR_RETURN(ShardWriter validation, ShardWriter::Create(layout, waiting_.size()));
    for (const auto& [drawn, row] : order) {
      const Waiting& document = waiting_[row];
      TokenizeReport::Share& share = held_out[row] ? report_.validation : report_.train;
      ++share.documents;
      share.bytes += document.text_bytes;
      share.tokens += document.bytes / static_cast<uint64_t>(width_);
      RETURN_IF_ERROR(
          (held_out[row] ? validation : train)
              .Append({reinterpret_cast<const uint8_t*>(tokens.bytes().data()) + document.offset, document.bytes}, row,
                      document.text_bytes));
    }
    RETURN_IF_ERROR(train.Finish());
    return validation.Finish();
  }

  const TokenizeOptions& options_;
  RunContext& context_;
  std::unique_ptr<Tokenizer> tokenizer_;
  TokenWidth width_ = TokenWidth::kUint16;
  std::vector<Waiting> waiting_;  // by corpus row
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
  return {{"vocabulary_size", report.vocabulary_size},
          {"documents", report.train.documents + report.validation.documents},
          {"tokens", report.train.tokens + report.validation.tokens},
          {"train", ShareJson(report.train)},
          {"validation", ShareJson(report.validation)},
          {"by_source", sources},
          {"by_language", languages},
          {"training_seconds", report.training_seconds},
          {"encoding_seconds", report.encoding_seconds},
          {"seconds", report.seconds}};
}

absl::StatusOr<TokenizeReport> Tokenize(const TokenizeOptions& options, RunContext& context) {
  return Stage(options, context).Run();
}

}  // namespace rhodes
