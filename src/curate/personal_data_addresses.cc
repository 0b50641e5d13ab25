#include "curate/personal_data_addresses.h"

#include <algorithm>

namespace rhodes {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The value of a hexadecimal digit, or -1.
int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

struct Ipv4Network {
  uint32_t address;
  int bits;
};
constexpr uint32_t Ipv4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return a << 24 | b << 16 | c << 8 | d; }
// https://www.iana.org/assignments/iana-ipv4-special-registry, entries that are not globally reachable.
constexpr Ipv4Network kSpecialIpv4[] = {
    {Ipv4(0, 0, 0, 0), 8},      {Ipv4(10, 0, 0, 0), 8},    {Ipv4(100, 64, 0, 0), 10},   {Ipv4(127, 0, 0, 0), 8},
    {Ipv4(169, 254, 0, 0), 16}, {Ipv4(172, 16, 0, 0), 12}, {Ipv4(192, 0, 0, 0), 24},    {Ipv4(192, 0, 2, 0), 24},
    {Ipv4(192, 168, 0, 0), 16}, {Ipv4(198, 18, 0, 0), 15}, {Ipv4(198, 51, 100, 0), 24}, {Ipv4(203, 0, 113, 0), 24},
    {Ipv4(240, 0, 0, 0), 4}};
constexpr Ipv4Network kReachableIpv4[] = {{Ipv4(192, 0, 0, 9), 32}, {Ipv4(192, 0, 0, 10), 32}};

bool Within(uint32_t address, const Ipv4Network& network) {
  return (address ^ network.address) >> (32 - network.bits) == 0;
}

struct Ipv6Network {
  Ipv6Address address;
  int bits;
};
// https://www.iana.org/assignments/iana-ipv6-special-registry, within 2000::/3.
constexpr Ipv6Network kSpecialIpv6[] = {{{0x2001}, 23}, {{0x2001, 0xDB8}, 32}, {{0x2002}, 16}, {{0x3FFF}, 20}};
constexpr Ipv6Network kReachableIpv6[] = {{{0x2001, 1, 0, 0, 0, 0, 0, 1}, 128},
                                          {{0x2001, 1, 0, 0, 0, 0, 0, 2}, 128},
                                          {{0x2001, 3}, 32},
                                          {{0x2001, 4, 0x112}, 48},
                                          {{0x2001, 0x20}, 28},
                                          {{0x2001, 0x30}, 28}};

bool Within(const Ipv6Address& address, const Ipv6Network& network) {
  for (int group = 0; group * 16 < network.bits; ++group) {
    const int unused = std::max(0, 16 - (network.bits - group * 16));
    const auto i = static_cast<size_t>(group);
    if ((address[i] ^ network.address[i]) >> unused != 0) return false;
  }
  return true;
}

template <typename Address, typename Networks>
bool WithinAny(const Address& address, const Networks& networks) {
  return std::any_of(std::begin(networks), std::end(networks),
                     [&](const auto& network) { return Within(address, network); });
}

Ipv4Address LastOf(const Ipv6Address& address) {
  return {static_cast<uint8_t>(address[6] >> 8), static_cast<uint8_t>(address[6]),
          static_cast<uint8_t>(address[7] >> 8), static_cast<uint8_t>(address[7])};
}

// Groups from left to right; those before "::" and those behind it.
class Ipv6Parser {
 public:
  explicit Ipv6Parser(std::string_view text) : text_(text) {}

  bool Parse(Ipv6Address* address) {
    size_t at = 0;
    if (text_.starts_with("::")) {
      gap_ = 0;
      at = 2;
    }
    while (at < text_.size()) {
      if (!Group(&at)) return false;
      if (at == text_.size()) break;
      if (text_[at++] != ':' || at == text_.size()) return false;
      if (text_[at] != ':') continue;
      if (gap_ != kNoGap) return false;
      gap_ = count_;
      ++at;
    }
    const size_t most = gap_ == kNoGap ? 8 : 7;
    if (count_ > most || (gap_ == kNoGap && count_ != 8)) return false;
    address->fill(0);
    const size_t before = gap_ == kNoGap ? count_ : gap_;
    std::copy_n(groups_.begin(), before, address->begin());
    std::copy(groups_.begin() + static_cast<ptrdiff_t>(before), groups_.begin() + static_cast<ptrdiff_t>(count_),
              address->end() - static_cast<ptrdiff_t>(count_ - before));
    return true;
  }

 private:
  static constexpr size_t kNoGap = 9;

  bool Add(int value) {
    if (count_ == groups_.size()) return false;
    groups_[count_++] = static_cast<uint16_t>(value);
    return true;
  }

  // One group, or an IPv4 address that ends the text.
  bool Group(size_t* at) {
    const size_t begin = *at;
    int value = 0;
    while (*at < text_.size() && *at < begin + 4 && HexValue(text_[*at]) >= 0)
      value = value * 16 + HexValue(text_[(*at)++]);
    if (*at == begin) return false;
    if (*at == text_.size() || text_[*at] != '.') return Add(value);
    Ipv4Address last{};
    *at = ReadIpv4(text_, begin, &last);
    return *at == text_.size() && Add(last[0] << 8 | last[1]) && Add(last[2] << 8 | last[3]);
  }

  std::string_view text_;
  Ipv6Address groups_{};
  size_t count_ = 0;
  size_t gap_ = kNoGap;
};

}  // namespace

size_t ReadIpv4(std::string_view text, size_t at, Ipv4Address* address) {
  for (size_t i = 0; i < 4; ++i) {
    const size_t begin = at;
    int value = 0;
    while (at < text.size() && at < begin + 4 && IsDigit(text[at])) value = value * 10 + (text[at++] - '0');
    if (at == begin || at > begin + 3 || value > 255 || (text[begin] == '0' && at > begin + 1)) return 0;
    (*address)[i] = static_cast<uint8_t>(value);
    if (i < 3 && (at >= text.size() || text[at++] != '.')) return 0;
  }
  return at;
}

bool ParseIpv6(std::string_view text, Ipv6Address* address) { return Ipv6Parser(text).Parse(address); }

bool IsGlobal(const Ipv4Address& address) {
  const uint32_t value = Ipv4(address[0], address[1], address[2], address[3]);
  return !WithinAny(value, kSpecialIpv4) || WithinAny(value, kReachableIpv4);
}

bool IsPublic(const Ipv4Address& address) { return address[0] < 224 && IsGlobal(address); }

bool IsPublic(const Ipv6Address& address) {
  constexpr Ipv6Network kMapped = {{0, 0, 0, 0, 0, 0xFFFF}, 96};
  constexpr Ipv6Network kTranslated = {{0x64, 0xFF9B}, 96};
  if (Within(address, kMapped) || Within(address, kTranslated)) return IsPublic(LastOf(address));
  constexpr Ipv6Network kGlobalUnicast = {{0x2000}, 3};
  return Within(address, kGlobalUnicast) && (!WithinAny(address, kSpecialIpv6) || WithinAny(address, kReachableIpv6));
}

}  // namespace rhodes
