#include "base/decompress.h"

#include <bzlib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>

namespace rhodes {
namespace {

using ::testing::HasSubstr;

std::string Sample(size_t size) {
  std::string bytes;
  uint32_t state = 1;
  while (bytes.size() < size) {
    state = state * 1664525 + 1013904223;
    bytes += fmt::format("line {} of the sample\n", state >> 12);
  }
  bytes.resize(size);
  return bytes;
}

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

std::string Bzip2(const std::string& bytes) {
  std::string out(bytes.size() + bytes.size() / 100 + 600, '\0');
  auto size = static_cast<unsigned int>(out.size());
  BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(bytes.data()), static_cast<unsigned int>(bytes.size()),
                           1, 0, 0);
  out.resize(size);
  return out;
}

std::string Xz(const std::string& bytes) {
  std::string out(lzma_stream_buffer_bound(bytes.size()), '\0');
  size_t position = 0;
  lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
                          reinterpret_cast<uint8_t*>(out.data()), &position, out.size());
  out.resize(position);
  return out;
}

struct Kind {
  Compression compression;
  std::string (*compress)(const std::string&);
};

class DecompressTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() /
                 fmt::format("rhodes-decompress-{}-{}", getpid(), static_cast<int>(GetParam().compression));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Write(std::string_view bytes) {
    const std::string path = (directory_ / "file.bin").string();
    EXPECT_TRUE(WriteFileAtomically(path, bytes).ok());
    return path;
  }

  // All bytes up to the end or the break, in pieces of `piece`.
  static std::string ReadAll(ByteReader& reader, size_t piece, absl::Status* status) {
    std::string all;
    std::string buffer(piece, '\0');
    while (true) {
      const absl::StatusOr<size_t> count = reader.Read(buffer.data(), piece);
      *status = count.status();
      if (!count.ok() || *count == 0) return all;
      all.append(buffer, 0, *count);
    }
  }

  std::filesystem::path directory_;
};

TEST_P(DecompressTest, Read_ReturnsTheBytesForAnyPieceSize) {
  const std::string bytes = Sample(300'000);
  const std::string path = Write(GetParam().compress(bytes));
  for (const size_t piece : {size_t{1000}, size_t{65536}, size_t{1} << 20}) {
    absl::StatusOr<std::unique_ptr<ByteReader>> reader = ByteReader::Open(path);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ((*reader)->compression(), GetParam().compression);
    absl::Status status;
    EXPECT_EQ(ReadAll(**reader, piece, &status), bytes);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ((*reader)->offset(), bytes.size());
    EXPECT_EQ((*reader)->consumed(), *FileSize(path));
  }
}

TEST_P(DecompressTest, Read_GoesOnThroughSeveralStreams) {
  const std::string a = Sample(10'000);
  const std::string b = Sample(70'000);
  const auto compress = GetParam().compress;
  const std::string path = Write(compress(a) + compress("") + compress(b));
  absl::StatusOr<std::string> whole = ReadWholeFile(path, 1 << 20);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(*whole, a + b);
}

TEST_P(DecompressTest, Read_GivesAllBytesBeforeATruncationThenDataLossWithFileAndOffset) {
  if (GetParam().compression == Compression::kNone) GTEST_SKIP() << "a plain file cannot be seen to be truncated";
  const std::string bytes = Sample(2'000'000);
  const std::string compressed = GetParam().compress(bytes);
  const std::string path = Write(compressed.substr(0, compressed.size() * 3 / 4));
  absl::StatusOr<std::unique_ptr<ByteReader>> reader = ByteReader::Open(path);
  ASSERT_TRUE(reader.ok());
  absl::Status status;
  const std::string read = ReadAll(**reader, 65536, &status);
  EXPECT_GT(read.size(), bytes.size() / 2);
  EXPECT_EQ(read, bytes.substr(0, read.size()));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Message(status), HasSubstr(path));
  EXPECT_THAT(Message(status), HasSubstr("truncated"));
  EXPECT_THAT(Message(status), HasSubstr(fmt::format("after {} uncompressed bytes", read.size())));
  char more = 0;
  EXPECT_EQ((*reader)->Read(&more, 1).status(), status);
}

TEST_P(DecompressTest, Read_TruncationAtEveryByteOfASmallFileNeverPassesForTheWhole) {
  if (GetParam().compression == Compression::kNone) GTEST_SKIP();
  const std::string bytes = Sample(500);
  const std::string compressed = GetParam().compress(bytes);
  for (size_t size = 14; size < compressed.size(); ++size) {
    const absl::StatusOr<std::string> whole = ReadWholeFile(Write(compressed.substr(0, size)), 1 << 20);
    EXPECT_EQ(whole.status().code(), absl::StatusCode::kDataLoss) << "cut at " << size;
  }
}

TEST_P(DecompressTest, Read_FlippedBytesAreAnErrorNotOtherText) {
  if (GetParam().compression == Compression::kNone) GTEST_SKIP();
  if (GetParam().compression == Compression::kZstd) GTEST_SKIP() << "this zstd writer puts no checksum";
  const std::string bytes = Sample(5'000);
  const std::string compressed = GetParam().compress(bytes);
  for (size_t at = 20; at < compressed.size(); at += 37) {
    std::string broken = compressed;
    broken[at] = static_cast<char>(broken[at] ^ 0x40);
    const absl::StatusOr<std::string> whole = ReadWholeFile(Write(broken), 1 << 20);
    EXPECT_TRUE(!whole.ok() || *whole == bytes) << "flipped at " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, DecompressTest,
                         ::testing::Values(Kind{Compression::kNone, [](const std::string& bytes) { return bytes; }},
                                           Kind{Compression::kGzip, &Gzip}, Kind{Compression::kZstd, &Zstd},
                                           Kind{Compression::kBzip2, &Bzip2}, Kind{Compression::kXz, &Xz}),
                         [](const auto& test) { return std::string(CompressionName(test.param.compression)); });

TEST(Decompress, DetectCompression_TextThatBeginsLikeBzip2IsText) {
  EXPECT_EQ(DetectCompression("BZh9 is the magic of bzip2"), Compression::kNone);
  EXPECT_EQ(DetectCompression(""), Compression::kNone);
}

TEST(Decompress, Open_NamesAMissingFile) {
  const auto reader = ByteReader::Open("/nonexistent/file.gz");
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(reader.status()), HasSubstr("/nonexistent/file.gz"));
}

TEST(Decompress, ReadWholeFile_StopsAtTheLimit) {
  const std::string path = (std::filesystem::temp_directory_path() / fmt::format("rhodes-limit-{}", getpid())).string();
  ASSERT_TRUE(WriteFileAtomically(path, Gzip(std::string(5'000'000, 'a'))).ok());
  EXPECT_EQ(ReadWholeFile(path, 1'000'000).status().code(), absl::StatusCode::kResourceExhausted);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace rhodes
