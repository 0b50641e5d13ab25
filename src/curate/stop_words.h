// The most frequent small words of some languages: text without any of them is a list, a table or noise.
#ifndef RHODES_CURATE_STOP_WORDS_H_
#define RHODES_CURATE_STOP_WORDS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

// Up to 64 words, found as they are written (the reference compares with case, too). Immutable; thread-safe.
class StopWords {
 public:
  explicit StopWords(std::vector<std::string> words);
  // The word's number, or -1.
  int Find(std::string_view word) const;
  size_t size() const { return words_.size(); }

 private:
  std::vector<std::string> words_;  // sorted by size, then bytewise
  std::vector<uint8_t> first_;      // of each size, the index of the first word that long
};

// The list of a language (BCP 47; only its first part counts), or null when there is none: the rule does not apply
// then.
const StopWords* FindStopWords(std::string_view language);
// The languages that have one, sorted.
std::vector<std::string_view> StopWordLanguages();

}  // namespace rhodes

#endif  // RHODES_CURATE_STOP_WORDS_H_
