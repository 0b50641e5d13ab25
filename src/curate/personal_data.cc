#include "curate/personal_data.h"

#include <algorithm>
#include <utility>

#include "curate/personal_data_addresses.h"
#include "curate/personal_data_checks.h"
#include "curate/personal_data_numbers.h"
#include "curate/personal_data_secrets.h"
#include "curate/personal_data_triggers.h"

namespace rhodes {
namespace {

using Kind = PersonalDataKind;

enum : uint8_t { kLetter = 1, kDigit = 2, kHex = 4, kLocal = 8 };

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes{};
  for (size_t c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 32] = kLetter | kLocal;
  for (size_t c = 'a'; c <= 'f'; ++c) classes[c] = classes[c - 32] = kLetter | kLocal | kHex;
  for (size_t c = '0'; c <= '9'; ++c) classes[c] = kDigit | kLocal | kHex;
  for (const char c : {'.', '_', '%', '+', '-'}) classes[static_cast<uint8_t>(c)] = kLocal;
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

bool Is(char c, int classes) { return (kClasses[static_cast<uint8_t>(c)] & classes) != 0; }
bool IsWordByte(char c) { return Is(c, kLetter | kDigit); }
bool IsCapital(char c) { return c >= 'A' && c <= 'Z'; }

// Top levels that are not: names of files such as "logo@2x.png".
constexpr std::string_view kFileEndings[] = {"png", "jpg", "jpeg", "gif",  "svg", "webp", "avif", "ico",
                                             "js",  "css", "json", "html", "htm", "pdf",  "tar",  "gz"};

constexpr size_t kLongestLocal = 64;  // RFC 5321, 4.5.3.1
constexpr size_t kLongestDomain = 255;
constexpr size_t kLongestIpv6 = 45;

// Goes from trigger to trigger. What was read is not read again, but for windows of bounded length.
class Scanner {
 public:
  Scanner(std::string_view text, const PersonalDataSettings& settings)
      : text_(text), settings_(settings), triggers_(text, settings.all_addresses), secrets_(text) {}

  std::vector<PersonalDataItem> Run() {
    for (size_t at = triggers_.Next(0); at < text_.size(); at = triggers_.Next(at)) {
      at = std::max(At(at), taken_);
    }
    return std::move(items_);
  }

 private:
  // Looks at the trigger at `at`; where to go on.
  size_t At(size_t at) {
    const char c = text_[at];
    if (c == '@') return Email(at);
    if (c == ':') return Colon(at);
    if (c == '-' && text_.substr(at).starts_with("-----BEGIN ")) {
      const size_t end = secrets_.EndOf(at);
      if (end != 0) Take(at, end, Kind::kSecret);
      return at + 5;
    }
    if (c == '-' || c == '_' || c == 'y' || c == 'I') return Secret(at);
    return Digit(at);
  }

  bool Take(size_t begin, size_t end, Kind kind) {
    if (begin < taken_) return false;
    if (kind != Kind::kEmail && end < text_.size() && text_[end] == '@') return false;  // the name of a mailbox
    if (settings_.Wants(kind)) items_.push_back({begin, end, kind});
    taken_ = end;
    return true;
  }

  // The word (ASCII letters and digits) that `at` stands in or ends; kept, so that none is read twice.
  void FindWord(size_t at) {
    if (at >= word_begin_ && at < word_end_) return;
    const size_t floor = std::min(word_end_, at);
    word_begin_ = at;
    while (word_begin_ > floor && IsWordByte(text_[word_begin_ - 1])) --word_begin_;
    word_end_ = at;
    while (word_end_ < text_.size() && IsWordByte(text_[word_end_])) ++word_end_;
  }

  // A sign that the prefixes of secrets have, behind the word that it belongs to or in it.
  size_t Secret(size_t at) {
    const bool sign = text_[at] == '-' || text_[at] == '_';
    if (sign && (at == 0 || !IsWordByte(text_[at - 1]))) return at + 1;
    FindWord(sign ? at - 1 : at);
    if (at - word_begin_ > 8) return at + 1;  // longer than every prefix
    const size_t end = secrets_.EndOf(word_begin_);
    if (end != 0 && Take(word_begin_, end, Kind::kSecret)) return end;
    return at + 1;
  }

  size_t Email(size_t at) {
    size_t begin = at;
    while (begin > taken_ && Is(text_[begin - 1], kLocal)) --begin;
    while (begin < at && !IsWordByte(text_[begin])) ++begin;
    size_t end = at + 1;
    size_t last_dot = 0;
    while (end < text_.size()) {
      const char c = text_[end];
      if (c == '.' && (end + 1 == text_.size() || !IsWordByte(text_[end + 1]))) break;
      if (c == '.') last_dot = end;
      if (!IsWordByte(c) && c != '.' && c != '-') break;
      ++end;
    }
    while (end > at + 1 && text_[end - 1] == '-') --end;
    if (at - begin > kLongestLocal || end - at > kLongestDomain) return at + 1;
    if (begin == at || text_[at - 1] == '.' || last_dot <= at + 1 || end <= last_dot + 2) return at + 1;
    const std::string_view top_level = text_.substr(last_dot + 1, end - last_dot - 1);
    if (!Is(top_level[0], kLetter)) return at + 1;
    if (std::find(std::begin(kFileEndings), std::end(kFileEndings), top_level) != std::end(kFileEndings)) return at + 1;
    return Take(begin, end, Kind::kEmail) ? end : at + 1;
  }

  // "::", or any ':' where addresses of all kinds are wanted.
  size_t Colon(size_t at) {
    size_t begin = at;
    while (begin > taken_ && at - begin < 5 && Is(text_[begin - 1], kHex)) --begin;
    const size_t end = Ipv6(begin);
    return end == 0 ? at + 1 : end;
  }

  // The end of the IPv6 address that begins at `begin`, or 0.
  size_t Ipv6(size_t begin) {
    if (begin > 0 && (IsWordByte(text_[begin - 1]) || text_[begin - 1] == ':' || text_[begin - 1] == '_')) return 0;
    size_t end = begin;
    size_t colons = 0;
    while (end < text_.size() && end - begin <= kLongestIpv6 &&
           (Is(text_[end], kHex) || text_[end] == ':' || text_[end] == '.')) {
      colons += text_[end++] == ':' ? 1 : 0;
    }
    if (colons < 2 || end - begin > kLongestIpv6 ||
        (end < text_.size() && (IsWordByte(text_[end]) || text_[end] == '_')))
      return 0;
    if (text_[end - 1] == '.' || (text_[end - 1] == ':' && text_[end - 2] != ':')) --end;  // of the sentence
    Ipv6Address address{};
    if (!ParseIpv6(text_.substr(begin, end - begin), &address)) return 0;
    // "::" alone stands for no address.
    const bool wanted = settings_.all_addresses ? end - begin > 2 : IsPublic(address);
    if (wanted) Take(begin, end, Kind::kIp);
    return end;
  }

  // The end of the IPv4 address that begins at `begin`, or 0.
  size_t Ipv4(size_t begin) {
    Ipv4Address address{};
    const size_t end = ReadIpv4(text_, begin, &address);
    if (end == 0) return 0;
    if (begin > 1 && text_[begin - 1] == '.' && IsWordByte(text_[begin - 2])) return 0;             // "1.2.3.4.5"
    if (begin > 0 && text_[begin - 1] == '/' && !(begin > 1 && text_[begin - 2] == '/')) return 0;  // "Agent/1.2.3.4"
    if (end < text_.size() && (IsWordByte(text_[end]) || text_[end] == '_')) return 0;
    if (end + 1 < text_.size() && text_[end] == '.' && IsWordByte(text_[end + 1])) return 0;
    if (IsVersion(begin)) return end;
    if (settings_.all_addresses || IsPublic(address)) Take(begin, end, Kind::kIp);
    return end;
  }

  // Whether the word before says that the numbers are a version's.
  bool IsVersion(size_t begin) const {
    std::array<char, 12> before{};
    const size_t size = std::min(before.size(), begin - taken_);
    for (size_t i = 0; i < size; ++i) before[i] = static_cast<char>(text_[begin - size + i] | 0x20);
    const std::string_view small(before.data(), size);
    return std::any_of(std::begin(kVersionWords), std::end(kVersionWords),
                       [&](std::string_view word) { return small.find(word) != std::string_view::npos; });
  }
  static constexpr std::string_view kVersionWords[] = {
      "version", "release", "firmware", "build", "driver", "section", "chapter", "\u0625\u0635\u062F\u0627\u0631"};

  // The first digit behind the last trigger.
  size_t Digit(size_t at) {
    FindWord(at);
    const size_t begin = word_begin_;
    size_t end = word_end_;
    if (begin == at) {
      if (DigitLength(text_, at) == 2) {  // Arabic-Indic
        end = at;
        for (size_t length = 2; length > 0; length = DigitLength(text_, end)) end += length;
      }
      return Number(at, end);
    }
    if (begin < taken_) return end;
    if (end < text_.size() && text_[end] == ':' && end - begin <= 4) {
      const size_t address_end = Ipv6(begin);
      if (address_end != 0) return address_end;
    }
    Word(begin, end);
    return end;
  }

  // A word that begins with a letter and has a digit.
  void Word(size_t begin, size_t end) {
    const std::string_view word = text_.substr(begin, end - begin);
    if (!IsCapital(word[0]) || word.size() < 2) return;
    if (word.size() == 17 && IsVin(word)) Take(begin, end, Kind::kVin);
    if (word.size() == 9 && (IsUkNationalInsurance(word) || IsSpanishId(word))) Take(begin, end, Kind::kNationalId);
    if (word.size() == 16 && IsItalianFiscalCode(word)) Take(begin, end, Kind::kNationalId);
    if (word.size() >= 4 && IsCapital(word[1]) && Is(word[2], kDigit) && Is(word[3], kDigit)) Iban(begin);
  }

  // Groups of letters and digits with single spaces between them; the longest that is an IBAN counts.
  void Iban(size_t begin) {
    std::array<char, 34> compact{};
    size_t size = 0;
    for (size_t at = begin; at < text_.size() && size < compact.size(); ++at) {
      if (IsWordByte(text_[at])) {
        compact[size++] = text_[at];
        const bool whole = at + 1 == text_.size() || !IsWordByte(text_[at + 1]);
        if (whole && size >= 15 && IsIban({compact.data(), size}) && Take(begin, at + 1, Kind::kIban)) return;
      } else if (text_[at] != ' ' || text_[at - 1] == ' ') {
        return;
      }
    }
  }

  // "AB 12 34 56 C", whose first digit stands at `at`.
  bool SpacedNationalInsurance(size_t at) {
    constexpr size_t kLength = 13;
    if (at < 3 || at - 3 < taken_ || text_.size() - (at - 3) < kLength) return false;
    const size_t begin = at - 3;
    if (begin > 0 && IsWordByte(text_[begin - 1])) return false;
    std::array<char, 9> compact{};
    size_t size = 0;
    for (size_t i = 0; i < kLength; ++i) {
      const bool space = i == 2 || i == 5 || i == 8 || i == 11;
      const char c = text_[begin + i];
      if (space != (c == ' ')) return false;
      if (!space) compact[size++] = c;
    }
    const size_t end = begin + kLength;
    return (end == text_.size() || !IsWordByte(text_[end])) && IsUkNationalInsurance({compact.data(), size}) &&
           Take(begin, end, Kind::kNationalId);
  }

  // A number that begins a word, which ends at `end`.
  size_t Number(size_t begin, size_t end) {
    if (begin < taken_) return end;
    const char next = end < text_.size() ? text_[end] : ' ';
    if (next == ':' && end - begin <= 4) {
      const size_t address_end = Ipv6(begin);
      if (address_end != 0) return address_end;
    }
    if (next == '.' && end - begin <= 3 && (begin == 0 || text_[begin - 1] != '+')) {
      const size_t address_end = Ipv4(begin);
      if (address_end != 0) return address_end;
    }
    const std::string_view word = text_.substr(begin, end - begin);
    if (word.size() == 9 && IsSpanishId(word) && Take(begin, end, Kind::kNationalId)) return end;
    if (word.size() == 17 && IsVin(word) && Take(begin, end, Kind::kVin)) return end;
    if (word.size() == 2 && next == ' ' && begin > 2 && text_[begin - 1] == ' ' && IsCapital(text_[begin - 2]) &&
        SpacedNationalInsurance(begin))
      return taken_;
    // Most numbers are short and stand alone.
    if (end - begin < 7 && (end == text_.size() || IsLastGroup(end))) return end;
    const std::optional<PersonalDataItem> found = FindNumber(text_, begin);
    return found && Take(found->begin, found->end, found->kind) ? found->end : end;
  }

  // Whether no group of digits follows behind `end`, by a look at two bytes.
  bool IsLastGroup(size_t end) const {
    const char c = text_[end];
    if (Is(c, kLetter) || c == ',' || c == '\n' || c == '%' || c == ':' || c == '/') return true;
    if (c != ' ' && c != '.') return false;
    if (end + 1 == text_.size()) return true;
    const char next = text_[end + 1];
    return Is(next, kLetter) || next == ' ' || next == '\n';
  }

  std::string_view text_;
  const PersonalDataSettings& settings_;
  PersonalDataTriggers triggers_;
  SecretFinder secrets_;
  std::vector<PersonalDataItem> items_;
  size_t taken_ = 0;
  size_t word_begin_ = 0;
  size_t word_end_ = 0;
};

constexpr std::string_view kNames[kPersonalDataKinds] = {"email", "phone",       "card",   "iban",
                                                         "ip",    "national_id", "secret", "vin"};

void ReplaceAll(std::string& text, std::string_view what, std::string_view by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::string_view PersonalDataName(PersonalDataKind kind) { return kNames[static_cast<size_t>(kind)]; }

bool PersonalDataSettings::Wants(PersonalDataKind kind) const {
  const bool wanted[kPersonalDataKinds] = {email, phone, card, iban, ip, national_id, secret, vin};
  return wanted[static_cast<size_t>(kind)];
}

std::string PersonalDataSettings::PlaceholderOf(PersonalDataKind kind) const {
  const std::string& own = placeholders[static_cast<size_t>(kind)];
  std::string made = own.empty() ? placeholder : own;
  const std::string_view name = PersonalDataName(kind);
  std::string capitals(name);
  for (char& c : capitals) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  ReplaceAll(made, "{KIND}", capitals);
  ReplaceAll(made, "{kind}", name);
  return made;
}

std::vector<PersonalDataItem> FindPersonalData(std::string_view text, const PersonalDataSettings& settings) {
  return Scanner(text, settings).Run();
}

std::string ReplacePersonalData(std::string_view text, const std::vector<PersonalDataItem>& items,
                                const PersonalDataSettings& settings, std::vector<size_t>* marks) {
  std::array<std::string, kPersonalDataKinds> made;
  for (size_t i = 0; i < kPersonalDataKinds; ++i) made[i] = settings.PlaceholderOf(static_cast<Kind>(i));
  std::vector<std::string_view> replacements;
  replacements.reserve(items.size());
  for (const PersonalDataItem& item : items) replacements.emplace_back(made[static_cast<size_t>(item.kind)]);
  return ReplaceItems(text, items, replacements, marks);
}

std::string ReplaceItems(std::string_view text, const std::vector<PersonalDataItem>& items,
                         const std::vector<std::string_view>& replacements, std::vector<size_t>* marks) {
  std::string out;
  out.reserve(text.size());
  size_t from = 0;
  size_t mark = 0;
  const auto move_marks = [&](size_t until, bool inside) {  // marks before `until`
    for (; marks != nullptr && mark < marks->size() && (*marks)[mark] <= until; ++mark) {
      (*marks)[mark] = inside ? out.size() : out.size() - (until - (*marks)[mark]);
    }
  };
  for (size_t i = 0; i < items.size(); ++i) {
    const PersonalDataItem& item = items[i];
    out += text.substr(from, item.begin - from);
    move_marks(item.begin, false);
    out += replacements[i];
    move_marks(item.end, true);
    from = item.end;
  }
  out += text.substr(from);
  move_marks(text.size(), false);
  return out;
}

}  // namespace rhodes
