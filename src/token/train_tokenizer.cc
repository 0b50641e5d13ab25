#include "token/train_tokenizer.h"

#include <memory>

#include "base/hash.h"
#include "token/bpe_trainer.h"
#include "token/tokenizer_file.h"

namespace rhodes {
namespace {

// Texts of several groups together.
class UseSum {
 public:
  void Add(const GroupUse& group) {
    sum_.documents += group.texts;
    sum_.bytes += group.bytes;
    sum_.words += group.words;
    sum_.tokens += group.tokens;
    sum_.word_bytes += group.word_bytes;
    sum_.whole_words += group.whole_words;
    sum_.characters += group.characters;
    sum_.whole_characters += group.whole_characters;
    weighted_ += group.weight * static_cast<double>(group.bytes);
    if (seen_.size() < group.seen.size()) seen_.resize(group.seen.size());
    for (size_t token = 0; token < group.seen.size(); ++token) {
      if (group.seen[token]) seen_[token] = true;
    }
  }
  TextUse Use() const {
    TextUse use = sum_;
    for (const bool seen : seen_) use.vocabulary += seen ? 1 : 0;
    if (use.bytes > 0) use.weight = weighted_ / static_cast<double>(use.bytes);
    return use;
  }

 private:
  TextUse sum_;
  double weighted_ = 0;
  std::vector<bool> seen_;
};

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json UseJson(const TextUse& use, uint32_t vocabulary_size) {
  return {{"documents", use.documents},
          {"bytes", use.bytes},
          {"words", use.words},
          {"tokens", use.tokens},
          {"characters", use.characters},
          {"weight", use.weight},
          {"bytes_per_token", Ratio(use.word_bytes, use.tokens)},
          {"tokens_per_word", Ratio(use.tokens, use.words)},
          {"whole_words", Ratio(use.whole_words, use.words)},
          {"whole_characters", Ratio(use.whole_characters, use.characters)},
          {"vocabulary_used", Ratio(use.vocabulary, vocabulary_size)}};
}

Json UsesJson(const std::map<std::string, TextUse>& uses, uint32_t vocabulary_size) {
  Json json = Json::object();
  for (const auto& [name, use] : uses) json[name] = UseJson(use, vocabulary_size);
  return json;
}

void Summarise(const std::vector<GroupUse>& groups, TokenizerTraining& result) {
  UseSum all;
  std::map<std::string, UseSum> by_source;
  std::map<std::string, UseSum> by_language;
  for (const GroupUse& group : groups) {
    for (UseSum* sum : {&all, &by_source[group.name.source], &by_language[group.name.language]}) sum->Add(group);
  }
  result.all = all.Use();
  for (const auto& [name, sum] : by_source) result.by_source[name] = sum.Use();
  for (const auto& [name, sum] : by_language) result.by_language[name] = sum.Use();
}

}  // namespace

Json ToJson(const TokenizerTraining& training) {
  Json json = UseJson(training.all, training.vocabulary_size);
  json["vocabulary_size"] = training.vocabulary_size;
  json["merges"] = training.merges;
  json["different_words"] = training.different_words;
  json["words_forgotten"] = training.words_forgotten;
  json["by_source"] = UsesJson(training.by_source, training.vocabulary_size);
  json["by_language"] = UsesJson(training.by_language, training.vocabulary_size);
  json["counting_seconds"] = training.counting_seconds;
  json["merging_seconds"] = training.merging_seconds;
  return json;
}

absl::StatusOr<TokenizerTraining> TrainTokenizer(const TrainTokenizerOptions& options, RunContext& context) {
  BpeTrainerOptions trainer;
  trainer.vocabulary_size = options.vocabulary_size;
  ASSIGN_OR_RETURN(trainer.pattern, PatternFromName(options.pattern));
  trainer.special = options.special;
  trainer.min_frequency = options.min_frequency;
  if (!options.weights.none()) {
    trainer.weights = [&options](const std::vector<TextGroup>& groups, const std::vector<uint64_t>& bytes) {
      return GroupWeights(options.weights, groups, bytes);
    };
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<TextInput> input, TextInput::Open(options.input));
  if (!options.state.empty() && !input->identity().empty()) {
    trainer.folder = options.state;
    trainer.key = ContentId({input->identity(), PatternName(trainer.pattern)});
    trainer.save_seconds = options.save_seconds;
  }

  context.progress->Begin("tokenizer", input->total_bytes(), "bytes");
  ASSIGN_OR_RETURN(const BpeTraining training, TrainBpe(
                                                   trainer,
                                                   [&] {
                                                     context.progress->Update(input->read_bytes(), "counting words");
                                                     return input->Next();
                                                   },
                                                   context));
  context.progress->End();

  TokenizerTraining result;
  result.tokenizer_json = WriteTokenizerFile(training.spec);
  result.vocabulary_size = training.spec.tokens.size();
  result.merges = training.spec.merges.size();
  result.different_words = training.words;
  result.words_forgotten = training.words_forgotten;
  result.counting_seconds = training.counting_seconds;
  result.merging_seconds = training.merging_seconds;
  Summarise(training.groups, result);
  return result;
}

}  // namespace rhodes
