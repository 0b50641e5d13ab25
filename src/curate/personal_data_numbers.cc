#include "curate/personal_data_numbers.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>

#include "curate/personal_data_checks.h"
#include "curate/personal_data_phones.h"

namespace rhodes {
namespace {

using Kind = PersonalDataKind;

bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsWordByte(char c) { return IsAsciiLetter(c) || (c >= '0' && c <= '9'); }

// The separator at `at` as the ASCII character it stands for, and its length in bytes; {0, 0}: none.
struct Separator {
  char as = 0;
  size_t length = 0;
};
Separator SeparatorAt(std::string_view text, size_t at) {
  if (at >= text.size()) return {};
  const char c = text[at];
  if (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')') return {c, 1};
  const std::string_view rest = text.substr(at, 3);
  if (rest.starts_with("\u00A0")) return {' ', 2};
  if (rest == "\u202F" || rest == "\u2009") return {' ', 3};
  if (rest == "\u2010" || rest == "\u2011" || rest == "\u2012" || rest == "\u2013") return {'-', 3};
  return {};
}

// Groups of digits with one separator between them, or with a bracket and one more, as one number may be written.
class NumberRun {
 public:
  static constexpr size_t kMostDigits = 20;

  // `open`: a bracket is open where the run begins.
  NumberRun(std::string_view text, size_t at, bool open) : open_(open) {
    while (ReadGroup(text, &at)) {
      groups_[group_count_++] = {digit_count_, shape_size_, at};
      size_t next = at;
      const Separator first = SeparatorAt(text, next);
      if (first.length == 0 || !Fits(first.as)) break;
      next += first.length;
      const Separator second = SeparatorAt(text, next);
      next += second.length;
      if (second.length > 0 && (IsBracket(first.as) == IsBracket(second.as) || !Fits(second.as))) break;
      if (DigitLength(text, next) == 0) break;
      shape_[shape_size_++] = first.as;
      if (second.length > 0) shape_[shape_size_++] = second.as;
      at = next;
    }
  }

  // What the first `groups` groups are.
  size_t groups() const { return group_count_; }
  std::string_view digits(size_t groups) const { return {digits_.data(), groups_[groups - 1].digits}; }
  std::string_view shape(size_t groups) const { return {shape_.data(), groups_[groups - 1].shape}; }  // '9' for a digit
  size_t end(size_t groups) const { return groups_[groups - 1].end; }
  // The separator behind them, or 0 at the end of the run.
  char next_separator(size_t groups) const { return groups == group_count_ ? '\0' : shape_[groups_[groups - 1].shape]; }

 private:
  struct Group {
    size_t digits, shape, end;
  };

  static bool IsBracket(char c) { return c == '(' || c == ')'; }

  // Brackets come in pairs.
  bool Fits(char separator) {
    if (!IsBracket(separator)) return true;
    if ((separator == ')') != open_) return false;
    open_ = !open_;
    return true;
  }

  bool ReadGroup(std::string_view text, size_t* at) {
    const size_t begun = digit_count_;
    for (size_t length = DigitLength(text, *at); length > 0; length = DigitLength(text, *at)) {
      if (digit_count_ == kMostDigits) return false;
      const auto value = static_cast<unsigned char>(text[*at + length - 1]) & 0x0F;
      digits_[digit_count_++] = static_cast<char>('0' + value);
      shape_[shape_size_++] = '9';
      *at += length;
    }
    return digit_count_ > begun && (*at >= text.size() || (!IsWordByte(text[*at]) && text[*at] != '_'));
  }

  std::array<char, kMostDigits> digits_{};
  std::array<char, 3 * kMostDigits> shape_{};
  std::array<Group, kMostDigits + 1> groups_{};
  size_t digit_count_ = 0;
  size_t shape_size_ = 0;
  size_t group_count_ = 0;
  bool open_;
};

// A word that says what the number behind it is. `starts`: no letter stands before it; `ends`: no ASCII letter behind
// it.
struct Word {
  std::string_view text;
  bool starts = true;
  bool ends = false;
};
constexpr size_t kWordsReach = 48;

constexpr Word kPhoneWords[] = {{"tel"},
                                {"phone", false},
                                {"tél"},
                                {"fon", true, true},
                                {"handy", true, true},
                                {"mobil"},
                                {"móvil"},
                                {"celular"},
                                {"cell"},
                                {"whatsapp"},
                                {"viber"},
                                {"fax", false},
                                {"call", true, true},
                                {"contact"},
                                {"dial", true, true},
                                {"sms", true, true},
                                {"hotline", false},
                                {"helpline", false},
                                {"هاتف", false},
                                {"جوال", false},
                                {"موبايل", false},
                                {"تلفون", false},
                                {"تليفون", false},
                                {"محمول", false},
                                {"فاكس", false},
                                {"واتس", false},
                                {"اتصل", false},
                                {"اتصال", false},
                                {"تواصل", false},
                                {"ت:"}};
constexpr Word kCardWords[] = {{"card"},  {"visa"},  {"mastercard"},   {"amex"},    {"credit"},
                               {"debit"}, {"carte"}, {"karte", false}, {"tarjeta"}, {"بطاقة", false}};
constexpr Word kSsnWords[] = {{"ssn", true, true}, {"social security"}};
constexpr Word kCpfWords[] = {{"cpf", true, true}};
constexpr Word kBsnWords[] = {{"bsn", true, true}, {"burgerservice"}, {"sofi"}};
constexpr Word kAadhaarWords[] = {{"aadha"}, {"uidai"}};
constexpr Word kSaudiWords[] = {{"iqama"},          {"national id"},    {"id number"},          {"هوية", false},
                                {"الإقامة", false}, {"الاقامة", false}, {"السجل المدني", false}};

// What stands before a number, in small letters.
class Before {
 public:
  Before(std::string_view text, size_t at) {
    const size_t from = at < kWordsReach ? 0 : at - kWordsReach;
    for (size_t i = from; i < at; ++i) {
      const char c = text[i];
      capitals_[size_] = c >= 'A' && c <= 'Z';
      bytes_[size_] = capitals_[size_] ? static_cast<char>(c + 32) : c;
      ++size_;
    }
  }

  // Whether Arabic letters stand there.
  bool IsArabic() const {
    for (size_t at = size_; at > 0 && !IsPlaceholderEnd(at - 1); --at) {
      if (bytes_[at - 1] == '\xD8' || bytes_[at - 1] == '\xD9') return true;
    }
    return false;
  }

  template <size_t N>
  bool Has(const Word (&words)[N]) const {
    return std::any_of(std::begin(words), std::end(words), [&](const Word& word) { return HasWord(word); });
  }

 private:
  bool HasWord(const Word& word) const {
    const std::string_view before(bytes_.data(), size_);
    for (size_t at = before.find(word.text); at != std::string_view::npos; at = before.find(word.text, at + 1)) {
      const size_t end = at + word.text.size();
      if (word.starts && at > 0 && (IsAsciiLetter(before[at - 1]) || (before[at - 1] & 0x80) != 0)) continue;
      if (word.ends && end < before.size() && IsAsciiLetter(before[end])) continue;
      if (Reaches(end)) return true;
    }
    return false;
  }

  // Another item's, where the text was gone through before: it counts as the number that stood there.
  bool IsPlaceholderEnd(size_t at) const { return bytes_[at] == '>' && at > 0 && capitals_[at - 1]; }

  // Whether what stands behind `end` belongs to the word: no other number, no new sentence.
  bool Reaches(size_t end) const {
    bool letters = false;
    bool lines = false;
    for (size_t at = end; at < size_; ++at) {
      const char c = bytes_[at];
      if (DigitLength({bytes_.data(), size_}, at) > 0 || IsPlaceholderEnd(at)) return false;
      letters = letters || IsAsciiLetter(c) || (c & 0x80) != 0;
      lines = lines || c == '\n';
      const bool stop = c == '.' || c == '!' || c == '?';
      if (stop && at + 4 < size_ && bytes_[at + 1] == ' ' && capitals_[at + 2] && IsAsciiLetter(bytes_[at + 3]) &&
          IsAsciiLetter(bytes_[at + 4])) {
        return false;
      }
    }
    return !(lines && letters);
  }

  std::array<char, kWordsReach> bytes_{};
  std::array<bool, kWordsReach> capitals_{};
  size_t size_ = 0;
};

bool IsPlain(std::string_view digits, std::string_view shape) { return digits.size() == shape.size(); }

template <size_t N>
bool IsOneOf(std::string_view shape, const std::string_view (&shapes)[N]) {
  return std::find(std::begin(shapes), std::end(shapes), shape) != std::end(shapes);
}

int TwoDigits(std::string_view digits, size_t at) { return (digits[at] - '0') * 10 + digits[at + 1] - '0'; }

// Date and time of the years 1900 to 2099 as YYYYMMDDhhmmss.
bool IsTimestamp(std::string_view digits) {
  const int century = TwoDigits(digits, 0);
  const int month = TwoDigits(digits, 4);
  const int day = TwoDigits(digits, 6);
  return digits.size() == 14 && (century == 19 || century == 20) && month >= 1 && month <= 12 && day >= 1 &&
         day <= 31 && TwoDigits(digits, 8) < 24 && TwoDigits(digits, 10) < 60 && TwoDigits(digits, 12) < 61;
}

// "1823-1999" and "2010 2011 2012".
bool IsYears(std::string_view digits, std::string_view shape) {
  if (digits.size() % 4 != 0 || shape.size() != digits.size() / 4 * 5 - 1) return false;
  for (size_t at = 0; at < digits.size(); at += 4) {
    const int century = TwoDigits(digits, at);
    if (century < 10 || century > 20 || (shape[at / 4 * 5] != '9')) return false;
    if (at > 0 && (shape[at / 4 * 5 - 1] == '9' || digits.substr(at, 4) <= digits.substr(at - 4, 4))) return false;
  }
  return true;
}

// Card numbers are written without separators, or in their groups with one kind of them.
bool IsCardNumber(const Before& before, std::string_view digits, std::string_view shape) {
  if (digits.size() < 13 || !IsCard(digits)) return false;
  static constexpr std::string_view kShapes[] = {"9999 9999 9999 9999",    "9999-9999-9999-9999", "9999 999999 99999",
                                                 "9999-999999-99999",      "9999 999999 9999",    "9999-999999-9999",
                                                 "9999 9999 9999 9999 999"};
  if (IsOneOf(shape, kShapes)) return true;
  // Lengths that article numbers (EAN-13) and ids of posts have as well.
  const bool usual = digits.size() >= 14 && digits.size() <= 16;
  return IsPlain(digits, shape) && (usual || before.Has(kCardWords));
}

bool IsNationalIdNumber(const Before& before, std::string_view digits, std::string_view shape) {
  if (shape == "999-99-9999") return IsUsSocialSecurity(digits);
  if (shape == "999.999.999-99") return IsBrazilianCpf(digits);
  if (shape == "9999 9999 9999" || shape == "9999-9999-9999") return IsAadhaar(digits);
  if (shape == "999-9999-9999999-9") return IsEmiratesId(digits);
  if (shape == "9 99 99 99 999 999 99" || shape == "9 99 99 99 999 999") return IsFrenchNir(digits);
  if (shape == "999999 99999") return IsNorwegianBirthNumber(digits);
  if (shape == "999 99 9999") return IsUsSocialSecurity(digits) && before.Has(kSsnWords);
  if (!IsPlain(digits, shape)) return false;
  if (IsEmiratesId(digits) || IsFrenchNir(digits) || IsNorwegianBirthNumber(digits)) return true;
  // One number in ten or so passes these tests, so a word before must say what it is.
  return (IsDutchBsn(digits) && before.Has(kBsnWords)) || (IsUsSocialSecurity(digits) && before.Has(kSsnWords)) ||
         (IsBrazilianCpf(digits) && before.Has(kCpfWords)) || (IsAadhaar(digits) && before.Has(kAadhaarWords)) ||
         (IsSaudiId(digits) && before.Has(kSaudiWords));
}

bool IsNorthAmericanPhone(std::string_view digits, std::string_view shape) {
  static constexpr std::string_view kShapes[] = {"999) 999-9999",    "999)999-9999",     "999-999-9999",
                                                 "999.999.9999",     "999 999-9999",     "9-999-999-9999",
                                                 "9 (999) 999-9999", "9-(999)-999-9999", "9.999.999.9999"};
  if (!IsOneOf(shape, kShapes)) return false;
  const bool long_distance = digits.size() == 11;
  if (long_distance && digits[0] != '1') return false;
  std::array<char, 11> full{'1'};
  std::copy(digits.end() - 10, digits.end(), full.begin() + 1);
  return IsInternationalPhone({full.data(), full.size()}) && full[4] >= '2';
}

// Whether behind a 0, which is for calls within a country, a number of one of the countries stands.
template <size_t N>
bool IsDomestic(std::string_view digits, const std::string_view (&codes)[N]) {
  if (digits.size() < 9 || digits.size() > 12 || digits[0] != '0') return false;
  return std::any_of(std::begin(codes), std::end(codes), [&](std::string_view code) {
    std::array<char, 16> full{};
    const auto* const end =
        std::copy(digits.begin() + 1, digits.end(), std::copy(code.begin(), code.end(), full.begin()));
    return IsInternationalPhone({full.data(), static_cast<size_t>(end - full.data())});
  });
}

// Forms in national writing that little else has: of Britain in groups with spaces, and in Arabic text the mobile
// numbers of Egypt, Saudi Arabia, the Emirates, Iraq and Jordan.
bool IsDomesticPhone(const Before& before, std::string_view digits, std::string_view shape) {
  static constexpr std::string_view kBritishShapes[] = {"999 9999 9999", "9999 999 9999",  "99999 999999",
                                                        "99999 999 999", "999) 9999 9999", "9999) 999 9999"};
  static constexpr std::string_view kBritish[] = {"44"};
  static constexpr std::string_view kArabic[] = {"20", "962", "964", "966", "971"};
  if (digits[0] != '0') return false;
  if (IsOneOf(shape, kBritishShapes) && IsDomestic(digits, kBritish)) return true;
  const bool mobile = (digits.size() == 11 && (digits[1] == '1' || digits[1] == '7')) ||
                      (digits.size() == 10 && (digits[1] == '5' || digits[1] == '7'));
  return mobile && shape.starts_with("999") && before.IsArabic() && IsDomestic(digits, kArabic);
}

// Other numbers in national form say nothing of their country, so that a word must say that they are one.
bool IsNationalPhone(const Before& before, std::string_view digits, std::string_view shape) {
  // Dates, and numbers of the US Social Security that are none.
  static constexpr std::string_view kOthers[] = {"9999-99-99", "9999.99.99", "99-99-9999", "99.99.9999", "999-99-9999"};
  if (IsOneOf(shape, kOthers) || IsYears(digits, shape)) return false;
  if (std::count(shape.begin(), shape.end(), '.') == 1 && digits.size() + 1 == shape.size()) return false;  // "12.3456"
  if (digits.starts_with("00") && IsInternationalPhone(digits.substr(2))) return before.Has(kPhoneWords);
  return digits.size() >= 7 && digits.size() <= 12 && before.Has(kPhoneWords);
}

// The longest first groups that make a number behind "+"; 0: none. "(0)" is the prefix for calls within the country.
size_t InternationalGroups(const NumberRun& run) {
  for (size_t groups = run.groups(); groups > 0; --groups) {
    const std::string_view digits = run.digits(groups);
    if (IsInternationalPhone(digits)) return groups;
    const std::string_view shape = run.shape(groups);
    const size_t zero = shape.find("(9)");
    if (zero == std::string_view::npos) continue;
    const auto place =
        static_cast<size_t>(std::count(shape.begin(), shape.begin() + static_cast<ptrdiff_t>(zero), '9'));
    if (digits[place] != '0') continue;
    std::array<char, NumberRun::kMostDigits> rest{};
    const auto* const end =
        std::copy(digits.begin() + static_cast<ptrdiff_t>(place) + 1, digits.end(),
                  std::copy(digits.begin(), digits.begin() + static_cast<ptrdiff_t>(place), rest.begin()));
    if (IsInternationalPhone({rest.data(), static_cast<size_t>(end - rest.data())})) return groups;
  }
  return 0;
}

// What stands directly before a number makes it a part of something else: a path, a price, a code, a longer number.
bool IsInside(std::string_view text, size_t begin) {
  if (begin == 0) return false;
  const char c = text[begin - 1];
  if (IsWordByte(c) || std::string_view("_/#$%&").find(c) != std::string_view::npos) return true;
  if (c != '-' && c != '.' && c != ',') return false;
  return (begin > 1 && IsWordByte(text[begin - 2])) || (begin > 2 && DigitLength(text, begin - 3) == 2);
}

// Whether the group before the separator at `begin` - 1 makes what follows the middle of an IBAN ("DE95 4653 5233") or
// of a longer number in groups of four.
bool FollowsGroup(std::string_view text, size_t begin, bool grouped) {
  if (begin < 5) return false;
  const std::string_view group = text.substr(begin - 5, 4);
  if (begin > 5 && IsWordByte(text[begin - 6])) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!is_digit(group[2]) || !is_digit(group[3])) return false;
  return (IsAsciiLetter(group[0]) && IsAsciiLetter(group[1])) || (grouped && is_digit(group[0]) && is_digit(group[1]));
}

}  // namespace

std::optional<PersonalDataItem> FindNumber(std::string_view text, size_t first) {
  size_t begin = first;
  if (begin > 0 && text[begin - 1] == '(') --begin;
  const bool bracket = begin < first;
  const bool plus = begin > 0 && text[begin - 1] == '+';
  if (plus) --begin;
  if (IsInside(text, begin)) return std::nullopt;
  const NumberRun run(text, first, bracket);
  if (run.groups() == 0 || run.digits(run.groups()).size() < 7) return std::nullopt;
  if (plus) {
    const size_t groups = InternationalGroups(run);
    if (groups == 0) return std::nullopt;
    return PersonalDataItem{begin, run.end(groups), Kind::kPhone};
  }
  // A group of a longer number, such as the last three of a card's, or of an IBAN.
  const bool goes_on = begin > 1 && SeparatorAt(text, begin - 1).length == 1 && text[begin - 1] != '(' &&
                       IsWordByte(text[begin - 2]) && !IsAsciiLetter(text[begin - 2]);
  const Before before(text, begin);
  for (size_t groups = run.groups(); groups > 0; --groups) {
    const std::string_view digits = run.digits(groups);
    const std::string_view shape = run.shape(groups);
    if (digits.size() < 7) break;
    if (IsPlain(digits, shape) && IsEgyptianId(digits) && !IsTimestamp(digits)) {
      return PersonalDataItem{first, run.end(groups), Kind::kNationalId};
    }
    if (!(goes_on && FollowsGroup(text, begin, !IsPlain(digits, shape))) && IsCardNumber(before, digits, shape))
      return PersonalDataItem{first, run.end(groups), Kind::kCard};
    // Groups that go on with the same separator are of a longer number.
    const size_t inner = shape.find_first_not_of('9');
    const char separator = inner == std::string_view::npos ? ' ' : shape[inner];
    if (groups < run.groups() && run.next_separator(groups) == separator && inner != std::string_view::npos) continue;
    if (goes_on && text[begin - 1] == separator && inner != std::string_view::npos) continue;
    if (IsNationalIdNumber(before, digits, shape)) return PersonalDataItem{first, run.end(groups), Kind::kNationalId};
    if (IsNorthAmericanPhone(digits, shape) || IsDomesticPhone(before, digits, shape) ||
        IsNationalPhone(before, digits, shape)) {
      // Brackets that are half within the number.
      const auto count = [&](char c) { return std::count(shape.begin(), shape.end(), c); };
      const bool before_it = bracket && count(')') > count('(');
      const size_t end = run.end(groups);
      const bool behind_it = count('(') > count(')') && end < text.size() && text[end] == ')';
      return PersonalDataItem{before_it ? first - 1 : first, behind_it ? end + 1 : end, Kind::kPhone};
    }
  }
  return std::nullopt;
}

}  // namespace rhodes
