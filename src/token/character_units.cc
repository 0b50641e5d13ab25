#include "token/character_units.h"

#include <algorithm>

#include "base/text.h"
#include "token/character_class.h"

namespace rhodes {
namespace {

constexpr uint32_t kMarkCode = 0x2581;
constexpr uint8_t kMarkLead = 0xE2;

}  // namespace

CharacterUnits::CharacterUnits(const SentencePieceRules& rules, const TokenBytesTable& tokens,
                               const std::vector<Merge>& merges)
    : blocks_(0x110000 / kBlock, 0),
      ids_(kBlock, kNone),
      byte_ids_(rules.bytes),
      split_at_marks_(rules.split_at_marks) {
  const auto place = [&](uint32_t code, TokenId id) {
    uint32_t& block = blocks_[code / kBlock];
    if (block == 0) {
      block = static_cast<uint32_t>(ids_.size());
      ids_.resize(ids_.size() + kBlock, kNone);
    }
    ids_[block + code % kBlock] = id;
  };
  for (const auto& [code, id] : rules.characters) {
    place(code, id);
    if (code == ' ') place(kMarkCode, id);
  }
  std::vector<bool> is_byte(tokens.size());
  for (const TokenId id : byte_ids_) is_byte[id] = true;
  for (const Merge& merge : merges) {
    // The token of a byte may stand for a part of a character, so that characters say nothing about it.
    never_cut_ |= is_byte[merge.left] || is_byte[merge.right];
    Join(tokens[merge.left], tokens[merge.right]);
  }
}

void CharacterUnits::Join(std::string_view left, std::string_view right) {
  if (left.empty() || right.empty()) return;
  size_t last = left.size() - 1;
  while (last > 0 && IsUtf8Continuation(left[last])) --last;
  const auto before = static_cast<uint8_t>(left[last]);
  const auto after = static_cast<uint8_t>(right[0]);
  // Tokens write the mark as a space, texts in either way.
  for (const uint8_t one : {before, before == ' ' ? kMarkLead : before}) {
    for (const uint8_t other : {after, after == ' ' ? kMarkLead : after}) joined_[one].set(other);
  }
}

void CharacterUnits::Append(std::string_view text, std::vector<TokenId>& units) const {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const Character character = DecodeCharacter(at, end, CharacterClasses());
    const TokenId id =
        character.code < 0x110000 ? ids_[blocks_[character.code / kBlock] + character.code % kBlock] : kNone;
    if (id != kNone) {
      units.push_back(id);
    } else {
      for (int i = 0; i < character.length; ++i) units.push_back(byte_ids_[static_cast<uint8_t>(at[i])]);
    }
    at += character.length;
  }
}

const char* CharacterUnits::WordEnd(const char* at, const char* end) const {
  auto before = static_cast<uint8_t>(*at);
  for (++at; at < end; ++at) {
    if (IsUtf8Continuation(*at)) continue;
    const auto after = static_cast<uint8_t>(*at);
    if (!joined_[before][after] && !never_cut_) return at;
    if (split_at_marks_ && (after == ' ' || (after == kMarkLead && IsMark({at, static_cast<size_t>(end - at)}, 0)))) {
      return at;
    }
    before = after;
  }
  return end;
}

}  // namespace rhodes
