#include "value/arm_data.h"

#include <algorithm>
#include <memory>

#include "base/file.h"
#include "record/document_table.h"
#include "store/id_set.h"
#include "token/bpe_trainer.h"
#include "token/shard_writer.h"
#include "token/tokenizer.h"
#include "token/tokenizer_file.h"

namespace rhodes {
namespace {

// No text needs more: a token that stands for more bytes on average would come from one text repeated.
constexpr uint64_t kBytesPerToken = 8;

class DataMaker {
 public:
  DataMaker(const CompareOptions& options, std::string directory, RunContext& context)
      : options_(options), directory_(std::move(directory)), context_(context) {}

  absl::StatusOr<Json> Run() {
    ASSIGN_OR_RETURN(held_out_,
                     HoldOut::Open(options_.out, options_.settings.held_out, directory_ + "/spill", context_));
    const std::vector<CompareArm> arms = ArmsOf(options_.settings, held_out_->sources());
    Json data = {{"key", options_.key}, {"boundary", held_out_->boundary()}, {"counts", held_out_->counts()}};
    context_.progress->Begin("compare: texts", 2 * arms.size() + held_out_->sources().size() + 1, "selections");
    std::vector<Json> described;
    for (const CompareArm& arm : arms) {
      ASSIGN_OR_RETURN(Json json, WriteTexts(arm));
      described.push_back(std::move(json));
    }
    RETURN_IF_ERROR(MakeTokenizer(arms));
    data["vocabulary"] = tokenizer_->vocabulary_size();
    data["arms"] = Json::array();
    for (size_t i = 0; i < arms.size(); ++i) {
      RETURN_IF_ERROR(WriteArm(arms[i], described[i]));
      data["arms"].push_back(std::move(described[i]));
    }
    ASSIGN_OR_RETURN(data["sets"], WriteSets());
    context_.progress->End();
    held_out_.reset();
    for (const char* temporary : {"/spill", "/texts"}) RETURN_IF_ERROR(RemoveTree(directory_ + temporary));
    RETURN_IF_ERROR(WriteFileAtomically(directory_ + "/data.json", DumpJson(data, 2) + "\n"));
    return data;
  }

 private:
  std::string Texts(const CompareArm& arm) const { return directory_ + "/texts/" + arm.name; }

  // The texts of an arm wait on disk for the tokenizer, which is trained on those of all arms.
  absl::StatusOr<Json> WriteTexts(const CompareArm& arm) {
    RETURN_IF_ERROR(CreateDirectories(Texts(arm)));
    ASSIGN_OR_RETURN(const std::unique_ptr<DocumentWriter> writer, DocumentWriter::Create(Texts(arm)));
    const uint64_t most = static_cast<uint64_t>(options_.settings.tokens) * kBytesPerToken;
    ASSIGN_OR_RETURN(const SelectionCounts counts,
                     held_out_->Select(arm.texts, TextPart::kTrain, most, [&](SelectedText selected) {
                       Document document;
                       document.id = std::move(selected.id);
                       document.text = std::move(selected.text);
                       return writer->Append(document);
                     }));
    RETURN_IF_ERROR(writer->Finish());
    context_.progress->Update(++done_, arm.name);
    return Json{{"name", arm.name},      {"texts", ToJson(arm.texts)},      {"documents", counts.texts},
                {"bytes", counts.bytes}, {"duplicates", counts.duplicates}, {"empty", counts.empty}};
  }

  absl::Status ForEachText(const CompareArm& arm, const std::function<absl::Status(const Document&)>& take) const {
    ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(Texts(arm)));
    if (files.empty()) return absl::OkStatus();  // an arm without texts
    ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::Open({Texts(arm)}));
    std::vector<Document> batch;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, reader->Next(batch));
      for (const Document& document : batch) RETURN_IF_ERROR(take(document));
      if (!more) return absl::OkStatus();
    }
  }

  // A text that several arms have counts once.
  absl::Status MakeTokenizer(const std::vector<CompareArm>& arms) {
    BpeTrainerOptions trainer;
    trainer.vocabulary_size = options_.settings.vocabulary;
    IdSet seen;
    size_t next = 0;
    const auto next_arm = [&]() -> absl::StatusOr<std::unique_ptr<TextPiece>> {
      if (next == arms.size()) return nullptr;
      std::vector<std::string> texts;
      const absl::Status read = ForEachText(arms[next++], [&](const Document& document) {
        if (seen.Insert(KeyOfId(document.id))) texts.push_back(document.text);
        return absl::OkStatus();
      });
      if (!read.ok()) return read;
      return std::make_unique<TextsPiece>(std::move(texts));
    };
    ASSIGN_OR_RETURN(const BpeTraining training, TrainBpe(trainer, next_arm, context_));
    const std::string json = WriteTokenizerFile(training.spec);
    RETURN_IF_ERROR(WriteFileAtomically(directory_ + "/tokenizer.json", json));
    ASSIGN_OR_RETURN(tokenizer_, Tokenizer::Parse(json, "the tokenizer of the comparison"));
    return absl::OkStatus();
  }

  // Encodes a text and appends it; its place among the ids is its row.
  absl::Status Append(const std::string& id, const std::string& text, ShardWriter& writer, std::string& ids) {
    tokens_.clear();
    tokenizer_->Encode(text, tokens_);
    tokens_.push_back(tokenizer_->end_of_text());
    stored_.clear();
    StoreTokens(tokens_, WidthFor(tokenizer_->vocabulary_size()), stored_);
    ids += id + "\n";
    return writer.Append(stored_, writer.documents(), text.size());
  }

  absl::Status WriteArm(const CompareArm& arm, Json& described) {
    const std::string shards = directory_ + "/arms/" + arm.name;
    RETURN_IF_ERROR(CreateDirectories(shards));
    const uint64_t rows = std::max<uint64_t>(1, described["documents"].get<uint64_t>());
    ShardWriter writer(shards, "train", WidthFor(tokenizer_->vocabulary_size()), rows);
    std::string ids;
    const uint64_t budget = static_cast<uint64_t>(options_.settings.tokens);
    const auto append = [&](const Document& document) -> absl::Status {
      if (writer.tokens() >= budget) return absl::OkStatus();  // no run would read further
      RETURN_IF_ERROR(context_.CheckCancelled());
      return Append(document.id, document.text, writer, ids);
    };
    RETURN_IF_ERROR(ForEachText(arm, append));
    RETURN_IF_ERROR(writer.Finish());
    RETURN_IF_ERROR(WriteFileAtomically(shards + ".ids", ids));
    described["documents_used"] = writer.documents();
    described["tokens"] = writer.tokens();
    const uint64_t window = static_cast<uint64_t>(options_.settings.context) + 1;
    if (writer.tokens() < window) {
      described["skipped"] = fmt::format("{} tokens are fewer than one window of {}", writer.tokens(), window);
    }
    context_.progress->Update(++done_, arm.name);
    return absl::OkStatus();
  }

  absl::StatusOr<Json> WriteSets() {
    Json sets = Json::array();
    RETURN_IF_ERROR(WriteSet("fused", {{}, {"*"}, ""}, sets));
    for (const std::string& source : held_out_->sources()) {
      // A source may be called like the set of all documents.
      RETURN_IF_ERROR(
          WriteSet(source == "fused" || source == "all" ? "source-" + source : source, {{source}, {}, ""}, sets));
    }
    return sets;
  }

  absl::Status WriteSet(const std::string& name, const TextSelection& selection, Json& sets) {
    const std::string shards = directory_ + "/sets/" + name;
    RETURN_IF_ERROR(CreateDirectories(shards));
    std::string ids;
    std::vector<SelectedText> texts;
    ASSIGN_OR_RETURN(const SelectionCounts counts,
                     held_out_->Select(selection, TextPart::kHeldOut, options_.settings.eval_tokens * kBytesPerToken,
                                       [&](SelectedText selected) {
                                         texts.push_back(std::move(selected));
                                         return absl::OkStatus();
                                       }));
    context_.progress->Update(++done_, name);
    if (texts.empty()) return absl::OkStatus();
    ShardWriter writer(shards, "validation", WidthFor(tokenizer_->vocabulary_size()), texts.size());
    uint64_t bytes = 0;
    for (const SelectedText& text : texts) {
      if (writer.tokens() >= options_.settings.eval_tokens) break;
      RETURN_IF_ERROR(Append(text.id, text.text, writer, ids));
      bytes += text.text.size();
    }
    RETURN_IF_ERROR(writer.Finish());
    RETURN_IF_ERROR(WriteFileAtomically(shards + ".ids", ids));
    sets.push_back({{"name", name},
                    {"documents", counts.texts},
                    {"documents_used", writer.documents()},
                    {"tokens", writer.tokens()},
                    {"bytes", bytes}});
    return absl::OkStatus();
  }

  const CompareOptions& options_;
  const std::string directory_;
  RunContext& context_;
  std::unique_ptr<HoldOut> held_out_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::vector<TokenId> tokens_;
  std::vector<uint8_t> stored_;
  uint64_t done_ = 0;
};

}  // namespace

std::vector<CompareArm> ArmsOf(const CompareSettings& settings, const std::vector<std::string>& sources) {
  if (!settings.arms.empty()) return settings.arms;
  std::vector<CompareArm> arms;
  for (const std::string& source : sources) {
    arms.push_back({source == "fused" || source == "unfused" ? "source-" + source : source, {{source}, {}, ""}});
  }
  arms.push_back({"unfused", {{"*"}, {}, ""}});
  arms.push_back({"fused", {{}, {"*"}, ""}});
  return arms;
}

absl::StatusOr<Json> MakeArmData(const CompareOptions& options, const std::string& directory, RunContext& context) {
  absl::StatusOr<Json> made = ReadJsonFile(directory + "/data.json");
  if (made.ok() && made->value("key", "") == options.key) return made;
  RETURN_IF_ERROR(RemoveTree(directory));
  RETURN_IF_ERROR(CreateDirectories(directory));
  return DataMaker(options, directory, context).Run();
}

}  // namespace rhodes
