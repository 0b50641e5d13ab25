// Telephone numbers by the numbering plan of their country.
#ifndef RHODES_CURATE_PERSONAL_DATA_PHONES_H_
#define RHODES_CURATE_PERSONAL_DATA_PHONES_H_

#include <string_view>
#include <vector>

namespace rhodes {

// The national numbers of one length of one country.
struct PhonePlan {
  int code = 0;  // ITU-T E.164 country code
  int length = 0;
  std::string_view prefixes;  // first three digits that are in use, ascending: "201-210 212"
};
// Of all country codes, by code and length. Made by bench/peers/phone_plans.py.
const std::vector<PhonePlan>& PhonePlans();

// `digits` (ASCII) are those after "+": a country code, and a national number whose length and first three digits are
// in use. The first call makes a table of 120 KB. Pure; thread-safe.
bool IsInternationalPhone(std::string_view digits);

}  // namespace rhodes

#endif  // RHODES_CURATE_PERSONAL_DATA_PHONES_H_
