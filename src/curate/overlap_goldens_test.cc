// The verdicts of datatrove 0.10's n-gram decontamination on synthetic sets and documents
// (testdata/overlap/goldens.jsonl, made by bench/peers/datatrove_overlap.py goldens): ours must be the same, with the
// same task and n-gram named.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/json.h"
#include "curate/judge.h"

namespace rhodes {
namespace {

std::vector<Json> ReadRows() {
  std::ifstream file(RHODES_SOURCE_DIR "/src/curate/testdata/overlap/goldens.jsonl");
  std::vector<Json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(*ParseJson(line, "goldens"));
  return rows;
}

CurateSettings SettingsOf(const Json& row, const std::vector<std::string>& sets) {
  CurateSettings settings;
  settings.rules = {"overlap"};
  settings.datatrove_compatibility = true;
  settings.language.wanted = row["language"] == "arb_Arab" ? "ar" : "en";
  settings.overlap.sets = sets;
  settings.overlap.words = row["settings"]["n"];
  settings.overlap.query_ngrams = row["settings"]["query_ngrams"];
  settings.overlap.joined_ngrams = row["settings"]["joined_ngrams"];
  RunContext context;
  const absl::Status prepared = PrepareRules(settings, context);
  EXPECT_TRUE(prepared.ok()) << prepared;
  return settings;
}

TEST(OverlapGoldens, VerdictTaskAndNgramAreTheReferences) {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / fmt::format("rhodes-overlap-goldens-{}", getpid());
  const std::vector<Json> rows = ReadRows();
  size_t documents = 0;
  size_t contaminated = 0;
  for (const Json& texts : rows) {
    if (!texts.contains("tasks")) continue;
    std::filesystem::create_directories(directory);
    std::vector<std::string> sets;
    std::vector<std::string> names;
    for (const auto& [task, items] : texts["tasks"].items()) {
      std::string lines;
      for (const Json& item : items) lines += DumpJson(item) + "\n";
      const std::string path = (directory / fmt::format("{}.jsonl", names.size())).string();
      ASSERT_TRUE(WriteFileAtomically(path, lines).ok());
      // A name on the command line has no colon.
      names.push_back(task == "beta:one" ? "beta" : task);
      sets.push_back(names.back() + ":" + path);
    }
    for (const Json& row : rows) {
      if (!row.contains("settings") || row["language"] != texts["language"]) continue;
      const CurateSettings settings = SettingsOf(row, sets);
      for (size_t i = 0; i < texts["documents"].size(); ++i) {
        Document document;
        document.text = texts["documents"][i].get<std::string>();
        JudgeScratch scratch;
        NormaliseCounts counts;
        const JudgedDocument judged = Judge(document, settings, scratch, counts);
        const std::string where = fmt::format("document {} with {}", i, DumpJson(row["settings"]));
        std::string task = row["verdicts"][i]["task"].get<std::string>();
        if (task == "beta:one") task = "beta";
        ++documents;
        ASSERT_EQ(judged.verdict.reason, task.empty() ? "" : "contaminated") << where;
        if (task.empty()) continue;
        ++contaminated;
        EXPECT_EQ(judged.verdict.detail.substr(0, judged.verdict.detail.rfind(" item ")), task) << where;
        const Json meta = *ParseJson(judged.document.meta, "meta");
        for (const Json& one : meta["overlap"]) {
          if (one["set"] == task) {
            EXPECT_EQ(one["passage"], row["verdicts"][i]["ngram"]) << where;
          }
        }
      }
    }
    std::filesystem::remove_all(directory);
  }
  EXPECT_GT(documents, 400U);
  EXPECT_GT(contaminated, 150U);
  EXPECT_LT(contaminated, documents - 50);
}

}  // namespace
}  // namespace rhodes
