#include "store/record_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <random>

#include "base/file.h"
#include "base/hash.h"
#include "store/id_set.h"
#include "store/views.h"
#include "table/database.h"

namespace rhodes {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Mode = RecordWriter::Mode;

Record MakeRecord(int number) {
  Record record;
  record.source = "news";
  record.kind = number % 2 == 0 ? "story" : "note";
  record.text = fmt::format("record {} خبر {}", number, std::string(static_cast<size_t>(number % 50), 'x'));
  record.original = number % 3 == 0 ? record.text : "<p>" + record.text + "</p>";
  record.id = ContentId({record.source, record.kind, record.original});
  record.time = int64_t{1000000} * number;
  record.fields = {{"number", std::to_string(number)}};
  record.channels = {{"height", number / 2.0}};
  record.origin = {fmt::format("/data/{}.jsonl", number / 1000), static_cast<uint64_t>(number) * 100,
                   static_cast<uint64_t>(number) * 100 + 90};
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

  absl::StatusOr<std::unique_ptr<RecordWriter>> Open(Mode mode, const std::string& source = "news") const {
    return RecordWriter::Open(out_, source, mode, RunContext());
  }
  static absl::Status AppendAll(RecordWriter& writer, int begin, int end) {
    for (int i = begin; i < end; ++i) RETURN_IF_ERROR(writer.Append(MakeRecord(i)));
    return absl::OkStatus();
  }
  absl::StatusOr<IngestCounts> Write(Mode mode, int begin, int end) const {
    ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer, Open(mode));
    RETURN_IF_ERROR(AppendAll(*writer, begin, end));
    return writer->Commit("key", Json::object(), 1.5);
  }
  // The numbers of the stored records, in order.
  std::vector<uint64_t> Stored(const std::string& source = "news") const {
    std::vector<uint64_t> numbers;
    const absl::StatusOr<std::vector<std::string>> parts = ListParts(out_, source);
    EXPECT_TRUE(parts.ok()) << parts.status();
    const std::unique_ptr<Database> database = *Database::Open({});
    for (const std::string& part : *parts) {
      absl::StatusOr<QueryResult> rows =
          database->Query("SELECT fields['number']::UBIGINT FROM read_parquet(" + SqlLiteral(part) + ")");
      EXPECT_TRUE(rows.ok()) << rows.status();
      while (*rows->Next()) {
        for (size_t row = 0; row < rows->row_count(); ++row) numbers.push_back(rows->UInt64(0, row));
      }
    }
    return numbers;
  }
  static std::vector<uint64_t> Range(uint64_t end) {
    std::vector<uint64_t> range(end);
    for (uint64_t i = 0; i < end; ++i) range[i] = i;
    return range;
  }
  // Path below OUT and SHA-256 of every file that belongs to the records.
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    const absl::StatusOr<std::vector<std::string>> paths = ListFiles(out_);
    EXPECT_TRUE(paths.ok()) << paths.status();
    for (const std::string& path : *paths) files[path.substr(out_.size())] = *Sha256OfFile(path);
    return files;
  }

  std::string out_;
};

TEST_F(RecordStoreTest, StoresRecordsInOrderAndCountsAddUp) {
  absl::StatusOr<std::unique_ptr<RecordWriter>> writer = Open(Mode::kReplace);
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE(AppendAll(**writer, 0, 5000).ok());
  ASSERT_TRUE((*writer)->Append(MakeRecord(17)).ok());
  ASSERT_TRUE((*writer)->AddReject({Origin{"/data/\"q\".jsonl", 5, 9}, "not\njson"}).ok());
  (*writer)->AddBytes(12345);
  EXPECT_THAT(*ListSources(out_), IsEmpty()) << "nothing is visible before Commit()";
  const absl::StatusOr<IngestCounts> counts = (*writer)->Commit("the key", {{"format", "jsonl"}}, 2.0);
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->read, 5002u);
  EXPECT_EQ(counts->stored, 5000u);
  EXPECT_EQ(counts->duplicates, 1u);
  EXPECT_EQ(counts->rejected, 1u);
  EXPECT_EQ(counts->bytes, 12345u);
  EXPECT_THAT(*ListSources(out_), ElementsAre("news"));
  EXPECT_EQ(Stored(), Range(5000));
  const std::string directory = out_ + "/records/news";
  EXPECT_EQ(
      *ReadFile(directory + "/duplicates.jsonl"),
      fmt::format("{{\"id\":\"{}\",\"file\":\"/data/0.jsonl\",\"begin\":1700,\"end\":1790}}\n", MakeRecord(17).id));
  EXPECT_EQ(*ReadFile(directory + "/rejects.jsonl"),
            "{\"file\":\"/data/\\\"q\\\".jsonl\",\"begin\":5,\"end\":9,\"reason\":\"not\\njson\"}\n");
  EXPECT_EQ(*ReadFile(out_ + "/rejects/news.jsonl"), *ReadFile(directory + "/rejects.jsonl"));
  const Json manifest = *ReadJsonFile(directory + "/manifest.json");
  EXPECT_EQ(manifest["key"], "the key");
  EXPECT_EQ(manifest["counts"]["stored"], 5000);
  EXPECT_EQ(manifest["parts"].size(), 1u);
  EXPECT_EQ(manifest["parts"][0]["rows"], 5000);
  EXPECT_EQ(manifest["parts"][0]["sha256"], *Sha256OfFile(directory + "/part-00000.parquet"));
}

TEST_F(RecordStoreTest, TheSameRecordsGiveTheSameBytes) {
  ASSERT_TRUE(Write(Mode::kReplace, 0, 20000).ok());
  const auto first = Files();
  ASSERT_TRUE(Write(Mode::kReplace, 0, 20000).ok());
  EXPECT_EQ(Files(), first);
}

TEST_F(RecordStoreTest, AppendAddsPartsAndKnowsWhatWasStoredBefore) {
  ASSERT_TRUE(Write(Mode::kAppend, 0, 100).ok());
  const absl::StatusOr<IngestCounts> counts = Write(Mode::kAppend, 50, 150);
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->stored, 50u);
  EXPECT_EQ(counts->duplicates, 50u);
  EXPECT_EQ(Stored(), Range(150));
  EXPECT_EQ(ListParts(out_, "news")->size(), 2u);
  const Json manifest = *ReadJsonFile(out_ + "/records/news/manifest.json");
  EXPECT_EQ(manifest["counts"]["read"], 200);
  EXPECT_EQ(manifest["counts"]["stored"], 150);
}

TEST_F(RecordStoreTest, WithoutCommitNothingOfItRemains) {
  ASSERT_TRUE(Write(Mode::kAppend, 0, 100).ok());
  const auto before = Files();
  for (const Mode mode : {Mode::kAppend, Mode::kReplace}) {
    absl::StatusOr<std::unique_ptr<RecordWriter>> writer = Open(mode);
    ASSERT_TRUE(AppendAll(**writer, 0, 300).ok());
    writer->reset();
    EXPECT_EQ(Files(), before);
    ASSERT_TRUE(Open(mode, "other").ok());
    EXPECT_THAT(*ListSources(out_), ElementsAre("news"));
    ASSERT_TRUE(RemoveTree(out_ + "/records/.other.lock").ok());
  }
}

TEST_F(RecordStoreTest, WhatAnUnfinishedAppendLeftIsRemoved) {
  ASSERT_TRUE(Write(Mode::kAppend, 0, 100).ok());
  const auto before = Files();
  const std::string directory = out_ + "/records/news";
  ASSERT_TRUE(WriteFileAtomically(directory + "/part-00001.parquet", "half a part").ok());
  ASSERT_TRUE(WriteFileAtomically(directory + "/rejects.jsonl", "{\"half\":").ok());
  EXPECT_EQ(Stored(), Range(100)) << "readers go by the manifest";
  ASSERT_TRUE(Open(Mode::kAppend).ok());
  EXPECT_EQ(Files(), before);
}

TEST_F(RecordStoreTest, AKillBetweenTheTwoRenamesLosesNothing) {
  ASSERT_TRUE(Write(Mode::kReplace, 0, 100).ok());
  ASSERT_TRUE(Rename(out_ + "/records/news", out_ + "/records/news.replaced").ok());
  EXPECT_THAT(*ListSources(out_), ElementsAre("news"));
  EXPECT_EQ(Stored(), Range(100));
  ASSERT_TRUE(Write(Mode::kAppend, 100, 120).ok());
  EXPECT_EQ(Stored(), Range(120));
}

// A child process appends and is killed at a random moment; what it had committed is whole, and going on ends with the
// same bytes as if nothing had happened.
TEST_F(RecordStoreTest, KilledAtAnyMomentItGoesOnToTheSameBytes) {
  ASSERT_TRUE(Write(Mode::kAppend, 0, 3000).ok());
  ASSERT_TRUE(Write(Mode::kAppend, 3000, 6000).ok());
  const auto expected = Files();
  std::mt19937 random(1);
  int killed = 0;
  for (int round = 0; round < 8; ++round) {
    ASSERT_TRUE(RemoveTree(out_).ok());
    ASSERT_TRUE(Write(Mode::kAppend, 0, 3000).ok());
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
      execl("/proc/self/exe", "store_test", "--gtest_filter=AppendInAChild.*", "--gtest_also_run_disabled_tests",
            ("--rhodes_out=" + out_).c_str(), nullptr);
      _exit(127);
    }
    usleep(random() % 90000);
    kill(child, SIGKILL);
    int state = 0;
    waitpid(child, &state, 0);
    killed += WIFSIGNALED(state);
    ASSERT_GE(Stored().size(), 3000u);
    ASSERT_TRUE(Open(Mode::kAppend).ok());  // clears up
    if (Stored().size() == 3000u) {
      ASSERT_TRUE(Write(Mode::kAppend, 3000, 6000).ok());
    }
    ASSERT_EQ(Files(), expected);
  }
  EXPECT_GT(killed, 0);
}

TEST_F(RecordStoreTest, AFullDiskIsOneClearErrorAndWhatWasThereStays) {
  ASSERT_TRUE(Write(Mode::kAppend, 0, 100).ok());
  const auto before = Files();
  rlimit unlimited{};
  getrlimit(RLIMIT_FSIZE, &unlimited);
  const rlimit small{64 << 10, unlimited.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  for (const Mode mode : {Mode::kAppend, Mode::kReplace}) {
    setrlimit(RLIMIT_FSIZE, &small);
    const absl::StatusOr<IngestCounts> counts = Write(mode, 0, 40000);
    setrlimit(RLIMIT_FSIZE, &unlimited);
    EXPECT_TRUE(absl::IsResourceExhausted(counts.status())) << counts.status();
    EXPECT_THAT(Message(counts.status()), HasSubstr("free some space"));
    EXPECT_EQ(Files(), before);
  }
  EXPECT_EQ(Write(Mode::kAppend, 0, 200)->stored, 100u);
}

TEST_F(RecordStoreTest, ASecondWriterOfOneSourceIsRefused) {
  const absl::StatusOr<std::unique_ptr<RecordWriter>> first = Open(Mode::kReplace);
  const absl::Status second = Open(Mode::kAppend).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second)) << second;
  EXPECT_THAT(Message(second), AllOf(HasSubstr("news"), HasSubstr("another run")));
  EXPECT_TRUE(Open(Mode::kReplace, "other").ok());
}

TEST_F(RecordStoreTest, NamesThatCannotBeASourceAreRefused) {
  ASSERT_TRUE(Write(Mode::kReplace, 0, 1).ok());
  for (const char* name : {"", "../x", ".hidden", "a/b", "x.partial", "x.replaced", "records", "Corpus", "NEWS"}) {
    EXPECT_EQ(ExitCodeOf(Open(Mode::kReplace, name).status()), ExitCode::kUsage) << name;
  }
}

TEST_F(RecordStoreTest, TextThatIsNotUtf8IsRepairedAndItsBytesAreKept) {
  absl::StatusOr<std::unique_ptr<RecordWriter>> writer = Open(Mode::kReplace);
  Record record = MakeRecord(3);
  record.text = std::string("caf\xE9 \0 end", 10);
  record.original = record.text;
  record.fields = {{"k", "1"}, {"k", "\xFF"}};
  record.channels = {{"c", 1}, {"c", 2}, {"c", 3}};
  ASSERT_TRUE((*writer)->Append(record).ok());
  ASSERT_TRUE((*writer)->Commit("", Json::object(), 0).ok());
  const std::unique_ptr<Database> database = *Database::Open({});
  absl::StatusOr<QueryResult> rows =
      database->Query("SELECT text, original, fields['k[2]'], channels['c[3]'] FROM read_parquet(" +
                      SqlLiteral(ListParts(out_, "news")->front()) + ")");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_TRUE(*rows->Next());
  EXPECT_EQ(rows->String(0, 0), std::string_view("caf\xEF\xBF\xBD \0 end", 12));
  EXPECT_EQ(rows->String(1, 0), record.text);
  EXPECT_EQ(rows->String(2, 0), "\xEF\xBF\xBD");
  EXPECT_EQ(rows->Double(3, 0), 3);
  EXPECT_EQ(*(*RecordLookup::Open(out_))->Original(record.id), record.text);
}

TEST_F(RecordStoreTest, LookupFindsOriginsAndOriginals) {
  ASSERT_TRUE(Write(Mode::kAppend, 0, 3000).ok());
  ASSERT_TRUE(Write(Mode::kAppend, 3000, 5000).ok());
  for (const uint64_t index_rows : {uint64_t{0}, uint64_t{1000000}}) {  // without and with the index
    const absl::StatusOr<std::unique_ptr<RecordLookup>> lookup = RecordLookup::Open(out_, index_rows);
    ASSERT_TRUE(lookup.ok()) << lookup.status();
    const absl::StatusOr<std::vector<RecordOrigin>> found =
        (*lookup)->Find({MakeRecord(4001).id, "no such id", MakeRecord(6).id, MakeRecord(4001).id});
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_EQ(found->size(), 3u);
    EXPECT_EQ((*found)[0].id, MakeRecord(4001).id);
    EXPECT_EQ((*found)[0].source, "news");
    EXPECT_EQ((*found)[0].kind, "note");
    EXPECT_EQ((*found)[0].origin.file, "/data/4.jsonl");
    EXPECT_EQ((*found)[0].origin.begin, 400100u);
    EXPECT_EQ((*found)[0].origin.end, 400190u);
    EXPECT_EQ((*found)[1].id, MakeRecord(6).id);
    EXPECT_EQ((*found)[2].id, MakeRecord(4001).id);
    EXPECT_EQ(*(*lookup)->Original(MakeRecord(4001).id), MakeRecord(4001).original);
    EXPECT_EQ(*(*lookup)->Original(MakeRecord(6).id), MakeRecord(6).text);
    EXPECT_TRUE(absl::IsNotFound((*lookup)->Original("no such id").status()));
  }
}

TEST_F(RecordStoreTest, WithoutRecordsNothingIsFound) {
  const absl::StatusOr<std::unique_ptr<RecordLookup>> lookup = RecordLookup::Open(out_);
  ASSERT_TRUE(lookup.ok()) << lookup.status();
  EXPECT_THAT(*(*lookup)->Find({"x"}), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound((*lookup)->Original("x").status()));
  EXPECT_TRUE(absl::IsNotFound(ListParts(out_, "news").status()));
  ASSERT_TRUE(Write(Mode::kReplace, 0, 0).ok());  // a source that has no record
  EXPECT_THAT(*ListSources(out_), ElementsAre("news"));
  EXPECT_THAT(*ListParts(out_, "news"), IsEmpty());
}

TEST_F(RecordStoreTest, ViewsShowAllRecordsEachSourceAndSourcesWithoutAny) {
  const std::unique_ptr<Database> none = *Database::Open({});
  EXPECT_THAT(Message(CreateViews(*none, out_)), HasSubstr("rhodes ingest"));
  ASSERT_TRUE((*Open(Mode::kReplace, "empty"))->Commit("", Json::object(), 0).ok());
  const std::unique_ptr<Database> empty = *Database::Open({});
  ASSERT_TRUE(CreateViews(*empty, out_).ok());
  EXPECT_EQ(*empty->QueryCount("SELECT count(fields['number']) FROM records"), 0u);
  ASSERT_TRUE(Write(Mode::kReplace, 0, 10).ok());
  const std::unique_ptr<Database> database = *Database::Open({});
  ASSERT_TRUE(CreateViews(*database, out_).ok());
  EXPECT_EQ(*database->QueryCount("SELECT count(*) FROM records WHERE source = 'news' AND channels['height'] >= 0"),
            10u);
  EXPECT_EQ(*database->QueryCount("SELECT count(*) FROM news WHERE \"end\" = \"begin\" + 90"), 10u);
  EXPECT_EQ(*database->QueryCount("SELECT count(*) FROM empty"), 0u);
}

TEST_F(RecordStoreTest, ADamagedManifestOrPartIsNamed) {
  ASSERT_TRUE(Write(Mode::kAppend, 0, 10).ok());
  const std::string directory = out_ + "/records/news";
  ASSERT_TRUE(WriteFileAtomically(directory + "/part-00000.parquet", "PAR1 nonsense").ok());
  EXPECT_THAT(Message(Open(Mode::kAppend).status()), HasSubstr("part-00000.parquet"));
  ASSERT_TRUE(WriteFileAtomically(directory + "/manifest.json", "{\"key\":\"\"}").ok());
  const absl::Status status = Open(Mode::kAppend).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(Message(status), HasSubstr("manifest.json"));
}

TEST(IdSet, HoldsEachIdOnceThroughGrowth) {
  IdSet set;
  EXPECT_TRUE(set.Insert({0, 0}));
  EXPECT_FALSE(set.Insert({0, 0}));
  for (uint64_t i = 1; i <= 100000; ++i) ASSERT_TRUE(set.Insert({i, i * 0x9E3779B97F4A7C15u}));
  for (uint64_t i = 1; i <= 100000; ++i) ASSERT_FALSE(set.Insert({i, i * 0x9E3779B97F4A7C15u}));
  EXPECT_EQ(set.size(), 100001u);
}

TEST(IdSet, KeysAreTheDigitsOrAHashOfOtherIds) {
  EXPECT_EQ(KeyOfId("0123456789abcdeffedcba9876543210"), (IdKey{0x0123456789abcdef, 0xfedcba9876543210}));
  EXPECT_EQ(KeyOfId("row 7"), KeyOfId(ContentId({"row 7"})));
  EXPECT_FALSE(KeyOfId("0123456789ABCDEFFEDCBA9876543210") == KeyOfId("0123456789abcdeffedcba9876543210"));
}

// Not a test of its own: what the killed child above runs.
TEST(AppendInAChild, DISABLED_Run) {
  std::string out;
  for (const std::string& argument : ::testing::internal::GetArgvs()) {
    if (argument.starts_with("--rhodes_out=")) out = argument.substr(argument.find('=') + 1);
  }
  const absl::StatusOr<std::unique_ptr<RecordWriter>> writer =
      RecordWriter::Open(out, "news", Mode::kAppend, RunContext());
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (int i = 3000; i < 6000; ++i) ASSERT_TRUE((*writer)->Append(MakeRecord(i)).ok());
  ASSERT_TRUE((*writer)->Commit("key", Json::object(), 1.5).ok());
}

}  // namespace
}  // namespace rhodes
