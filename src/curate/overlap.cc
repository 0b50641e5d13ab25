#include "curate/overlap.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/byte_size.h"
#include "base/text.h"
#include "curate/matching_text.h"

namespace rhodes {
namespace {

constexpr uint64_t kBase = 0x9E3779B97F4A7C15;  // odd, so that no word's part of a hash is lost
constexpr size_t kBatch = OverlapWordScanner::kBatch;
constexpr size_t kPassageBytes = 400;
constexpr uint64_t kItemBytes = 16;

// The finalizer of MurmurHash3 (A. Appleby), a bijection of 64 bits.
uint64_t Mix(uint64_t x) {
  x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD;
  x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53;
  return x ^ x >> 33;
}

uint64_t Power(uint64_t base, uint64_t exponent) {
  uint64_t power = 1;
  for (uint64_t i = 0; i < exponent; ++i) power *= base;
  return power;
}

// XXH64 is spread evenly over all its bits, but the reference's users may compare them: they are kept as they are.
uint64_t ReferenceHash(std::string_view ngram) { return XXH64(ngram.data(), ngram.size(), 0); }

// Puts the reference's words of `text` into scratch.joined and scratch.begins. In pieces of which each has fewer words
// than WordSplitter analyses, unless millions follow each other without a space.
void SplitForReference(std::string_view text, WordRules rules, OverlapScratch& scratch) {
  constexpr size_t kPiece = size_t{1} << 20;
  SimplifyText(text, scratch.simplified);
  scratch.joined.clear();
  scratch.begins.clear();
  std::string_view rest = scratch.simplified;
  while (!rest.empty()) {
    const size_t end = rest.size() <= kPiece ? rest.size() : std::min(rest.find(' ', kPiece), rest.size());
    const std::string_view piece = rest.substr(0, end);
    rest.remove_prefix(end);
    scratch.splitter.Split(piece, rules, scratch.words);
    for (const Words::Place& place : scratch.words.places) {
      scratch.begins.push_back(scratch.joined.size());
      scratch.joined.append(piece.substr(place.begin, place.end - place.begin));
      scratch.joined += ' ';
    }
  }
  scratch.begins.push_back(scratch.joined.size());
}

}  // namespace

std::vector<std::string> OverlapPaths(const OverlapSettings& settings) {
  std::vector<std::string> paths;
  for (const std::string& set : settings.sets) paths.push_back(ParseEvaluationSetPath(set).path);
  return paths;
}

OverlapIndex::OverlapIndex(const OverlapSettings& settings, OverlapReference reference, uint64_t memory_bytes)
    : settings_(settings),
      reference_(reference),
      words_(settings.words != 0 ? settings.words
             : reference.on      ? 12
                                 : 13),
      power_(Power(kBase, words_)),
      memory_bytes_(memory_bytes),
      ngrams_(memory_bytes - memory_bytes / 8) {}

absl::StatusOr<std::shared_ptr<const OverlapIndex>> OverlapIndex::Load(const OverlapSettings& settings,
                                                                       OverlapReference reference,
                                                                       uint64_t memory_bytes) {
  if (settings.words > OverlapSettings::kMostWords) {
    return UsageError(
        fmt::format("setting overlap.words: at most {}, not {}", OverlapSettings::kMostWords, settings.words));
  }
  if (reference.on && settings.cut) {
    return UsageError("setting overlap.cut: datatrove drops documents whole; use it without the compatibility");
  }
  if (settings.sets.empty()) {
    return UsageError("rule overlap: no evaluation set is named; give overlap=FILE or overlap=NAME:PATH");
  }
  ASSIGN_OR_RETURN(const std::vector<EvaluationSet> sets, FindEvaluationSets(settings.sets));
  std::shared_ptr<OverlapIndex> index(new OverlapIndex(settings, reference, memory_bytes));
  EvaluationReadOptions options;
  options.max_json_bytes = std::clamp<uint64_t>(memory_bytes / 8, uint64_t{1} << 20, uint64_t{1} << 30);
  options.fields.texts = settings.fields;
  if (reference.on) {  // its documents: the text is the answer, the query stands in the metadata
    if (settings.fields.empty()) options.fields.texts = {"text"};
    options.fields.queries = settings.query;
    if (settings.query.empty()) options.fields.queries = {"query", "metadata.query"};
  }
  OverlapScratch scratch;
  for (const EvaluationSet& set : sets) RETURN_IF_ERROR(index->Read(set, options, scratch));
  index->ngrams_.Build();
  index->CountNgrams();
  if (index->ngrams_.size() == 0) {
    return UsageError(
        fmt::format("rule overlap: no evaluation set has a text of {} words; name other files or fields "
                    "(overlap.fields), or lower overlap.words",
                    index->words_));
  }
  return std::shared_ptr<const OverlapIndex>(std::move(index));
}

absl::Status OverlapIndex::Read(const EvaluationSet& set, const EvaluationReadOptions& options,
                                OverlapScratch& scratch) {
  SetCounts& counts = sets_.emplace_back();
  counts.name = set.name;
  counts.files = set.files;
  counts.first_item = items();
  return ReadEvaluationSet(set, options, [&](const EvaluationItem& item) { return AddItem(item, scratch); });
}

absl::Status OverlapIndex::AddItem(const EvaluationItem& item, OverlapScratch& scratch) {
  const auto number = static_cast<uint32_t>(items());
  files_.push_back(static_cast<uint32_t>(item.file));
  lines_.push_back(static_cast<uint32_t>(std::min<uint64_t>(item.line, UINT32_MAX)));
  ids_ += item.id;
  id_ends_.push_back(ids_.size());
  SetCounts& counts = sets_.back();
  ++counts.items;
  bool any = false;
  if (reference_.on) {
    any = AddReferenceTexts(item, number, scratch);
  } else {
    for (const std::string_view text : item.texts) any = AddText(text, number, scratch) || any;
  }
  counts.items_too_short += any ? 0 : 1;
  const uint64_t held = kItemBytes * items() + ids_.size();
  // Vectors that grow take twice what they hold.
  if (full_ || 2 * held > memory_bytes_ / 8 || items() >= NgramIndex::kMostPairs) return DoNotFit();
  return absl::OkStatus();
}

absl::Status OverlapIndex::DoNotFit() const {
  const SetCounts& set = sets_.back();
  return absl::ResourceExhaustedError(fmt::format(
      "rule overlap: the n-grams of the evaluation sets do not fit into {}, a quarter of the memory: at item "
      "{} of the set {}, with {} pairs of an n-gram and an item; give more memory (--memory), look at fewer "
      "fields (overlap.fields), or name fewer sets and run once for each part of them",
      FormatByteSize(memory_bytes_), set.items, set.name, ngrams_.size()));
}

bool OverlapIndex::AddText(std::string_view text, uint32_t item, OverlapScratch& scratch) {
  bool any = false;
  ForEachNgram(text, scratch, [&](const NgramBatch& batch) {
    any = any || batch.count > 0;
    for (size_t i = 0; i < batch.count && !full_; ++i) full_ = !ngrams_.Add(batch.hash[i], item);
  });
  return any;
}

// As NGramsDecontIndexer.compute_hashes().
bool OverlapIndex::AddReferenceTexts(const EvaluationItem& item, uint32_t number, OverlapScratch& scratch) {
  bool any = false;
  std::vector<std::string> tail;  // of the query: as many words as can stand in an n-gram with one of the text
  const auto word = [&](size_t i) {
    return scratch.joined.substr(scratch.begins[i], scratch.begins[i + 1] - 1 - scratch.begins[i]);
  };
  if (!item.queries.empty()) {
    if (settings_.query_ngrams) any = AddText(item.queries.front(), number, scratch);
    SplitForReference(item.queries.front(), reference_.rules, scratch);
    const size_t count = scratch.begins.size() - 1;
    for (size_t i = count - std::min<size_t>(count, words_ - 1); i < count; ++i) tail.push_back(word(i));
  }
  for (const std::string_view text : item.texts) {
    any = AddText(text, number, scratch) || any;
    if (item.queries.empty() || !settings_.joined_ngrams) continue;
    std::vector<std::string> across = tail;
    const size_t count = scratch.begins.size() - 1;
    for (size_t i = 0; i < std::min<size_t>(count, words_ - 1); ++i) across.push_back(word(i));
    any = AddWords(across, number) || any;
  }
  return any;
}

bool OverlapIndex::AddWords(const std::vector<std::string>& words, uint32_t item) {
  std::string ngram;
  for (size_t i = 0; i + words_ <= words.size(); ++i) {
    ngram = words[i];
    for (size_t next = i + 1; next < i + words_; ++next) ngram += " " + words[next];
    if (!full_) full_ = !ngrams_.Add(ReferenceHash(ngram), item);
  }
  return words.size() >= words_;
}

// Different n-grams of each set; and the order in which the reference goes through them: that of their files' names, of
// which the last holds an n-gram that several have.
void OverlapIndex::CountNgrams() {
  for (uint64_t place = 0; place < ngrams_.size();) {
    uint64_t run_end = place;
    ForEachSet(place, [&](uint32_t set, uint64_t, uint64_t end) {
      ++sets_[set].ngrams;
      run_end = end;
    });
    place = run_end;
  }
  std::vector<uint32_t> order(sets_.size());
  std::iota(order.begin(), order.end(), 0);
  const auto file_name = [&](uint32_t set) { return sets_[set].name + ".index.hashes"; };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return file_name(a) < file_name(b); });
  ranks_.resize(order.size());
  for (uint32_t rank = 0; rank < order.size(); ++rank) ranks_[order[rank]] = rank;
}

template <typename Take>
void OverlapIndex::ForEachSet(uint64_t place, Take take) const {
  const uint64_t hash = ngrams_[place].hash();
  while (place < ngrams_.size() && ngrams_[place].hash() == hash) {
    const uint32_t set = SetOf(ngrams_[place].item);
    const uint64_t behind = sets_[set].first_item + sets_[set].items;
    // Most runs are of one pair; of long ones the end is found by doubling steps.
    uint64_t step = 1;
    uint64_t end = place + 1;
    const auto is_of_set = [&](uint64_t at) {
      return at < ngrams_.size() && ngrams_[at].hash() == hash && ngrams_[at].item < behind;
    };
    while (is_of_set(end)) {
      while (is_of_set(end + step)) step *= 2;
      end += std::max<uint64_t>(step / 2, 1);
      step = 1;
    }
    take(set, place, end);
    place = end;
  }
}

uint32_t OverlapIndex::SetOf(uint64_t item) const {
  const auto behind = std::upper_bound(sets_.begin(), sets_.end(), item,
                                       [](uint64_t one, const SetCounts& set) { return one < set.first_item; });
  return static_cast<uint32_t>(behind - sets_.begin() - 1);
}

OverlapIndex::Item OverlapIndex::ItemOf(uint64_t item) const {
  Item named;
  named.set = SetOf(item);
  const SetCounts& set = sets_[named.set];
  named.item = item - set.first_item;
  named.file = set.files[files_[item]];
  named.line = lines_[item];
  const uint64_t begin = item == 0 ? 0 : id_ends_[item - 1];
  named.id = std::string_view(ids_).substr(begin, id_ends_[item] - begin);
  return named;
}

// A rolling polynomial over the words' hashes.
template <typename Take>
void OverlapIndex::ForEachNgram(std::string_view text, OverlapScratch& scratch, Take take) const {
  if (reference_.on) {
    SplitForReference(text, reference_.rules, scratch);
    ForEachReferenceNgram(scratch, take);
    return;
  }
  if (scratch.scanner == nullptr || scratch.scanner->history() != words_) {
    scratch.scanner = std::make_unique<OverlapWordScanner>(words_);
  }
  uint64_t words = 0;
  uint64_t rolling = 0;
  std::array<uint64_t, kBatch> hashes;
  scratch.scanner->Scan(text, [&](const OverlapWordBatch& batch) {
    const auto back = static_cast<ptrdiff_t>(words_);
    for (size_t i = 0; i < batch.count; ++i) {
      rolling = rolling * kBase + batch.hash[i] - power_ * batch.hash[static_cast<ptrdiff_t>(i) - back];
      hashes[i] = Mix(rolling);
    }
    // The first n-gram ends with the text's n-th word.
    const uint64_t first = words + 1 >= words_ ? 0 : words_ - 1 - words;
    words += batch.count;
    if (first >= batch.count) return;
    take(NgramBatch{batch.count - first, hashes.data() + first, batch.begin + first - (words_ - 1), batch.end + first});
  });
}

template <typename Take>
void OverlapIndex::ForEachReferenceNgram(OverlapScratch& scratch, Take take) const {
  std::array<uint64_t, kBatch> hashes;
  std::array<size_t, kBatch> ends;
  const std::vector<size_t>& begins = scratch.begins;
  for (size_t i = 0; i + words_ < begins.size();) {
    const size_t count = std::min<size_t>(kBatch, begins.size() - words_ - i);
    for (size_t k = 0; k < count; ++k) {
      ends[k] = begins[i + k + words_] - 1;
      hashes[k] = ReferenceHash(std::string_view(scratch.joined).substr(begins[i + k], ends[k] - begins[i + k]));
    }
    take(NgramBatch{count, hashes.data(), begins.data() + i, ends.data()});
    i += count;
  }
}

void OverlapIndex::Find(std::string_view text, bool passages, OverlapScratch& scratch, OverlapResult& result) const {
  result = {};
  scratch.seen.clear();
  std::array<uint32_t, kBatch> candidates;
  ForEachNgram(text, scratch, [&](const NgramBatch& batch) {
    result.ngrams += batch.count;
    size_t count = 0;
    for (size_t i = 0; i < batch.count; ++i) {
      candidates[count] = static_cast<uint32_t>(i);
      count += ngrams_.MayHave(batch.hash[i]) ? 1 : 0;
    }
    for (size_t k = 0; k < count; ++k) {
      const size_t i = candidates[k];
      const uint64_t place = ngrams_.Find(batch.hash[i]);
      if (place == ngrams_.size()) continue;
      const OverlapScratch::Seen first{0, scratch.seen.size(), batch.begin[i], batch.end[i]};
      ++scratch.seen.try_emplace(place, first).first->second.count;
      if (!passages) continue;
      if (result.passages.empty() || batch.begin[i] > result.passages.back().second) {
        result.passages.emplace_back(batch.begin[i], batch.end[i]);
      } else {
        result.passages.back().second = batch.end[i];
      }
    }
  });
  if (!scratch.seen.empty()) Collect(text, scratch, result);
}

// From n-grams to sets and items.
void OverlapIndex::Collect(std::string_view text, OverlapScratch& scratch, OverlapResult& result) const {
  using Seen = std::pair<uint64_t, OverlapScratch::Seen>;
  std::vector<Seen> seen(scratch.seen.begin(), scratch.seen.end());
  std::sort(seen.begin(), seen.end(), [](const Seen& a, const Seen& b) { return a.first < b.first; });
  struct OfSet {
    OverlapFound found;
    const OverlapScratch::Seen* first = nullptr;
  };
  std::vector<OfSet> of_sets(sets_.size());
  absl::flat_hash_map<uint32_t, uint64_t> items;
  for (const Seen& one : seen) {
    const OverlapScratch::Seen& ngram = one.second;
    ForEachSet(one.first, [&](uint32_t set, uint64_t begin, uint64_t end) {
      OfSet& of_set = of_sets[set];
      of_set.found.ngrams += ngram.count;
      of_set.found.places.push_back(static_cast<uint32_t>(begin));
      if (of_set.first == nullptr || ngram.order < of_set.first->order) of_set.first = &ngram;
      for (uint64_t at = begin; at < std::min(end, begin + kMostItems); ++at) items[ngrams_[at].item] += ngram.count;
    });
  }
  std::vector<std::pair<uint64_t, uint64_t>> best(sets_.size());  // n-grams, item
  for (const auto& [item, count] : items) {
    auto& [most, of_item] = best[SetOf(item)];
    if (count > most || (count == most && item < of_item)) {
      most = count;
      of_item = item;
    }
  }
  const std::string_view place_of_passages = reference_.on ? std::string_view(scratch.joined) : text;
  const OverlapScratch::Seen* first = nullptr;
  for (uint32_t set = 0; set < of_sets.size(); ++set) {
    OfSet& of_set = of_sets[set];
    if (of_set.first == nullptr) continue;
    of_set.found.set = set;
    of_set.found.item = best[set].second - sets_[set].first_item;
    const size_t begin = of_set.first->begin;
    of_set.found.passage = Utf8Prefix(place_of_passages.substr(begin, of_set.first->end - begin), kPassageBytes);
    const bool same = first == of_set.first;
    if (first == nullptr || of_set.first->order < first->order ||
        (same && reference_.on && ranks_[set] > ranks_[result.found[result.first].set])) {
      first = of_set.first;
      result.first = result.found.size();
    }
    result.found.push_back(std::move(of_set.found));
  }
}

}  // namespace rhodes
