#include "curate/personal_data_checks.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace rhodes {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool AllDigits(std::string_view text) { return std::all_of(text.begin(), text.end(), IsDigit); }
int Digit(char c) { return c - '0'; }

int Number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + Digit(c);
  return value;
}

int Remainder97(std::string_view digits) {
  int rest = 0;
  for (const char c : digits) rest = (rest * 10 + Digit(c)) % 97;
  return rest;
}

bool IsDate(int day, int month) { return day >= 1 && day <= 31 && month >= 1 && month <= 12; }

int Weighted(std::string_view digits, std::span<const int> weights) {
  int sum = 0;
  for (size_t i = 0; i < weights.size(); ++i) sum += weights[i] * Digit(digits[i]);
  return sum;
}

struct CountryLength {
  std::string_view country;
  size_t length;
};
// The IBAN registry of SWIFT.
constexpr CountryLength kIbanLengths[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22},
    {"BR", 29}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DK", 18}, {"DO", 28}, {"EE", 20},
    {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GR", 27}, {"HR", 21}, {"HU", 28},
    {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28},
    {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"MC", 27}, {"MT", 31}, {"NL", 18}, {"NO", 15}, {"PK", 24},
    {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"SA", 24}, {"SE", 24}, {"SI", 19},
    {"SK", 24}, {"TN", 24}, {"TR", 26}, {"UA", 29}};

}  // namespace

bool PassesLuhn(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int value = Digit(digits[digits.size() - 1 - i]);
    if (i % 2 == 1) value = value > 4 ? 2 * value - 9 : 2 * value;
    sum += value;
  }
  return sum % 10 == 0;
}

bool PassesVerhoeff(std::string_view digits) {
  static constexpr std::string_view kPermutation = "1576283094";
  int check = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int value = Digit(digits[digits.size() - 1 - i]);
    for (size_t turn = 0; turn < i % 8; ++turn) value = Digit(kPermutation[static_cast<size_t>(value)]);
    // The product of the dihedral group of ten elements: 0 to 4 are rotations, 5 to 9 reflections.
    const bool mirrored = check >= 5;
    const bool mirrors = value >= 5;
    const int turned = mirrored ? (check % 5 - value % 5 + 5) % 5 : (check % 5 + value % 5) % 5;
    check = turned + (mirrored != mirrors ? 5 : 0);
  }
  return check == 0;
}

bool IsCard(std::string_view digits) {
  const size_t n = digits.size();
  if (n < 13 || n > 19) return false;
  const int two = Number(digits.substr(0, 2));
  const int four = Number(digits.substr(0, 4));
  const bool visa = digits[0] == '4' && (n == 13 || n == 16 || n == 19);
  const bool mastercard = n == 16 && ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720));
  const bool amex = n == 15 && (two == 34 || two == 37);
  const bool discover = n == 16 && (four == 6011 || two == 65 || (four >= 6440 && four <= 6499));
  const bool jcb = n == 16 && four >= 3528 && four <= 3589;
  const bool diners = n == 14 && (two == 36 || two == 38 || (four >= 3000 && four <= 3059));
  const bool union_pay = n >= 16 && two == 62;
  return (visa || mastercard || amex || discover || jcb || diners || union_pay) && PassesLuhn(digits);
}

bool IsIban(std::string_view compact) {
  if (compact.size() < 15 || !IsUpper(compact[0]) || !IsUpper(compact[1]) || !AllDigits(compact.substr(2, 2))) {
    return false;
  }
  const auto* const known = std::find_if(std::begin(kIbanLengths), std::end(kIbanLengths), [&](const auto& entry) {
    return entry.country == compact.substr(0, 2) && entry.length == compact.size();
  });
  if (known == std::end(kIbanLengths)) return false;
  int rest = 0;
  for (size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[(i + 4) % compact.size()];
    if (!IsDigit(c) && !IsUpper(c)) return false;
    rest = IsDigit(c) ? (rest * 10 + Digit(c)) % 97 : (rest * 100 + c - 'A' + 10) % 97;
  }
  return rest == 1;
}

bool IsVin(std::string_view word) {
  static constexpr int kWeights[17] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
  // The values of A to Z; 0: not used in a VIN.
  static constexpr std::string_view kValues = "12345678012345070923456789";
  if (word.size() != 17) return false;
  int sum = 0;
  int letters = 0;
  for (size_t i = 0; i < 17; ++i) {
    const char c = word[i];
    if (!IsDigit(c) && (!IsUpper(c) || kValues[static_cast<size_t>(c - 'A')] == '0')) return false;
    letters += IsUpper(c) ? 1 : 0;
    sum += kWeights[i] * Digit(IsDigit(c) ? c : kValues[static_cast<size_t>(c - 'A')]);
  }
  const int rest = sum % 11;
  return letters >= 2 && word[8] == (rest == 10 ? 'X' : static_cast<char>('0' + rest));
}

bool IsUsSocialSecurity(std::string_view digits) {
  if (digits.size() != 9) return false;
  const int area = Number(digits.substr(0, 3));
  return area != 0 && area != 666 && area < 900 && digits.substr(3, 2) != "00" && digits.substr(5) != "0000";
}

bool IsUkNationalInsurance(std::string_view word) {
  if (word.size() != 9 || !IsUpper(word[0]) || !IsUpper(word[1]) || !AllDigits(word.substr(2, 6))) return false;
  static constexpr std::string_view kUnused[] = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"};
  const std::string_view prefix = word.substr(0, 2);
  if (std::find(std::begin(kUnused), std::end(kUnused), prefix) != std::end(kUnused)) return false;
  return std::string_view("DFIQUV").find(word[0]) == std::string_view::npos &&
         std::string_view("DFIQUVO").find(word[1]) == std::string_view::npos && word[8] >= 'A' && word[8] <= 'D';
}

bool IsSpanishId(std::string_view word) {
  if (word.size() != 9 || !AllDigits(word.substr(1, 7))) return false;
  int number = Number(word.substr(1, 7));
  if (IsDigit(word[0])) {
    number += 10000000 * Digit(word[0]);
  } else if (word[0] >= 'X' && word[0] <= 'Z') {
    number += 10000000 * (word[0] - 'X');
  } else {
    return false;
  }
  return word[8] == std::string_view("TRWAGMYFPDXBNJZSQVHLCKE")[static_cast<size_t>(number % 23)];
}

bool IsItalianFiscalCode(std::string_view word) {
  static constexpr int kOdd[26] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                   20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  static constexpr std::string_view kForm = "AAAAAA00A00A000A";
  if (word.size() != 16) return false;
  int sum = 0;
  for (size_t i = 0; i < 16; ++i) {
    if (kForm[i] == 'A' ? !IsUpper(word[i]) : !IsDigit(word[i])) return false;
    const int value = IsDigit(word[i]) ? Digit(word[i]) : word[i] - 'A';
    if (i < 15) sum += i % 2 == 0 ? kOdd[value] : value;
  }
  return word[15] == static_cast<char>('A' + sum % 26);
}

bool IsFrenchNir(std::string_view digits) {
  if (digits.size() != 15 || (digits[0] != '1' && digits[0] != '2')) return false;
  const int month = Number(digits.substr(3, 2));
  return month >= 1 && month <= 12 && Number(digits.substr(13)) == 97 - Remainder97(digits.substr(0, 13));
}

bool IsBrazilianCpf(std::string_view digits) {
  if (digits.size() != 11 || digits.find_first_not_of(digits[0]) == std::string_view::npos) return false;
  for (size_t n = 9; n <= 10; ++n) {
    int sum = 0;
    for (size_t i = 0; i < n; ++i) sum += Digit(digits[i]) * static_cast<int>(n + 1 - i);
    if (sum * 10 % 11 % 10 != Digit(digits[n])) return false;
  }
  return true;
}

bool IsNorwegianBirthNumber(std::string_view digits) {
  if (digits.size() != 11) return false;
  const int day = Number(digits.substr(0, 2));
  if (!IsDate(day > 40 ? day - 40 : day, Number(digits.substr(2, 2)))) return false;
  static constexpr int kFirst[] = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
  static constexpr int kSecond[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  return Weighted(digits, kFirst) % 11 == 0 && Weighted(digits, kSecond) % 11 == 0;
}

bool IsDutchBsn(std::string_view digits) {
  static constexpr int kWeights[] = {9, 8, 7, 6, 5, 4, 3, 2, -1};
  return digits.size() == 9 && digits != "000000000" && Weighted(digits, kWeights) % 11 == 0;
}

bool IsEgyptianId(std::string_view digits) {
  if (digits.size() != 14 || (digits[0] != '2' && digits[0] != '3')) return false;
  const int governorate = Number(digits.substr(7, 2));
  return IsDate(Number(digits.substr(5, 2)), Number(digits.substr(3, 2))) &&
         ((governorate >= 1 && governorate <= 35) || governorate == 88);
}

bool IsEmiratesId(std::string_view digits) {
  if (digits.size() != 15 || !digits.starts_with("784")) return false;
  const int year = Number(digits.substr(3, 4));
  return year >= 1900 && year <= 2099 && PassesLuhn(digits);
}

bool IsSaudiId(std::string_view digits) {
  return digits.size() == 10 && (digits[0] == '1' || digits[0] == '2') && PassesLuhn(digits);
}

bool IsAadhaar(std::string_view digits) { return digits.size() == 12 && digits[0] >= '2' && PassesVerhoeff(digits); }

}  // namespace rhodes
