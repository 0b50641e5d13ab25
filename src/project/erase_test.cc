#include "project/erase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "curate/curate.h"
#include "fuse/fuse.h"
#include "project/check.h"
#include "project/erase_proof.h"
#include "project/out_lock.h"
#include "store/record_store.h"
#include "store/source_directory.h"
#include "table/database.h"
#include "token/tokenize.h"
#include "trace/build.h"
#include "trace/trace.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Record Post(int number, const std::string& author) {
  Record record;
  record.source = "posts";
  record.kind = "post";
  record.author = author;
  record.text = fmt::format("The {}th note of {} is about things that only {} would ever write down, number {}.",
                            number, author, author, number * 7919);
  record.original = fmt::format("{{\"text\":\"{}\"}}", record.text);
  record.id = ContentId({record.source, record.kind, record.original});
  record.fields = {{"thread", std::to_string(number / 4)}};
  record.origin = {"/posts.jsonl", static_cast<uint64_t>(number) * 10, static_cast<uint64_t>(number) * 10 + 9};
  record.reader = "test/1";
  return record;
}

const char* const kAuthors[] = {"ann lee", "bob", "cay", "dan"};

// 80 posts of four authors, in threads of four; a document a thread (all four are its parents) and one a post.
class EraseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "rhodes_erase_" + std::to_string(getpid());
    out_ = root_ + "/out";
    ASSERT_TRUE(RemoveTree(root_).ok());
    std::vector<Record> posts;
    for (int i = 0; i < 80; ++i) posts.push_back(Post(i, kAuthors[i % 4]));
    posts.push_back(Post(0, "ann lee"));  // a duplicate
    Record quoting = Post(1001, "bob");
    quoting.fields = {{"quote_author", "ann lee"}, {"quote_text", "words that were quoted from somebody else"}};
    posts.push_back(quoting);
    quoting_ = quoting.id;
    Write("posts", posts);
    Make();
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(root_).ok()); }

  void Write(const std::string& source, const std::vector<Record>& records) const {
    const absl::StatusOr<std::unique_ptr<RecordWriter>> writer =
        RecordWriter::Open(out_, source, RecordWriter::Mode::kAppend, RunContext());
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const Record& record : records) ASSERT_TRUE((*writer)->Append(record).ok());
    ASSERT_TRUE((*writer)->AddReject({{"/posts.jsonl", 900, 905}, "no post, by ann lee or another"}).ok());
    ASSERT_TRUE((*writer)->Commit("ingest key", Json::object(), 1).ok());
  }

  void Make() {
    FuseOptions fuse;
    fuse.out = out_;
    fuse.key = "fuse key";
    fuse.views = {{"thread",
                   "SELECT unnest(join_parts(list({'text': text, 'parent': id} ORDER BY id), E'\\n')) FROM posts WHERE "
                   "fields['thread'] IS NOT NULL GROUP BY fields['thread']",
                   "", false, "", 1},
                  {"post", "", "posts", false, "", 1}};
    ASSERT_TRUE(Fuse(fuse, context_).ok());
    CurateOptions curate;
    curate.inputs = {out_ + "/documents"};
    curate.kept = out_ + "/corpus";
    curate.dropped = out_ + "/dropped";
    curate.settings.rules = *ParseRules({"normalise", "quality", "exact"});
    curate.settings.sample = 1;
    curate.key = "curate key";
    ASSERT_TRUE(SetByName("quality.max_words=40", curate.settings).ok());  // drops threads
    ASSERT_TRUE(Curate(curate, context_).ok());
    TokenizeOptions tokenize;
    tokenize.inputs = {out_ + "/corpus"};
    tokenize.out = out_;
    tokenize.vocabulary_size = 300;
    tokenize.key = "tokenize key";
    ASSERT_TRUE(Tokenize(tokenize, context_).ok());
    TraceBuildOptions trace;
    trace.out = out_;
    trace.key = "trace key";
    ASSERT_TRUE(BuildTraceIndex(trace, context_).ok());
    ASSERT_TRUE(WriteFileAtomically(out_ + "/answers.json", "{\"key\":\"k\"}").ok());
  }

  absl::StatusOr<Json> EraseAuthor(const std::string& author) {
    EraseOptions options;
    options.out = out_;
    options.selector.author = author;
    options.receipt = root_ + "/receipt.json";
    return Erase(options, context_);
  }
  uint64_t Rows(const std::string& table, const std::string& where = "true") const {
    const std::unique_ptr<Database> database = *Database::Open({});
    return *database->QueryCount(
        fmt::format("SELECT count(*) FROM read_parquet('{}/{}/part-*.parquet') WHERE {}", out_, table, where));
  }
  // Everything that can be read as text in OUT: files as they are, and the rows of tables.
  std::string AllText() const {
    std::string all;
    const std::unique_ptr<Database> database = *Database::Open({});
    const absl::StatusOr<std::vector<std::string>> files = ListFiles(out_);
    for (const std::string& file : *files) {
      all += *ReadFile(file);
      if (!file.ends_with(".parquet")) continue;
      absl::StatusOr<QueryResult> rows =
          database->Query(fmt::format("SELECT CAST(t AS VARCHAR) FROM read_parquet({}) t", SqlLiteral(file)));
      while (*rows->Next()) {
        for (size_t row = 0; row < rows->row_count(); ++row) all += rows->String(0, row);
      }
    }
    return all;
  }
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    const absl::StatusOr<std::vector<std::string>> paths = ListFiles(out_);
    for (const std::string& path : *paths) files[path.substr(out_.size())] = *Sha256OfFile(path);
    return files;
  }
  bool Checks() {
    const absl::StatusOr<CheckReport> report = CheckOut(out_, context_);
    EXPECT_TRUE(report.ok()) << report.status();
    EXPECT_THAT(report->problems, IsEmpty()) << FormatCheck(*report);
    return report->ok();
  }

  std::string root_;
  std::string out_;
  std::string quoting_;
  RunContext context_;
};

TEST_F(EraseTest, AnAuthorGoesFromRecordsToTraceAndNothingIsLeftReadable) {
  ASSERT_TRUE(Checks());
  EXPECT_THAT(AllText(), HasSubstr("ann lee"));
  const absl::StatusOr<Json> receipt = EraseAuthor("ann lee");
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ((*receipt)["counts"]["records"], 20);
  EXPECT_EQ((*receipt)["counts"]["by_source"]["records/posts"], 20);
  EXPECT_THAT((*receipt)["masked"], ElementsAre(quoting_));
  // 20 posts, 20 threads that a post of hers was in, and the document of the post that quotes her.
  EXPECT_EQ((*receipt)["counts"]["documents"], 41);
  const std::string all = AllText();
  EXPECT_EQ(all.find("ann lee"), std::string::npos);
  EXPECT_EQ(all.find("quoted from somebody"), std::string::npos);
  EXPECT_NE(all.find("note of bob"), std::string::npos);
  EXPECT_EQ(Rows("records/posts"), 61u);
  EXPECT_EQ(Rows("documents"), 60u);
  EXPECT_FALSE(PathExists(out_ + "/answers.json"));
  EXPECT_FALSE(PathExists(out_ + "/.erase.json"));
  EXPECT_EQ(DumpJson(*receipt).find("ann"), std::string::npos) << "nor does the receipt tell her name";
  EXPECT_EQ(*ReadFile(root_ + "/receipt.json"), DumpJson(*receipt, 1) + "\n");
  EXPECT_TRUE(Checks());
}

TEST_F(EraseTest, StagesKeepTheirKeysAndTheirCountsAddUp) {
  ASSERT_TRUE(EraseAuthor("ann lee").ok());
  EXPECT_EQ(ReadManifest(out_ + "/records/posts")->key, "ingest key");
  const Manifest documents = *ReadManifest(out_ + "/documents");
  EXPECT_EQ(documents.key, "fuse key");
  EXPECT_EQ(documents.counts["documents"], 60);
  EXPECT_EQ(documents.counts["views"][0]["documents"], 0);
  EXPECT_EQ(documents.counts["views"][0]["erased"], 20);
  const Manifest corpus = *ReadManifest(out_ + "/corpus");
  EXPECT_EQ(corpus.key, "curate key");
  EXPECT_EQ(corpus.counts["documents"], 60);
  EXPECT_EQ(corpus.counts["kept"], Rows("corpus"));
  EXPECT_EQ(corpus.counts["dropped"], Rows("dropped"));
  EXPECT_EQ(corpus.counts["sources"]["posts"]["documents"], 60);
}

TEST_F(EraseTest, ShardsAndTraceAreMadeAgainWithTheOldTokenizerAndKeys) {
  Json settings;
  const std::string tokenizer = *ReadFile(out_ + "/tokenizer.json");
  // A corpus of posts, so that something is left.
  CurateOptions curate;
  curate.inputs = {out_ + "/documents"};
  curate.kept = out_ + "/corpus";
  curate.dropped = out_ + "/dropped";
  curate.settings.rules = *ParseRules({"normalise", "exact"});
  curate.key = "curate key";
  ASSERT_TRUE(Curate(curate, context_).ok());
  TokenizeOptions tokenize;
  tokenize.inputs = {out_ + "/corpus"};
  tokenize.out = out_;
  tokenize.tokenizer = out_ + "/tokenizer.json";
  tokenize.validation_share = 0.1;
  tokenize.seed = 5;
  tokenize.key = "tokenize key";
  tokenize.settings = {{"validation", 0.1}, {"seed", 5}};
  ASSERT_TRUE(Tokenize(tokenize, context_).ok());
  TraceBuildOptions trace;
  trace.out = out_;
  trace.key = "trace key";
  ASSERT_TRUE(BuildTraceIndex(trace, context_).ok());
  ASSERT_TRUE((*TraceIndex::Open(out_))->Find("note of ann lee is about", {})->spans.size() > 0);

  const absl::StatusOr<Json> receipt = EraseAuthor("ann lee");
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_GT((*receipt)["counts"]["trained_on"], 30);
  EXPECT_EQ(*ReadFile(out_ + "/tokenizer.json"), tokenizer);
  EXPECT_EQ(ReadManifest(out_ + "/shards")->key, "tokenize key");
  EXPECT_EQ(ReadManifest(out_ + "/trace")->key, "trace key");
  EXPECT_EQ(ReadManifest(out_ + "/shards")->counts["documents"], 60);
  const absl::StatusOr<Trace> found = (*TraceIndex::Open(out_))->Find("note of ann lee is about", {});
  for (const TracedSpan& span : found->spans) EXPECT_EQ(span.text.find("ann lee"), std::string::npos) << span.text;
  const std::unique_ptr<Tokenizer> own = *Tokenizer::Load(out_ + "/tokenizer.json");
  for (const char* split : {"train", "validation"}) {
    const std::unique_ptr<ShardSet> shards = *ShardSet::Open(out_ + "/shards", split);
    std::vector<TokenId> tokens(shards->token_count());
    shards->Read(0, tokens);
    std::string text;
    for (const TokenId token : tokens) text += own->TokenBytes(token);
    EXPECT_EQ(text.find("ann lee"), std::string::npos);
    EXPECT_NE(text.find("bob"), std::string::npos);
  }
  bool named = false;
  for (const Json& model : (*receipt)["models"]) named |= model["path"] == "tokenizer.json";
  EXPECT_TRUE(named);
  EXPECT_TRUE(Checks());
}

TEST_F(EraseTest, TheReceiptListsHashesBeforeAndAfterAndProvesAbsence) {
  const auto before = Files();
  const absl::StatusOr<Json> receipt = EraseAuthor("ann lee");
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  const auto after = Files();
  std::map<std::string, std::pair<Json, Json>> listed;
  for (const Json& file : (*receipt)["files"]) {
    listed["/" + file["file"].get<std::string>()] = {file["before"], file["after"]};
  }
  for (const auto& [file, hash] : before) {
    const auto now = after.find(file);
    if (now != after.end() && now->second == hash) {
      EXPECT_FALSE(listed.contains(file)) << file;
      continue;
    }
    if (file == "/.lock" || std::filesystem::is_symlink(out_ + file)) continue;
    ASSERT_TRUE(listed.contains(file)) << file;
    EXPECT_EQ(listed[file].first, hash) << file;
    EXPECT_EQ(listed[file].second, now == after.end() ? Json() : Json(now->second)) << file;
  }
  EXPECT_EQ((*receipt)["merkle"]["before"]["leaves"], 81);
  EXPECT_EQ((*receipt)["merkle"]["after"]["leaves"], 61);
  EXPECT_THAT((*receipt)["merkle"]["absent"], SizeIs(20));
  absl::StatusOr<Json> verified = VerifyReceipt(out_, root_ + "/receipt.json", context_);
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_TRUE((*verified)["ok"].get<bool>()) << FormatVerification(*verified);

  // Records that come later do not matter; the root is told to be an older one.
  Write("others", {Post(5000, "eve")});
  verified = VerifyReceipt(out_, root_ + "/receipt.json", context_);
  EXPECT_TRUE((*verified)["ok"].get<bool>());
  EXPECT_THAT(FormatVerification(*verified), HasSubstr("older"));
}

TEST_F(EraseTest, AReceiptThatDoesNotHoldIsFoundOut) {
  const absl::StatusOr<Json> receipt = EraseAuthor("ann lee");
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  const auto verify = [&](const Json& changed) {
    EXPECT_TRUE(WriteFileAtomically(root_ + "/changed.json", DumpJson(changed)).ok());
    const absl::StatusOr<Json> result = VerifyReceipt(out_, root_ + "/changed.json", context_);
    return result.ok() ? FormatVerification(*result) : Message(result.status());
  };
  Json changed = *receipt;
  changed["records"].push_back(Post(1, "bob").id);
  EXPECT_THAT(verify(changed), HasSubstr("FAILS  records      1 are there"));
  changed = *receipt;
  changed["merkle"]["absent"][3]["left"]["path"][0] = std::string(64, '0');
  EXPECT_THAT(verify(changed), HasSubstr("FAILS  proofs"));
  changed = *receipt;
  changed["merkle"]["absent"][3]["left"] = changed["merkle"]["absent"][9]["left"];
  EXPECT_THAT(verify(changed), HasSubstr("FAILS  proofs"));
  changed = *receipt;
  changed["merkle"]["absent"][3]["id"] = Post(1, "bob").id;
  EXPECT_THAT(verify(changed), HasSubstr("FAILS  proofs"));
  changed = *receipt;
  changed.erase("merkle");
  EXPECT_THAT(verify(changed), HasSubstr("merkle"));
  changed["format"] = "else";
  EXPECT_THAT(verify(changed), HasSubstr("not a receipt"));
}

TEST_F(EraseTest, WhatWasErasedDoesNotComeBack) {
  ASSERT_TRUE(EraseAuthor("ann lee").ok());
  Write("posts", {Post(0, "ann lee"), Post(4, "ann lee"), Post(1, "bob")});
  EXPECT_EQ(Rows("records/posts", "author = 'ann lee'"), 0u);
  EXPECT_THAT(*ReadFile(out_ + "/records/posts/rejects.jsonl"), HasSubstr("erased on request"));
  EXPECT_TRUE(Checks());
}

TEST_F(EraseTest, ASourceARecordADevice) {
  Record drive = Post(2000, "VIN-7");
  drive.source = "cars";
  drive.kind = "drive";
  Record other = Post(2001, "VIN-8");
  other.source = "cars";
  other.kind = "drive";
  Write("cars", {drive, other});
  EraseOptions options;
  options.out = out_;
  options.receipt = root_ + "/receipt.json";
  options.selector.device = "VIN-7";
  EXPECT_EQ((*Erase(options, context_))["counts"]["records"], 1);
  EXPECT_EQ(Rows("records/cars"), 1u);
  options.selector = {};
  options.selector.records = {Post(1, "bob").id, Post(2, "cay").id};
  EXPECT_EQ((*Erase(options, context_))["counts"]["records"], 2);
  EXPECT_EQ(Rows("records/posts"), 79u);
  options.selector = {};
  options.selector.source = "posts";
  const absl::StatusOr<Json> receipt = Erase(options, context_);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ((*receipt)["counts"]["records"], 79);
  EXPECT_THAT(*ListFiles(out_ + "/records/posts"), ElementsAre(out_ + "/records/posts/manifest.json"));
  EXPECT_FALSE(PathExists(out_ + "/rejects/posts.jsonl"));
  EXPECT_EQ(Rows("documents"), 0u);
  EXPECT_FALSE(PathExists(out_ + "/shards")) << "no document is left to make them from";
  EXPECT_EQ(AllText().find("note of"), AllText().find("note of VIN-8")) << "of the other source";
  EXPECT_TRUE((*VerifyReceipt(out_, options.receipt, context_))["ok"].get<bool>());
  EXPECT_TRUE(Checks());
}

TEST_F(EraseTest, AnAccountIsTheSameUnderAnotherName) {
  Record before = Post(4000, "annie");
  before.fields = {{"user", "4242"}};
  Record after = Post(4001, "ann renamed");
  after.fields = {{"user", "4242"}};
  Record repost = Post(4002, "bob");
  repost.fields = {{"repost_author", "ann renamed"}, {"repost_author_id", "4242"}};
  Record quote = Post(4003, "bob");
  quote.fields = {
      {"quote_author", "ann renamed"}, {"quote_author_id", "4242"}, {"quote_text", "as she said it herself"}};
  Record other = Post(4004, "bob");
  other.fields = {{"user", "42"}};
  Write("accounts", {before, after, repost, quote, other});
  EraseOptions options;
  options.out = out_;
  options.receipt = root_ + "/receipt.json";
  options.selector.author = "annie";
  const absl::StatusOr<Json> receipt = Erase(options, context_);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ((*receipt)["counts"]["records"], 3);
  EXPECT_THAT((*receipt)["masked"], ElementsAre(quote.id));
  const std::string all = AllText();
  for (const char* gone : {"annie", "4242", "ann renamed", "as she said"}) {
    EXPECT_EQ(all.find(gone), std::string::npos) << gone;
  }
  Write("accounts", {after, repost});
  EXPECT_EQ(Rows("records/accounts"), 2u);
}

TEST_F(EraseTest, ADryRunChangesNothing) {
  const auto before = Files();
  EraseOptions options;
  options.out = out_;
  options.selector.author = "ann lee";
  options.dry_run = true;
  const absl::StatusOr<Json> plan = Erase(options, context_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ((*plan)["counts"]["records"], 20);
  auto after = Files();
  after.erase("/.lock");
  EXPECT_EQ(after, before);
}

TEST_F(EraseTest, NobodyOfThatNameIsNoErrorAndSaysWhoIsMeant) {
  EraseOptions options;
  options.out = out_;
  options.selector.author = "Ann Lee";
  options.dry_run = true;
  EXPECT_THAT((*Erase(options, context_))["similar"], ElementsAre("ann lee"));
  const absl::StatusOr<Json> receipt = EraseAuthor("nobody");
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ((*receipt)["counts"]["records"], 0);
  EXPECT_THAT((*receipt)["files"], IsEmpty());
  EXPECT_TRUE(PathExists(out_ + "/answers.json"));
}

TEST_F(EraseTest, SamplesAreMaskedAndForeignFilesAreNamed) {
  const std::string said = Post(4, "ann lee").text;
  ASSERT_TRUE(WriteFileAtomically(
                  out_ + "/metrics.jsonl",
                  "{\"step\":1,\"loss\":2.5}\n" + DumpJson(Json{{"step", 1}, {"prompt", "p"}, {"sample", said}}) + "\n")
                  .ok());
  ASSERT_TRUE(WriteFileAtomically(out_ + "/my-notes.txt", "copied: " + said).ok());
  const absl::Status status = EraseAuthor("ann lee").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(Message(status), HasSubstr("out/my-notes.txt"));
  EXPECT_EQ(*ReadFile(out_ + "/metrics.jsonl"),
            "{\"step\":1,\"loss\":2.5}\n{\"step\":1,\"prompt\":\"erased on request\",\"sample\":\"erased on "
            "request\"}\n");
  EXPECT_THAT((*ReadJsonFile(root_ + "/receipt.json"))["leftovers"], ElementsAre("my-notes.txt"));
}

// A trainer's checkpoint was listed under the name that it had while it was written, and had its last one when it was
// opened.
TEST_F(EraseTest, FilesThatATrainerRenamesMeanwhileAreNoError) {
  const std::string checkpoints = out_ + "/next/train-1/checkpoints";
  ASSERT_TRUE(CreateDirectories(checkpoints).ok());
  std::atomic<bool> ended{false};
  std::thread trainer([&] {
    for (int i = 0; !ended; ++i) {
      const std::string path = fmt::format("{}/checkpoint-{}.state", checkpoints, i % 7);
      std::ofstream(path + ".partial") << "weights";
      std::filesystem::rename(path + ".partial", path);
    }
  });
  std::vector<absl::Status> erased;
  for (const char* author : {"ann lee", "bob", "cay", "dan"}) erased.push_back(EraseAuthor(author).status());
  ended = true;
  trainer.join();
  for (const absl::Status& status : erased) EXPECT_TRUE(status.ok()) << status;
}

TEST_F(EraseTest, ReasonsOfRejectsThatNameTheAuthorGo) {
  EXPECT_THAT(AllText(), HasSubstr("by ann lee or another"));
  ASSERT_TRUE(EraseAuthor("ann lee").ok());
  EXPECT_THAT(*ReadFile(out_ + "/records/posts/rejects.jsonl"), HasSubstr("\"erased on request\""));
}

TEST_F(EraseTest, AnInterruptedErasureGoesOnAndEndsTheSame) {
  // The journal is all that a killed run is known by.
  ASSERT_TRUE(EraseAuthor("nobody").ok());  // makes the salt
  std::filesystem::copy(out_, root_ + "/copy",
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  ASSERT_TRUE(EraseAuthor("ann lee").ok());
  const auto expected = Files();
  const Json receipt = *ReadJsonFile(root_ + "/receipt.json");
  ASSERT_TRUE(RemoveTree(out_).ok());
  ASSERT_TRUE(Rename(root_ + "/copy", out_).ok());
  ASSERT_TRUE(RemoveTree(root_ + "/receipt.json").ok());

  EraseSelector selector;
  selector.author = "ann lee";
  ErasePlan plan = *PlanErasure(out_, selector, context_);
  plan.journal.receipt = root_ + "/receipt.json";
  plan.journal.selector = receipt["selector"];
  ASSERT_TRUE(Suppression::Add(out_, plan.suppress).ok());
  ASSERT_TRUE(WriteJournal(out_, plan.journal).ok());
  EXPECT_EQ((*ReadFile(out_ + "/.erase.json")).find("ann"), std::string::npos);
  EXPECT_THAT((*CheckOut(out_, context_)).problems, SizeIs(1));
  // The records went, then the process was killed in the middle of the next exchange.
  ASSERT_TRUE(Rename(out_ + "/dropped", out_ + "/dropped.replaced").ok());
  const absl::StatusOr<CheckReport> repaired = RepairOut(out_, context_);
  ASSERT_TRUE(repaired.ok()) << repaired.status();
  EXPECT_TRUE(repaired->ok()) << FormatCheck(*repaired);
  auto files = Files();
  for (const char* file : {"/shards/manifest.json", "/trace/manifest.json"}) {  // seconds differ
    EXPECT_EQ(files.erase(file), 1u);
    EXPECT_TRUE(expected.contains(file));
  }
  for (const auto& [file, hash] : files) EXPECT_EQ(hash, expected.contains(file) ? expected.at(file) : "") << file;
  EXPECT_EQ(files.size() + 2, expected.size());
  Json again = *ReadJsonFile(root_ + "/receipt.json");
  for (const char* name : {"records", "masked", "documents", "counts", "merkle", "models"}) {
    EXPECT_EQ(again[name], receipt[name]) << name;
  }
}

TEST_F(EraseTest, TakedownsCascadeWithoutAReceipt) {
  EXPECT_EQ(*EraseRecordIds(out_, {Post(0, "ann lee").id}, context_), 2u);  // her post and its thread
  EXPECT_EQ(Rows("documents", fmt::format("list_contains(parents, '{}')", Post(0, "ann lee").id)), 0u);
  EXPECT_EQ(*EraseRecordIds(out_, {Post(0, "ann lee").id}, context_), 0u);
  EXPECT_FALSE(PathExists(out_ + "/erasures"));
  EXPECT_EQ(*EraseRecordIds(out_, {}, context_), 0u);
}

TEST_F(EraseTest, WrongUseIsRefused) {
  EraseOptions options;
  options.out = out_;
  EXPECT_EQ(ExitCodeOf(Erase(options, context_).status()), ExitCode::kUsage);
  options.selector.author = "a";
  options.selector.source = "posts";
  EXPECT_EQ(ExitCodeOf(Erase(options, context_).status()), ExitCode::kUsage);
  options.selector = {};
  options.selector.records = {"not an id"};
  EXPECT_EQ(ExitCodeOf(Erase(options, context_).status()), ExitCode::kUsage);
  options.selector = {};
  options.selector.author = "ann lee";
  options.out = root_ + "/nowhere";
  EXPECT_TRUE(absl::IsNotFound(Erase(options, context_).status()));
  EXPECT_FALSE(PathExists(root_ + "/nowhere"));
  options.out = out_;
  const absl::StatusOr<OutLock> lock = OutLock::Acquire(out_);
  EXPECT_TRUE(absl::IsFailedPrecondition(Erase(options, context_).status()));
}

class CheckTest : public EraseTest {
 protected:
  std::vector<std::string> Problems() {
    const absl::StatusOr<CheckReport> report = CheckOut(out_, context_);
    EXPECT_TRUE(report.ok()) << report.status();
    std::vector<std::string> problems;
    for (const CheckProblem& problem : report->problems) problems.push_back(problem.file + ": " + problem.problem);
    return problems;
  }
  void FlipByte(const std::string& path, size_t at) const {
    std::string bytes = *ReadFile(path);
    bytes[std::min(at, bytes.size() - 1)] ^= 0x55;
    ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
  }
};

TEST_F(CheckTest, ARetentionThatIsOverIsANote) {
  Rights rights;
  rights.retention = "until 2020-12-31";
  ASSERT_TRUE(WriteSourceRights(out_, "posts", rights).ok());
  absl::StatusOr<CheckReport> report = CheckOut(out_, context_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->ok());
  ASSERT_EQ(report->notes.size(), 1u);
  EXPECT_NE(report->notes[0].find("--source posts"), std::string::npos) << report->notes[0];
  rights.retention = "2 days";
  ASSERT_TRUE(WriteSourceRights(out_, "posts", rights).ok());
  EXPECT_EQ(CheckOut(out_, context_)->notes.size(), 0u);
}

TEST_F(CheckTest, EveryFlippedByteOfAnArtefactIsFound) {
  const char* const files[] = {"records/posts/part-00000.parquet",
                               "documents/part-00000.parquet",
                               "corpus/part-00000.parquet",
                               "dropped/part-00000.parquet",
                               "shards/train-00000.bin",
                               "shards/train-00000.lineage",
                               "trace/documents.bin",
                               "trace/segment-00000.sa"};
  for (const char* file : files) {
    const std::string path = out_ + "/" + file;
    const std::string whole = *ReadFile(path);
    for (const size_t at : {size_t{5}, whole.size() / 3, whole.size() / 2, whole.size() - 5}) {
      FlipByte(path, at);
      EXPECT_FALSE(Problems().empty()) << file << " byte " << at;
      ASSERT_TRUE(WriteFileAtomically(path, whole).ok());
    }
    ASSERT_TRUE(Rename(path, path + ".away").ok());
    EXPECT_FALSE(Problems().empty()) << file << " gone";
    ASSERT_TRUE(Rename(path + ".away", path).ok());
  }
  EXPECT_TRUE(Checks());
}

TEST_F(CheckTest, AManifestIsMadeAgainFromItsParts) {
  const std::string manifest = out_ + "/records/posts/manifest.json";
  const SourceManifest before = *ReadSourceManifest(out_ + "/records/posts");
  for (const char* damage : {"", "{\"key\":", "gone"}) {
    if (std::string_view(damage) == "gone") {
      ASSERT_TRUE(RemoveTree(manifest).ok());
    } else {
      ASSERT_TRUE(WriteFileAtomically(manifest, damage).ok());
    }
    EXPECT_THAT(Problems(), SizeIs(::testing::Ge(1u))) << damage;
    const absl::StatusOr<CheckReport> report = RepairOut(out_, context_);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->ok()) << FormatCheck(*report);
    EXPECT_THAT(report->repaired, SizeIs(1));
    const SourceManifest after = *ReadSourceManifest(out_ + "/records/posts");
    ASSERT_EQ(after.parts.size(), 1u);
    EXPECT_EQ(after.parts[0].sha256, before.parts[0].sha256);
    EXPECT_EQ(after.parts[0].rows, before.parts[0].rows);
    EXPECT_EQ(after.manifest.counts["read"], before.manifest.counts["read"]);
    EXPECT_EQ(after.manifest.counts["duplicates"], 1);
    EXPECT_EQ(after.manifest.key, "") << "the input is read again";
  }
}

TEST_F(CheckTest, APartThatCannotBeReadIsMovedAwayAndTheOthersStay) {
  Write("posts", {Post(3000, "eve"), Post(3001, "eve")});
  std::filesystem::resize_file(out_ + "/records/posts/part-00000.parquet", 1000);
  EXPECT_THAT(Problems(), ::testing::Contains(HasSubstr("records/posts/part-00000.parquet: has 1000 bytes")));
  const absl::StatusOr<CheckReport> report = RepairOut(out_, context_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(PathExists(out_ + "/damaged/records/posts/part-00000.parquet"));
  EXPECT_EQ(Rows("records/posts"), 2u);
  // The documents of the lost records have no parents any more; that is said, and nothing of them is deleted.
  EXPECT_FALSE(report->ok());
  EXPECT_GT(Rows("documents"), 90u);
  for (const CheckProblem& problem : report->problems) EXPECT_NE(problem.what, "record source") << problem.problem;
}

TEST_F(CheckTest, CountsThatDoNotAddUpAreFound) {
  SourceManifest manifest = *ReadSourceManifest(out_ + "/records/posts");
  manifest.manifest.counts["stored"] = 90;
  ASSERT_TRUE(WriteSourceManifest(out_ + "/records/posts", manifest).ok());
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("read 83 is not stored 90"), HasSubstr("81 rows are not stored 90")));
  ASSERT_TRUE((*RepairOut(out_, context_)).ok());
  ASSERT_TRUE(WriteFileAtomically(out_ + "/records/posts/duplicates.jsonl", "").ok());
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("duplicates.jsonl: has 0 bytes")));
}

TEST_F(CheckTest, DamagedStagesAreMarkedForTheNextRun) {
  const std::string shard = *ReadFile(out_ + "/shards/train-00000.bin");
  FlipByte(out_ + "/shards/train-00000.bin", 10);
  EXPECT_TRUE((*RepairOut(out_, context_)).ok());
  EXPECT_EQ(*ReadFile(out_ + "/shards/train-00000.bin"), shard) << "made again from the corpus";
  FlipByte(out_ + "/corpus/part-00000.parquet", 300);
  FlipByte(out_ + "/shards/train-00000.bin", 10);
  const absl::StatusOr<CheckReport> report = RepairOut(out_, context_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(PathExists(out_ + "/corpus/manifest.json"));
  EXPECT_FALSE(PathExists(out_ + "/shards/manifest.json"));
  EXPECT_FALSE(PathExists(out_ + "/trace/manifest.json"));
  EXPECT_TRUE(PathExists(out_ + "/documents/manifest.json"));
  EXPECT_TRUE(PathExists(out_ + "/corpus/part-00000.parquet"));
}

TEST_F(CheckTest, TheRestOfAStoppedRunIsNoProblemAndIsRemoved) {
  ASSERT_TRUE(CreateDirectories(out_ + "/documents.partial").ok());
  ASSERT_TRUE(WriteFileAtomically(out_ + "/records/posts/part-00007.parquet", "half").ok());
  ASSERT_TRUE(CreateDirectories(out_ + "/.fuse/spill").ok());
  const absl::StatusOr<CheckReport> found = CheckOut(out_, context_);
  EXPECT_TRUE(found->ok()) << FormatCheck(*found);
  EXPECT_THAT(found->notes, SizeIs(3));
  const absl::StatusOr<CheckReport> repaired = RepairOut(out_, context_);
  EXPECT_THAT(repaired->notes, IsEmpty());
  EXPECT_THAT(repaired->repaired, SizeIs(3));
  EXPECT_FALSE(PathExists(out_ + "/.fuse"));
}

TEST_F(CheckTest, DocumentsWhoseRecordsWereReplacedAreFound) {
  const absl::StatusOr<std::unique_ptr<RecordWriter>> writer =
      RecordWriter::Open(out_, "posts", RecordWriter::Mode::kReplace, context_);
  ASSERT_TRUE((*writer)->Append(Post(1, "bob")).ok());
  ASSERT_TRUE((*writer)->Commit("", Json::object(), 0).ok());
  EXPECT_THAT(Problems(), ::testing::Contains(HasSubstr("documents: ")));
}

TEST_F(CheckTest, AnEmptyFolderIsNoOutput) {
  ASSERT_TRUE(CreateDirectories(root_ + "/empty").ok());
  EXPECT_TRUE(absl::IsNotFound(CheckOut(root_ + "/empty", context_).status()));
  EXPECT_TRUE(absl::IsNotFound(RepairOut(root_ + "/none", context_).status()));
  EXPECT_FALSE(PathExists(root_ + "/none"));
}

}  // namespace
}  // namespace rhodes
