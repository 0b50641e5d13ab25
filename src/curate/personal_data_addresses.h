// Addresses of the Internet: reading them, and which of them are public.
#ifndef RHODES_CURATE_PERSONAL_DATA_ADDRESSES_H_
#define RHODES_CURATE_PERSONAL_DATA_ADDRESSES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rhodes {

using Ipv4Address = std::array<uint8_t, 4>;
using Ipv6Address = std::array<uint16_t, 8>;

// Four decimal numbers without leading zeros at `at`, in `address` and where they end; 0: none. Nothing is asked of
// what stands behind them.
size_t ReadIpv4(std::string_view text, size_t at, Ipv4Address* address);

// Whether all of `text` is an address in one of the text forms of RFC 4291, 2.2: eight groups, "::" for one or more of
// zero, the last two as an IPv4 address; digits in any case, without a zone.
bool ParseIpv6(std::string_view text, Ipv6Address* address);

// Reachable from everywhere by the special-purpose registry of IANA: is_global of Python's ipaddress (CPython 3.13).
bool IsGlobal(const Ipv4Address& address);

// Stands for one machine of the Internet. IPv4: IsGlobal(), multicast excepted. IPv6: global unicast (2000::/3) outside
// the special-purpose registry; an address that holds one of IPv4 (::ffff:0:0/96, 64:ff9b::/96) is as public as that.
bool IsPublic(const Ipv4Address& address);
bool IsPublic(const Ipv6Address& address);

}  // namespace rhodes

#endif  // RHODES_CURATE_PERSONAL_DATA_ADDRESSES_H_
