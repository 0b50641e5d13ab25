#include "serve/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "serve/test_client.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

// A server with a handler of the test's own; stops when it goes away.
class TestServer {
 public:
  explicit TestServer(HttpHandler handler, HttpOptions options = {}) : handler_(std::move(handler)) {
    options.port = 0;
    server_ = *HttpServer::Listen(options);
    thread_ = std::thread([this] {
      server_->Serve(
          handler_, [](int status, std::string_view message) { return fmt::format("{} {}", status, message); }, stop_);
    });
  }
  ~TestServer() { Stop(); }
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int port() const { return server_->port(); }

 private:
  HttpHandler handler_;
  std::unique_ptr<HttpServer> server_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

void Echo(const HttpRequest& request, HttpResponder& responder) {
  responder.Send(200, "text/plain", request.method + " " + request.path + " " + request.body);
}

TEST(HttpServer, BrokenRequests_GetTheRightStatusAndAreClosed) {
  HttpOptions options;
  options.max_body_bytes = 1000;
  const TestServer server(Echo, options);
  struct Case {
    std::string request;
    int status;
    const char* message;
  };
  for (const Case& broken : {
           Case{"nonsense\r\n\r\n", 400, "not an HTTP request"},
           {"GET / HTTP/9.9\r\n\r\n", 400, "not an HTTP request"},
           {"GET / HTTP/1.1\r\nbroken header\r\n\r\n", 400, "not an HTTP request"},
           {"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400, "not an HTTP request"},
           {"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, "not an HTTP request"},
           {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "not an HTTP request"},
           {"GET /" + std::string(40000, 'a') + " HTTP/1.1\r\n\r\n", 431, "the header is longer than"},
           {"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413, "the body is longer than 1000 bytes"},
           {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x') + "\r\n0\r\n\r\n",
            413, "the body is longer than 1000 bytes"},
           {std::string(100, '\0'), 400, "not an HTTP request"},
       }) {
    TestClient client(server.port());
    client.Send(broken.request);
    const std::string answer = client.ReadAll();
    EXPECT_EQ(StatusOf(answer), broken.status) << broken.request.substr(0, 60) << "\n" << answer;
    EXPECT_THAT(answer, HasSubstr(broken.message));
    EXPECT_THAT(answer, HasSubstr("Connection: close"));
  }
  TestClient client(server.port());
  client.Send(GetRequest("/after"));
  EXPECT_THAT(client.ReadAll(), HasSubstr("GET /after"));
}

TEST(HttpServer, OneConnection_TakesRequestsOneAfterAnother) {
  const TestServer server(Echo);
  TestClient client(server.port());
  client.Send(PostRequest("/a", "one", "keep-alive") +
              GetRequest("/b", "keep-alive"));  // the second waits in the buffer
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("POST /a one"));
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("GET /b"));
  client.Send(
      "POST /c?q=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: "
      "close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), HasSubstr("POST /c abcde"));
}

TEST(HttpServer, Expect100_IsAnsweredBeforeTheBody) {
  const TestServer server(Echo);
  TestClient client(server.port());
  client.Send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.ReadTo("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ok");
  EXPECT_THAT(client.ReadAll(), HasSubstr("POST / ok"));
}

TEST(HttpServer, Head_HasTheLengthAndNoBody) {
  const TestServer server(Echo);
  TestClient client(server.port());
  client.Send("HEAD /abc HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string answer = client.ReadAll();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 10"));
  EXPECT_EQ(BodyOf(answer), "");
}

TEST(HttpServer, SlowRequest_IsEndedWith408) {
  HttpOptions options;
  options.request_seconds = 1;
  const TestServer server(Echo, options);
  TestClient client(server.port());
  client.Send("GET / HTTP/1.1\r\nHost:");
  EXPECT_EQ(StatusOf(client.ReadAll()), 408);
}

TEST(HttpServer, IdleConnection_IsClosedWithoutAWord) {
  HttpOptions options;
  options.idle_seconds = 1;
  const TestServer server(Echo, options);
  TestClient client(server.port());
  EXPECT_EQ(client.ReadAll(), "");
}

TEST(HttpServer, Stream_IsChunkedAndForOldClientsEndsWithTheConnection) {
  const TestServer server([](const HttpRequest&, HttpResponder& responder) {
    ASSERT_TRUE(responder.BeginStream("text/plain").ok());
    ASSERT_TRUE(responder.Write("ab").ok());
    ASSERT_TRUE(responder.Write("cde").ok());
  });
  TestClient client(server.port());
  client.Send(GetRequest("/", "close"));
  EXPECT_EQ(BodyOf(client.ReadAll()), "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
  TestClient old(server.port());
  old.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(BodyOf(old.ReadAll()), "abcde");
}

TEST(HttpServer, ClientThatGoesAway_IsNoticedByTheHandler) {
  std::atomic<bool> noticed{false};
  TestServer server([&](const HttpRequest&, HttpResponder& responder) {
    ASSERT_TRUE(responder.BeginStream("text/plain").ok());
    for (int i = 0; i < 2000 && !noticed; ++i) {
      noticed = responder.ClientGone();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  {
    TestClient client(server.port());
    client.Send(GetRequest("/"));
    client.ReadTo("\r\n\r\n");
  }
  server.Stop();
  EXPECT_TRUE(noticed);
}

TEST(HttpServer, Stop_LetsARequestUnderWayFinishAndClosesIdleConnections) {
  std::atomic<bool> begun{false};
  TestServer server([&](const HttpRequest&, HttpResponder& responder) {
    begun = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    responder.Send(200, "text/plain", responder.cancelled() ? "cancelled" : "finished");
  });
  TestClient idle(server.port());
  TestClient client(server.port());
  client.Send(GetRequest("/", "keep-alive"));
  while (!begun) std::this_thread::yield();
  server.Stop();
  const std::string answer = client.ReadAll();
  EXPECT_EQ(BodyOf(answer), "finished");
  EXPECT_EQ(idle.ReadAll(), "");
}

TEST(HttpServer, Stop_CancelsWhatTakesTooLong) {
  HttpOptions options;
  options.stop_seconds = 0;
  std::atomic<bool> begun{false};
  std::atomic<bool> cancelled{false};
  TestServer server(
      [&](const HttpRequest&, HttpResponder& responder) {
        begun = true;
        while (!responder.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        cancelled = true;
        responder.Send(503, "text/plain", "");
      },
      options);
  TestClient client(server.port());
  client.Send(GetRequest("/"));
  while (!begun) std::this_thread::yield();
  server.Stop();
  EXPECT_TRUE(cancelled);
}

TEST(HttpServer, TooManyConnections_AreTurnedAway) {
  HttpOptions options;
  options.max_connections = 2;
  const TestServer server(Echo, options);
  TestClient one(server.port());
  TestClient two(server.port());
  one.Send(GetRequest("/", "keep-alive"));
  two.Send(GetRequest("/", "keep-alive"));
  EXPECT_EQ(StatusOf(one.ReadAnswer()), 200);
  EXPECT_EQ(StatusOf(two.ReadAnswer()), 200);
  TestClient three(server.port());
  EXPECT_EQ(StatusOf(three.ReadAll()), 503);
}

TEST(HttpServer, Listen_NamesWhatIsWrong) {
  const TestServer server(Echo);
  HttpOptions options;
  options.port = server.port();
  const absl::Status taken = HttpServer::Listen(options).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Message(taken), fmt::format("port {} is in use; choose another with --port", options.port));
  options.host = "no.such.host.invalid";
  EXPECT_THAT(Message(HttpServer::Listen(options).status()), HasSubstr("--host no.such.host.invalid: "));
}

}  // namespace
}  // namespace rhodes
