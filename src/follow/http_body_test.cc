// Answers of HTTP servers, whole and in pieces; and the corpora of this folder's fuzz targets.
#include "follow/http_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

struct Answer {
  absl::Status status;
  std::string body;
  int code = 0;
  bool done = false;
};

Answer Read(std::string_view bytes, size_t piece) {
  Answer answer;
  HttpBody body;
  for (size_t at = 0; at < bytes.size() && answer.status.ok(); at += piece) {
    answer.status = body.Add(bytes.substr(at, piece), answer.body);
  }
  answer.code = body.status();
  answer.done = body.done();
  return answer;
}

// The same however it is cut.
Answer Read(std::string_view bytes) {
  const Answer whole = Read(bytes, bytes.size());
  for (const size_t piece : {1, 2, 7}) {
    const Answer other = Read(bytes, piece);
    EXPECT_EQ(other.body, whole.body);
    EXPECT_EQ(other.done, whole.done);
    EXPECT_EQ(other.status, whole.status);
  }
  return whole;
}

TEST(HttpBody, ReadsChunksWithExtensionsAndTrailers) {
  const Answer answer = Read(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nab\ncd\r\nA\r\n0123456789\r\n0\r\nX: "
      "y\r\n\r\nrest");
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_EQ(answer.body, "ab\ncd0123456789");
  EXPECT_TRUE(answer.done);
}

TEST(HttpBody, ReadsAStatedLengthAndUntilTheEnd) {
  EXPECT_EQ(Read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef").body, "abc");
  const Answer open = Read("HTTP/1.0 200\r\nX: y\r\n\r\nabcdef");
  EXPECT_EQ(open.body, "abcdef");
  EXPECT_FALSE(open.done);
}

TEST(HttpBody, PassesOverInterimAnswers) {
  const Answer answer = Read("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(answer.code, 404);
  EXPECT_TRUE(answer.done);
}

TEST(HttpBody, SaysWhatIsNoHttp) {
  const auto wrong = [](std::string_view bytes) { return Message(Read(bytes).status); };
  EXPECT_EQ(wrong("SSH-2.0-x\r\n"), "not HTTP: no status line");
  EXPECT_EQ(wrong("HTTP/1.1 20x\r\n\r\n"), "not HTTP: no status line");
  EXPECT_EQ(wrong("HTTP/1.1 200 OK\r\n: x\r\n"), "not HTTP: a header without a name");
  EXPECT_EQ(wrong("HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\n"), "not HTTP: a Content-Length that is no number");
  EXPECT_EQ(wrong("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"), "not HTTP: a chunk without a size");
  EXPECT_EQ(wrong("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n"),
            "not HTTP: a chunk longer than its size");
  EXPECT_EQ(wrong("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n"),
            "the answer's Content-Encoding is br; gzip is read");
  EXPECT_EQ(wrong("HTTP/1.1 200 OK\r\n" + std::string(70'000, 'x')), "not HTTP: a head that does not end");
  EXPECT_THAT(wrong("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip at all"), HasSubstr("gzip"));
}

TEST(HttpBody, CorpusIsReadTheSameHoweverItIsCut) {
  int inputs = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(RHODES_SOURCE_DIR "/src/follow/testdata/http_body_fuzz")) {
    SCOPED_TRACE(file.path().string());
    Read(ReadFile(file.path().string()).value());
    ++inputs;
  }
  EXPECT_GE(inputs, 6);
}

}  // namespace
}  // namespace rhodes
