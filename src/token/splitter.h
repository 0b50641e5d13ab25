// Cuts text into words by a pattern (token/pattern.h). Inline, so that the encoder's and the trainer's loops are
// compiled together with it.
#ifndef RHODES_TOKEN_SPLITTER_H_
#define RHODES_TOKEN_SPLITTER_H_

#include <string_view>

#include "token/character_class.h"
#include "token/pattern.h"

namespace rhodes {

// Finds word ends. `text` must be not empty; each function returns the end of the word that begins at its argument.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : classes_(CharacterClasses()), end_(text.data() + text.size()) {}

  template <Pattern kPattern>
  const char* WordEnd(const char* at) const {
    if constexpr (kPattern == Pattern::kGpt2) {
      return Gpt2WordEnd(at);
    } else if constexpr (kPattern == Pattern::kO200k) {
      return O200kWordEnd(at);
    } else if constexpr (kPattern == Pattern::kCl100k) {
      return Llama3WordEnd<3, true>(at);
    } else if constexpr (kPattern == Pattern::kLlama3) {
      return Llama3WordEnd<3, false>(at);
    } else {
      return Llama3WordEnd<1, false>(at);
    }
  }

  // 's 't 'm 'd 're 've 'll at `at`, which holds an apostrophe: the end, or null.
  const char* ContractionEnd(const char* at, bool any_case) const {
    const ptrdiff_t left = end_ - at;
    if (left < 2) return nullptr;
    const auto lower = [&](char c) { return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    const char first = lower(at[1]);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
    if (left < 3) return nullptr;
    const char second = lower(at[2]);
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) {
      return at + 3;
    }
    // U+017F, the long s, is "s" to a regular expression that ignores case.
    if (any_case && at[1] == '\xC5' && at[2] == '\xBF') return at + 3;
    return nullptr;
  }

 private:
  Character At(const char* at) const { return DecodeCharacter(at, end_, classes_); }
  static bool IsSymbol(uint8_t character_class) { return (character_class & (kLetter | kNumber | kSpace)) == 0; }

  // The end of the run of characters from `at` whose class has one of the bits of `wanted`.
  const char* RunEnd(const char* at, uint8_t wanted) const {
    while (at < end_) {
      const auto byte = static_cast<uint8_t>(*at);
      if (byte < 0x80) {
        if ((classes_[byte] & wanted) == 0) return at;
        ++at;
        continue;
      }
      const Character character = DecodeMultibyte(at, end_, classes_);
      if ((character.character_class & wanted) == 0) return at;
      at += character.length;
    }
    return at;
  }
  const char* SymbolsEnd(const char* at) const {
    while (at < end_) {
      const Character character = At(at);
      if (!IsSymbol(character.character_class)) return at;
      at += character.length;
    }
    return at;
  }

  // \s+(?!\S)|\s+ : a run of white space without its last character, which goes with the word after it, unless the text
  // ends there or the run is that one character.
  const char* SpacesEnd(const char* at) const {
    const char* last = at;
    const char* end = at;
    while (end < end_) {
      const Character character = At(end);
      if ((character.character_class & kSpace) == 0) break;
      last = end;
      end += character.length;
    }
    return end == end_ || last == at ? end : last;
  }

  // The same with \s*[\r\n]+ before it: up to the last line break of the run when it has one; with kWholeAtEnd,
  // \s+\z comes before that.
  template <bool kWholeAtEnd>
  const char* SpacesOrLinesEnd(const char* at) const {
    const char* last = at;
    const char* after_break = nullptr;
    const char* end = at;
    while (end < end_) {
      const Character character = At(end);
      if ((character.character_class & kSpace) == 0) break;
      last = end;
      end += character.length;
      if (character.character_class & kLineBreak) after_break = end;
    }
    if (kWholeAtEnd && end == end_) return end;
    if (after_break != nullptr) return after_break;
    return end == end_ || last == at ? end : last;
  }

  const char* DigitsEnd(const char* at, int limit) const {
    for (int i = 0; i < limit && at < end_; ++i) {
      const Character character = At(at);
      if ((character.character_class & kNumber) == 0) break;
      at += character.length;
    }
    return at;
  }

  // ` ?[^\s\p{L}\p{N}]+[\r\n]*`, with '/' among the trailing characters for o200k; null when it does not match.
  template <bool kSlash>
  const char* SymbolWordEnd(const char* at) const {
    const char* first = *at == ' ' ? at + 1 : at;
    const char* end = SymbolsEnd(first);
    if (end == first) return nullptr;
    while (end < end_ && (*end == '\r' || *end == '\n' || (kSlash && *end == '/'))) ++end;
    return end;
  }

  const char* Gpt2WordEnd(const char* at) const {
    if (*at == '\'') {
      if (const char* end = ContractionEnd(at, false)) return end;
    }
    const char* first = *at == ' ' ? at + 1 : at;
    if (first < end_) {
      const Character character = At(first);
      if (character.character_class & kLetter) return RunEnd(first + character.length, kLetter);
      if (character.character_class & kNumber) return RunEnd(first + character.length, kNumber);
      if (IsSymbol(character.character_class)) return SymbolsEnd(first + character.length);
    }
    return SpacesEnd(at);
  }

  template <int kDigits, bool kWholeAtEnd>
  const char* Llama3WordEnd(const char* at) const {
    const Character character = At(at);
    if (character.character_class & kLetter) return RunEnd(at + character.length, kLetter);
    if (character.code == '\'') {
      if (const char* end = ContractionEnd(at, true)) return end;
    }
    if (character.character_class & kNumber) return DigitsEnd(at, kDigits);
    if ((character.character_class & kLineBreak) == 0) {
      const char* next = at + character.length;
      const char* end = RunEnd(next, kLetter);
      if (end != next) return end;
    }
    if (const char* end = SymbolWordEnd<false>(at)) return end;
    return SpacesOrLinesEnd<kWholeAtEnd>(at);
  }

  // U*W+ from `at` (U: kUpperLike, W: kLowerLike), or null.
  const char* MixedEnd(const char* at) const {
    const char* after = nullptr;  // the end of the last character of the U run that is also a W
    const char* end = at;
    while (end < end_) {
      const Character character = At(end);
      if ((character.character_class & kUpperLike) == 0) break;
      end += character.length;
      if (character.character_class & kLowerLike) after = end;
    }
    const char* lower = RunEnd(end, kLowerLike);
    return lower != end ? lower : after;
  }
  // U+W* from `at`, or null.
  const char* UpperEnd(const char* at) const {
    const char* upper = RunEnd(at, kUpperLike);
    return upper == at ? nullptr : RunEnd(upper, kLowerLike);
  }

  const char* O200kWordEnd(const char* at) const {
    const Character character = At(at);
    // [^\r\n\p{L}\p{N}]? takes the first character when it can, and gives it back when the rest does not match then.
    const char* rest = (character.character_class & (kLineBreak | kLetter | kNumber)) == 0 ? at + character.length : at;
    const char* end = MixedEnd(rest);
    if (end == nullptr && rest != at) end = MixedEnd(at);
    if (end == nullptr) end = UpperEnd(rest);
    if (end == nullptr && rest != at) end = UpperEnd(at);
    if (end != nullptr) {
      const char* contraction = end < end_ && *end == '\'' ? ContractionEnd(end, true) : nullptr;
      return contraction != nullptr ? contraction : end;
    }
    if (character.character_class & kNumber) return DigitsEnd(at, 3);
    if (const char* symbols = SymbolWordEnd<true>(at)) return symbols;
    return SpacesOrLinesEnd<false>(at);
  }

  const uint8_t* classes_;
  const char* end_;
};

// Calls `visit(word)` for every word of `text`, in order; together they are the text.
template <Pattern kPattern, typename Visit>
void SplitWith(std::string_view text, Visit&& visit) {
  const Splitter splitter(text);
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const char* word_end = splitter.WordEnd<kPattern>(at);
    visit(std::string_view(at, static_cast<size_t>(word_end - at)));
    at = word_end;
  }
}

template <typename Visit>
void SplitWords(Pattern pattern, std::string_view text, Visit&& visit) {
  switch (pattern) {
    case Pattern::kGpt2:
      return SplitWith<Pattern::kGpt2>(text, visit);
    case Pattern::kLlama3:
      return SplitWith<Pattern::kLlama3>(text, visit);
    case Pattern::kQwen2:
      return SplitWith<Pattern::kQwen2>(text, visit);
    case Pattern::kO200k:
      return SplitWith<Pattern::kO200k>(text, visit);
    case Pattern::kCl100k:
      return SplitWith<Pattern::kCl100k>(text, visit);
  }
}

}  // namespace rhodes

#endif  // RHODES_TOKEN_SPLITTER_H_
