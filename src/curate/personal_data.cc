#include "curate/personal_data.h"

#include <algorithm>
#include <utility>

#include "curate/personal_data_checks.h"

namespace rhodes {
namespace {

using Kind = PersonalDataKind;

enum : uint8_t { kOther = 0, kLetter = 1, kDigit = 2, kAt = 4, kPlus = 8, kHigh = 16 };

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes{};
  for (size_t c = 0; c < 256; ++c) {
    if (c >= '0' && c <= '9') classes[c] = kDigit;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) classes[c] = kLetter;
  }
  classes['@'] = kAt;
  classes['+'] = kPlus;
  classes[0xD9] = classes[0xDB] = kHigh;
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

uint8_t ClassOf(char c) { return kClasses[static_cast<uint8_t>(c)]; }
bool IsWordByte(char c) { return (ClassOf(c) & (kLetter | kDigit)) != 0; }

// The value of the digit at `at` and its bytes: ASCII, U+0660 to U+0669, U+06F0 to U+06F9. {-1, 0}: no digit.
std::pair<int, size_t> DigitAt(std::string_view text, size_t at) {
  if (at >= text.size()) return {-1, 0};
  const auto c = static_cast<uint8_t>(text[at]);
  if (c >= '0' && c <= '9') return {c - '0', 1};
  if (at + 1 >= text.size()) return {-1, 0};
  const auto next = static_cast<uint8_t>(text[at + 1]);
  if (c == 0xD9 && next >= 0xA0 && next <= 0xA9) return {next - 0xA0, 2};
  if (c == 0xDB && next >= 0xB0 && next <= 0xB9) return {next - 0xB0, 2};
  return {-1, 0};
}

// Digits with single separators between them, as one number may be written.
struct NumberRun {
  static constexpr size_t kMostDigits = 20;
  std::string digits;
  std::string shape;  // '9' for each digit, separators as they are
  size_t end = 0;
};

NumberRun ReadNumber(std::string_view text, size_t at) {
  NumberRun run;
  while (run.digits.size() <= NumberRun::kMostDigits) {
    const auto [digit, bytes] = DigitAt(text, at);
    if (bytes > 0) {
      run.digits += static_cast<char>('0' + digit);
      run.shape += '9';
      run.end = at += bytes;
      continue;
    }
    // At most two separators, such as ") ", and then a digit again.
    size_t next = at;
    while (next < text.size() && next < at + 2 &&
           std::string_view(" -.()").find(text[next]) != std::string_view::npos) {
      ++next;
    }
    if (next == at || DigitAt(text, next).second == 0) break;
    run.shape += text.substr(at, next - at);
    at = next;
  }
  return run;
}

bool HasShape(const NumberRun& run, std::string_view shape) { return run.shape == shape; }

// Whether one of `words` stands in the 32 bytes before `at`, in any case of ASCII letters.
bool Follows(std::string_view text, size_t at, std::initializer_list<std::string_view> words) {
  const size_t from = at < 32 ? 0 : at - 32;
  std::string before(text.substr(from, at - from));
  for (char& c : before) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return before.find(word) != std::string::npos; });
}

bool IsPlainNumber(const NumberRun& run) { return run.shape.size() == run.digits.size(); }

bool IsNationalId(std::string_view text, size_t at, const NumberRun& run) {
  const std::string_view digits = run.digits;
  if (HasShape(run, "999-99-9999")) return IsUsSocialSecurity(digits);
  if (HasShape(run, "999.999.999-99")) return IsBrazilianCpf(digits);
  if (HasShape(run, "9999 9999 9999")) return IsAadhaar(digits);
  if (HasShape(run, "999-9999-9999999-9")) return IsEmiratesId(digits);
  if (HasShape(run, "9 99 99 99 999 999 99")) return IsFrenchNir(digits);
  if (HasShape(run, "999999 99999")) return IsNorwegianBirthNumber(digits);
  if (!IsPlainNumber(run)) return false;
  if (IsEmiratesId(digits) || IsFrenchNir(digits) || IsEgyptianId(digits) || IsNorwegianBirthNumber(digits))
    return true;
  // One number in ten or so passes these tests, so a word before must say what it is.
  if (IsDutchBsn(digits)) return Follows(text, at, {"bsn", "burgerservice"});
  if (IsUsSocialSecurity(digits)) return Follows(text, at, {"ssn", "social security"});
  if (IsBrazilianCpf(digits)) return Follows(text, at, {"cpf"});
  if (IsAadhaar(digits)) return Follows(text, at, {"aadhaar", "uidai"});
  return IsSaudiId(digits) && Follows(text, at, {"iqama", "national id", "الهوية", "هوية", "الإقامة"});
}

bool IsNorthAmericanPhone(const NumberRun& run) {
  static constexpr std::string_view kShapes[] = {"999) 999-9999", "999)999-9999", "999-999-9999", "999.999.9999",
                                                 "999 999-9999"};
  return std::find(std::begin(kShapes), std::end(kShapes), run.shape) != std::end(kShapes) && run.digits[0] >= '2' &&
         run.digits[3] >= '2';
}

bool IsNationalPhone(std::string_view text, size_t at, const NumberRun& run) {
  if (IsNorthAmericanPhone(run)) return true;
  static constexpr std::string_view kDates[] = {"9999-99-99", "9999.99.99", "99-99-9999", "99.99.9999"};
  if (std::find(std::begin(kDates), std::end(kDates), run.shape) != std::end(kDates)) return false;
  const size_t n = run.digits.size();
  return n >= 7 && n <= 12 &&
         Follows(text, at, {"tel", "phone", "mobile", "whatsapp", "fax", "call ", "هاتف", "جوال", "موبايل", "تلفون"});
}

// Card numbers are written without separators or in groups with one kind of them.
bool IsCardWritten(const NumberRun& run) {
  if (!IsCard(run.digits)) return false;
  static constexpr std::string_view kShapes[] = {"9999 9999 9999 9999", "9999-9999-9999-9999", "9999 999999 99999",
                                                 "9999-999999-99999", "9999 999999 9999"};
  return IsPlainNumber(run) || std::find(std::begin(kShapes), std::end(kShapes), run.shape) != std::end(kShapes);
}

// Whether an IPv4 address of the public Internet is written: not private, documentation, loopback or multicast ones
// (the IANA special-purpose registry).
bool IsPublicIpv4(std::string_view text, size_t at, size_t* end) {
  int parts[4];
  for (int i = 0; i < 4; ++i) {
    const size_t begin = at;
    int value = 0;
    while (at < text.size() && ClassOf(text[at]) == kDigit && at < begin + 4) value = value * 10 + (text[at++] - '0');
    if (at == begin || at > begin + 3 || value > 255 || (text[begin] == '0' && at > begin + 1)) return false;
    parts[i] = value;
    if (i < 3 && (at >= text.size() || text[at++] != '.')) return false;
  }
  if (at < text.size() &&
      (IsWordByte(text[at]) || (text[at] == '.' && at + 1 < text.size() && IsWordByte(text[at + 1])))) {
    return false;
  }
  *end = at;
  const auto [a, b, c, d] = parts;
  const bool special = a == 0 || a == 10 || a == 127 || a >= 224 || (a == 100 && b >= 64 && b < 128) ||
                       (a == 169 && b == 254) || (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) ||
                       (a == 192 && b == 0 && (c == 0 || c == 2)) || (a == 198 && (b == 18 || b == 19)) ||
                       (a == 198 && b == 51 && c == 100) || (a == 203 && b == 0 && c == 113);
  return !special;
}

struct SecretForm {
  std::string_view prefix;
  size_t shortest, longest;  // characters after the prefix
};
constexpr SecretForm kSecrets[] = {
    {"AKIA", 16, 16},        {"ASIA", 16, 16},      {"ghp_", 36, 36},      {"gho_", 36, 36},     {"ghs_", 36, 36},
    {"github_pat_", 50, 90}, {"xoxb-", 20, 90},     {"xoxp-", 20, 90},     {"AIza", 35, 35},     {"sk_live_", 20, 100},
    {"rk_live_", 20, 100},   {"sk_test_", 20, 100}, {"sk-proj-", 20, 200}, {"sk-ant-", 20, 200}, {"sk-", 40, 60},
    {"glpat-", 20, 20},      {"npm_", 36, 36},      {"hf_", 30, 40}};

// A secret with a known prefix at `at`; its end, or 0.
size_t SecretEnd(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at, 4096);
  const auto is_token = [](char c) { return IsWordByte(c) || c == '_' || c == '-'; };
  for (const SecretForm& form : kSecrets) {
    if (!rest.starts_with(form.prefix)) continue;
    size_t n = form.prefix.size();
    while (n < rest.size() && is_token(rest[n])) ++n;
    const size_t length = n - form.prefix.size();
    if (length >= form.shortest && length <= form.longest) return at + n;
  }
  if (rest.starts_with("eyJ")) {  // JSON Web Token: three parts in base64url
    size_t n = 0;
    int dots = 0;
    for (; n < rest.size() && (is_token(rest[n]) || (rest[n] == '.' && dots < 2)); ++n) dots += rest[n] == '.' ? 1 : 0;
    if (dots == 2 && n > 40) return at + n;
  }
  return 0;
}

constexpr size_t kLongestLocal = 64;  // RFC 5321, 4.5.3.1
constexpr size_t kLongestDomain = 255;

class Scanner {
 public:
  Scanner(std::string_view text, const PersonalDataSettings& settings) : text_(text), settings_(settings) {}

  std::vector<PersonalDataItem> Run() {
    size_t at = 0;
    while (at < text_.size()) {
      const uint8_t kind = ClassOf(text_[at]);
      if (kind == kOther) {
        if (text_[at] == '-' && text_.substr(at, 11) == "-----BEGIN ") PrivateKey(at);
        ++at;
      } else if (kind == kLetter) {
        at = Word(at);
      } else if (kind == kAt) {
        at = Email(at);
      } else {
        at = Numeric(at);
      }
      at = std::max(at, taken_);
    }
    return std::move(items_);
  }

 private:
  bool Take(size_t begin, size_t end, Kind kind) {
    if (!settings_.Wants(kind) || begin < taken_) return false;
    items_.push_back({begin, end, kind});
    taken_ = end;
    return true;
  }

  size_t WordEnd(size_t at) const {
    while (at < text_.size() && IsWordByte(text_[at])) ++at;
    return at;
  }

  // A run of ASCII letters and digits that begins with a letter.
  size_t Word(size_t begin) {
    const size_t end = WordEnd(begin);
    const size_t length = end - begin;
    const char c = text_[begin];
    if ((length > 20 || (end < text_.size() && (text_[end] == '_' || text_[end] == '-' || text_[end] == '.'))) &&
        std::string_view("Agxsrneh").find(c) != std::string_view::npos) {
      const size_t secret = SecretEnd(text_, begin);
      if (secret != 0 && Take(begin, secret, Kind::kSecret)) return secret;
    }
    if (length == 20 && c == 'A' && SecretEnd(text_, begin) == end && Take(begin, end, Kind::kSecret)) return end;
    if (c < 'A' || c > 'Z' || length < 2) return end;
    const std::string_view word = text_.substr(begin, length);
    if (length == 17 && IsVin(word)) Take(begin, end, Kind::kVin);
    if (length == 9 && (IsUkNationalInsurance(word) || IsSpanishId(word))) Take(begin, end, Kind::kNationalId);
    if (length == 16 && IsItalianFiscalCode(word)) Take(begin, end, Kind::kNationalId);
    if (length >= 4 && ClassOf(word[1]) == kLetter && ClassOf(word[2]) == kDigit && ClassOf(word[3]) == kDigit) {
      Iban(begin);
    }
    return end;
  }

  // Groups of letters and digits with single spaces between them; the longest that is an IBAN counts.
  void Iban(size_t begin) {
    std::string compact;
    for (size_t at = begin; at < text_.size() && compact.size() < 34; ++at) {
      if (IsWordByte(text_[at])) {
        compact += text_[at];
        const bool whole = at + 1 == text_.size() || !IsWordByte(text_[at + 1]);
        if (whole && compact.size() >= 15 && IsIban(compact) && Take(begin, at + 1, Kind::kIban)) return;
      } else if (text_[at] != ' ') {
        return;
      }
    }
  }

  void PrivateKey(size_t begin) {
    constexpr size_t kLongest = 8192;
    const std::string_view rest = text_.substr(begin, kLongest);
    if (rest.substr(0, 64).find("PRIVATE KEY-----") == std::string_view::npos) return;
    const size_t foot = rest.find("-----END ");
    if (foot == std::string_view::npos) return;
    const size_t close = rest.find("-----", foot + 9);
    if (close != std::string_view::npos) Take(begin, begin + close + 5, Kind::kSecret);
  }

  size_t Email(size_t at) {
    size_t begin = at;
    while (
        begin > taken_ && at - begin < kLongestLocal &&
        (IsWordByte(text_[begin - 1]) || std::string_view("._%+-").find(text_[begin - 1]) != std::string_view::npos)) {
      --begin;
    }
    while (begin < at && !IsWordByte(text_[begin])) ++begin;
    size_t end = at + 1;
    size_t last_dot = 0;
    while (end < text_.size() && end - at <= kLongestDomain) {
      const char c = text_[end];
      if (c == '.' && (end + 1 == text_.size() || !IsWordByte(text_[end + 1]))) break;
      if (c == '.') last_dot = end;
      if (!IsWordByte(c) && c != '.' && c != '-') break;
      ++end;
    }
    while (end > at + 1 && text_[end - 1] == '-') --end;
    const bool top_level = last_dot > at + 1 && end > last_dot + 2 && ClassOf(text_[last_dot + 1]) == kLetter;
    if (begin < at && text_[at - 1] != '.' && top_level && Take(begin, end, Kind::kEmail)) return end;
    return at + 1;
  }

  size_t Numeric(size_t begin) {
    const bool plus = text_[begin] == '+';
    size_t first = begin + (plus ? 1 : 0);
    if (plus && first < text_.size() && text_[first] == '(') ++first;
    if (DigitAt(text_, first).second == 0) return begin + 1;
    // The run of digits and letters that the number stands in, to go on behind it when nothing is found.
    size_t word_end = first;
    while (word_end < text_.size()) {
      const size_t digit = DigitAt(text_, word_end).second;
      if (digit == 0 && !IsWordByte(text_[word_end])) break;
      word_end += digit == 0 ? 1 : digit;
    }
    if (begin > 0 && (IsWordByte(text_[begin - 1]) || text_[begin - 1] == '_' || text_[begin - 1] == '/'))
      return word_end;
    size_t end = 0;
    const bool within = begin > 1 && text_[begin - 1] == '.' && IsWordByte(text_[begin - 2]);  // "1.2.3.4.5"
    if (!plus && !within && IsPublicIpv4(text_, first, &end)) {
      Take(first, end, Kind::kIp);
      return end;
    }
    if (end != 0) return end;  // an address, of a special range
    const std::string_view word = text_.substr(first, word_end - first);
    if (word.size() == 9 && IsSpanishId(word) && Take(first, word_end, Kind::kNationalId)) return word_end;
    if (word.size() == 17 && IsVin(word) && Take(first, word_end, Kind::kVin)) return word_end;
    const NumberRun run = ReadNumber(text_, first);
    if (run.digits.size() > NumberRun::kMostDigits || run.digits.size() < 7) return word_end;
    if (run.end < text_.size() && (IsWordByte(text_[run.end]) || text_[run.end] == '_')) return word_end;
    return Classify(begin, first, plus, run) ? run.end : word_end;
  }

  bool Classify(size_t begin, size_t first, bool plus, const NumberRun& run) {
    if (plus) return IsInternationalPhone(run.digits) && Take(begin, run.end, Kind::kPhone);
    if (IsCardWritten(run)) return Take(first, run.end, Kind::kCard);
    if (IsNationalId(text_, first, run)) return Take(first, run.end, Kind::kNationalId);
    const bool zeros = run.digits.starts_with("00") && IsInternationalPhone(std::string_view(run.digits).substr(2)) &&
                       Follows(text_, first, {"tel", "phone", "mobile", "fax", "هاتف", "جوال"});
    if (!zeros && !IsNationalPhone(text_, first, run)) return false;
    const bool bracket = run.shape.find(')') != std::string::npos && first > 0 && text_[first - 1] == '(';
    return Take(bracket ? first - 1 : first, run.end, Kind::kPhone);
  }

  std::string_view text_;
  const PersonalDataSettings& settings_;
  std::vector<PersonalDataItem> items_;
  size_t taken_ = 0;
};

constexpr std::string_view kNames[kPersonalDataKinds] = {"email", "phone",       "card",   "iban",
                                                         "ip",    "national_id", "secret", "vin"};
constexpr std::string_view kPlaceholders[kPersonalDataKinds] = {"<EMAIL>", "<PHONE>",       "<CARD>",   "<IBAN>",
                                                                "<IP>",    "<NATIONAL_ID>", "<SECRET>", "<VIN>"};

}  // namespace

std::string_view PersonalDataName(PersonalDataKind kind) { return kNames[static_cast<size_t>(kind)]; }

bool PersonalDataSettings::Wants(PersonalDataKind kind) const {
  const bool wanted[kPersonalDataKinds] = {email, phone, card, iban, ip, national_id, secret, vin};
  return wanted[static_cast<size_t>(kind)];
}

std::vector<PersonalDataItem> FindPersonalData(std::string_view text, const PersonalDataSettings& settings) {
  return Scanner(text, settings).Run();
}

std::string ReplacePersonalData(std::string_view text, const std::vector<PersonalDataItem>& items,
                                std::vector<size_t>* marks) {
  std::string out;
  out.reserve(text.size());
  size_t from = 0;
  size_t mark = 0;
  const auto move_marks = [&](size_t until, bool inside) {  // marks before `until`
    for (; marks != nullptr && mark < marks->size() && (*marks)[mark] <= until; ++mark) {
      (*marks)[mark] = inside ? out.size() : out.size() - (until - (*marks)[mark]);
    }
  };
  for (const PersonalDataItem& item : items) {
    out += text.substr(from, item.begin - from);
    move_marks(item.begin, false);
    out += kPlaceholders[static_cast<size_t>(item.kind)];
    move_marks(item.end, true);
    from = item.end;
  }
  out += text.substr(from);
  move_marks(text.size(), false);
  return out;
}

}  // namespace rhodes
