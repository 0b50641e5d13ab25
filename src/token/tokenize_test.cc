#include "token/tokenize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "record/document_table.h"
#include "token/shard_writer.h"
#include "token/shards.h"
#include "token/tokenizer.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

class TokenizeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    out_ = ::testing::TempDir() + "rhodes_tokenize_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(out_).ok());
    ASSERT_TRUE(CreateDirectories(out_ + "/corpus").ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(out_).ok()); }

  void WriteCorpus(int count) {
    absl::StatusOr<std::unique_ptr<DocumentWriter>> writer = DocumentWriter::Create(out_ + "/corpus");
    for (int i = 0; i < count; ++i) {
      Document document;
      document.text = fmt::format("document number {} about the network وثيقة {}", i, i * i);
      document.id = ContentId({document.text});
      document.sources = i % 3 == 0 ? std::vector<std::string>{"a", "b"} : std::vector<std::string>{"a"};
      document.language = i % 2 == 0 ? "en" : "";
      texts_.push_back(document.text);
      ASSERT_TRUE((*writer)->Append(document).ok());
    }
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  absl::StatusOr<TokenizeReport> Run(int threads = 2, const MixOptions& mix = {}, uint64_t memory = uint64_t{2} << 30,
                                     ShardFormat format = ShardFormat::kMegatron) {
    TokenizeOptions options;
    options.mix = mix;
    options.shard_format = format;
    options.tokenizer = tokenizer_;
    options.inputs = {out_ + "/corpus"};
    options.out = out_;
    options.vocabulary_size = 400;
    options.validation_share = 0.1;
    RunContext context;
    context.threads = threads;
    context.memory_bytes = memory;
    return Tokenize(options, context);
  }

  std::string out_;
  std::string tokenizer_;  // empty: one is trained
  std::vector<std::string> texts_;
};

TEST_F(TokenizeTest, EveryDocumentIsInOneSplitWithItsTextAndItsRow) {
  WriteCorpus(500);
  const absl::StatusOr<TokenizeReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  const std::unique_ptr<Tokenizer> tokenizer = *Tokenizer::Load(out_ + "/tokenizer.json");
  std::vector<int> seen(texts_.size());
  std::vector<uint64_t> order;
  for (const char* split : {"train", "validation"}) {
    const absl::StatusOr<std::unique_ptr<ShardSet>> shards = ShardSet::Open(out_ + "/shards", split);
    ASSERT_TRUE(shards.ok()) << shards.status();
    uint64_t bytes = 0;
    for (uint64_t d = 0; d < (*shards)->document_count(); ++d) {
      const uint64_t row = (*shards)->CorpusRow(d);
      std::vector<TokenId> tokens((*shards)->DocumentBegin(d + 1) - (*shards)->DocumentBegin(d));
      (*shards)->Read((*shards)->DocumentBegin(d), tokens);
      ASSERT_EQ(tokens.back(), tokenizer->end_of_text());
      tokens.pop_back();
      ASSERT_EQ(tokenizer->Decode(tokens), texts_[row]);
      ++seen[row];
      order.push_back(row);
      bytes += texts_[row].size();
    }
    EXPECT_EQ((*shards)->text_bytes(), bytes);
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 500);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(report->train.documents + report->validation.documents, 500u);
  EXPECT_GT(report->validation.documents, 20u);
  EXPECT_EQ(report->by_source.at("a+b").documents, 167u);
  EXPECT_EQ(report->by_source.at("a").documents, 333u);
}

TEST_F(TokenizeTest, TheBytesDoNotDependOnTheThreads) {
  WriteCorpus(3000);
  ASSERT_TRUE(Run(1).ok());
  const std::string bin = *ReadFile(out_ + "/shards/train-00000.bin");
  const std::string lineage = *ReadFile(out_ + "/shards/train-00000.lineage");
  const std::string tokenizer = *ReadFile(out_ + "/tokenizer.json");
  ASSERT_TRUE(Run(5).ok());
  EXPECT_EQ(*ReadFile(out_ + "/shards/train-00000.bin"), bin);
  EXPECT_EQ(*ReadFile(out_ + "/shards/train-00000.lineage"), lineage);
  EXPECT_EQ(*ReadFile(out_ + "/tokenizer.json"), tokenizer);
}

// Rows of a split, with every document's text checked.
std::vector<uint64_t> RowsOf(const std::string& out, const std::string& split, const std::vector<std::string>& texts) {
  const std::unique_ptr<Tokenizer> tokenizer = *Tokenizer::Load(out + "/tokenizer.json");
  const std::unique_ptr<ShardSet> shards = *ShardSet::Open(out + "/shards", split);
  std::vector<uint64_t> rows;
  for (uint64_t d = 0; d < shards->document_count(); ++d) {
    rows.push_back(shards->CorpusRow(d));
    std::vector<TokenId> tokens(shards->DocumentBegin(d + 1) - shards->DocumentBegin(d));
    shards->Read(shards->DocumentBegin(d), tokens);
    tokens.pop_back();
    EXPECT_EQ(tokenizer->Decode(tokens), texts[rows.back()]);
  }
  return rows;
}

TEST_F(TokenizeTest, AMixtureRepeatsAndLeavesOutByItsWeightsAndItsCountsAddUp) {
  WriteCorpus(900);  // a third of the documents is of "a+b"
  const absl::StatusOr<TokenizeReport> plain = Run();
  ASSERT_TRUE(plain.ok()) << plain.status();
  const std::vector<uint64_t> held_out = RowsOf(out_, "validation", texts_);
  const absl::StatusOr<TokenizeReport> report = Run(2, {{{"a", 1}, {"a+b", 3}}, 8, 0});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(RowsOf(out_, "validation", texts_), held_out);
  EXPECT_EQ(report->validation.tokens, plain->validation.tokens);

  std::vector<uint64_t> times(texts_.size());
  for (const uint64_t row : RowsOf(out_, "train", texts_)) ++times[row];
  for (const uint64_t row : held_out) EXPECT_EQ(times[row], 0U);
  ASSERT_EQ(report->mix.size(), 2U);
  uint64_t available = 0;
  uint64_t tokens = 0;
  for (const MixSource& source : report->mix) {
    const TokenizeReport::Share& trained = report->trained.at(source.name);
    // A document of the rest may reach over the target.
    EXPECT_GE(trained.tokens, source.target);
    EXPECT_LT(trained.tokens, source.target + 100);
    const bool both = source.name == "a+b";
    uint64_t least = 100;
    uint64_t most = 0;
    uint64_t documents = 0;
    for (uint64_t row = 0; row < texts_.size(); ++row) {
      if ((row % 3 == 0) != both) continue;
      if (std::find(held_out.begin(), held_out.end(), row) != held_out.end()) continue;
      least = std::min(least, times[row]);
      most = std::max(most, times[row]);
      documents += times[row];
    }
    EXPECT_EQ(documents, trained.documents);
    EXPECT_EQ(least, source.target / source.available);
    EXPECT_EQ(most, source.target / source.available + 1);
    available += source.available;
    tokens += trained.tokens;
  }
  EXPECT_EQ(available, plain->train.tokens);
  EXPECT_EQ(tokens, report->train.tokens);
  const std::unique_ptr<ShardSet> shards = *ShardSet::Open(out_ + "/shards", "train");
  EXPECT_EQ(shards->token_count(), report->train.tokens);
  EXPECT_EQ(shards->text_bytes(), report->train.bytes);
  EXPECT_EQ(shards->document_count(), report->train.documents);
  EXPECT_EQ(ReadManifest(out_ + "/shards")->counts["mix"]["a"]["available"], report->mix[1].available);
}

TEST_F(TokenizeTest, NoDocumentIsRepeatedBeyondTheCap) {
  WriteCorpus(300);
  const absl::StatusOr<TokenizeReport> report = Run(2, {{{"a", 1}, {"a+b", 1000}}, 2, 0});
  ASSERT_TRUE(report.ok()) << report.status();
  std::vector<uint64_t> times(texts_.size());
  for (const uint64_t row : RowsOf(out_, "train", texts_)) ++times[row];
  EXPECT_EQ(*std::max_element(times.begin(), times.end()), 2U);
  EXPECT_EQ(report->trained.at("a+b").tokens, 2 * report->mix[0].available);
}

TEST_F(TokenizeTest, TheBytesOfAMixtureDependNeitherOnThreadsNorOnMemory) {
  WriteCorpus(6000);
  const MixOptions mix = {{{"a", 1}, {"a+b", 3}}, 4, 0};
  ASSERT_TRUE(Run(1, mix).ok());
  tokenizer_ = out_ + "/tokenizer.json";  // what is learnt within so little memory would be another
  const std::string bin = *ReadFile(out_ + "/shards/train-00000.bin");
  const std::string lineage = *ReadFile(out_ + "/shards/train-00000.lineage");
  ASSERT_GT(bin.size(), 150000U);
  // The tokens do not fit into half of this: they wait in a file, and are dealt out to more of them.
  ASSERT_TRUE(Run(5, mix, 100000).ok());
  EXPECT_TRUE(*ReadFile(out_ + "/shards/train-00000.bin") == bin);
  EXPECT_TRUE(*ReadFile(out_ + "/shards/train-00000.lineage") == lineage);
  const absl::StatusOr<std::vector<std::string>> files = ListFiles(out_ + "/shards");
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(files->size(), 7U);  // nothing of what waited is left
}

TEST_F(TokenizeTest, AWrongMixtureLeavesTheOldShards) {
  WriteCorpus(50);
  ASSERT_TRUE(Run().ok());
  const std::string bin = *ReadFile(out_ + "/shards/train-00000.bin");
  EXPECT_THAT(Message(Run(2, {{{"a", 1}}, 4, 0}).status()), HasSubstr("no weight to the sources \"a+b\""));
  EXPECT_EQ(*ReadFile(out_ + "/shards/train-00000.bin"), bin);
}

TEST_F(TokenizeTest, EveryFormatHoldsTheSameDocuments) {
  WriteCorpus(200);
  ASSERT_TRUE(Run().ok());
  const std::unique_ptr<ShardSet> megatron = *ShardSet::Open(out_ + "/shards", "train");
  const std::string tokens = *ReadFile(out_ + "/shards/train-00000.bin");
  for (const auto& [format, path] : {std::pair(ShardFormat::kDatatrove, "/shards/train/train-00000.ds"),
                                     std::pair(ShardFormat::kNanoGpt, "/shards/train.bin")}) {
    ASSERT_TRUE(Run(2, {}, uint64_t{2} << 30, format).ok());
    EXPECT_EQ(*ReadFile(out_ + path), tokens);
    const std::string table = *ReadFile(LineagePath(out_ + path));
    const Lineage lineage = *Lineage::Parse(table, path);
    ASSERT_EQ(lineage.documents(), megatron->document_count());
    for (uint64_t d = 0; d < lineage.documents(); ++d) {
      ASSERT_EQ(lineage.CorpusRow(d), megatron->CorpusRow(d));
      ASSERT_EQ(lineage.DocumentBegin(d), megatron->DocumentBegin(d));
    }
  }
}

// From any token to the records: split, mixed, shuffled through files and packed into several shards.
TEST_F(TokenizeTest, EveryTokenLeadsToTheRecordsOfItsDocument) {
  absl::StatusOr<std::unique_ptr<DocumentWriter>> writer = DocumentWriter::Create(out_ + "/corpus");
  for (int i = 0; i < 3000; ++i) {
    Document document;
    document.text = fmt::format("what record {} says, and record {} as well", 2 * i, 2 * i + 1);
    document.id = fmt::format("document {}", i);
    document.sources = {i % 4 == 0 ? "few" : "many"};
    document.parents = {fmt::format("record {}", 2 * i), fmt::format("record {}", 2 * i + 1)};
    ASSERT_TRUE((*writer)->Append(document).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  TokenizeOptions options;
  options.inputs = {out_ + "/corpus"};
  options.tokenizer = RHODES_SOURCE_DIR "/src/token/testdata/gpt2.json";
  options.shards = out_ + "/elsewhere";
  options.validation_share = 0.1;
  options.shard_tokens = 20000;
  options.mix = {{{"few", 3}, {"many", 1}}, 8, 0};
  RunContext context;
  context.threads = 3;
  context.memory_bytes = 40000;
  const absl::StatusOr<TokenizeReport> report = Tokenize(options, context);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GT(report->trained.at("few").documents, report->by_source.at("few").documents);
  EXPECT_TRUE(PathExists(out_ + "/elsewhere/train-00002.bin"));

  std::vector<Document> corpus;
  const std::unique_ptr<DocumentReader> reader = *DocumentReader::Open(options.inputs);
  for (std::vector<Document> batch; *reader->Next(batch);) corpus.insert(corpus.end(), batch.begin(), batch.end());
  const std::unique_ptr<Tokenizer> tokenizer = *Tokenizer::Load(options.tokenizer);
  std::vector<bool> held_out(corpus.size());
  for (const char* split : {"validation", "train"}) {
    const std::unique_ptr<ShardSet> shards = *ShardSet::Open(options.shards, split);
    for (uint64_t position = 0; position < shards->token_count(); position += 17) {
      const uint64_t d = shards->DocumentOf(position);
      ASSERT_LE(shards->DocumentBegin(d), position);
      ASSERT_GT(shards->DocumentBegin(d + 1), position);
      const uint64_t row = shards->CorpusRow(d);
      std::vector<TokenId> tokens(shards->DocumentBegin(d + 1) - shards->DocumentBegin(d) - 1);
      shards->Read(shards->DocumentBegin(d), tokens);
      const Document& document = corpus.at(row);
      const std::string said =
          fmt::format("what {} says, and {} as well", document.parents.at(0), document.parents.at(1));
      ASSERT_EQ(tokenizer->Decode(tokens), said);
      if (split == std::string("validation")) held_out[row] = true;
      if (split == std::string("train")) {
        ASSERT_FALSE(held_out[row]);
      }
    }
  }
}

TEST_F(TokenizeTest, TextFilesAndLinesOfJsonAreOneCorpusNamedByTheirFiles) {
  ASSERT_TRUE(WriteFileAtomically(out_ + "/poem.txt", "first line\nsecond line\n").ok());
  ASSERT_TRUE(WriteFileAtomically(out_ + "/empty.txt", "").ok());
  ASSERT_TRUE(WriteFileAtomically(out_ + "/en.jsonl", "{\"text\":\"one\"}\n\n{\"text\":\"\",\"id\":\"two\"}\n").ok());
  TokenizeOptions options;
  options.inputs = {out_ + "/poem.txt", out_ + "/empty.txt", out_ + "/en.jsonl"};
  options.tokenizer = RHODES_SOURCE_DIR "/src/token/testdata/gpt2.json";
  options.shards = out_ + "/shards";
  RunContext context;
  absl::StatusOr<TokenizeReport> report = Tokenize(options, context);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->by_source.at("poem").documents, 1U);
  EXPECT_EQ(report->by_source.at("poem").bytes, 23U);
  EXPECT_EQ(report->by_source.at("empty").tokens, 1U);
  EXPECT_EQ(report->by_source.at("en").documents, 2U);
  EXPECT_EQ(report->train.documents + report->validation.documents, 4U);
  options.inputs = {out_ + "/poem.txt"};
  options.format = TextFormat::kLines;
  report = Tokenize(options, context);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->by_source.at("poem").documents, 2U);
}

TEST_F(TokenizeTest, TwoDocumentsAreTheFewest) {
  WriteCorpus(2);
  const absl::StatusOr<TokenizeReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->train.documents, 1u);
  EXPECT_EQ(report->validation.documents, 1u);
  TearDown();
  SetUp();
  WriteCorpus(1);
  EXPECT_THAT(Message(Run().status()), HasSubstr("1 documents are too few"));
  EXPECT_FALSE(PathExists(out_ + "/shards"));
}

TEST_F(TokenizeTest, LineageTakesLessThanOneHundredthOfTheTokens) {
  absl::StatusOr<std::unique_ptr<DocumentWriter>> writer = DocumentWriter::Create(out_ + "/corpus");
  for (int i = 0; i < 2000; ++i) {
    Document document;
    for (int word = 0; word < 250; ++word) document.text += fmt::format("w{} ", i * 31 % 97 + word % 13);
    document.id = std::to_string(i);
    ASSERT_TRUE((*writer)->Append(document).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  ASSERT_TRUE(Run().ok());
  EXPECT_LT(100 * *FileSize(out_ + "/shards/train-00000.lineage"), *FileSize(out_ + "/shards/train-00000.bin"));
}

}  // namespace
}  // namespace rhodes
