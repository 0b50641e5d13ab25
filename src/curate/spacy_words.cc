#include "curate/spacy_words.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>

#include "base/hash.h"
#include "curate/spacy_tables.h"
#include "curate/spacy_url.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

bool IsDigit(char32_t c) { return c >= '0' && c <= '9'; }

// The code point that begins at `at`, or 0 at the end.
char32_t At(std::string_view text, size_t at) { return at < text.size() ? DecodeUtf8(text, &at) : 0; }

// Where the code point before `at` begins; at > 0.
size_t Before(std::string_view text, size_t at) {
  do {
    --at;
  } while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80);
  return at;
}

// Strings by their hash. Most lookups end at two masks: which sizes occur with a first byte, and with a last byte.
template <typename Value>
class CaseMap {
 public:
  static constexpr size_t kLongest = 31;  // bytes of a key

  void Insert(std::string_view key, Value value) {
    first_[static_cast<uint8_t>(key.front())] |= 1u << key.size();
    last_[static_cast<uint8_t>(key.back())] |= 1u << key.size();
    map_.emplace(key, std::move(value));
  }
  const Value* Find(std::string_view key) const {
    if (key.empty() || key.size() > kLongest) return nullptr;
    const uint32_t size = 1u << key.size();
    if ((first_[static_cast<uint8_t>(key.front())] & last_[static_cast<uint8_t>(key.back())] & size) == 0)
      return nullptr;
    const auto found = map_.find(key);
    return found == map_.end() ? nullptr : &found->second;
  }
  // Bit i: some key of i bytes begins with `byte`.
  uint32_t SizesOf(char byte) const { return first_[static_cast<uint8_t>(byte)]; }
  const auto& all() const { return map_; }

 private:
  struct Hash {
    size_t operator()(std::string_view text) const { return Fingerprint(text); }
  };
  absl::flat_hash_map<std::string_view, Value, Hash> map_;
  std::array<uint32_t, 256> first_{};
  std::array<uint32_t, 256> last_{};
};

// One language's special cases.
struct Cases {
  std::deque<std::string> texts;  // their addresses stay
  using Sizes = std::vector<uint32_t>;
  CaseMap<Sizes> words;       // of a special case: its words
  CaseMap<Sizes> patterns;    // those also looked for among words: what they are split into
  CaseMap<bool> after_digit;  // units and currencies
  size_t longest_after_digit = 0;
};

class Splitter {
 public:
  Splitter(std::string_view chunk, WordRules rules, const Cases& cases, bool with_cases, std::vector<uint32_t>& sizes)
      : rest_(chunk), rules_(rules), cases_(cases), with_cases_(with_cases), sizes_(sizes) {}

  void Run() {
    sizes_.clear();
    const std::string_view chunk = rest_;
    std::vector<uint32_t> suffixes;
    if (!IsCase(rest_)) StripAffixes(suffixes);
    if (!rest_.empty()) SplitRest();
    sizes_.insert(sizes_.end(), suffixes.rbegin(), suffixes.rend());
    if (with_cases_ && sizes_.size() > 1) JoinCases(chunk);
  }

 private:
  const Cases::Sizes* FindCase(std::string_view text) const { return with_cases_ ? cases_.words.Find(text) : nullptr; }
  bool IsCase(std::string_view text) const { return FindCase(text) != nullptr; }
  uint32_t FlagsAt(std::string_view text, size_t at) const { return at < text.size() ? flags_.Of(At(text, at)) : 0; }

  void StripAffixes(std::vector<uint32_t>& suffixes) {
    for (size_t last = 0; !rest_.empty() && rest_.size() != last;) {
      if (IsCase(rest_)) return;
      last = rest_.size();
      const size_t prefix = Prefix(rest_);
      if (prefix != 0 && IsCase(rest_.substr(prefix))) {
        sizes_.push_back(static_cast<uint32_t>(prefix));
        rest_.remove_prefix(prefix);
        return;
      }
      const size_t suffix = Suffix(rest_.substr(prefix));
      if (suffix != 0 && IsCase(rest_.substr(0, rest_.size() - suffix))) {
        suffixes.push_back(static_cast<uint32_t>(suffix));
        rest_.remove_suffix(suffix);
        return;
      }
      if (prefix != 0) sizes_.push_back(static_cast<uint32_t>(prefix));
      if (suffix != 0) suffixes.push_back(static_cast<uint32_t>(suffix));
      rest_.remove_prefix(prefix);
      rest_.remove_suffix(suffix);
    }
  }

  // Bytes of the prefix of `text`, or 0.
  size_t Prefix(std::string_view text) const {
    if (text.front() == '.') {
      const size_t end = std::min(text.find_first_not_of('.'), text.size());
      return end > 1 ? end : 0;
    }
    if (text.front() == '+') return IsDigit(At(text, 1)) ? 0 : 1;
    for (const std::string_view currency : {"US$", "C$", "A$"}) {
      if (text.starts_with(currency)) return currency.size();
    }
    size_t end = 0;
    return (flags_.Of(DecodeUtf8(text, &end)) & kSpacyPrefix) != 0 ? end : 0;
  }

  // Bytes of the suffix of `text`, or 0. The expression finds the one that begins first.
  size_t Suffix(std::string_view text) const {
    if (text.empty()) return 0;
    size_t longest = AfterDigit(text);
    const size_t last = Before(text, text.size());
    const char32_t c = At(text, last);
    const uint32_t single = rules_ == WordRules::kSpacyArabic ? kSpacyArabicSuffix : kSpacySuffix;
    if ((flags_.Of(c) & single) != 0) longest = std::max(longest, text.size() - last);
    if (text.ends_with("\xE2\x80\xA6\xE2\x80\xA6")) longest = std::max<size_t>(longest, 6);
    if (c == '.') longest = std::max(longest, Dots(text));
    if (rules_ != WordRules::kSpacyArabic && (c == 's' || c == 'S')) longest = std::max(longest, Genitive(text));
    if (c == '+' && last > 0 && IsDigit(static_cast<uint8_t>(text[last - 1]))) longest = std::max<size_t>(longest, 1);
    return longest;
  }

  // A unit or currency behind the last digit.
  size_t AfterDigit(std::string_view text) const {
    const size_t most = cases_.longest_after_digit;
    for (size_t size = 1; size <= most && size < text.size(); ++size) {
      if (!IsDigit(static_cast<uint8_t>(text[text.size() - size - 1]))) continue;
      return cases_.after_digit.Find(text.substr(text.size() - size)) != nullptr ? size : 0;
    }
    return 0;
  }

  size_t Dots(std::string_view text) const {
    const size_t before = text.find_last_not_of('.');
    const size_t dots = before == std::string_view::npos ? text.size() : text.size() - before - 1;
    if (dots > 1) return dots;
    if (before == std::string_view::npos) return 0;
    const size_t first = Before(text, text.size() - 1);
    const uint32_t flags = FlagsAt(text, first);
    if (rules_ != WordRules::kSpacyArabic && (flags & kSpacyBeforeDot) != 0) return 1;
    if (first == 0) return 0;
    const size_t second = Before(text, first);
    if ((flags & kSpacyUpper) != 0 && (FlagsAt(text, second) & kSpacyUpper) != 0) return 1;
    const bool degrees = std::string_view("FfCcKk").find(text[first]) != std::string_view::npos;
    return rules_ != WordRules::kSpacyArabic && degrees && At(text, second) == 0xB0 ? 1 : 0;
  }

  static size_t Genitive(std::string_view text) {
    const std::string_view before = text.substr(0, text.size() - 1);
    if (before.ends_with("'")) return 2;
    return before.ends_with("\xE2\x80\x99") ? 4 : 0;
  }

  void Add(size_t size) { sizes_.push_back(static_cast<uint32_t>(size)); }

  // What is left between prefixes and suffixes.
  void SplitRest() {
    if (const Cases::Sizes* words = FindCase(rest_)) {
      sizes_.insert(sizes_.end(), words->begin(), words->end());
      return;
    }
    if (IsSpacyUrl(rest_)) {
      Add(rest_.size());
      return;
    }
    size_t begin = 0;
    for (size_t at = 0; at < rest_.size();) {
      const size_t infix = Infix(at);
      if (infix == 0) {
        DecodeUtf8(rest_, &at);
        continue;
      }
      if (at != 0) {  // one at the very begin is not split off
        if (at != begin) Add(at - begin);
        Add(infix);
        begin = at + infix;
      }
      at += infix;
    }
    if (begin < rest_.size()) Add(rest_.size() - begin);
  }

  // Bytes of the infix that begins at `at`, or 0. The order is the expression's.
  size_t Infix(size_t at) const {
    const auto byte = static_cast<uint8_t>(rest_[at]);
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || IsDigit(byte)) return 0;
    if (byte == '.' && at + 1 < rest_.size() && rest_[at + 1] == '.') {
      return std::min(rest_.find_first_not_of('.', at), rest_.size()) - at;
    }
    if (rest_.substr(at).starts_with(kEllipsis)) return kEllipsis.size();
    size_t end = at;
    const char32_t c = DecodeUtf8(rest_, &end);
    if ((flags_.Of(c) & kSpacyIcon) != 0) return end - at;
    if (at == 0) return 0;
    const char32_t before = At(rest_, Before(rest_, at));
    const uint32_t before_flags = flags_.Of(before);
    const char32_t next = At(rest_, end);
    const uint32_t next_flags = end < rest_.size() ? flags_.Of(next) : 0;
    const bool alpha = (before_flags & kSpacyAlpha) != 0;
    const bool next_alpha = (next_flags & kSpacyAlpha) != 0;
    if (IsDigit(before) && (c == '+' || c == '-' || c == '*' || c == '^') && (IsDigit(next) || next == '-')) return 1;
    if (c == '.' && (before_flags & (kSpacyLower | kSpacyQuote)) != 0 &&
        (next_flags & (kSpacyUpper | kSpacyQuote)) != 0) {
      return 1;
    }
    if (c == ',' && alpha && next_alpha) return 1;
    const bool alpha_or_digit = alpha || IsDigit(before);
    if (rules_ == WordRules::kSpacyEnglish ? alpha_or_digit : alpha) {
      if (const size_t hyphen = Hyphen(at); hyphen != 0) return hyphen;
    }
    const bool joint = c == ':' || c == '<' || c == '>' || c == '=' || c == '/';
    return joint && alpha_or_digit && next_alpha ? 1 : 0;
  }

  // Of the hyphens - – — -- --- —— ~ at `at`, the one behind which a letter stands.
  size_t Hyphen(size_t at) const {
    constexpr std::array<std::string_view, 7> kHyphens = {
        "-", "\xE2\x80\x93", "\xE2\x80\x94", "--", "---", "\xE2\x80\x94\xE2\x80\x94", "~"};
    const std::string_view text = rest_.substr(at);
    for (const std::string_view hyphen : kHyphens) {
      if (text.starts_with(hyphen) && (FlagsAt(text, hyphen.size()) & kSpacyAlpha) != 0) return hyphen.size();
    }
    return 0;
  }

  // Special cases that were taken apart, such as ":)" behind a word, become what they are: the longest first, of those
  // the ones that stand first.
  struct Match {
    size_t begin;  // index of a word
    size_t end;
    size_t byte;
    const Cases::Sizes* words;
  };
  void JoinCases(std::string_view chunk) {
    std::vector<Match> matches;
    size_t byte = 0;
    for (size_t i = 0; i < sizes_.size(); byte += sizes_[i++]) {
      size_t size = 0;
      const uint32_t sizes = cases_.patterns.SizesOf(chunk[byte]);
      for (size_t end = i; sizes != 0 && end < sizes_.size();) {
        size += sizes_[end++];
        if (size > CaseMap<Cases::Sizes>::kLongest) break;
        if ((sizes >> size & 1) == 0) continue;
        const std::string_view text = chunk.substr(byte, size);
        const Cases::Sizes* const pattern = cases_.patterns.Find(text);
        if (pattern == nullptr || pattern->size() != end - i) continue;
        if (std::equal(pattern->begin(), pattern->end(), sizes_.begin() + static_cast<ptrdiff_t>(i))) {
          matches.push_back({i, end, byte, FindCase(text)});
        }
      }
    }
    if (matches.empty()) return;
    std::stable_sort(matches.begin(), matches.end(),
                     [](const Match& a, const Match& b) { return a.end - a.begin > b.end - b.begin; });
    std::vector<const Match*> at(sizes_.size(), nullptr);
    std::vector<bool> seen(sizes_.size(), false);
    for (const Match& match : matches) {
      if (!seen[match.begin] && !seen[match.end - 1]) at[match.begin] = &match;
      std::fill(seen.begin() + static_cast<ptrdiff_t>(match.begin), seen.begin() + static_cast<ptrdiff_t>(match.end),
                true);
    }
    std::vector<uint32_t> joined;
    for (size_t i = 0; i < sizes_.size();) {
      if (at[i] == nullptr) {
        joined.push_back(sizes_[i++]);
      } else {
        joined.insert(joined.end(), at[i]->words->begin(), at[i]->words->end());
        i = at[i]->end;
      }
    }
    sizes_ = std::move(joined);
  }

  const ReferenceFlags& flags_ = ReferenceFlags::Get();
  std::string_view rest_;
  WordRules rules_;
  const Cases& cases_;
  bool with_cases_;
  std::vector<uint32_t>& sizes_;

 public:
  // Whether spaCy also looks for `text` among words: when its expressions would take it apart.
  bool HasAffix(std::string_view text) {
    if (Prefix(text) != 0 || Suffix(text) != 0) return true;
    for (size_t at = 0; at < text.size(); DecodeUtf8(text, &at)) {
      if (Infix(at) != 0) return true;
    }
    return false;
  }
};

void AddCases(const std::string_view* list, size_t count, Cases& cases) {
  for (size_t i = 0; i < count; ++i) {
    std::string* const text = &cases.texts.emplace_back();  // the tables view it
    Cases::Sizes sizes;
    for (const char c : list[i]) {
      if (c == '\x1F' || text->empty()) sizes.push_back(0);
      if (c == '\x1F') continue;
      *text += c;
      ++sizes.back();
    }
    cases.words.Insert(*text, std::move(sizes));
  }
}

Cases* MakeCases(WordRules rules) {
  auto* const cases = new Cases;
  AddCases(kSpacyBaseCases, kSpacyBaseCaseCount, *cases);
  if (rules == WordRules::kSpacyEnglish) AddCases(kSpacyEnglishCases, kSpacyEnglishCaseCount, *cases);
  if (rules == WordRules::kSpacyArabic) AddCases(kSpacyArabicCases, kSpacyArabicCaseCount, *cases);
  for (size_t i = 0; i < kSpacyAfterDigitCount; ++i) {
    cases->after_digit.Insert(kSpacyAfterDigit[i], true);
    cases->longest_after_digit = std::max(cases->longest_after_digit, kSpacyAfterDigit[i].size());
  }
  for (const auto& [text, words] : cases->words.all()) {
    std::vector<uint32_t> sizes;
    Splitter splitter(text, rules, *cases, false, sizes);
    if (!splitter.HasAffix(text)) continue;
    splitter.Run();
    cases->patterns.Insert(text, sizes);
  }
  return cases;
}

const Cases& CasesOf(WordRules rules) {
  static const Cases* const english = MakeCases(WordRules::kSpacyEnglish);
  static const Cases* const arabic = MakeCases(WordRules::kSpacyArabic);
  static const Cases* const other = MakeCases(WordRules::kSpacyOther);
  return rules == WordRules::kSpacyEnglish ? *english : rules == WordRules::kSpacyArabic ? *arabic : *other;
}

}  // namespace

ReferenceFlags::ReferenceFlags() {
  std::fill(std::begin(basic_), std::end(basic_), 0);
  for (size_t i = 0; i < kReferenceRangeCount && kReferenceRanges[i].first < 0x10000; ++i) {
    const ReferenceRange& range = kReferenceRanges[i];
    std::fill(basic_ + range.first, basic_ + std::min<uint32_t>(range.last, 0xFFFF) + 1, range.flags);
  }
}

const ReferenceFlags& ReferenceFlags::Get() {
  static const ReferenceFlags* const flags = new ReferenceFlags;  // never destroyed: threads may outlive main
  return *flags;
}

uint32_t ReferenceFlags::Lookup(char32_t code_point) {
  const ReferenceRange* const end = kReferenceRanges + kReferenceRangeCount;
  const ReferenceRange* const range = std::lower_bound(
      kReferenceRanges, end, code_point, [](const ReferenceRange& one, char32_t value) { return one.last < value; });
  return range != end && range->first <= code_point ? range->flags : 0;
}

bool IsSpacyCase(std::string_view chunk, WordRules rules) { return CasesOf(rules).words.Find(chunk) != nullptr; }

void SplitChunkAsSpacy(std::string_view chunk, WordRules rules, std::vector<uint32_t>& sizes) {
  const Cases& cases = CasesOf(rules);
  if (const Cases::Sizes* const words = cases.words.Find(chunk)) {
    // The words of a special case are looked through, too; none of the lists has one that changes by that.
    sizes = *words;
    return;
  }
  Splitter(chunk, rules, cases, true, sizes).Run();
}

}  // namespace rhodes
