#include "curate/words.h"

#include <array>

#include "base/hash.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

class Splitter {
 public:
  Splitter(std::string_view text, uint64_t seed, const StopWords* stop_words, uint64_t wanted, Words& words)
      : text_(text), seed_(seed), stop_words_(stop_words), wanted_(wanted), words_(words) {
    for (size_t c = 0; c < ascii_.size(); ++c) ascii_[c] = classes_.Of(static_cast<char32_t>(c));
  }

  void Run() {
    while (at_ < text_.size()) {
      const size_t begin = at_;
      const char32_t c = Next();
      switch (ClassOf(c)) {
        case CharacterClass::kSpace:
          ++words_.code_points;
          break;
        case CharacterClass::kIdeograph:
          EndWord(begin, 1, true);
          break;
        case CharacterClass::kSymbol:
          Symbol(begin, c);
          break;
        case CharacterClass::kLetter:
        case CharacterClass::kDigit:
        case CharacterClass::kMark:
          Word(begin, ClassOf(c));
          break;
      }
    }
    if (words_.count <= Words::kAnalysed) words_.analysed_code_points = words_.code_points;
  }

 private:
  CharacterClass ClassOf(char32_t c) const { return c < 0x80 ? ascii_[c] : classes_.Of(c); }
  char32_t Next() {
    if (static_cast<uint8_t>(text_[at_]) < 0x80) return static_cast<char32_t>(text_[at_++]);
    return DecodeUtf8(text_, &at_);
  }

  // Reads on from a word's first character.
  void Word(size_t begin, CharacterClass last) {
    bool letter = last == CharacterClass::kLetter;
    uint32_t length = 1;
    while (at_ < text_.size()) {
      const size_t before = at_;
      const char32_t c = Next();
      const CharacterClass kind = ClassOf(c);
      if (kind == CharacterClass::kLetter || kind == CharacterClass::kDigit || kind == CharacterClass::kMark) {
        letter |= kind == CharacterClass::kLetter;
        if (kind != CharacterClass::kMark) last = kind;
        ++length;
        continue;
      }
      if (kind == CharacterClass::kSymbol && JoinsWord(c, last)) {
        ++length;
        continue;
      }
      at_ = before;
      break;
    }
    EndWord(begin, length, letter);
  }

  // Whether the symbol `c`, just read after a `last`, stands inside a word: "don't", "1,000.5".
  bool JoinsWord(char32_t c, CharacterClass last) const {
    const bool apostrophe = c == '\'' || c == 0x2019;
    const bool point = c == '.' || c == ',' || c == ':' || c == 0x066B || c == 0x066C;
    if (!(apostrophe && last == CharacterClass::kLetter) && !(point && last == CharacterClass::kDigit)) return false;
    if (at_ >= text_.size()) return false;
    size_t next = at_;
    return ClassOf(DecodeUtf8(text_, &next)) == last;
  }

  // Reads on from a symbol as long as it repeats.
  void Symbol(size_t begin, char32_t symbol) {
    const size_t size = at_ - begin;
    uint32_t length = 1;
    while (text_.size() - at_ >= size && text_.compare(at_, size, text_, begin, size) == 0) {
      at_ += size;
      ++length;
    }
    if (symbol == '#') words_.number_signs += length;
    if (symbol == '.') words_.ellipses += length / 3;
    if (symbol == 0x2026) words_.ellipses += length;
    Count(begin, length);
  }

  void EndWord(size_t begin, uint32_t length, bool letter) {
    ++words_.plain_count;
    words_.plain_code_points += length;
    if (letter) {
      ++words_.with_letter;
      if (words_.stop_words < wanted_) CountStopWord(text_.substr(begin, at_ - begin));
    }
    Count(begin, length);
  }

  void CountStopWord(std::string_view word) {
    int index = stop_words_->Find(word);
    if (index < 0 && word.size() <= 64 && static_cast<uint8_t>(word.front()) >= 0xD8) {  // vowelled Arabic, perhaps
      unmarked_.clear();
      AppendWithoutArabicMarks(word, unmarked_);
      if (unmarked_.size() < word.size()) index = stop_words_->Find(unmarked_);
    }
    if (index < 0 || (seen_stop_words_ >> index & 1) != 0) return;
    seen_stop_words_ |= uint64_t{1} << index;
    ++words_.stop_words;
  }

  void Count(size_t begin, uint32_t length) {
    ++words_.count;
    words_.code_points += length;
    if (words_.hashes.size() >= Words::kAnalysed) return;
    words_.hashes.push_back(Fingerprint(text_.substr(begin, at_ - begin), seed_));
    words_.begins.push_back(words_.begins.back() + length);
    if (words_.hashes.size() == Words::kAnalysed) words_.analysed_code_points = words_.code_points;
  }

  const CharacterClasses& classes_ = CharacterClasses::Get();
  std::array<CharacterClass, 128> ascii_{};
  std::string_view text_;
  uint64_t seed_;
  const StopWords* stop_words_;
  uint64_t wanted_;
  Words& words_;
  size_t at_ = 0;
  uint64_t seen_stop_words_ = 0;
  std::string unmarked_;
};

}  // namespace

void SplitWords(std::string_view text, uint64_t seed, const StopWords* stop_words, uint64_t stop_words_wanted,
                Words& words) {
  std::vector<uint64_t> hashes = std::move(words.hashes);
  std::vector<uint32_t> begins = std::move(words.begins);
  words = Words();
  hashes.clear();
  begins.assign(1, 0);
  words.hashes = std::move(hashes);
  words.begins = std::move(begins);
  Splitter(text, seed, stop_words, stop_words == nullptr ? 0 : stop_words_wanted, words).Run();
}

}  // namespace rhodes
