// testdata/personal_data/addresses.txt: texts as CPython 3.13's ipaddress reads them (bench/peers/ip_addresses.py).
#include "curate/personal_data_addresses.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace rhodes {
namespace {

TEST(PersonalDataAddresses, ReadAsAnotherImplementationReadsThem) {
  std::ifstream file(RHODES_SOURCE_DIR "/src/curate/testdata/personal_data/addresses.txt");
  ASSERT_TRUE(file);
  std::string text;
  std::string digits;
  int is_public = 0;
  int read = 0;
  while (file >> text >> digits >> is_public) {
    ++read;
    Ipv6Address six{};
    Ipv4Address four{};
    if (ParseIpv6(text, &six)) {
      std::string ours;
      for (const uint16_t group : six) ours += fmt::format("{:04x}", group);
      EXPECT_EQ(ours, digits) << text;
      EXPECT_EQ(IsPublic(six), is_public == 1) << text;
    } else if (ReadIpv4(text, 0, &four) == text.size()) {
      EXPECT_EQ(fmt::format("{:02x}{:02x}{:02x}{:02x}", four[0], four[1], four[2], four[3]), digits) << text;
      EXPECT_EQ(IsPublic(four), is_public == 1) << text;
    } else {
      EXPECT_EQ(digits, "-") << text;
    }
  }
  EXPECT_GE(read, 900);
}

TEST(PersonalDataAddresses, TheFormsOfTheStandard) {
  // RFC 4291, 2.2.
  Ipv6Address address{};
  for (const char* text :
       {"ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "2001:DB8:0:0:8:800:200C:417A", "FF01::101", "::1",
        "::", "0:0:0:0:0:0:13.1.68.3", "::FFFF:129.144.52.38", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"}) {
    EXPECT_TRUE(ParseIpv6(text, &address)) << text;
  }
  for (const char* text :
       {"", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "1:", ":1",
        "::1.2.3", "::1.2.3.4:5", "g::", "1:2:3:4:5:6:7:1.2.3.4", "::01.2.3.4"}) {
    EXPECT_FALSE(ParseIpv6(text, &address)) << text;
  }
  ASSERT_TRUE(ParseIpv6("2001:DB8::8:800:200C:417A", &address));
  EXPECT_EQ(address, (Ipv6Address{0x2001, 0xDB8, 0, 0, 8, 0x800, 0x200C, 0x417A}));
}

}  // namespace
}  // namespace rhodes
