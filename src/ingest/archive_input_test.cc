// Archives, standard input and files that were taken before.
#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/archive.h"
#include "base/file.h"
#include "ingest/ingest.h"
#include "table/database.h"

namespace rhodes {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Member {
  std::string name;
  std::string bytes;
  bool link = false;
};

// A zip, or a tar packed with `filter` (ARCHIVE_FILTER_NONE, _GZIP, _ZSTD, ...).
void WriteArchive(const std::string& path, bool zip, int filter, const std::vector<Member>& members) {
  struct archive* archive = archive_write_new();
  ASSERT_EQ(zip ? archive_write_set_format_zip(archive) : archive_write_set_format_ustar(archive), ARCHIVE_OK);
  ASSERT_EQ(archive_write_add_filter(archive, filter), ARCHIVE_OK);
  ASSERT_EQ(archive_write_open_filename(archive, path.c_str()), ARCHIVE_OK) << archive_error_string(archive);
  for (const Member& member : members) {
    struct archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.name.c_str());
    archive_entry_set_perm(entry, 0644);
    if (member.link) {
      archive_entry_set_filetype(entry, AE_IFLNK);
      archive_entry_set_symlink(entry, member.bytes.c_str());
    } else {
      archive_entry_set_filetype(entry, AE_IFREG);
      archive_entry_set_size(entry, static_cast<int64_t>(member.bytes.size()));
    }
    ASSERT_EQ(archive_write_header(archive, entry), ARCHIVE_OK) << archive_error_string(archive);
    if (!member.link) {
      ASSERT_EQ(archive_write_data(archive, member.bytes.data(), member.bytes.size()),
                static_cast<la_ssize_t>(member.bytes.size()));
    }
    archive_entry_free(entry);
  }
  archive_write_close(archive);
  archive_write_free(archive);
}

std::string Lines(size_t count) {
  std::string lines;
  for (size_t i = 0; i < count; ++i) lines += fmt::format("{{\"text\":\"line {} of many\",\"n\":{}}}\n", i, i);
  return lines;
}

class ArchiveInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static int number = 0;
    directory_ = fs::temp_directory_path() / fmt::format("rhodes-archive-{}-{}", getpid(), number++);
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  void Write(const std::string& name, std::string_view bytes) const {
    fs::create_directories((directory_ / name).parent_path());
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
  }

  IngestReport Run(std::vector<std::string> paths, const std::string& format = "auto") {
    IngestOptions options;
    options.paths = std::move(paths);
    options.format = format;
    options.name = "s";
    options.out = Path("out");
    options.mode = RecordWriter::Mode::kAppend;
    RunContext context;
    context.threads = 2;
    absl::StatusOr<IngestReport> report = Ingest(options, context);
    EXPECT_TRUE(report.ok()) << Message(report.status());
    return report.ok() ? *report : IngestReport{};
  }

  std::vector<std::string> Column(const std::string& sql) {
    std::vector<std::string> values;
    const std::vector<std::string> parts = ListParts(Path("out"), "s").value();
    std::string list;
    for (const std::string& part : parts) list += (list.empty() ? "" : ", ") + SqlLiteral(part);
    const std::unique_ptr<Database> database = Database::Open({}).value();
    QueryResult result = database->Query(fmt::format("SELECT {} FROM read_parquet([{}])", sql, list)).value();
    while (result.Next().value()) {
      for (size_t row = 0; row < result.row_count(); ++row) values.emplace_back(result.String(0, row));
    }
    return values;
  }

  fs::path directory_;
};

TEST_F(ArchiveInputTest, MembersAreReadAsFilesAndFoundAgainByTheirPath) {
  const std::vector<Member> members = {{"a.jsonl", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n"},
                                       {"deep/b.csv", "text,n\nthree,3\n"},
                                       {"big.jsonl", Lines(60'000)},
                                       {"link", "/etc/passwd", true}};
  for (const auto& [name, zip, filter] :
       std::vector<std::tuple<std::string, bool, int>>{{"x.zip", true, ARCHIVE_FILTER_NONE},
                                                       {"x.tar", false, ARCHIVE_FILTER_NONE},
                                                       {"x.tar.gz", false, ARCHIVE_FILTER_GZIP},
                                                       {"x.tar.zst", false, ARCHIVE_FILTER_ZSTD}}) {
    fs::remove_all(Path("out"));
    WriteArchive(Path(name), zip, filter, members);
    const IngestReport report = Run({Path(name)});
    EXPECT_EQ(report.counts.read, 60'003u) << name;
    EXPECT_EQ(report.counts.stored, 60'003u) << name;
    const std::vector<std::string> origin = Column("file || ' ' || \"begin\" || ' ' || \"end\"");
    EXPECT_EQ(origin[1], Path(name) + "!/a.jsonl 15 29");
    const std::unique_ptr<ByteReader> reader = OpenFileOrMember(Path(name) + "!/deep/b.csv").value();
    char bytes[64];
    EXPECT_EQ(std::string_view(bytes, reader->Read(bytes, sizeof bytes).value()), members[1].bytes);
    EXPECT_THAT(Message(OpenFileOrMember(Path(name) + "!/none").status()), HasSubstr("no such member"));
  }
}

TEST_F(ArchiveInputTest, WhatIsUnsafeBrokenOrABombIsRejectedAndTheRestIsRead) {
  WriteArchive(Path("x.zip"), true, ARCHIVE_FILTER_NONE,
               {{"../../etc/evil.jsonl", "{\"text\":\"no\"}\n"}, {"good.jsonl", "{\"text\":\"yes\"}\n"}});
  IngestReport report = Run({Path("x.zip")});
  EXPECT_EQ(report.counts.stored, 1u);
  EXPECT_EQ(report.counts.rejected, 1u);
  EXPECT_THAT(ReadFile(Path("out/rejects/s.jsonl")).value(), HasSubstr("leads out of the archive"));

  WriteArchive(Path("y.tar.gz"), false, ARCHIVE_FILTER_GZIP, {{"big.jsonl", Lines(200'000)}});
  const std::string whole = ReadFile(Path("y.tar.gz")).value();
  Write("y.tar.gz", whole.substr(0, whole.size() / 2));
  fs::remove_all(Path("out"));
  report = Run({Path("y.tar.gz")});
  EXPECT_GT(report.counts.stored, 50'000u);
  EXPECT_GE(report.counts.rejected, 1u);
  EXPECT_EQ(report.counts.read, report.counts.stored + report.counts.rejected);
}

// A little over a gibibyte of blanks in about a megabyte.
void WriteBomb(const std::string& path) {
  struct archive* archive = archive_write_new();
  ASSERT_EQ(archive_write_set_format_zip(archive), ARCHIVE_OK);
  ASSERT_EQ(archive_write_set_options(archive, "zip:compression-level=1"), ARCHIVE_OK);
  ASSERT_EQ(archive_write_open_filename(archive, path.c_str()), ARCHIVE_OK);
  constexpr int64_t kSize = (int64_t{1} << 30) + (int64_t{64} << 20);
  struct archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, "bomb.jsonl");
  archive_entry_set_perm(entry, 0644);
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_size(entry, kSize);
  ASSERT_EQ(archive_write_header(archive, entry), ARCHIVE_OK);
  const std::string blanks(size_t{16} << 20, ' ');
  for (int64_t written = 0; written < kSize; written += static_cast<int64_t>(blanks.size())) {
    ASSERT_EQ(archive_write_data(archive, blanks.data(), blanks.size()), static_cast<la_ssize_t>(blanks.size()));
  }
  archive_entry_free(entry);
  archive_write_close(archive);
  archive_write_free(archive);
}

TEST_F(ArchiveInputTest, AZipBombIsRejectedAndNotHeld) {
  WriteBomb(Path("bomb.zip"));
  ASSERT_LT(fs::file_size(Path("bomb.zip")), size_t{6} << 20);
  Write("good.jsonl", Lines(10));
  const IngestReport report = Run({Path("bomb.zip"), Path("good.jsonl")});
  EXPECT_EQ(report.counts.stored, 10u);
  EXPECT_GE(report.counts.rejected, 1u);
  EXPECT_EQ(report.counts.read, report.counts.stored + report.counts.rejected);
  EXPECT_THAT(ReadFile(Path("out/rejects/s.jsonl")).value(), HasSubstr("an archive bomb"));
}

TEST_F(ArchiveInputTest, AFileTakenBeforeIsKnownByItsContent) {
  Write("a.jsonl", Lines(1000));
  Write("copy/b.jsonl", Lines(1000));
  Write("c.jsonl", Lines(1001));
  EXPECT_EQ(Run({Path("a.jsonl")}).counts.stored, 1000u);
  IngestReport report = Run({Path("a.jsonl")});
  EXPECT_EQ(report.counts.read, 1000u);
  EXPECT_EQ(report.counts.duplicates, 1000u);
  EXPECT_EQ(report.counts.known, 1000u);
  report = Run({Path("copy")});
  EXPECT_EQ(report.counts.known, 1000u);
  EXPECT_THAT(ReadFile(Path("out/records/s/files.jsonl")).value(), HasSubstr("copy/b.jsonl"));
  report = Run({Path("c.jsonl")});
  EXPECT_EQ(report.counts.known, 0u);
  EXPECT_EQ(report.counts.duplicates, 1000u);
  EXPECT_EQ(report.counts.stored, 1u);
  // Read in another way it is read again.
  report = Run({Path("a.jsonl")}, "text");
  EXPECT_EQ(report.counts.known, 0u);
  EXPECT_EQ(report.counts.stored, 1u);
}

TEST_F(ArchiveInputTest, StandardInputIsReadOnceToItsEnd) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const std::string lines = Lines(500);
  ASSERT_EQ(write(pipe_ends[1], lines.data(), lines.size()), static_cast<ssize_t>(lines.size()));
  close(pipe_ends[1]);
  const int before = dup(STDIN_FILENO);
  dup2(pipe_ends[0], STDIN_FILENO);
  close(pipe_ends[0]);
  const IngestReport report = Run({"-"});
  dup2(before, STDIN_FILENO);
  close(before);
  EXPECT_EQ(report.counts.stored, 500u);
  EXPECT_THAT(Column("DISTINCT file"), ElementsAre("(standard input)"));
}

}  // namespace
}  // namespace rhodes
