#include "world/phrases.h"

#include <vector>

namespace rhodes {
namespace {

constexpr int kDeepest = 16;

void Expand(std::string_view phrase, const PhraseSlots& slots, WorldRng& rng, int depth, std::string& out);

// The alternatives of the group that begins behind '{' at `begin`; `end` is where its '}' stands.
std::vector<std::string_view> Alternatives(std::string_view phrase, size_t begin, size_t& end) {
  std::vector<std::string_view> found;
  int depth = 0;
  size_t from = begin;
  for (size_t at = begin; at < phrase.size(); ++at) {
    if (phrase[at] == '{') ++depth;
    if (phrase[at] == '|' && depth == 0) {
      found.push_back(phrase.substr(from, at - from));
      from = at + 1;
    }
    if (phrase[at] == '}' && depth-- == 0) {
      found.push_back(phrase.substr(from, at - from));
      end = at;
      return found;
    }
  }
  end = phrase.size();
  found.push_back(phrase.substr(from));
  return found;
}

void Expand(std::string_view phrase, const PhraseSlots& slots, WorldRng& rng, int depth, std::string& out) {
  if (depth > kDeepest) return;
  for (size_t at = 0; at < phrase.size(); ++at) {
    if (phrase[at] == '{') {
      size_t end = at;
      const std::vector<std::string_view> choices = Alternatives(phrase, at + 1, end);
      Expand(choices[rng.Below(choices.size())], slots, rng, depth + 1, out);
      at = end;
    } else if (phrase[at] == '$') {
      size_t end = at + 1;
      while (end < phrase.size() && ((phrase[end] >= 'a' && phrase[end] <= 'z') || phrase[end] == '_')) ++end;
      if (const auto slot = slots.find(phrase.substr(at + 1, end - at - 1)); slot != slots.end()) {
        Expand(slot->second, slots, rng, depth + 1, out);
      }
      at = end - 1;
    } else {
      out += phrase[at];
    }
  }
}

}  // namespace

std::string ExpandPhrase(std::string_view phrase, const PhraseSlots& slots, WorldRng& rng) {
  std::string raw;
  Expand(phrase, slots, rng, 0, raw);
  std::string text;
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == ' ' && (text.empty() || text.back() == ' ' || text.back() == '\n')) continue;
    const bool closes = raw[i] == '.' || raw[i] == ',' || raw[i] == '!' || raw[i] == '?' || raw[i] == '\n' ||
                        raw.compare(i, 2, ": ") == 0 || raw.compare(i, 2, "،") == 0 || raw.compare(i, 2, "؟") == 0;
    if (closes && !text.empty() && text.back() == ' ') text.pop_back();
    text += raw[i];
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace rhodes
