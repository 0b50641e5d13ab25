#include "project/needles.h"

#include <algorithm>

#include "base/hash.h"

namespace rhodes {
namespace {

constexpr uint64_t kBase = 0x9e3779b97f4a7c15;  // odd, so that no factor is lost modulo 2^64
constexpr size_t kLookedAt = 4096;

uint64_t Mixed(uint64_t hash) {
  hash ^= hash >> 29;
  return hash * 0xbf58476d1ce4e5b9;
}

uint64_t Byte(char c) { return static_cast<unsigned char>(c) + uint64_t{1}; }

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7f && c != '"' && c != '\\';
}

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

}  // namespace

Needles::Needle Needles::Make(std::string_view bytes, size_t window) {
  Needle needle;
  for (const char c : bytes.substr(0, window)) needle.rolling = needle.rolling * kBase + Byte(c);
  needle.whole = Fingerprint(bytes);
  needle.length = static_cast<uint32_t>(bytes.size());
  return needle;
}

void Needles::Insert(Table& table, const Needle& needle) {
  std::vector<Needle>& same = table[Mixed(needle.rolling)];
  const bool there = std::any_of(same.begin(), same.end(), [&](const Needle& other) {
    return other.whole == needle.whole && other.length == needle.length;
  });
  if (!there) same.push_back(needle);
}

void Needles::AddText(std::string_view text) {
  text = text.substr(0, kLookedAt);
  std::string_view best;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && IsPlain(text[end])) ++end;
    if (end - begin > best.size()) best = text.substr(begin, end - begin);
    if (best.size() >= kLongest) break;
    begin = end + 1;
  }
  if (best.size() < kShortest) return;
  Insert(texts_, Make(best.substr(0, kLongest), kShortest));
}

void Needles::AddName(std::string_view name) {
  if (!name.empty()) Insert(names_[name.size()], Make(name, name.size()));
}

bool Needles::Find(const Table& table, size_t window, std::string_view bytes, bool words) {
  if (table.empty() || bytes.size() < window) return false;
  uint64_t out_factor = 1;
  for (size_t i = 0; i < window; ++i) out_factor *= kBase;
  uint64_t hash = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    hash = hash * kBase + Byte(bytes[i]);
    if (i >= window) hash -= out_factor * Byte(bytes[i - window]);
    if (i + 1 < window) continue;
    const auto it = table.find(Mixed(hash));
    if (it == table.end()) continue;
    const size_t begin = i + 1 - window;
    for (const Needle& needle : it->second) {
      const size_t end = begin + needle.length;
      if (end > bytes.size() || Fingerprint(bytes.substr(begin, needle.length)) != needle.whole) continue;
      if (!words) return true;
      if ((begin == 0 || !IsWordByte(bytes[begin - 1])) && (end == bytes.size() || !IsWordByte(bytes[end])))
        return true;
    }
  }
  return false;
}

bool Needles::FindText(std::string_view bytes) const { return Find(texts_, kShortest, bytes, false); }

bool Needles::FindName(std::string_view bytes) const {
  return std::any_of(names_.begin(), names_.end(),
                     [&](const auto& entry) { return Find(entry.second, entry.first, bytes, true); });
}

Json Needles::ToJson() const {
  const auto list = [](const Table& table, Json& json) {
    std::vector<Needle> sorted;
    for (const auto& [hash, needles] : table) sorted.insert(sorted.end(), needles.begin(), needles.end());
    std::sort(sorted.begin(), sorted.end(), [](const Needle& a, const Needle& b) {
      return a.whole != b.whole ? a.whole < b.whole : a.length < b.length;
    });
    for (const Needle& needle : sorted) json.push_back({needle.rolling, needle.whole, needle.length});
  };
  Json texts = Json::array();
  list(texts_, texts);
  Json names = Json::array();
  for (const auto& [length, table] : names_) list(table, names);
  return {{"texts", texts}, {"names", names}};
}

absl::StatusOr<Needles> Needles::FromJson(const Json& json, const std::string& path) {
  Needles needles;
  try {
    for (const Json& entry : json.at("texts")) {
      Insert(needles.texts_, {entry.at(0).get<uint64_t>(), entry.at(1).get<uint64_t>(), entry.at(2).get<uint32_t>()});
    }
    for (const Json& entry : json.at("names")) {
      const Needle needle{entry.at(0).get<uint64_t>(), entry.at(1).get<uint64_t>(), entry.at(2).get<uint32_t>()};
      Insert(needles.names_[needle.length], needle);
    }
  } catch (const Json::exception& error) {
    return absl::DataLossError(fmt::format("{}: {}", path, error.what()));
  }
  return needles;
}

}  // namespace rhodes
