// MinHash signatures: the reference's, bit for bit, and a faster one of our own.
#ifndef RHODES_CURATE_MINHASH_H_
#define RHODES_CURATE_MINHASH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

// Both take shingles of this many words.
inline constexpr size_t kShingleWords = 5;

// The reference: datatrove's MinhashConfig defaults. 112 hash functions v = ((a h + b) mod 2^64) mod (2^61 - 1) of a
// shingle's hash h = XXH64 with seed 0 of its words joined by one space.
inline constexpr size_t kDatatroveBuckets = 14;
inline constexpr size_t kDatatroveHashesPerBucket = 8;
inline constexpr size_t kDatatroveHashes = kDatatroveBuckets * kDatatroveHashesPerBucket;
using DatatroveMinima = std::array<uint64_t, kDatatroveHashes>;

struct DatatroveParameters {
  std::array<uint64_t, kDatatroveHashes> a, b;
};
// a, then b, as NumPy's RandomState(1).randint draws them: MT19937 seeded with 1, two words a draw, masked to 61 bits,
// those above the range drawn again.
const DatatroveParameters& GetDatatroveParameters();

// Replaces `shingles` by the hashes of all runs of five `words`; none when there are fewer. `joined` is scratch.
void DatatroveShingles(std::span<const std::string_view> words, std::string& joined, std::vector<uint64_t>& shingles);
// The least value of each function over `shingles`; all ones when there are none.
void DatatroveMinHash(std::span<const uint64_t> shingles, DatatroveMinima& minima);

// Ours: one permutation hashing (Li, Owen, Zhang 2012): a shingle is hashed once, seven bits of the hash choose one of
// 128 bins, and a bin keeps the least of the rest. An empty bin takes the value of another chosen by a fixed random
// permutation a round, as in optimal densification (Shrivastava 2017), so that equal bins have probability equal to the
// Jaccard similarity. 1/100 of the work of 112 functions.
inline constexpr size_t kBins = 128;
inline constexpr size_t kOwnBands = 21;  // the last two bins are in none
inline constexpr size_t kOwnRows = 6;
using BinMinima = std::array<uint64_t, kBins>;

// Collects the shingles of a text that comes as the hashes of its words, piece by piece.
class OnePermutationHasher {
 public:
  OnePermutationHasher();
  void Update(std::span<const uint64_t> word_hashes);
  // False when there were fewer words than a shingle has; then `minima` is undefined.
  bool Finish(BinMinima& minima) const;

 private:
  BinMinima minima_;
  std::array<uint64_t, kShingleWords> last_{};  // hashes, the oldest at words_ % kShingleWords
  uint64_t polynomial_ = 0;
  uint64_t words_ = 0;
};

// Appends XXH3 of the words of `text`, which single spaces separate, until there are `most` hashes; returns the bytes
// of `text` that are done.
size_t HashWords(std::string_view text, size_t most, std::vector<uint64_t>& hashes);

// Four bits of each bin: enough to estimate the similarity of two documents with a standard error of 0.04.
inline constexpr size_t kSketchBytes = kBins / 2;
void MakeSketch(const BinMinima& minima, std::span<uint8_t, kSketchBytes> sketch);
// Bins whose four bits are equal.
int EqualBins(const uint8_t* a, const uint8_t* b);
// How many equal bins two documents of this similarity have at the mean: 1/16 of unequal bins are equal by chance.
int EqualBinsOf(double similarity);

}  // namespace rhodes

#endif  // RHODES_CURATE_MINHASH_H_
