#include "curate/matching_text.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "curate/unicode_class.h"

namespace rhodes {
namespace {

void AppendUtf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  char bytes[4];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, static_cast<UChar32>(c));
  out.append(bytes, static_cast<size_t>(length));
}

const icu::Normalizer2& Nfd() {
  UErrorCode error = U_ZERO_ERROR;
  static const icu::Normalizer2* const nfd = icu::Normalizer2::getNFDInstance(error);
  return *nfd;
}

const icu::Normalizer2& Nfkd() {
  UErrorCode error = U_ZERO_ERROR;
  static const icu::Normalizer2* const nfkd = icu::Normalizer2::getNFKDInstance(error);
  return *nfkd;
}

// --- The reference's form ---

constexpr std::u32string_view kPunctuation =
    U"!/\u2014\u201D:\uFF05\uFF11\u3008&(\u3001\u2501\\\u3010#%\u300C\u300D\uFF0C\u3011\uFF1B+^]~\u201C\u300A\u201E';"
    U"\u2019{|\u2236\u00B4[=-`*\uFF0E\uFF08\u2013\uFF1F\uFF01\uFF1A$\uFF5E\u00AB\u3009,><\u300B)?\uFF09\u3002\u2026@_."
    U"\"}\u25BA\u00BB";

// The 129 characters that become a space; none lies above the Basic Multilingual Plane.
const std::vector<bool>& PunctuationTable() {
  static const std::vector<bool>* const table = [] {
    auto* made = new std::vector<bool>(0x10000, false);
    for (const char32_t c : kPunctuation) (*made)[c] = true;
    for (char32_t c = 0; c < 32; ++c) (*made)[c] = c != 9 && c != 10;
    for (char32_t c = 127; c < 160; ++c) (*made)[c] = true;
    return made;
  }();
  return *table;
}

bool IsDecimalDigit(char32_t c) {
  return c < 0x80 ? c >= '0' && c <= '9' : u_charType(static_cast<UChar32>(c)) == U_DECIMAL_DIGIT_NUMBER;
}
bool IsDecimalSeparator(char32_t c) {
  return c == '.' || c == ',' || c == 0x60C || c == 0x66B || (c >= 0x2396 && c <= 0x2398);
}

// Replaces `out` by `text` in lower case as Python's str.lower(): full mappings, final sigma.
void LowerCase(std::string_view text, std::u32string& out) {
  out.clear();
  icu::UnicodeString units =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  units.toLower(icu::Locale::getRoot());
  for (int32_t i = 0; i < units.length();) {
    const UChar32 c = units.char32At(i);
    out += static_cast<char32_t>(c);
    i += U16_LENGTH(c);
  }
}

// The end of the piece of `text` to work on: a text of 1 GB need not lie in memory five times over. Behind a space or a
// line end, across which neither a number nor the rule of the final sigma reaches; without one for 256 MiB, anywhere
// (ICU counts in int32).
size_t PieceEnd(std::string_view text) {
  constexpr size_t kPiece = size_t{1} << 24;
  constexpr size_t kMost = size_t{1} << 28;
  if (text.size() <= kPiece) return text.size();
  size_t end = std::min(text.find_first_of(" \n", kPiece), text.size() - 1) + 1;
  if (end <= kMost) return end;
  end = kMost;
  while ((static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) ++end;
  return end;
}

// The end of the number that begins at `at`: digits, and once a separator with digits behind it.
size_t NumberEnd(std::u32string_view text, size_t at) {
  while (at < text.size() && IsDecimalDigit(text[at])) ++at;
  if (at + 1 >= text.size() || !IsDecimalSeparator(text[at]) || !IsDecimalDigit(text[at + 1])) return at;
  ++at;
  while (at < text.size() && IsDecimalDigit(text[at])) ++at;
  return at;
}

// Appends the canonical decomposition of code points without their nonspacing marks. ICU would put a run of marks in
// order by insertion, which is quadratic; here those that stay are sorted.
class MarkStripper {
 public:
  explicit MarkStripper(std::string& out) : out_(out) {}

  void Append(char32_t c) {
    if (c < 0xC0) {
      Flush();
      AppendUtf8(c, out_);
      return;
    }
    if (!Nfd().getDecomposition(static_cast<UChar32>(c), decomposed_)) {
      Take(static_cast<UChar32>(c));
      return;
    }
    for (int32_t i = 0; i < decomposed_.length();) {
      const UChar32 part = decomposed_.char32At(i);
      Take(part);
      i += U16_LENGTH(part);
    }
  }
  void Flush() {
    if (run_.empty()) return;
    std::stable_sort(run_.begin(), run_.end(), [](const Mark& a, const Mark& b) { return a.order < b.order; });
    for (const Mark& mark : run_) AppendUtf8(static_cast<char32_t>(mark.code_point), out_);
    run_.clear();
  }

 private:
  struct Mark {
    uint8_t order;
    UChar32 code_point;
  };
  void Take(UChar32 c) {
    const uint8_t order = u_getCombiningClass(c);
    if (order == 0) Flush();
    if (u_charType(c) == U_NON_SPACING_MARK) return;
    if (order == 0) {
      AppendUtf8(static_cast<char32_t>(c), out_);
    } else {
      run_.push_back({order, c});
    }
  }

  std::string& out_;
  icu::UnicodeString decomposed_;
  std::vector<Mark> run_;
};

// --- Our form ---

enum class Action : uint8_t {
  kSeparate,    // ends a word
  kAppend,      // part of a word
  kAlone,       // a word alone
  kLeaveOut,    // as if it were not there
  kApostrophe,  // left out between letters, else ends a word
  kHamzaMark,   // left out behind an alef, else part of a word
  kLookUp       // beyond the table: several words, or more bytes than fit
};

struct Folding {
  Action action = Action::kSeparate;
  uint8_t size = 0;
  std::array<char, 6> bytes{};
};

constexpr char32_t kAlef = 0x627;
constexpr std::string_view kAlefBytes = "\xD8\xA7";

char32_t FoldArabic(char32_t c) {
  switch (c) {
    case 0x622:
    case 0x623:
    case 0x625:
    case 0x671:
    case 0x672:
    case 0x673:
      return kAlef;
    case 0x649:  // alef maksura
    case 0x6CC:  // Farsi yeh
    case 0x6D2:  // yeh barree
      return 0x64A;
    case 0x6A9:
      return 0x643;
    default:
      return c;
  }
}

bool IsArabicVowelMark(char32_t c) {
  return c == 0x640 || (c >= 0x610 && c <= 0x61A) || (c >= 0x64B && c <= 0x652) || (c >= 0x656 && c <= 0x65F) ||
         c == 0x670 || (c >= 0x6D6 && c <= 0x6DC) || (c >= 0x6DF && c <= 0x6E8 && c != 0x6E5 && c != 0x6E6) ||
         (c >= 0x6EA && c <= 0x6ED);
}

// What a code point of the fully decomposed form is to the words.
Action ActionOf(char32_t c) {
  if (c == '\'' || c == 0x2019 || c == 0x2BC) return Action::kApostrophe;
  if (c >= 0x653 && c <= 0x655) return Action::kHamzaMark;
  if (IsArabicVowelMark(c)) return Action::kLeaveOut;
  const int type = u_charType(static_cast<UChar32>(c));
  if (type == U_FORMAT_CHAR || u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) {
    return Action::kLeaveOut;
  }
  switch (CharacterClasses::Get().Of(c)) {
    case CharacterClass::kIdeograph:
      return Action::kAlone;
    case CharacterClass::kLetter:
    case CharacterClass::kDigit:
    case CharacterClass::kMark:
      return Action::kAppend;
    case CharacterClass::kSpace:
    case CharacterClass::kSymbol:
      return Action::kSeparate;
  }
  return Action::kSeparate;
}

// The code points that `c` is folded to.
std::u32string Fold(char32_t c) {
  if (c == 0x2019) return U"'";
  icu::UnicodeString folded(static_cast<UChar32>(FoldArabic(c)));
  const icu::UnicodeString whole = folded;
  // NFKD, case folded, and again: folding may leave what decomposes, and decomposing what has a case.
  for (int i = 0; i < 2; ++i) {
    UErrorCode error = U_ZERO_ERROR;
    folded = Nfkd().normalize(folded, error).foldCase();
  }
  std::u32string out;
  for (int32_t i = 0; i < folded.length();) {
    const UChar32 part = folded.char32At(i);
    const int32_t digit = u_charDigitValue(part);
    const bool decimal = u_charType(part) == U_DECIMAL_DIGIT_NUMBER && digit >= 0;
    out += decimal ? U'0' + static_cast<char32_t>(digit) : FoldArabic(static_cast<char32_t>(part));
    i += U16_LENGTH(part);
  }
  return out;
}

Folding MakeFolding(char32_t c) {
  const std::u32string folded = Fold(c);
  std::string bytes;
  Action action = folded.empty() ? Action::kLeaveOut : ActionOf(folded.front());
  for (size_t i = 0; i < folded.size(); ++i) {
    AppendUtf8(folded[i], bytes);
    if (i == 0) continue;
    const Action of_part = ActionOf(folded[i]);
    if (of_part == Action::kHamzaMark && folded[i - 1] != kAlef) continue;
    if (of_part != Action::kAppend) action = Action::kLookUp;
  }
  if (folded.size() > 1 && action != Action::kAppend) action = Action::kLookUp;
  if (bytes.size() > 6) action = Action::kLookUp;
  Folding folding{action, 0, {}};
  if (action == Action::kAppend || action == Action::kAlone || action == Action::kHamzaMark) {
    folding.size = static_cast<uint8_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), folding.bytes.begin());
  }
  return folding;
}

// Of the Basic Multilingual Plane; 512 KiB, made at the first call (about 50 ms).
const std::vector<Folding>& Foldings() {
  static const std::vector<Folding>* const table = [] {
    auto* made = new std::vector<Folding>(0x10000);
    for (char32_t c = 0; c < made->size(); ++c) {
      if (c < 0xD800 || c > 0xDFFF) (*made)[c] = MakeFolding(c);
    }
    return made;
  }();
  return *table;
}

// What an ASCII byte becomes: a letter or digit; ' ' for a separator; 0 for what is not as simple.
constexpr std::array<char, 128> kAsciiFoldings = [] {
  std::array<char, 128> table{};
  for (size_t c = 0x20; c < 0x7F; ++c) table[c] = ' ';
  for (size_t c = '0'; c <= '9'; ++c) table[c] = static_cast<char>(c);
  for (size_t c = 'a'; c <= 'z'; ++c) table[c] = static_cast<char>(c);
  for (size_t c = 'A'; c <= 'Z'; ++c) table[c] = static_cast<char>(c + 'a' - 'A');
  table['\n'] = ' ';
  table['\''] = 0;
  return table;
}();

// Writes into a buffer that always has room for what is left of the text and kSlack more, so that most bytes need no
// look at its size.
class Matcher {
 public:
  Matcher(std::string_view text, std::string& out) : text_(text), out_(out) {}

  void Run() {
    out_.resize(text_.size() + kSlack);
    while (at_ < text_.size()) {
      RunOfAscii();
      if (at_ >= text_.size()) break;
      const char32_t c = DecodeUtf8(text_, &at_);
      if (c < foldings_.size() && foldings_[c].action != Action::kLookUp) {
        Apply(foldings_[c]);
      } else {
        for (const char32_t part : Fold(c)) Apply(FoldingOfPart(part));
      }
    }
    while (size_ > 0 && out_[size_ - 1] == ' ') --size_;
    out_.resize(size_);
  }

 private:
  static constexpr size_t kSlack = 64;

  // Up to the first byte that is not in kAsciiFoldings.
  void RunOfAscii() {
    char* to = out_.data() + size_;
    const char* const begin = out_.data();
    const char* from = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    for (; from < end; ++from) {
      const auto byte = static_cast<uint8_t>(*from);
      const char folded = byte < 0x80 ? kAsciiFoldings[byte] : '\0';
      if (folded == 0) break;
      *to = folded;
      // A separator behind another, or at the beginning, is overwritten by what comes next.
      to += folded != ' ' || (to > begin && to[-1] != ' ') ? 1 : 0;
    }
    size_ = static_cast<size_t>(to - begin);
    at_ = static_cast<size_t>(from - text_.data());
  }

  static Folding FoldingOfPart(char32_t part) {
    Folding folding{ActionOf(part), 0, {}};
    char bytes[4];
    int32_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, static_cast<UChar32>(part));
    std::copy_n(bytes, length, folding.bytes.begin());
    folding.size = static_cast<uint8_t>(length);
    return folding;
  }

  void Apply(const Folding& folding) {
    if (out_.size() - size_ < text_.size() - at_ + kSlack) out_.resize(out_.size() + out_.size() / 2 + kSlack);
    switch (folding.action) {
      case Action::kHamzaMark:
        if (std::string_view(out_).substr(0, size_).ends_with(kAlefBytes)) return;
        [[fallthrough]];
      case Action::kAppend:
        Append(folding);
        return;
      case Action::kAlone:
        Separate();
        Append(folding);
        Separate();
        return;
      case Action::kApostrophe:
        if (NextIsLetter()) return;
        [[fallthrough]];
      case Action::kSeparate:
        Separate();
        return;
      case Action::kLeaveOut:
      case Action::kLookUp:
        return;
    }
  }
  void Append(const Folding& folding) {
    std::copy(folding.bytes.begin(), folding.bytes.end(), out_.data() + size_);  // all six: there is room
    size_ += folding.size;
  }
  void Separate() {
    if (size_ > 0 && out_[size_ - 1] != ' ') out_[size_++] = ' ';
  }
  // Whether what follows an apostrophe goes on with a word. One that opens a quotation follows a space, which is a
  // separator already.
  bool NextIsLetter() const {
    if (at_ >= text_.size()) return false;
    size_t next = at_;
    const char32_t c = DecodeUtf8(text_, &next);
    return CharacterClasses::Get().Of(c) == CharacterClass::kLetter;
  }

  const std::vector<Folding>& foldings_ = Foldings();
  std::string_view text_;
  std::string& out_;
  size_t size_ = 0;  // of out_ that is written
  size_t at_ = 0;
};

}  // namespace

void SimplifyText(std::string_view text, std::string& out) {
  out.clear();
  const std::vector<bool>& punctuation = PunctuationTable();
  std::u32string lower;
  MarkStripper stripper(out);
  bool space = false;
  bool begun = false;
  const auto take = [&](char32_t c) {
    if (c == 0x20 || (c < 0x10000 && punctuation[c]) || u_isUWhiteSpace(static_cast<UChar32>(c))) {
      space = true;
      return;
    }
    if (space && begun) stripper.Append(' ');
    space = false;
    begun = true;
    stripper.Append(c);
  };
  while (!text.empty()) {
    const size_t end = PieceEnd(text);
    LowerCase(text.substr(0, end), lower);
    text.remove_prefix(end);
    for (size_t at = 0; at < lower.size();) {
      const bool number = IsDecimalDigit(lower[at]);
      take(number ? U'0' : lower[at]);
      at = number ? NumberEnd(lower, at) : at + 1;
    }
  }
  stripper.Flush();
  // Without its marks, what was a word may be nothing.
  const size_t first = out.find_first_not_of(' ');
  out.erase(0, std::min(first, out.size()));
  while (!out.empty() && out.back() == ' ') out.pop_back();
}

void MatchingText(std::string_view text, std::string& out) { Matcher(text, out).Run(); }

}  // namespace rhodes
