// The form of a text in which duplicates are looked for. What is stored stays as it was.
#ifndef RHODES_CURATE_MATCHING_TEXT_H_
#define RHODES_CURATE_MATCHING_TEXT_H_

#include <string>
#include <string_view>

namespace rhodes {

// The reference's simplify_text (datatrove, default TextNormConfig), bit for bit but for code points that were assigned
// after Unicode 14: lower case; each number, with one decimal part, as "0"; the characters of its punctuation list as
// spaces; runs of white space as one space; Normalisation Form D without nonspacing marks. Replaces `out`. `text` must
// be valid UTF-8. O(n log n) for runs of spacing marks, else linear.
//
// To know: this makes one of أ and ا, of ئ and ي, of é and e, and of all numbers; tatweel, the Arabic comma and
// question mark, and marks of direction stay.
void SimplifyText(std::string_view text, std::string& out);

// Ours: the words of `text` in a form that is the same for every way to write them, separated by single spaces.
// - case folded; canonical decompositions, so that é is the same in one code point and in two, and is not e;
// - punctuation, symbols and white space separate words; an apostrophe within a word is left out ("don't", "don’t");
//   an ideograph and a kana is a word alone;
// - joiners, direction marks, soft hyphens and other invisible format characters are left out;
// - full-width and presentation forms are the letters they are shapes of (all compatibility decompositions);
// - decimal digits of all scripts are the ASCII digits; their values stay, since reports that differ in their numbers
//   alone are different reports;
// - Arabic: tatweel and vowel marks are left out; آ أ إ ٱ are ا, since writers leave the hamza of an alef out freely;
//   ى, ی and ے are ي, ک is ك, since keyboards differ. ؤ, ئ, ء and ة stay as they are: there, another letter is another
//   word.
// Replaces `out`. `text` must be valid UTF-8. Linear. At most 18 times as long as `text`.
void MatchingText(std::string_view text, std::string& out);

}  // namespace rhodes

#endif  // RHODES_CURATE_MATCHING_TEXT_H_
