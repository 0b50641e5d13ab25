#include "curate/overlap.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "base/json.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

constexpr uint64_t kBase = 0x9E3779B97F4A7C15;  // odd, so that no word's part of a hash is lost
constexpr char32_t kTatweel = 0x640;

// The finalizer of MurmurHash3 (A. Appleby), a bijection of 64 bits.
uint64_t Mix(uint64_t x) {
  x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD;
  x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53;
  return x ^ x >> 33;
}

// Calls `use(hash)` for the n-gram at each word, by a rolling polynomial over the words' hashes.
template <typename Use>
void ForEachNgram(std::string_view text, uint64_t n, const Use& use) {
  const CharacterClasses& classes = CharacterClasses::Get();
  std::vector<uint64_t> ring(n, 0);
  uint64_t power = 1;  // kBase^n
  for (uint64_t i = 0; i < n; ++i) power *= kBase;
  uint64_t count = 0;
  uint64_t rolling = 0;
  uint64_t word = 0;
  const auto finish = [&] {
    if (word == 0) return;
    uint64_t& oldest = ring[count % n];
    const uint64_t hash = Mix(word);
    rolling = rolling * kBase + hash - power * oldest;
    oldest = hash;
    word = 0;
    if (++count >= n) use(Mix(rolling));
  };
  for (size_t at = 0; at < text.size();) {
    char32_t c = static_cast<uint8_t>(text[at]);
    CharacterClass kind;
    if (c < 0x80) {
      ++at;
      if (c >= 'A' && c <= 'Z') c += 32;
      const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      kind = letter ? CharacterClass::kLetter : CharacterClass::kSpace;
    } else {
      c = DecodeUtf8(text, &at);
      kind = classes.Of(c);
      if (kind == CharacterClass::kMark || c == kTatweel) continue;
      c = static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
    }
    if (kind == CharacterClass::kSpace || kind == CharacterClass::kSymbol) {
      finish();
      continue;
    }
    if (kind == CharacterClass::kIdeograph) finish();
    word = (word + c + 1) * 0xD6E8FEB86659FD93;
    word ^= word >> 32;
    if (kind == CharacterClass::kIdeograph) finish();
  }
  finish();
}

void AddStrings(const Json& value, uint32_t set, uint64_t item, OverlapIndex& index) {
  if (value.is_string()) index.Add(set, item, value.get_ref<const std::string&>());
  if (!value.is_structured()) return;
  for (const Json& part : value) AddStrings(part, set, item, index);
}

}  // namespace

absl::StatusOr<OverlapIndex> OverlapIndex::Load(const OverlapSettings& settings) {
  if (settings.words == 0) return UsageError("setting overlap.words: must be at least 1");
  OverlapIndex index(settings.words);
  for (uint32_t set = 0; set < settings.sets.size(); ++set) {
    const std::string& path = settings.sets[set];
    std::ifstream file(path, std::ios::binary);
    if (!file) return UsageError(fmt::format("evaluation set {}: cannot be read", path));
    std::string line;
    for (uint64_t row = 0; std::getline(file, line); ++row) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      const absl::StatusOr<Json> json = ParseJson(line, fmt::format("{} line {}", path, row + 1));
      if (!json.ok()) return UsageError(fmt::format("evaluation set {}", std::string(json.status().message())));
      AddStrings(*json, set, row, index);
    }
  }
  if (index.size() == 0) {
    return UsageError(
        fmt::format("rule overlap: no evaluation set has a text of {} words; name a JSON Lines file in "
                    "overlap=FILE, or lower overlap.words",
                    settings.words));
  }
  return index;
}

void OverlapIndex::Add(uint32_t set, uint64_t item, std::string_view text) {
  ForEachNgram(text, words_, [&](uint64_t hash) { first_.try_emplace(hash, Place{set, static_cast<uint32_t>(item)}); });
}

std::vector<OverlapFound> OverlapIndex::Find(std::string_view text, uint64_t* total) const {
  std::map<uint32_t, OverlapFound> found;
  uint64_t ngrams = 0;
  ForEachNgram(text, words_, [&](uint64_t hash) {
    ++ngrams;
    const auto place = first_.find(hash);
    if (place == first_.end()) return;
    OverlapFound& of_set =
        found.try_emplace(place->second.set, OverlapFound{place->second.set, place->second.item, 0}).first->second;
    ++of_set.ngrams;
  });
  *total = ngrams;
  std::vector<OverlapFound> result;
  for (const auto& [set, of_set] : found) result.push_back(of_set);
  return result;
}

}  // namespace rhodes
