#include "project/curate_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "curate/language.h"
#include "curate/overlap_set.h"

namespace rhodes {
namespace {

constexpr std::array<std::string_view, 6> kLanguageKeys = {
    "wanted", "model", "model_bytes", "fineweb2_confidence", "per_paragraph", "drop_paragraphs"};

constexpr std::array<const char*, 8> kRuleTables = {"quality",           "repetition", "gopher_quality",
                                                    "gopher_repetition", "c4_quality", "c4_paragraph",
                                                    "fineweb_quality",   "fineweb2"};

// "gopher-quality.min_words" is `min_words` in the table `gopher_quality`.
std::string SettingName(std::string rule, const std::string& key) {
  std::replace(rule.begin(), rule.end(), '_', '-');
  return rule + "." + key;
}

class CurateReader {
 public:
  CurateReader(TomlTable& table, const std::string& directory, CurateSettings& settings)
      : table_(table), directory_(directory), settings_(settings) {}

  void Run() {
    std::vector<std::string> rules = settings_.rules;
    table_.Read("rules", rules);
    if (absl::StatusOr<std::vector<std::string>> ordered = ParseRules(rules); ordered.ok()) {
      settings_.rules = *std::move(ordered);
    } else {
      table_.Fail("rules", Message(ordered.status()));
    }
    table_.Read("sample", settings_.sample, 0, 1);
    // A language, or a table with the key `wanted` and a table for each language that has thresholds of its own.
    std::optional<TomlTable> languages = table_.HasTable("language") ? table_.Table("language") : std::nullopt;
    if (languages) {
      languages->Read("wanted", settings_.language.wanted);
      ReadLanguageRule(*languages);
    } else {
      table_.Read("language", settings_.language.wanted);
    }
    if (absl::StatusOr<std::string> code = ParseLanguageCode(settings_.language.wanted); code.ok()) {
      settings_.language.wanted = *std::move(code);
    } else {
      table_.Fail("language", Message(code.status()));
    }
    table_.Read("min_language_confidence", settings_.language.min_confidence, 0, 1);
    table_.Read("source_priority", settings_.source_priority);
    table_.Read("datatrove_compatibility", settings_.datatrove_compatibility);
    if (std::optional<TomlTable> overlap = table_.Table("overlap")) {
      overlap->Read("sets", settings_.overlap.sets);
      for (std::string& set : settings_.overlap.sets) {  // "NAME:PATH" or "PATH"
        const EvaluationSetPath parsed = ParseEvaluationSetPath(set);
        const std::string path = Absolute(parsed.path);
        set = parsed.path == set ? path : parsed.name + ":" + path;
      }
      if (settings_.Has("overlap") && settings_.overlap.sets.empty()) {
        overlap->Fail("sets", "curate.overlap.sets must name the evaluation sets, files or directories");
      }
      ReadThresholdsOf(*overlap, "overlap");
    }
    for (const char* rule : {"normalise", "pii", "near", "substring"}) ReadThresholds(rule);
    for (const char* rule : kRuleTables) ReadThresholds(rule);
    if (languages) ReadLanguages(*languages);
    table_.Finish();
  }

 private:
  std::string Absolute(const std::string& path) const {
    return (std::filesystem::path(directory_) / path).lexically_normal().string();  // an absolute path stays
  }

  void ReadLanguageRule(TomlTable& table) {
    LanguageSettings& language = settings_.language;
    table.Read("model", language.model);
    if (!language.model.empty()) language.model = Absolute(language.model);
    table.Read("model_bytes", language.model_bytes);
    table.Read("fineweb2_confidence", language.fineweb2_confidence);
    table.Read("per_paragraph", language.per_paragraph);
    table.Read("drop_paragraphs", language.drop_paragraphs);
  }

  // [curate.language.CODE.RULE], after the thresholds that hold for all languages.
  void ReadLanguages(TomlTable& languages) {
    for (const std::string& code : languages.Keys()) {
      if (std::find(kLanguageKeys.begin(), kLanguageKeys.end(), code) != kLanguageKeys.end()) continue;
      std::optional<TomlTable> language = languages.Table(code);
      if (!language) continue;
      for (const char* rule : kRuleTables) {
        std::optional<TomlTable> table = language->Table(rule);
        if (!table) continue;
        for (const std::string& key : table->Keys()) SetForLanguage(*table, code, rule, key);
        table->Finish();
      }
      language->Finish();
    }
    languages.Finish();
  }

  void SetForLanguage(TomlTable& table, const std::string& code, const std::string& rule, const std::string& key) {
    CurateSettings names;
    for (const NamedSetting& setting : NamedSettings(names)) {
      if (setting.name != SettingName(rule, key)) continue;
      std::string value;
      if (std::holds_alternative<bool*>(setting.value)) {
        bool flag = false;
        table.Read(key, flag);
        value = flag ? "true" : "false";
      } else if (std::holds_alternative<uint64_t*>(setting.value)) {
        uint64_t count = 0;
        table.Read(key, count);
        value = std::to_string(count);
      } else {
        double number = 0;
        table.Read(key, number, 0, 1e9);
        value = fmt::format("{}", number);
      }
      const absl::Status set = SetByName(fmt::format("{}:{}={}", code, setting.name, value), settings_);
      if (!set.ok()) table.Fail(key, Message(set));
    }
  }

  // The keys of [curate.RULE] are those settings whose names begin with "RULE.".
  void ReadThresholds(const std::string& rule) {
    if (std::optional<TomlTable> table = table_.Table(rule)) ReadThresholdsOf(*table, rule);
  }
  void ReadThresholdsOf(TomlTable& table, const std::string& rule) {
    for (NamedSetting& setting : NamedSettings(settings_)) {
      const std::string prefix = SettingName(rule, "");
      if (!setting.name.starts_with(prefix)) continue;
      const std::string key = setting.name.substr(prefix.size());
      if (bool** flag = std::get_if<bool*>(&setting.value)) table.Read(key, **flag);
      if (uint64_t** count = std::get_if<uint64_t*>(&setting.value)) table.Read(key, **count);
      if (double** number = std::get_if<double*>(&setting.value)) table.Read(key, **number, 0, 1e9);
      if (auto** list = std::get_if<std::vector<std::string>*>(&setting.value)) table.Read(key, **list);
      if (std::string** words = std::get_if<std::string*>(&setting.value)) table.Read(key, **words);
    }
    table.Finish();
  }

  TomlTable& table_;
  const std::string& directory_;
  CurateSettings& settings_;
};

}  // namespace

void ReadCurateSettings(TomlTable& table, const std::string& directory, CurateSettings& settings) {
  CurateReader(table, directory, settings).Run();
}

}  // namespace rhodes
