#include "token/bpe_model.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "base/huge_pages.h"

namespace rhodes {
namespace {

// Up to this many bytes, scanning all pairs for the best one beats a heap (1.5 times at 30 bytes, even at 90).
constexpr size_t kShortWord = 64;
constexpr uint32_t kNone = 0xFFFFFFFF;

size_t TableSize(size_t count) { return std::bit_ceil(std::max<size_t>(count * 2, 16)); }

}  // namespace

void TokenBytesTable::Append(std::string_view bytes) {
  bytes_ += bytes;
  begins_.push_back(bytes_.size());
}

MergeTable::MergeTable(const std::vector<Merge>& merges, bool rank_is_result)
    : entries_(HugePageVector(merges.size() + merges.size() / 2 + 2, kEmpty)),
      ranks_(rank_is_result ? std::vector<uint32_t>() : HugePageVector(entries_.size(), kNoRank)) {
  const size_t bits = std::bit_ceil(std::max<size_t>(merges.size() * 8, 64));
  seen_ = HugePageVector(bits / 64, uint64_t{0});
  seen_shift_ = 64 - std::countr_zero(bits);
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const uint64_t pair = Pair(merges[rank].left, merges[rank].right);
    const uint64_t hash = Hash(pair);
    const size_t slot = SlotOf(pair, hash);
    entries_[slot] = pair << kBits | merges[rank].result;
    if (!rank_is_result) ranks_[slot] = static_cast<uint32_t>(rank);
    ranks_end_ = std::max(ranks_end_, (rank_is_result ? merges[rank].result : static_cast<uint32_t>(rank)) + 1);
    const size_t bit = static_cast<size_t>(hash >> seen_shift_);
    seen_[bit / 64] |= uint64_t{1} << bit % 64;
  }
}

BpeModel::BpeModel(TokenBytesTable tokens, const std::array<TokenId, 256>& byte_ids, MergeTable merges,
                   const std::vector<TokenId>& whole_word_ids)
    : tokens_(std::move(tokens)), byte_ids_(byte_ids), merges_(std::move(merges)), byte_pairs_(size_t{256} * 256) {
  for (size_t left = 0; left < 256; ++left) {
    for (size_t right = 0; right < 256; ++right) {
      byte_pairs_[left * 256 + right] = merges_.Find(byte_ids_[left], byte_ids_[right]);
    }
  }
  if (whole_word_ids.empty()) return;
  whole_words_ = HugePageVector(TableSize(whole_word_ids.size()), WholeWord());
  const size_t mask = whole_words_.size() - 1;
  for (const TokenId id : whole_word_ids) {
    const uint64_t hash = Fingerprint(tokens_[id]);
    size_t slot = hash;
    while (whole_words_[slot & mask].id != 0) ++slot;
    whole_words_[slot & mask] = {static_cast<uint32_t>(hash >> 32), id + 1};
  }
}

bool BpeModel::FindWhole(std::string_view word, TokenId& id) const {
  const size_t mask = whole_words_.size() - 1;
  const uint64_t hash = Fingerprint(word);
  for (size_t slot = hash;; ++slot) {
    const WholeWord& entry = whole_words_[slot & mask];
    if (entry.id == 0) return false;
    if (entry.tag == static_cast<uint32_t>(hash >> 32) && tokens_[entry.id - 1] == word) {
      id = entry.id - 1;
      return true;
    }
  }
}

void BpeModel::EncodeWord(std::string_view word, Scratch& scratch, std::vector<TokenId>& out) const {
  if (!whole_words_.empty()) {
    if (TokenId id; FindWhole(word, id)) {
      out.push_back(id);
      return;
    }
  }
  if (word.size() <= kShortWord) {
    TokenId ids[kShortWord];
    MergeTable::Found pairs[kShortWord];
    size_t left = static_cast<uint8_t>(word[0]);
    ids[0] = byte_ids_[left];
    for (size_t i = 1; i < word.size(); ++i) {
      const size_t right = static_cast<uint8_t>(word[i]);
      ids[i] = byte_ids_[right];
      pairs[i - 1] = byte_pairs_[left * 256 + right];
      left = right;
    }
    return MergeShort(ids, pairs, word.size(), out);
  }
  scratch.units.resize(word.size());
  for (size_t i = 0; i < word.size(); ++i) scratch.units[i] = byte_ids_[static_cast<uint8_t>(word[i])];
  EncodeLong(scratch, out);
}

void BpeModel::EncodeUnits(Scratch& scratch, std::vector<TokenId>& out) const {
  std::vector<TokenId>& units = scratch.units;
  if (units.size() > kShortWord) return EncodeLong(scratch, out);
  MergeTable::Found pairs[kShortWord];
  for (size_t i = 0; i + 1 < units.size(); ++i) pairs[i] = merges_.Find(units[i], units[i + 1]);
  MergeShort(units.data(), pairs, units.size(), out);
}

void BpeModel::MergeShort(TokenId* ids, MergeTable::Found* pairs, size_t count, std::vector<TokenId>& out) const {
  while (count > 1) {
    // Rank and place in one number: the least is the leftmost of lowest rank.
    uint64_t best = uint64_t{MergeTable::kNoRank} << 8;
    for (size_t i = 0; i + 1 < count; ++i) best = std::min(best, uint64_t{pairs[i].rank} << 8 | i);
    if (best >> 8 == MergeTable::kNoRank) break;
    const size_t at = best & 0xFF;
    ids[at] = pairs[at].result;
    --count;
    for (size_t i = at + 1; i < count; ++i) {
      ids[i] = ids[i + 1];
      pairs[i - 1] = pairs[i];
    }
    if (at + 1 < count) pairs[at] = merges_.Find(ids[at], ids[at + 1]);
    if (at > 0) pairs[at - 1] = merges_.Find(ids[at - 1], ids[at]);
  }
  out.insert(out.end(), ids, ids + count);
}

void BpeModel::EncodeLong(Scratch& scratch, std::vector<TokenId>& out) const {
  // Not by structured binding: clang 14 lets no lambda capture one.
  const std::vector<TokenId>& units = scratch.units;
  std::vector<Scratch::Place>& places = scratch.places;
  RankQueue& queue = scratch.queue;
  const auto count = static_cast<uint32_t>(units.size());
  places.resize(count);
  for (uint32_t i = 0; i < count; ++i) places[i] = {units[i], MergeTable::kNoRank, i + 1, i - 1};
  places[0].previous = kNone;
  places[count - 1].next = kNone;
  queue.Begin(merges_.ranks_end());
  const auto push = [&](uint32_t at) {
    Scratch::Place& place = places[at];
    place.rank = place.next == kNone ? MergeTable::kNoRank : merges_.Find(place.id, places[place.next].id).rank;
    if (place.rank != MergeTable::kNoRank) queue.Push(place.rank, at);
  };
  for (uint32_t i = 0; i + 1 < count; ++i) push(i);
  for (uint32_t rank; queue.PopRank(rank);) {
    for (uint32_t at; queue.PopPlace(at);) {
      Scratch::Place& left = places[at];
      if (left.rank != rank) continue;  // its pair has changed since
      Scratch::Place& right = places[left.next];
      left.id = merges_.Find(left.id, right.id).result;
      left.next = right.next;
      right.rank = MergeTable::kNoRank;
      if (left.next != kNone) places[left.next].previous = at;
      if (left.previous != kNone) push(left.previous);
      push(at);
    }
  }
  for (uint32_t i = 0; i != kNone; i = places[i].next) out.push_back(places[i].id);
}

}  // namespace rhodes
