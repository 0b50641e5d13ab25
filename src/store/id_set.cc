#include "store/id_set.h"

#include <string>

#include "base/hash.h"

namespace rhodes {
namespace {

// 16 hexadecimal digits; false when one of them is none.
bool ParseHex(std::string_view digits, uint64_t& value) {
  value = 0;
  for (const char c : digits) {
    uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<uint64_t>(c - 'a' + 10);
    } else {
      return false;
    }
    value = value << 4 | digit;
  }
  return true;
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
