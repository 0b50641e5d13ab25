#include "curate/personal_data_phones.h"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

namespace rhodes {
namespace {

constexpr size_t kLongestNational = 17;  // of PhonePlans(): calls to Japan that cost nothing

int Number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// PhonePlans() for looking up.
class PlanTable {
 public:
  PlanTable() {
    for (const PhonePlan& plan : PhonePlans()) {
      if (static_cast<size_t>(plan.length) > kLongestNational) continue;
      uint16_t& entry = entries_[static_cast<size_t>(plan.code)][static_cast<size_t>(plan.length)];
      prefixes_.emplace_back();
      entry = static_cast<uint16_t>(prefixes_.size());
      // "ddd" or "ddd-ddd", with a space between.
      for (size_t at = 0; at < plan.prefixes.size();) {
        const int first = Number(plan.prefixes.substr(at, 3));
        const bool range = at + 3 < plan.prefixes.size() && plan.prefixes[at + 3] == '-';
        const int last = range ? Number(plan.prefixes.substr(at + 4, 3)) : first;
        for (int prefix = first; prefix <= last; ++prefix) prefixes_.back().set(static_cast<size_t>(prefix));
        at += range ? 8 : 4;
      }
    }
  }

  bool Has(std::string_view code, std::string_view national) const {
    if (national.size() < 3 || national.size() > kLongestNational) return false;
    const uint16_t entry = entries_[static_cast<size_t>(Number(code))][national.size()];
    return entry != 0 && prefixes_[entry - 1u].test(static_cast<size_t>(Number(national.substr(0, 3))));
  }

 private:
  // 1 + place in `prefixes_` of each code and length; 0: none.
  std::array<std::array<uint16_t, kLongestNational + 1>, 1000> entries_{};
  std::vector<std::bitset<1000>> prefixes_;
};

}  // namespace

bool IsInternationalPhone(std::string_view digits) {
  static const auto* const table = new PlanTable();
  // No country code is the beginning of another one.
  for (size_t length = 1; length <= 3 && length < digits.size(); ++length) {
    const std::string_view code = digits.substr(0, length);
    const std::string_view national = digits.substr(length);
    if (table->Has(code, national)) return true;
    // The 0 of calls within the country, which some leave standing behind its code.
    if (length > 1 && national[0] == '0' && table->Has(code, national.substr(1))) return true;
  }
  return false;
}

}  // namespace rhodes
