// Which language a text is in, by CLD2, and what becomes of the language that a source states.
#ifndef RHODES_CURATE_LANGUAGE_H_
#define RHODES_CURATE_LANGUAGE_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "record/record.h"

namespace rhodes {

struct DetectedLanguage {
  std::string code;       // BCP 47; "und" when CLD2 cannot tell
  double confidence = 0;  // share of the text's letters in that language, 0 to 1; halved when CLD2 calls it unreliable
  bool reliable = false;
  int letters = 0;  // bytes of letters that were looked at
};

// `text` must be valid UTF-8. Judged by a sample of kFirstLanguageSample bytes from begin, middle and end; when that is
// not sure of at least 0.95, by one of kLanguageSample: the cost is bounded. Arabic vowel marks are not counted.
// Deterministic; thread-safe.
constexpr size_t kFirstLanguageSample = 300;
constexpr size_t kLanguageSample = 3072;
DetectedLanguage DetectLanguage(std::string_view text);

// `size` bytes of `text`, whole code points: the whole, or its begin, middle and end.
std::vector<std::string_view> SamplePieces(std::string_view text, size_t size);

// What becomes of a document's language and the measured confidence.
struct LanguageDecision {
  std::string code;
  double confidence = 0;
  bool overruled = false;  // the source stated another language than the text is in
};
// A language that the source states stays as stated, unless the text is surely in another: CLD2 reliable, at least 0.95
// of at least 200 bytes of letters, and the two are not a pair that CLD2 is known to mix up (Norwegian and Danish,
// ...). Without a stated language, CLD2's answer.
LanguageDecision DecideLanguage(std::string_view stated, const DetectedLanguage& detected);

// `code` in BCP 47: "eng_Latn", "en_US.UTF-8", "arb" -> "en", "en-US", "ar". "auto" stays. UsageError when it is no
// language code.
absl::StatusOr<std::string> ParseLanguageCode(std::string_view code);

// Whether both are the same language, regions and scripts aside: "de" and "de-AT".
bool SameLanguage(std::string_view a, std::string_view b);

}  // namespace rhodes

#endif  // RHODES_CURATE_LANGUAGE_H_
