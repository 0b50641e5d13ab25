// testdata/personal_data/formatter.jsonl: what PIIFormatter of datatrove 0.10 makes of texts drawn from a seed, in one
// go (bench/peers/personal_data_peers.py goldens).
#include "curate/personal_data_formatter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"

namespace rhodes {
namespace {

std::string Formatted(const std::string& text) {
  return FormatterReplacements().Replace(text, FindAsFormatter(text, {}), nullptr);
}

TEST(PersonalDataFormatter, GivesTheBytesOfTheReference) {
  std::ifstream file(RHODES_SOURCE_DIR "/src/curate/testdata/personal_data/formatter.jsonl");
  ASSERT_TRUE(file);
  FormatterReplacements replacements;
  int rows = 0;
  int changed = 0;
  for (std::string line; std::getline(file, line); ++rows) {
    const absl::StatusOr<Json> row = ParseJson(line, "formatter.jsonl");
    ASSERT_TRUE(row.ok()) << row.status();
    const std::string text = row->at("text");
    EXPECT_EQ(replacements.Replace(text, FindAsFormatter(text, {}), nullptr), row->at("expected").get<std::string>());
    changed += row->at("expected") != row->at("text") ? 1 : 0;
  }
  EXPECT_EQ(rows, 600);
  EXPECT_GT(changed, 300);
}

TEST(PersonalDataFormatter, TakesReplacementsInTurn) {
  EXPECT_EQ(Formatted("a@b.co, c@d.co, e@f.co; 8.8.8.8 9.9.9.9"),
            "email@example.com, firstname.lastname@example.org, email@example.com; 22.214.171.124 126.96.36.199");
}

TEST(PersonalDataFormatter, MatchesWithinWordsAsTheReferenceDoes) {
  EXPECT_EQ(Formatted("v1.2.3.4567"), "v22.214.171.12467");
  EXPECT_EQ(Formatted("éa@b.co é!a@b.co"), "éa@b.co éemail@example.com");
  EXPECT_EQ(Formatted("192.168.0.1 010.1.1.1 224.0.0.1"), "192.168.0.1 010.1.1.1 22.214.171.124");
}

TEST(PersonalDataFormatter, KindsCanBeSwitchedOffAndPrivateAddressesOn) {
  PersonalDataSettings settings;
  settings.email = false;
  settings.all_addresses = true;
  EXPECT_THAT(FindAsFormatter("a@b.co 10.0.0.1", settings),
              ::testing::ElementsAre(PersonalDataItem{7, 15, PersonalDataKind::kIp}));
}

}  // namespace
}  // namespace rhodes
