#include "trace/suffix_array.h"

#include <algorithm>

namespace rhodes {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr size_t kAhead = 32;  // suffixes between asking for memory and using it

// One level of SA-IS. Types: a suffix is S when it is smaller than the one after it, else L; a leftmost S (LMS)
// position is an S after an L. The end of the text counts as the smallest suffix and is not stored.
class Level {
 public:
  Level(std::span<const uint32_t> text, uint32_t alphabet)
      : text_(text), size_(text.size()), is_s_(text.size()), order_(text.size()) {
    for (size_t i = size_ - 1; i-- > 0;) {
      is_s_[i] = text_[i] == text_[i + 1] ? is_s_[i + 1] : text_[i] < text_[i + 1];
    }
    // Where the L and the S suffixes of each token begin in the order.
    l_begin_.assign(alphabet + 1, 0);
    s_begin_.assign(alphabet + 1, 0);
    for (size_t i = 0; i < size_; ++i) {
      if (is_s_[i]) {
        ++l_begin_[text_[i] + 1];
      } else {
        ++s_begin_[text_[i]];
      }
    }
    for (uint32_t token = 0; token <= alphabet; ++token) {
      s_begin_[token] += l_begin_[token];
      if (token < alphabet) l_begin_[token + 1] += s_begin_[token];
    }
  }

  std::vector<uint32_t> Sort() {
    std::vector<uint32_t> lms;
    for (size_t i = 1; i < size_; ++i) {
      if (IsLms(i)) lms.push_back(static_cast<uint32_t>(i));
    }
    Induce(lms);
    if (lms.size() > 1) {
      SortLms(lms);
      Induce(lms);
    }
    return std::move(order_);
  }

 private:
  bool IsLms(size_t i) const { return i > 0 && is_s_[i] && !is_s_[i - 1]; }

  // Given LMS positions in their order, fills the order of all suffixes; given them in any order, sorts at least the
  // LMS substrings.
  void Induce(const std::vector<uint32_t>& lms) {
    std::fill(order_.begin(), order_.end(), kNone);
    std::vector<uint32_t> next(s_begin_);
    for (const uint32_t position : lms) order_[next[text_[position]]++] = position;
    // The type of the suffix before one follows from their first tokens, which
    // lie side by side: one cache miss a suffix, and that one asked for ahead
    // (1.25 times as fast as looking into is_s_, 20 M tokens).
    next = l_begin_;
    order_[next[text_[size_ - 1]]++] = static_cast<uint32_t>(size_ - 1);
    for (size_t i = 0; i < size_; ++i) {
      if (i + kAhead < size_) Prefetch(order_[i + kAhead]);
      const uint32_t position = order_[i];
      if (position == kNone || position == 0) continue;
      // What is in place so far is L or LMS, so that an equal token before it
      // is an L.
      const uint32_t before = text_[position - 1];
      if (before >= text_[position]) order_[next[before]++] = position - 1;
    }
    // S suffixes from the back of each token's bucket, which ends where the next token's L suffixes begin.
    next = l_begin_;
    for (size_t i = size_; i-- > 0;) {
      if (i >= kAhead) Prefetch(order_[i - kAhead]);
      const uint32_t position = order_[i];
      if (position == kNone || position == 0) continue;
      const uint32_t before = text_[position - 1];
      const uint32_t token = text_[position];
      if (before < token || (before == token && i >= s_begin_[token])) order_[--next[before + 1]] = position - 1;
    }
  }

  void Prefetch(uint32_t position) const {
    if (position != kNone && position > 0) __builtin_prefetch(&text_[position - 1]);
  }

  // Replaces `lms` by the same positions in the order of their suffixes: names the sorted LMS substrings and sorts the
  // sequence of names, by recursion where two substrings are equal.
  void SortLms(std::vector<uint32_t>& lms) const {
    std::vector<uint32_t> sorted;
    sorted.reserve(lms.size());
    for (const uint32_t position : order_) {
      if (IsLms(position)) sorted.push_back(position);
    }
    // Two LMS positions are never neighbours, so half of a position is a number of its own.
    std::vector<uint32_t> name_at(size_ / 2 + 1, kNone);
    uint32_t name = 0;
    name_at[sorted[0] / 2] = 0;
    for (size_t i = 1; i < sorted.size(); ++i) {
      if (!SameSubstring(sorted[i - 1], sorted[i])) ++name;
      name_at[sorted[i] / 2] = name;
    }
    if (name + 1 == sorted.size()) {
      lms = std::move(sorted);
      return;
    }
    std::vector<uint32_t> names(lms.size());
    for (size_t i = 0; i < lms.size(); ++i) names[i] = name_at[lms[i] / 2];
    name_at = {};
    const std::vector<uint32_t> order = Level(names, name + 1).Sort();
    for (size_t i = 0; i < lms.size(); ++i) sorted[i] = lms[order[i]];
    lms = std::move(sorted);
  }

  // Whether the substrings from `a` and `b` to the next LMS position are equal.
  bool SameSubstring(size_t a, size_t b) const {
    for (size_t i = 0;; ++i) {
      if (a + i >= size_ || b + i >= size_) return false;  // one of them ends with the text: unique
      const bool end = i > 0 && IsLms(a + i);
      if (text_[a + i] != text_[b + i] || is_s_[a + i] != is_s_[b + i] || end != (i > 0 && IsLms(b + i))) return false;
      if (end) return true;
    }
  }

  const std::span<const uint32_t> text_;
  const size_t size_;
  std::vector<bool> is_s_;
  std::vector<uint32_t> l_begin_;
  std::vector<uint32_t> s_begin_;
  std::vector<uint32_t> order_;
};

}  // namespace

absl::StatusOr<std::vector<uint32_t>> BuildSuffixArray(std::span<const uint32_t> text, uint32_t alphabet) {
  if (text.size() >= (uint64_t{1} << 31)) {
    return absl::InvalidArgumentError(
        fmt::format("suffix array: {} tokens are more than 2^31 - 1; cut them into segments", text.size()));
  }
  for (const uint32_t token : text) {
    if (token >= alphabet)
      return absl::InvalidArgumentError(fmt::format("suffix array: token {} is not below {}", token, alphabet));
  }
  if (text.empty()) return std::vector<uint32_t>();
  return Level(text, alphabet).Sort();
}

}  // namespace rhodes
