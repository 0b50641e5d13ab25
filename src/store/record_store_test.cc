#include "store/record_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "store/views.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Record MakeRecord(const std::string& text) {
  Record record;
  record.kind = "row";
  record.text = text;
  record.original = "{\"text\":\"" + text + "\"}";
  record.source = "posts";
  record.id = ContentId({record.source, record.kind, record.original});
  record.fields = {{"package", text}};
  record.channels = {{"speed", 1.5}};
  record.origin = {"/data/posts.jsonl", 10, 10 + record.original.size()};
  record.reader = "jsonl/1";
  return record;
}

class RecordStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    out_ = ::testing::TempDir() + "rhodes_record_store_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(out_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(out_).ok()); }

  absl::StatusOr<IngestCounts> Write(RecordWriter::Mode mode, const std::vector<std::string>& texts,
                                     const std::vector<std::string>& rejects = {}) const {
    ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer, RecordWriter::Open(out_, "posts", mode, RunContext()));
    for (const std::string& text : texts) RETURN_IF_ERROR(writer->Append(MakeRecord(text)));
    for (const std::string& reason : rejects) RETURN_IF_ERROR(writer->AddReject({{"/data/posts.jsonl", 1, 2}, reason}));
    return writer->Commit("key", Json::object(), 0.5);
  }
  uint64_t Count(const std::string& sql) const {
    absl::StatusOr<std::unique_ptr<Database>> database = Database::Open({});
    EXPECT_TRUE(CreateViews(**database, out_).ok());
    return *(*database)->QueryCount(sql);
  }

  std::string out_;
};

TEST_F(RecordStoreTest, CountsBalanceAndEveryDuplicateAndRejectIsLogged) {
  const absl::StatusOr<IngestCounts> counts = Write(RecordWriter::Mode::kReplace, {"a", "b", "a"}, {"not JSON"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->read, 4u);
  EXPECT_EQ(counts->stored, 2u);
  EXPECT_EQ(counts->duplicates, 1u);
  EXPECT_EQ(counts->rejected, 1u);
  EXPECT_THAT(*ReadFile(out_ + "/records/posts/duplicates.jsonl"), HasSubstr(MakeRecord("a").id));
  EXPECT_EQ(*ReadFile(out_ + "/rejects/posts.jsonl"),
            "{\"file\":\"/data/posts.jsonl\",\"begin\":1,\"end\":2,\"reason\":\"not JSON\"}\n");
  EXPECT_EQ(Count("SELECT count(*) FROM posts WHERE fields['package'] = text AND channels['speed'] = 1.5 AND "
                  "decode(original) LIKE '{\"text\":%' AND \"end\" > \"begin\""),
            2u);
}

TEST_F(RecordStoreTest, AppendAddsAndKnowsWhatIsThere) {
  ASSERT_TRUE(Write(RecordWriter::Mode::kReplace, {"a", "b"}, {"first"}).ok());
  const absl::StatusOr<IngestCounts> counts = Write(RecordWriter::Mode::kAppend, {"b", "c"}, {"second"});
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->stored, 1u);
  EXPECT_EQ(counts->duplicates, 1u);
  EXPECT_EQ(Count("SELECT count(*) FROM records"), 3u);
  EXPECT_EQ(ReadManifest(out_ + "/records/posts")->counts["stored"], 3);
  EXPECT_EQ(ListParts(out_, "posts")->size(), 2u);
  EXPECT_THAT(*ReadFile(out_ + "/rejects/posts.jsonl"), ::testing::AllOf(HasSubstr("first"), HasSubstr("second")));
}

TEST_F(RecordStoreTest, ReplaceHoldsOnlyWhatIsWrittenNow) {
  ASSERT_TRUE(Write(RecordWriter::Mode::kReplace, {"a", "b"}).ok());
  ASSERT_TRUE(Write(RecordWriter::Mode::kReplace, {"c"}).ok());
  EXPECT_EQ(Count("SELECT count(*) FROM records"), 1u);
  EXPECT_THAT(*ListSources(out_), ElementsAre("posts"));
}

TEST_F(RecordStoreTest, WithoutCommitNothingChanges) {
  ASSERT_TRUE(Write(RecordWriter::Mode::kReplace, {"a"}).ok());
  {
    absl::StatusOr<std::unique_ptr<RecordWriter>> writer =
        RecordWriter::Open(out_, "posts", RecordWriter::Mode::kAppend, RunContext());
    ASSERT_TRUE((*writer)->Append(MakeRecord("b")).ok());
    EXPECT_THAT(*ListSources(out_), ElementsAre("posts"));
  }
  EXPECT_EQ(Count("SELECT count(*) FROM records"), 1u);
}

TEST_F(RecordStoreTest, AFullDiskLosesNothingThatWasThere) {
  ASSERT_TRUE(Write(RecordWriter::Mode::kReplace, {"a"}).ok());
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::vector<std::string> texts;
    for (int i = 0; i < 20000; ++i) texts.push_back(Sha256Hex(std::to_string(i)));
    _exit(absl::IsResourceExhausted(Write(RecordWriter::Mode::kReplace, texts).status()) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Count("SELECT count(*) FROM records"), 1u);
}

TEST_F(RecordStoreTest, LookupFindsOriginsInTheOrderAskedAndTheBytes) {
  ASSERT_TRUE(Write(RecordWriter::Mode::kReplace, {"a", "b", "c"}).ok());
  const absl::StatusOr<std::unique_ptr<RecordLookup>> lookup = RecordLookup::Open(out_);
  ASSERT_TRUE(lookup.ok()) << lookup.status();
  const absl::StatusOr<std::vector<RecordOrigin>> found =
      (*lookup)->Find({MakeRecord("c").id, "no such id", MakeRecord("a").id});
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[0].id, MakeRecord("c").id);
  EXPECT_EQ((*found)[1].origin.begin, 10u);
  EXPECT_EQ(*(*lookup)->Original(MakeRecord("b").id), MakeRecord("b").original);
  EXPECT_TRUE(absl::IsNotFound((*lookup)->Original("no such id").status()));
}

TEST_F(RecordStoreTest, AnEmptyDatabaseSaysHowToFillIt) {
  EXPECT_THAT(Message(RecordLookup::Open(out_).status()), HasSubstr("rhodes ingest"));
}

}  // namespace
}  // namespace rhodes
