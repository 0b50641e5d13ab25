// Values as they are compared: one spelling for letters that are written in several ways, words, and the numbers and
// part numbers among them.
#ifndef RHODES_ENTITY_NORMAL_FORM_H_
#define RHODES_ENTITY_NORMAL_FORM_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rhodes {

// `text` (UTF-8; invalid bytes count as U+FFFD) decomposed by compatibility (NFKD), in lower case, without marks
// (accents and the Arabic vowel signs), every digit as an ASCII one, alef, yeh and teh marbuta in one form each, no
// tatweel.
std::string FoldedText(std::string_view text);

// A word of FoldedText(): letters and digits. Hyphens, slashes and points inside a word that has letters and digits
// are dropped, so that a part number is one word however it is cut: "F8N044-SLV" and "f8n044slv".
struct Word {
  enum class Kind {
    kPlain,
    kNumber,  // digits and at most one point: "10", "2.7"
    kCode     // letters and digits, or four digits and more that are no year: a model or part number
  };
  std::string text;
  Kind kind = Kind::kPlain;
};
std::vector<Word> WordsOf(std::string_view text);

// The consonants of a word, by which a name in Arabic letters and its transcriptions meet: "محمد", "Mohammed" and
// "Muhamad" are all "mhmd". `word` is folded. Empty when there are none.
std::string Skeleton(std::string_view word);
bool HasArabic(std::string_view text);

// The first number in `text` ("$ 1,299.00" is 1299); nothing when there is none.
std::optional<double> NumberIn(std::string_view text);
// "LATITUDE LONGITUDE" in degrees, with white space or a comma between; nothing for anything else.
std::optional<std::pair<double, double>> PlaceIn(std::string_view text);

}  // namespace rhodes

#endif  // RHODES_ENTITY_NORMAL_FORM_H_
