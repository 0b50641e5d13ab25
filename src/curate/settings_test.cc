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
    if (const auto* list = std::get_if<std::vector<std::string>*>(&setting.value)) {
      ASSERT_TRUE(SetByName(setting.name + "=a, b.c", settings).ok()) << setting.name;
      EXPECT_THAT(**list, ElementsAre("a", "b.c"));
      continue;
    }
    const bool flag = std::holds_alternative<bool*>(setting.value);
    ASSERT_TRUE(SetByName(setting.name + (flag ? "=false" : "=1"), settings).ok()) << setting.name;
    if (const auto* text = std::get_if<std::string*>(&setting.value)) {
      EXPECT_EQ(**text, "1") << setting.name;
      continue;
    }
    double value = 0;
    if (bool* const* boolean = std::get_if<bool*>(&setting.value)) value = **boolean ? 1 : 0;
    if (uint64_t* const* count = std::get_if<uint64_t*>(&setting.value)) value = static_cast<double>(**count);
    if (double* const* number = std::get_if<double*>(&setting.value)) value = **number;
    EXPECT_EQ(value, flag ? 0 : 1) << setting.name;
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
    const NamedSetting setting = NamedSettings(settings)[i];
    if (auto* const* list = std::get_if<std::vector<std::string>*>(&setting.value)) {
      **list = {"changed"};
    } else if (bool* const* flag = std::get_if<bool*>(&setting.value)) {
      **flag = !**flag;
    } else if (uint64_t* const* count = std::get_if<uint64_t*>(&setting.value)) {
      **count += 1;
    } else if (std::string* const* text = std::get_if<std::string*>(&setting.value)) {
      **text += "x";
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
