#include "curate/personal_data_triggers.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace rhodes {
namespace {

bool IsTrigger(std::string_view text, size_t at, bool colons) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned a = byte(at);
  const unsigned b = byte(at + 1);
  if ((a >= '0' && a <= '9') || a == '@' || a == '-' || a == '_') return true;
  if (a == ':') return colons || b == ':';
  if (a == 'y') return b == 'J';
  if (a == 'I') return b == 'A' || b == 'z';
  return (a == 0xD9 && b >= 0xA0 && b <= 0xA9) || (a == 0xDB && b >= 0xB0 && b <= 0xB9);
}

TEST(PersonalDataTriggers, AreThoseOfEveryByteByByte) {
  // Lengths around the blocks and vectors, at every place in a vector.
  constexpr std::string_view kPieces[] = {
      "a", " ",  "\xD9\xA3", "\xD9\x85", "\xDB\xB9", "\xDB\xBA", "::", ":", "yJ",
      "y", "IA", "Iz",       "IB",       "@",        "-",        "_",  "5", "the quick brown fox jumps over it"};
  std::mt19937 random(1);
  for (size_t round = 0; round < 2000; ++round) {
    std::string text;
    const size_t size = random() % 300;
    const size_t kinds = 1 + random() % std::size(kPieces);
    while (text.size() < size) text += kPieces[random() % kinds];
    text.resize(size);
    const std::string_view part = std::string_view(text).substr(text.empty() ? 0 : random() % text.size() % 70);
    for (const bool colons : {false, true}) {
      std::vector<size_t> expected;
      for (size_t at = 0; at < part.size(); ++at) {
        if (IsTrigger(part, at, colons)) expected.push_back(at);
      }
      std::vector<size_t> found;
      PersonalDataTriggers triggers(part, colons);
      for (size_t at = triggers.Next(0); at < part.size(); at = triggers.Next(at + 1)) found.push_back(at);
      ASSERT_EQ(found, expected) << part;
      // Going on further behind.
      PersonalDataTriggers skipping(part, colons);
      for (size_t at = skipping.Next(0); at < part.size();) {
        const size_t from = at + 1 + random() % 90;
        at = skipping.Next(from);
        size_t next = from;
        while (next < part.size() && !IsTrigger(part, next, colons)) ++next;
        ASSERT_EQ(std::min(at, part.size()), std::min(next, part.size())) << part;
      }
    }
  }
}

}  // namespace
}  // namespace rhodes
