// Labels of texts by a fastText classifier, as fastText 0.9 finds them.
#ifndef RHODES_CURATE_FASTTEXT_CLASSIFIER_H_
#define RHODES_CURATE_FASTTEXT_CLASSIFIER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "curate/fasttext_file.h"

namespace rhodes {

// Kept from text to text by one thread, for any classifier: 4 bytes a word of the longest text for classifiers with
// word n-grams, the longest word's bytes, 4 bytes a dimension, up to 16 bytes a label, and 3 MiB.
struct FastTextScratch {
  struct Branch {
    uint32_t node;
    float score;
  };
  // A word that was met and the rows that it leads to: most words of a text are met again and again.
  struct alignas(64) MetWord {
    static constexpr size_t kBytes = 23;
    static constexpr size_t kRows = 8;       // here
    static constexpr size_t kMoreRows = 32;  // in more_rows
    std::array<uint64_t, 3> key{};           // its bytes and, as the last one, their count; 0: none
    uint32_t hash = 0;
    uint16_t row_count = 0;
    bool passed_over = false;  // a label
    std::array<uint32_t, kRows> rows{};
  };
  std::vector<MetWord> met_words;
  std::vector<uint32_t> more_rows;
  uint64_t met_by = 0;  // the classifier that filled them; 0: none
  std::vector<uint32_t> word_hashes;
  std::vector<uint32_t> rows;
  std::vector<float> hidden;
  std::vector<float> output;
  std::vector<Branch> branches;
  std::string word;
};

struct FastTextGuess {
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t label = kNone;   // kNone: the text has nothing that the classifier knows
  float probability = 0;    // as fastText gives it: up to 1.00001
  uint64_t word_bytes = 0;  // of the text, white space aside
};

// Labels and probabilities equal fastText's for the text with spaces in place of its line ends (fastText takes one
// line). The additions are made in fastText's order, so that they do for texts of any length. Time: linear in the text,
// at most 64 steps a character, and in the labels. Immutable: thread-safe for distinct `scratch`.
class FastTextClassifier {
 public:
  // Errors: those of ParseFastText().
  static absl::StatusOr<FastTextClassifier> Parse(std::string_view bytes, std::string_view name);
  FastTextClassifier(FastTextClassifier&&) noexcept;
  FastTextClassifier& operator=(FastTextClassifier&&) noexcept;
  ~FastTextClassifier();

  // The most probable label; of equally probable ones the last.
  FastTextGuess Best(std::string_view text, FastTextScratch& scratch) const;
  // Also gives every label its probability, 0 for those that fastText leaves out (below 0.00001).
  FastTextGuess All(std::string_view text, FastTextScratch& scratch, std::vector<float>& probabilities) const;

  uint32_t label_count() const;
  std::string_view label(uint32_t i) const;  // with "__label__", as in the file

 private:
  class Index;
  explicit FastTextClassifier(std::unique_ptr<const Index> index);
  FastTextGuess Classify(std::string_view text, FastTextScratch& scratch, std::vector<float>* probabilities) const;

  std::unique_ptr<const Index> index_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_FASTTEXT_CLASSIFIER_H_
