// Texts from a grammar: "{a|b} $name" picks one of the alternatives, which may be nested, and fills in slots.
#ifndef RHODES_WORLD_PHRASES_H_
#define RHODES_WORLD_PHRASES_H_

#include <map>
#include <string>
#include <string_view>

#include "world/rng.h"

namespace rhodes {

using PhraseSlots = std::map<std::string, std::string, std::less<>>;

// `$name` is a run of small letters and underscores; a slot that is not given becomes nothing. Slots' values are
// expanded too. Runs of blanks become one, and none stands before a full stop, comma or colon, so that an empty slot
// leaves no gap.
std::string ExpandPhrase(std::string_view phrase, const PhraseSlots& slots, WorldRng& rng);

}  // namespace rhodes

#endif  // RHODES_WORLD_PHRASES_H_
