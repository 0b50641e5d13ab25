// Directories in which files grow, come, go, are rotated, cut short and renamed.
#include "follow/directory_stream.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "base/file.h"

namespace rhodes {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::string Line(int number) { return fmt::format(R"({{"id":"{0}","text":"record {0}"}})", number) + "\n"; }
std::string Lines(int begin, int end) {
  std::string lines;
  for (int i = begin; i < end; ++i) lines += Line(i);
  return lines;
}

class DirectoryStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "/directory_stream." + std::to_string(::getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_ + "/in");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string In(const std::string& name) const { return directory_ + "/in/" + name; }
  void Append(const std::string& name, const std::string& bytes) const {
    std::ofstream(In(name), std::ios::app | std::ios::binary) << bytes;
  }
  // Written elsewhere and moved in.
  void MoveIn(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory_ + "/out", std::ios::binary) << bytes;
    std::filesystem::rename(directory_ + "/out", In(name));
  }

  static DirectoryStreamTiming Fast() {
    DirectoryStreamTiming timing;
    timing.settle = milliseconds(30);
    timing.quiet = milliseconds(250);
    timing.rescan = milliseconds(60);
    return timing;
  }

  void Open(const std::string& query = "", const Json& position = nullptr,
            const DirectoryStreamTiming& timing = Fast()) {
    auto read = std::make_shared<ReadOptions>();
    read->source = "test";
    read->record_limit = record_limit_;
    const auto url = ParseStreamUrl("dir://" + directory_ + "/in" + query);
    ASSERT_TRUE(url.ok()) << url.status();
    auto stream = OpenDirectoryStream(*url, position, {read, uint64_t{64} << 20}, timing);
    ASSERT_TRUE(stream.ok()) << stream.status();
    stream_ = *std::move(stream);
    records_.clear();
    rejects_.clear();
  }
  // Closes and opens again at the position, which has been text meanwhile.
  void Reopen(const std::string& query = "") {
    const Json kept = *ParseJson(DumpJson(stream_->position()), "kept");
    stream_.reset();
    Open(query, kept);
  }
  void Until(const std::function<bool()>& done, milliseconds most = milliseconds(10'000)) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!done() && std::chrono::steady_clock::now() < end) {
      auto next = stream_->Next(milliseconds(10));
      ASSERT_TRUE(next.ok()) << next.status();
      if (!next->has_value()) continue;
      for (const Record& record : (*next)->parsed.records) ++records_[record.text];
      for (const Reject& reject : (*next)->parsed.rejects) rejects_.push_back(reject);
    }
  }
  void UntilRecords(size_t count) {
    Until([&] { return records_.size() >= count; });
    EXPECT_EQ(records_.size(), count);
  }
  void For(int time) {
    Until([] { return false; }, milliseconds(time));
  }
  // Every record from `begin` to `end` came, once.
  void ExpectOnce(int begin, int end) const {
    EXPECT_EQ(records_.size(), static_cast<size_t>(end - begin));
    for (int i = begin; i < end; ++i) {
      const auto found = records_.find(fmt::format("record {}", i));
      EXPECT_TRUE(found != records_.end() && found->second == 1) << i;
    }
  }
  std::vector<std::string> Reasons() const {
    std::vector<std::string> reasons;
    for (const Reject& reject : rejects_) reasons.push_back(reject.reason);
    return reasons;
  }

  std::string directory_;
  uint64_t record_limit_ = uint64_t{1} << 20;
  std::unique_ptr<Stream> stream_;
  std::map<std::string, int> records_;
  std::vector<Reject> rejects_;
};

TEST_F(DirectoryStreamTest, TailsGrowingFilesByWholeRecords) {
  Append("a.jsonl", Lines(0, 3) + Line(3).substr(0, 10));
  Open("?format=jsonl");
  UntilRecords(3);
  Append("a.jsonl", Line(3).substr(10));
  Append("b.jsonl", Lines(4, 6));
  Append("b.jsonl", Lines(6, 8));
  UntilRecords(8);
  For(300);
  ExpectOnce(0, 8);
  EXPECT_THAT(Reasons(), ElementsAre());
  EXPECT_EQ(stream_->health().behind, 0u);
}

TEST_F(DirectoryStreamTest, OpenedAtAnOldPositionItGivesExactlyTheRest) {
  Append("a.jsonl", Lines(0, 5) + Line(5).substr(0, 7));
  Open();
  UntilRecords(5);
  Reopen();  // killed within a record
  Append("a.jsonl", Line(5).substr(7) + Lines(6, 9));
  Append("new.jsonl", Lines(9, 12));
  UntilRecords(7);
  ExpectOnce(5, 12);
  Reopen();
  For(300);
  EXPECT_EQ(records_.size(), 0u);
  EXPECT_THAT(Reasons(), ElementsAre());
}

TEST_F(DirectoryStreamTest, WhatIsLeftAtTheEndIsGivenOnceTheFileIsQuiet) {
  Append("a.jsonl", Line(0) + R"({"id":"1","text":"record 1"})");
  Append("b.jsonl", Line(2) + R"({"id":"3","te)");
  Open();
  UntilRecords(3);
  Until([&] { return !rejects_.empty(); });
  EXPECT_EQ(rejects_.size(), 1u);
  EXPECT_EQ(rejects_[0].origin.begin, Line(2).size());
  EXPECT_EQ(rejects_[0].origin.file, In("b.jsonl"));
  Append("b.jsonl", "xt\n" + Line(4));  // too late for the half record, but the next one is whole
  UntilRecords(4);
  EXPECT_EQ(records_.count("record 4"), 1u);
}

TEST_F(DirectoryStreamTest, RotationLosesNothingAndRenamingGivesNothingAgain) {
  Open("?pattern=*.log&format=jsonl");
  std::ofstream log(In("app.log"), std::ios::app);
  log << Lines(0, 3) << std::flush;
  UntilRecords(3);
  // To a name that does not fit, while the writer goes on writing to it, and removed then.
  std::filesystem::rename(In("app.log"), In("app.log.1"));
  Append("app.log", Lines(5, 7));
  log << Lines(3, 5) << std::flush;
  UntilRecords(7);
  log << Lines(7, 9) << std::flush;
  log.close();
  std::filesystem::remove(In("app.log.1"));
  UntilRecords(9);
  // To a name that fits.
  std::filesystem::rename(In("app.log"), In("old.log"));
  Append("app.log", Lines(9, 10));
  UntilRecords(10);
  For(300);
  std::filesystem::rename(In("old.log"), In("older.log"));  // finished by now
  For(200);
  ExpectOnce(0, 10);
  Reopen("?pattern=*.log&format=jsonl");
  std::filesystem::rename(In("older.log"), In("oldest.log"));
  For(300);
  EXPECT_EQ(records_.size(), 0u);
  EXPECT_THAT(Reasons(), ElementsAre());
}

TEST_F(DirectoryStreamTest, RotatedWhileNobodyLookedItIsFoundByWhatItIs) {
  Append("app.log", Lines(0, 3));
  Open("?pattern=app.log&format=jsonl");
  UntilRecords(3);
  const Json kept = stream_->position();
  stream_.reset();
  Append("app.log", Lines(3, 5));
  std::filesystem::rename(In("app.log"), In("app.log.1"));
  Append("app.log", Lines(5, 6));
  Open("?pattern=app.log&format=jsonl", kept);
  UntilRecords(3);
  ExpectOnce(3, 6);
  EXPECT_THAT(Reasons(), ElementsAre());
}

TEST_F(DirectoryStreamTest, AFileThatIsCutShortIsReadFromItsBeginning) {
  Append("a.jsonl", Lines(0, 5));
  Open("?format=jsonl");
  UntilRecords(5);
  std::filesystem::resize_file(In("a.jsonl"), 0);
  For(100);
  Append("a.jsonl", Lines(5, 7));
  UntilRecords(7);
  // Written anew in place, and longer than it was: only its first bytes tell.
  std::ofstream(In("a.jsonl"), std::ios::trunc) << Lines(10, 20);
  UntilRecords(17);
  for (const auto& [text, count] : records_) EXPECT_EQ(count, 1) << text;
  EXPECT_THAT(Reasons(), ElementsAre());
}

TEST_F(DirectoryStreamTest, WhatWasSeenAndRemovedUnreadIsToldInAReject) {
  Append("a.jsonl", Lines(0, 3) + std::string(R"({"id":"half)"));
  Open("?format=jsonl");
  UntilRecords(3);
  const Json kept = stream_->position();
  stream_.reset();
  std::filesystem::remove(In("a.jsonl"));
  Open("?format=jsonl", kept);
  Until([&] { return !rejects_.empty(); });
  ASSERT_EQ(rejects_.size(), 1u);
  EXPECT_EQ(rejects_[0].reason, "the file was removed before this was read");
  EXPECT_EQ(rejects_[0].origin.begin, Lines(0, 3).size());
  EXPECT_EQ(stream_->position()["files"].size(), 0u);
}

TEST_F(DirectoryStreamTest, CompressedFilesAreTakenWhenTheyAreWhole) {
  Open("?format=jsonl");
  const auto write = [](gzFile file, const std::string& text) {
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  };
  gzFile file = gzopen(In("a.jsonl.gz").c_str(), "wb");
  write(file, Lines(0, 50));
  gzflush(file, Z_SYNC_FLUSH);
  For(150);
  EXPECT_EQ(records_.size(), 0u);
  write(file, Lines(50, 100));
  gzclose(file);
  UntilRecords(100);
  ExpectOnce(0, 100);
  Reopen("?format=jsonl");
  For(300);
  EXPECT_EQ(records_.size(), 0u);
  EXPECT_THAT(Reasons(), ElementsAre());
}

TEST_F(DirectoryStreamTest, WholeFileFormatsAndTablesAreTakenToo) {
  MoveIn("page.html",
         "<html lang=\"en\"><title>T</title><body><h1>Head</h1><p>A paragraph that says something.</p></body></html>");
  Open();
  UntilRecords(1);
  MoveIn("table.csv", "text,speed\nfirst,10\nsec");
  Until([&] { return records_.size() >= 2; });
  Append("table.csv", "ond,20\nthird,30\n");
  Until([&] { return records_.size() >= 4; });
  EXPECT_EQ(records_.count("second"), 1u);
  const Json kept = *ParseJson(DumpJson(stream_->position()), "kept");
  Append("table.csv", "fourth,40\n");
  Open("", kept);  // the header is known after a restart too
  UntilRecords(1);
  EXPECT_EQ(records_.count("fourth"), 1u);
  EXPECT_THAT(Reasons(), ElementsAre());
}

TEST_F(DirectoryStreamTest, ARecordLongerThanTheLimitIsSkippedAlsoOverARestart) {
  record_limit_ = 10'000;
  Append("a.jsonl", Line(0) + R"({"text":")" + std::string(50'000, 'x'));
  Open("?format=jsonl");
  UntilRecords(1);
  For(50);
  Reopen("?format=jsonl");
  Append("a.jsonl", std::string(50'000, 'x') + "\"}\n" + Line(1));
  UntilRecords(1);
  EXPECT_EQ(records_.count("record 1"), 1u);
  ASSERT_EQ(rejects_.size(), 1u);
  EXPECT_EQ(rejects_[0].reason, "record longer than 10000 bytes");
  EXPECT_EQ(rejects_[0].origin.begin, Line(0).size());
  EXPECT_EQ(rejects_[0].origin.end, Line(0).size() + 100'012);
}

TEST_F(DirectoryStreamTest, PositionsStayBoundedOverThousandsOfFiles) {
  for (int i = 0; i < 2500; ++i) Append(fmt::format("{:05}.jsonl", i), Line(i));
  DirectoryStreamTiming timing = Fast();
  timing.quiet = milliseconds(100);
  timing.rescan = milliseconds(100);
  Open("?format=jsonl", nullptr, timing);
  UntilRecords(2500);
  Until([&] { return stream_->position()["files"].size() <= 1024; });
  const Json position = stream_->position();
  EXPECT_LE(position["files"].size(), 1024u);
  EXPECT_LT(DumpJson(position).size(), 300'000u);
  ExpectOnce(0, 2500);
  Append("new.jsonl", Line(2500));
  std::filesystem::rename(In("02499.jsonl"), In("renamed.jsonl"));
  Open("?format=jsonl", *ParseJson(DumpJson(position), "kept"), timing);
  UntilRecords(1);
  For(300);
  ExpectOnce(2500, 2501);
}

TEST_F(DirectoryStreamTest, FilesMovedInWithOldTimesAreNotMissed) {
  for (int i = 0; i < 1500; ++i) Append(fmt::format("{:05}.jsonl", i), Line(i));
  DirectoryStreamTiming timing = Fast();
  timing.quiet = milliseconds(50);
  Open("?format=jsonl", nullptr, timing);
  UntilRecords(1500);
  Until([&] { return stream_->position().contains("folded"); });
  std::ofstream(directory_ + "/old") << Line(1500);
  const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (directory_ + "/old").c_str(), times, 0), 0);
  const Json kept = stream_->position();
  stream_.reset();
  std::filesystem::rename(directory_ + "/old", In("old.jsonl"));  // while nobody watches
  Open("?format=jsonl", kept, timing);
  UntilRecords(1);
  EXPECT_EQ(records_.count("record 1500"), 1u);
}

TEST_F(DirectoryStreamTest, ADirectoryThatGoesAwayIsTroubleUntilItIsBack) {
  Append("a.jsonl", Lines(0, 2));
  Open("?format=jsonl");
  UntilRecords(2);
  std::filesystem::rename(directory_ + "/in", directory_ + "/away");
  Until([&] { return !stream_->health().connected; });
  EXPECT_THAT(stream_->health().trouble, HasSubstr("/in"));
  std::filesystem::create_directories(directory_ + "/in");
  Append("b.jsonl", Lines(2, 4));
  UntilRecords(4);
  ExpectOnce(0, 4);
  Until([&] { return stream_->health().connected; });
  EXPECT_TRUE(stream_->health().connected);
}

TEST_F(DirectoryStreamTest, FilesThatCannotBeReadAreToldOnceAndTakenWhenTheyCan) {
  Append("a.jsonl", Lines(0, 2));
  ASSERT_EQ(::chmod(In("a.jsonl").c_str(), 0), 0);
  const uid_t user = ::geteuid();
  if (user == 0) {  // who reads everything
    ASSERT_EQ(::chmod((directory_ + "/in").c_str(), 0755), 0);
    ASSERT_EQ(::seteuid(65534), 0);
  }
  Open("?format=jsonl");
  For(300);
  EXPECT_THAT(Reasons(), ElementsAre(HasSubstr("ermission denied")));
  ASSERT_EQ(::seteuid(user), 0);
  ASSERT_EQ(::chmod(In("a.jsonl").c_str(), 0644), 0);
  UntilRecords(2);
  EXPECT_EQ(rejects_.size(), 1u);
}

TEST_F(DirectoryStreamTest, BinaryRubbishIsOneReject) {
  MoveIn("a.bin", std::string("\x7f"
                              "ELF") +
                      std::string(1000, '\0'));
  MoveIn("b.gz", std::string("\x1f\x8b\x08\x00rubbish that is no gzip", 26));
  Append("c.jsonl", Line(0));
  Open();
  UntilRecords(1);
  Until([&] { return rejects_.size() >= 2; });
  For(300);
  EXPECT_THAT(Reasons(), UnorderedElementsAre(HasSubstr("a program"), HasSubstr("gzip")));
}

TEST_F(DirectoryStreamTest, RefusesWrongAddressesByName) {
  const auto message = [](const std::string& text, const Json& position = nullptr) {
    const auto url = ParseStreamUrl(text);
    if (!url.ok()) return Message(url.status());
    const auto stream = OpenDirectoryStream(*url, position, {std::make_shared<ReadOptions>(), 1 << 20});
    return stream.ok() ? std::string("ok") : Message(stream.status());
  };
  EXPECT_THAT(message("dir:///no/such/place"), HasSubstr("/no/such/place is no directory"));
  EXPECT_THAT(message("dir:///tmp?format=jsnl"), HasSubstr("did you mean jsonl?"));
  EXPECT_THAT(message("dir:///tmp?patern=x"), HasSubstr("did you mean \"pattern\"?"));
  EXPECT_THAT(message("dir:///tmp?pattern=a/b"), HasSubstr("without a slash"));
  EXPECT_THAT(message("dir:///tmp?quiet=x"), HasSubstr("quiet is seconds"));
  EXPECT_THAT(message("dir:///tmp", Json{{"files", Json::array({1})}}), HasSubstr("is damaged"));
}

}  // namespace
}  // namespace rhodes
