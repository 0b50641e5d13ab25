#include "store/id_set.h"

#include <array>
#include <string>

#include "base/hash.h"

namespace rhodes {
namespace {

constexpr uint8_t kNoDigit = 0x80;

constexpr std::array<uint8_t, 256> HexDigits() {
  std::array<uint8_t, 256> digits{};
  for (uint8_t& digit : digits) digit = kNoDigit;
  for (uint8_t i = 0; i < 10; ++i) digits['0' + i] = i;
  for (uint8_t i = 0; i < 6; ++i) digits['a' + i] = 10 + i;
  return digits;
}
constexpr std::array<uint8_t, 256> kHexDigits = HexDigits();

// 16 hexadecimal digits; false when one of them is none. A table: the digits of a hash are random, so that branches on
// them are mispredicted every other time.
bool ParseHex(std::string_view digits, uint64_t& value) {
  value = 0;
  uint8_t seen = 0;
  for (const char c : digits) {
    const uint8_t digit = kHexDigits[static_cast<unsigned char>(c)];
    seen |= digit;
    value = value << 4 | (digit & 15);
  }
  return (seen & kNoDigit) == 0;
}

}  // namespace

IdKey KeyOfId(std::string_view id) {
  IdKey key;
  if (id.size() == 32 && ParseHex(id.substr(0, 16), key.high) && ParseHex(id.substr(16), key.low)) return key;
  return KeyOfId(ContentId({id}));
}

size_t IdSet::SlotOf(IdKey key) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = key.low & mask;
  while (!(slots_[slot] == IdKey{}) && !(slots_[slot] == key)) slot = (slot + 1) & mask;
  return slot;
}

bool IdSet::Insert(IdKey key) {
  if (key == IdKey{}) {
    const bool added = !has_zero_;
    has_zero_ = true;
    size_ += added;
    return added;
  }
  if ((size_ + 1) * 4 > slots_.size() * 3) Grow();
  const size_t slot = SlotOf(key);
  if (slots_[slot] == key) return false;
  slots_[slot] = key;
  ++size_;
  return true;
}

bool IdSet::Contains(IdKey key) const {
  if (key == IdKey{}) return has_zero_;
  return !slots_.empty() && slots_[SlotOf(key)] == key;
}

void IdSet::Grow() {
  std::vector<IdKey> old(slots_.empty() ? 1024 : 2 * slots_.size());
  old.swap(slots_);
  for (const IdKey& key : old) {
    if (!(key == IdKey{})) slots_[SlotOf(key)] = key;
  }
}

}  // namespace rhodes
