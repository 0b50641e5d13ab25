#include "project/fuse_settings.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace rhodes {
namespace {

constexpr int64_t kSecond = 1'000'000;  // microseconds

}  // namespace

std::optional<int64_t> ParseDuration(std::string_view text) {
  text = Trim(text);
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0 || count > 1'000'000'000) return std::nullopt;
  std::string_view unit = Trim(text.substr(static_cast<size_t>(end - text.data())));
  if (unit.ends_with('s')) unit.remove_suffix(1);
  if (unit == "second") return count * kSecond;
  if (unit == "minute") return count * 60 * kSecond;
  if (unit == "hour") return count * 3600 * kSecond;
  if (unit == "day") return count * 86400 * kSecond;
  if (unit == "week") return count * 7 * 86400 * kSecond;
  return std::nullopt;
}

void ReadTemplate(TomlTable& table, const std::string& file, int line, std::vector<TemplateSettings>& templates) {
  TemplateSettings settings;
  std::string digits = "western";
  table.Read("name", settings.name);
  table.Read("language", settings.language);
  table.Read("digits", digits);
  table.Read("text", settings.text);
  settings.file = file;
  settings.line = line;
  if (settings.name.empty()) table.Fail("name", "fuse.template has no name: render('NAME', ...) calls it by that");
  for (const TemplateSettings& other : templates) {
    if (other.name == settings.name) table.Fail("name", fmt::format("two templates are called \"{}\"", other.name));
  }
  if (settings.text.empty()) table.Fail("text", fmt::format("fuse.template \"{}\" has no text", settings.name));
  if (digits == "arabic-indic") {
    settings.digits = DigitStyle::kArabicIndic;
  } else if (digits != "western") {
    table.Fail("digits",
               fmt::format("fuse.template.digits \"{}\" is neither \"western\" nor \"arabic-indic\"", digits));
  }
  if (const absl::Status parsed = Template::Parse(settings).status(); !parsed.ok()) {
    table.Fail("text", Message(parsed));
  }
  table.Finish();
  templates.push_back(std::move(settings));
}

void ReadSlices(TomlTable& view_table, FuseView& view) {
  std::optional<TomlTable> table = view_table.Table("slices");
  if (!table) return;
  std::string by = "time";
  std::string every;
  std::string margin = "0 seconds";
  table->Read("by", by);
  table->Read("every", every);
  table->Read("margin", margin);
  if (by != "time") table->Fail("by", fmt::format("fuse.view.slices.by \"{}\": slices are cut by \"time\"", by));
  const std::optional<int64_t> width = ParseDuration(every);
  const std::optional<int64_t> reach = ParseDuration(margin);
  constexpr const char* kForm = "must be a whole number of seconds, minutes, hours, days or weeks: \"1 day\"";
  if (!width || *width == 0) table->Fail("every", fmt::format("fuse.view.slices.every \"{}\" {}", every, kForm));
  if (!reach) table->Fail("margin", fmt::format("fuse.view.slices.margin \"{}\" {}", margin, kForm));
  if (!view.source.empty()) table->Fail("", "fuse.view.slices goes with sql or sql_file only");
  if (width && reach && *width > 0) view.slices = FuseView::Slices{*width, *reach};
  table->Finish();
}

Json FuseSettingsOf(const std::vector<FuseView>& views, const std::vector<TemplateSettings>& templates) {
  Json settings = Json::object();
  for (const FuseView& view : views) {
    Json one = {{"name", view.name}, {"sql", view.sql}, {"source", view.source}, {"rest", view.rest}};
    if (view.slices) one["slices"] = {{"every", view.slices->every}, {"margin", view.slices->margin}};
    if (view.allow_cross_product) one["allow_cross_product"] = true;
    if (view.allow_nondeterministic) one["allow_nondeterministic"] = true;
    settings["views"].push_back(std::move(one));
  }
  for (const TemplateSettings& form : templates) {
    settings["templates"].push_back({{"name", form.name},
                                     {"language", form.language},
                                     {"arabic_indic", form.digits == DigitStyle::kArabicIndic},
                                     {"text", form.text}});
  }
  return settings;
}

}  // namespace rhodes
