// Input beyond every limit: it is never held in memory. With RHODES_LONG_TESTS set, at full size (a line of 1 GiB).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "ingest/file_cutter.h"
#include "ingest/inputs.h"

namespace rhodes {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::SizeIs;

bool Long() { return std::getenv("RHODES_LONG_TESTS") != nullptr; }
uint64_t LineBytes() { return uint64_t{Long() ? 1024U : 96U} << 20; }

// The most private memory (without mapped files) that the process held since the last call, in bytes.
uint64_t PeakBytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  uint64_t kilobytes = 0;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) kilobytes = std::strtoull(line.c_str() + 6, nullptr, 10);
  }
  std::ofstream("/proc/self/clear_refs") << "5";
  return kilobytes << 10;
}

// Hands `before`, `size` times 'a', and `after` to `sink`, a MiB at a time.
template <typename Sink>
void WriteLongLine(uint64_t size, std::string_view before, std::string_view after, Sink&& sink) {
  sink(before, false);
  const std::string piece(size_t{1} << 20, 'a');
  for (uint64_t done = 0; done < size; done += piece.size()) sink(piece, false);
  sink(after, true);
}

void WriteGzip(const std::string& path, uint64_t size, std::string_view before, std::string_view after) {
  const gzFile file = gzopen(path.c_str(), "wb1");
  WriteLongLine(size, before, after, [&](std::string_view bytes, bool) {
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  });
  gzclose(file);
}

void WriteZstd(const std::string& path, uint64_t size, std::string_view before, std::string_view after) {
  std::ofstream file(path, std::ios::binary);
  ZSTD_CStream* stream = ZSTD_createCStream();
  ZSTD_initCStream(stream, 1);
  std::string buffer(ZSTD_CStreamOutSize(), '\0');
  WriteLongLine(size, before, after, [&](std::string_view bytes, bool last) {
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    size_t left = 1;
    while (input.pos < input.size || (last && left != 0)) {
      ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
      left = ZSTD_compressStream2(stream, &output, &input, last ? ZSTD_e_end : ZSTD_e_continue);
      file.write(buffer.data(), static_cast<std::streamsize>(output.pos));
    }
  });
  ZSTD_freeCStream(stream);
}

class LimitsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() / fmt::format("rhodes-limits-{}", getpid());
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::string Path(const std::string& name) const { return (directory_ / name).string(); }

  ParsedBlock ReadAll(const std::string& path, const char* format) {
    FileCutter::Settings settings;
    settings.format = FindFormat(format).value();
    auto options = std::make_shared<ReadOptions>();
    options->source = "s";
    ParsedBlock all;
    auto reader = ByteReader::Open(path);
    EXPECT_TRUE(reader.ok());
    if (!reader.ok()) return all;
    auto cutter = FileCutter::Open(path, *std::move(reader), settings, options);
    while (std::optional<Piece> piece = cutter->Next()) {
      ParsedBlock parsed = ParsePiece(*std::move(piece));
      for (Record& record : parsed.records) all.records.push_back(std::move(record));
      for (Reject& reject : parsed.rejects) all.rejects.push_back(std::move(reject));
    }
    return all;
  }

  fs::path directory_;
};

TEST_F(LimitsTest, Next_ALineOfAGigabyteIsRejectedAndNotHeld) {
  struct Case {
    const char* format;
    const char* before;
    const char* after;
    const char* reason;
  };
  for (const Case& kind :
       {Case{"jsonl", "{\"text\":\"first\"}\n{\"text\":\"", "\"}\n{\"text\":\"last\"}\n", "longer than"},
        Case{"json", "[\n{\"text\":\"first\"},\n{\"text\":\"", "\"},\n{\"text\":\"last\"}\n]\n", "longer than"},
        Case{"csv", "text,n\nfirst,1\n\"", "\",2\nlast,3\n", ""},
        Case{"tsv", "text\tn\nfirst\t1\n", "\t2\nlast\t3\n", "longer than"}}) {
    WriteGzip(Path("x.gz"), LineBytes(), kind.before, kind.after);
    WriteZstd(Path("x.zst"), LineBytes(), kind.before, kind.after);
    {
      std::ofstream plain(Path("x"), std::ios::binary);
      WriteLongLine(LineBytes(), kind.before, kind.after, [&](std::string_view bytes, bool) { plain << bytes; });
    }
    for (const char* name : {"x.gz", "x.zst", "x"}) {
      PeakBytes();
      const ParsedBlock parsed = ReadAll(Path(name), kind.format);
      const uint64_t peak = PeakBytes();
      // The limit, blocks, and what the process had before; a mapped file's pages are the system's.
      const bool mapped = std::string_view(name) == "x";
      EXPECT_LT(peak, (mapped ? LineBytes() : 0) + (uint64_t{400} << 20)) << kind.format << " " << name;
      ASSERT_GE(parsed.records.size(), 1U) << kind.format << " " << name;
      EXPECT_EQ(parsed.records.front().text, "first") << kind.format << " " << name;
      EXPECT_EQ(parsed.records.back().text, "last") << kind.format << " " << name;
      EXPECT_EQ(parsed.records.size(), 2U) << kind.format << " " << name;
      ASSERT_GE(parsed.rejects.size(), 1U) << kind.format << " " << name;
      EXPECT_THAT(parsed.rejects[0].reason, HasSubstr(kind.reason)) << kind.format << " " << name;
    }
  }
}

TEST_F(LimitsTest, Next_ASparseFileOfZeros) {
  std::ofstream(Path("holes.jsonl"), std::ios::binary) << "{\"text\":\"first\"}\n";
  fs::resize_file(Path("holes.jsonl"), LineBytes());
  const ParsedBlock parsed = ReadAll(Path("holes.jsonl"), "jsonl");
  EXPECT_THAT(parsed.records, SizeIs(1));
  ASSERT_THAT(parsed.rejects, SizeIs(1));
  EXPECT_THAT(parsed.rejects[0].reason, HasSubstr("longer than"));
  EXPECT_EQ(parsed.rejects[0].origin.end, LineBytes());
}

TEST_F(LimitsTest, ResolveInputs_LoopsOfLinksEnd) {
  fs::create_directories(directory_ / "a/b");
  std::ofstream(Path("a/b/file.txt")) << "text";
  fs::create_directory_symlink(directory_ / "a", directory_ / "a/b/up");
  fs::create_symlink("second", directory_ / "a/first");
  fs::create_symlink("first", directory_ / "a/second");
  fs::create_symlink("itself", directory_ / "a/itself");
  const auto files = ResolveInputs({Path("a")});
  ASSERT_TRUE(files.ok());
  ASSERT_THAT(*files, SizeIs(1));
  EXPECT_THAT((*files)[0].path, HasSubstr("a/b/file.txt"));
  const auto globbed = ResolveInputs({Path("a/**/*.txt")});
  ASSERT_TRUE(globbed.ok());
  EXPECT_THAT(*globbed, SizeIs(1));
  // Named, a link to itself is an error that names it.
  EXPECT_THAT(Message(ResolveInputs({Path("a/itself")}).status()), HasSubstr("a/itself"));
}

}  // namespace
}  // namespace rhodes
