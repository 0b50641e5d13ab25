#include "follow/follow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <utility>

#include "base/file.h"
#include "follow/metrics.h"
#include "source/row_builder.h"
#include "store/id_window.h"
#include "store/record_store.h"
#include "table/database.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

// Numbers from the position on, some at a time; ends with an error at `fail_at`.
class NumberStream final : public Stream {
 public:
  NumberStream(uint64_t first, uint64_t last, std::shared_ptr<const ReadOptions> read, std::string text)
      : next_(first), last_(last), read_(std::move(read)), text_(std::move(text)) {}

  absl::StatusOr<std::optional<StreamBatch>> Next(std::chrono::milliseconds /*wait*/) override {
    std::this_thread::sleep_for(std::exchange(connecting, {}));
    if (next_ >= last_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      return std::optional<StreamBatch>();
    }
    StreamBatch batch;
    for (int i = 0; i < 50 && next_ < last_; ++i, ++next_, ++given) {
      if (next_ % 20 == 19) {
        batch.parsed.rejects.push_back({{"test://numbers", next_, next_ + 1}, fmt::format("{} is no record", next_)});
        continue;
      }
      Record record;
      record.text = fmt::format("{} {}", next_, text_);
      record.original = record.text;
      record.origin = {"test://numbers", next_, next_ + 1};
      SealRecord(*read_, "number", "test/1", record);
      batch.parsed.records.push_back(std::move(record));
    }
    batch.bytes = 50;
    return std::optional<StreamBatch>(std::move(batch));
  }
  Json position() const override { return next_; }
  absl::Status Acknowledge(const Json& position) override {
    acknowledged = position.get<uint64_t>();
    return absl::OkStatus();
  }
  StreamHealth health() const override {
    StreamHealth health;
    health.connected = true;
    health.behind = last_ - next_;
    return health;
  }

  static std::atomic<uint64_t> acknowledged;
  static std::atomic<uint64_t> given;       // by all streams of a test
  std::chrono::milliseconds connecting{0};  // what the first Next() takes

 private:
  uint64_t next_, last_;
  std::shared_ptr<const ReadOptions> read_;
  std::string text_;
};
std::atomic<uint64_t> NumberStream::acknowledged{0};
std::atomic<uint64_t> NumberStream::given{0};

class FollowTest : public ::testing::Test {
 protected:
  void SetUp() override {
    out_ = ::testing::TempDir() + "rhodes_follow_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(out_).ok());
    NumberStream::given = 0;
    opened_ = 0;
    Use("numbers", 1000);
    options_.out = out_;
    options_.part_seconds = 0.05;
    options_.stop_after_idle = 0.5;
    options_.disk_pause = std::chrono::milliseconds(50);
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(out_).ok()); }

  void Use(const std::string& name, uint64_t last, const std::string& text = "numbers") {
    FollowSource source;
    source.name = name;
    source.url = *ParseStreamUrl("dir:///" + name);
    auto read = std::make_shared<ReadOptions>();
    read->source = name;
    source.read = read;
    options_.sources.push_back(source);
    options_.open = [this, last, text](const StreamUrl&, const Json& position, const StreamOptions& options) {
      ++opened_;
      const uint64_t first = position.is_number() ? position.get<uint64_t>() : 0;
      return absl::StatusOr<std::unique_ptr<Stream>>(std::make_unique<NumberStream>(first, last, options.read, text));
    };
  }
  IngestCounts Stored(const std::string& name) const {
    const Json counts = (*ReadJsonFile(fmt::format("{}/records/{}/manifest.json", out_, name)))["counts"];
    IngestCounts stored;
    stored.read = counts["read"];
    stored.stored = counts["stored"];
    stored.duplicates = counts["duplicates"];
    stored.rejected = counts["rejected"];
    return stored;
  }

  std::string out_;
  FollowOptions options_;
  std::atomic<int> opened_{0};  // streams, by what Use() set
};

TEST_F(FollowTest, StoresAllThatComesAndGoesOnWhereItStopped) {
  RunContext context;
  absl::StatusOr<FollowReport> report = Follow(options_, context);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->sources[0].counts.read, 1000u);
  EXPECT_EQ(report->sources[0].counts.stored, 950u);
  EXPECT_EQ(report->sources[0].counts.rejected, 50u);
  EXPECT_EQ(NumberStream::acknowledged, 1000u);
  options_.sources.clear();
  Use("numbers", 1500);
  report = Follow(options_, context);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->sources[0].counts.read, 500u);  // nothing is read twice
  EXPECT_EQ(Stored("numbers").read, 1500u);
  EXPECT_EQ(Stored("numbers").stored, 1425u);
  EXPECT_EQ(Stored("numbers").duplicates, 0u);
}

// Opening takes long where many ids are read: that is no idleness.
TEST_F(FollowTest, TheTimeThatOpeningTakesIsNotIdle) {
  options_.stop_after_idle = 0.5;
  options_.open = [](const StreamUrl&, const Json&, const StreamOptions& options) {
    std::this_thread::sleep_for(std::chrono::milliseconds(800));
    auto stream = std::make_unique<NumberStream>(0, 1000, options.read, "numbers");
    stream->connecting = std::chrono::milliseconds(250);
    return absl::StatusOr<std::unique_ptr<Stream>>(std::move(stream));
  };
  RunContext context;
  const absl::StatusOr<FollowReport> report = Follow(options_, context);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->sources[0].counts.read, 1000u);
}

TEST_F(FollowTest, StoppedByTheUserItCommitsFirst) {
  options_.stop_after_idle = 0;
  options_.part_seconds = 3600;
  std::atomic<bool> cancelled{false};
  RunContext context;
  context.cancelled = &cancelled;
  std::atomic<bool> ended{false};
  std::thread user([&] {
    while (NumberStream::given < 1000 && !ended) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the last batch is handed over
    cancelled = true;
  });
  const absl::Status status = Follow(options_, context).status();
  ended = true;
  user.join();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kInterrupted) << status;
  EXPECT_EQ(Stored("numbers").read, 1000u);
}

TEST_F(FollowTest, SmallPartsAreNotLeftLyingAbout) {
  options_.sources.clear();
  Use("numbers", 5000);
  options_.part_seconds = 0;  // a part a batch: 100 of them
  RunContext context;
  const absl::StatusOr<FollowReport> report = Follow(options_, context);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GE(report->sources[0].commits, 80u);
  const std::vector<std::string> parts = *ListParts(out_, "numbers");
  EXPECT_LT(parts.size(), 20u);
  const std::unique_ptr<Database> database = *Database::Open({});
  std::string list;
  for (const std::string& part : parts) list += (list.empty() ? "" : ", ") + SqlLiteral(part);
  EXPECT_EQ(*database->QueryCount(fmt::format("SELECT count(DISTINCT id)::UBIGINT FROM read_parquet([{}])", list)),
            4750u);
  // In the order in which they came.
  EXPECT_EQ(
      *database->QueryCount(fmt::format("SELECT count(*)::UBIGINT FROM (SELECT \"begin\" AS b, lag(\"begin\") OVER () "
                                        "AS a FROM read_parquet([{}])) WHERE a > b",
                                        list)),
      0u);
}

TEST_F(FollowTest, AFullDiskIsWaitedForAndNothingIsLost) {
  // Files may not grow beyond 40 kB for a while: what a full disk looks like to one process.
  options_.sources.clear();
  std::string filler;
  for (int i = 0; i < 400; ++i) filler += static_cast<char>('a' + (i * i) % 23);
  Use("numbers", 4000, filler);
  options_.part_seconds = 3600;
  options_.stop_after_idle = 1.5;
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 4000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  std::atomic<bool> ended{false};
  std::thread operator_thread([&] {
    while (opened_ < 2 && !ended) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // tried again at least once
    setrlimit(RLIMIT_FSIZE, &before);
  });
  options_.part_bytes = 1 << 16;
  RunContext context;
  const absl::StatusOr<FollowReport> report = Follow(options_, context);
  ended = true;
  operator_thread.join();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GE(report->sources[0].restarts, 1u);
  EXPECT_EQ(Stored("numbers").read, 4000u);
  EXPECT_EQ(Stored("numbers").stored, 3800u);
}

TEST_F(FollowTest, TwoSourcesOfOneNameAreRefused) {
  Use("numbers", 10);
  RunContext context;
  const absl::Status status = Follow(options_, context).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(Message(status), HasSubstr("two streams are called \"numbers\""));
}

TEST(IdWindow, ForgetsOnlyWhatIsOldEnough) {
  IdWindow window(100);
  for (uint64_t i = 1; i <= 1000; ++i) {
    EXPECT_TRUE(window.Insert({i, i}));
    EXPECT_FALSE(window.Insert({i, i}));
    if (i > 50) {
      EXPECT_FALSE(window.Insert({i - 49, i - 49}));
    }
  }
  EXPECT_TRUE(window.Insert({1, 1}));  // long forgotten
}

TEST(Metrics, AreInPrometheusTextFormat) {
  SourceMetrics source;
  source.source = "a \"quoted\"\\name";
  source.counts.read = 12;
  source.counts.stored = 10;
  source.CountReject(ReasonLabel("line 17: \"abc\" is no date"));
  source.CountReject(ReasonLabel("line 18: \"xyz\" is no date"));
  source.health.connected = true;
  const std::string text = MetricsText({source});
  EXPECT_THAT(text, HasSubstr("# TYPE rhodes_follow_read_total counter\nrhodes_follow_read_total{source=\"a "
                              "\\\"quoted\\\"\\\\name\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("reason=\"line N: \\\"\\\" is no date\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("rhodes_follow_connected{source=\"a \\\"quoted\\\"\\\\name\"} 1\n"));
}

TEST(Metrics, ReasonsAreFew) {
  SourceMetrics source;
  for (int i = 0; i < 100; ++i) source.CountReject(std::string(static_cast<size_t>(i % 40) + 1, 'x'));
  EXPECT_LE(source.rejects.size(), 21u);
  uint64_t total = 0;
  for (const auto& [reason, count] : source.rejects) total += count;
  EXPECT_EQ(total, 100u);
}

}  // namespace
}  // namespace rhodes
