#include "store/rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "store/membership.h"
#include "store/record_store.h"
#include "store/source_directory.h"
#include "store/source_lock.h"
#include "store/suppression.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Mode = RecordWriter::Mode;

Record Post(int number, const std::string& author, const std::string& source = "posts") {
  Record record;
  record.source = source;
  record.kind = "post";
  record.author = author;
  record.text = fmt::format("post {} of {}", number, author);
  record.original = fmt::format("<p>{}</p>", record.text);
  record.id = ContentId({source, record.kind, record.original});
  record.time = number;
  record.channels = {{"likes", number}};
  record.fields = {{"number", std::to_string(number)}, {"post", std::to_string(1000 + number)}};
  record.origin = {"/posts.jsonl", static_cast<uint64_t>(number), static_cast<uint64_t>(number) + 1};
  record.reader = "test/1";
  return record;
}

class RewriteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    out_ = ::testing::TempDir() + "rhodes_rewrite_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(out_).ok());
    directory_ = out_ + "/records/posts";
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(out_).ok()); }

  void Write(const std::vector<Record>& records, Mode mode = Mode::kAppend) const {
    absl::StatusOr<std::unique_ptr<RecordWriter>> writer = RecordWriter::Open(out_, "posts", mode, RunContext());
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const Record& record : records) ASSERT_TRUE((*writer)->Append(record).ok());
    ASSERT_TRUE((*writer)->AddReject({{"/posts.jsonl", 5, 9}, "no post: \"by ann, torn\""}).ok());
    ASSERT_TRUE((*writer)->Commit("key", {{"format", "test"}}, 1).ok());
  }
  // One part each: ann 0, bob 1, ann 2 | bob 3, bob 4 | ann 5; ann 0 comes twice.
  void WriteThreeParts() const {
    Write({Post(0, "ann"), Post(1, "bob"), Post(2, "ann"), Post(0, "ann")});
    Write({Post(3, "bob"), Post(4, "bob"), Post(1, "bob")});
    Write({Post(5, "ann")});
  }
  // The values of `column` in the order of the rows; NULL as "-".
  std::vector<std::string> Column(const std::string& column) const {
    std::vector<std::string> values;
    const std::unique_ptr<Database> database = *Database::Open({});
    const std::vector<std::string> parts = *ListParts(out_, "posts");
    for (const std::string& part : parts) {
      absl::StatusOr<QueryResult> rows = database->Query(
          fmt::format("SELECT coalesce(CAST({} AS VARCHAR), '-') FROM read_parquet({})", column, SqlLiteral(part)));
      EXPECT_TRUE(rows.ok()) << rows.status();
      while (*rows->Next()) {
        for (size_t row = 0; row < rows->row_count(); ++row) values.emplace_back(rows->String(0, row));
      }
    }
    return values;
  }
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    const absl::StatusOr<std::vector<std::string>> paths = ListFiles(out_);
    for (const std::string& path : *paths) files[path.substr(out_.size())] = *Sha256OfFile(path);
    return files;
  }
  static SourceEdit Removing(const std::string& predicate) {
    SourceEdit edit;
    edit.rows.remove = predicate;
    return edit;
  }

  std::string out_;
  std::string directory_;
};

TEST_F(RewriteTest, OnlyPartsWithMatchesAreWrittenAgainInTheOrderOfTheirRows) {
  WriteThreeParts();
  const SourceManifest before = *ReadSourceManifest(directory_);
  const absl::StatusOr<RewriteReport> report = RewriteSource(directory_, Removing("author = 'ann'"), RunContext());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->removed, ElementsAre(Post(0, "ann").id, Post(2, "ann").id, Post(5, "ann").id));
  EXPECT_THAT(report->masked, IsEmpty());
  EXPECT_EQ(report->duplicates, 1u);
  EXPECT_THAT(Column("fields['number']"), ElementsAre("1", "3", "4"));
  const SourceManifest after = *ReadSourceManifest(directory_);
  ASSERT_EQ(after.parts.size(), 2u) << "a part without rows goes";
  EXPECT_EQ(after.parts[0].file, "part-00000.parquet");
  EXPECT_EQ(after.parts[0].rows, 1u);
  EXPECT_EQ(after.parts[0].sha256, *Sha256OfFile(directory_ + "/part-00000.parquet"));
  EXPECT_EQ(after.parts[0].bytes, *FileSize(directory_ + "/part-00000.parquet"));
  EXPECT_EQ(after.parts[1].sha256, before.parts[1].sha256) << "not written again";
  EXPECT_EQ(after.manifest.key, "key");
  EXPECT_EQ(after.manifest.counts["stored"], 6);
  EXPECT_EQ(after.manifest.counts["erased"], 3);
  EXPECT_EQ(after.manifest.counts["duplicates"], 2);
  EXPECT_EQ(after.manifest.counts["erased_duplicates"], 1);
  EXPECT_THAT(*ReadFile(directory_ + "/duplicates.jsonl"), HasSubstr(Post(1, "bob").id));
  EXPECT_EQ(*FileSize(directory_ + "/duplicates.jsonl"), after.duplicates_bytes);
  EXPECT_FALSE(PathExists(directory_ + "/part-00002.parquet"));
  EXPECT_FALSE(PathExists(directory_ + ".replaced"));
  std::vector<std::string> changed;
  for (const FileChange& file : report->files) changed.push_back(file.file + (file.after.empty() ? " gone" : ""));
  EXPECT_THAT(changed,
              ElementsAre("duplicates.jsonl", "manifest.json", "part-00000.parquet", "part-00002.parquet gone"));
}

TEST_F(RewriteTest, WhenNothingMatchesNothingIsTouched) {
  WriteThreeParts();
  const auto before = Files();
  const absl::StatusOr<RewriteReport> report = RewriteSource(directory_, Removing("author = 'eve'"), RunContext());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->any());
  EXPECT_EQ(Files(), before);
}

TEST_F(RewriteTest, AppendingGoesOnAfterARewriteAndKeepsItsCounts) {
  WriteThreeParts();
  ASSERT_TRUE(RewriteSource(directory_, Removing("author = 'ann'"), RunContext()).ok());
  Write({Post(6, "cay"), Post(3, "bob")});
  EXPECT_THAT(Column("fields['number']"), ElementsAre("1", "3", "4", "6"));
  const Json counts = ReadSourceManifest(directory_)->manifest.counts;
  EXPECT_EQ(counts["stored"], 7);
  EXPECT_EQ(counts["erased"], 3);
  EXPECT_EQ(counts["duplicates"], 3);
  EXPECT_EQ(counts["erased_duplicates"], 1);
}

TEST_F(RewriteTest, ManyRowsKeepTheirOrderWhateverThePredicate) {
  std::vector<Record> posts;
  for (int i = 0; i < 30000; ++i) posts.push_back(Post(i, i % 7 == 0 ? "ann" : "bob"));
  Write(posts);
  SourceEdit edit;
  edit.rows.prepare = [](Database& database) {
    return database.Execute("CREATE TEMP TABLE taken AS SELECT 1000 + 7 * range AS number FROM range(100000)");
  };
  edit.rows.remove = "try_cast(fields['post'] AS BIGINT) IN (SELECT number FROM taken)";
  const absl::StatusOr<RewriteReport> report = RewriteSource(directory_, edit, RunContext());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->removed.size(), 4286u);
  EXPECT_EQ(report->removed[1], Post(7, "ann").id);
  std::vector<std::string> expected;
  for (int i = 0; i < 30000; ++i) {
    if (i % 7 != 0) expected.push_back(std::to_string(i));
  }
  EXPECT_EQ(Column("fields['number']"), expected);
}

TEST_F(RewriteTest, MasksTakeValuesOutOfRowsThatStay) {
  Record quoting = Post(7, "bob");
  quoting.fields = {{"quote_author", "ann"}, {"quote_text", "what ann said"}, {"z", "1"}};
  quoting.latitude = 3;
  Write({Post(0, "ann"), quoting, Post(2, "bob")});
  SourceEdit edit = Removing("author = 'ann'");
  edit.rows.masks = {{"fields['quote_author'] = 'ann'",
                      {{"fields", FieldsWithout({"quote_author", "quote_text"}, "quote")}, {"original", "NULL"}}},
                     {"latitude IS NOT NULL", {{"fields", FieldsWithout({"z"}, "place")}, {"latitude", "NULL"}}}};
  const absl::StatusOr<RewriteReport> report = RewriteSource(directory_, edit, RunContext());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->removed, ElementsAre(Post(0, "ann").id));
  EXPECT_THAT(report->masked, ElementsAre(quoting.id));
  EXPECT_THAT(Column("fields"), ElementsAre("{masked=quote place}", "{number=2, post=1002}"));
  EXPECT_THAT(Column("original"), ElementsAre("-", "<p>post 2 of bob</p>"));
  EXPECT_THAT(Column("latitude"), ElementsAre("-", "-"));
  EXPECT_THAT(Column("channels"), ElementsAre("{likes=7.0}", "{likes=2.0}"));
  const std::unique_ptr<Database> database = *Database::Open({});
  EXPECT_EQ(*database->QueryCount(fmt::format("SELECT count(*) FROM read_parquet({}) WHERE text LIKE '%ann said%'",
                                              SqlLiteral(directory_ + "/part-00000.parquet"))),
            0u);
}

TEST_F(RewriteTest, ReasonsOfRejectsThatTellGo) {
  WriteThreeParts();
  SourceEdit edit;
  edit.tells = [](std::string_view line) { return line.find("by ann") != std::string_view::npos; };
  const absl::StatusOr<RewriteReport> report = RewriteSource(directory_, edit, RunContext());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->rejects, 3u);
  const std::string line = R"({"file":"/posts.jsonl","begin":5,"end":9,"reason":"erased on request"})"
                           "\n";
  EXPECT_EQ(*ReadFile(directory_ + "/rejects.jsonl"), line + line + line);
  EXPECT_EQ(ReadSourceManifest(directory_)->rejects_bytes, 3 * line.size());
  EXPECT_EQ(Column("id").size(), 6u);
}

TEST_F(RewriteTest, WhatAKillLeftIsEndedByTheNextRewrite) {
  WriteThreeParts();
  // Between the two renames of the exchange, and before the old directory was removed.
  ASSERT_TRUE(Rename(directory_, directory_ + ".replaced").ok());
  ASSERT_TRUE(CreateDirectories(directory_ + ".partial").ok());
  ASSERT_TRUE(RewriteSource(directory_, Removing("author = 'ann'"), RunContext()).ok());
  EXPECT_THAT(Column("author"), ElementsAre("bob", "bob", "bob"));
  std::filesystem::copy(directory_, directory_ + ".replaced");
  ASSERT_TRUE(RewriteSource(directory_, Removing("false"), RunContext()).ok());
  EXPECT_FALSE(PathExists(directory_ + ".replaced"));
  EXPECT_FALSE(PathExists(directory_ + ".partial"));
}

TEST_F(RewriteTest, UncommittedEndsOfLogsStayBehind) {
  WriteThreeParts();
  const std::string log = directory_ + "/rejects.jsonl";
  const std::string committed = *ReadFile(log);
  ASSERT_TRUE(WriteFileAtomically(log, committed + "{\"half").ok());
  ASSERT_TRUE(WriteFileAtomically(directory_ + "/part-00009.parquet", "never committed").ok());
  ASSERT_TRUE(RewriteSource(directory_, Removing("author = 'ann'"), RunContext()).ok());
  EXPECT_EQ(*ReadFile(log), committed);
  EXPECT_FALSE(PathExists(directory_ + "/part-00009.parquet"));
}

TEST_F(RewriteTest, EmptyingASourceLeavesItsManifest) {
  WriteThreeParts();
  const absl::StatusOr<RewriteReport> report = EmptySource(directory_, RunContext());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->removed.size(), 6u);
  EXPECT_THAT(*ListFiles(directory_), ElementsAre(directory_ + "/manifest.json"));
  const SourceManifest after = *ReadSourceManifest(directory_);
  EXPECT_EQ(after.manifest.key, "key");
  EXPECT_EQ(after.manifest.counts["stored"], 6);
  EXPECT_EQ(after.manifest.counts["erased"], 6);
  EXPECT_THAT(*ListParts(out_, "posts"), IsEmpty());
  Write({Post(8, "cay")});
  EXPECT_THAT(Column("author"), ElementsAre("cay"));
}

TEST_F(RewriteTest, ASourceThatIsBeingWrittenIsLeftAlone) {
  WriteThreeParts();
  const absl::StatusOr<SourceLock> lock = SourceLock::Take(out_ + "/records", "posts");
  ASSERT_TRUE(lock.ok());
  SourceEdit edit = Removing("author = 'ann'");
  const absl::Status status = RewriteSource(directory_, edit, RunContext()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  edit.locked = true;  // by the caller
  EXPECT_TRUE(RewriteSource(directory_, edit, RunContext()).ok());
}

TEST_F(RewriteTest, ErrorsSayWhat) {
  WriteThreeParts();
  const absl::Status wrong = RewriteSource(directory_, Removing("autor = 'ann'"), RunContext()).status();
  EXPECT_TRUE(absl::IsInvalidArgument(wrong)) << wrong;
  EXPECT_THAT(Message(wrong), HasSubstr("autor"));
  EXPECT_TRUE(absl::IsNotFound(RewriteSource(out_ + "/records/none", Removing("true"), RunContext()).status()));
}

TEST(Membership, TellsIdsAndListsOfIdsAndTakesNullForNo) {
  const std::unique_ptr<Database> database = *Database::Open({});
  IdSet ids;
  const std::string id = ContentId({"x"});
  ids.Insert(KeyOfId(id));
  ASSERT_TRUE(RegisterIdSet(*database, "gone", &ids).ok());
  const auto count = [&](const std::string& expression) {
    return *database->QueryCount(fmt::format("SELECT count(*) FROM (SELECT {} AS hit) WHERE hit", expression));
  };
  EXPECT_EQ(count("gone('" + id + "')"), 1u);
  EXPECT_EQ(count("gone('" + ContentId({"y"}) + "')"), 0u);
  EXPECT_EQ(count("gone(NULL::VARCHAR)"), 0u);
  EXPECT_EQ(count("gone(['a', NULL, '" + id + "'])"), 1u);
  EXPECT_EQ(count("gone(['a', NULL])"), 0u);
  EXPECT_EQ(count("gone([]::VARCHAR[])"), 0u);
  EXPECT_EQ(count("NOT gone(NULL::VARCHAR[])"), 1u);
}

class SuppressionTest : public RewriteTest {};

TEST_F(SuppressionTest, WhatWasErasedIsNotStoredAgainAndNamesAreNotReadable) {
  ASSERT_TRUE(Suppression::Load(out_)->empty());
  EXPECT_FALSE(Suppression::Load(out_)->Suppresses(Post(0, "ann")));
  Record by_number = Post(1, "renamed");
  by_number.fields = {{"user", "123456"}};
  Record repost = Post(2, "bob");
  repost.fields = {{"repost_author", "annabel lee"}};
  Record device = Post(3, "VIN0001");
  device.kind = "drive";
  ASSERT_TRUE(Suppression::Add(out_, {{"annabel lee", "123456"}, {"VIN0001"}, {Post(9, "bob").id}, {"feed"}}).ok());
  const std::string file = *ReadFile(out_ + "/records/.erased.json");
  for (const char* name : {"annabel", "123456", "VIN0001"}) EXPECT_EQ(file.find(name), std::string::npos) << name;
  const Suppression list = *Suppression::Load(out_);
  EXPECT_TRUE(list.Suppresses(Post(0, "annabel lee")));
  EXPECT_TRUE(list.Suppresses(by_number));
  EXPECT_TRUE(list.Suppresses(repost));
  EXPECT_TRUE(list.Suppresses(device));
  EXPECT_TRUE(list.Suppresses(Post(9, "bob")));
  EXPECT_TRUE(list.Suppresses(Post(1, "bob", "feed")));
  EXPECT_FALSE(list.Suppresses(Post(1, "bob")));
  EXPECT_FALSE(list.Suppresses(Post(3, "VIN0001"))) << "a post is by an author, not by a device";
  EXPECT_FALSE(list.Suppresses(Post(3, "")));
  // Adding again changes nothing; the salt stays.
  ASSERT_TRUE(Suppression::Add(out_, {{"annabel lee"}, {}, {}, {}}).ok());
  EXPECT_EQ(*ReadFile(out_ + "/records/.erased.json"), file);
}

TEST_F(SuppressionTest, QuotedWordsOfAnErasedAuthorAreTakenOut) {
  ASSERT_TRUE(Suppression::Add(out_, {{"ann"}, {}, {}, {}}).ok());
  const Suppression list = *Suppression::Load(out_);
  Record quoting = Post(7, "bob");
  quoting.fields = {{"lang", "en"}, {"quote_author", "ann"}, {"quote_text", "what ann said"}};
  EXPECT_FALSE(list.Apply(quoting));
  EXPECT_EQ(quoting.original, "");
  EXPECT_THAT(quoting.fields, ElementsAre(std::pair<std::string, std::string>("lang", "en"),
                                          std::pair<std::string, std::string>("masked", "quote")));
  EXPECT_FALSE(list.Apply(quoting)) << "and again";
  EXPECT_EQ(quoting.fields.back().second, "quote");
}

TEST_F(SuppressionTest, TheWriterRejectsWhatWasErased) {
  ASSERT_TRUE(Suppression::Add(out_, {{"ann"}, {}, {}, {}}).ok());
  Write({Post(0, "ann"), Post(1, "bob")}, Mode::kReplace);
  EXPECT_THAT(Column("author"), ElementsAre("bob"));
  EXPECT_THAT(*ReadFile(directory_ + "/rejects.jsonl"), HasSubstr("\"reason\":\"erased on request\""));
  const Json counts = ReadSourceManifest(directory_)->manifest.counts;
  EXPECT_EQ(counts["read"], 3);
  EXPECT_EQ(counts["rejected"], 2);
}

TEST_F(SuppressionTest, ADamagedListStopsTheWriter) {
  ASSERT_TRUE(CreateDirectories(out_ + "/records").ok());
  ASSERT_TRUE(WriteFileAtomically(out_ + "/records/.erased.json", "{").ok());
  EXPECT_TRUE(absl::IsDataLoss(Suppression::Load(out_).status()));
  EXPECT_FALSE(RecordWriter::Open(out_, "posts", Mode::kAppend, RunContext()).ok());
}

}  // namespace
}  // namespace rhodes
