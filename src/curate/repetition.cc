#include "curate/repetition.h"

#include <algorithm>
#include <bit>

#include "base/hash.h"
#include "curate/lines.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

constexpr std::array<std::string_view, 3> kTop = {"top_2_gram", "top_3_gram", "top_4_gram"};
constexpr std::array<std::string_view, 6> kDuplicated = {"duplicated_5_n_grams", "duplicated_6_n_grams",
                                                         "duplicated_7_n_grams", "duplicated_8_n_grams",
                                                         "duplicated_9_n_grams", "duplicated_10_n_grams"};

double Share(uint64_t part, uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

// One document's pass. The table is open addressing over 64-bit hashes at places that the seed decides: two elements
// that differ are taken for one with a chance of 2^-64 a pair.
class RepetitionMeasurer {
 public:
  RepetitionMeasurer(uint64_t seed, RepetitionScratch& scratch) : multiplier_(seed | 1), scratch_(scratch) {}

  struct Duplicates {
    double of_pieces = 0;
    double of_characters = 0;
  };

  // Pieces of `text` between runs of at least `separator` line ends; `code_points`: those of the whole document.
  Duplicates DuplicatePieces(std::string_view text, size_t separator, uint64_t code_points) {
    std::vector<uint64_t>& hashes = scratch_.hashes_;
    std::vector<std::string_view>& pieces = scratch_.pieces_;
    hashes.clear();
    pieces.clear();
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
      hashes.push_back(Fingerprint(piece));
      pieces.push_back(piece);
      if (line_end == std::string_view::npos) break;
      begin = search = next;
      if (hashes.size() == Words::kAnalysed) {
        code_points = CodePoints(text.substr(0, begin));
        break;
      }
    }
    if (hashes.size() == 1) return {};
    Reset(hashes.size());
    uint64_t duplicates = 0;
    uint64_t characters = 0;
    for (size_t i = 0; i < hashes.size(); ++i) {
      Slot& slot = scratch_.slots_[Find(hashes[i], 0)];
      if (slot.count > 0) {
        ++duplicates;
        characters += CodePoints(pieces[i]);
      }
      slot.count = 1;
    }
    return {Share(duplicates, hashes.size()), Share(characters, code_points)};
  }

  // Begins to look at the n-grams of `words`, which must stay: first the pairs.
  void BeginNgrams(const Words& words) {
    words_ = &words;
    n_ = 2;
    const std::vector<uint64_t>& hashes = words.hashes;
    std::vector<RepetitionScratch::Candidate>& candidates = scratch_.candidates_;
    const size_t pairs = hashes.size() < 2 ? 0 : hashes.size() - 1;
    candidates.resize(pairs);
    Reset(pairs);
    for (size_t i = 0; i < pairs; ++i) {
      const uint64_t hash = Grown(hashes[i], hashes[i + 1]);
      const auto word = static_cast<uint32_t>(i);
      candidates[i] = {hash, word, CountIn(hash, word)};
    }
  }

  // Goes on to n-grams of one word more. Those of which the shorter ones occur once occur once, too, so only the others
  // are looked at: in most texts, few.
  void Grow() {
    std::vector<RepetitionScratch::Candidate>& candidates = scratch_.candidates_;
    const std::vector<uint64_t>& hashes = words_->hashes;
    size_t kept = 0;
    for (const RepetitionScratch::Candidate& candidate : candidates) {
      if (scratch_.slots_[candidate.slot].count > 1 && candidate.word + n_ < hashes.size()) {
        candidates[kept++] = {Grown(candidate.hash, hashes[candidate.word + n_]), candidate.word, 0};
      }
    }
    candidates.resize(kept);
    ++n_;
    Reset(kept);
    for (RepetitionScratch::Candidate& candidate : candidates) candidate.slot = CountIn(candidate.hash, candidate.word);
  }

  // The share of the most frequent n-gram; of several, the one that came first.
  double Top(uint64_t min_count) const {
    if (words_->hashes.size() < n_) return 0;
    uint64_t count = 1;
    size_t first = 0;
    for (const RepetitionScratch::Candidate& candidate : scratch_.candidates_) {
      const Slot& slot = scratch_.slots_[candidate.slot];
      if (slot.count > count || (slot.count == count && slot.first < first)) {
        count = slot.count;
        first = slot.first;
      }
    }
    if (count < min_count) return 0;
    // The reference joins the words with one space for this measure.
    return Share(count * (Characters(first) + n_ - 1), words_->analysed_code_points);
  }

  // The share of the n-grams that came before; after one the search goes on behind it.
  double Duplicated() {
    uint64_t characters = 0;
    size_t next = 0;
    for (const RepetitionScratch::Candidate& candidate : scratch_.candidates_) {
      Slot& slot = scratch_.slots_[candidate.slot];
      if (slot.count < 2 || candidate.word < next) continue;
      if ((slot.first & kSeen) != 0) {
        characters += Characters(candidate.word);
        next = candidate.word + n_;
      } else {
        slot.first |= kSeen;
      }
    }
    return Share(characters, words_->analysed_code_points);
  }

 private:
  using Slot = RepetitionScratch::Slot;
  static constexpr uint32_t kSeen = 1u << 31;  // words are fewer

  static size_t EndOfRun(std::string_view text, size_t at) {
    return std::min(text.find_first_not_of('\n', at), text.size());
  }

  static uint64_t Grown(uint64_t hash, uint64_t word) { return (hash ^ hash >> 29) * 0x9E3779B97F4A7C15u + word; }

  // Empties the table for up to `elements`.
  void Reset(size_t elements) {
    const size_t size = std::bit_ceil(std::max<size_t>(16, 2 * elements));
    if (scratch_.slots_.size() < size) scratch_.slots_.resize(size);
    std::fill_n(scratch_.slots_.begin(), size, Slot{0, 0, 0});
    mask_ = size - 1;
    shift_ = 64 - std::bit_width(mask_);
  }

  // The slot of `hash`; with count 0 it was not there and is now, first seen at `first`.
  size_t Find(uint64_t hash, uint32_t first) {
    for (size_t at = ((hash ^ hash >> 31) * multiplier_) >> shift_;; at = (at + 1) & mask_) {
      Slot& slot = scratch_.slots_[at];
      if (slot.count == 0) {
        slot.hash = hash;
        slot.first = first;
        return at;
      }
      if (slot.hash == hash) return at;
    }
  }
  uint32_t CountIn(uint64_t hash, uint32_t first) {
    const size_t at = Find(hash, first);
    ++scratch_.slots_[at].count;
    return static_cast<uint32_t>(at);
  }

  // Code points of the n words from `word` on, without what stands between them.
  uint64_t Characters(size_t word) const { return words_->begins[word + n_] - words_->begins[word]; }

  uint64_t multiplier_;
  RepetitionScratch& scratch_;
  const Words* words_ = nullptr;
  size_t n_ = 0;
  size_t mask_ = 0;
  int shift_ = 0;
};

RepetitionSettings ReferenceRepetition() {
  RepetitionSettings settings;
  settings.min_top_ngram_count = 1;
  return settings;
}

RepetitionMeasures MeasureRepetition(std::string_view text, const Words& words, uint64_t seed,
                                     uint64_t min_top_ngram_count, RepetitionScratch& scratch) {
  RepetitionMeasurer measurer(seed, scratch);
  RepetitionMeasures measures;
  const auto paragraphs = measurer.DuplicatePieces(StripWhiteSpace(text), 2, words.code_points);
  measures.duplicate_paragraphs = paragraphs.of_pieces;
  measures.duplicate_paragraph_characters = paragraphs.of_characters;
  const auto lines = measurer.DuplicatePieces(text, 1, words.code_points);
  measures.duplicate_lines = lines.of_pieces;
  measures.duplicate_line_characters = lines.of_characters;
  measurer.BeginNgrams(words);
  for (size_t i = 0; i < kTop.size(); ++i) {
    measures.top_ngram[i] = measurer.Top(min_top_ngram_count);
    measurer.Grow();
  }
  for (size_t i = 0; i < kDuplicated.size(); ++i) {
    measures.duplicate_ngrams[i] = measurer.Duplicated();
    measurer.Grow();
  }
  return measures;
}

void JudgeRepetition(std::string_view text, uint64_t code_points, const std::function<const Words&()>& words,
                     uint64_t seed, const RepetitionSettings& settings, RepetitionScratch& scratch,
                     Findings& findings) {
  RepetitionMeasurer measurer(seed, scratch);
  const auto above = [&](std::string_view reason, double value, double threshold) {
    return threshold != 0 && findings.Above(reason, value, threshold);
  };
  if (settings.max_duplicate_paragraphs != 0 || settings.max_duplicate_paragraph_characters != 0) {
    const auto paragraphs = measurer.DuplicatePieces(StripWhiteSpace(text), 2, code_points);
    if (above("dup_para_frac", paragraphs.of_pieces, settings.max_duplicate_paragraphs)) return;
    if (above("dup_para_char_frac", paragraphs.of_characters, settings.max_duplicate_paragraph_characters)) return;
  }
  if (settings.max_duplicate_lines != 0 || settings.max_duplicate_line_characters != 0) {
    const auto lines = measurer.DuplicatePieces(text, 1, code_points);
    if (above("dup_line_frac", lines.of_pieces, settings.max_duplicate_lines)) return;
    if (above("dup_line_char_frac", lines.of_characters, settings.max_duplicate_line_characters)) return;
  }
  measurer.BeginNgrams(words());
  for (size_t i = 0; i < kTop.size(); ++i) {
    if (findings.Above(kTop[i], measurer.Top(settings.min_top_ngram_count), settings.max_top_ngram[i])) return;
    measurer.Grow();
  }
  for (size_t i = 0; i < kDuplicated.size(); ++i) {
    if (findings.Above(kDuplicated[i], measurer.Duplicated(), settings.max_duplicate_ngrams[i])) return;
    measurer.Grow();
  }
}

}  // namespace rhodes
