// HTTP streams against a server that drops, stalls, repeats, garbles and floods.
#include "follow/http_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "follow/backoff.h"
#include "follow/test_http_server.h"

namespace rhodes {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Connection = TestHttpServer::Connection;

std::string Line(int number, size_t length = 100) {
  return fmt::format(R"({{"id":"{0}","text":"the record of number {0} {1}"}})", number, std::string(length, 'x')) +
         "\n";
}

HttpStreamTiming Fast() {
  HttpStreamTiming timing;
  timing.network_pause = milliseconds(5);
  timing.server_pause = milliseconds(10);
  timing.limit_pause = milliseconds(20);
  timing.longest_pause = milliseconds(200);
  timing.stall = milliseconds(300);
  timing.repeat = milliseconds(100);
  timing.seed = 1;
  return timing;
}

StreamOptions Options(uint64_t record_limit = uint64_t{1} << 20, uint64_t memory = uint64_t{64} << 20) {
  auto read = std::make_shared<ReadOptions>();
  read->source = "test";
  read->record_limit = record_limit;
  return {read, memory};
}

struct Reader {
  std::unique_ptr<Stream> stream;
  std::map<std::string, int> records;  // by text
  std::vector<Reject> rejects;
  uint64_t bytes = 0;
  absl::Status status;

  void Take(StreamBatch batch) {
    for (const Record& record : batch.parsed.records) ++records[record.text];
    for (Reject& reject : batch.parsed.rejects) rejects.push_back(std::move(reject));
    bytes += batch.bytes;
  }
  // Until `done` or 10 s are over.
  void Until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done() && status.ok() && std::chrono::steady_clock::now() < end) {
      auto next = stream->Next(milliseconds(20));
      status = next.status();
      if (next.ok() && next->has_value()) Take(std::move(**next));
    }
  }
  void UntilRecords(size_t count) {
    Until([&] { return records.size() >= count; });
  }
  std::vector<std::string> Reasons() const {
    std::vector<std::string> reasons;
    for (const Reject& reject : rejects) reasons.push_back(reject.reason);
    return reasons;
  }
};

StreamUrl Url(const TestHttpServer& server, const std::string& target = "/stream?format=jsonl") {
  return *ParseStreamUrl(fmt::format("http://127.0.0.1:{}{}", server.port(), target));
}

Reader Open(const TestHttpServer& server, const std::string& target = "/stream?format=jsonl",
            const StreamOptions& options = Options(), const Json& position = nullptr,
            const HttpStreamTiming& timing = Fast()) {
  Reader reader;
  auto stream = OpenHttpStream(Url(server, target), position, options, timing);
  EXPECT_TRUE(stream.ok()) << stream.status();
  if (stream.ok()) reader.stream = *std::move(stream);
  return reader;
}

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_SYNC_FLUSH);  // a server that flushes: no end of the stream
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(HttpStream, ReadsChunksThatCutLinesAnywhere) {
  TestHttpServer server({[](Connection& connection) {
    connection.Head("Transfer-Encoding: chunked\r\n");
    std::string all;
    for (int i = 0; i < 50; ++i) all += Line(i) + (i % 7 == 0 ? "\r\n" : "");
    for (size_t at = 0; at < all.size(); at += 13) connection.Chunk(all.substr(at, 13));
    connection.WaitForClient();
  }});
  Reader reader = Open(server);
  reader.UntilRecords(50);
  EXPECT_EQ(reader.records.size(), 50u);
  EXPECT_THAT(reader.Reasons(), ElementsAre());
  EXPECT_TRUE(reader.stream->health().connected);
  EXPECT_EQ(reader.stream->health().reconnects, 0u);
  EXPECT_THAT(server.requests()[0], HasSubstr("GET /stream HTTP/1.1\r\n"));
}

TEST(HttpStream, ReadsGzipAsItIsFlushedAndUntilTheServerCloses) {
  TestHttpServer server({[](Connection& connection) {
                           connection.Head("Content-Encoding: gzip\r\n");
                           std::string all;
                           for (int i = 0; i < 20; ++i) all += Line(i);
                           connection.Send(Gzip(all));
                           connection.Wait(50);
                         },
                         [](Connection& connection) {
                           connection.Head();
                           connection.Send(Line(20));
                           connection.WaitForClient();
                         }});
  Reader reader = Open(server, "/?format=jsonl&encoding=gzip");
  reader.UntilRecords(21);
  EXPECT_EQ(reader.records.size(), 21u);
  EXPECT_THAT(reader.Reasons(), ElementsAre());
  EXPECT_THAT(server.requests()[0], HasSubstr("Accept-Encoding: gzip\r\n"));
  EXPECT_EQ(reader.stream->health().reconnects, 1u);
}

TEST(HttpStream, ALineThatBrokeOffAndIsSentAgainIsNoReject) {
  TestHttpServer server({[](Connection& connection) {
                           connection.Head();
                           connection.Send(Line(0) + Line(1).substr(0, 90));
                           connection.Wait(20);
                         },
                         [](Connection& connection) {
                           connection.Head();
                           connection.Send(Line(0) + Line(1) + Line(2));
                           connection.WaitForClient();
                         }});
  Reader reader = Open(server);
  reader.UntilRecords(3);
  reader.Until([begun = std::chrono::steady_clock::now()] {
    return std::chrono::steady_clock::now() - begun > milliseconds(200);
  });
  EXPECT_EQ(reader.records.size(), 3u);
  EXPECT_THAT(reader.Reasons(), ElementsAre());
}

TEST(HttpStream, ALineThatBrokeOffAndDoesNotComeAgainIsRejectedWithItsRange) {
  TestHttpServer server({[](Connection& connection) {
                           connection.Head();
                           connection.Send(Line(0) + Line(1).substr(0, 90));
                           connection.Wait(20);
                           connection.Reset();
                         },
                         [](Connection& connection) {
                           connection.Head();
                           connection.Send(Line(2) + Line(3).substr(0, 20));
                         },
                         [](Connection& connection) {
                           connection.Head();
                           connection.Send(Line(4));
                           connection.WaitForClient();
                         }});
  Reader reader = Open(server);
  reader.Until([&] { return reader.records.size() == 3 && reader.rejects.size() == 2; });
  EXPECT_EQ(reader.records.size(), 3u);
  ASSERT_EQ(reader.rejects.size(), 2u);
  EXPECT_THAT(reader.Reasons(), ::testing::UnorderedElementsAre(HasSubstr("the server did not send it again"),
                                                                HasSubstr("too little of it is there")));
  const size_t first = reader.rejects[0].reason.find("too little") == std::string::npos ? 0 : 1;
  EXPECT_EQ(reader.rejects[first].origin.begin, Line(0).size());
  EXPECT_EQ(reader.rejects[first].origin.end, Line(0).size() + 90);
  EXPECT_EQ(reader.rejects[first].origin.file, fmt::format("http://127.0.0.1:{}/stream", server.port()));
}

TEST(HttpStream, AWholeObjectWithoutItsNewlineIsTaken) {
  TestHttpServer server({[](Connection& connection) {
                           connection.Head();
                           connection.Send(Line(0) + Line(1).substr(0, Line(1).size() - 1));
                         },
                         [](Connection& connection) {
                           connection.Head();
                           connection.WaitForClient();
                         }});
  Reader reader = Open(server);
  reader.UntilRecords(2);
  EXPECT_EQ(reader.records.size(), 2u);
  EXPECT_THAT(reader.Reasons(), ElementsAre());
}

TEST(HttpStream, GarbageBetweenLinesIsRejectedLineByLineAndLongLinesAreNotHeld) {
  TestHttpServer server({[](Connection& connection) {
    connection.Head("Transfer-Encoding: chunked\r\n");
    connection.Chunk(Line(0) + "<html>oops\n" + Line(1) + "{\"broken\": [1, 2\n" + Line(2) + "\xff\xfe\n");
    const std::string piece(50'000, 'y');
    connection.Chunk("{\"text\":\"");
    for (int i = 0; i < 100; ++i) connection.Chunk(piece);  // 5 MB, five times the limit
    connection.Chunk("\"}\n" + Line(3));
    connection.WaitForClient();
  }});
  Reader reader = Open(server);
  reader.UntilRecords(4);
  EXPECT_EQ(reader.records.size(), 4u);
  ASSERT_EQ(reader.rejects.size(), 4u);
  EXPECT_EQ(reader.rejects[3].reason, "line longer than 1048576 bytes");
  EXPECT_EQ(reader.rejects[3].origin.end - reader.rejects[3].origin.begin, 5'000'011u);
  EXPECT_EQ(reader.rejects[0].origin.begin, Line(0).size());
}

TEST(HttpStream, SilenceLeadsToAnotherConnectionAndEmptyLinesDoNot) {
  TestHttpServer server({[](Connection& connection) {
                           connection.Head();
                           connection.Send(Line(0));
                           for (int i = 0; i < 8; ++i) {  // 800 ms, longer than the stall of 300 ms
                             connection.Wait(100);
                             connection.Send("\r\n");
                           }
                           connection.Send(Line(1));
                           connection.WaitForClient();  // stalls
                         },
                         [](Connection& connection) {
                           connection.Wait(200);  // so that the trouble is there to be seen for a while
                           connection.Head();
                           connection.Send(Line(2));
                           connection.WaitForClient();
                         }});
  Reader reader = Open(server);
  reader.UntilRecords(2);
  EXPECT_EQ(server.connections(), 1);
  std::string trouble;
  reader.Until([&] {
    if (!reader.stream->health().connected) trouble = reader.stream->health().trouble;
    return reader.records.size() >= 3;
  });
  EXPECT_EQ(reader.records.size(), 3u);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_THAT(trouble, HasSubstr("nothing came for 0.3 s"));
}

TEST(HttpStream, WaitsAsTheServerAsksAndGivesUpOnWhatWaitingDoesNotMend) {
  std::vector<std::chrono::steady_clock::time_point> times;
  const auto answer = [&](int status, std::string headers) {
    return [&times, status, headers](Connection& connection) {
      times.push_back(std::chrono::steady_clock::now());
      connection.Head(headers + "Content-Length: 0\r\n", status);
    };
  };
  TestHttpServer server({answer(503, ""), answer(420, ""), answer(429, "Retry-After: 3600\r\n"), answer(404, "")});
  Reader reader = Open(server);
  reader.Until([] { return false; });
  EXPECT_EQ(reader.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(reader.status), HasSubstr("answered 404"));
  ASSERT_EQ(times.size(), 4u);
  EXPECT_GE(times[1] - times[0], milliseconds(5));
  EXPECT_GE(times[3] - times[2], milliseconds(200));  // an hour, but not longer than the longest pause
  EXPECT_LT(times[3] - times[2], milliseconds(2000));

  TestHttpServer refusing({answer(401, "")});
  Reader refused = Open(refusing);
  refused.Until([] { return false; });
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(Message(refused.status), HasSubstr("token"));
}

TEST(HttpStream, FailingConnectionsArePausedForMoreAndMore) {
  TestHttpServer server({[](Connection& connection) { connection.Reset(); }});
  HttpStreamTiming timing = Fast();
  timing.longest_pause = milliseconds(60'000);
  Reader reader = Open(server, "/", Options(), nullptr, timing);
  reader.Until([begun = std::chrono::steady_clock::now()] {
    return std::chrono::steady_clock::now() - begun > milliseconds(700);
  });
  // 5 ms doubled each time: at least 2.5 * (2^n - 1) ms have passed after n pauses.
  EXPECT_LE(server.connections(), 10);
  EXPECT_GE(server.connections(), 5);
  EXPECT_FALSE(reader.stream->health().connected);
  EXPECT_THAT(reader.stream->health().trouble, Not(HasSubstr("token")));
}

TEST(HttpStream, FollowsRedirectsWithoutItsTokenToOthersAndNotForEver) {
  const std::string token_file = ::testing::TempDir() + "/http_stream_token";
  std::ofstream(token_file) << "secret-token\n";
  TestHttpServer other({[](Connection& connection) {
    connection.Head();
    connection.Send(Line(0));
    connection.WaitForClient();
  }});
  TestHttpServer server(
      {[](Connection& connection) { connection.Head("Location: elsewhere?x=1\r\nContent-Length: 0\r\n", 302); },
       [&](Connection& connection) {
         connection.Head(fmt::format("Location: http://127.0.0.1:{}/there\r\nContent-Length: 0\r\n", other.port()),
                         307);
       }});
  Reader reader = Open(server, "/a/stream?format=jsonl&q=%41b&server.format=json&token_file=" + token_file);
  reader.UntilRecords(1);
  ASSERT_EQ(reader.records.size(), 1u);
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_THAT(server.requests()[0], HasSubstr("GET /a/stream?q=%41b&format=json HTTP/1.1\r\n"));
  EXPECT_THAT(server.requests()[0], HasSubstr("Authorization: Bearer secret-token\r\n"));
  EXPECT_THAT(server.requests()[1], HasSubstr("GET /a/elsewhere?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(other.requests()[0], HasSubstr("GET /there HTTP/1.1\r\n"));
  EXPECT_THAT(other.requests()[0], Not(HasSubstr("Authorization")));

  TestHttpServer circle({[](Connection& connection) { connection.Head("Location: /\r\nContent-Length: 0\r\n", 301); }});
  Reader dizzy = Open(circle);
  dizzy.Until([] { return false; });
  EXPECT_THAT(Message(dizzy.status), HasSubstr("more than 5 redirects"));
  EXPECT_EQ(circle.connections(), 6);
}

TEST(HttpStream, AServerThatNobodyReadsHasToWait) {
  std::atomic<uint64_t> sent{0};
  TestHttpServer server({[&](Connection& connection) {
    connection.Head();
    for (int i = 0; i < 20'000; ++i) {
      connection.Send(Line(i, 10'000));
      sent = connection.sent();
    }
    connection.WaitForClient();
  }});
  Reader reader = Open(server, "/?format=jsonl", Options(uint64_t{1} << 20, uint64_t{1} << 20));
  reader.UntilRecords(1);
  uint64_t held = 0;
  do {  // until nothing was sent for longer than the stall: that silence is ours
    held = sent;
    std::this_thread::sleep_for(milliseconds(700));
  } while (sent != held);
  EXPECT_LT(held, uint64_t{64} << 20);  // of 200 MB: what the sockets' buffers take
  reader.UntilRecords(20'000);
  EXPECT_EQ(reader.records.size(), 20'000u);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_THAT(reader.Reasons(), ElementsAre());
}

TEST(HttpStream, GoesOnCountingWhereItsPositionWasKept) {
  const auto first = [](Connection& connection) {
    connection.Head();
    connection.Send(Line(0) + Line(1).substr(0, 80));
    connection.WaitForClient();
  };
  Json position;
  {
    TestHttpServer server({first});
    Reader reader = Open(server);
    reader.UntilRecords(1);
    reader.Until([&] { return reader.stream->position()["received"] == Line(0).size() + 80; });
    position = reader.stream->position();
  }
  EXPECT_EQ(position["format"], "jsonl");
  TestHttpServer server({[](Connection& connection) {
    connection.Head();
    connection.Send(Line(2));
    connection.WaitForClient();
  }});
  Reader reader = Open(server, "/?format=jsonl", Options(), position);
  reader.Until([&] { return reader.records.size() == 1 && reader.rejects.size() == 1; });
  ASSERT_EQ(reader.rejects.size(), 1u);
  EXPECT_EQ(reader.rejects[0].origin.begin, Line(0).size());
  EXPECT_EQ(reader.rejects[0].origin.end, Line(0).size() + 80);
}

TEST(HttpStream, RefusesWrongAddressesByName) {
  const auto message = [](const std::string& text, const Json& position = nullptr) {
    const auto url = ParseStreamUrl(text);
    EXPECT_TRUE(url.ok()) << url.status();
    const auto stream = OpenHttpStream(*url, position, Options());
    return stream.ok() ? std::string("ok") : Message(stream.status());
  };
  EXPECT_THAT(message("http://h/?format=parquet"), HasSubstr("a record a line, and parquet is not"));
  EXPECT_THAT(message("http://h/?format=jsnl"), HasSubstr("did you mean jsonl?"));
  EXPECT_THAT(message("http://h/?token_env=RHODES_NO_SUCH_TOKEN"), HasSubstr("RHODES_NO_SUCH_TOKEN is not set"));
  EXPECT_THAT(message("http://h/?token_file=x"), HasSubstr("token_file is a path"));
  EXPECT_THAT(message("http://h/?stall=soon"), HasSubstr("stall is seconds"));
  EXPECT_THAT(message("https://h/?ca_file=/no/such/file"), HasSubstr("ca_file /no/such/file is not there"));
  EXPECT_THAT(message("http://h/?key=secret&format=nothing-known"), Not(HasSubstr("secret")));
  EXPECT_THAT(message("http://h/", Json{{"received", "x"}}), HasSubstr("the kept position is damaged"));
  ::setenv("RHODES_TEST_TOKEN", "a\r\nX-Evil: 1", 1);
  EXPECT_THAT(message("http://h/?token_env=RHODES_TEST_TOKEN"), HasSubstr("is no token"));
}

TEST(HttpStream, TellsHowLongToWait) {
  EXPECT_EQ(AskedPause("7", "", 0), milliseconds(7000));
  EXPECT_EQ(AskedPause("Thu, 29 Feb 2024 12:00:10 GMT", "", 1709208000), milliseconds(10'000));
  EXPECT_EQ(AskedPause("", "1709208030", 1709208000), milliseconds(30'000));
  EXPECT_EQ(AskedPause("", "99999999999999", 5), milliseconds(86'400'000));
  EXPECT_EQ(AskedPause("soon", "", 5), std::nullopt);
}

TEST(HttpStream, RedirectsLeadWhereRfc3986Says) {
  const HttpAddress from{true, "h", 443, "/a/b?c"};
  EXPECT_EQ(RedirectOf(from, "d")->target, "/a/d");
  EXPECT_EQ(RedirectOf(from, "/d?e#f")->target, "/d?e");
  EXPECT_EQ(RedirectOf(from, "?e")->target, "/a/b?e");
  EXPECT_EQ(RedirectOf(from, "//other:8443/x")->host, "other");
  EXPECT_EQ(RedirectOf(from, "//other:8443/x")->port, 8443);
  EXPECT_EQ(RedirectOf(from, "/x y\r\nHost: z")->target, "/x%20y%0D%0AHost:%20z");
  EXPECT_THAT(Message(RedirectOf(from, "http://h/").status()), HasSubstr("from https to http://h/"));
  EXPECT_THAT(Message(RedirectOf(from, "ftp://h/").status()), HasSubstr("no HTTP"));
}

TEST(Backoff, DoublesUpToItsMostWithJitterInTheUpperHalf) {
  Backoff backoff(milliseconds(1000), 7);
  for (const int64_t full : {100, 200, 400, 800, 1000, 1000}) {
    const milliseconds pause = backoff.Next(milliseconds(100));
    EXPECT_GE(pause.count(), full / 2);
    EXPECT_LE(pause.count(), full);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(milliseconds(100)).count(), 100);
}

}  // namespace
}  // namespace rhodes
