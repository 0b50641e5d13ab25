// Any bytes as a document: every rule, in both ways to split words, judges it the same with and without measuring,
// keeps what it stores valid, and its spans within the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "curate/judge.h"

namespace {

rhodes::CurateSettings SettingsOf(bool compatible) {
  rhodes::CurateSettings settings;
  settings.rules = {"normalise",         "language",       "quality",    "repetition",
                    "gopher-repetition", "gopher-quality", "c4-quality", "c4-paragraph",
                    "fineweb-quality",   "fineweb2",       "pii"};
  settings.datatrove_compatibility = compatible;
  // So that the rules behind are reached.
  settings.quality.min_words = settings.gopher_quality.min_words = 1;
  return settings;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const rhodes::CurateSettings settings[] = {SettingsOf(false), SettingsOf(true)};
  static rhodes::JudgeScratch scratch;
  if (size < 3) return 0;
  rhodes::Document document;
  document.id = "x";
  document.text.assign(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[0] % 4 == 1) document.language = "ar";
  if (data[0] % 4 == 2) document.language = "zh";
  document.parents = {"a", "b"};
  document.spans = {{0, document.text.size(), 0}, {document.text.size() * data[1] / 256, document.text.size(), 1}};
  for (const rhodes::CurateSettings& one : settings) {
    rhodes::NormaliseCounts counts;
    std::vector<rhodes::Measure> measures;
    const rhodes::JudgedDocument judged = rhodes::Judge(document, one, scratch, counts);
    const rhodes::JudgedDocument measured = rhodes::Judge(document, one, scratch, counts, &measures);
    if (judged.verdict.rule != measured.verdict.rule || judged.verdict.reason != measured.verdict.reason) abort();
    if (!rhodes::IsValidUtf8(judged.document.text)) abort();
    if (judged.verdict.kept() && judged.hash != rhodes::HashText(judged.document.text)) abort();
    for (const rhodes::Span& span : judged.document.spans) {
      if (span.begin >= span.end || span.end > judged.document.text.size()) abort();
    }
  }
  return 0;
}
