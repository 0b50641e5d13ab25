// Languages of the paragraphs of a mixed document.
#ifndef RHODES_CURATE_LANGUAGE_PARAGRAPHS_H_
#define RHODES_CURATE_LANGUAGE_PARAGRAPHS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "curate/language_model.h"

namespace rhodes {

// A part of a text in one language, with the line ends behind it. Parts follow each other from the text's first byte to
// its last.
struct LanguageParagraph {
  size_t begin = 0;
  size_t end = 0;
  std::string code;  // BCP 47; "und" when no paragraph of the text can be told
};

// A paragraph is a line; lines of fewer than kShortParagraph bytes are taken together while they are in one script and
// no blank line is between them. Each is looked at by `model`, or by CLD2 when that is null. One that is still short,
// or whose language is not at least 0.5 sure, has the language of the paragraph before it in the same script (or behind
// it, or of any script, in this order); a short one alone in its script that is sure keeps its own. Linear in `text`,
// which is valid UTF-8. Deterministic; thread-safe for distinct `scratch`.
constexpr size_t kShortParagraph = 64;
std::vector<LanguageParagraph> FindLanguageParagraphs(std::string_view text, const LanguageModel* model,
                                                      FastTextScratch& scratch);

// Share of the bytes in each language, rounded to four places; the largest first, equal ones by code.
std::vector<std::pair<std::string, double>> LanguageShares(const std::vector<LanguageParagraph>& paragraphs);

// `text` without the paragraphs that are surely in another language than `wanted` ("und" ones stay), nor line ends at
// the end that others left there. `marks` (ascending byte offsets, may be null) move with it; one in what is dropped
// goes to where that was. Returns whether anything was dropped.
bool DropOtherLanguages(const std::vector<LanguageParagraph>& paragraphs, std::string_view wanted, std::string& text,
                        std::vector<size_t>* marks);

}  // namespace rhodes

#endif  // RHODES_CURATE_LANGUAGE_PARAGRAPHS_H_
