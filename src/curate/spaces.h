// Finds white space, line ends and phrases in text with vector instructions.
#ifndef RHODES_CURATE_SPACES_H_
#define RHODES_CURATE_SPACES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rhodes {

// Bit i of `masks[i / 64]` becomes 1 when byte i is ASCII white space (tab to CR, U+001C to U+0020) or may begin other
// white space (C2, E1, E2, E3). `masks` has (text.size() + 63) / 64 entries; bits behind the end are 0.
void MarkSpaces(std::string_view text, uint64_t* masks);

// What stands in a text, for rules that rarely find it.
struct TextCounts {
  uint64_t code_points = 0;
  uint64_t number_signs = 0;    // '#'
  uint64_t line_ends = 0;       // '\n'
  uint64_t dots = 0;            // '.'
  uint64_t ellipsis_leads = 0;  // bytes that may begin U+2026
};
TextCounts CountText(std::string_view text);

// The phrases that C4's rules look for, in any case of ASCII letters.
enum class Phrase : uint8_t { kJavascript, kLoremIpsum, kPolicy };
struct PhraseHit {
  size_t begin;
  size_t end;
  Phrase phrase;
};
// Replaces `hits` by where they stand in `text`, in no order. Linear.
void FindPhrases(std::string_view text, std::vector<PhraseHit>& hits);

// Length in bytes of the white space at `at` (Python's str.isspace), or 0 when there is none.
size_t WhiteSpaceAt(std::string_view text, size_t at);

}  // namespace rhodes

#endif  // RHODES_CURATE_SPACES_H_
