// The verdicts of datatrove 0.10 on synthetic documents (testdata/curate_goldens_*.jsonl, made by
// bench/peers/curate_goldens.py): ours must be the same, reason for reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "curate/judge.h"
#include "curate/language.h"

namespace rhodes {
namespace {

JudgedDocument JudgeRow(const Json& row, const std::string& chain, bool compatible, std::vector<Measure>* measures) {
  CurateSettings settings;
  std::vector<std::string> names;
  for (const std::string_view name : Split(chain, ',')) names.emplace_back(name);
  settings.rules = *ParseRules(names);
  settings.datatrove_compatibility = compatible;
  Document document;
  document.id = row["id"].get<std::string>();
  document.text = row["text"].get<std::string>();
  document.language = *ParseLanguageCode(row["language"].get<std::string>());
  static JudgeScratch* const scratch = new JudgeScratch;
  NormaliseCounts counts;
  return Judge(std::move(document), settings, *scratch, counts, measures);
}

std::vector<Json> ReadRows(const std::string& name) {
  std::ifstream file(std::string(RHODES_SOURCE_DIR "/src/curate/testdata/") + name);
  std::vector<Json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(*ParseJson(line, name));
  return rows;
}

class CurateGoldens : public ::testing::TestWithParam<const char*> {};

TEST_P(CurateGoldens, VerdictsAndEditedTextsAreTheReferences) {
  const std::vector<Json> rows = ReadRows(GetParam());
  ASSERT_GT(rows.size(), 500u);
  std::set<std::string> reasons;
  for (const Json& row : rows) {
    for (const auto& [chain, expected] : row["verdicts"].items()) {
      const JudgedDocument judged = JudgeRow(row, chain, true, nullptr);
      EXPECT_EQ(judged.verdict.rule, expected["rule"].get<std::string>()) << chain << " of document " << row["id"];
      EXPECT_EQ(judged.verdict.reason, expected["reason"].get<std::string>()) << chain << " of document " << row["id"];
      if (expected.contains("text_sha256")) {
        EXPECT_EQ(Sha256Hex(judged.document.text), expected["text_sha256"].get<std::string>())
            << chain << " of document " << row["id"];
      }
      reasons.insert(std::string(judged.verdict.reason));
    }
  }
  EXPECT_GE(reasons.size(), 28u) << "the set has nearly all reasons";
}

TEST_P(CurateGoldens, MeasuringEverythingChangesNoVerdict) {
  for (const Json& row : ReadRows(GetParam())) {
    for (const auto& [chain, expected] : row["verdicts"].items()) {
      std::vector<Measure> measures;
      const JudgedDocument judged = JudgeRow(row, chain, true, &measures);
      EXPECT_EQ(judged.verdict.reason, expected["reason"].get<std::string>()) << chain << " of document " << row["id"];
      const auto first = std::find_if(measures.begin(), measures.end(), [](const Measure& one) { return one.dropped; });
      EXPECT_EQ(first != measures.end(), !judged.verdict.kept());
      if (first == measures.end()) continue;
      EXPECT_EQ(first->reason, judged.verdict.reason);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Languages, CurateGoldens,
                         ::testing::Values("curate_goldens_en.jsonl", "curate_goldens_ar.jsonl"),
                         [](const auto& file) { return std::string(file.param).substr(15, 2); });

}  // namespace
}  // namespace rhodes
