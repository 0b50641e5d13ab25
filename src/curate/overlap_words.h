// Splits text into the words of MatchingText() and hashes them, at the speed at which ASCII is classified by vector
// instructions.
#ifndef RHODES_CURATE_OVERLAP_WORDS_H_
#define RHODES_CURATE_OVERLAP_WORDS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace rhodes {

// Words that follow each other in a text. hash[-1] to hash[-history] and begin[-1] to begin[-history] are those of the
// words before (0 before the first).
struct OverlapWordBatch {
  size_t count = 0;
  const uint64_t* hash = nullptr;  // of the word as MatchingText() writes it, never its place in the text
  const size_t* begin = nullptr;   // byte of `text` at which it begins
  const size_t* end = nullptr;     // and behind which it ends
};

// Kept from text to text. Not shared between threads.
class OverlapWordScanner {
 public:
  static constexpr size_t kBatch = 1024;
  // `history`: how many words before a batch it can look back at.
  explicit OverlapWordScanner(size_t history);
  size_t history() const { return history_; }

  // Calls `take` for the words of `text` (valid UTF-8) in order, up to kBatch at a time. Linear in `text`; memory does
  // not depend on it.
  void Scan(std::string_view text, const std::function<void(const OverlapWordBatch&)>& take);

 private:
  void AddRun(std::string_view text, size_t begin, size_t end, bool plain);
  void SplitRun(std::string_view text, size_t begin, size_t end);
  void Add(uint64_t hash, size_t begin, size_t end);
  void Flush();

  size_t history_;
  size_t count_ = 0;  // of words in the batch
  std::vector<uint64_t> hashes_;
  std::vector<size_t> begins_;
  std::vector<size_t> ends_;
  std::vector<uint64_t> masks_;
  const std::function<void(const OverlapWordBatch&)>* take_ = nullptr;
};

// Of one word in the form that MatchingText() gives it.
uint64_t HashOverlapWord(std::string_view word);

}  // namespace rhodes

#endif  // RHODES_CURATE_OVERLAP_WORDS_H_
