#include "curate/personal_data_formatter.h"

#include <unicode/uchar.h>

#include <array>
#include <cstdint>

#include "curate/personal_data_addresses.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

using Kind = PersonalDataKind;

constexpr std::string_view kEmails[] = {"email@example.com", "firstname.lastname@example.org"};
// Addresses that answered to no one when the reference's authors chose them.
constexpr std::string_view kAddresses[] = {"22.214.171.124", "126.96.36.199",  "188.8.131.52",
                                           "184.108.40.206", "220.127.116.11", "18.104.22.168"};

enum : uint8_t { kDigit = 1, kLetter = 2, kAtom = 4, kHyphen = 8 };

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes{};
  for (const char c : std::string_view("!#$%&'*+/=?^_`{|}~-")) classes[static_cast<uint8_t>(c)] = kAtom;
  for (size_t c = '0'; c <= '9'; ++c) classes[c] = kDigit | kAtom;
  for (size_t c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 32] = kLetter | kAtom;
  classes['-'] |= kHyphen;
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

bool Is(char c, int classes) { return (kClasses[static_cast<uint8_t>(c)] & classes) != 0; }
bool IsDigit(char c) { return Is(c, kDigit); }
bool IsAlphanumeric(char c) { return Is(c, kDigit | kLetter); }

// Python's \w: letters, what has a numeric value, and '_'.
bool IsPythonWord(char32_t code_point) {
  if (code_point < 0x80) return IsAlphanumeric(static_cast<char>(code_point)) || code_point == '_';
  const auto c = static_cast<UChar32>(code_point);
  return u_isalpha(c) != 0 || u_getIntPropertyValue(c, UCHAR_NUMERIC_TYPE) != U_NT_NONE;
}

// The expression for addresses of e-mail: a dotted atom that begins at \b, '@', and a domain or a bracket with an
// address.
class EmailMatcher {
 public:
  explicit EmailMatcher(std::string_view text) : text_(text) {}

  // The match whose '@' is the first at or behind `from` to have one; the local part begins at or behind `from`.
  bool Next(size_t from, PersonalDataItem* item) const {
    for (size_t at = text_.find('@', from); at != std::string_view::npos; at = text_.find('@', at + 1)) {
      const size_t end = DomainEnd(at + 1);
      if (end == 0) continue;
      const size_t begin = LocalBegin(from, at);
      if (begin == at) continue;
      *item = {begin, end, Kind::kEmail};
      return true;
    }
    return false;
  }

 private:
  // Where the leftmost local part before the '@' at `at` begins, or `at`: a search from left to right tries the first
  // place of the dotted atom first, then the others, each of which must be a \b.
  size_t LocalBegin(size_t from, size_t at) const {
    if (at == from || !Is(text_[at - 1], kAtom)) return at;
    size_t first = at;
    while (first > from && (Is(text_[first - 1], kAtom) || (text_[first - 1] == '.' && text_[first] != '.'))) --first;
    for (size_t begin = first; begin < at; ++begin) {
      if (Is(text_[begin], kAtom) && IsBoundary(begin)) return begin;
    }
    return at;
  }

  // Python's \b before the ASCII character at `at`.
  bool IsBoundary(size_t at) const {
    bool before = false;
    if (at > 0) {
      size_t lead = at - 1;
      while (lead > 0 && (static_cast<uint8_t>(text_[lead]) & 0xC0) == 0x80) --lead;
      before = IsPythonWord(DecodeUtf8(text_, &lead));
    }
    return before != IsPythonWord(static_cast<char32_t>(text_[at]));
  }

  // The end of the domain that begins at `at`, or 0.
  size_t DomainEnd(size_t at) const {
    if (at < text_.size() && text_[at] == '[') return BracketEnd(at + 1);
    // Labels that a '.' follows; the domain ends with the longest beginning of the next one that ends in no hyphen.
    size_t end = 0;
    for (size_t labels = 0;; ++labels) {
      size_t label = at;
      size_t inner = 0;  // the end of the label without hyphens at its end
      if (label < text_.size() && IsAlphanumeric(text_[label])) {
        for (; label < text_.size() && Is(text_[label], kDigit | kLetter | kHyphen); ++label) {
          if (text_[label] != '-') inner = label + 1;
        }
      }
      if (inner == 0) return end;
      if (labels > 0) end = inner;
      if (inner != label || label == text_.size() || text_[label] != '.') return end;
      at = label + 1;
    }
  }

  // Behind "[": three numbers up to 255 with dots, and a fourth or "name:", and "]".
  size_t BracketEnd(size_t at) const {
    for (int part = 0; part < 3; ++part) {
      const size_t begin = at;
      while (at < text_.size() && IsDigit(text_[at]) && at - begin < 4) ++at;
      if (!IsOctet(text_.substr(begin, at - begin)) || at == text_.size() || text_[at++] != '.') return 0;
    }
    const size_t begin = at;
    while (at < text_.size() && Is(text_[at], kDigit | kLetter | kHyphen)) ++at;
    const std::string_view last = text_.substr(begin, at - begin);
    const auto closes = [&](size_t place) { return place < text_.size() && text_[place] == ']' ? place + 1 : 0; };
    if (!last.empty() && last.back() != '-' && at < text_.size() && text_[at] == ':') return closes(at + 1);
    return IsOctet(last) ? closes(at) : 0;
  }

 public:
  // 25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?, all of it.
  static bool IsOctet(std::string_view digits) {
    if (digits.empty() || digits.size() > 3) return false;
    for (const char c : digits) {
      if (!IsDigit(c)) return false;
    }
    return digits.size() < 3 || digits <= "255";
  }

 private:
  std::string_view text_;
};

// The expression for addresses, which asks for nothing around them: of "1234.5.6.789" it matches "234.5.6.78".
class AddressMatcher {
 public:
  explicit AddressMatcher(std::string_view text) : text_(text) {}

  bool Next(size_t from, PersonalDataItem* item) const {
    for (size_t dot = text_.find('.', from); dot != std::string_view::npos; dot = text_.find('.', dot + 1)) {
      // The first number: the longest end of the digits before the dot that is one.
      size_t begin = dot;
      while (begin > from && dot - begin < 3 && IsDigit(text_[begin - 1])) --begin;
      if (begin == dot) continue;
      if (!EmailMatcher::IsOctet(text_.substr(begin, dot - begin))) ++begin;
      const size_t end = Rest(dot + 1);
      if (end == 0) continue;
      *item = {begin, end, Kind::kIp};
      return true;
    }
    return false;
  }

 private:
  // The end of two numbers with dots behind them, and of the longest beginning of what follows that is a number; or 0.
  size_t Rest(size_t at) const {
    for (int part = 0; part < 2; ++part) {
      const size_t begin = at;
      while (at < text_.size() && IsDigit(text_[at]) && at - begin < 4) ++at;
      if (!EmailMatcher::IsOctet(text_.substr(begin, at - begin)) || at == text_.size() || text_[at++] != '.') return 0;
    }
    size_t end = at;
    while (end < text_.size() && IsDigit(text_[end]) && end - at < 3) ++end;
    if (end == at) return 0;
    return EmailMatcher::IsOctet(text_.substr(at, end - at)) ? end : end - 1;
  }

  std::string_view text_;
};

}  // namespace

std::vector<PersonalDataItem> FindAsFormatter(std::string_view text, const PersonalDataSettings& settings) {
  std::vector<PersonalDataItem> items;
  const EmailMatcher emails(text);
  size_t from = 0;  // behind the last address of e-mail
  while (from <= text.size()) {
    PersonalDataItem email{text.size(), text.size(), Kind::kEmail};
    const bool found = settings.email && emails.Next(from, &email);
    // Replacements begin and end with letters, so that no address of the Internet reaches across one.
    const std::string_view between = text.substr(from, email.begin - from);
    PersonalDataItem ip;
    for (size_t at = 0; settings.ip && AddressMatcher(between).Next(at, &ip); at = ip.end) {
      Ipv4Address address{};
      if (ReadIpv4(between.substr(0, ip.end), ip.begin, &address) != ip.end) continue;  // a leading zero
      if (!settings.all_addresses && !IsGlobal(address)) continue;
      items.push_back({from + ip.begin, from + ip.end, Kind::kIp});
    }
    if (!found) break;
    items.push_back(email);
    from = email.end;
  }
  return items;
}

std::string FormatterReplacements::Replace(std::string_view text, const std::vector<PersonalDataItem>& items,
                                           std::vector<size_t>* marks) {
  std::vector<std::string_view> replacements;
  for (const PersonalDataItem& item : items) {
    const bool email = item.kind == Kind::kEmail;
    replacements.push_back(email ? kEmails[next_email_] : kAddresses[next_ip_]);
    size_t& next = email ? next_email_ : next_ip_;
    next = (next + 1) % (email ? std::size(kEmails) : std::size(kAddresses));
  }
  return ReplaceItems(text, items, replacements, marks);
}

}  // namespace rhodes
