#include "curate/fasttext_classifier.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "curate/fasttext_rows.h"
#include "curate/fasttext_tree.h"

namespace rhodes {
namespace {

constexpr uint32_t kNothing = UINT32_MAX;
constexpr std::string_view kLineEnd = "</s>";  // fastText's word for it
constexpr std::string_view kLabelPrefix = "__label__";
constexpr size_t kRowsAtOnce = 512;
// A quantised row becomes floats when those are at most so many times the bytes of its codes; then it is added as fast
// as in a model that is not quantised.
constexpr uint64_t kMostExpanded = 16;

// FNV-1a with bytes sign-extended, as fastText has it.
constexpr uint32_t kHashBegin = 2166136261U;
uint32_t HashByte(uint32_t hash, char byte) {
  return (hash ^ static_cast<uint32_t>(static_cast<int8_t>(byte))) * 16777619U;
}
uint32_t HashWord(std::string_view word) {
  uint32_t hash = kHashBegin;
  for (const char byte : word) hash = HashByte(hash, byte);
  return hash;
}

bool IsSeparator(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }

using MetWord = FastTextScratch::MetWord;
constexpr size_t kMetWordBits = 14;
constexpr size_t kMetWords = size_t{1} << kMetWordBits;
// The word and the n-grams of it with its two ends; or of a longer one those that begin at one place.
constexpr size_t kRowsOfAShortWord = 1 + (MetWord::kBytes + 2) * (MetWord::kBytes + 3) / 2;

// `word` has 1 to MetWord::kBytes bytes of a text that ends at `text_end`.
std::array<uint64_t, 3> KeyOf(std::string_view word, const char* text_end) {
  std::array<uint64_t, 3> key{};
  if (static_cast<size_t>(text_end - word.data()) < sizeof(key)) {
    std::memcpy(key.data(), word.data(), word.size());
  } else {
    std::memcpy(key.data(), word.data(), sizeof(key));
    for (size_t i = 0; i < key.size(); ++i) {
      const size_t left = word.size() - std::min(word.size(), 8 * i);
      if (left < 8) key[i] &= (uint64_t{1} << (8 * left)) - 1;
    }
  }
  key[2] |= uint64_t{word.size()} << 56;
  return key;
}

bool Same(const std::array<uint64_t, 3>& a, const std::array<uint64_t, 3>& b) {
  return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2])) == 0;
}

size_t SlotOf(const std::array<uint64_t, 3>& key) {
  const uint64_t mixed = (key[0] ^ std::rotl(key[1], 23) ^ std::rotl(key[2], 41)) * 0x9E3779B97F4A7C15;
  return mixed >> (64 - kMetWordBits);
}

uint64_t NextClassifier() {
  static std::atomic<uint64_t> last = 0;
  return ++last;
}

float LogOf(float x) { return static_cast<float>(std::log(x + 1e-5)); }

// x % divisor by multiplications (Lemire, Kaser and Kurz 2019).
class Modulo {
 public:
  explicit Modulo(uint32_t divisor) : divisor_(divisor), factor_(divisor <= 1 ? 0 : UINT64_MAX / divisor + 1) {}
  uint32_t Of(uint32_t x) const {
    const uint64_t low = factor_ * x;
    // The upper half of low * divisor_, which has 96 bits.
    return static_cast<uint32_t>(((low >> 32) * divisor_ + (((low & UINT32_MAX) * divisor_) >> 32)) >> 32);
  }

 private:
  uint64_t divisor_;
  uint64_t factor_;
};

// From bucket to row, of the n-grams that pruning left: open addressing, at most half full.
class KeptNgrams {
 public:
  explicit KeptNgrams(const std::vector<std::pair<uint32_t, uint32_t>>& kept)
      : slots_(std::bit_ceil(2 * kept.size() + 16), Slot{kNothing, kNothing}) {
    bits_.resize(slots_.size() / 16);  // 8 to 16 bits a kept n-gram
    for (const auto& [bucket, row] : kept) {
      slots_[Find(bucket)] = {bucket, row};
      const size_t bit = Begin(bucket, bits_.size() * 64);
      bits_[bit / 64] |= uint64_t{1} << (bit % 64);
    }
  }
  // 1, or surely not: 0. Far more n-grams are looked for than are there, and this is small enough to stay in the cache.
  size_t MayHave(uint32_t bucket) const {
    const size_t bit = Begin(bucket, bits_.size() * 64);
    return (bits_[bit / 64] >> (bit % 64)) & 1;
  }
  uint32_t RowOf(uint32_t bucket) const { return slots_[Find(bucket)].row; }

 private:
  struct Slot {
    uint32_t bucket;
    uint32_t row;
  };
  static size_t Begin(uint32_t bucket, size_t size) {
    return ((bucket * uint64_t{0x9E3779B97F4A7C15}) >> 32) & (size - 1);
  }
  // Where `bucket` is or would go. Buckets have 31 bits: never kNothing.
  size_t Find(uint32_t bucket) const {
    const size_t mask = slots_.size() - 1;
    size_t at = Begin(bucket, slots_.size());
    while (slots_[at].bucket != bucket && slots_[at].bucket != kNothing) at = (at + 1) & mask;
    return at;
  }
  std::vector<Slot> slots_;
  std::vector<uint64_t> bits_;
};

// The sigmoid in the steps of fastText's table.
class Sigmoid {
 public:
  Sigmoid() {
    for (size_t i = 0; i < values_.size(); ++i) {
      const float x = static_cast<float>(i * 2 * kLimit) / kSteps - kLimit;
      values_[i] = static_cast<float>(1.0 / (1.0 + static_cast<double>(std::exp(-x))));
    }
  }
  float Of(float x) const {
    if (x < -kLimit) return 0;
    if (!(x <= kLimit)) return 1;
    return values_[static_cast<size_t>((x + kLimit) * kSteps / kLimit / 2)];
  }

 private:
  static constexpr int kLimit = 8;
  static constexpr int kSteps = 512;
  std::array<float, kSteps + 1> values_{};
};

}  // namespace

// A file and what finds its parts.
class FastTextClassifier::Index {
 public:
  explicit Index(FastTextFile parsed) : file(std::move(parsed)), kept(file.kept_ngrams), modulo(file.bucket) {
    const FastTextMatrix& input = file.input;
    if (input.values == nullptr && input.columns * sizeof(float) <= kMostExpanded * input.sub_vectors) {
      file.input = input.Expanded();
    }
    if (file.loss == FastTextLoss::kHierarchicalSoftmax) {
      tree = FastTextTree::Make(file.label_counts);
    } else if (file.output.values != nullptr) {
      FastTextMatrix& output = file.output;
      blocked_output = hwy::AllocateAligned<float>(output.rows * output.columns);
      BlockFastTextRows(output.values.get(), output.rows, output.columns, blocked_output.get());
      output.values.reset();
    }
    const size_t count = file.name_ends.size();
    slots_.assign(std::bit_ceil(2 * count + 1), kNothing);
    hashes_.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      hashes_.push_back(HashWord(file.Name(i)));
      slots_[Find(file.Name(i), hashes_.back())] = static_cast<uint32_t>(i);
    }
  }
  // The number of a word or (behind the words) label; kNothing for others.
  uint32_t EntryOf(std::string_view name, uint32_t hash) const { return slots_[Find(name, hash)]; }

  const uint64_t id = NextClassifier();
  FastTextFile file;
  FastTextTree tree;
  hwy::AlignedFreeUniquePtr<float[]> blocked_output;  // in place of file.output's values where all labels are measured
  KeptNgrams kept;
  Modulo modulo;
  Sigmoid sigmoid;

 private:
  size_t Find(std::string_view name, uint32_t hash) const {
    const size_t mask = slots_.size() - 1;
    // fastText's hash is weak in its lower bits for words that end alike.
    size_t at = ((hash * uint64_t{0x9E3779B97F4A7C15}) >> 32) & mask;
    while (slots_[at] != kNothing && (hashes_[slots_[at]] != hash || file.Name(slots_[at]) != name)) {
      at = (at + 1) & mask;
    }
    return at;
  }
  std::vector<uint32_t> slots_;
  std::vector<uint32_t> hashes_;  // of each entry
};

namespace {

// The mean of the rows that a text leads to.
template <typename Index>
class Reader {
 public:
  Reader(const Index& index, FastTextScratch& scratch) : index_(index), file_(index.file), scratch_(scratch) {
    scratch.rows.resize(kRowsAtOnce + kRowsOfAShortWord);
    scratch.word_hashes.clear();
    if (scratch.met_by != index.id) Forget();
    scratch.met_by = index.id;
    scratch.hidden.assign(file_.dimension, 0.0F);
  }

  // Whether there was anything; then scratch.hidden has the mean.
  bool Read(std::string_view text) {
    bool ended = false;
    size_t at = 0;
    while (!ended) {
      while (at < text.size() && IsSeparator(text[at])) ++at;
      if (at == text.size()) break;
      size_t end = at + 1;
      while (end < text.size() && !IsSeparator(text[end])) ++end;
      word_bytes_ += end - at;
      const std::string_view word = text.substr(at, end - at);
      ended = word.size() <= MetWord::kBytes ? AddShortWord(word, text.data() + text.size()) : AddWord(word);
      FlushFull();
      at = end;
    }
    if (!ended) AddWord(kLineEnd);
    if (file_.word_ngrams > 1) AddWordNgrams();
    Flush();
    if (count_ == 0) return false;
    const auto factor = static_cast<float>(1.0 / static_cast<double>(count_));
    for (float& value : scratch_.hidden) value *= factor;
    return true;
  }

  uint64_t word_bytes() const { return word_bytes_; }

 private:
  void Forget() {
    scratch_.met_words.assign(kMetWords, {});
    scratch_.more_rows.resize(kMetWords * MetWord::kMoreRows);
  }

  // Whether the line ends here.
  bool AddShortWord(std::string_view word, const char* text_end) {
    const std::array<uint64_t, 3> key = KeyOf(word, text_end);
    const size_t slot = SlotOf(key);
    MetWord& met = scratch_.met_words[slot];
    uint32_t* const more = scratch_.more_rows.data() + slot * MetWord::kMoreRows;
    if (!Same(met.key, key)) {
      const size_t begin = filled_;
      const bool line_end = AddWord(word);
      if (!line_end) Remember(key, begin, met, more);
      return line_end;
    }
    uint32_t* const rows = scratch_.rows.data() + filled_;
    std::memcpy(rows, met.rows.data(), sizeof(met.rows));
    if (met.row_count > MetWord::kRows) std::memcpy(rows + MetWord::kRows, more, MetWord::kMoreRows * sizeof(*more));
    filled_ += met.row_count;
    if (file_.word_ngrams > 1 && !met.passed_over) scratch_.word_hashes.push_back(met.hash);
    return false;
  }

  // The word that was added last, whose rows are those from `begin` on.
  void Remember(const std::array<uint64_t, 3>& key, size_t begin, MetWord& met, uint32_t* more) const {
    const size_t count = filled_ - begin;
    if (count > MetWord::kRows + MetWord::kMoreRows) return;
    met.key = key;
    met.hash = hash_;
    met.passed_over = passed_over_;
    met.row_count = static_cast<uint16_t>(count);
    const uint32_t* const rows = scratch_.rows.data() + begin;
    std::copy_n(rows, std::min(count, MetWord::kRows), met.rows.data());
    if (count > MetWord::kRows) std::copy_n(rows + MetWord::kRows, count - MetWord::kRows, more);
  }

  // Whether the line ends here.
  bool AddWord(std::string_view word) {
    hash_ = HashWord(word);
    const uint32_t entry = index_.EntryOf(word, hash_);
    const bool known = entry != kNothing;
    passed_over_ = known ? entry >= file_.words : word.starts_with(kLabelPrefix);
    if (passed_over_) return false;
    const bool line_end = word == kLineEnd;
    if (known) Push(entry);
    if (file_.max_n > 0 && !line_end) AddCharacterNgrams(word);
    if (file_.word_ngrams > 1) scratch_.word_hashes.push_back(hash_);
    return line_end;
  }

  void AddCharacterNgrams(std::string_view token) {
    std::string& word = scratch_.word;
    word.assign(1, '<');
    word += token;
    word += '>';
    size_t begin = filled_;
    for (size_t i = 0; i < word.size(); ++i) {
      if (IsUtf8Continuation(word[i])) continue;
      uint32_t hash = kHashBegin;
      size_t j = i;
      for (uint32_t n = 1; n <= file_.max_n && j < word.size(); ++n) {
        do {
          hash = HashByte(hash, word[j++]);
        } while (j < word.size() && IsUtf8Continuation(word[j]));
        const bool edge_alone = n == 1 && (i == 0 || j == word.size());
        if (n >= file_.min_n && !edge_alone) PushNgram(index_.modulo.Of(hash));
      }
      if (token.size() > MetWord::kBytes && filled_ >= kRowsAtOnce) {
        FindRows(begin);
        FlushFull();
        begin = filled_;
      }
    }
    FindRows(begin);
  }

  void AddWordNgrams() {
    const std::vector<uint32_t>& hashes = scratch_.word_hashes;
    const auto widened = [&](size_t i) { return static_cast<uint64_t>(static_cast<int32_t>(hashes[i])); };
    for (size_t i = 0; i < hashes.size(); ++i) {
      const size_t begin = filled_;
      uint64_t hash = widened(i);
      for (size_t j = i + 1; j < hashes.size() && j < i + file_.word_ngrams; ++j) {
        hash = hash * 116049371 + widened(j);
        PushNgram(static_cast<uint32_t>(hash % file_.bucket));
      }
      FindRows(begin);
      FlushFull();
    }
  }

  void PushNgram(uint32_t bucket) {
    // No branch: whether an n-gram is known cannot be foreseen.
    scratch_.rows[filled_] = bucket;
    filled_ += file_.pruned ? index_.kept.MayHave(bucket) : 1;
  }
  // From buckets to rows, from `begin` on.
  void FindRows(size_t begin) {
    uint32_t* const rows = scratch_.rows.data();
    size_t found = begin;
    for (size_t i = begin; i < filled_; ++i) {
      const uint32_t row = file_.pruned ? index_.kept.RowOf(rows[i]) : rows[i];
      rows[found] = file_.words + row;
      found += row != kNothing ? 1 : 0;
    }
    filled_ = found;
  }
  // There is room for kRowsOfAShortWord after each FlushFull().
  void Push(uint32_t row) { scratch_.rows[filled_++] = row; }
  void FlushFull() {
    if (filled_ >= kRowsAtOnce) Flush();
  }
  void Flush() {
    if (file_.input.values != nullptr) {
      AddFastTextRows(file_.input.values.get(), file_.dimension, scratch_.rows.data(), filled_, scratch_.hidden.data());
    } else {
      for (size_t i = 0; i < filled_; ++i) file_.input.AddRow(scratch_.rows[i], scratch_.hidden.data());
    }
    count_ += filled_;
    filled_ = 0;
  }

  const Index& index_;
  const FastTextFile& file_;
  FastTextScratch& scratch_;
  size_t filled_ = 0;  // of scratch_.rows
  uint64_t count_ = 0;
  uint32_t hash_ = 0;  // of the last word
  bool passed_over_ = false;
  uint64_t word_bytes_ = 0;
};

// Takes labels with the logarithms of their probabilities. What is not better than the best so far need not be looked
// at when only the best is wanted.
class Labels {
 public:
  explicit Labels(std::vector<float>* probabilities) : probabilities_(probabilities) {}
  bool Wants(float score) const { return probabilities_ != nullptr || label_ == kNothing || score >= score_; }
  void Take(uint32_t label, float score) {
    if (probabilities_ != nullptr) (*probabilities_)[label] = std::exp(score);
    if (label_ != kNothing && !(score >= score_)) return;
    label_ = label;
    score_ = score;
  }
  void StoreIn(FastTextGuess& guess) const {
    const float probability = std::exp(score_);
    if (label_ == kNothing || !std::isfinite(probability)) return;
    guess.label = label_;
    guess.probability = probability;
  }

 private:
  std::vector<float>* probabilities_;
  uint32_t label_ = kNothing;
  float score_ = 0;
};

void WalkTree(const FastTextFile& file, const FastTextTree& tree, FastTextScratch& scratch, Labels& labels) {
  const float least = LogOf(0);
  std::vector<FastTextScratch::Branch>& branches = scratch.branches;
  branches.assign(1, {static_cast<uint32_t>(tree.nodes.size() - 1), 0.0F});
  while (!branches.empty()) {
    const auto [node, score] = branches.back();
    branches.pop_back();
    if (score < least || !labels.Wants(score)) continue;
    const FastTextTree::Node& inner = tree.nodes[node];
    if (inner.left == FastTextTree::kLeaf) {
      labels.Take(node, score);
      continue;
    }
    const float dot = file.output.Dot(node - file.labels, scratch.hidden.data());
    const auto right = static_cast<float>(1.0 / static_cast<double>(1.0F + std::exp(-dot)));
    branches.push_back({inner.right, score + LogOf(right)});
    branches.push_back({inner.left, score + LogOf(static_cast<float>(1.0 - static_cast<double>(right)))});
  }
}

void Softmax(std::vector<float>& output) {
  const float greatest = *std::max_element(output.begin(), output.end());
  float sum = 0;
  for (float& value : output) {
    value = std::exp(value - greatest);
    sum += value;
  }
  for (float& value : output) value /= sum;
}

}  // namespace

FastTextGuess FastTextClassifier::Classify(std::string_view text, FastTextScratch& scratch,
                                           std::vector<float>* probabilities) const {
  const FastTextFile& file = index_->file;
  if (probabilities != nullptr) probabilities->assign(file.labels, 0.0F);
  FastTextGuess guess;
  Reader reader(*index_, scratch);
  const bool any = reader.Read(text);
  guess.word_bytes = reader.word_bytes();
  if (!any) return guess;
  Labels labels(probabilities);
  if (file.loss == FastTextLoss::kHierarchicalSoftmax) {
    WalkTree(file, index_->tree, scratch, labels);
  } else {
    scratch.output.resize(file.labels);
    if (index_->blocked_output != nullptr) {
      MultiplyFastTextRows(index_->blocked_output.get(), file.labels, file.dimension, scratch.hidden.data(),
                           scratch.output.data());
    } else {
      for (uint32_t i = 0; i < file.labels; ++i) scratch.output[i] = file.output.Dot(i, scratch.hidden.data());
    }
    if (file.loss == FastTextLoss::kSoftmax) {
      Softmax(scratch.output);
    } else {
      for (float& value : scratch.output) value = index_->sigmoid.Of(value);
    }
    for (uint32_t i = 0; i < file.labels; ++i) labels.Take(i, LogOf(scratch.output[i]));
  }
  labels.StoreIn(guess);
  return guess;
}

FastTextGuess FastTextClassifier::Best(std::string_view text, FastTextScratch& scratch) const {
  return Classify(text, scratch, nullptr);
}

FastTextGuess FastTextClassifier::All(std::string_view text, FastTextScratch& scratch,
                                      std::vector<float>& probabilities) const {
  return Classify(text, scratch, &probabilities);
}

uint32_t FastTextClassifier::label_count() const { return index_->file.labels; }
std::string_view FastTextClassifier::label(uint32_t i) const { return index_->file.Name(index_->file.words + i); }

absl::StatusOr<FastTextClassifier> FastTextClassifier::Parse(std::string_view bytes, std::string_view name) {
  ASSIGN_OR_RETURN(FastTextFile file, ParseFastText(bytes, name));
  return FastTextClassifier(std::make_unique<const Index>(std::move(file)));
}

FastTextClassifier::FastTextClassifier(std::unique_ptr<const Index> index) : index_(std::move(index)) {}
FastTextClassifier::FastTextClassifier(FastTextClassifier&&) noexcept = default;
FastTextClassifier& FastTextClassifier::operator=(FastTextClassifier&&) noexcept = default;
FastTextClassifier::~FastTextClassifier() = default;

}  // namespace rhodes
