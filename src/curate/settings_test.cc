#include "curate/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CurateSettings, SetByName_ReachesEverySetting) {
  CurateSettings settings;
  for (const NamedSetting& setting : NamedSettings(settings)) {
    const bool flag = std::holds_alternative<bool*>(setting.value);
    ASSERT_TRUE(SetByName(setting.name + (flag ? "=false" : "=1"), settings).ok()) << setting.name;
    if (std::string* const* words = std::get_if<std::string*>(&setting.value)) {
      EXPECT_EQ(**words, "1") << setting.name;
    } else {
      EXPECT_EQ(ToJson(settings)[setting.name], flag ? Json(false) : Json(1)) << setting.name;
    }
  }
}

TEST(CurateSettings, SetByName_NamesTheNearestKnownOne) {
  CurateSettings settings;
  const absl::Status status = SetByName("quality.min_wrods=5", settings);
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(Message(status), HasSubstr("did you mean \"quality.min_words\"?"));
  EXPECT_EQ(ExitCodeOf(SetByName("quality.min_words=many", settings)), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(SetByName("quality.min_words", settings)), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(SetByName("quality.min_words=5x", settings)), ExitCode::kUsage);
}

TEST(CurateSettings, ParseRules_OrdersAndChecks) {
  const absl::StatusOr<std::vector<std::string>> rules = ParseRules({"exact", "normalise"});
  ASSERT_TRUE(rules.ok());
  EXPECT_THAT(*rules, ElementsAre("normalise", "exact"));
  EXPECT_THAT(Message(ParseRules({"normalize"}).status()), HasSubstr("did you mean \"normalise\"?"));
}

TEST(CurateSettings, EverySettingChangesTheJsonThatKeysAreMadeOf) {
  const std::string before = DumpJson(ToJson(CurateSettings()));
  CurateSettings names;
  for (size_t i = 0; i < NamedSettings(names).size(); ++i) {
    CurateSettings settings;
    NamedSetting setting = NamedSettings(settings)[i];
    if (std::string** words = std::get_if<std::string*>(&setting.value)) {
      **words += "x";
    } else if (bool** flag = std::get_if<bool*>(&setting.value)) {
      **flag = !**flag;
    } else if (uint64_t** count = std::get_if<uint64_t*>(&setting.value)) {
      **count = **count == 0 ? 1 : 0;
    } else {
      double& number = *std::get<double*>(setting.value);
      number = number == 0 ? 1 : 0;
    }
    EXPECT_NE(DumpJson(ToJson(settings)), before) << setting.name;
  }
}

TEST(CurateSettings, TheDocumentationNamesEverySettingAndRule) {
  std::string pages;  // curation.md and those beside it
  for (const auto& entry : std::filesystem::directory_iterator(RHODES_SOURCE_DIR "/docs")) {
    if (!entry.path().filename().string().starts_with("curation")) continue;
    const absl::StatusOr<std::string> page = ReadFile(entry.path().string());
    ASSERT_TRUE(page.ok()) << page.status();
    pages += *page;
  }
  CurateSettings settings;
  for (const NamedSetting& setting : NamedSettings(settings)) {
    const std::string key = setting.name.substr(setting.name.find('.') + 1);
    EXPECT_THAT(pages, HasSubstr("`" + key + "`"));
  }
  for (const std::string& rule : KnownRules()) EXPECT_THAT(pages, HasSubstr("`" + rule + "`"));
}

}  // namespace
}  // namespace rhodes
