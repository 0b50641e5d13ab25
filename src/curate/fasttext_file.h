// Files of fastText classifiers (Joulin et al. 2016): `.bin`, and quantised `.ftz` (Joulin et al. 2016,
// "FastText.zip").
//
// Layout, little-endian, as fastText 0.9 writes it (versions 11 and 12): magic 793712314, version · i32 dimension, and
// 11 more arguments, f64 t · dictionary: i32 entries, words, labels, i64 tokens, pruned n-grams (-1: not pruned); per
// entry its bytes, NUL, i64 count, i8 type (0 word, 1 label); per kept n-gram i32 bucket, i32 row behind the words · u8
// quantised, input matrix · u8 quantised, output matrix. A plain matrix: i64 rows, columns, f32 values. A quantised
// one: u8 with norms, i64 rows, columns, i32 size of codes, codes, a quantiser; with norms: u8 codes of them, a
// quantiser. A quantiser: i32 dimension, sub-vectors, length of each, length of the last; f32 centroids, 256 of each
// sub-vector.
#ifndef RHODES_CURATE_FASTTEXT_FILE_H_
#define RHODES_CURATE_FASTTEXT_FILE_H_

#include <hwy/aligned_allocator.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace rhodes {

// Rows of floats: as they are (`values`), or as codes of centroids.
struct FastTextMatrix {
  uint64_t rows = 0;
  uint64_t columns = 0;
  hwy::AlignedFreeUniquePtr<float[]> values;  // rows x columns; null when quantised

  // Row r is the centroids codes[r * sub_vectors + s] of each sub-vector s, times norms[norm_codes[r]] if there are
  // any.
  uint64_t sub_vectors = 0;
  uint64_t sub_columns = 0;       // of each sub-vector but the last
  uint64_t last_sub_columns = 0;  // 1 to sub_columns
  std::vector<uint8_t> codes;
  std::vector<float> centroids;  // 256 x sub_columns of each sub-vector, one after another
  std::vector<uint8_t> norm_codes;
  std::vector<float> norms;  // 256 of them, or none

  // With `values` in place of the codes.
  FastTextMatrix Expanded() const;

  // `row` < rows; `sum` and `vector` have `columns` floats. In fastText's order of additions.
  void AddRow(uint64_t row, float* sum) const;
  float Dot(uint64_t row, const float* vector) const;

 private:
  // Calls `visit(column, values, count, norm)` for each sub-vector of a row.
  template <typename Visit>
  void ForEachSubVector(uint64_t row, Visit visit) const;
};

enum class FastTextLoss { kHierarchicalSoftmax = 1, kNegativeSampling = 2, kSoftmax = 3, kOneVsAll = 4 };

// What a file holds, checked: every row that its dictionary can lead to exists, all numbers are finite, the counts of
// labels make a tree. Memory: about the file's size.
struct FastTextFile {
  uint32_t dimension = 0;
  FastTextLoss loss = FastTextLoss::kSoftmax;
  uint32_t word_ngrams = 1;  // up to 64
  uint32_t bucket = 0;       // hashes of n-grams are taken modulo this; not 0 when there are n-grams
  uint32_t min_n = 0;        // of character n-grams, in code points
  uint32_t max_n = 0;        // up to 64; 0: none
  std::string names;         // bytes of all words, then of all labels
  std::vector<uint64_t> name_ends;
  uint32_t words = 0;
  uint32_t labels = 0;                 // at least one
  std::vector<uint64_t> label_counts;  // how often each stood in the training data
  bool pruned = false;                 // only these n-grams are known: bucket, and row behind the words
  std::vector<std::pair<uint32_t, uint32_t>> kept_ngrams;
  FastTextMatrix input;   // words, then n-grams
  FastTextMatrix output;  // labels, or inner nodes of the tree

  // Of words 0 to `words`, then of labels.
  std::string_view Name(uint64_t entry) const {
    const uint64_t begin = entry == 0 ? 0 : name_ends[entry - 1];
    return std::string_view(names).substr(begin, name_ends[entry] - begin);
  }
};

// `name` is what messages call the file. UsageError naming the byte and the part for every file that is not a whole
// classifier of a version that is known. Linear in `bytes`.
absl::StatusOr<FastTextFile> ParseFastText(std::string_view bytes, std::string_view name);

}  // namespace rhodes

#endif  // RHODES_CURATE_FASTTEXT_FILE_H_
