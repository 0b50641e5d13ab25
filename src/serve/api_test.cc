#include "serve/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "infer/byte_tokenizer.h"
#include "model/reference_forward.h"
#include "serve/test_client.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

// Knows one document and one record.
class FakeEvidence final : public Evidence {
 public:
  absl::StatusOr<Json> Trace(std::string_view text) override {
    return Json{{"tokens", text.size()}, {"spans", Json::array()}};
  }
  absl::StatusOr<Json> Document(const std::string& id) override {
    if (id != "d/1") return absl::NotFoundError("document " + id + ": there is none with this id");
    return Json{{"id", id}};
  }
  absl::StatusOr<Json> Record(const std::string& id) override { return Json{{"id", id}}; }
};

// The API over a random model of bytes, on a port.
class ApiTest : public testing::Test {
 protected:
  void SetUp() override {
    ModelConfig config;
    config.vocabulary_size = ByteTokenizer::kVocabulary;
    config.hidden_size = 32;
    config.intermediate_size = 64;
    config.layers = 1;
    config.heads = 4;
    config.kv_heads = 2;
    config.head_dim = 8;
    config.max_positions = 200;
    config.bos_id = config.eos_id = ByteTokenizer::kEndOfText;
    const std::string directory = testing::TempDir() + "api_model";
    ASSERT_TRUE(WriteModel(directory, config, RandomWeights(config, 5)).ok());
    engine_ = *Engine::Create(*Decoder::Load(directory, {}), std::make_unique<ByteTokenizer>(), {}, {});
    ApiOptions options;
    options.model_id = "tiny";
    options.summary = {{"sources", Json::array()}};
    options.hosts = {"localhost", "127.0.0.1"};
    api_ = std::make_unique<Api>(engine_.get(), &evidence_, runs_, options);
    HttpOptions http;
    http.port = 0;
    server_ = *HttpServer::Listen(http);
    thread_ = std::thread([this] {
      server_->Serve([this](const HttpRequest& request, HttpResponder& responder) { api_->Handle(request, responder); },
                     [](int, std::string_view message) { return std::string(message); }, stop_);
    });
  }
  void TearDown() override {
    stop_ = true;
    thread_.join();
  }

  std::string Exchange(const std::string& request) {
    TestClient client(server_->port());
    client.Send(request);
    return client.ReadAll();
  }
  std::string Post(std::string_view path, const Json& body) { return Exchange(PostRequest(path, DumpJson(body))); }
  Json PostForJson(std::string_view path, const Json& body) {
    const std::string answer = Post(path, body);
    EXPECT_EQ(StatusOf(answer), 200) << answer;
    return *ParseJson(BodyOf(answer), "answer");
  }
  // The data of all events of a streamed answer, with the chunks' framing taken off.
  std::vector<std::string> Events(std::string_view path, const Json& body) {
    std::string rest = BodyOf(Post(path, body));
    std::string text;
    for (size_t size = 1; size > 0 && !rest.empty();) {
      size = std::stoul(rest, nullptr, 16);
      const size_t begin = rest.find("\r\n") + 2;
      text += rest.substr(begin, size);
      rest.erase(0, begin + size + 2);
    }
    std::vector<std::string> events;
    for (size_t at = 0; (at = text.find("data: ", at)) != std::string::npos;) {
      const size_t end = text.find("\n\n", at);
      events.push_back(text.substr(at + 6, end - at - 6));
      at = end;
    }
    return events;
  }
  static Json Chat(std::string_view content, Json more = Json::object()) {
    more["messages"] = Json::array({{{"role", "user"}, {"content", content}}});
    if (!more.contains("max_tokens")) more["max_tokens"] = 20;
    return more;
  }

  FakeEvidence evidence_;
  std::unique_ptr<Engine> engine_;
  Runs runs_{{testing::TempDir() + "api_runs"}};
  std::unique_ptr<Api> api_;
  std::unique_ptr<HttpServer> server_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TEST_F(ApiTest, ChatCompletions_HasTheShapeOfOpenAIsAnswer) {
  const Json answer = PostForJson("/v1/chat/completions", Chat("hello"));
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["model"], "tiny");
  EXPECT_THAT(answer["id"].get<std::string>(), testing::StartsWith("chatcmpl-"));
  const Json& choice = answer["choices"][0];
  EXPECT_EQ(choice["message"]["role"], "assistant");
  EXPECT_TRUE(choice["message"]["content"].is_string());
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 1 + std::string("Question: hello\nAnswer:").size());
  EXPECT_EQ(answer["usage"]["completion_tokens"], 20);
  EXPECT_EQ(answer["usage"]["total_tokens"], answer["usage"]["prompt_tokens"].get<int>() + 20);
}

TEST_F(ApiTest, ChatCompletions_SameRequestSameAnswer) {
  const Json request = Chat("hello", {{"seed", 7}});
  const Json one = PostForJson("/v1/chat/completions", request);
  const Json two = PostForJson("/v1/chat/completions", request);
  EXPECT_EQ(one["choices"], two["choices"]);
  EXPECT_NE(one["id"], two["id"]);
  EXPECT_NE(PostForJson("/v1/chat/completions", Chat("hello", {{"seed", 8}}))["choices"], one["choices"]);
}

TEST_F(ApiTest, Stream_BeginsWithTheRoleEndsWithTheReasonAndIsTheSameText) {
  const Json whole = PostForJson("/v1/chat/completions", Chat("hello"));
  const std::vector<std::string> events =
      Events("/v1/chat/completions", Chat("hello", {{"stream", true}, {"stream_options", {{"include_usage", true}}}}));
  ASSERT_GE(events.size(), 4u);
  EXPECT_EQ(events.back(), "[DONE]");
  const Json usage = *ParseJson(events[events.size() - 2], "usage");
  EXPECT_TRUE(usage["choices"].empty());
  EXPECT_EQ(usage["usage"], whole["usage"]);
  const Json last = *ParseJson(events[events.size() - 3], "last");
  EXPECT_EQ(last["choices"][0]["delta"], Json::object());
  EXPECT_EQ(last["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(ParseJson(events.front(), "first")->at("choices")[0]["delta"]["role"], "assistant");
  std::string text;
  for (size_t i = 0; i + 3 < events.size(); ++i) {
    const Json chunk = *ParseJson(events[i], "chunk");
    EXPECT_EQ(chunk["object"], "chat.completion.chunk");
    EXPECT_EQ(chunk["choices"][0]["finish_reason"], nullptr);
    text += chunk["choices"][0]["delta"]["content"].get<std::string>();
  }
  EXPECT_EQ(text, whole["choices"][0]["message"]["content"]);
}

TEST_F(ApiTest, Completions_ManyPromptsWithEchoAndLogprobs) {
  const Json answer = PostForJson(
      "/v1/completions", {{"prompt", {"ab", "xyz"}}, {"max_tokens", 2}, {"echo", true}, {"logprobs", 2}, {"seed", 3}});
  EXPECT_EQ(answer["object"], "text_completion");
  ASSERT_EQ(answer["choices"].size(), 2u);
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 3 + 4);
  for (size_t i = 0; i < 2; ++i) {
    const Json& choice = answer["choices"][i];
    EXPECT_EQ(choice["index"], i);
    EXPECT_THAT(choice["text"].get<std::string>(), testing::StartsWith(i == 0 ? "ab" : "xyz"));
    const Json& logprobs = choice["logprobs"];
    EXPECT_EQ(logprobs["tokens"].size(), (i == 0 ? 2u : 3u) + 2);
    EXPECT_EQ(logprobs["tokens"].size(), logprobs["token_logprobs"].size());
    EXPECT_LT(logprobs["token_logprobs"][0].get<double>(), 0);  // after the begin-of-text token
    EXPECT_EQ(logprobs["top_logprobs"][0].size(), 2u);
    EXPECT_EQ(logprobs["text_offset"][1], 1);
  }
  // Tokens as the prompt: nothing is put in front, and the first has no logprob.
  const Json tokens =
      PostForJson("/v1/completions", {{"prompt", {104, 105}}, {"max_tokens", 0}, {"echo", true}, {"logprobs", 0}});
  EXPECT_EQ(tokens["choices"][0]["text"], "hi");
  EXPECT_EQ(tokens["choices"][0]["logprobs"]["token_logprobs"][0], nullptr);
  EXPECT_EQ(tokens["choices"][0]["logprobs"]["tokens"].size(), 2u);
}

TEST_F(ApiTest, ChatLogprobs_CarryTheTokensBytes) {
  const Json answer =
      PostForJson("/v1/chat/completions", Chat("hello", {{"logprobs", true}, {"top_logprobs", 2}, {"max_tokens", 3}}));
  const Json& content = answer["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(content.size(), 3u);
  EXPECT_EQ(content[0]["bytes"].size(), 1u);
  EXPECT_EQ(content[0]["top_logprobs"].size(), 2u);
}

TEST_F(ApiTest, WrongRequests_NameTheField) {
  struct Case {
    Json body;
    const char* param;
    const char* message;
  };
  for (const Case& wrong : {
           Case{Json::object(), "messages", "messages is not a list of at least one message"},
           {{{"messages", Json::array()}}, "messages", "at least one message"},
           {{{"messages", {{{"content", "x"}}}}}, "messages[0]", "is not an object with a role"},
           {{{"messages", {{{"role", "user"}, {"content", 3}}}}}, "messages[0].content", "is not a string"},
           {{{"messages", {{{"role", "robot"}, {"content", "x"}}, {{"role", "user"}, {"content", "x"}}}}},
            "messages",
            "messages[0].role is \"robot\""},
           {Chat("x", {{"temperature", "hot"}}), "temperature", "temperature is not a number"},
           {Chat("x", {{"temperature", -1}}), "temperature", "temperature is -1, not between 0 and 100"},
           {Chat("x", {{"top_p", 0}}), "top_p", "top_p is 0"},
           {Chat("x", {{"max_tokens", 0}}), "max_tokens", "max_tokens is 0, not between 1"},
           {Chat("x", {{"max_tokens", 1.5}}), "max_tokens", "is not an integer"},
           {Chat("x", {{"seed", 18446744073709551615u}}), "seed", "is not an integer"},
           {Chat("x", {{"n", 2}}), "n", "one answer a request"},
           {Chat("x", {{"stop", {1}}}), "stop", "is not a string or a list"},
           {Chat("x", {{"stream", 1}}), "stream", "is not true or false"},
           {Chat("x", {{"tools", {{{"type", "function"}}}}}), "tools", "is not supported"},
           {Chat("x", {{"response_format", {{"type", "json_object"}}}}), "response_format", "the only one supported"},
           {Chat("x", {{"top_logprobs", 2}}), "top_logprobs", "needs logprobs to be true"},
       }) {
    const std::string answer = Post("/v1/chat/completions", wrong.body);
    EXPECT_EQ(StatusOf(answer), 400) << answer;
    const Json error = ParseJson(BodyOf(answer), "answer")->at("error");
    EXPECT_EQ(error["param"], wrong.param) << answer;
    EXPECT_EQ(error["type"], "invalid_request_error");
    EXPECT_THAT(error["message"].get<std::string>(), HasSubstr(wrong.message));
  }
}

TEST_F(ApiTest, WrongRequests_GetTheRightStatus) {
  const std::string broken = Exchange(PostRequest("/v1/completions", "{\"prompt\": \"x\", }"));
  EXPECT_EQ(StatusOf(broken), 400);
  EXPECT_THAT(broken, HasSubstr("body: byte 17: not JSON"));
  EXPECT_EQ(StatusOf(Exchange(PostRequest("/v1/completions", "[1]"))), 400);
  const std::string unknown = Post("/v1/chat/completions", Chat("x", {{"model", "gpt-9"}}));
  EXPECT_EQ(StatusOf(unknown), 404);
  EXPECT_THAT(unknown, HasSubstr("model_not_found"));
  const std::string method = Exchange(GetRequest("/v1/completions"));
  EXPECT_EQ(StatusOf(method), 405);
  EXPECT_THAT(method, HasSubstr("Allow: POST"));
  EXPECT_EQ(StatusOf(Exchange(GetRequest("/v2/none"))), 404);
  EXPECT_EQ(StatusOf(Exchange("DELETE /index.html HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")), 405);
  const std::string full = Post("/v1/chat/completions", Chat(std::string(300, 'x')));
  EXPECT_EQ(StatusOf(full), 400);
  EXPECT_THAT(full, HasSubstr("context_length_exceeded"));
  EXPECT_THAT(full, HasSubstr("the model's context is 200"));
  // The same for a stream: the status comes before the first event.
  EXPECT_EQ(StatusOf(Post("/v1/chat/completions", Chat(std::string(300, 'x'), {{"stream", true}}))), 400);
}

TEST_F(ApiTest, OtherHostNames_AreNotAnswered) {
  const std::string answer = Exchange("GET /health HTTP/1.1\r\nHost: evil.example:80\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(StatusOf(answer), 403);
  EXPECT_EQ(StatusOf(Exchange("GET /health HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: close\r\n\r\n")), 200);
}

TEST_F(ApiTest, Models_ListsTheModel) {
  const Json models = *ParseJson(BodyOf(Exchange(GetRequest("/v1/models"))), "models");
  EXPECT_EQ(models["data"][0]["id"], "tiny");
  EXPECT_EQ(models["data"][0]["context_length"], 200);
  EXPECT_EQ(StatusOf(Exchange(GetRequest("/v1/models/tiny"))), 200);
  EXPECT_EQ(StatusOf(Exchange(GetRequest("/v1/models/other"))), 404);
}

TEST_F(ApiTest, OwnPaths_LeadToTheEvidence) {
  EXPECT_EQ(PostForJson("/api/trace", {{"text", "abc"}})["tokens"], 3);
  EXPECT_EQ(StatusOf(Post("/api/trace", {{"text", 1}})), 400);
  EXPECT_THAT(Exchange(GetRequest("/api/document/d%2F1")), HasSubstr("\"id\":\"d/1\""));
  EXPECT_EQ(StatusOf(Exchange(GetRequest("/api/document/none"))), 404);
  EXPECT_EQ(StatusOf(Exchange(GetRequest("/api/record/r1"))), 200);
  const Json summary = *ParseJson(BodyOf(Exchange(GetRequest("/api/summary"))), "summary");
  EXPECT_EQ(summary["trace"], true);
  EXPECT_EQ(summary["model"]["id"], "tiny");
}

TEST_F(ApiTest, Runs_AreListedAndGiveTheirCurves) {
  const std::string folder = testing::TempDir() + "api_runs/small";
  ASSERT_TRUE(CreateDirectories(folder).ok());
  ASSERT_TRUE(
      WriteFileAtomically(folder + "/metrics.jsonl", "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1}\n").ok());
  const Json list = *ParseJson(BodyOf(Exchange(GetRequest("/api/runs"))), "runs");
  ASSERT_EQ(list["runs"].size(), 1u);
  EXPECT_EQ(list["runs"][0]["name"], "api_runs/small");
  const Json metrics =
      *ParseJson(BodyOf(Exchange(GetRequest("/api/runs/api_runs%2Fsmall/metrics?points=10&after=-1"))), "metrics");
  EXPECT_EQ(metrics["steps"]["loss"], Json({2.0, 1.0}));
  EXPECT_EQ(StatusOf(Exchange(GetRequest("/api/runs/api_runs/small/metrics"))), 200) << "a slash may stand as it is";
  const std::string points = Exchange(GetRequest("/api/runs/api_runs%2Fsmall/metrics?points=0"));
  EXPECT_EQ(StatusOf(points), 400);
  EXPECT_THAT(points, HasSubstr("points is"));
  EXPECT_EQ(StatusOf(Exchange(GetRequest("/api/runs/none/metrics"))), 404);
  EXPECT_EQ(StatusOf(Exchange(GetRequest("/api/runs/api_runs%2Fsmall"))), 404);
  for (const char* path : {"/api/runs/../metrics", "/api/runs/%2e%2e/metrics",
                           "/api/runs/api_runs%2F..%2Fapi_runs%2Fsmall/metrics", "/api/runs/%2Fetc/metrics"}) {
    EXPECT_EQ(StatusOf(Exchange(GetRequest(path))), 404) << path;
  }
  EXPECT_EQ(StatusOf(Post("/api/runs", Json::object())), 405);
  ASSERT_TRUE(RemoveTree(testing::TempDir() + "api_runs").ok());
}

// A training that has left no model yet.
TEST(ApiWithoutModelTest, RunsAreServedAndQuestionsRefused) {
  class Answer final : public HttpResponder {
   public:
    void Send(int status, std::string_view, std::string_view body, const HttpHeaders&) override {
      status_ = status;
      body_ = body;
    }
    absl::Status BeginStream(std::string_view, const HttpHeaders&) override { return absl::OkStatus(); }
    absl::Status Write(std::string_view) override { return absl::OkStatus(); }
    bool ClientGone() override { return false; }
    const std::atomic<bool>& cancelled() const override { return cancelled_; }
    int status_ = 0;
    std::string body_;

   private:
    const std::atomic<bool> cancelled_{false};
  };
  Runs runs({});
  Api api(nullptr, nullptr, runs, {});
  const auto ask = [&](const char* method, const char* path) {
    Answer answer;
    api.Handle({method, path, "", "{}", {}}, answer);
    return std::pair(answer.status_, answer.body_);
  };
  EXPECT_EQ(ask("GET", "/api/runs"), std::pair(200, std::string(R"({"runs":[],"truncated":false})")));
  EXPECT_EQ(ask("GET", "/api/summary").second, R"({"model":null,"trace":false})");
  EXPECT_EQ(ask("GET", "/v1/models").second, R"({"object":"list","data":[]})");
  for (const char* path : {"/v1/chat/completions", "/v1/completions"}) {
    const auto [status, body] = ask("POST", path);
    EXPECT_EQ(status, 404) << path;
    EXPECT_THAT(body, HasSubstr("no model is served, only training runs"));
  }
  EXPECT_EQ(ask("GET", "/v1/models/x").first, 404);
}

TEST_F(ApiTest, Page_IsServedAndMayLoadOnlyFromHere) {
  const std::string page = Exchange(GetRequest("/"));
  EXPECT_EQ(StatusOf(page), 200);
  EXPECT_THAT(page, HasSubstr("Content-Type: text/html; charset=utf-8"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("<script type=\"module\" src=\"main.js\">"));
  EXPECT_THAT(Exchange(GetRequest("/main.js")), HasSubstr("Content-Type: text/javascript"));
  EXPECT_THAT(page, testing::Not(HasSubstr("http://")));
  EXPECT_THAT(page, testing::Not(HasSubstr("https://")));
}

TEST_F(ApiTest, ManyClientsAtOnce_EachGetTheirOwnAnswer) {
  std::vector<std::string> alone;
  for (int i = 0; i < 6; ++i) {
    alone.push_back(DumpJson(PostForJson("/v1/chat/completions", Chat(std::to_string(i), {{"seed", i}}))["choices"]));
  }
  std::vector<std::string> together(6);
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      together[static_cast<size_t>(i)] =
          DumpJson(PostForJson("/v1/chat/completions", Chat(std::to_string(i), {{"seed", i}}))["choices"]);
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(together, alone);
}

}  // namespace
}  // namespace rhodes
