// Splits a text into words once, for all rules that count them.
#ifndef RHODES_CURATE_WORDS_H_
#define RHODES_CURATE_WORDS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "curate/stop_words.h"

namespace rhodes {

// By whose rules words are told apart.
enum class WordRules : uint8_t {
  // A word is a run of letters, digits and marks, with apostrophes between letters and "." "," ":" between digits
  // inside
  // it; an ideograph is a word alone; and a run of one and the same symbol ("...", "-----") is a symbol word, which
  // counts as a word in the denominators, as in the reference.
  kRhodes,
  // As datatrove 0.10 does it: the tokenizer of spaCy 3.8 for English, for Arabic, and its fallback "xx".
  kSpacyEnglish,
  kSpacyArabic,
  kSpacyOther
};
// The rules for documents of `language` (BCP 47).
WordRules WordRulesFor(std::string_view language, bool datatrove_compatibility);

// A word within a chunk, which is what stands between white space.
struct WordPiece {
  uint32_t size = 0;  // bytes
  uint32_t code_points = 0;
  bool plain = false;         // has a character that is no symbol
  bool letter = false;        // has a letter
  bool sentence_end = false;  // is a mark that ends sentences
  bool punctuation = false;   // all of Unicode category P
};
// Replaces `pieces` by the words of `chunk` (valid UTF-8 without white space); together they are all of it. Linear.
void SplitChunk(std::string_view chunk, WordRules rules, std::vector<WordPiece>& pieces);

// Lengths are code points.
struct Words {
  // The rules of repetition look at the first kAnalysed words (or lines): bounds memory at 80 MiB + the n-gram tables
  // (160 MiB).
  static constexpr size_t kAnalysed = size_t{1} << 22;
  struct Place {
    uint32_t begin;  // byte offset
    uint32_t end;
  };

  std::vector<uint64_t> hashes;       // of each analysed word; equal words have equal ones in all texts
  std::vector<uint32_t> begins;       // code points of the analysed words before word i; one entry more than hashes
  std::vector<Place> places;          // of each analysed word in the text
  uint64_t analysed_code_points = 0;  // of the text up to the end of the last analysed word (all of it when short)
  uint64_t count = 0;                 // words, symbol words included
  uint64_t plain_count = 0;           // words that are not symbol words
  uint64_t plain_code_points = 0;     // in those
  uint64_t with_letter = 0;           // words that have a letter
  uint64_t number_signs = 0;          // '#'
  uint64_t ellipses = 0;              // "..." and U+2026
  uint64_t code_points = 0;           // of the text
};

// Splits texts, and remembers how the short chunks of the texts before were split (4 MiB each set of rules in use):
// most chunks of a text are among those. What comes out does not depend on what was split before. Not thread-safe.
class WordSplitter {
 public:
  WordSplitter();
  ~WordSplitter();
  WordSplitter(WordSplitter&&) noexcept;
  WordSplitter& operator=(WordSplitter&&) noexcept;

  // Replaces `words` by those of `text` (valid UTF-8, less than 4 GiB). Linear.
  void Split(std::string_view text, WordRules rules, Words& words);
  // How many of `stop_words` are among the analysed words, each once; counted up to `wanted`. Arabic vowel marks aside
  // when `unmark` is set.
  static uint64_t CountStopWords(std::string_view text, const Words& words, const StopWords& stop_words,
                                 uint64_t wanted, bool unmark);
  // Only the number of words of `text`: what Split() makes `Words::count`.
  uint64_t Count(std::string_view text, WordRules rules);
  // Sentences of `line`, counted up to `wanted`: one begins with the first word behind a mark that ends sentences that
  // is not punctuation (spaCy's Sentencizer). At least 1.
  uint64_t CountSentences(std::string_view line, WordRules rules, uint64_t wanted);

 private:
  class Cache;
  struct CacheEntry;
  template <typename Take>
  void ForEachWord(std::string_view text, WordRules rules, Take take);
  template <typename Take>
  bool SplitNew(std::string_view text, size_t begin, size_t size, WordRules rules, CacheEntry* entry,
                const std::array<uint64_t, 3>& key, Take take);
  std::unique_ptr<Cache> caches_[4];
  std::vector<WordPiece> pieces_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_WORDS_H_
