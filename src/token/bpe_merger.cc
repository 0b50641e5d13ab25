#include "token/bpe_merger.h"

#include <algorithm>
#include <array>

#include "token/byte_alphabet.h"

namespace rhodes {
namespace {

constexpr size_t kAhead = 12;  // words fetched before they are merged in: they lie anywhere in memory

}  // namespace

void PairCounts::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  --shift_;
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.pair == kFree) continue;
    size_t at = Hash(slot.pair);
    while (slots_[at & mask].pair != kFree) ++at;
    slots_[at & mask] = slot;
  }
}

void BpeMerger::Side::Resize(size_t tokens) {
  sum.resize(tokens);
  words.resize(tokens);
  last_word.resize(tokens, kNoWord);
}

void BpeMerger::Side::Add(TokenId token, int64_t count, uint32_t word) {
  if (last_word[token] != word) {
    if (words[token]++ == 0) touched.push_back(token);
    last_word[token] = word;
    noted.emplace_back(token, word);
  }
  sum[token] += count;
}

BpeMerger::BpeMerger(const std::vector<WordCount>& words, const std::vector<int64_t>& counts, uint64_t min_frequency)
    : min_frequency_(static_cast<int64_t>(std::max<uint64_t>(1, min_frequency))) {
  std::array<TokenId, 256> byte_ids;
  for (const uint8_t byte : BytesInAlphabetOrder()) {
    byte_ids[byte] = tokens_.size();
    const char c = static_cast<char>(byte);
    AddToken({&c, 1});
  }
  size_t size = 0;
  for (const WordCount& word : words) size += kHeader + word.word.size();
  stream_.reserve(size);
  words_.reserve(words.size());
  for (size_t w = 0; w < words.size(); ++w) {
    words_.push_back(static_cast<uint32_t>(stream_.size()));
    const auto count = static_cast<uint64_t>(counts[w]);
    stream_.push_back(static_cast<uint32_t>(words[w].word.size()));
    stream_.push_back(static_cast<uint32_t>(count));
    stream_.push_back(static_cast<uint32_t>(count >> 32));
    for (const char byte : words[w].word) stream_.push_back(byte_ids[static_cast<uint8_t>(byte)]);
  }
}

absl::Status BpeMerger::Check() const {
  if (stream_.size() < kNoWord) return absl::OkStatus();
  return absl::InvalidArgumentError("tokenizer training: more than 2^32 bytes of words; lower the memory budget");
}

TokenId BpeMerger::AddToken(std::string_view bytes) {
  const auto [found, is_new] = ids_.emplace(bytes, tokens_.size());
  if (is_new) tokens_.Append(bytes);
  return found->second;
}

absl::Status BpeMerger::Run(uint32_t most_tokens, RunContext& context) {
  RETURN_IF_ERROR(Check());
  for (Side* side : {&before_, &behind_, &twice_}) side->Resize(std::max(most_tokens, tokens_.size()));
  CountAllPairs();
  for (uint64_t round = 0; tokens_.size() < most_tokens && MergeBest(); ++round) {
    if (round % 64 == 0) RETURN_IF_ERROR(context.CheckCancelled());
  }
  return absl::OkStatus();
}

uint32_t BpeMerger::MakeList(uint32_t size) {
  const auto list = static_cast<uint32_t>(places_.size());
  places_.resize(places_.size() + size + 1);
  places_[list] = size;
  return list;
}

void BpeMerger::Queue(PairCounts::Slot& slot, uint32_t list) {
  if (slot.count <= 0) return;
  if (slot.count < min_frequency_ && slot.parked == PairCounts::kNone) {
    // Most pairs are this rare for good. Only another merge that makes the same token can make them more frequent.
    slot.parked = list;
    return;
  }
  queue_.push({slot.count, slot.pair, list});
  if (slot.count >= min_frequency_ && slot.parked != PairCounts::kNone) {
    queue_.push({slot.count, slot.pair, slot.parked});
    slot.parked = PairCounts::kNone;
  }
}

// All tokens are bytes: their pairs fit into arrays.
void BpeMerger::CountAllPairs() {
  constexpr size_t kPairs = size_t{256} * 256;
  std::vector<int64_t> sums(kPairs);
  std::vector<uint32_t> sizes(kPairs);
  std::vector<uint32_t> last(kPairs, kNoWord);
  const auto for_each = [&](auto&& visit) {
    std::fill(last.begin(), last.end(), kNoWord);
    for (const uint32_t word : words_) {
      const uint32_t* const tokens = stream_.data() + word + kHeader;
      for (uint32_t i = 0; i + 1 < stream_[word]; ++i) visit(tokens[i] << 8 | tokens[i + 1], word);
    }
  };
  for_each([&](uint32_t pair, uint32_t word) {
    sums[pair] += static_cast<int64_t>(uint64_t{stream_[word + 1]} | uint64_t{stream_[word + 2]} << 32);
    sizes[pair] += last[pair] != word ? 1 : 0;
    last[pair] = word;
  });
  std::vector<uint32_t> next(kPairs);
  std::vector<uint32_t> lists(kPairs);
  for (size_t pair = 0; pair < kPairs; ++pair) {
    if (sizes[pair] == 0) continue;
    lists[pair] = MakeList(sizes[pair]);
    next[pair] = lists[pair] + 1;
  }
  for_each([&](uint32_t pair, uint32_t word) {
    if (last[pair] != word) places_[next[pair]++] = word;
    last[pair] = word;
  });
  for (size_t pair = 0; pair < kPairs; ++pair) {
    if (sizes[pair] == 0) continue;
    PairCounts::Slot& slot =
        pairs_.Of(PairCounts::Pair(static_cast<TokenId>(pair >> 8), static_cast<TokenId>(pair & 0xFF)));
    slot.count = sums[pair];
    Queue(slot, lists[pair]);
  }
}

// False when no pair is left that is frequent enough.
bool BpeMerger::MergeBest() {
  while (!queue_.empty()) {
    const Candidate best = queue_.top();
    queue_.pop();
    PairCounts::Slot& slot = pairs_.Of(best.pair);
    if (best.count != slot.count) {
      Queue(slot, best.list);
      continue;
    }
    if (best.count < min_frequency_) return false;
    Merge merge = {static_cast<TokenId>(best.pair >> 32), static_cast<TokenId>(best.pair), 0};
    merge.result = AddToken(std::string(tokens_[merge.left]) + std::string(tokens_[merge.right]));
    merges_.push_back(merge);
    const uint32_t size = places_[best.list];
    const uint32_t* const words = places_.data() + best.list + 1;
    for (uint32_t i = 0; i < size; ++i) {
      if (i + kAhead < size) __builtin_prefetch(stream_.data() + words[i + kAhead], 1);
      MergeInWord(words[i], merge);
    }
    Settle(merge);
    return true;
  }
  return false;
}

void BpeMerger::MergeInWord(uint32_t place, const Merge& merge) {
  uint32_t* const tokens = stream_.data() + place + kHeader;
  const uint32_t length = stream_[place];
  uint32_t kept = 0;
  while (kept + 1 < length && (tokens[kept] != merge.left || tokens[kept + 1] != merge.right)) ++kept;
  if (kept + 1 >= length) return;
  const auto count = static_cast<int64_t>(uint64_t{stream_[place + 1]} | uint64_t{stream_[place + 2]} << 32);
  for (uint32_t i = kept; i < length; ++kept) {
    if (i + 1 == length || tokens[i] != merge.left || tokens[i + 1] != merge.right) {
      tokens[kept] = tokens[i++];
      continue;
    }
    if (kept > 0) {
      before_.Add(tokens[kept - 1], count, place);
      if (tokens[kept - 1] == merge.result) twice_.Add(merge.result, count, place);
    }
    i += 2;
    if (i < length) {
      behind_.Add(tokens[i], count, place);
      if (tokens[i] == merge.result) twice_.Add(merge.result, count, place);
    }
    tokens[kept] = merge.result;
  }
  stream_[place] = kept;
}

template <typename PairOf>
void BpeMerger::Gain(Side& side, TokenId but, PairOf&& pair_of) {
  // Room for all lists first; then `words` says where the next word of each goes, and at last where its list ends.
  new_lists_.clear();
  for (const TokenId token : side.touched) {
    if (token == but) continue;
    new_lists_.push_back(MakeList(side.words[token]));
    side.words[token] = new_lists_.back() + 1;
  }
  for (const auto& [token, word] : side.noted) {
    if (token != but) places_[side.words[token]++] = word;
  }
  const uint32_t* list = new_lists_.data();
  for (const TokenId token : side.touched) {
    if (token != but) {
      PairCounts::Slot& slot = pairs_.Of(pair_of(token));
      slot.count += side.sum[token];
      Queue(slot, *list++);
    }
    side.sum[token] = 0;
    side.words[token] = 0;
    side.last_word[token] = kNoWord;
  }
  side.touched.clear();
  side.noted.clear();
}

void BpeMerger::Settle(const Merge& merge) {
  for (const TokenId token : before_.touched)
    pairs_.Of(PairCounts::Pair(token, merge.left)).count -= before_.sum[token];
  for (const TokenId token : behind_.touched) {
    pairs_.Of(PairCounts::Pair(merge.right, token)).count -= behind_.sum[token];
  }
  constexpr TokenId kNoToken = 0xFFFFFFFF;
  Gain(before_, merge.result, [&](TokenId token) { return PairCounts::Pair(token, merge.result); });
  Gain(behind_, merge.result, [&](TokenId token) { return PairCounts::Pair(merge.result, token); });
  Gain(twice_, kNoToken, [&](TokenId token) { return PairCounts::Pair(token, token); });
}

}  // namespace rhodes
