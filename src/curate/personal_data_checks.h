// Check digits and published rules of numbers that stand for people, cards and accounts. Digits are ASCII '0' to '9',
// without separators. All are pure and thread-safe.
#ifndef RHODES_CURATE_PERSONAL_DATA_CHECKS_H_
#define RHODES_CURATE_PERSONAL_DATA_CHECKS_H_

#include <string_view>

namespace rhodes {

bool PassesLuhn(std::string_view digits);      // ISO/IEC 7812-1, annex B
bool PassesVerhoeff(std::string_view digits);  // J. Verhoeff, Error Detecting Decimal Codes, 1969
bool IsCard(std::string_view digits);   // Luhn, and a range of Visa, Mastercard, Amex, Discover, JCB, Diners, UnionPay
bool IsIban(std::string_view compact);  // ISO 13616: length of the country, mod 97 = 1
bool IsVin(std::string_view word);      // 49 CFR 565.15: 17 characters, check digit in place 9
bool IsUsSocialSecurity(std::string_view digits);      // SSA: no area 000, 666, 9xx; no group 00; no serial 0000
bool IsUkNationalInsurance(std::string_view word);     // HMRC NIM39110
bool IsSpanishId(std::string_view word);               // DNI and NIE: letter by mod 23 (Real Decreto 1553/2005)
bool IsItalianFiscalCode(std::string_view word);       // Decreto Ministeriale 23/12/1976
bool IsFrenchNir(std::string_view digits);             // 13 digits and key 97 - mod 97 (INSEE)
bool IsBrazilianCpf(std::string_view digits);          // two mod 11 digits (Receita Federal)
bool IsNorwegianBirthNumber(std::string_view digits);  // two mod 11 digits (Skatteetaten)
bool IsDutchBsn(std::string_view digits);              // eleven test (RvIG)
bool IsEgyptianId(std::string_view digits);            // century, date, governorate
bool IsEmiratesId(std::string_view digits);            // 784, year, Luhn
bool IsSaudiId(std::string_view digits);               // begins with 1 or 2, Luhn
bool IsAadhaar(std::string_view digits);               // UIDAI: begins with 2 to 9, Verhoeff

}  // namespace rhodes

#endif  // RHODES_CURATE_PERSONAL_DATA_CHECKS_H_
