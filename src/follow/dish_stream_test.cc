// Dishes against a gRPC server that reboots, is away, is late and answers rubbish.
#include "follow/dish_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "follow/dish_client.h"
#include "follow/reflection_answer.h"
#include "follow/test_dish.h"

namespace rhodes {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

DishStreamTiming Fast() {
  DishStreamTiming timing;
  timing.every = milliseconds(20);
  timing.sample = milliseconds(2);
  timing.call = milliseconds(200);
  timing.network_pause = milliseconds(5);
  timing.longest_pause = milliseconds(100);
  timing.seed = 1;
  return timing;
}

StreamOptions Options() {
  auto read = std::make_shared<ReadOptions>();
  read->source = "dish";
  return {read, uint64_t{64} << 20};
}

struct Reader {
  std::unique_ptr<Stream> stream;
  std::vector<std::string> samples;  // by their values, which no two samples share, in order
  std::set<std::string> ids;
  int outages = 0;
  int statuses = 0;
  std::vector<std::string> rejects;
  absl::Status status;

  void Until(const std::function<bool()>& done, milliseconds most = milliseconds(10'000)) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!done() && status.ok() && std::chrono::steady_clock::now() < end) {
      auto next = stream->Next(milliseconds(10));
      status = next.status();
      if (!next.ok() || !next->has_value()) continue;
      for (const Record& record : (*next)->parsed.records) {
        EXPECT_EQ(record.author, "ut-test") << record.kind;
        statuses += record.kind == "dish-status" ? 1 : 0;
        outages += record.kind == "dish-outage" ? 1 : 0;
        if (record.kind == "dish-sample") {
          EXPECT_TRUE(ids.insert(record.id).second) << "given twice";
          for (const auto& [name, value] : record.channels) {
            if (name == "popPingLatencyMs") samples.push_back(fmt::format("{:.3f}", value));
          }
        }
      }
      for (const Reject& reject : (*next)->parsed.rejects) rejects.push_back(reject.reason);
    }
  }
  void UntilSamples(size_t count) {
    Until([&] { return samples.size() >= count; });
  }
};

Reader Open(int port, const Json& position = nullptr, const DishStreamTiming& timing = Fast()) {
  Reader reader;
  auto stream =
      OpenDishStream(*ParseStreamUrl(fmt::format("grpc://127.0.0.1:{}/dish", port)), position, Options(), timing);
  EXPECT_TRUE(stream.ok()) << stream.status();
  if (stream.ok()) reader.stream = *std::move(stream);
  return reader;
}

std::vector<std::string> Samples(int boot, int begin, int end) {
  std::vector<std::string> samples;
  for (int i = begin; i < end; ++i) samples.push_back(fmt::format("{:.3f}", boot + i / 1000.0));
  return samples;
}

void Append(std::vector<std::string>& all, const std::vector<std::string>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

TEST(DishStream, GivesEachSampleAndOutageOnceWhileTheRingTurns) {
  TestDish dish(30);
  dish.Count(10);
  Reader reader = Open(dish.Start());
  reader.UntilSamples(10);
  for (int i = 0; i < 10; ++i) {
    if (i == 5) dish.AddOutage();
    dish.Count(7);
    reader.UntilSamples(10 + 7 * static_cast<size_t>(i + 1));
  }
  EXPECT_EQ(reader.samples, Samples(1, 0, 80));
  reader.Until([&] { return reader.outages >= 2; });
  EXPECT_EQ(reader.outages, 2);
  EXPECT_GE(reader.statuses, 2);
  EXPECT_THAT(reader.rejects, ElementsAre());
  EXPECT_TRUE(reader.stream->health().connected);
}

TEST(DishStream, GoesOnExactlyAtItsPosition) {
  TestDish dish(30);
  dish.Count(20);
  Reader first = Open(dish.Start());
  first.UntilSamples(20);
  const Json position = *ParseJson(DumpJson(first.stream->position()), "kept");
  first.stream.reset();
  dish.Count(15);
  Reader second = Open(dish.port(), position);
  second.UntilSamples(15);
  second.Until([] { return false; }, milliseconds(100));
  EXPECT_EQ(second.samples, Samples(1, 20, 35));
  EXPECT_EQ(second.outages, 0);
  // Positions that are as old as one likes: what is still there comes again, what is not is told.
  dish.Count(30);
  Reader third = Open(dish.port(), position);
  third.UntilSamples(30);
  EXPECT_EQ(third.samples, Samples(1, 35, 65));
  EXPECT_THAT(third.rejects, ElementsAre("samples 20 to 34 were written over before they were asked for"));
}

TEST(DishStream, AReBootStartsTheCountAnew) {
  TestDish dish(30);
  dish.Count(20);
  Reader reader = Open(dish.Start());
  reader.UntilSamples(20);
  dish.Boot();
  dish.Count(5);
  reader.UntilSamples(25);
  dish.Boot();
  dish.Count(12);  // further than before: the counter alone does not tell
  reader.UntilSamples(37);
  std::vector<std::string> expected = Samples(1, 0, 20);
  Append(expected, Samples(2, 0, 5));
  Append(expected, Samples(3, 0, 12));
  EXPECT_EQ(reader.samples, expected);
  EXPECT_EQ(reader.outages, 3);
  EXPECT_THAT(reader.rejects, ElementsAre());
}

TEST(DishStream, ADishThatIsAwayOrLateIsTriedAgainAndNothingIsMissing) {
  TestDish dish(200);
  const int port = dish.Start();
  Reader reader = Open(port);
  dish.Count(10);
  reader.UntilSamples(10);
  using Fault = TestDish::Fault;
  dish.Fail({Fault::kUnavailable, Fault::kLate, Fault::kNone, Fault::kUnavailable});
  dish.Count(10);
  reader.UntilSamples(20);
  dish.Stop();
  std::string trouble;
  reader.Until([&] {
    trouble = reader.stream->health().trouble;
    return !reader.stream->health().connected;
  });
  EXPECT_NE(trouble, "");
  dish.Count(10);
  dish.Start(port);
  reader.UntilSamples(30);
  EXPECT_EQ(reader.samples, Samples(1, 0, 30));
  EXPECT_EQ(reader.outages, 1);
  EXPECT_GE(reader.stream->health().reconnects, 2u);
  EXPECT_EQ(reader.stream->health().trouble, "");
  EXPECT_THAT(reader.rejects, ElementsAre());
}

TEST(DishStream, AnswersToOtherQuestionsAreRejected) {
  TestDish dish(30);
  dish.Count(3);
  using Fault = TestDish::Fault;
  dish.Fail({Fault::kOtherAnswer, Fault::kEmpty, Fault::kNone, Fault::kOtherAnswer});
  Reader reader = Open(dish.Start());
  reader.Until([&] { return reader.samples.size() >= 3 && reader.rejects.size() >= 3; });
  EXPECT_EQ(reader.samples, Samples(1, 0, 3));
  ASSERT_EQ(reader.rejects.size(), 3u);
  EXPECT_EQ(reader.rejects[0], "an answer without dishGetStatus");
  EXPECT_THAT(reader.rejects[1], HasSubstr("an answer without dishGet"));
}

TEST(DishStream, WithoutHistoryTheStatusGoesOn) {
  TestDish dish(30);
  dish.RefuseHistory();
  Reader reader = Open(dish.Start());
  reader.Until([&] { return reader.statuses >= 3; });
  EXPECT_TRUE(reader.status.ok());
  EXPECT_THAT(reader.stream->health().trouble, HasSubstr("refuses its history: no history for you"));
}

TEST(DishStream, AnUnreachableDishIsAskedLessAndLess) {
  int port = 0;
  {
    TestDish dish(30);
    port = dish.Start();
  }
  Reader reader = Open(port);
  reader.Until([] { return false; }, milliseconds(300));
  EXPECT_TRUE(reader.status.ok()) << reader.status;
  EXPECT_FALSE(reader.stream->health().connected);
  EXPECT_NE(reader.stream->health().trouble, "");
}

TEST(DishStream, AServerThatIsNoDishIsAnError) {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  Reader reader = Open(port);
  reader.Until([] { return false; }, milliseconds(2000));
  // Reflection in this process knows the dish's messages, but the server does not answer the call.
  EXPECT_EQ(reader.status.code(), absl::StatusCode::kFailedPrecondition) << reader.status;
  EXPECT_THAT(Message(reader.status), HasSubstr("the dish refuses"));
}

TEST(DishStream, RefusesWrongAddressesByName) {
  const auto message = [](const std::string& text, const Json& position = nullptr) {
    const auto url = ParseStreamUrl(text);
    if (!url.ok()) return Message(url.status());
    const auto stream = OpenDishStream(*url, position, Options());
    return stream.ok() ? std::string("ok") : Message(stream.status());
  };
  EXPECT_THAT(message("grpc://h/disc"), HasSubstr("\"/disc\" is no kind of device"));
  EXPECT_THAT(message("grpc://h/dish?every=0"), HasSubstr("every is seconds"));
  EXPECT_THAT(message("grpc://h/dish?evry=1"), HasSubstr("did you mean \"every\"?"));
  EXPECT_THAT(message("grpc://h/dish", Json{{"received", "x"}}), HasSubstr("the kept position is damaged"));
}

TEST(ReflectionAnswer, ReadsFilesAndErrorsAndRefusesTheRest) {
  const std::string files = std::string("\x22\x08\x0a\x01") + "a" + "\x0a\x03" + "bcd";
  EXPECT_THAT(*ReadReflectionAnswer(files), ElementsAre("a", "bcd"));
  const std::string error = std::string("\x3a\x08\x08\x05\x12\x04") + "nope";
  EXPECT_EQ(ReadReflectionAnswer(error).status(), absl::NotFoundError("nope"));
  EXPECT_EQ(Message(ReadReflectionAnswer("\x22\x05\x0a").status()), "reflection: the answer is no message");
  EXPECT_EQ(Message(ReadReflectionAnswer("\x22\x02\x0a\x05").status()), "reflection: the answer breaks off");
  EXPECT_EQ(Message(ReadReflectionAnswer("").status()), "reflection: the answer holds no file");
  EXPECT_EQ(ReflectionRequestOfSymbol("ab"),
            "\x22\x02"
            "ab");
  EXPECT_EQ(ReflectionRequestOfFile(std::string(200, 'x')).substr(0, 3), "\x1a\xc8\x01");
}

}  // namespace
}  // namespace rhodes
