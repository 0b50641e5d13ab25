#include "curate/minhash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "base/json.h"
#include "curate/matching_text.h"
#include "curate/near.h"

namespace rhodes {
namespace {

// Made with datatrove 0.10.1 by bench/peers/datatrove_near_goldens.py.
std::vector<Json> Goldens() {
  std::ifstream file(RHODES_SOURCE_DIR "/src/curate/testdata/near/datatrove_goldens.jsonl");
  std::vector<Json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(*ParseJson(line, "goldens"));
  return rows;
}

TEST(MinHash, ParametersAreThoseOfTheReference) {
  const DatatroveParameters& parameters = GetDatatroveParameters();
  EXPECT_EQ(parameters.a[0], 775169054918279404u);
  EXPECT_EQ(parameters.a[1], 1758426461858698313u);
  EXPECT_EQ(parameters.b[0], 1062448801025099917u);
  EXPECT_EQ(parameters.b[1], 1324811268927594100u);
}

TEST(MinHash, SimplifiedTextsAndSignaturesAreTheReferences) {
  const std::vector<Json> rows = Goldens();
  ASSERT_EQ(rows.size(), 18u);
  int signatures = 0;
  for (const Json& row : rows) {
    std::string simplified;
    SimplifyText(row["text"].get<std::string>(), simplified);
    EXPECT_EQ(simplified, row["simplified"].get<std::string>());
    std::vector<std::string_view> words;
    SplitAtSpaces(simplified, words);
    std::string joined;
    std::vector<uint64_t> shingles;
    DatatroveShingles(words, joined, shingles);
    ASSERT_EQ(shingles.empty(), !row.contains("signature")) << row["text"];
    if (shingles.empty()) continue;
    ++signatures;
    DatatroveMinima minima;
    DatatroveMinHash(shingles, minima);
    for (size_t i = 0; i < minima.size(); ++i) {
      ASSERT_EQ(std::to_string(minima[i]), row["signature"][i].get<std::string>()) << row["text"] << " " << i;
    }
  }
  EXPECT_EQ(signatures, 14);
}

TEST(MinHash, VectorsComputeTheFormula) {
  const DatatroveParameters& parameters = GetDatatroveParameters();
  std::mt19937_64 random(7);
  for (const size_t count : {1, 2, 3, 100}) {
    std::vector<uint64_t> shingles(count);
    for (uint64_t& shingle : shingles) shingle = random();
    shingles[0] = count == 1 ? 0 : ~uint64_t{0};
    DatatroveMinima minima;
    DatatroveMinHash(shingles, minima);
    for (size_t f = 0; f < kDatatroveHashes; ++f) {
      uint64_t least = ~uint64_t{0};
      for (const uint64_t h : shingles) {
        least = std::min(least, (parameters.a[f] * h + parameters.b[f]) % ((uint64_t{1} << 61) - 1));
      }
      ASSERT_EQ(minima[f], least) << f;
    }
  }
}

bool OnePermutationMinHash(const std::vector<uint64_t>& words, BinMinima& minima) {
  OnePermutationHasher hasher;
  hasher.Update(words);
  return hasher.Finish(minima);
}

std::vector<uint64_t> RandomWords(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> words(count);
  for (uint64_t& word : words) word = random();
  return words;
}

TEST(MinHash, NoSignatureOfFewerWordsThanAShingle) {
  BinMinima minima;
  EXPECT_FALSE(OnePermutationMinHash(RandomWords(4, 1), minima));
  EXPECT_TRUE(OnePermutationMinHash(RandomWords(5, 1), minima));
  EXPECT_THAT(minima, testing::Each(minima[0]));  // one shingle fills every bin
}

TEST(MinHash, OneHashIsEnoughAndRepetitionChangesNothing) {
  std::vector<uint64_t> words = RandomWords(50, 3);
  BinMinima once;
  BinMinima twice;
  ASSERT_TRUE(OnePermutationMinHash(words, once));
  // The same 46 shingles, five of the seam, and the same again: only the seam may lower a bin.
  const std::vector<uint64_t> copy = words;
  words.insert(words.end(), copy.begin(), copy.end());
  words.insert(words.end(), copy.begin(), copy.end());
  ASSERT_TRUE(OnePermutationMinHash(words, twice));
  words.resize(100);
  BinMinima same;
  ASSERT_TRUE(OnePermutationMinHash(words, same));
  EXPECT_EQ(twice, same);
}

// Equal bins estimate the Jaccard similarity without bias, for short texts (densified) and long ones: over 400 pairs
// the mean lies within four standard errors.
TEST(MinHash, EqualBinsAreTheJaccardSimilarity) {
  for (const size_t shingles : {8, 40, 120, 2000}) {
    double sum = 0;
    double exact = 0;
    constexpr int kPairs = 400;
    for (int pair = 0; pair < kPairs; ++pair) {
      const std::vector<uint64_t> a = RandomWords(shingles + 4, static_cast<uint64_t>(pair) * 10 + shingles);
      std::vector<uint64_t> b = a;
      const size_t keep = shingles * 4 / 5;
      const std::vector<uint64_t> tail = RandomWords(b.size(), static_cast<uint64_t>(pair) + 999);
      for (size_t i = keep + 4; i < b.size(); ++i) b[i] = tail[i];
      BinMinima x;
      BinMinima y;
      ASSERT_TRUE(OnePermutationMinHash(a, x));
      ASSERT_TRUE(OnePermutationMinHash(b, y));
      int equal = 0;
      for (size_t i = 0; i < kBins; ++i) equal += x[i] == y[i] ? 1 : 0;
      sum += equal / static_cast<double>(kBins);
      exact = static_cast<double>(keep) / static_cast<double>(2 * shingles - keep);
    }
    // A pair's estimate varies by no more than a sample of min(shingles, bins) does.
    const double samples = static_cast<double>(std::min(shingles, kBins) * kPairs);
    EXPECT_NEAR(sum / kPairs, exact, 4 * std::sqrt(exact * (1 - exact) / samples)) << shingles;
  }
}

TEST(MinHash, SketchesCountEqualNibbles) {
  std::array<uint8_t, kSketchBytes> a{};
  std::array<uint8_t, kSketchBytes> b{};
  EXPECT_EQ(EqualBins(a.data(), b.data()), 128);
  for (int bit = 0; bit < 8; ++bit) {
    b = a;
    b[static_cast<size_t>(bit)] = static_cast<uint8_t>(1 << bit);
    EXPECT_EQ(EqualBins(a.data(), b.data()), 127) << bit;
  }
  b.fill(0xFF);
  EXPECT_EQ(EqualBins(a.data(), b.data()), 0);
  b.fill(0x0F);
  EXPECT_EQ(EqualBins(a.data(), b.data()), 64);
  EXPECT_EQ(EqualBinsOf(1), 128);
  EXPECT_EQ(EqualBinsOf(0), 8);
}

TEST(MinHash, HashesWordsBetweenSpaces) {
  std::vector<uint64_t> hashes;
  EXPECT_EQ(HashWords("a bc a", 9, hashes), 6u);
  ASSERT_EQ(hashes.size(), 3u);
  EXPECT_EQ(hashes[0], hashes[2]);
  EXPECT_NE(hashes[0], hashes[1]);
  hashes.clear();
  EXPECT_EQ(HashWords("a bc a", 2, hashes), 5u);
  EXPECT_EQ(hashes.size(), 2u);
  EXPECT_EQ(HashWords("", 9, hashes), 0u);
}

TEST(MinHash, WordsInPiecesAreTheSame) {
  const std::vector<uint64_t> words = RandomWords(300, 11);
  BinMinima whole;
  ASSERT_TRUE(OnePermutationMinHash(words, whole));
  for (const size_t piece : {1, 3, 5, 7, 299}) {
    OnePermutationHasher hasher;
    for (size_t at = 0; at < words.size(); at += piece) {
      hasher.Update(std::span(words).subspan(at, std::min(piece, words.size() - at)));
    }
    BinMinima minima;
    ASSERT_TRUE(hasher.Finish(minima));
    EXPECT_EQ(minima, whole) << piece;
  }
}

}  // namespace
}  // namespace rhodes
