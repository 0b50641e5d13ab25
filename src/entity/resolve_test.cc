#include "entity/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "entity/browse.h"
#include "entity/decisions.h"
#include "store/record_store.h"
#include "store/views.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

class ResolveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    out_ = ::testing::TempDir() + "rhodes_resolve_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(out_).ok());
    Store("cars", {{"WBA1", "Acme Logistics GmbH"},
                   {"WBA1", "ACME Logistics"},
                   {"wba 1", "Acme"},
                   {"WBA2", "Nile Traders"},
                   {"", ""}});
    Store("shops", {{"", "Acme Logistics GmbH"}, {"", "Nile Traders"}, {"", "Initech Systems"}, {"WBA2", "Globex"}});
    options_.out = out_;
    options_.key = "the key";
    EntityKind owner;
    owner.kind = "owner";
    owner.keys = {"vin"};
    owner.threshold = 0.8;
    owner.match = {MatchAttribute{"name", Comparison::kName}};
    for (const char* source : {"cars", "shops"}) {
      owner.from.push_back({source, "", {{"vin", "fields['vin']"}}, {{"name", "fields['name']"}}});
    }
    options_.kinds = {owner};
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(out_).ok()); }

  void Store(const std::string& source, const std::vector<std::pair<std::string, std::string>>& rows) const {
    const std::unique_ptr<RecordWriter> writer =
        *RecordWriter::Open(out_, source, RecordWriter::Mode::kReplace, RunContext());
    for (size_t i = 0; i < rows.size(); ++i) {
      Record record;
      record.source = source;
      record.kind = "row";
      record.text = fmt::format("{} {}", source, i);
      record.id = ContentId({source, record.text});
      record.fields = {{"name", rows[i].second}, {"vin", rows[i].first}};
      record.origin = {"/data", i, i + 1};
      record.reader = "test/1";
      ASSERT_TRUE(writer->Append(record).ok());
    }
    ASSERT_TRUE(writer->Commit("key", Json::object(), 0).ok());
  }

  std::vector<std::string> Ask(const std::string& sql) const {
    const std::unique_ptr<Database> database = *Database::Open({});
    EXPECT_TRUE(CreateViews(*database, out_).ok());
    std::vector<std::string> values;
    absl::StatusOr<QueryResult> rows = database->Query(sql);
    EXPECT_TRUE(rows.ok()) << rows.status();
    while (*rows->Next()) {
      for (size_t row = 0; row < rows->row_count(); ++row) values.emplace_back(rows->String(0, row));
    }
    return values;
  }
  std::map<std::string, std::string> Digests() const {
    std::map<std::string, std::string> digests;
    const std::vector<std::string> files = *ListFiles(out_ + "/entities");
    for (const std::string& file : files) {
      if (file.ends_with(".parquet")) digests[file] = *Sha256OfFile(file);
    }
    return digests;
  }

  std::string out_;
  ResolveOptions options_;
  RunContext context_;
};

TEST_F(ResolveTest, KeysAndScoresMakeEntitiesAndCountsAddUp) {
  const absl::StatusOr<ResolveCounts> counts = ResolveEntities(options_, context_);
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->kinds.size(), 1u);
  EXPECT_EQ(counts->kinds[0].records, 9u);
  EXPECT_EQ(counts->kinds[0].mentioning, 8u) << "a record without any value mentions nothing";
  EXPECT_EQ(counts->kinds[0].mentions, 8u);
  EXPECT_EQ(counts->kinds[0].by_key, 3u);
  // By key: the three WBA1, and WBA2 with Globex. By score: Acme's shop, Nile's shop. Initech is alone.
  EXPECT_EQ(counts->kinds[0].entities, 3u);
  EXPECT_THAT(
      Ask("SELECT string_agg(x.entity || e.kind, ',') FROM record_entities x JOIN entities e ON e.id = x.entity "
          "HAVING count(*) = 8 AND count(DISTINCT x.record) = 8"),
      ::testing::SizeIs(1));
  EXPECT_THAT(Ask("SELECT (sum(mentions) || ' ' || sum(records)) FROM entities"), ::testing::ElementsAre("8 8"));
  EXPECT_THAT(Ask("SELECT name FROM entities WHERE len(sources) = 1"), ::testing::ElementsAre("Initech Systems"));
  EXPECT_THAT(Ask("SELECT evidence->'key'->>'name' FROM entity_links WHERE reason = 'key' LIMIT 1"),
              ::testing::ElementsAre("vin"));
  EXPECT_EQ(ReadManifest(out_ + "/entities")->key, "the key");
}

TEST_F(ResolveTest, SameBytesWhateverTheThreads) {
  context_.threads = 1;
  ASSERT_TRUE(ResolveEntities(options_, context_).ok());
  const std::map<std::string, std::string> first = Digests();
  ASSERT_EQ(first.size(), 4u);
  context_.threads = 4;
  ASSERT_TRUE(ResolveAgain(out_, context_).ok()) << "the settings come back from the manifest";
  EXPECT_EQ(Digests(), first);
}

TEST_F(ResolveTest, AnUndoneLinkStaysUndone) {
  ASSERT_TRUE(ResolveEntities(options_, context_).ok());
  const std::string link = Ask("SELECT id FROM entity_links WHERE reason = 'score' AND state = 'kept' ORDER BY id")[0];
  const absl::StatusOr<Json> undone = UndoLink(out_, link, "two firms", context_);
  ASSERT_TRUE(undone.ok()) << undone.status();
  EXPECT_THAT(Ask(fmt::format("SELECT state FROM entity_links WHERE id = '{}'", link)),
              ::testing::ElementsAre("undone"));
  const auto together = [&] {
    return Ask(
        fmt::format("SELECT 'same' FROM entity_links l JOIN entity_mentions a ON a.id = l.a JOIN entity_mentions b "
                    "ON b.id = l.b WHERE l.id = '{}' AND a.entity = b.entity",
                    link));
  };
  EXPECT_TRUE(together().empty());
  ASSERT_TRUE(ResolveEntities(options_, context_).ok());
  EXPECT_TRUE(together().empty()) << "a later run obeys";
  EXPECT_THAT(Message(UndoLink(out_, link, "", context_).status()), HasSubstr("is undone already"));
  // And back: of two decisions about a pair, the last holds.
  ASSERT_TRUE(LinkMentions(out_, (*undone)["a"], (*undone)["b"], "one after all", context_).ok());
  EXPECT_FALSE(together().empty());
  EXPECT_EQ(ReadDecisions(out_)->size(), 2u);
}

TEST_F(ResolveTest, DifferentKeysAreNotLinkedByHandEither) {
  ASSERT_TRUE(ResolveEntities(options_, context_).ok());
  const std::string a = Ask("SELECT id FROM entity_mentions WHERE keys['vin'] = 'WBA1' ORDER BY id")[0];
  const std::string b = Ask("SELECT id FROM entity_mentions WHERE keys['vin'] = 'WBA2' ORDER BY id")[0];
  const absl::Status status = LinkMentions(out_, a, b, "", context_).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(Message(status), HasSubstr("a key that differs is never linked"));
  EXPECT_FALSE(PathExists(DecisionsPath(out_))) << "nothing is kept";
}

TEST_F(ResolveTest, LabelsFitTheModel) {
  std::string labels;
  for (const char* name : {"amber", "basin", "cedar", "delta", "ember", "fjord"}) {
    labels += fmt::format("{{\"a\": {{\"name\": \"{} trade\"}}, \"b\": {{\"name\": \"{} trade\"}}, \"same\": true}}\n",
                          name, name);
    labels += fmt::format(
        "{{\"a\": {{\"name\": \"{} trade\"}}, \"b\": {{\"name\": \"grove trade\"}}, \"same\": false}}\n", name);
  }
  options_.kinds[0].labels = out_ + "/labels.jsonl";
  options_.kinds[0].threshold = 0;
  ASSERT_TRUE(WriteFileAtomically(options_.kinds[0].labels, labels).ok());
  const absl::StatusOr<ResolveCounts> counts = ResolveEntities(options_, context_);
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->kinds[0].model, "logistic");
  EXPECT_EQ(counts->kinds[0].entities, 3u);
  ASSERT_TRUE(WriteFileAtomically(options_.kinds[0].labels, "COL title VAL a\tCOL title VAL b\t0\n").ok());
  EXPECT_THAT(Message(ResolveEntities(options_, context_).status()), HasSubstr("no pair has the attribute \"name\""));
}

TEST_F(ResolveTest, WrongSqlNamesKindAndSource) {
  options_.kinds[0].from[1].attributes[0].second = "no_such_column";
  const absl::Status status = ResolveEntities(options_, context_).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(Message(status), HasSubstr("entity \"owner\", source \"shops\""));
  EXPECT_THAT(Message(status), HasSubstr("no_such_column"));
  EXPECT_FALSE(PathExists(out_ + "/entities"));
}

TEST_F(ResolveTest, SqlCannotLeaveTheExpression) {
  options_.kinds[0].from[1].where = "true) FROM main.shops); DROP VIEW shops; SELECT * FROM (SELECT (1";
  EXPECT_EQ(ExitCodeOf(ResolveEntities(options_, context_).status()), ExitCode::kUsage);
}

TEST_F(ResolveTest, MentionsThatDoNotFitAreRefusedWithWhatToDo) {
  context_.memory_bytes = 4000;
  const absl::Status status = ResolveEntities(options_, context_).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(Message(status), HasSubstr("--memory"));
}

TEST_F(ResolveTest, ADamagedJournalStopsTheRunNamingItsLine) {
  ASSERT_TRUE(WriteFileAtomically(DecisionsPath(out_), "{\"decision\": \"maybe\"}\n").ok());
  const absl::Status status = ResolveEntities(options_, context_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(Message(status), HasSubstr("entity-decisions.jsonl:1"));
}

}  // namespace
}  // namespace rhodes
