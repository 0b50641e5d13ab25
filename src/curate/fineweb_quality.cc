#include "curate/fineweb_quality.h"

#include <algorithm>

#include "base/hash.h"
#include "curate/lines.h"
#include "curate/spacy_tables.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

double Share(uint64_t part, uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

bool EndsSentence(std::string_view line) {
  if (line.empty()) return false;
  size_t last = line.size() - 1;
  while (last > 0 && (static_cast<uint8_t>(line[last]) & 0xC0) == 0x80) --last;
  return (ReferenceFlags::Get().Of(DecodeUtf8(line, &last)) & kTerminal) != 0;
}

void JudgeFineWebQuality(std::string_view text, const FineWebQualitySettings& settings, uint64_t seed,
                         const std::function<uint64_t()>& words, LineHashes& scratch, Findings& findings) {
  uint64_t lines = 0;
  uint64_t ended = 0;
  uint64_t short_lines = 0;
  uint64_t characters = 0;  // of the lines that are not blank
  uint64_t blank_characters = 0;
  const uint64_t line_ends = CountText(text).line_ends;
  scratch.Reset(std::min<uint64_t>(line_ends + 1, Words::kAnalysed));
  uint64_t duplicate_characters = 0;
  ForEachLine(text, false, [&](std::string_view line) {
    const uint64_t length = CodePoints(line);
    if (StripWhiteSpace(line).empty()) {
      blank_characters += length;
      return;
    }
    ++lines;
    characters += length;
    if (EndsSentence(line)) ++ended;
    if (length <= settings.short_line_length) ++short_lines;
    if (lines > Words::kAnalysed) return;
    if (scratch.Insert(Fingerprint(line, seed))) duplicate_characters += length;
  });
  if (findings.Add("empty", static_cast<double>(lines), 1, lines == 0) || lines == 0) return;
  if (findings.Below("line_punct_ratio", Share(ended, lines), settings.min_line_punctuation_ratio)) return;
  if (findings.Above("short_line_ratio", Share(short_lines, lines), settings.max_short_line_ratio)) return;
  const double duplicates = Share(duplicate_characters, characters + blank_characters);
  if (findings.Above("char_dup_ratio", duplicates, settings.max_duplicate_line_characters)) return;
  findings.Above("list_ratio", Share(line_ends, words()), settings.max_line_ends_per_word);
}

}  // namespace rhodes
