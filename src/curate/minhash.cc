#include "curate/minhash.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "curate/minhash.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The low 64 bits of a product, of 32-bit products: few machines multiply wider lanes.
template <class V>
HWY_INLINE V MultiplyLow(V a, V b) {
  const hn::DFromV<V> d;
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(d, hn::GetLane(a) * hn::GetLane(b));
#else
  const hn::Repartition<uint32_t, decltype(d)> d32;
  const auto low = hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b));
  const auto cross = hn::Add(hn::MulEven(hn::BitCast(d32, hn::ShiftRight<32>(a)), hn::BitCast(d32, b)),
                             hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, hn::ShiftRight<32>(b))));
  return hn::Add(low, hn::ShiftLeft<32>(cross));
#endif
}

// Eight functions wide at most, so that 112 divides; two vectors of functions at a time stay in registers while all
// shingles pass by. v mod (2^61 - 1) of a 64-bit v is its low 61 bits and its high 3 added, once reduced. The sum and
// the minima are below 2^62, so that the signed minimum, which every machine has, is right.
void DatatroveMinima64(const uint64_t* shingles, size_t count, const uint64_t* a, const uint64_t* b, uint64_t* minima) {
  const hn::CappedTag<uint64_t, 8> d;
  const hn::RebindToSigned<decltype(d)> ds;
  const size_t lanes = hn::Lanes(d);
  const auto prime = hn::Set(d, (uint64_t{1} << 61) - 1);
  for (size_t f = 0; f < kDatatroveHashes; f += 2 * lanes) {
    const auto a0 = hn::LoadU(d, a + f);
    const auto b0 = hn::LoadU(d, b + f);
    const auto a1 = hn::LoadU(d, a + f + lanes);
    const auto b1 = hn::LoadU(d, b + f + lanes);
    auto least0 = hn::Set(ds, INT64_MAX);
    auto least1 = least0;
    const auto value = [&](auto factor, auto addend, auto h) HWY_ATTR {
      const auto v = hn::Add(MultiplyLow(factor, h), addend);
      const auto sum = hn::BitCast(ds, hn::Add(hn::And(v, prime), hn::ShiftRight<61>(v)));
      const auto reduced = hn::Sub(sum, hn::BitCast(ds, prime));
      return hn::IfThenElse(hn::Lt(reduced, hn::Zero(ds)), sum, reduced);
    };
    for (size_t i = 0; i < count; ++i) {
      const auto h = hn::Set(d, shingles[i]);
      least0 = hn::Min(least0, value(a0, b0, h));
      least1 = hn::Min(least1, value(a1, b1, h));
    }
    hn::StoreU(hn::BitCast(d, least0), d, minima + f);
    hn::StoreU(hn::BitCast(d, least1), d, minima + f + lanes);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rhodes {
namespace {

HWY_EXPORT(DatatroveMinima64);

// Of odd multipliers: the shingle of five words is a polynomial of their hashes.
constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15;

constexpr uint64_t Power(uint64_t base, size_t exponent) {
  uint64_t power = 1;
  for (size_t i = 0; i < exponent; ++i) power *= base;
  return power;
}

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// Round r gives bin i the value of bin from[r][i], or, seen from the other end, bin j gives its value to to[r][j].
// Random permutations: with n bins filled, all are after about 128 / n * ln(128) rounds.
struct Rounds {
  static constexpr size_t kCount = 1024;
  std::array<std::array<uint8_t, kBins>, kCount> from, to;
};

const Rounds& DensificationRounds() {
  static const Rounds* const rounds = [] {
    auto* made = new Rounds;
    uint64_t state = 0;
    for (size_t r = 0; r < Rounds::kCount; ++r) {
      for (size_t i = 0; i < kBins; ++i) made->from[r][i] = static_cast<uint8_t>(i);
      for (size_t i = kBins - 1; i > 0; --i) {
        std::swap(made->from[r][i], made->from[r][Mix(++state * kMultiplier) % (i + 1)]);
      }
      for (size_t i = 0; i < kBins; ++i) made->to[r][made->from[r][i]] = static_cast<uint8_t>(i);
    }
    return made;
  }();
  return *rounds;
}

constexpr uint64_t kEmpty = ~uint64_t{0};

// Few filled bins give to the empty ones; the same result as the empty ones asking, at less cost.
void FillFromFew(std::span<const uint8_t> filled, size_t empty, BinMinima& minima) {
  const Rounds& rounds = DensificationRounds();
  for (size_t r = 0; r < Rounds::kCount && empty > 0; ++r) {
    for (const uint8_t j : filled) {
      const uint8_t i = rounds.to[r][j];
      if (minima[i] != kEmpty) continue;
      minima[i] = minima[j];
      --empty;
    }
  }
  for (size_t i = 0; i < kBins && empty > 0; ++i) {  // one filled bin, mostly: 1024 rounds may miss some
    if (minima[i] == kEmpty) minima[i] = minima[filled.front()];
  }
}

void Densify(BinMinima& minima) {
  std::array<uint8_t, kBins> filled;
  std::array<uint8_t, kBins> empty;
  size_t filled_count = 0;
  size_t empty_count = 0;
  for (size_t i = 0; i < kBins; ++i) {
    if (minima[i] == kEmpty) {
      empty[empty_count++] = static_cast<uint8_t>(i);
    } else {
      filled[filled_count++] = static_cast<uint8_t>(i);
    }
  }
  if (empty_count == 0) return;
  if (filled_count <= kBins / 2) {
    FillFromFew(std::span(filled).first(filled_count), empty_count, minima);
    return;
  }
  const Rounds& rounds = DensificationRounds();
  const BinMinima original = minima;
  for (size_t k = 0; k < empty_count; ++k) {
    const size_t i = empty[k];
    for (size_t r = 0; r < Rounds::kCount && minima[i] == kEmpty; ++r) minima[i] = original[rounds.from[r][i]];
    if (minima[i] == kEmpty) minima[i] = original[filled[0]];
  }
}

uint64_t DrawBelow(std::mt19937& generator, uint64_t highest) {
  constexpr uint64_t kMask = (uint64_t{1} << 61) - 1;
  while (true) {
    const uint64_t high = generator();
    const uint64_t value = (high << 32 | generator()) & kMask;
    if (value <= highest) return value;
  }
}

}  // namespace

const DatatroveParameters& GetDatatroveParameters() {
  static const DatatroveParameters* const parameters = [] {
    constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
    auto* made = new DatatroveParameters;
    std::mt19937 generator(1);
    for (uint64_t& a : made->a) a = 1 + DrawBelow(generator, kPrime - 2);
    for (uint64_t& b : made->b) b = DrawBelow(generator, kPrime - 1);
    return made;
  }();
  return *parameters;
}

void DatatroveShingles(std::span<const std::string_view> words, std::string& joined, std::vector<uint64_t>& shingles) {
  shingles.clear();
  for (size_t first = 0; first + kShingleWords <= words.size(); ++first) {
    joined.clear();
    for (size_t i = first; i < first + kShingleWords; ++i) {
      if (i > first) joined += ' ';
      joined += words[i];
    }
    shingles.push_back(XXH64(joined.data(), joined.size(), 0));
  }
}

void DatatroveMinHash(std::span<const uint64_t> shingles, DatatroveMinima& minima) {
  if (shingles.empty()) {
    minima.fill(kEmpty);
    return;
  }
  const DatatroveParameters& parameters = GetDatatroveParameters();
  HWY_DYNAMIC_DISPATCH(DatatroveMinima64)
  (shingles.data(), shingles.size(), parameters.a.data(), parameters.b.data(), minima.data());
}

size_t HashWords(std::string_view text, size_t most, std::vector<uint64_t>& hashes) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end && hashes.size() < most) {
    const auto* space = static_cast<const char*>(std::memchr(at, ' ', static_cast<size_t>(end - at)));
    if (space == nullptr) space = end;
    hashes.push_back(XXH3_64bits(at, static_cast<size_t>(space - at)));
    at = std::min(space + 1, end);
  }
  return static_cast<size_t>(at - text.data());
}

OnePermutationHasher::OnePermutationHasher() { minima_.fill(kEmpty); }

void OnePermutationHasher::Update(std::span<const uint64_t> word_hashes) {
  constexpr uint64_t kOldest = Power(kMultiplier, kShingleWords);
  uint64_t polynomial = polynomial_;
  size_t slot = static_cast<size_t>(words_ % kShingleWords);
  uint64_t words = words_;
  for (const uint64_t word : word_hashes) {
    // The word that leaves; before there were five, zero.
    polynomial = polynomial * kMultiplier + word - kOldest * last_[slot];
    last_[slot] = word;
    slot = slot + 1 == kShingleWords ? 0 : slot + 1;
    if (++words < kShingleWords) continue;
    const uint64_t hash = Mix(polynomial);
    uint64_t& least = minima_[hash & (kBins - 1)];
    least = std::min(least, hash >> 7);
  }
  polynomial_ = polynomial;
  words_ = words;
}

bool OnePermutationHasher::Finish(BinMinima& minima) const {
  if (words_ < kShingleWords) return false;
  minima = minima_;
  Densify(minima);
  return true;
}

void MakeSketch(const BinMinima& minima, std::span<uint8_t, kSketchBytes> sketch) {
  // The minima are small numbers when there are many shingles: their low bits are as random as ever.
  for (size_t i = 0; i < kSketchBytes; ++i) {
    sketch[i] = static_cast<uint8_t>((minima[2 * i] & 15) | (minima[2 * i + 1] & 15) << 4);
  }
}

int EqualBins(const uint8_t* a, const uint8_t* b) {
  int unequal = 0;
  for (size_t i = 0; i < kSketchBytes; i += 8) {
    uint64_t x = 0;
    uint64_t y = 0;
    std::memcpy(&x, a + i, 8);
    std::memcpy(&y, b + i, 8);
    uint64_t differing = x ^ y;
    differing |= differing >> 2;
    differing |= differing >> 1;
    unequal += std::popcount(differing & 0x1111111111111111);
  }
  return static_cast<int>(kBins) - unequal;
}

int EqualBinsOf(double similarity) {
  const double equal = similarity + (1 - similarity) / 16;
  return static_cast<int>(std::lround(equal * static_cast<double>(kBins)));
}

}  // namespace rhodes
#endif  // HWY_ONCE
