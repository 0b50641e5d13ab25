#include "curate/substring_cut.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Whether the character that begins at `at` belongs to a word of a script with blanks between words.
bool IsWordAt(std::string_view text, size_t at) {
  const auto lead = static_cast<uint8_t>(text[at]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0 || length > text.size() - at) return false;
  for (size_t i = 1; i < length; ++i) {
    if (!IsUtf8Continuation(text[at + i])) return false;
  }
  const CharacterClass kind = CharacterClasses::Get().Of(DecodeUtf8(text, &at));
  return kind == CharacterClass::kLetter || kind == CharacterClass::kDigit || kind == CharacterClass::kMark;
}

bool EndsInWord(std::string_view text) {
  size_t at = text.size();
  while (at > 0 && text.size() - at < 4) {
    if (!IsUtf8Continuation(text[--at])) return IsWordAt(text, at);
  }
  return false;
}

// Signs that stand close behind a word, or close before one, in most languages.
constexpr std::array<std::string_view, 16> kClosing = {".", ",", ";", ":", "!", "?", ")", "]",
                                                       "}", "،", "؛", "؟", "۔", "»", "”", "%"};
constexpr std::array<std::string_view, 5> kOpening = {"(", "[", "{", "«", "“"};

bool BeginsClosing(std::string_view text) {
  return std::any_of(kClosing.begin(), kClosing.end(), [&](std::string_view sign) { return text.starts_with(sign); });
}

bool EndsOpening(std::string_view text) {
  return std::any_of(kOpening.begin(), kOpening.end(), [&](std::string_view sign) { return text.ends_with(sign); });
}

// Appends pieces of a text that were apart.
class Joiner {
 public:
  Joiner(std::string_view text, std::vector<size_t>* marks) : text_(text), marks_(marks) { out_.reserve(text.size()); }

  // Takes text_[begin, end), which lies behind a cut unless `begin` is 0, and before one unless it ends the text.
  void Append(size_t begin, size_t end) {
    if (begin > 0) begin = Join(begin, end);
    MoveMarks(begin, out_.size());  // of what was cut: the join
    const size_t shift = out_.size();
    if (marks_ != nullptr) {
      for (; moved_ < marks_->size() && (*marks_)[moved_] < end; ++moved_) {
        (*marks_)[moved_] = (*marks_)[moved_] - begin + shift;
      }
    }
    out_.append(text_, begin, end - begin);
  }

  std::string Finish(bool cut_at_end) {
    if (cut_at_end) Trim();
    if (marks_ != nullptr) {
      while (moved_ < marks_->size()) (*marks_)[moved_++] = out_.size();
    }
    return std::move(out_);
  }

 private:
  void MoveMarks(size_t before, size_t to) {
    if (marks_ == nullptr) return;
    while (moved_ < marks_->size() && (*marks_)[moved_] < before) (*marks_)[moved_++] = to;
  }

  void Trim() { Shorten(out_.size() - BlanksAtEnd()); }

  size_t BlanksAtEnd() const {
    size_t count = 0;
    while (count < out_.size() && IsBlank(out_[out_.size() - 1 - count])) ++count;
    return count;
  }

  void Shorten(size_t size) {
    out_.resize(size);
    if (marks_ == nullptr) return;
    for (size_t i = moved_; i-- > 0 && (*marks_)[i] > size;) (*marks_)[i] = size;
  }

  // Settles the white space between what there is and text_[begin, end); returns where to go on.
  size_t Join(size_t begin, size_t end) {
    size_t after = begin;
    while (after < end && IsBlank(text_[after])) ++after;
    const size_t before = BlanksAtEnd();
    if (before == out_.size()) {  // nothing but blanks so far
      Shorten(0);
      return after;
    }
    const std::string_view blanks = std::string_view(out_).substr(out_.size() - before);
    const std::string_view more = text_.substr(begin, after - begin);
    const auto line_ends = [](std::string_view run) { return std::count(run.begin(), run.end(), '\n'); };
    if (more.empty() && blanks.empty()) {
      if (after < end && EndsInWord(out_) && IsWordAt(text_, after)) out_ += ' ';
      return begin;
    }
    if (blanks.empty()) return EndsOpening(out_) ? after : begin;
    if (more.empty()) {
      if (BeginsClosing(text_.substr(begin, end - begin))) Shorten(out_.size() - before);
      return begin;
    }
    if (line_ends(more) > line_ends(blanks)) {
      Shorten(out_.size() - before);
      return begin;
    }
    return after;
  }

  std::string_view text_;
  std::vector<size_t>* marks_;
  std::string out_;
  size_t moved_ = 0;  // marks before it are offsets into out_
};

}  // namespace

std::string CutSubstrings(std::string_view text, std::span<const SubstringCut> cuts, std::vector<size_t>* marks) {
  if (cuts.empty()) return std::string(text);
  Joiner joiner(text, marks);
  size_t at = 0;
  for (const SubstringCut& cut : cuts) {
    joiner.Append(at, cut.begin);
    at = cut.end;
  }
  joiner.Append(at, text.size());
  return joiner.Finish(std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), IsBlank));
}

}  // namespace rhodes
