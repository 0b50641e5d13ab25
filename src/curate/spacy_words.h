// Word splitting as spaCy 3.8 does it with its blank pipelines, which is what datatrove 0.10 counts as words.
#ifndef RHODES_CURATE_SPACY_WORDS_H_
#define RHODES_CURATE_SPACY_WORDS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "curate/words.h"

namespace rhodes {

// Replaces `sizes` by the bytes of each word of `chunk` (valid UTF-8, without white space, not empty). `rules` is one
// of kSpacy*. The procedure is that of spaCy's Tokenizer: special cases, then prefixes and suffixes one by one, then
// URLs, then infixes, then special cases among the words. Linear in `chunk`. Thread-safe.
//
// Not done: special cases that have a space in them (three Arabic abbreviations: "ب. م").
void SplitChunkAsSpacy(std::string_view chunk, WordRules rules, std::vector<uint32_t>& sizes);

// Whether `chunk` is a special case of those rules.
bool IsSpacyCase(std::string_view chunk, WordRules rules);

// Bits of spacy_tables.h: when all characters of a chunk have the first and none has one of the others, no prefix,
// suffix or infix is in it, and unless it is a special case it is one word.
constexpr uint32_t kSpacyPlainHas = 1;                    // kSpacyAlpha
constexpr uint32_t kSpacyPlainHasNot = 8 + 16 + 32 + 64;  // prefixes, suffixes, icons

}  // namespace rhodes

#endif  // RHODES_CURATE_SPACY_WORDS_H_
