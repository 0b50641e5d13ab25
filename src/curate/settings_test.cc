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
    if (const auto* text = std::get_if<std::string*>(&setting.value)) {
      EXPECT_EQ(**text, "1") << setting.name;
    } else if (const auto* number = std::get_if<double*>(&setting.value)) {
      EXPECT_EQ(**number, 1) << setting.name;
    } else if (const auto* count = std::get_if<uint64_t*>(&setting.value)) {
      EXPECT_EQ(**count, 1U) << setting.name;
    } else {
      EXPECT_FALSE(*std::get<bool*>(setting.value)) << setting.name;
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
    const NamedSetting setting = NamedSettings(settings)[i];
    std::visit(
        [](auto* value) {
          if constexpr (std::is_same_v<decltype(value), std::string*>) {
            *value += "x";
          } else {
            *value = !*value;
          }
        },
        setting.value);
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
