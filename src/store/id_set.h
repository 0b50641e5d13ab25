// A set of 128-bit ids in as little memory as they allow.
#ifndef RHODES_STORE_ID_SET_H_
#define RHODES_STORE_ID_SET_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rhodes {

// A record's id as a number: the 32 hexadecimal digits of ContentId(), or a hash of any other id.
struct IdKey {
  uint64_t high = 0;
  uint64_t low = 0;
  friend bool operator==(const IdKey& a, const IdKey& b) { return a.high == b.high && a.low == b.low; }
  friend bool operator<(const IdKey& a, const IdKey& b) { return a.high != b.high ? a.high < b.high : a.low < b.low; }
};
IdKey KeyOfId(std::string_view id);

// Open addressing with linear probing, 16 bytes a slot, between 37 % and 75 % full: 21 to 43 bytes an id, and half as
// much again while it grows. Ids are hashes already, so their bits place them. Not thread-safe.
class IdSet {
 public:
  // False when it was there already.
  bool Insert(IdKey key);
  bool Contains(IdKey key) const;
  size_t size() const { return size_; }

 private:
  void Grow();
  size_t SlotOf(IdKey key) const;  // where it is, or the free slot where it belongs

  std::vector<IdKey> slots_;  // {0, 0}: free
  size_t size_ = 0;
  bool has_zero_ = false;
};

}  // namespace rhodes

#endif  // RHODES_STORE_ID_SET_H_
