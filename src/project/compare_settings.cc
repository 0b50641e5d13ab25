#include "project/compare_settings.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "source/time.h"

namespace rhodes {
namespace {

// "last 20%" as 0.2; nothing when it is not that.
std::optional<double> ParseLastShare(std::string_view text) {
  text = Trim(text);
  if (!text.starts_with("last ") || !text.ends_with('%')) return std::nullopt;
  text = Trim(text.substr(5, text.size() - 6));
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc() || end != text.data() + text.size() || !(percent > 0 && percent < 100)) return std::nullopt;
  return percent / 100;
}

bool IsArmName(std::string_view name) {
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

void ReadArm(TomlTable& table, CompareSettings& settings) {
  CompareArm arm;
  table.Read("name", arm.name);
  table.Read("sources", arm.texts.sources);
  table.Read("views", arm.texts.views);
  table.Read("sql", arm.texts.sql);
  table.Finish();
  if (!IsArmName(arm.name)) {
    table.Fail("name", fmt::format("compare.arm.name \"{}\" must be letters, digits, \"_\", \"-\" or \".\"", arm.name));
  }
  for (const CompareArm& other : settings.arms) {
    if (other.name == arm.name) table.Fail("name", fmt::format("two arms are called \"{}\"", arm.name));
  }
  if (arm.texts.sources.empty() && arm.texts.views.empty() && arm.texts.sql.empty()) {
    table.Fail("name", fmt::format("compare.arm \"{}\" has no texts: give it sources, views or sql", arm.name));
  }
  settings.arms.push_back(std::move(arm));
}

void ReadHeldOut(TomlTable& table, HoldOutSettings& held_out) {
  std::string share;
  std::string after;
  table.Read("held_out", share);
  table.Read("after", after);
  if (!share.empty() && !after.empty()) table.Fail("after", "give one of compare.held_out and compare.after");
  if (!share.empty()) {
    constexpr std::string_view kOfDocuments = " of documents";
    held_out.of_documents = share.ends_with(kOfDocuments);
    if (held_out.of_documents) share.resize(share.size() - kOfDocuments.size());
    const std::optional<double> parsed = ParseLastShare(share);
    if (parsed) held_out.last_share = *parsed;
    if (!parsed)
      table.Fail(
          "held_out",
          fmt::format("compare.held_out must be like \"last 20%\" or \"last 20% of documents\", not \"{}\"", share));
  }
  if (after.empty()) return;
  held_out.after = ParseTime(after);
  if (!held_out.after) table.Fail("after", fmt::format("compare.after \"{}\" is no time", after));
}

}  // namespace

void ReadCompareSettings(TomlTable& table, CompareSettings& settings) {
  settings.wanted = true;
  std::string arms = "default";
  table.Read("arms", arms);
  for (TomlTable& arm : table.Tables("arm")) ReadArm(arm, settings);
  if (arms != "default") {
    table.Fail("arms",
               fmt::format("compare.arms must be \"default\", not \"{}\"; others are tables [[compare.arm]]", arms));
  }
  if (table.LineOf("arms") > 0 && !settings.arms.empty()) {
    table.Fail("arms", "give compare.arms or tables [[compare.arm]], not both");
  }
  ReadHeldOut(table, settings.held_out);
  uint64_t vocabulary = settings.vocabulary;
  table.Read("vocabulary", vocabulary, 1 << 20);
  if (vocabulary < 257) table.Fail("vocabulary", "compare.vocabulary must be at least 257: the bytes and one token");
  settings.vocabulary = static_cast<uint32_t>(vocabulary);
  table.Read("seeds", settings.seeds, 1, 1000);
  table.Read("layers", settings.layers, 1, 1000);
  table.Read("width", settings.width, 8, 1 << 16);
  table.Read("context", settings.context, 2, 1 << 20);
  table.Read("batch", settings.batch, 1, 1 << 16);
  table.Read("tokens", settings.tokens, 1, int64_t{1} << 50);
  table.Read("learning_rate", settings.learning_rate, 1e-12, 1e3);
  table.Read("eval_tokens", settings.eval_tokens);
  if (settings.eval_tokens == 0) table.Fail("eval_tokens", "compare.eval_tokens must be above 0");
  ModelConfig shape = MakeConfig(settings.layers, settings.width, static_cast<int64_t>(vocabulary), settings.context);
  if (const absl::Status valid = shape.Validate(); !valid.ok()) table.Fail("width", Message(valid));
  table.Finish();
}

}  // namespace rhodes
