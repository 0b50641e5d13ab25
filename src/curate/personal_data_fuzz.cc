// Any bytes: items are in order, apart, inside the text and not empty; with placeholders in their place nothing is
// found that was not there before, and a second run changes nothing. The mode of the reference, over valid UTF-8:
// ordered too.
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "curate/personal_data.h"
#include "curate/personal_data_formatter.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void RequireOrdered(const std::vector<rhodes::PersonalDataItem>& items, size_t size) {
  size_t end = 0;
  for (const rhodes::PersonalDataItem& item : items) {
    Require(item.begin >= end && item.begin < item.end && item.end <= size);
    end = item.end;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  rhodes::PersonalDataSettings settings;
  for (const bool all : {false, true}) {
    settings.all_addresses = all;
    const std::vector<rhodes::PersonalDataItem> items = rhodes::FindPersonalData(text, settings);
    RequireOrdered(items, size);
    std::vector<size_t> marks = {0, size / 2, size};
    std::string replaced = rhodes::ReplacePersonalData(text, items, settings, &marks);
    Require(marks[0] <= marks[1] && marks[1] <= marks[2] && marks[2] == replaced.size());
    // What stands beside an item can become one once it is gone; then there are fewer each time.
    size_t left = items.size();
    for (size_t round = 0; left > 0; ++round) {
      const std::vector<rhodes::PersonalDataItem> again = rhodes::FindPersonalData(replaced, settings);
      RequireOrdered(again, replaced.size());
      for (const rhodes::PersonalDataItem& item : again) {  // none reaches into a placeholder, but for blocks of keys
        const std::string_view found = std::string_view(replaced).substr(item.begin, item.end - item.begin);
        Require(item.kind == rhodes::PersonalDataKind::kSecret || found.find_first_of("<>") == std::string_view::npos);
      }
      Require(round < 4);
      left = again.size();
      replaced = rhodes::ReplacePersonalData(replaced, again, settings, nullptr);
    }
  }
  const std::string repaired = rhodes::ReplaceInvalidUtf8(text);
  const std::vector<rhodes::PersonalDataItem> items = rhodes::FindAsFormatter(repaired, settings);
  RequireOrdered(items, repaired.size());
  rhodes::FormatterReplacements replacements;
  const std::string replaced = replacements.Replace(repaired, items, nullptr);
  Require(rhodes::ReplaceInvalidUtf8(replaced) == replaced && (!items.empty() || replaced == repaired));
  return 0;
}
