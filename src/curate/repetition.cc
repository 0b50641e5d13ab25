#include "curate/repetition.h"

#include <algorithm>
#include <bit>

#include "base/hash.h"
#include "base/text.h"
#include "curate/unicode_class.h"

namespace rhodes {

// One document's pass. The table is open addressing over seeded 64-bit hashes: two elements that differ are taken for
// one with a chance of 2^-64 a pair, and the seed depends on the text, so nobody can write one that collides.
class RepetitionMeasurer {
 public:
  RepetitionMeasurer(std::string_view text, const Words& words, uint64_t seed, RepetitionScratch& scratch)
      : text_(text), words_(words), seed_(seed), scratch_(scratch) {}

  RepetitionMeasures Run(uint64_t min_top_ngram_count) {
    RepetitionMeasures measures;
    const Share paragraphs = DuplicatePieces(Trim(text_), 2);
    measures.duplicate_paragraphs = paragraphs.of_pieces;
    measures.duplicate_paragraph_characters = paragraphs.of_characters;
    const Share lines = DuplicatePieces(text_, 1);
    measures.duplicate_lines = lines.of_pieces;
    measures.duplicate_line_characters = lines.of_characters;
    MeasureNgrams(min_top_ngram_count, measures);
    return measures;
  }

 private:
  using Slot = RepetitionScratch::Slot;
  struct Share {
    double of_pieces = 0;
    double of_characters = 0;
  };

  // Empties the table for up to `elements`.
  void Reset(size_t elements) {
    const size_t size = std::bit_ceil(std::max<size_t>(16, 2 * elements));
    if (scratch_.slots_.size() < size) scratch_.slots_.resize(size);
    std::fill_n(scratch_.slots_.begin(), size, Slot{0, 0, 0});
    mask_ = size - 1;
  }

  // The slot of `hash`; count 0: it was not there and is now, first seen at `first`.
  Slot& Find(uint64_t hash, uint32_t first) {
    for (size_t at = (hash ^ hash >> 32) & mask_;; at = (at + 1) & mask_) {
      Slot& slot = scratch_.slots_[at];
      if (slot.count == 0) {
        slot.hash = hash;
        slot.first = first;
        return slot;
      }
      if (slot.hash == hash) return slot;
    }
  }

  // Pieces of `text` between runs of at least `separator` line ends.
  Share DuplicatePieces(std::string_view text, size_t separator) {
    hashes_.clear();
    pieces_.clear();
    size_t begin = 0;
    size_t search = 0;
    while (true) {
      const size_t line_end = text.find('\n', search);
      const size_t next = line_end == std::string_view::npos ? text.size() : EndOfRun(text, line_end);
      if (line_end != std::string_view::npos && next - line_end < separator) {
        search = next;
        continue;
      }
      const std::string_view piece = text.substr(begin, std::min(line_end, text.size()) - begin);
      hashes_.push_back(Fingerprint(piece, seed_));
      pieces_.push_back(piece);
      if (line_end == std::string_view::npos) break;
      begin = search = next;
      if (hashes_.size() == Words::kAnalysed) break;
    }
    const uint64_t analysed =
        hashes_.size() == Words::kAnalysed ? CodePoints(text.substr(0, begin)) : words_.code_points;
    Reset(hashes_.size());
    uint64_t pieces = 0;
    uint64_t characters = 0;
    for (size_t i = 0; i < hashes_.size(); ++i) {
      Slot& slot = Find(hashes_[i], 0);
      if (slot.count > 0) {
        ++pieces;
        characters += CodePoints(pieces_[i]);
      }
      slot.count = 1;
    }
    return {static_cast<double>(pieces) / static_cast<double>(hashes_.size()), OfText(characters, analysed)};
  }

  static size_t EndOfRun(std::string_view text, size_t at) {
    return std::min(text.find_first_not_of('\n', at), text.size());
  }

  static double OfText(uint64_t characters, uint64_t all) {
    return all == 0 ? 0 : static_cast<double>(characters) / static_cast<double>(all);
  }

  // Code points of `n` words from `i` on, without what stands between them.
  uint64_t Characters(size_t i, size_t n) const { return words_.begins[i + n] - words_.begins[i]; }

  // The n-gram hashes grow in place from n-1 to n: one multiplication a word.
  void Grow(size_t n) {
    std::vector<uint64_t>& ngrams = scratch_.ngrams_;
    ngrams.resize(words_.hashes.size() - n + 1);
    for (size_t i = 0; i < ngrams.size(); ++i) {
      const uint64_t mixed = ngrams[i] * 0x9E3779B97F4A7C15u;
      ngrams[i] = (mixed ^ mixed >> 29) + words_.hashes[i + n - 1];
    }
  }

  void MeasureNgrams(uint64_t min_top_ngram_count, RepetitionMeasures& measures) {
    const size_t count = words_.hashes.size();
    scratch_.ngrams_.assign(words_.hashes.begin(), words_.hashes.end());
    // Once no n-gram occurs twice, no longer one does: most documents end early here. The reference counts a top n-gram
    // that occurs once, too, so with a count of 1 the lengths go on being measured.
    bool repeats = true;
    for (size_t n = 2; n <= 10 && n <= count; ++n) {
      Grow(n);
      if (n <= 4) {
        const Top top = repeats || min_top_ngram_count <= 1 ? TopNgram() : Top{};
        repeats = top.count > 1;
        if (top.count >= min_top_ngram_count) {
          // The reference joins the words with one space for this measure.
          measures.top_ngram[n - 2] =
              OfText(top.count * (Characters(top.first, n) + n - 1), words_.analysed_code_points);
        }
      } else if (repeats) {
        const uint64_t characters = DuplicateNgrams(n);
        repeats = characters > 0;
        measures.duplicate_ngrams[n - 5] = OfText(characters, words_.analysed_code_points);
      }
    }
  }

  struct Top {
    uint64_t count = 0;
    size_t first = 0;
  };
  // The most frequent n-gram; of several, the one that came first.
  Top TopNgram() {
    const std::vector<uint64_t>& ngrams = scratch_.ngrams_;
    Reset(ngrams.size());
    Top top;
    for (size_t i = 0; i < ngrams.size(); ++i) {
      Slot& slot = Find(ngrams[i], static_cast<uint32_t>(i));
      ++slot.count;
      if (slot.count > top.count || (slot.count == top.count && slot.first < top.first)) top = {slot.count, slot.first};
    }
    return top;
  }

  // Code points of the n-grams that came before; after one the search goes on behind it.
  uint64_t DuplicateNgrams(size_t n) {
    const std::vector<uint64_t>& ngrams = scratch_.ngrams_;
    Reset(ngrams.size());
    uint64_t characters = 0;
    for (size_t i = 0; i < ngrams.size();) {
      Slot& slot = Find(ngrams[i], 0);
      if (slot.count > 0) {
        characters += Characters(i, n);
        i += n;
      } else {
        slot.count = 1;
        ++i;
      }
    }
    return characters;
  }

  std::string_view text_;
  const Words& words_;
  uint64_t seed_;
  RepetitionScratch& scratch_;
  size_t mask_ = 0;
  std::vector<uint64_t> hashes_;
  std::vector<std::string_view> pieces_;
};

RepetitionMeasures MeasureRepetition(std::string_view text, const Words& words, uint64_t seed,
                                     uint64_t min_top_ngram_count, RepetitionScratch& scratch) {
  return RepetitionMeasurer(text, words, seed, scratch).Run(min_top_ngram_count);
}

Verdict JudgeRepetition(const RepetitionMeasures& measures, const RepetitionSettings& settings) {
  constexpr std::array<std::string_view, 3> kTop = {"top_2_gram", "top_3_gram", "top_4_gram"};
  constexpr std::array<std::string_view, 6> kDuplicated = {"duplicated_5_n_grams", "duplicated_6_n_grams",
                                                           "duplicated_7_n_grams", "duplicated_8_n_grams",
                                                           "duplicated_9_n_grams", "duplicated_10_n_grams"};
  const auto drop = [](std::string_view reason) { return Verdict{"repetition", reason, {}}; };
  if (measures.duplicate_paragraphs > settings.max_duplicate_paragraphs) return drop("dup_para_frac");
  if (measures.duplicate_paragraph_characters > settings.max_duplicate_paragraph_characters) {
    return drop("dup_para_char_frac");
  }
  if (measures.duplicate_lines > settings.max_duplicate_lines) return drop("dup_line_frac");
  if (measures.duplicate_line_characters > settings.max_duplicate_line_characters) return drop("dup_line_char_frac");
  for (size_t i = 0; i < kTop.size(); ++i) {
    if (measures.top_ngram[i] > settings.max_top_ngram[i]) return drop(kTop[i]);
  }
  for (size_t i = 0; i < kDuplicated.size(); ++i) {
    if (measures.duplicate_ngrams[i] > settings.max_duplicate_ngrams[i]) return drop(kDuplicated[i]);
  }
  return {};
}

}  // namespace rhodes
