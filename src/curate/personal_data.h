// Rule "pii": finds personal data and secrets, and puts a typed placeholder in the place of each.
#ifndef RHODES_CURATE_PERSONAL_DATA_H_
#define RHODES_CURATE_PERSONAL_DATA_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

enum class PersonalDataKind : uint8_t { kEmail, kPhone, kCard, kIban, kIp, kNationalId, kSecret, kVin };
inline constexpr size_t kPersonalDataKinds = 8;
// "email", "phone", "card", "iban", "ip", "national_id", "secret", "vin".
std::string_view PersonalDataName(PersonalDataKind kind);

struct PersonalDataSettings {
  bool email = true;
  bool phone = true;
  bool card = true;
  bool iban = true;
  bool ip = true;
  bool national_id = true;
  bool secret = true;
  bool vin = true;
  bool drop = false;           // drop documents with personal data in place of replacing it
  bool all_addresses = false;  // of the Internet: private, documentation and other special ones count too
  // What stands in the place of an item; "{KIND}" and "{kind}" are the kind's name in capital and in small letters.
  std::string placeholder = "<{KIND}>";
  std::array<std::string, kPersonalDataKinds> placeholders;  // of one kind; empty: `placeholder`

  bool Wants(PersonalDataKind kind) const;
  std::string PlaceholderOf(PersonalDataKind kind) const;
};

struct PersonalDataItem {
  size_t begin = 0;  // bytes of the text
  size_t end = 0;
  PersonalDataKind kind = PersonalDataKind::kEmail;
  friend bool operator==(const PersonalDataItem&, const PersonalDataItem&) = default;
};
using PersonalDataCounts = std::array<uint64_t, kPersonalDataKinds>;

// The items of `text` (any bytes) in order, none overlapping another. Time is linear in the text: each word is looked
// at with a window of bounded length. Digits may be ASCII, Arabic-Indic or extended Arabic-Indic. Thread-safe.
std::vector<PersonalDataItem> FindPersonalData(std::string_view text, const PersonalDataSettings& settings);

// `text` with each item replaced by the placeholder of its kind. `marks` (ascending places in `text`) are moved with
// the text; a mark inside an item moves to the end of its placeholder, one at its beginning stays there. May be null.
std::string ReplacePersonalData(std::string_view text, const std::vector<PersonalDataItem>& items,
                                const PersonalDataSettings& settings, std::vector<size_t>* marks);
// The same with a replacement for each item.
std::string ReplaceItems(std::string_view text, const std::vector<PersonalDataItem>& items,
                         const std::vector<std::string_view>& replacements, std::vector<size_t>* marks);

}  // namespace rhodes

#endif  // RHODES_CURATE_PERSONAL_DATA_H_
