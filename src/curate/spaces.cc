#include "curate/spaces.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "curate/spaces.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

#include "base/mask_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Bits of the bytes of one block of 64 that may be white space.
HWY_INLINE uint64_t SpacesOf(const uint8_t* block) {
  const hn::CappedTag<uint8_t, 64> d;
  const auto tab = hn::Set(d, uint8_t{9});
  const auto file_separator = hn::Set(d, uint8_t{0x1C});
  const auto five = hn::Set(d, uint8_t{5});
  const auto lead_c2 = hn::Set(d, uint8_t{0xC2});
  const auto lead_e1 = hn::Set(d, uint8_t{0xE1});
  const auto three = hn::Set(d, uint8_t{3});
  uint64_t bits = 0;
  for (size_t at = 0; at < 64; at += hn::Lanes(d)) {
    const auto bytes = hn::LoadU(d, block + at);
    // Ranges by one subtraction each: tab to CR and U+001C to U+0020 are five long, E1 to E3 three.
    const auto controls = hn::Or(hn::Lt(hn::Sub(bytes, tab), five), hn::Lt(hn::Sub(bytes, file_separator), five));
    const auto leads = hn::Or(hn::Eq(bytes, lead_c2), hn::Lt(hn::Sub(bytes, lead_e1), three));
    bits |= MaskBits(d, hn::Or(controls, leads)) << at;
  }
  return bits;
}

void MarkSpaceBlocks(const uint8_t* text, size_t blocks, uint64_t* masks) {
  for (size_t i = 0; i < blocks; ++i) masks[i] = SpacesOf(text + 64 * i);
}

// Counts up to 255 vectors at a time, since lanes count in bytes.
void CountBytes(const uint8_t* text, size_t size, TextCounts& counts) {
  const hn::ScalableTag<uint8_t> d;
  const hn::RepartitionToWide<hn::RepartitionToWide<hn::RepartitionToWide<decltype(d)>>> wide;
  const size_t lanes = hn::Lanes(d);
  const auto one = hn::Set(d, uint8_t{1});
  size_t at = 0;
  while (size - at >= lanes) {
    auto continuations = hn::Zero(d);
    auto number_signs = hn::Zero(d);
    auto line_ends = hn::Zero(d);
    auto dots = hn::Zero(d);
    auto leads = hn::Zero(d);
    for (size_t step = 0; step < 255 && size - at >= lanes; ++step, at += lanes) {
      const auto bytes = hn::LoadU(d, text + at);
      const auto count = [&](auto sum, auto mask) HWY_ATTR { return hn::Add(sum, hn::IfThenElseZero(mask, one)); };
      continuations =
          count(continuations, hn::Eq(hn::And(bytes, hn::Set(d, uint8_t{0xC0})), hn::Set(d, uint8_t{0x80})));
      number_signs = count(number_signs, hn::Eq(bytes, hn::Set(d, uint8_t{'#'})));
      line_ends = count(line_ends, hn::Eq(bytes, hn::Set(d, uint8_t{'\n'})));
      dots = count(dots, hn::Eq(bytes, hn::Set(d, uint8_t{'.'})));
      leads = count(leads, hn::Eq(bytes, hn::Set(d, uint8_t{0xE2})));
    }
    const auto total = [&](auto sum) HWY_ATTR { return hn::GetLane(hn::SumOfLanes(wide, hn::SumsOf8(sum))); };
    counts.code_points -= total(continuations);
    counts.number_signs += total(number_signs);
    counts.line_ends += total(line_ends);
    counts.dots += total(dots);
    counts.ellipsis_leads += total(leads);
  }
  for (; at < size; ++at) {
    counts.code_points -= (text[at] & 0xC0) == 0x80 ? 1 : 0;
    counts.number_signs += text[at] == '#' ? 1 : 0;
    counts.line_ends += text[at] == '\n' ? 1 : 0;
    counts.dots += text[at] == '.' ? 1 : 0;
    counts.ellipsis_leads += text[at] == 0xE2 ? 1 : 0;
  }
}

// Bits of the bytes of one block of 64 at which one of the anchors of FindPhrases() may begin; reads two bytes more.
HWY_INLINE uint64_t AnchorsOf(const uint8_t* block) {
  const hn::CappedTag<uint8_t, 64> d;
  const auto small = hn::Set(d, uint8_t{0x20});
  const auto is = [&](auto bytes, char c) HWY_ATTR { return hn::Eq(bytes, hn::Set(d, static_cast<uint8_t>(c))); };
  uint64_t bits = 0;
  for (size_t at = 0; at < 64; at += hn::Lanes(d)) {
    const auto a = hn::Or(hn::LoadU(d, block + at), small);
    const auto b = hn::Or(hn::LoadU(d, block + at + 1), small);
    const auto c = hn::Or(hn::LoadU(d, block + at + 2), small);
    const auto three = [&](const char* anchor)
                           HWY_ATTR { return hn::And(is(a, anchor[0]), hn::And(is(b, anchor[1]), is(c, anchor[2]))); };
    const auto any =
        hn::Or(hn::Or(three("jav"), three("ips")), hn::Or(three("f u"), hn::Or(three("oki"), three("vac"))));
    bits |= MaskBits(d, any) << at;
  }
  return bits;
}

void MarkAnchorBlocks(const uint8_t* text, size_t blocks, uint64_t* masks) {
  for (size_t i = 0; i < blocks; ++i) masks[i] = AnchorsOf(text + 64 * i);
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rhodes {
namespace {

HWY_EXPORT(MarkSpaceBlocks);
HWY_EXPORT(CountBytes);
HWY_EXPORT(MarkAnchorBlocks);

// A phrase, and where its anchor stands in it: three characters that few other words have.
struct Searched {
  std::string_view text;
  size_t anchor;
  Phrase phrase;
};
constexpr Searched kSearched[] = {{"javascript", 0, Phrase::kJavascript}, {"lorem ipsum", 6, Phrase::kLoremIpsum},
                                  {"terms of use", 7, Phrase::kPolicy},   {"privacy policy", 3, Phrase::kPolicy},
                                  {"cookie policy", 2, Phrase::kPolicy},  {"uses cookies", 7, Phrase::kPolicy},
                                  {"use of cookies", 9, Phrase::kPolicy}, {"use cookies", 6, Phrase::kPolicy}};

char Small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c; }

bool IsAt(std::string_view phrase, std::string_view text, size_t at) {
  if (at > text.size() || text.size() - at < phrase.size()) return false;
  for (size_t i = 0; i < phrase.size(); ++i) {
    if (Small(text[at + i]) != phrase[i]) return false;
  }
  return true;
}

}  // namespace

void FindPhrases(std::string_view text, std::vector<PhraseHit>& hits) {
  hits.clear();
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  constexpr size_t kAtATime = 64;
  uint64_t masks[kAtATime];
  const auto confirm = [&](size_t block, uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) {
      const size_t at = 64 * block + static_cast<size_t>(__builtin_ctzll(bits));
      for (const Searched& one : kSearched) {
        if (at >= one.anchor && IsAt(one.text, text, at - one.anchor)) {
          hits.push_back({at - one.anchor, at - one.anchor + one.text.size(), one.phrase});
        }
      }
    }
  };
  const size_t whole = text.size() < 2 ? 0 : (text.size() - 2) / 64;  // two bytes more are read of each block
  for (size_t block = 0; block < whole; block += kAtATime) {
    const size_t blocks = std::min(kAtATime, whole - block);
    HWY_DYNAMIC_DISPATCH(MarkAnchorBlocks)(bytes + 64 * block, blocks, masks);
    for (size_t i = 0; i < blocks; ++i) confirm(block + i, masks[i]);
  }
  for (size_t block = whole; 64 * block < text.size(); ++block) {
    uint8_t last[66] = {};
    std::memcpy(last, bytes + 64 * block, std::min<size_t>(sizeof(last), text.size() - 64 * block));
    HWY_DYNAMIC_DISPATCH(MarkAnchorBlocks)(last, 1, masks);
    confirm(block, masks[0]);
  }
}

void MarkSpaces(std::string_view text, uint64_t* masks) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const size_t blocks = text.size() / 64;
  HWY_DYNAMIC_DISPATCH(MarkSpaceBlocks)(bytes, blocks, masks);
  if (const size_t rest = text.size() % 64; rest != 0) {
    uint8_t last[64] = {};
    std::memcpy(last, bytes + 64 * blocks, rest);
    HWY_DYNAMIC_DISPATCH(MarkSpaceBlocks)(last, 1, masks + blocks);
  }
}

TextCounts CountText(std::string_view text) {
  TextCounts counts;
  counts.code_points = text.size();
  HWY_DYNAMIC_DISPATCH(CountBytes)(reinterpret_cast<const uint8_t*>(text.data()), text.size(), counts);
  return counts;
}

size_t WhiteSpaceAt(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<uint8_t>(text[at + i]) : uint8_t{0}; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return lead == ' ' || (lead >= 9 && lead <= 13) || (lead >= 0x1C && lead < 0x20) ? 1 : 0;
  const uint8_t second = byte(1);
  if (lead == 0xC2) return second == 0x85 || second == 0xA0 ? 2 : 0;  // NEL, no-break space
  const uint8_t third = byte(2);
  if (lead == 0xE1) return second == 0x9A && third == 0x80 ? 3 : 0;  // Ogham space
  if (lead == 0xE3) return second == 0x80 && third == 0x80 ? 3 : 0;  // ideographic space
  if (lead != 0xE2) return 0;
  if (second == 0x80) {  // U+2000 to U+200A, line and paragraph separator, U+202F
    return (third >= 0x80 && third <= 0x8A) || third == 0xA8 || third == 0xA9 || third == 0xAF ? 3 : 0;
  }
  return second == 0x81 && third == 0x9F ? 3 : 0;  // U+205F
}

}  // namespace rhodes
#endif  // HWY_ONCE
