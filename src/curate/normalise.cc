#include "curate/normalise.h"

#include <simdjson.h>
#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

// What a byte asks for on the way through the text.
enum class ByteKind : uint8_t { kPlain, kBlank, kLineEnd, kControl, kHigh };

constexpr std::array<ByteKind, 256> MakeByteKinds() {
  std::array<ByteKind, 256> kinds{};
  for (size_t i = 0; i < 256; ++i) {
    kinds[i] = i >= 0x80 ? ByteKind::kHigh : i < 0x20 || i == 0x7F ? ByteKind::kControl : ByteKind::kPlain;
  }
  kinds[' '] = ByteKind::kBlank;
  kinds['\t'] = ByteKind::kBlank;
  kinds['\n'] = ByteKind::kLineEnd;
  return kinds;
}
constexpr std::array<ByteKind, 256> kByteKinds = MakeByteKinds();

ByteKind KindOf(char c) { return kByteKinds[static_cast<uint8_t>(c)]; }

// Whether the layout (controls, line ends, blanks) is as it should be.
bool LayoutIsNormal(std::string_view text) {
  size_t line_ends = 2;  // as if blank lines stood before the text: it may not begin with one
  bool blank = false;
  for (const char c : text) {
    switch (KindOf(c)) {
      case ByteKind::kPlain:
      case ByteKind::kHigh:
        line_ends = 0;
        blank = false;
        break;
      case ByteKind::kBlank:
        blank = true;
        break;
      case ByteKind::kLineEnd:
        if (blank || ++line_ends > 2) return false;
        break;
      case ByteKind::kControl:
        return false;
    }
  }
  return line_ends == 0 && !blank;
}

// The code points above U+007F that Normalise() takes away or turns into a line end.
enum class Fate { kKeep, kRemove, kLineEnd, kArabicLetter };

Fate FateOf(char32_t c) {
  if (c < 0xA0) return c == 0x85 ? Fate::kLineEnd : Fate::kRemove;
  if (c < 0xFB50) return Fate::kKeep;
  if (c == 0xFEFF || (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF)) return Fate::kRemove;
  if (c <= 0xFBFF || (c >= 0xFE80 && c <= 0xFEFC)) return Fate::kArabicLetter;
  return Fate::kKeep;
}

// Lead bytes of what FateOf() does not keep: U+0080-9F (C2), U+FB50.. (EF AC..) and the noncharacters of the upper
// planes (F0-F4). All others are copied without a look.
bool MayChange(uint8_t lead) { return lead == 0xC2 || lead >= 0xEF; }

const icu::Normalizer2& Nfc() {
  UErrorCode error = U_ZERO_ERROR;
  static const icu::Normalizer2* const nfc = icu::Normalizer2::getNFCInstance(error);
  return *nfc;
}

// The letter or lam-alef that a presentation form is a shape of; false for ligatures of other letters and for words.
bool AppendArabicLetters(char32_t c, std::string& out) {
  const int type = u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_DECOMPOSITION_TYPE);
  if (type != U_DT_INITIAL && type != U_DT_MEDIAL && type != U_DT_FINAL && type != U_DT_ISOLATED) return false;
  UErrorCode error = U_ZERO_ERROR;
  static const icu::Normalizer2* const nfkc = icu::Normalizer2::getNFKCInstance(error);
  icu::UnicodeString letters;
  if (!nfkc->getRawDecomposition(static_cast<UChar32>(c), letters)) return false;
  const bool lam_alef = c >= 0xFEF5 && c <= 0xFEFC;
  if (letters.countChar32() != 1 && !lam_alef) return false;
  letters.toUTF8String(out);
  return true;
}

// Copies `line` without its controls, its line ends set apart, then closes the line: trailing blanks off, blank lines
// counted.
class Layout {
 public:
  Layout(const NormaliseSettings& settings, NormaliseCounts& counts, size_t size, std::vector<size_t>* marks)
      : settings_(settings), counts_(counts), marks_(marks) {
    out_.reserve(size);
  }

  void Append(std::string_view text) {
    size_t at = 0;
    while (at < text.size()) {
      const size_t run = PlainRun(text, at);
      if (marks_ != nullptr) MoveMarks(at, at + run);
      out_.append(text, at, run);
      at += run;
      if (at >= text.size()) break;
      special_begin_ = out_.size();
      const size_t next = Special(text, at);
      while (marks_ != nullptr && moved_ < marks_->size() && (*marks_)[moved_] < next) {
        (*marks_)[moved_++] = special_begin_;
      }
      at = next;
    }
    while (marks_ != nullptr && moved_ < marks_->size()) (*marks_)[moved_++] = out_.size();
  }

  std::string Finish() {
    EndLine();
    while (!out_.empty() && out_.back() == '\n') out_.pop_back();
    ClampMarks();
    return std::move(out_);
  }

 private:
  static size_t PlainRun(std::string_view text, size_t at) {
    size_t end = at;
    while (end < text.size()) {
      const ByteKind kind = KindOf(text[end]);
      if (kind == ByteKind::kLineEnd || kind == ByteKind::kControl) break;
      if (kind == ByteKind::kHigh && MayChange(static_cast<uint8_t>(text[end]))) break;
      ++end;
    }
    return end - at;
  }

  // The places in [begin, end), which is copied as it is.
  void MoveMarks(size_t begin, size_t end) {
    for (; moved_ < marks_->size() && (*marks_)[moved_] < end; ++moved_) {
      (*marks_)[moved_] += out_.size() - begin;
    }
  }
  // Blanks or line ends that were the end of the text were taken off.
  void ClampMarks() {
    if (marks_ == nullptr) return;
    for (size_t i = moved_; i > 0 && (*marks_)[i - 1] > out_.size(); --i) (*marks_)[i - 1] = out_.size();
  }

  // Handles the one code point (or CR LF) at `at`; returns where to go on.
  size_t Special(std::string_view text, size_t at) {
    const size_t begin = at;
    const char32_t c = DecodeUtf8(text, &at);
    if (c == '\n' || c == '\f' || c == '\v') {
      EndLine();
    } else if (c == '\r') {
      if (at >= text.size() || text[at] != '\n') EndLine();  // of CR LF, the LF ends the line
    } else if (c < 0x80) {
      ++counts_.control_characters;
    } else {
      switch (FateOf(c)) {
        case Fate::kLineEnd:
          EndLine();
          break;
        case Fate::kRemove:
          ++counts_.control_characters;
          break;
        case Fate::kArabicLetter:
          if (settings_.arabic_letters && AppendArabicLetters(c, out_)) break;
          [[fallthrough]];
        case Fate::kKeep:
          out_.append(text, begin, at - begin);
      }
    }
    return at;
  }

  void EndLine() {
    while (!out_.empty() && (out_.back() == ' ' || out_.back() == '\t')) out_.pop_back();
    ClampMarks();
    special_begin_ = std::min(special_begin_, out_.size());
    const size_t size = out_.size();
    if (size == 0 || (size >= 2 && out_[size - 1] == '\n' && out_[size - 2] == '\n')) return;
    out_.push_back('\n');
  }

  const NormaliseSettings& settings_;
  NormaliseCounts& counts_;
  std::vector<size_t>* const marks_;
  size_t moved_ = 0;          // marks that are offsets of out_ by now
  size_t special_begin_ = 0;  // where in out_ the character at hand begins
  std::string out_;
};

constexpr size_t kMarkRun = 64;

// Where the place `at` of `text` is in `composed`. ICU tells which stretches changed, with letters at their ends that
// did not; within one, a place is found by what is the same before or behind it, else it is the stretch's end.
size_t ComposedPlace(std::string_view text, size_t at, std::string_view composed, icu::Edits::Iterator& edit) {
  UErrorCode error = U_ZERO_ERROR;
  if (!edit.findSourceIndex(static_cast<int32_t>(at), error)) return composed.size();
  const auto from = static_cast<size_t>(edit.sourceIndex());
  const auto to = static_cast<size_t>(edit.destinationIndex());
  const size_t inside = at - from;
  if (edit.hasChange() == 0) return to + inside;
  const std::string_view old = text.substr(from, static_cast<size_t>(edit.oldLength()));
  const std::string_view now = composed.substr(to, static_cast<size_t>(edit.newLength()));
  if (now.starts_with(old.substr(0, inside))) return to + inside;
  const size_t behind = old.size() - inside;
  return to + (now.ends_with(old.substr(inside)) ? now.size() - behind : now.size());
}

// NFC of `text`, cut before the 65th of a run of code points with a combining class: ICU orders such a run by
// insertion, which is quadratic (1 MB of two alternating marks took minutes).
std::string ComposePieces(std::string_view text, std::vector<size_t>* marks) {
  std::string out;
  out.reserve(text.size());
  icu::StringByteSink<std::string> sink(&out);
  UErrorCode error = U_ZERO_ERROR;
  icu::Edits edits;
  size_t moved = 0;
  const auto compose = [&](size_t begin, size_t end) {
    const size_t written = out.size();
    Nfc().normalizeUTF8(0, icu::StringPiece(text.data() + begin, static_cast<int32_t>(end - begin)), sink,
                        marks == nullptr ? nullptr : &edits, error);
    if (marks == nullptr) return;
    icu::Edits::Iterator edit = edits.getFineIterator();
    for (; moved < marks->size() && (*marks)[moved] < end; ++moved) {
      (*marks)[moved] = written + ComposedPlace(text.substr(begin, end - begin), (*marks)[moved] - begin,
                                                std::string_view(out).substr(written), edit);
    }
  };
  constexpr size_t kPiece = size_t{1} << 28;  // ICU counts in int32
  size_t begin = 0;
  size_t run = 0;  // of combining marks
  for (size_t at = 0; at < text.size();) {
    const size_t character = at;
    const char32_t c = DecodeUtf8(text, &at);
    if (c < 0x300) {
      run = 0;
      if (c == '\n' && at - begin > kPiece) {
        compose(begin, character);
        begin = character;
      }
      continue;
    }
    run = u_getCombiningClass(static_cast<UChar32>(c)) == 0 ? 0 : run + 1;
    if (run <= kMarkRun && at - begin <= kPiece) continue;
    compose(begin, character);
    begin = character;
    run = 1;
  }
  compose(begin, text.size());
  while (marks != nullptr && moved < marks->size()) (*marks)[moved++] = out.size();
  return out;
}

bool HasLongMarkRun(std::string_view text) {
  const CharacterClasses& classes = CharacterClasses::Get();
  size_t marks = 0;
  for (size_t at = 0; at < text.size();) {
    marks = classes.Of(DecodeUtf8(text, &at)) == CharacterClass::kMark ? marks + 1 : 0;
    if (marks > kMarkRun) return true;
  }
  return false;
}

// Whether `text` is in NFC for certain. The check of a long run of marks is as quadratic as its composition.
bool IsComposed(std::string_view text) {
  if (text.size() > (size_t{1} << 28) || HasLongMarkRun(text)) return false;
  UErrorCode error = U_ZERO_ERROR;
  return Nfc().isNormalizedUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), error) != 0;
}

// Whether a code point below U+0300 is the highest: then the text is in NFC (all of Latin-1 and its extensions are).
// Leads C2..CB are U+0080..02FF. A maximum, not a search: the compiler makes vector instructions of it.
bool IsPlainLatin(std::string_view text) {
  uint8_t highest = 0;
  for (const char c : text) highest = std::max(highest, static_cast<uint8_t>(c));
  return highest < 0xCC;
}

bool HasChangeable(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (!MayChange(static_cast<uint8_t>(text[at]))) continue;
    size_t next = at;
    const char32_t c = DecodeUtf8(text, &next);
    if (c >= 0x80 && FateOf(c) != Fate::kKeep) return true;
    at = next - 1;
  }
  return false;
}

}  // namespace

void NormaliseCounts::Add(const NormaliseCounts& other) {
  changed += other.changed;
  invalid_utf8 += other.invalid_utf8;
  invalid_sequences += other.invalid_sequences;
  control_characters += other.control_characters;
}

namespace {

// `at`, or the lead byte before it that may have it in its sequence.
size_t SequenceBegin(std::string_view text, size_t at) {
  const auto byte = [&](size_t place) { return static_cast<uint8_t>(text[place]); };
  if (at >= text.size() || (byte(at) & 0xC0) != 0x80) return at;
  for (size_t back = 1; back <= std::min<size_t>(3, at); ++back) {
    const uint8_t lead = byte(at - back);
    if (lead < 0x80) return at;
    if (lead >= 0xC0) return (lead >= 0xF0 ? 4U : lead >= 0xE0 ? 3U : 2U) > back ? at - back : at;
  }
  return at;
}

// Where `marks` lie once each invalid sequence is U+FFFD. Cut where no sequence goes on, the pieces are repaired as the
// whole is.
void MoveMarksThroughRepair(std::string_view text, std::vector<size_t>& marks) {
  size_t from = 0;
  size_t to = 0;
  for (size_t& mark : marks) {
    const size_t place = std::max(from, SequenceBegin(text, std::min(mark, text.size())));
    to += ReplaceInvalidUtf8(text.substr(from, place - from)).size();
    from = place;
    mark = to;
  }
}

}  // namespace

void RepairUtf8(std::string& text, NormaliseCounts& counts, std::vector<size_t>* marks) {
  if (simdjson::validate_utf8(text.data(), text.size())) return;
  if (marks != nullptr) MoveMarksThroughRepair(text, *marks);
  const auto replacements = [](std::string_view bytes) {
    uint64_t count = 0;
    for (size_t at = bytes.find("\xEF\xBF\xBD"); at != std::string_view::npos;
         at = bytes.find("\xEF\xBF\xBD", at + 3)) {
      ++count;
    }
    return count;
  };
  std::string repaired = ReplaceInvalidUtf8(text);
  ++counts.invalid_utf8;
  counts.invalid_sequences += replacements(repaired) - replacements(text);
  text = std::move(repaired);
}

std::string Normalise(std::string_view text, const NormaliseSettings& settings, NormaliseCounts& counts,
                      std::vector<size_t>* marks) {
  for (size_t i = 0; marks != nullptr && i < marks->size(); ++i) {
    size_t& mark = (*marks)[i];
    mark = std::min(mark, text.size());
    while (mark > 0 && mark < text.size() && (static_cast<uint8_t>(text[mark]) & 0xC0) == 0x80) --mark;
  }
  std::string result;
  if (LayoutIsNormal(text) && !HasChangeable(text)) {
    result = std::string(text);
  } else {
    Layout layout(settings, counts, text.size(), marks);
    layout.Append(text);
    result = layout.Finish();
  }
  // Composition comes last: it neither makes nor needs control characters, and presentation forms are letters by now.
  if (!IsPlainLatin(result) && !IsComposed(result)) result = ComposePieces(result, marks);
  if (result != text) ++counts.changed;
  return result;
}

}  // namespace rhodes
