#include "value/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/hash.h"
#include "record/document_table.h"
#include "store/record_store.h"
#include "value/arm_data.h"

namespace rhodes {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int64_t kDay = int64_t{86'400'000'000};

// Two sources that tell two sides of what happens: "calls" and "answers", one of each a day; and "places", which have
// no time. A fused document puts call and answer of a day side by side.
class CompareTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.out = ::testing::TempDir() + "rhodes_compare_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(options_.out).ok());
    options_.key = "test";
    CompareSettings& settings = options_.settings;
    settings.seeds = 2;
    settings.vocabulary = 300;
    settings.layers = 1;
    settings.width = 64;
    settings.context = 32;
    settings.batch = 8;
    settings.tokens = 12'000;
    settings.eval_tokens = 2'000;
    context_.threads = 1;
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(options_.out).ok()); }

  static std::string IdOf(const std::string& source, const std::string& text) { return ContentId({source, text}); }
  static std::string Numbered(const std::string& what, int day) { return what + " " + std::to_string(day); }

  struct Row {
    std::string text;
    std::optional<int64_t> time;
  };
  void Store(const std::string& source, const std::vector<Row>& rows) const {
    absl::StatusOr<std::unique_ptr<RecordWriter>> writer =
        RecordWriter::Open(options_.out, source, RecordWriter::Mode::kReplace, RunContext());
    ASSERT_TRUE(writer.ok());
    for (const Row& row : rows) {
      Record record;
      record.source = source;
      record.kind = "row";
      record.id = IdOf(source, row.text);
      record.text = record.original = row.text;
      record.time = row.time;
      ASSERT_TRUE((*writer)->Append(record).ok());
    }
    ASSERT_TRUE((*writer)->Commit("", Json::object(), 0).ok());
  }
  void StoreDocuments(const std::vector<Document>& documents) const {
    ASSERT_TRUE(CreateDirectories(options_.out + "/corpus").ok());
    absl::StatusOr<std::unique_ptr<DocumentWriter>> writer = DocumentWriter::Create(options_.out + "/corpus");
    ASSERT_TRUE(writer.ok());
    for (const Document& document : documents) ASSERT_TRUE((*writer)->Append(document).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  static Document Fused(const std::string& text, std::optional<int64_t> time, const std::vector<std::string>& parents) {
    Document document;
    document.text = text;
    document.id = ContentId({"document", text});
    document.time = time;
    document.parents = parents;
    document.meta = "{\"view\":\"day\"}";
    return document;
  }

  // What an answer says follows from the call of the same day, by a rule that only the fused documents show.
  void MakeWorld(int days) const {
    const std::vector<std::string> calls = {"red lantern", "blue lantern", "green lantern", "white lantern"};
    const std::vector<std::string> answers = {"harbour closed", "harbour open", "pilot needed", "storm ahead"};
    std::mt19937 random(7);
    std::vector<Row> call_rows;
    std::vector<Row> answer_rows;
    std::vector<Document> documents;
    for (int day = 0; day < days; ++day) {
      std::string call;
      std::string answer;
      for (int i = 0; i < 4; ++i) {
        const size_t pick = random() % calls.size();
        call += calls[pick] + ", ";
        answer += answers[pick] + ", ";
      }
      call_rows.push_back({Numbered(call, day), day * kDay});
      answer_rows.push_back({Numbered(answer, day), day * kDay});
      documents.push_back(Fused(call + "means " + answer + Numbered("day", day), day * kDay,
                                {IdOf("calls", call_rows.back().text), IdOf("answers", answer_rows.back().text)}));
    }
    Store("calls", call_rows);
    Store("answers", answer_rows);
    Store("places", {{"the harbour has two piers and a lantern", std::nullopt}, {"the storm tower", std::nullopt}});
    StoreDocuments(documents);
  }

  static double Bits(const Json& report, const std::string& arm, const std::string& set) {
    for (const Json& cell : report["matrix"]) {
      if (cell["arm"] == arm && cell["set"] == set) return cell["bits_per_byte"]["mean"];
    }
    return -1;
  }
  std::set<std::string> Ids(const std::string& file) const {
    std::istringstream lines(ReadFile(options_.out + "/data/" + file + ".ids").value_or(""));
    std::set<std::string> ids;
    for (std::string line; std::getline(lines, line);) ids.insert(line);
    return ids;
  }
  std::string ReportBytes() const { return ReadFile(options_.out + "/compare/report.json").value_or("none"); }

  CompareOptions options_;
  RunContext context_;
};

TEST_F(CompareTest, TheArmThatHasThePatternOfTheHeldOutTextsWins) {
  MakeWorld(400);
  const absl::StatusOr<Json> report = Compare(options_, context_);
  ASSERT_TRUE(report.ok()) << Message(report.status());
  EXPECT_LT(Bits(*report, "fused", "fused"), 0.9 * Bits(*report, "unfused", "fused"));
  EXPECT_LT(Bits(*report, "calls", "calls"), 0.8 * Bits(*report, "answers", "calls"));
  EXPECT_LT(Bits(*report, "answers", "answers"), 0.8 * Bits(*report, "calls", "answers"));
  // The two texts of "places" too few to train on; they are named and left out.
  EXPECT_EQ((*report)["arms"].size(), 5);
  for (const Json& arm : (*report)["arms"]) EXPECT_EQ(arm.contains("skipped"), arm["name"] == "places") << arm;
  // Each arm the same budget, each seed a run, in every set a figure.
  EXPECT_EQ((*report)["runs"].size(), 4 * 2);
  for (const Json& run : (*report)["runs"]) {
    EXPECT_EQ(run["tokens"], (*report)["runs"][0]["tokens"]);
    EXPECT_EQ(run["sets"].size(), 4);
  }
  EXPECT_THAT(FormatComparison(*report),
              AllOf(HasSubstr("unfused"), HasSubstr("left out"), HasSubstr("paired t-test")));
  EXPECT_FALSE(PathExists(options_.out + "/compare.partial"));
}

TEST_F(CompareTest, NoArmTrainsOnWhatIsHeldOut) {
  const auto at = [](int day) { return day * kDay; };
  Store("calls", {{"call of day 1", at(1)},
                  {"call of day 2", at(2)},
                  {"call of day 7, told on day 9", at(7)},
                  {"call of day 6, told twice", at(6)},
                  {"call of day 9", at(9)},
                  {"call of no day", std::nullopt}});
  Store("places", {{"a harbour", std::nullopt}, {"a tower", std::nullopt}});
  const auto call = [](const std::string& text) { return IdOf("calls", text); };
  const std::string harbour = IdOf("places", "a harbour");
  StoreDocuments({Fused("first", at(0), {call("call of day 1"), harbour}),
                  Fused("second", at(2), {call("call of day 2"), call("call of day 6, told twice")}),
                  Fused("held out by its time", at(9),
                        {call("call of day 7, told on day 9"), call("call of day 6, told twice"), harbour}),
                  Fused("held out by its parent", std::nullopt, {call("call of day 9")}),
                  Fused("straddling", at(5), {call("call of day 2"), call("call of day 9")}),
                  Fused("of no day", at(3), {call("call of no day")}), Fused("static", std::nullopt, {harbour}),
                  Fused("last", at(10), {call("call of day 9")})});
  options_.settings.held_out.last_share = 0.2;  // of days 0 to 10: from day 8 on
  const absl::StatusOr<Json> data = MakeArmData(options_, options_.out + "/data", context_);
  ASSERT_TRUE(data.ok()) << Message(data.status());
  EXPECT_EQ((*data)["boundary"], at(8));
  const auto fused = [](const std::string& text) { return ContentId({"document", text}); };
  EXPECT_EQ(Ids("arms/fused"), (std::set<std::string>{fused("first"), fused("second"), fused("static")}));
  EXPECT_EQ(Ids("sets/fused"),
            (std::set<std::string>{fused("held out by its time"), fused("held out by its parent"), fused("last")}));
  const std::set<std::string> calls = {call("call of day 1"), call("call of day 2"), call("call of day 6, told twice")};
  EXPECT_EQ(Ids("arms/calls"), calls);
  EXPECT_EQ(Ids("sets/calls"), std::set<std::string>{call("call of day 9")});
  std::set<std::string> unfused = calls;
  unfused.insert({harbour, IdOf("places", "a tower")});
  EXPECT_EQ(Ids("arms/unfused"), unfused);
  EXPECT_THAT(Ids("sets/places"), IsEmpty());
  EXPECT_EQ((*data)["counts"]["records"],
            (Json{{"train", 5}, {"held_out", 1}, {"straddling", 0}, {"embargoed", 1}, {"undated", 1}}));
  EXPECT_EQ((*data)["counts"]["documents"],
            (Json{{"train", 3}, {"held_out", 3}, {"straddling", 1}, {"embargoed", 0}, {"undated", 1}}));
}

TEST_F(CompareTest, AnArmOfSqlCannotReachBehindTheBoundary) {
  MakeWorld(60);
  options_.settings.arms = {{"chosen", {{}, {}, "SELECT id FROM calls UNION ALL SELECT id FROM corpus"}},
                            {"views", {{}, {"day"}, ""}}};
  options_.settings.held_out.after = 50 * kDay;
  const absl::StatusOr<Json> data = MakeArmData(options_, options_.out + "/data", context_);
  ASSERT_TRUE(data.ok()) << Message(data.status());
  EXPECT_EQ(Ids("arms/chosen").size(), 100);
  EXPECT_EQ(Ids("arms/views").size(), 50);
  for (const std::string& id : Ids("sets/fused")) EXPECT_THAT(Ids("arms/chosen"), Not(Contains(id)));
  for (const std::string& id : Ids("sets/calls")) EXPECT_THAT(Ids("arms/chosen"), Not(Contains(id)));
  EXPECT_EQ(Ids("sets/fused").size(), 10);
}

TEST_F(CompareTest, AShareOfDocumentsIsNotMovedByOneThatIsFarAway) {
  Store("calls", {{"a call", 0}});
  std::vector<Document> documents = {Fused("long ago", -10'000 * kDay, {IdOf("calls", "a call")})};
  for (int day = 0; day < 9; ++day)
    documents.push_back(Fused(Numbered("day", day), day * kDay, {IdOf("calls", "a call")}));
  StoreDocuments(documents);
  options_.settings.held_out.last_share = 0.25;
  options_.settings.held_out.of_documents = true;
  const absl::StatusOr<Json> data = MakeArmData(options_, options_.out + "/data", context_);
  ASSERT_TRUE(data.ok()) << Message(data.status());
  EXPECT_EQ((*data)["boundary"], 6 * kDay);  // of ten documents, three are not before it
  EXPECT_EQ((*data)["counts"]["documents"]["held_out"], 3);
}

TEST_F(CompareTest, UnknownNamesAndBadSqlAreNamed) {
  MakeWorld(20);
  options_.settings.arms = {{"a", {{"cals"}, {}, ""}}};
  absl::Status status = Compare(options_, context_).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(Message(status), AllOf(HasSubstr("no source \"cals\""), HasSubstr("did you mean \"calls\"")));
  options_.settings.arms = {{"a", {{}, {}, "SELECT text FROM calls"}}};
  status = Compare(options_, context_).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(Message(status), HasSubstr("column `id`"));
  options_.settings.arms.clear();
  options_.settings.held_out.after = 1000 * kDay;
  status = Compare(options_, context_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(Message(status), HasSubstr("compare.after"));
}

// Asks to stop once so many tokens were trained on.
class StopAfter final : public Progress {
 public:
  explicit StopAfter(uint64_t tokens) : tokens_(tokens) {}
  void Begin(std::string_view label, uint64_t, std::string_view) override { training_ = label == "compare"; }
  void Update(uint64_t done, std::string_view) override {
    if (training_ && done >= tokens_) stop_ = true;
  }
  void End() override {}
  void Say(std::string_view) override {}
  const std::atomic<bool>* flag() const { return &stop_; }

 private:
  const uint64_t tokens_;
  bool training_ = false;
  std::atomic<bool> stop_{false};
};

TEST_F(CompareTest, StoppedAnywhereItEndsWithTheSameBytes) {
  MakeWorld(100);
  options_.settings.tokens = 3'000;
  ASSERT_TRUE(Compare(options_, context_).ok());
  const std::string whole = ReportBytes();
  ASSERT_TRUE(RemoveTree(options_.out + "/compare").ok());
  int stops = 0;
  for (uint64_t tokens = 1; tokens < 24'000; tokens += 5'100) {  // in the first run, within others and between them
    StopAfter stop(tokens);
    RunContext context = context_;
    context.progress = &stop;
    context.cancelled = stop.flag();
    const absl::Status status = Compare(options_, context).status();
    if (status.ok()) break;
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kInterrupted) << Message(status);
    EXPECT_EQ(ReportBytes(), "none");
    ++stops;
  }
  EXPECT_GE(stops, 3);
  ASSERT_TRUE(Compare(options_, context_).ok());
  EXPECT_EQ(ReportBytes(), whole);
}

}  // namespace
}  // namespace rhodes
