#include "curate/substring_cutter.h"

#include <algorithm>
#include <bit>

namespace rhodes {

const PlacedDocument& DocumentAt(std::span<const PlacedDocument> documents, uint64_t place) {
  // Empty documents begin where the next one does: the last that begins there has the text.
  const auto after = std::upper_bound(documents.begin(), documents.end(), place,
                                      [](uint64_t p, const PlacedDocument& document) { return p < document.begin; });
  return *std::prev(after);
}

SubstringCutter::SubstringCutter(const SubstringSettings& settings, std::string_view texts,
                                 std::span<const PlacedDocument> documents)
    : settings_(settings),
      texts_(texts),
      documents_(documents),
      mask_(std::bit_ceil(uint64_t{settings.min_tokens} + 1) - 1),
      scanner_({}, TokenUnit::kWord, nullptr),
      tokens_(mask_ + 1),
      kept_begins_(mask_ + 1) {}

void SubstringCutter::Begin(uint64_t place) {
  const PlacedDocument& document = DocumentAt(documents_, place);
  const PlacedDocument* const next = &document + 1;
  document_begin_ = document.begin;
  document_end_ = next == documents_.data() + documents_.size() ? texts_.size() : next->begin;
  text_ = texts_.substr(document_begin_, document_end_ - document_begin_);
  scanner_ = TokenScanner(text_, settings_.unit, settings_.splitter);
  first_ = read_ = matched_ = covered_ = 0;
  in_document_ = true;
  cuts_.ordinal = document.ordinal;
  cuts_.tokens = cuts_.repeated_tokens = 0;
  cuts_.drop = false;
  cuts_.cuts.clear();
}

bool SubstringCutter::ReadToken() {
  TokenSpan token;
  if (!scanner_.Next(token)) return false;
  tokens_[read_++ & mask_] = token;
  return true;
}

bool SubstringCutter::MoveTo(uint64_t begin) {
  while (true) {
    while (read_ < first_ + settings_.min_tokens) {
      if (!ReadToken()) return false;
    }
    if (tokens_[first_ & mask_].begin >= begin) return tokens_[first_ & mask_].begin == begin;
    ++first_;
  }
}

// Compares a token with the kept text at kept_at_. White space between tokens may differ where it is no token itself.
bool SubstringCutter::MatchToken(uint64_t index) {
  const std::string_view token = Bytes(tokens_[index & mask_]);
  const auto matches = [&](uint64_t at) { return texts_.compare(at, token.size(), token) == 0; };
  uint64_t at = kept_at_;
  if (!matches(at)) {
    if (settings_.unit == TokenUnit::kCharacter) return false;
    at += LengthOfWhiteSpace(texts_.substr(at));
    if (!matches(at)) return false;
  }
  kept_begins_[index & mask_] = at;
  kept_at_ = at + token.size();
  return true;
}

bool SubstringCutter::Matches(uint64_t kept) {
  const uint64_t end = first_ + settings_.min_tokens;
  // Mostly the window one token on repeats what follows the last one's: one token to compare.
  const bool goes_on = matched_ > first_ && matched_ <= end && kept_begins_[first_ & mask_] == kept;
  if (!goes_on) {
    matched_ = first_;
    kept_at_ = kept;
  }
  for (; matched_ < end; ++matched_) {
    if (!MatchToken(matched_)) {
      matched_ = 0;
      return false;
    }
  }
  return true;
}

void SubstringCutter::Cover(uint64_t kept) {
  const uint64_t end = first_ + settings_.min_tokens;
  const uint64_t end_byte = tokens_[(end - 1) & mask_].end;
  if (!cuts_.cuts.empty() && first_ <= covered_) {
    cuts_.repeated_tokens += end - covered_;
    cuts_.cuts.back().end = end_byte;
  } else {
    const PlacedDocument& document = DocumentAt(documents_, kept);
    cuts_.repeated_tokens += settings_.min_tokens;
    cuts_.cuts.push_back({tokens_[first_ & mask_].begin, end_byte, document.ordinal, kept - document.begin});
  }
  covered_ = end;
}

void SubstringCutter::Add(const RepeatedWindow& window) {
  if (!in_document_) Begin(window.place);
  const bool same_document = window.kept >= document_begin_ && window.kept < document_end_;
  if (same_document && !settings_.within_documents) return;
  if (!MoveTo(window.place - document_begin_)) return;
  if (!Matches(window.kept)) return;
  if (same_document && kept_at_ > window.place) return;  // overlaps the first one
  Cover(window.kept);
}

const DocumentCuts& SubstringCutter::End() {
  if (!cuts_.cuts.empty()) {
    while (ReadToken()) {
    }
  }
  in_document_ = false;
  cuts_.tokens = read_;
  const auto repeated = static_cast<double>(cuts_.repeated_tokens);
  cuts_.drop = !cuts_.cuts.empty() && (cuts_.repeated_tokens == cuts_.tokens ||
                                       repeated > settings_.drop_above * static_cast<double>(cuts_.tokens));
  return cuts_;
}

}  // namespace rhodes
