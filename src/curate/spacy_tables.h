// The tables behind datatrove's word splitting: which code point is what to spaCy's expressions, and its special cases.
#ifndef RHODES_CURATE_SPACY_TABLES_H_
#define RHODES_CURATE_SPACY_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rhodes {

// Bits of ReferenceRange::flags. "Suffix" and "prefix": the code point alone is one, whatever stands beside it.
constexpr uint32_t kSpacyAlpha = 1;
constexpr uint32_t kSpacyLower = 2;
constexpr uint32_t kSpacyUpper = 4;
constexpr uint32_t kSpacyPrefix = 8;
constexpr uint32_t kSpacySuffix = 16;        // in all languages but Arabic
constexpr uint32_t kSpacyArabicSuffix = 32;  // in Arabic
constexpr uint32_t kSpacyIcon = 64;
constexpr uint32_t kSpacyBeforeDot = 128;  // a "." at the end behind it is a suffix, in all languages but Arabic
constexpr uint32_t kSpacyQuote = 256;
constexpr uint32_t kReferenceSymbol = 512;   // in datatrove's PUNCTUATION_SET: words of nothing else are no words
constexpr uint32_t kSentenceEnd = 1024;      // one of the sentencizer's marks
constexpr uint32_t kPunctuation = 2048;      // Unicode category P
constexpr uint32_t kTerminal = 4096;         // in datatrove's TERMINAL_PUNCTUATION
constexpr uint32_t kReferenceLetter = 8192;  // Unicode category L
constexpr uint32_t kWhiteSpace = 16384;      // what Python's str.split() splits at
constexpr uint32_t kWordCharacter = 32768;   // \w

struct ReferenceRange {
  uint32_t first;
  uint32_t last;
  uint32_t flags;
};
extern const ReferenceRange kReferenceRanges[];  // ascending, apart
extern const size_t kReferenceRangeCount;

// Strings that are split in a way of their own; U+001F stands between the words.
extern const std::string_view kSpacyBaseCases[];  // in all languages
extern const size_t kSpacyBaseCaseCount;
extern const std::string_view kSpacyEnglishCases[];
extern const size_t kSpacyEnglishCaseCount;
extern const std::string_view kSpacyArabicCases[];
extern const size_t kSpacyArabicCaseCount;
// Units and currencies that are words of their own behind a digit.
extern const std::string_view kSpacyAfterDigit[];
extern const size_t kSpacyAfterDigitCount;

// The flags of a code point. The first call makes a table of 256 KiB (about 1 ms). Thread-safe.
class ReferenceFlags {
 public:
  static const ReferenceFlags& Get();
  uint32_t Of(char32_t code_point) const { return code_point < 0x10000 ? basic_[code_point] : Lookup(code_point); }

 private:
  ReferenceFlags();
  static uint32_t Lookup(char32_t code_point);
  uint32_t basic_[0x10000];
};

}  // namespace rhodes

#endif  // RHODES_CURATE_SPACY_TABLES_H_
