#include "ingest/ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>

#include "base/decompress.h"
#include "base/file.h"
#include "base/hash.h"
#include "ingest/file_cutter.h"
#include "ingest/inputs.h"

namespace rhodes {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<unsigned int>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<unsigned int>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(const std::string& bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

// Lines whose text does not compress to nothing.
std::string Lines(size_t count, size_t first = 0) {
  std::string lines;
  for (size_t i = first; i < first + count; ++i) {
    lines += fmt::format("{{\"text\":\"{}\",\"n\":{}}}\n", Sha256Hex(fmt::format("{}", i)), i);
  }
  return lines;
}

class IngestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static int number = 0;
    directory_ = fs::temp_directory_path() / fmt::format("rhodes-ingest-{}-{}", getpid(), number++);
    fs::create_directories(directory_ / "in");
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Write(const std::string& name, std::string_view bytes) {
    const fs::path path = directory_ / "in" / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }
  std::string Out() const { return (directory_ / "out").string(); }

  absl::StatusOr<IngestReport> Run(std::vector<std::string> paths, const std::string& format = "auto", int threads = 2,
                                   const std::string& name = "s") {
    IngestOptions options;
    options.paths = std::move(paths);
    options.format = format;
    options.name = name;
    options.out = Out();
    options.reject_tolerance = tolerance_;
    options.record_limit = limit_;
    RunContext context;
    context.threads = threads;
    context.memory_bytes = memory_;
    return Ingest(options, context);
  }
  std::string Rejects(const std::string& name = "s") const {
    return ReadFile(Out() + "/rejects/" + name + ".jsonl").value();
  }

  fs::path directory_;
  double tolerance_ = 1.0;
  uint64_t limit_ = uint64_t{64} << 20;
  uint64_t memory_ = uint64_t{256} << 20;
};

void ExpectCounts(const IngestReport& report, uint64_t stored, uint64_t duplicates, uint64_t rejected) {
  EXPECT_EQ(report.counts.stored, stored);
  EXPECT_EQ(report.counts.duplicates, duplicates);
  EXPECT_EQ(report.counts.rejected, rejected);
  EXPECT_EQ(report.counts.read, stored + duplicates + rejected);
}

TEST_F(IngestTest, Ingest_CountsAddUpOverAMixedDirectory) {
  Write("a.jsonl", "{\"text\":\"one\"}\n{\"text\":\"one\"}\nbroken\n");
  Write("b.csv", "text,n\ntwo,2\n");
  Write("deep/c.txt.gz", Gzip("three"));
  Write("deep/d.html", "<html><body>four</body></html>");
  Write("deep/e.1", ".TH E 1\n.SH NAME\ne \\- five\n");
  Write("f.bin", std::string("\0\1\2\3", 4));
  Write("empty", "");
  const absl::StatusOr<IngestReport> report = Run({(directory_ / "in").string()});
  ASSERT_TRUE(report.ok()) << report.status();
  ExpectCounts(*report, 5, 1, 2);
  EXPECT_EQ(report->files, 7U);
  EXPECT_THAT(Rejects(), HasSubstr("not JSON"));
  EXPECT_THAT(Rejects(), HasSubstr("binary"));
  const Json json = ToJson(*report);
  for (const char* key : {"read", "stored", "duplicates", "rejected", "bytes", "seconds"})
    EXPECT_TRUE(json.contains(key));
}

TEST_F(IngestTest, Ingest_TheStoredBytesDoNotDependOnTheThreads) {
  Write("big.jsonl", Lines(60'000) + "broken\n" + Lines(100));
  Write("big.jsonl.gz", Gzip(Lines(40'000, 100'000)));
  for (int i = 0; i < 50; ++i) Write(fmt::format("small/{}.txt", i), fmt::format("text {}", i / 2));
  std::string first;
  for (const int threads : {1, 2, 7}) {
    const absl::StatusOr<IngestReport> report = Run({(directory_ / "in").string()}, "auto", threads);
    ASSERT_TRUE(report.ok()) << report.status();
    ExpectCounts(*report, 100'025, 100 + 25, 1);
    std::string all;
    const std::vector<std::string> files = ListFiles(Out()).value();
    for (const std::string& file : files) {
      if (!file.ends_with("manifest.json")) all += file + *Sha256OfFile(file) + "\n";
    }
    if (first.empty()) first = all;
    EXPECT_EQ(all, first) << threads << " threads";
  }
}

TEST_F(IngestTest, Ingest_ATruncatedGzKeepsWhatIsWholeAndRejectsTheTail) {
  const std::string lines = Lines(50'000);
  const std::string gz = Gzip(lines);
  for (const size_t size : {gz.size() / 2, size_t{3000}}) {  // a large file and a small one
    const std::string path = Write("cut.jsonl.gz", gz.substr(0, size));
    const absl::StatusOr<IngestReport> report = Run({path}, "jsonl");
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_GT(report->counts.stored, size / 200);
    ExpectCounts(*report, report->counts.stored, 0, 1);
    // All whole lines before the break are there.
    const Json reject = ParseJson(Rejects(), "rejects").value();
    const size_t begin = reject["begin"];
    EXPECT_EQ(begin, lines.substr(0, reject["end"].get<size_t>()).rfind('\n') + 1);
    EXPECT_EQ(static_cast<uint64_t>(std::count(lines.begin(), lines.begin() + static_cast<ptrdiff_t>(begin), '\n')),
              report->counts.stored);
    EXPECT_THAT(reject["reason"].get<std::string>(), HasSubstr("truncated"));
  }
}

TEST_F(IngestTest, Ingest_RejectsALineBeyondTheLimitWithoutHoldingIt) {
  limit_ = 100'000;
  const std::string lines = Lines(100) + "{\"text\":\"" + std::string(5'000'000, 'x') + "\"}\n" + Lines(100, 1000) +
                            std::string(3'000'000, 'y');
  for (const std::string& path :
       {Write("plain.jsonl", lines), Write("packed.jsonl.gz", Gzip(lines)), Write("packed.jsonl.zst", Zstd(lines))}) {
    const absl::StatusOr<IngestReport> report = Run({path}, "jsonl");
    ASSERT_TRUE(report.ok()) << report.status();
    ExpectCounts(*report, 200, 0, 2);
    EXPECT_THAT(Rejects(), HasSubstr("longer than 100000 bytes")) << path;
  }
}

TEST_F(IngestTest, Ingest_SmallFilesThatUnpackToMuchStayWithinTheBudget) {
  memory_ = uint64_t{16} << 20;
  for (int i = 0; i < 3; ++i)
    Write(fmt::format("{}.zst", i), Zstd(std::string(6 << 20, ' ') + "\n" + Lines(10, 10 * static_cast<size_t>(i))));
  const absl::StatusOr<IngestReport> report = Run({(directory_ / "in").string()}, "jsonl");
  ASSERT_TRUE(report.ok()) << report.status();
  ExpectCounts(*report, 30, 0, 0);
}

TEST_F(IngestTest, Ingest_ErrorsNameWhatAndWhere) {
  EXPECT_EQ(Run({"/nonexistent/x.jsonl"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(Run({"/nonexistent/x.jsonl"}).status()), HasSubstr("/nonexistent/x.jsonl"));
  EXPECT_THAT(Message(Run({(directory_ / "in/*.csv").string()}).status()), HasSubstr("in/*.csv: no file matches"));
  EXPECT_EQ(ExitCodeOf(Run({Write("a", "b")}, "jsom").status()), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(Run({Write("a", "b")}, "text", 1, "../x").status()), ExitCode::kUsage);
}

TEST_F(IngestTest, Ingest_BeyondTheToleranceNothingChanges) {
  ASSERT_TRUE(Run({Write("good.jsonl", Lines(10))}).ok());
  const std::string before = *Sha256OfFile(Out() + "/records/s/manifest.json");
  tolerance_ = 0.1;
  const absl::StatusOr<IngestReport> report = Run({Write("bad.jsonl", Lines(8) + "x\ny\n")}, "jsonl");
  EXPECT_EQ(ExitCodeOf(report.status()), ExitCode::kRejected);
  EXPECT_THAT(Message(report.status()), HasSubstr("2 of 10 rejected"));
  EXPECT_THAT(Message(report.status()), HasSubstr("bad.jsonl"));
  EXPECT_EQ(*Sha256OfFile(Out() + "/records/s/manifest.json"), before);
  tolerance_ = 0.2;
  EXPECT_TRUE(Run({Write("bad.jsonl", Lines(8) + "x\ny\n")}, "jsonl").ok());
}

TEST_F(IngestTest, Ingest_StopsWhenAsked) {
  std::atomic<bool> cancelled{true};
  RunContext context;
  context.cancelled = &cancelled;
  IngestOptions options;
  options.paths = {Write("a.jsonl", Lines(10))};
  options.name = "s";
  options.out = Out();
  EXPECT_EQ(ExitCodeOf(Ingest(options, context).status()), ExitCode::kInterrupted);
}

TEST_F(IngestTest, Ingest_ParquetRowsThatRhodesWrote) {
  ASSERT_TRUE(Run({Write("a.jsonl", Lines(5000))}, "jsonl", 2, "first").ok());
  const absl::StatusOr<IngestReport> report = Run({Out() + "/records/first/*.parquet"}, "auto", 2, "second");
  ASSERT_TRUE(report.ok()) << report.status();
  ExpectCounts(*report, 5000, 0, 0);
}

TEST_F(IngestTest, Ingest_BrokenParquetIsOneReject) {
  const absl::StatusOr<IngestReport> report = Run({Write("a.parquet", "PAR1 and nothing that follows it PAR1")});
  ASSERT_TRUE(report.ok()) << report.status();
  ExpectCounts(*report, 0, 0, 1);
  EXPECT_THAT(Rejects(), HasSubstr("not readable as Parquet"));
}

TEST_F(IngestTest, Ingest_ReadsAllSampleDataWithoutFailing) {
  const std::string data = RHODES_SOURCE_DIR "/../shared/data/generic";
  if (!PathExists(data)) GTEST_SKIP() << "no sample data here";
  const absl::StatusOr<IngestReport> report = Run({data});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GT(report->counts.stored, 100U);
  ExpectCounts(*report, report->counts.stored, report->counts.duplicates, report->counts.rejected);
}

TEST_F(IngestTest, ResolveInputs_GlobsDirectoriesAndLoops) {
  const std::string root = (directory_ / "in").string();
  Write("b/2.txt", "2");
  Write("b/c/3.txt", "3");
  Write("b/c/.hidden", "h");
  Write("a.txt", "1");
  Write("odd[1].txt", "o");
  fs::create_directory_symlink(root, root + "/b/loop");
  fs::create_symlink("nowhere", root + "/b/dangling");
  const auto names = [&](const std::vector<std::string>& paths) {
    std::vector<std::string> found;
    const absl::StatusOr<std::vector<InputFile>> files = ResolveInputs(paths);
    EXPECT_TRUE(files.ok()) << files.status();
    if (files.ok()) {
      for (const InputFile& file : *files) found.push_back(file.path.substr(root.size() + 1));
    }
    return found;
  };
  EXPECT_THAT(names({root}), ElementsAre("a.txt", "b/2.txt", "b/c/.hidden", "b/c/3.txt", "odd[1].txt"));
  EXPECT_THAT(names({root + "/*.txt", root + "/a.txt"}), ElementsAre("a.txt", "odd[1].txt"));
  EXPECT_THAT(names({root + "/**/*.txt"}), ElementsAre("a.txt", "b/2.txt", "b/c/3.txt", "odd[1].txt"));
  EXPECT_THAT(names({root + "/b/**/3.txt"}), ElementsAre("b/c/3.txt"));
  EXPECT_THAT(names({root + "/odd[1].txt"}), ElementsAre("odd[1].txt"));
  EXPECT_THAT(names({root + "/b/../a.txt", root + "//a.txt"}), ElementsAre("a.txt"));
  EXPECT_THAT(names({root + "/b/c/*"}), ElementsAre("b/c/3.txt"));
}

TEST_F(IngestTest, InputsFingerprint_ChangesWithAnyFileAndIsFast) {
  for (int i = 0; i < 2000; ++i) Write(fmt::format("{}/{}.txt", i % 10, i), "x");
  const std::string root = (directory_ / "in").string();
  const auto begun = std::chrono::steady_clock::now();
  const std::string first = InputsFingerprint({root}).value();
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(), 0.5);
  EXPECT_EQ(InputsFingerprint({root}).value(), first);
  Write("3/13.txt", "xy");
  EXPECT_NE(InputsFingerprint({root}).value(), first);
}

TEST_F(IngestTest, FileCutter_PlainAndPackedGiveTheSameRecords) {
  const std::string lines = Lines(3000) + "x\n\n" + Lines(10, 5000);
  ReadOptions options;
  options.source = "s";
  std::vector<std::string> results;
  for (const std::string& path :
       {Write("a.jsonl", lines), Write("a.jsonl.gz", Gzip(lines)), Write("a.jsonl.zst", Zstd(lines))}) {
    for (const size_t block : {size_t{1000}, size_t{50'000}, size_t{16} << 20}) {
      FileCutter::Settings settings;
      settings.block_bytes = block;
      const std::unique_ptr<FileCutter> cutter =
          FileCutter::Open(path, ByteReader::Open(path).value(), settings, std::make_shared<ReadOptions>(options));
      std::string result;
      std::string rejects;
      uint64_t bytes = 0;
      uint64_t consumed = 0;
      while (std::optional<Piece> piece = cutter->Next()) {
        bytes += piece->uncompressed;
        consumed += piece->consumed;
        const ParsedBlock parsed = ParsePiece(*std::move(piece));
        for (const Record& record : parsed.records) {
          result += record.id;
          EXPECT_EQ(lines.substr(record.origin.begin, record.origin.end - record.origin.begin), record.original);
        }
        for (const Reject& reject : parsed.rejects) rejects += fmt::format("{} {}", reject.origin.begin, reject.reason);
      }
      EXPECT_EQ(bytes, lines.size());
      EXPECT_EQ(consumed, FileSize(path).value());
      results.push_back(Sha256Hex(result + rejects));
    }
  }
  EXPECT_THAT(results, ::testing::Each(results[0]));
}

}  // namespace
}  // namespace rhodes
