#include "curate/curate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/manifest.h"
#include "base/text.h"
#include "curate/personal_data_formatter.h"
#include "record/document_table.h"
#include "table/database.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

constexpr char kProse[] =
    "The package manager installs the programs that you ask for, together with everything that they need, and it keeps "
    "a list of the files which belong to each of them.";

class CurateTest : public ::testing::Test {
 protected:
  CurateTest() {
    directory_ = std::filesystem::temp_directory_path() / fmt::format("rhodes-curate-{}", getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~CurateTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }

  std::string WriteJsonl(const std::vector<std::pair<std::string, std::string>>& rows) const {
    std::string lines;
    for (const auto& [id, text] : rows) lines += DumpJson(Json{{"id", id}, {"text", text}}) + "\n";
    EXPECT_TRUE(WriteFileAtomically(Path("in.jsonl"), lines).ok());
    return Path("in.jsonl");
  }

  CurateOptions Options(const std::string& input) const {
    CurateOptions options;
    options.inputs = {input};
    options.kept = Path("corpus");
    options.dropped = Path("dropped");
    options.key = "key";
    return options;
  }

  static CurateReport MustCurate(const CurateOptions& options, int threads = 2) {
    RunContext context;
    context.threads = threads;
    absl::StatusOr<CurateReport> report = Curate(options, context);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : CurateReport();
  }

  static std::vector<Document> Documents(const std::string& directory) {
    std::vector<Document> documents;
    auto reader = DocumentReader::Open({directory});
    EXPECT_TRUE(reader.ok()) << reader.status();
    std::vector<Document> batch;
    while (reader.ok() && *(*reader)->Next(batch)) documents.insert(documents.end(), batch.begin(), batch.end());
    return documents;
  }

  std::filesystem::path directory_;
};

TEST_F(CurateTest, ReplacementsOfTheReferenceAreTakenInTurnInTheOrderOfTheInput) {
  std::vector<std::pair<std::string, std::string>> rows;
  FormatterReplacements replacements;
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    const std::string text =
        fmt::format("{} {} a{}@b.co at 8.8.8.{} and {}", i, kProse, i, i % 250, i % 3 == 0 ? "x@y.org" : "y");
    rows.emplace_back(fmt::format("doc-{}", i), i % 7 == 6 ? rows.back().second : text);  // duplicates take no turn
    if (i % 7 != 6) expected.push_back(replacements.Replace(text, FindAsFormatter(text, {}), nullptr));
  }
  CurateOptions options = Options(WriteJsonl(rows));
  options.settings.rules = {"pii", "exact"};
  options.settings.datatrove_compatibility = true;
  for (const int threads : {1, 3}) {
    const CurateReport report = MustCurate(options, threads);
    std::vector<std::string> texts;
    for (const Document& document : Documents(Path("corpus"))) texts.push_back(document.text);
    EXPECT_EQ(texts, expected);
    EXPECT_EQ(report.personal_data[static_cast<size_t>(PersonalDataKind::kIp)], expected.size());
    EXPECT_GT(report.personal_data[static_cast<size_t>(PersonalDataKind::kEmail)], expected.size());
  }
}

TEST_F(CurateTest, EveryDocumentIsKeptOrDroppedWithAReason) {
  const std::string input =
      WriteJsonl({{"a", kProse},
                  {"b", std::string(kProse) + "  \r\n"},
                  {"c", "too short"},
                  {"d", " \n\t "},
                  {"e", "same line\nsame line\nsame line\nthe end of it and nothing besides that"}});
  const CurateReport report = MustCurate(Options(input));
  EXPECT_EQ(report.documents, 5u);
  EXPECT_EQ(report.kept, 1u);
  EXPECT_EQ(report.dropped.at("exact").at("duplicate"), 1u);
  EXPECT_EQ(report.dropped.at("quality").at("gopher_short_doc"), 1u);
  EXPECT_EQ(report.dropped.at("normalise").at("empty"), 1u);
  EXPECT_EQ(report.dropped.at("repetition").at("dup_line_frac"), 1u);

  const std::vector<Document> kept = Documents(Path("corpus"));
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].id, "a");
  EXPECT_EQ(kept[0].text, kProse);
  EXPECT_EQ(kept[0].language, "en");
  EXPECT_THAT(kept[0].meta, HasSubstr("\"language_confidence\":0.9"));
  const std::vector<Document> dropped = Documents(Path("dropped"));
  ASSERT_EQ(dropped.size(), 4u);
  EXPECT_EQ(dropped[0].id, "b");
  auto database = Database::Open({});
  ASSERT_TRUE(database.ok());
  auto rows =
      (*database)->Query("SELECT rule, reason, kept_id FROM read_parquet(?)", {Path("dropped") + "/part-*.parquet"});
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_TRUE(*rows->Next());
  EXPECT_EQ(rows->String(0, 0), "exact");
  EXPECT_EQ(rows->String(1, 0), "duplicate");
  EXPECT_EQ(rows->String(2, 0), "a");
}

TEST_F(CurateTest, RulesCanBeSwitchedOff) {
  CurateOptions options = Options(WriteJsonl({{"a", "short"}, {"b", "short"}}));
  options.settings.rules = {"exact"};
  EXPECT_EQ(MustCurate(options).kept, 1u);
  options.settings.rules = {};
  const CurateReport report = MustCurate(options);
  EXPECT_EQ(report.kept, 2u);
  EXPECT_EQ(Documents(Path("corpus"))[1].language, "");
}

TEST_F(CurateTest, TheFirstDocumentThatPassesTheOtherRulesIsKeptOfEqualOnes) {
  // The first copy states a language in which it has no stop word and is dropped for that; the second is kept.
  const std::string lines =
      DumpJson(Json{
          {"id", "1"}, {"language", "ar"}, {"text", "only apples pears plums figs dates nuts grapes melons limes"}}) +
      "\n" +
      DumpJson(Json{
          {"id", "2"}, {"language", "xx"}, {"text", "only apples pears plums figs dates nuts grapes melons limes"}}) +
      "\n" +
      DumpJson(Json{
          {"id", "3"}, {"language", "xx"}, {"text", "only apples pears plums figs dates nuts grapes melons limes"}}) +
      "\n";
  ASSERT_TRUE(WriteFileAtomically(Path("in.jsonl"), lines).ok());
  CurateOptions options = Options(Path("in.jsonl"));
  options.settings.quality.stop_words_from = 0;
  MustCurate(options);
  ASSERT_EQ(Documents(Path("corpus")).size(), 1u);
  EXPECT_EQ(Documents(Path("corpus"))[0].id, "2");
}

TEST_F(CurateTest, ALanguageThatIsNotWantedIsDropped) {
  CurateOptions options = Options(WriteJsonl(
      {{"a", kProse}, {"b", "يقوم مدير الحزم بتثبيت البرامج التي تطلبها مع كل ما تحتاج إليه، ويحتفظ بقائمة الملفات"}}));
  options.settings.language.wanted = "ar";
  const CurateReport report = MustCurate(options);
  EXPECT_EQ(report.dropped.at("language").at("other_language"), 1u);
  ASSERT_EQ(Documents(Path("corpus")).size(), 1u);
  EXPECT_EQ(Documents(Path("corpus"))[0].id, "b");
}

TEST_F(CurateTest, ASampleIsTheSameDocumentsInAnyOrder) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (int i = 0; i < 400; ++i) rows.push_back({fmt::format("id{}", i), fmt::format("{} Number {}.", kProse, i)});
  CurateOptions options = Options(WriteJsonl(rows));
  options.settings.sample = 0.25;
  const CurateReport report = MustCurate(options);
  EXPECT_EQ(report.kept + report.dropped.at("sample").at("not_drawn"), 400u);
  EXPECT_NEAR(static_cast<double>(report.kept), 100, 35);
  std::vector<std::string> first;
  for (const Document& document : Documents(Path("corpus"))) first.push_back(document.id);
  std::reverse(rows.begin(), rows.end());
  options.inputs = {WriteJsonl(rows)};
  MustCurate(options);
  std::vector<std::string> second;
  for (const Document& document : Documents(Path("corpus"))) second.push_back(document.id);
  std::reverse(second.begin(), second.end());
  EXPECT_EQ(first, second);
}

TEST_F(CurateTest, BytesDoNotDependOnThreads) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (int i = 0; i < 20'000; ++i) {
    rows.push_back(
        {fmt::format("{}", i), fmt::format("{} {}\n{}\n{}", kProse, i % 700, kProse, i % 3 == 0 ? "..." : "")});
  }
  const CurateOptions options = Options(WriteJsonl(rows));
  std::vector<std::string> hashes;
  for (const int threads : {1, 3}) {
    const CurateReport report = MustCurate(options, threads);
    EXPECT_EQ(report.documents, 20'000u);
    std::string bytes;
    for (const std::string& directory : {options.kept, options.dropped}) {
      const absl::StatusOr<std::vector<std::string>> files = ListFiles(directory);
      ASSERT_TRUE(files.ok());
      for (const std::string& file : *files) {
        if (file.ends_with(".parquet")) bytes += *ReadFile(file);
      }
    }
    hashes.push_back(std::move(bytes));
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

class CurateRangesTest : public CurateTest {
 protected:
  // About 12 MB, so that there are several ranges; copies and near copies lie far apart.
  CurateRangesTest() {
    std::vector<std::pair<std::string, std::string>> rows;
    for (int i = 0; i < 12'000; ++i) {
      const int same = i % 9'000;  // the last quarter says again what the first one said
      std::string text = fmt::format("{} {}\n", kProse, same % 5000);
      for (int k = 0; k < 60; ++k)
        text += fmt::format("the stone{} of another{} ", (same * 7 + k * k) % 1999, (same + k * 31) % 4001);
      if (i >= 9'000 && i % 3 == 0) text += "and one more";
      rows.push_back({fmt::format("doc{}", i), i % 11 == 0 ? "short" : text});
    }
    input_ = WriteJsonl(rows);
  }
  CurateOptions LinesOptions(const std::string& directory) const {
    CurateOptions options;
    options.inputs = {input_};
    options.directory = Path(directory);
    options.clusters = Path(directory) + "/clusters";
    options.key = "key";
    options.settings.rules = {"normalise", "quality", "exact", "near", "substring"};
    return options;
  }
  std::string OutputOf(const std::string& directory) const {
    return *ReadFile(Path(directory) + "/kept.jsonl") + "\n---\n" + *ReadFile(Path(directory) + "/dropped.jsonl");
  }
  std::string input_;
  RunContext context_;
};

TEST_F(CurateRangesTest, RangesJoinedGiveTheBytesOfOneRun) {
  const CurateReport whole = MustCurate(LinesOptions("whole"));
  ASSERT_GT(whole.kept, 5000u) << DumpJson(ToJson(whole));
  EXPECT_GT(whole.dropped.at("exact").at("duplicate"), 1000u);
  EXPECT_GT(whole.dropped.at("near").at("duplicate"), 0u);
  for (const uint32_t shares : {1, 3, 50}) {
    const std::string name = fmt::format("shares{}", shares);
    uint64_t documents = 0;
    for (uint32_t number = shares; number >= 1; --number) {
      const absl::StatusOr<uint64_t> judged = CurateRange(LinesOptions(name), {number, shares}, context_);
      ASSERT_TRUE(judged.ok()) << judged.status();
      documents += *judged;
    }
    EXPECT_EQ(documents, 12'000u);
    const absl::StatusOr<CurateReport> joined = CurateJoin(LinesOptions(name), shares, context_);
    ASSERT_TRUE(joined.ok()) << joined.status();
    EXPECT_EQ(joined->kept, whole.kept);
    EXPECT_EQ(joined->dropped, whole.dropped);
    EXPECT_TRUE(OutputOf(name) == OutputOf("whole")) << shares << " shares";
    EXPECT_FALSE(PathExists(Path(name) + "/.curate"));
  }
}

TEST_F(CurateRangesTest, JoiningSaysWhichRangeIsMissingOrOfOtherSettings) {
  ASSERT_TRUE(CurateRange(LinesOptions("out"), {1, 2}, context_).ok());
  const absl::Status missing = CurateJoin(LinesOptions("out"), 2, context_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(missing));
  EXPECT_THAT(Message(missing), HasSubstr("range 2/2"));
  CurateOptions other = LinesOptions("out");
  other.settings.quality.min_words = 6;
  ASSERT_TRUE(CurateRange(other, {2, 2}, context_).ok());
  const absl::Status mixed = CurateJoin(LinesOptions("out"), 2, context_).status();
  EXPECT_THAT(Message(mixed), HasSubstr("range 2/2"));
  EXPECT_THAT(Message(mixed), HasSubstr("other settings"));
  EXPECT_FALSE(PathExists(Path("out") + "/kept.jsonl"));
}

TEST_F(CurateRangesTest, ARunGoesOnFromThePiecesOfAStoppedOne) {
  MustCurate(LinesOptions("whole"));
  ASSERT_TRUE(CurateRange(LinesOptions("out"), {1, 1}, context_).ok());  // what a kill before comparing leaves
  const std::string share = Path("out") + "/.curate/1-of-1";
  // One piece is gone, one is damaged, one is whole but older than the kill: its time of change must stay.
  ASSERT_TRUE(RemoveTree(share + "/piece-00000001").ok());
  ASSERT_TRUE(WriteScratchFile(share + "/piece-00000002", "damaged").ok());
  ASSERT_TRUE(WriteScratchFile(share + "/share.json", *ReadFile(share + "/share.json")).ok());
  const auto before = std::filesystem::last_write_time(share + "/piece-00000000");
  ASSERT_TRUE(CurateRange(LinesOptions("out"), {1, 1}, context_).ok());
  EXPECT_EQ(std::filesystem::last_write_time(share + "/piece-00000000"), before);
  MustCurate(LinesOptions("out"));
  EXPECT_TRUE(OutputOf("out") == OutputOf("whole"));
}

TEST_F(CurateRangesTest, PiecesOfAnInputThatChangedAreNotUsed) {
  ASSERT_TRUE(CurateRange(LinesOptions("out"), {1, 1}, context_).ok());
  ASSERT_TRUE(WriteFileAtomically(input_, DumpJson(Json{{"id", "x"}, {"text", kProse}}) + "\n").ok());
  EXPECT_EQ(MustCurate(LinesOptions("out")).documents, 1u);
}

TEST_F(CurateTest, AShareOfTheInputIsKOfN) {
  EXPECT_EQ(ParseInputShare("3/8")->number, 3u);
  EXPECT_EQ(ParseInputShare("3/8")->count, 8u);
  for (const char* wrong : {"", "3", "0/8", "9/8", "a/8", "3/", "/8", "3/8x", "-1/8", "1/100001"}) {
    const absl::Status status = ParseInputShare(wrong).status();
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage) << wrong;
  }
}

TEST_F(CurateTest, NoDocumentsAreAnEmptyCorpus) {
  ASSERT_TRUE(WriteFileAtomically(Path("in.jsonl"), "").ok());
  const CurateOptions options = Options(Path("in.jsonl"));
  EXPECT_EQ(MustCurate(options).documents, 0u);
  EXPECT_TRUE(PathExists(options.kept + "/manifest.json"));
}

TEST_F(CurateTest, AnErrorLeavesWhatWasThereBefore) {
  const CurateOptions options = Options(WriteJsonl({{"a", kProse}}));
  MustCurate(options);
  ASSERT_TRUE(WriteFileAtomically(Path("in.jsonl"), "{\"id\":\"a\",\"text\":\"x\"}\n{broken\n").ok());
  RunContext context;
  const absl::StatusOr<CurateReport> failed = Curate(options, context);
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(Message(failed.status()), HasSubstr("in.jsonl"));
  EXPECT_EQ(Documents(Path("corpus")).size(), 1u);
  EXPECT_FALSE(PathExists(Path("corpus.partial")));
}

TEST_F(CurateTest, CancellingEndsWithInterrupted) {
  const CurateOptions options = Options(WriteJsonl({{"a", kProse}}));
  std::atomic<bool> cancelled{true};
  RunContext context;
  context.cancelled = &cancelled;
  EXPECT_EQ(ExitCodeOf(Curate(options, context).status()), ExitCode::kInterrupted);
}

TEST_F(CurateTest, OverlapCountsBySetAndWritesTheItemsThatWereFound) {
  const std::string passage = "the copper kettle whistles on the stove at dawn while the river rises behind the mill";
  ASSERT_TRUE(WriteFileAtomically(Path("kettle.jsonl"),
                                  DumpJson(Json{{"id", "q7"}, {"text", passage}}) + "\n{\"text\":\"short\"}\n")
                  .ok());
  CurateOptions options = Options(WriteJsonl({{"a", kProse}, {"b", fmt::format("{} {} {}", kProse, passage, kProse)}}));
  options.settings.rules = {"overlap"};
  options.settings.overlap.sets = {"named:" + Path("kettle.jsonl")};
  options.overlap_items = Path("overlap.jsonl");
  const CurateReport dropped = MustCurate(options);
  EXPECT_EQ(dropped.dropped.at("overlap").at("evaluation_set"), 1U);
  EXPECT_EQ(DumpJson(ToJson(dropped)["overlap"]),
            R"([{"set":"named","files":1,"items":2,"items_too_short":1,"ngrams":4,"items_hit":1,"documents":1,)"
            R"("dropped":1,"cut":0}])");
  const absl::StatusOr<std::string> items = ReadFile(options.overlap_items);
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_EQ(*items,
            fmt::format(R"({{"set":"named","item":0,"id":"q7","file":"{}","line":1,"ngrams":4,"ngrams_found":4,)"
                        R"("share":1.0}})"
                        "\n",
                        Path("kettle.jsonl")));

  options.settings.overlap.cut = true;
  options.settings.overlap.margin = 10;
  options.settings.overlap.min_piece = 50;
  const CurateReport cut = MustCurate(options, 1);
  EXPECT_EQ(cut.kept, 2U);
  EXPECT_EQ(cut.overlap[0]["cut"], 1);
  const std::vector<Document> kept = Documents(options.kept);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_THAT(kept[1].text, HasSubstr("\n\n"));
  EXPECT_EQ(kept[1].text.find("kettle"), std::string::npos);
  EXPECT_THAT(kept[1].meta, HasSubstr(R"("set":"named","item":0,"id":"q7","ngrams":4,)"));

  options.settings.rules = {"exact"};
  MustCurate(options);
  EXPECT_FALSE(PathExists(options.overlap_items)) << "what an earlier run wrote is not of this one";
}

}  // namespace
}  // namespace rhodes
