#include "curate/exact.h"

#include <xxhash.h>

#include "base/byte_size.h"

namespace rhodes {
namespace {

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

TextHash HashText(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.low64, hash.high64};
}

std::optional<SeenTexts::PackedId> SeenTexts::Pack(std::string_view id) {
  PackedId packed{};
  if (id.size() != 2 * packed.size()) return std::nullopt;
  for (size_t i = 0; i < packed.size(); ++i) {
    const int high = Digit(id[2 * i]);
    const int low = Digit(id[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    packed[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return packed;
}

std::string SeenTexts::Unpack(const PackedId& packed) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (const uint8_t byte : packed) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

uint64_t SeenTexts::MemoryUsed() const {
  // While a table doubles, the old one and the new one stand side by side.
  constexpr uint64_t kSlot = sizeof(TextHash) + sizeof(PackedId) + 1;
  constexpr uint64_t kLongSlot = sizeof(TextHash) + sizeof(std::string) + 1;
  const uint64_t growing = first_.size() == first_.capacity() * 7 / 8 ? 3 : 1;
  return growing * first_.capacity() * kSlot + first_long_.capacity() * kLongSlot + long_bytes_;
}

absl::StatusOr<std::optional<std::string>> SeenTexts::Insert(const TextHash& hash, std::string_view id) {
  if (const auto found = first_.find(hash); found != first_.end()) return Unpack(found->second);
  if (const auto found = first_long_.find(hash); found != first_long_.end()) return found->second;
  if (MemoryUsed() > memory_bytes_) {
    return absl::ResourceExhaustedError(fmt::format(
        "exact duplicates: {} different texts need more than the {} set aside for them; give --memory more, "
        "or leave out the rule \"exact\"",
        first_.size() + first_long_.size(), FormatByteSize(memory_bytes_)));
  }
  if (const std::optional<PackedId> packed = Pack(id); packed.has_value()) {
    first_.emplace(hash, *packed);
  } else {
    long_bytes_ += id.size();
    first_long_.emplace(hash, std::string(id));
  }
  return std::optional<std::string>();
}

}  // namespace rhodes
