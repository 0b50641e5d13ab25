#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>

#include "base/file.h"
#include "base/hash.h"
#include "fuse/fuse.h"
#include "fuse/fuse_state.h"
#include "record/document_table.h"
#include "store/record_store.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMinute = 60'000'000;

// Two sources in time: cars' samples and people's posts.
struct Item {
  std::string source;
  int number;
  int64_t time;  // minutes; negative: none
  std::string text;
};

class IncrementalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.out = ::testing::TempDir() + "rhodes_incremental_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(options_.out).ok());
    options_.templates.push_back({"seen", "en", DigitStyle::kWestern,
                                  "{post.text} at {post.time:clock}[; the car drove {car.speed:.1f km/h}].", "t", 1});
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(options_.out).ok()); }

  void View(const std::string& name, const std::string& sql, std::optional<FuseView::Slices> slices = std::nullopt) {
    FuseView view;
    view.name = name;
    view.sql = sql;
    view.file = "rhodes.toml";
    view.slices = slices;
    options_.views.push_back(view);
  }
  void Source(const std::string& source, bool rest) {
    FuseView view;
    view.name = source + "-alone";
    view.source = source;
    view.rest = rest;
    options_.views.push_back(view);
  }
  void AllKinds() {
    View("local",
         "SELECT text, id AS parent, time FROM posts WHERE length(text) % 3 <> 0 UNION ALL "
         "SELECT 'sample of ' || author, id, time FROM samples WHERE channels['speed'] > 50");
    View("near",
         "SELECT unnest(render('seen', {'post': p, 'car': {'id': s.id, 'speed': s.channels['speed']}})), p.time FROM "
         "posts "
         "p LEFT JOIN samples s ON s.time BETWEEN p.time - INTERVAL 7 MINUTE AND p.time + INTERVAL 7 MINUTE WHERE "
         "p.time IS "
         "NOT NULL",
         FuseView::Slices{120 * kMinute, 7 * kMinute});
    View("all",
         "SELECT string_agg(text, ' ' ORDER BY id) AS text, list(id ORDER BY id) AS parents FROM posts GROUP BY "
         "length(text)");
    View("first", "SELECT text, id AS parent, time FROM posts WHERE text LIKE '%1%'");
    View("second", "SELECT 'again ' || text AS text, parent FROM first");
    Source("samples", false);
    Source("posts", true);
  }

  void Store(const std::string& source, RecordWriter::Mode mode, const std::vector<Item>& items) const {
    absl::StatusOr<std::unique_ptr<RecordWriter>> writer = RecordWriter::Open(options_.out, source, mode, RunContext());
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const Item& item : items) {
      if (item.source != source) continue;
      Record record;
      record.source = source;
      record.kind = "row";
      record.text = source == "posts" ? item.text : "";
      record.original = fmt::format("{} {} {}", source, item.number, item.text);
      record.author = fmt::format("car{}", item.number % 3);
      if (item.time >= 0) record.time = item.time * kMinute;
      if (source == "samples") record.channels = {{"speed", item.number % 100 + 0.25}};
      record.id = ContentId({source, "row", record.original});
      ASSERT_TRUE((*writer)->Append(record).ok());
    }
    ASSERT_TRUE((*writer)->Commit("", Json::object(), 0).ok());
  }

  FuseReport Run(bool incremental, int threads = 2) {
    options_.incremental = incremental;
    RunContext context;
    context.threads = threads;
    absl::StatusOr<FuseReport> report = Fuse(options_, context);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : FuseReport();
  }
  // Hashes of all that a run leaves, its state included. Manifests have times in them.
  std::map<std::string, std::string> Bytes() const {
    std::map<std::string, std::string> bytes;
    for (const std::string& directory : {options_.out + "/documents", FuseStateDirectory(options_.out)}) {
      const absl::StatusOr<std::vector<std::string>> files = ListFiles(directory);
      EXPECT_TRUE(files.ok());
      for (const std::string& file : *files) {
        if (!file.ends_with("/manifest.json")) bytes[file] = *Sha256OfFile(file);
      }
    }
    return bytes;
  }
  static FuseReport::View ViewOf(const FuseReport& report, const std::string& name) {
    for (const FuseReport::View& view : report.views) {
      if (view.name == name) return view;
    }
    ADD_FAILURE() << name;
    return {};
  }

  FuseOptions options_;
};

std::vector<Item> Items(std::mt19937& random, int count, int& next) {
  std::vector<Item> items;
  for (int i = 0; i < count; ++i) {
    Item& item = items.emplace_back();
    item.source = random() % 3 == 0 ? "posts" : "samples";
    item.number = next++;
    item.time = random() % 40 == 0 ? -1 : static_cast<int64_t>(random() % (2 * 1440));
    // Few texts, so that several records and units make the same document.
    item.text = fmt::format("post {}{}", random() % 30, std::string(random() % 4, '!'));
  }
  return items;
}

// Records come, late ones too, and go; after each step the documents are those that a run from nothing makes.
TEST_F(IncrementalTest, MakesTheSameBytesAsAWholeRun) {
  AllKinds();
  std::mt19937 random(5);
  int next = 0;
  std::vector<Item> all = Items(random, 60, next);
  for (const char* source : {"posts", "samples"}) Store(source, RecordWriter::Mode::kReplace, all);
  uint64_t taken_over = 0;
  for (int step = 0; step < 10; ++step) {
    const FuseReport report = Run(true);
    for (const FuseReport::View& view : report.views) taken_over += view.taken_over;
    const std::map<std::string, std::string> incremental = Bytes();
    const FuseReport whole = Run(false, 1);
    ASSERT_EQ(incremental, Bytes()) << "step " << step;
    ASSERT_EQ(ToJson(report), ToJson(whole));
    const std::string source = random() % 2 == 0 ? "posts" : "samples";
    if (random() % 3 > 0) {
      const std::vector<Item> more = Items(random, static_cast<int>(random() % 12), next);
      Store(source, RecordWriter::Mode::kAppend, more);
      std::copy_if(more.begin(), more.end(), std::back_inserter(all),
                   [&](const Item& one) { return one.source == source; });
    } else {
      std::erase_if(all, [&](const Item& one) { return one.source == source && random() % 6 == 0; });
      Store(source, RecordWriter::Mode::kReplace, all);
    }
  }
  EXPECT_GT(taken_over, 0u);
}

TEST_F(IncrementalTest, OnlyWhatChangedIsMadeAnew) {
  AllKinds();
  std::mt19937 random(6);
  int next = 0;
  const std::vector<Item> all = Items(random, 200, next);
  for (const char* source : {"posts", "samples"}) Store(source, RecordWriter::Mode::kReplace, all);
  const FuseReport first = Run(true);
  EXPECT_EQ(ViewOf(first, "near").taken_over, 0u);
  const FuseReport same = Run(true);
  for (const FuseReport::View& view : same.views) {
    EXPECT_EQ(view.made, 0u) << view.name;
    EXPECT_EQ(view.taken_over, ViewOf(first, view.name).documents) << view.name;
  }
  EXPECT_EQ(ToJson(same), ToJson(first));
  EXPECT_EQ(same.documents, first.documents);

  options_.views[0].sql += " AND true";  // all others are as they were
  const FuseReport other = Run(true);
  EXPECT_EQ(ViewOf(other, "local").taken_over, 0u);
  for (const char* name : {"near", "all", "second", "samples-alone"}) EXPECT_EQ(ViewOf(other, name).made, 0u) << name;

  Store("posts", RecordWriter::Mode::kAppend, {{"posts", 9000, 90, "a late post"}});
  const FuseReport more = Run(true);
  const FuseReport::View local = ViewOf(more, "local");
  EXPECT_EQ(local.made, 1u);
  EXPECT_GT(local.taken_over, 50u);
  const FuseReport::View near = ViewOf(more, "near");
  EXPECT_GE(near.made, 1u);
  EXPECT_LT(near.made, near.documents / 4) << "two hours around minute 90, of two days";
  EXPECT_EQ(ViewOf(more, "all").taken_over, 0u);
}

TEST_F(IncrementalTest, AViewThatIsAnotherOrNotTheSameEachTimeIsMadeAnew) {
  std::mt19937 random(8);
  int next = 0;
  const std::vector<Item> all = Items(random, 90, next);
  for (const char* source : {"posts", "samples"}) Store(source, RecordWriter::Mode::kReplace, all);
  View("now", "SELECT text || (now() > TIMESTAMPTZ '2000-01-01') AS text, id AS parent FROM posts");
  options_.views.back().allow_nondeterministic = true;
  View("on", "SELECT text || '.' AS text, parent FROM now");
  View("same", "SELECT text || ' s' AS text, id AS parent FROM posts");
  Run(true);
  const FuseReport again = Run(true);
  EXPECT_EQ(ViewOf(again, "now").taken_over, 0u);
  EXPECT_EQ(ViewOf(again, "on").taken_over, 0u);
  EXPECT_EQ(ViewOf(again, "same").made, 0u);
  options_.views[2].sql += " WHERE true";
  EXPECT_EQ(ViewOf(Run(true), "same").taken_over, 0u);
  options_.templates.push_back({"x", "en", DigitStyle::kWestern, "x", "", 1});
  EXPECT_EQ(ViewOf(Run(true), "same").taken_over, 0u);
  options_.incremental = false;
  EXPECT_EQ(ViewOf(Run(false), "same").taken_over, 0u);
}

// Satellites are looked up in all records, not in those that the view reads.
TEST_F(IncrementalTest, AViewOfSatellitesIsMadeAnewWhenElementsChange) {
  Store("posts", RecordWriter::Mode::kReplace, {{"posts", 1, 5, "text"}});
  View("sky",
       "SELECT text || len(coalesce(satellites_above(time, 52.0, 13.0, 0.0, 10.0), [])) AS text, id AS parent FROM "
       "posts");
  View("plain", "SELECT text, id AS parent FROM posts");
  Run(true);
  EXPECT_EQ(ViewOf(Run(true), "sky").taken_over, 1u);
  const absl::StatusOr<std::unique_ptr<RecordWriter>> writer =
      RecordWriter::Open(options_.out, "elements", RecordWriter::Mode::kReplace, RunContext());
  ASSERT_TRUE(writer.ok());
  Record record;
  record.source = "elements";
  record.kind = "element-set";
  record.id = ContentId({"elements"});
  ASSERT_TRUE((*writer)->Append(record).ok());
  ASSERT_TRUE((*writer)->Commit("", Json::object(), 0).ok());
  const FuseReport report = Run(true);
  EXPECT_EQ(ViewOf(report, "sky").made, 1u);
  EXPECT_EQ(ViewOf(report, "plain").taken_over, 1u);
}

// A state that is not about the documents that are there is not used: they were erased from, or a kill came between.
TEST_F(IncrementalTest, AStateOfOtherDocumentsIsNotUsed) {
  std::mt19937 random(9);
  int next = 0;
  const std::vector<Item> all = Items(random, 90, next);
  for (const char* source : {"posts", "samples"}) Store(source, RecordWriter::Mode::kReplace, all);
  View("local", "SELECT text, id AS parent FROM posts");
  Run(true);
  const std::string manifest = options_.out + "/documents/manifest.json";
  const std::map<std::string, std::string> bytes = Bytes();
  Json changed = *ReadJsonFile(manifest);
  changed["files"][0]["rows"] = 1;
  ASSERT_TRUE(WriteFileAtomically(manifest, DumpJson(changed)).ok());
  EXPECT_TRUE(ReadFuseState(options_.out).views.empty());
  EXPECT_EQ(ViewOf(Run(true), "local").taken_over, 0u);
  EXPECT_EQ(Bytes(), bytes);
  const std::string part = options_.out + "/documents/part-00000.parquet";
  std::string damaged = *ReadFile(part);
  damaged[damaged.size() / 4] ^= 1;  // where it can still be opened
  ASSERT_TRUE(WriteFileAtomically(part, damaged).ok());
  EXPECT_EQ(ViewOf(Run(true), "local").taken_over, 0u) << "damage is not taken over";
  EXPECT_EQ(Bytes(), bytes);
  for (const char* damage : {"{", "{\"version\":1}", "[]", ""}) {
    ASSERT_TRUE(WriteFileAtomically(FuseStateDirectory(options_.out) + "/state.json", damage).ok());
    EXPECT_EQ(ViewOf(Run(true), "local").taken_over, 0u);
    EXPECT_EQ(Bytes(), bytes);
  }
}

TEST_F(IncrementalTest, ARelativePathIsTakenOverFromToo) {
  Store("posts", RecordWriter::Mode::kReplace, {{"posts", 1, 5, "text"}});
  View("local", "SELECT text, id AS parent FROM posts");
  Run(true);
  options_.out = std::filesystem::relative(options_.out).string();
  EXPECT_EQ(ViewOf(Run(true), "local").taken_over, 1u);
}

TEST_F(IncrementalTest, ASlicedDocumentWithoutTimeIsAnError) {
  Store("posts", RecordWriter::Mode::kReplace, {{"posts", 1, 5, "text"}});
  View("near", "SELECT text, id AS parent, NULL::TIMESTAMP AS time FROM posts", FuseView::Slices{kMinute, 0});
  RunContext context;
  EXPECT_THAT(Message(Fuse(options_, context).status()), HasSubstr("1 rows have a text and no time"));
  options_.views[0].sql = "SELECT text, id AS parent FROM posts";
  EXPECT_THAT(Message(Fuse(options_, context).status()), HasSubstr("must select \"time\""));
}

}  // namespace
}  // namespace rhodes
