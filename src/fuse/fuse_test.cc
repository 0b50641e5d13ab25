#include "fuse/fuse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "fuse/explain.h"
#include "record/document_table.h"
#include "store/record_store.h"

namespace rhodes {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class FuseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.out = ::testing::TempDir() + "rhodes_fuse_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(options_.out).ok());
    Store("packages", {{"zstd", "fast compression"}, {"tar", "archiver"}, {"void", " "}});
    Store("changes", {{"zstd", "New upstream version"}, {"zstd", "Fix build"}, {"gone", "Remove"}});
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(options_.out).ok()); }

  static std::string IdOf(const std::string& source, const std::string& text) {
    return ContentId({source, "row", text});
  }

  void Store(const std::string& source, const std::vector<std::pair<std::string, std::string>>& rows) const {
    absl::StatusOr<std::unique_ptr<RecordWriter>> writer =
        RecordWriter::Open(options_.out, source, RecordWriter::Mode::kReplace, RunContext());
    ASSERT_TRUE(writer.ok());
    for (const auto& [package, text] : rows) {
      Record record;
      record.source = source;
      record.kind = "row";
      record.text = text;
      record.original = text;
      record.id = IdOf(source, text);
      record.fields = {{"package", package}};
      record.time = 1000000;
      ASSERT_TRUE((*writer)->Append(record).ok());
    }
    ASSERT_TRUE((*writer)->Commit("", Json::object(), 0).ok());
  }
  void AddSql(const std::string& name, const std::string& sql) {
    FuseView view;
    view.name = name;
    view.sql = sql;
    view.file = "rhodes.toml";
    view.line = 10;
    options_.views.push_back(view);
  }
  void AddSource(const std::string& source, bool rest) {
    FuseView view;
    view.name = source + "-alone";
    view.source = source;
    view.rest = rest;
    options_.views.push_back(view);
  }
  absl::StatusOr<FuseReport> Run(int threads = 2) {
    RunContext context;
    context.threads = threads;
    return Fuse(options_, context);
  }
  std::vector<Document> Documents() const {
    std::vector<Document> documents;
    EXPECT_TRUE((*DocumentReader::Open({options_.out + "/documents"}))->Next(documents).ok());
    return documents;
  }

  FuseOptions options_;
};

constexpr char kJoin[] = R"(
SELECT p.text || coalesce(E'\n' || c.changes, '') AS text, list_concat([p.id], coalesce(c.ids, [])) AS parents,
       p.fields['package'] AS title, {'changes': len(c.ids)} AS meta
FROM packages p LEFT JOIN (
  SELECT fields['package'] AS package, string_agg(text, E'\n' ORDER BY text) AS changes, list(id ORDER BY text) AS ids
  FROM changes GROUP BY package) c ON c.package = p.fields['package']
)";

TEST_F(FuseTest, AJoinedDocumentKnowsAllItsParentsAndCountsBalance) {
  AddSql("joined", kJoin);
  AddSource("changes", true);
  const absl::StatusOr<FuseReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->documents, 3u);
  EXPECT_EQ(report->views[0].rows, 3u);
  EXPECT_EQ(report->views[0].empty, 1u);
  EXPECT_EQ(report->views[1].documents, 1u);  // "Remove": the other two are used
  EXPECT_EQ(report->records, 6u);
  EXPECT_EQ(report->used, 5u);
  EXPECT_THAT(report->unused, ElementsAre(Pair("changes", 0u), Pair("packages", 1u)));
  bool found = false;
  for (const Document& document : Documents()) {
    if (document.text.find("fast compression") == std::string::npos) continue;
    found = true;
    EXPECT_EQ(document.text, "fast compression\nFix build\nNew upstream version");
    EXPECT_THAT(document.parents, ElementsAre(IdOf("packages", "fast compression"), IdOf("changes", "Fix build"),
                                              IdOf("changes", "New upstream version")));
    EXPECT_THAT(document.sources, ElementsAre("changes", "packages"));
    EXPECT_EQ(document.id, ContentId({document.text, document.parents[0], document.parents[1], document.parents[2]}));
    EXPECT_EQ(document.meta, R"({"view":"joined","title":"zstd","changes":2})");
  }
  EXPECT_TRUE(found);
}

TEST_F(FuseTest, WithoutViewsEveryRecordIsADocument) {
  const absl::StatusOr<FuseReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->documents, 5u);
  EXPECT_EQ(Documents()[0].time, 1000000);
}

TEST_F(FuseTest, TheBytesDoNotDependOnTheThreads) {
  AddSql("joined", kJoin);
  AddSource("changes", false);
  ASSERT_TRUE(Run(1).ok());
  const std::string one = *Sha256OfFile(options_.out + "/documents/part-00000.parquet");
  ASSERT_TRUE(Run(4).ok());
  EXPECT_EQ(*Sha256OfFile(options_.out + "/documents/part-00000.parquet"), one);
}

// string_agg() without an order takes rows as the threads bring them.
TEST_F(FuseTest, AnUnorderedAggregateDoesNotDependOnTheThreadsEither) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (int i = 0; i < 60000; ++i) rows.emplace_back("p" + std::to_string(i % 50), "entry " + std::to_string(i));
  Store("many", rows);
  AddSql("grouped", "SELECT string_agg(text, ' ') AS text, list(id) AS parents FROM many GROUP BY fields['package']");
  ASSERT_TRUE(Run(1).ok());
  const std::string one = *Sha256OfFile(options_.out + "/documents/part-00000.parquet");
  ASSERT_TRUE(Run(4).ok());
  EXPECT_EQ(*Sha256OfFile(options_.out + "/documents/part-00000.parquet"), one);
}

TEST_F(FuseTest, ADocumentOfTwoViewsOrTwoRowsIsMadeOnce) {
  AddSql("first", "SELECT text, id AS parent FROM changes UNION ALL SELECT text, id FROM changes");
  AddSource("changes", false);
  const absl::StatusOr<FuseReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->documents, 3u);
  EXPECT_EQ(report->views[0].rows, 6u);
  EXPECT_EQ(report->views[0].duplicates, 3u);
  EXPECT_EQ(report->views[1].duplicates, 3u);
}

TEST_F(FuseTest, SpillsBeyondTheBudgetAndCleansUp) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (int i = 0; i < 25000; ++i) rows.emplace_back("p", Sha256Hex(std::to_string(i)) + std::string(6000, 'x'));
  Store("large", rows);
  RunContext context;
  context.memory_bytes = 64 << 20;  // 128 MB for DuckDB, beneath the 150 MB of text
  const absl::StatusOr<FuseReport> report = Fuse(options_, context);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->documents, 25005u);
  EXPECT_FALSE(PathExists(options_.out + "/.fuse"));
}

TEST_F(FuseTest, ViewsAreCheckedBeforeTheyRunAndBadRecordsNoted) {
  AddSql("good", "SELECT text, id AS parent FROM packages");
  AddSql("all_pairs", "SELECT text, id AS parent\nFROM packages\nCROSS JOIN range(100000000)");
  AddSql("dated", "SELECT text || now() AS text, id AS parent FROM packages");
  AddSql("slip", "SELECT text, id AS parent\nFROM nearest('packages', 'chnges', INTERVAL 1 MINUTE)");
  options_.keep_going = true;
  options_.anomalies.emplace();
  options_.anomalies->latest = 5;
  const absl::StatusOr<FuseReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->failed.size(), 3u);
  EXPECT_THAT(report->failed[0].message,
              AllOf(HasSubstr("view \"all_pairs\" (rhodes.toml:12)"), HasSubstr("allow_cross_product = true")));
  EXPECT_THAT(report->failed[1].message,
              AllOf(HasSubstr("view \"dated\" (rhodes.toml:10)"), HasSubstr("allow_nondeterministic = true")));
  EXPECT_THAT(report->failed[2].message,
              AllOf(HasSubstr("view \"slip\" (rhodes.toml:11)"), HasSubstr("did you mean \"changes\"?")));
  EXPECT_EQ(report->documents, 2u);
  EXPECT_EQ(report->anomalies->from_future, 6u);
  EXPECT_EQ(ToRunJson(*report)["bad_records"]["anomalies"][0]["source"], "changes");
  EXPECT_FALSE(ToJson(*report).contains("bad_records")) << "the manifest does not depend on the clock";
}

TEST_F(FuseTest, StoppedByTheUserItLeavesWhatWasThere) {
  ASSERT_TRUE(Run().ok());
  const std::string before = *Sha256OfFile(options_.out + "/documents/part-00000.parquet");
  AddSql("endless", "SELECT text, id AS parent FROM packages, range(10000000000) r WHERE r.range < 0");
  options_.views.back().allow_cross_product = true;
  std::atomic<bool> cancelled{false};
  RunContext context;
  context.cancelled = &cancelled;
  std::thread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    cancelled = true;
  });
  const absl::Status status = Fuse(options_, context).status();
  user.join();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kInterrupted) << status;
  EXPECT_EQ(*Sha256OfFile(options_.out + "/documents/part-00000.parquet"), before);
  EXPECT_FALSE(PathExists(options_.out + "/.fuse"));
}

TEST_F(FuseTest, SqlSeesNothingOutsideOutAndChangesNothing) {
  AddSql("outside", "SELECT content AS text, [filename] AS parents FROM read_text('/etc/hostname')");
  EXPECT_THAT(Message(Run().status()), HasSubstr("disabled by configuration"));
  for (const char* sql : {"DROP VIEW packages", "SELECT 1; SELECT 2", "  -- nothing\n"}) {
    options_.views.clear();
    AddSql("wrong", sql);
    EXPECT_EQ(ExitCodeOf(Run().status()), ExitCode::kUsage) << sql;
  }
}

TEST_F(FuseTest, ARowWithoutParentsAndMetaThatIsNoObjectAreErrors) {
  AddSql("orphans", "SELECT text, [NULL::VARCHAR] AS parents FROM packages");
  EXPECT_THAT(Message(Run().status()), HasSubstr("2 rows have a text and no parent"));
  options_.views.clear();
  AddSql("list", "SELECT text, id AS parent, [1, 2] AS meta FROM packages");
  EXPECT_THAT(Message(Run().status()), HasSubstr("meta is no struct, map or JSON object: [1,2]"));
  options_.views.clear();
  AddSql("null", "SELECT text, id AS parent, NULL AS title, NULL::JSON AS meta FROM packages");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Documents()[0].meta, R"({"view":"null"})");
}

TEST_F(FuseTest, AWrongStatementNamesViewFileAndLine) {
  AddSql("broken", "SELECT text,\n  [id] AS parents\nFROM nowhere");
  const absl::Status status = Run().status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(Message(status), AllOf(HasSubstr("\"broken\" (rhodes.toml:12)"), HasSubstr("nowhere")));
  EXPECT_FALSE(PathExists(options_.out + "/documents"));
  EXPECT_FALSE(PathExists(options_.out + "/.fuse"));
}

TEST_F(FuseTest, MissingColumnsParentsAndSourcesAreNamed) {
  AddSql("no-parents", "SELECT text FROM packages");
  EXPECT_THAT(Message(Run().status()), HasSubstr("must select \"text\" and \"parents\""));
  options_.views.clear();
  AddSql("strange", "SELECT text, ['abc'] AS parents FROM packages");
  EXPECT_THAT(Message(Run().status()), HasSubstr("the parent \"abc\" is the id of no record"));
  options_.views.clear();
  AddSource("package", false);
  EXPECT_THAT(Message(Run().status()), HasSubstr("did you mean \"packages\"?"));
}

TEST_F(FuseTest, ALaterViewCanSelectFromAnEarlierOne) {
  AddSql("first", "SELECT text, id AS parent FROM packages WHERE text <> ' '");
  AddSql("second", "SELECT 'again: ' || text AS text, parent FROM first");
  const absl::StatusOr<FuseReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->documents, 4u);
}

TEST_F(FuseTest, ARenderedDocumentKnowsWhichSpanIsFromWhichParent) {
  options_.templates.push_back({"entry", "en", DigitStyle::kWestern,
                                "{package.text}[; its change, {change.text}, on {change.time:date}].", "t", 1});
  AddSql("rendered",
         "SELECT unnest(render('entry', {'package': p, 'change': c})), p.time FROM packages p LEFT JOIN changes c ON "
         "c.fields['package'] = p.fields['package'] AND c.text LIKE 'New%' WHERE p.text <> ' '");
  AddSql("joined",
         "SELECT r.text, r.parents, r.spans FROM (SELECT join_parts(list({'text': text, 'parent': id} ORDER BY text), "
         "' / ') AS r FROM changes)");
  const absl::StatusOr<FuseReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  std::map<std::string, Document> by_text;
  for (const Document& document : Documents()) by_text[document.text] = document;
  ASSERT_EQ(by_text.size(), 3u);
  const Document& both = by_text.at("fast compression; its change, New upstream version, on 1 January 1970.");
  EXPECT_THAT(both.parents, ElementsAre(IdOf("packages", "fast compression"), IdOf("changes", "New upstream version")));
  EXPECT_THAT(both.spans, ElementsAre(Span{0, 16, 0}, Span{16, 69, 1}, Span{69, 70, 0}));
  EXPECT_THAT(by_text.at("archiver.").spans, ElementsAre()) << "all of it is from its one parent";
  EXPECT_THAT(by_text.at("Fix build / New upstream version / Remove").spans,
              ElementsAre(Span{0, 9, 0}, Span{12, 32, 1}, Span{35, 41, 2}));
}

TEST_F(FuseTest, SpansWrittenInSqlMayNameTheirParents) {
  AddSql("ids",
         "SELECT text, [id] AS parents, [{'begin': 0, 'end': 3, 'parent': id}] AS spans FROM packages "
         "WHERE text <> ' '");
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(Documents()[0].spans, ElementsAre(Span{0, 3, 0}));
  for (const auto& [spans, error] : std::vector<std::pair<std::string, std::string>>{
           {"[{'begin': 0, 'end': 99, 'parent': id}]", "from byte 0 to 99 of a text of"},
           {"[{'begin': 3, 'end': 3, 'parent': id}]", "from byte 3 to 3"},
           {"[{'begin': 0, 'end': 1, 'parent': 'other'}]", "no parent of its document, which has 1"},
           {"[{'begin': -1, 'end': 1, 'parent': id}]", "a span goes from byte"},
           {"[{'begin': 0, 'end': 1, 'parent': 1}]", "no parent of its document, which has 1"}}) {
    options_.views.clear();
    AddSql("wrong", "SELECT text, id AS parent, " + spans + " AS spans FROM packages WHERE text <> ' '");
    const absl::Status status = Run().status();
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage) << status;
    EXPECT_THAT(Message(status), AllOf(HasSubstr("\"wrong\" (rhodes.toml:10)"), HasSubstr(error)));
  }
}

TEST_F(FuseTest, ABadViewIsNamedAndTheOthersAreMade) {
  options_.keep_going = true;
  options_.key = "key";
  options_.templates.push_back({"t", "en", DigitStyle::kWestern, "{txt}", "rhodes.toml", 3});
  AddSql("good", "SELECT text, id AS parent FROM packages");
  AddSql("template", "SELECT unnest(render('t', {'id': id, 'text': text})) FROM packages");
  AddSql("broken", "SELECT text FROM nowhere");
  AddSource("changes", false);
  const absl::StatusOr<FuseReport> report = Run();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->documents, 5u);
  ASSERT_EQ(report->failed.size(), 2u);
  EXPECT_THAT(report->failed[0].message,
              AllOf(HasSubstr("view \"template\" (rhodes.toml:10)"), HasSubstr("template \"t\" (rhodes.toml:3)"),
                    HasSubstr("did you mean \"text\"?")));
  EXPECT_EQ(ToJson(*report)["failed"][1]["name"], "broken");
  EXPECT_EQ(ExitCodeOf(StatusOf(*report)), ExitCode::kUsage);
  EXPECT_EQ(ReadManifest(options_.out + "/documents")->key, "") << "the stage is not done";

  const std::string before = *Sha256OfFile(options_.out + "/documents/part-00000.parquet");
  options_.views.resize(3);
  options_.views.erase(options_.views.begin());
  EXPECT_EQ(ExitCodeOf(Run().status()), ExitCode::kUsage) << "nothing could be made";
  EXPECT_EQ(*Sha256OfFile(options_.out + "/documents/part-00000.parquet"), before);
}

TEST_F(FuseTest, AViewIsExplainedInWords) {
  AddSql("local", "SELECT text, id AS parent FROM changes WHERE text LIKE 'N%'");
  AddSql("broken", "SELECT text FROM nowhere");
  AddSql("joined", kJoin);
  AddSql("on", "SELECT text || random() AS text, parents FROM joined");
  RunContext context;
  const auto explain = [&](const std::string& name) {
    const absl::StatusOr<ViewExplanation> explanation = ExplainView(options_, name, context);
    return explanation.ok() ? ToText(*explanation) : Message(explanation.status());
  };
  EXPECT_THAT(explain("local"),
              AllOf(HasSubstr("columns   text VARCHAR, parent VARCHAR\n"), HasSubstr("reads     changes\n"),
                    HasSubstr("made      part by part: each row comes from one record"),
                    HasSubstr("changed   1 of 1 parts"), HasSubstr("threads   all")));
  EXPECT_THAT(explain("joined"),
              AllOf(HasSubstr("reads     changes, packages\n"), HasSubstr("made      whole: a later view"),
                    HasSubstr("threads   one"), HasSubstr("JOIN")));
  EXPECT_THAT(explain("on"), AllOf(HasSubstr("the views joined"), HasSubstr("changed   always: random() differs")));
  EXPECT_THAT(explain("broken"), HasSubstr("\"broken\" (rhodes.toml:10)"));
  EXPECT_THAT(explain("jioned"), HasSubstr("did you mean \"joined\"?"));
  EXPECT_FALSE(PathExists(options_.out + "/documents"));
  options_.keep_going = true;
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(explain("local"), HasSubstr("changed   0 of 1 parts"));
  const Json json = ToJson(*ExplainView(options_, "joined", context));
  EXPECT_EQ(json["made"], "whole");
  EXPECT_EQ(json["parallel"], false);
}

}  // namespace
}  // namespace rhodes
