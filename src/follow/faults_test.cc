// All kinds of streams at once against peers that drop, repeat, garble and rotate, under a follower that is killed at
// any moment: what it had not committed is lost to it, and it opens the streams again where it had committed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "follow/directory_stream.h"
#include "follow/dish_stream.h"
#include "follow/http_stream.h"
#include "follow/test_dish.h"
#include "follow/test_http_server.h"

namespace rhodes {
namespace {

using std::chrono::milliseconds;

constexpr int kLines = 600;      // over HTTP
constexpr int kFileLines = 600;  // in files
constexpr int kSamples = 600;    // of the dish

std::string Line(int number) {
  return fmt::format(R"({{"id":"{0}","text":"{0}","more":"{1}"}})", number, std::string(100, 'x')) + "\n";
}

// What a process keeps over its death: records and position, written at once.
class Follower {
 public:
  using Open = std::function<absl::StatusOr<std::unique_ptr<Stream>>(const Json& position)>;
  // `name`: what a record is known by; "" when it is not counted.
  Follower(Open open, std::function<std::string(const Record&)> name) : open_(std::move(open)), name_(std::move(name)) {
    Start();
  }

  void Step() {
    auto next = stream_->Next(milliseconds(2));
    ASSERT_TRUE(next.ok()) << next.status();
    if (!next->has_value()) return;
    for (const Record& record : (*next)->parsed.records) {
      if (const std::string name = name_(record); !name.empty()) pending_.push_back(name);
    }
    for (const Reject& reject : (*next)->parsed.rejects) pending_rejects_.push_back(reject.reason);
  }
  void Commit() {
    for (const std::string& name : std::exchange(pending_, {})) ++records_[name];
    for (const std::string& reason : std::exchange(pending_rejects_, {})) rejects_.push_back(reason);
    position_ = DumpJson(stream_->position());
  }
  void Kill() {
    pending_.clear();
    pending_rejects_.clear();
    stream_.reset();
    Start();
  }

  const std::map<std::string, int>& records() const { return records_; }
  const std::vector<std::string>& rejects() const { return rejects_; }

 private:
  void Start() {
    auto stream = open_(*ParseJson(position_, "kept"));
    ASSERT_TRUE(stream.ok()) << stream.status();
    stream_ = *std::move(stream);
  }

  const Open open_;
  const std::function<std::string(const Record&)> name_;
  std::unique_ptr<Stream> stream_;
  std::string position_ = "null";
  std::vector<std::string> pending_, pending_rejects_;
  std::map<std::string, int> records_;
  std::vector<std::string> rejects_;
};

// Writes lines in pieces, into a log that is rotated, and into files that are moved in.
class Writer {
 public:
  explicit Writer(std::string directory) : directory_(std::move(directory)) {}
  void Step(std::mt19937& random) {
    if (next_ >= kFileLines && rest_.empty()) return;
    if (rest_.empty() && next_ + 2 <= kFileLines && random() % 6 == 0) {
      const std::string name = fmt::format("{}/moved.{}", directory_, ++files_);
      std::ofstream(name) << Line(next_) << Line(next_ + 1);
      next_ += 2;
      std::filesystem::rename(name, name + ".log");
      return;
    }
    if (rest_.empty() && random() % 25 == 0 && std::filesystem::exists(directory_ + "/app.log")) {
      std::filesystem::rename(directory_ + "/app.log", fmt::format("{}/app.log.{}", directory_, ++files_));
    }
    if (rest_.empty()) {
      for (int count = 1 + static_cast<int>(random() % 5); count > 0 && next_ < kFileLines; --count)
        rest_ += Line(next_++);
    }
    const size_t size = std::min<size_t>(rest_.size(), 1 + random() % 300);
    std::ofstream(directory_ + "/app.log", std::ios::app) << rest_.substr(0, size);
    rest_.erase(0, size);
  }

 private:
  const std::string directory_;
  std::string rest_;
  int next_ = 0;
  int files_ = 0;
};

TEST(StreamFaults, KilledAtAnyMomentAllIsThereOnce) {
  // --gtest_random_seed=N for another run of faults.
  const unsigned seed = 20261126 + static_cast<unsigned>(::testing::UnitTest::GetInstance()->random_seed());
  std::mt19937 random(seed);
  const std::string directory = fmt::format("{}/stream_faults.{}", ::testing::TempDir(), ::getpid());
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  auto read = std::make_shared<ReadOptions>();
  read->source = "test";
  const StreamOptions options{read, uint64_t{16} << 20};

  // Begins again a little before what is committed, sends some lines, garbage and half a line, and is gone.
  std::atomic<int> committed{0};
  std::mt19937 chance(seed + 1);
  TestHttpServer server({[&](TestHttpServer::Connection& connection) {
    if (chance() % 6 == 0) return connection.Head("Content-Length: 0\r\n", 503);
    const bool chunks = chance() % 2 == 0;
    connection.Head(chunks ? "Transfer-Encoding: chunked\r\n" : "");
    const auto send = [&](const std::string& bytes) { chunks ? connection.Chunk(bytes) : connection.Send(bytes); };
    int at = std::max(0, committed - 10);
    for (int count = static_cast<int>(chance() % 120); count > 0 && at < kLines; --count) {
      send(Line(at++));
      if (chance() % 30 == 0) send("{\"garbage\": [\n");
      if (chance() % 30 == 0) send("\r\n");
    }
    if (at < kLines) send(Line(at).substr(0, 70 + chance() % 40));
    connection.Wait(static_cast<int>(chance() % 10));
    if (chance() % 2 == 0) connection.Reset();
  }});
  HttpStreamTiming http_timing;
  http_timing.network_pause = http_timing.server_pause = milliseconds(2);
  http_timing.longest_pause = milliseconds(10);
  http_timing.repeat = milliseconds(20'000);
  const auto http_url = *ParseStreamUrl(fmt::format("http://127.0.0.1:{}/?format=jsonl", server.port()));
  const auto text = [](const Record& record) { return record.text; };
  Follower http([&](const Json& position) { return OpenHttpStream(http_url, position, options, http_timing); }, text);

  DirectoryStreamTiming directory_timing;
  directory_timing.rescan = milliseconds(50);
  const auto directory_url = *ParseStreamUrl(fmt::format("dir://{}?format=jsonl&pattern=*.log*", directory));
  Follower files(
      [&](const Json& position) { return OpenDirectoryStream(directory_url, position, options, directory_timing); },
      text);
  Writer writer(directory);

  TestDish dish(300);
  DishStreamTiming dish_timing;
  dish_timing.every = milliseconds(5);
  dish_timing.sample = milliseconds(1);
  dish_timing.call = milliseconds(500);
  dish_timing.network_pause = milliseconds(2);
  dish_timing.longest_pause = milliseconds(10);
  const auto dish_url = *ParseStreamUrl(fmt::format("grpc://127.0.0.1:{}/dish", dish.Start()));
  Follower samples([&](const Json& position) { return OpenDishStream(dish_url, position, options, dish_timing); },
                   [](const Record& record) {
                     for (const auto& [name, value] : record.fields) {
                       if (record.kind == "dish-sample" && name == "sample") return value;
                     }
                     return std::string();
                   });

  int counted = 0;
  int kills = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(40);
  const auto complete = [&] {
    return http.records().size() >= kLines && files.records().size() >= kFileLines &&
           samples.records().size() >= kSamples;
  };
  while ((!complete() || kills < 30) && std::chrono::steady_clock::now() < end) {
    writer.Step(random);
    // Of a ring that holds 300 no more may be waiting.
    if (counted < kSamples && counted - static_cast<int>(samples.records().size()) < 200 && random() % 3 == 0) {
      dish.Count(5);
      counted += 5;
    }
    if (random() % 40 == 0) dish.Fail({TestDish::Fault::kUnavailable, TestDish::Fault::kEmpty});
    for (Follower* follower : {&http, &files, &samples}) {
      follower->Step();
      if (random() % 5 == 0) follower->Commit();
      if (random() % 60 == 0) {
        follower->Kill();
        ++kills;
      }
    }
    committed = static_cast<int>(http.records().size());
    if (HasFatalFailure()) return;
  }
  for (Follower* follower : {&files, &samples}) {
    for (const auto& [name, count] : follower->records()) EXPECT_EQ(count, 1) << name;
  }
  // A server that repeats is told by the records' ids, which is the store's work.
  EXPECT_EQ(http.records().size(), static_cast<size_t>(kLines));
  EXPECT_EQ(files.records().size(), static_cast<size_t>(kFileLines));
  EXPECT_EQ(samples.records().size(), static_cast<size_t>(kSamples));
  EXPECT_GE(kills, 30);
  EXPECT_GE(http.rejects().size(), 1u);
  for (const std::string& reason : http.rejects())
    EXPECT_THAT(reason, ::testing::Not(::testing::HasSubstr("broke off")));
  EXPECT_THAT(files.rejects(), ::testing::ElementsAre());
  for (const std::string& reason : samples.rejects())
    EXPECT_THAT(reason, ::testing::HasSubstr("an answer without dishGet"));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace rhodes
