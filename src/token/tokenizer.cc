#include "token/tokenizer.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "token/added_tokens.h"
#include "token/character_units.h"
#include "token/form_c.h"
#include "token/rank_file.h"
#include "token/segment_encoder.h"
#include "token/tokenizer_file.h"
#include "token/word_cache.h"
#include "token/word_starts.h"

namespace rhodes {
namespace {

// Tokens that end a text, in the order in which they are looked for.
constexpr std::string_view kEndTokens[] = {kEndOfTextToken, "<|end_of_text|>", "<|im_end|>", "<|eot_id|>",
                                           "</s>",          "<eos>",           "<|eos|>"};

// What a stretch of text between added tokens is encoded with.
struct Piece {
  std::string_view text;
  bool prefixed = false;  // a mark comes before it (SentencePiece-style)
};

class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(TokenizerSpec spec, const std::array<TokenId, 256>& byte_ids, const std::vector<TokenId>& whole_words,
               TokenId end_of_text)
      : pattern_(spec.pattern),
        nfc_(spec.nfc),
        end_of_text_(end_of_text),
        special_(spec.tokens.size()),
        model_(std::move(spec.tokens), byte_ids, MergeTable(spec.merges, spec.rank_is_result), whole_words) {
    if (spec.sentence_piece) {
      prefix_ = spec.sentence_piece->prefix;
      strip_first_space_ = spec.sentence_piece->strip_first_space;
      normalizer_marks_ = spec.sentence_piece->normalizer_replaces;
      units_ = std::make_unique<CharacterUnits>(*spec.sentence_piece, model_.tokens(), spec.merges);
    }
    std::vector<AddedToken> raw;
    std::vector<std::string> raw_texts;
    std::vector<AddedToken> normalised;
    std::vector<std::string> normalised_texts;
    for (AddedToken& token : spec.added) {
      if (token.special) special_[token.id] = true;
      std::string text = token.text;
      if (token.normalized) Normalise(token.text, text);
      (token.normalized ? normalised_texts : raw_texts).push_back(std::move(text));
      (token.normalized ? normalised : raw).push_back(std::move(token));
    }
    added_ = AddedTokenMatcher(std::move(raw), raw_texts);
    normalised_added_ = AddedTokenMatcher(std::move(normalised), normalised_texts);
  }

  void Encode(std::string_view text, std::vector<TokenId>& out, bool allow_special) const override {
    std::unique_ptr<Scratch> scratch = TakeScratch();
    Split(
        text, allow_special, [&](const Piece& piece) { EncodePiece(piece, *scratch, out); },
        [&](TokenId id) { out.push_back(id); });
    GiveBack(std::move(scratch));
  }

  void EncodeOnThreads(std::string_view text, int threads, std::vector<TokenId>& out,
                       bool allow_special) const override {
    if (threads < 2 || text.size() < 2 * SegmentEncoder::kBytes || !CutsFreely(text, allow_special)) {
      return Encode(text, out, allow_special);
    }
    SegmentEncoder(&SegmentSize, [&](std::string_view segment, std::vector<TokenId>& ids) {
      Encode(segment, ids, allow_special);
    }).Run(text, threads, out);
  }

  absl::Status CheckNoSpecial(std::string_view text) const override {
    size_t at = 0;
    size_t at_normalised = 0;
    const AddedToken* first = added_.FindSpecial(text, at);
    const AddedToken* const other = normalised_added_.FindSpecial(text, at_normalised);
    if (first == nullptr || (other != nullptr && at_normalised < at)) {
      first = other;
      at = at_normalised;
    }
    if (first == nullptr) return absl::OkStatus();
    return absl::InvalidArgumentError(
        fmt::format("the special token \"{}\" stands in the text, at byte {}", first->text, at));
  }

  std::string_view TokenBytes(TokenId id) const override {
    return id < vocabulary_size() ? model_.tokens()[id] : std::string_view();
  }
  std::string Decode(const std::vector<TokenId>& ids) const override {
    std::string text;
    for (const TokenId id : ids) text += TokenBytes(id);
    if (strip_first_space_ && !text.empty() && text[0] == ' ') text.erase(0, 1);
    return text;
  }
  bool strips_first_space() const override { return strip_first_space_; }
  bool IsSpecial(TokenId id) const override { return id < special_.size() && special_[id]; }
  uint32_t vocabulary_size() const override { return model_.tokens().size(); }
  TokenId end_of_text() const override { return end_of_text_; }

 private:
  struct Scratch {
    BpeModel::Scratch merge;
    WordCache cache;
    LongWordCache long_cache;
    WordStarts starts;
    // Of one stretch: no word has more tokens than bytes. Up to 4 ids are written at once.
    std::unique_ptr<TokenId[]> ids = std::make_unique_for_overwrite<TokenId[]>(ClassMasks::kBytes + 4);
    std::vector<TokenId> missed;
    std::string prefixed;  // the first word with the space before it
  };

  std::unique_ptr<Scratch> TakeScratch() const {
    {
      const std::lock_guard lock(mutex_);
      if (!spare_.empty()) {
        std::unique_ptr<Scratch> scratch = std::move(spare_.back());
        spare_.pop_back();
        return scratch;
      }
    }
    return std::make_unique<Scratch>();
  }
  void GiveBack(std::unique_ptr<Scratch> scratch) const {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(scratch));
  }

  // Whether the ids of a text cut between a letter and white space are those of its parts.
  bool CutsFreely(std::string_view text, bool allow_special) const {
    if (units_ != nullptr || (nfc_ && !IsValidUtf8(text))) return false;
    for (const AddedTokenMatcher* matcher : {&added_, &normalised_added_}) {
      if (Finds(*matcher, allow_special) && matcher->reaches_over_spaces()) return false;
    }
    return true;
  }
  // Of the next part of `text` of about SegmentEncoder::kBytes; all of it when there is no place to cut.
  static size_t SegmentSize(std::string_view text) {
    size_t size = SegmentEncoder::kBytes;
    while (true) {
      size = text.find_first_of(" \n\r\t", size);
      if (size == std::string_view::npos) return text.size();
      // The one cut that is as good as any is right before the white space, if a letter comes before that.
      if (SureCut(text, size, 1) == size) return size;
      ++size;
    }
  }

  // The normalizer. False when `text` stays as it is.
  bool Normalise(std::string_view text, std::string& normalised) const {
    if (nfc_) return NormaliseToFormC(text, normalised);
    const bool prepends = prefix_ == SentencePieceRules::Prefix::kAlways;
    if (units_ == nullptr || text.empty() || (!prepends && !normalizer_marks_)) return false;
    normalised = prepends ? kMark : "";
    for (const char byte : text) {
      if (byte == ' ' && normalizer_marks_) {
        normalised += kMark;
      } else {
        normalised += byte;
      }
    }
    return true;
  }

  bool IsPrefixed(std::string_view piece, bool first) const {
    switch (prefix_) {
      case SentencePieceRules::Prefix::kNone:
        return false;
      case SentencePieceRules::Prefix::kAlways:
        return true;
      case SentencePieceRules::Prefix::kIfMissing:
        return !CharacterUnits::BeginsWithMark(piece);
      case SentencePieceRules::Prefix::kFirstPieces:
        return first && !CharacterUnits::BeginsWithMark(piece);
    }
    return false;
  }

  // Calls `visit` for the stretches of text between added tokens and `token` for those, in order. A piece's text lives
  // until `visit` returns if the tokenizer normalises, else as long as `text`.
  template <typename Visit, typename Token>
  void Split(std::string_view text, bool allow_special, Visit&& visit, Token&& token) const {
    const auto emit = [&](const AddedToken& added) { token(added.id); };
    const auto normalise = [&](std::string_view raw) {
      const bool first = raw.data() == text.data();
      if (!Finds(normalised_added_, allow_special)) return VisitPiece(raw, first, visit);
      std::string normalised;
      const std::string_view changed = Normalise(raw, normalised) ? normalised : raw;
      normalised_added_.Split(
          changed, allow_special,
          [&](std::string_view piece) {
            // What the normalizer prepended is there already.
            const bool starts = piece.data() == changed.data();
            const bool prefixed = prefix_ != SentencePieceRules::Prefix::kAlways && IsPrefixed(piece, first && starts);
            visit(Piece{piece, prefixed});
          },
          emit);
    };
    if (Finds(added_, allow_special)) {
      added_.Split(text, allow_special, normalise, emit);
    } else if (!text.empty()) {
      normalise(text);
    }
  }
  static bool Finds(const AddedTokenMatcher& matcher, bool allow_special) {
    return !matcher.empty() && (allow_special || matcher.has_ordinary());
  }
  template <typename Visit>
  void VisitPiece(std::string_view raw, bool first, Visit&& visit) const {
    std::string normalised;
    if (nfc_ && NormaliseToFormC(raw, normalised)) return visit(Piece{normalised});
    visit(Piece{raw, IsPrefixed(raw, first)});
  }

  // Encodes `word`, from the cache if it was seen before.
  template <typename Miss>
  static void EncodeCached(std::string_view word, Scratch& scratch, std::vector<TokenId>& out, Miss&& miss) {
    if (!WordCache::Fits(word)) return EncodeLongCached(word, scratch, out, miss);
    const WordCache::Key key = WordCache::MakeKey(word);
    if (const WordCache::Entry* entry = scratch.cache.Find(key, scratch.cache.PlaceOf(key))) {
      const TokenId* ids = entry->count <= WordCache::kInline ? entry->ids : scratch.cache.More(*entry);
      out.insert(out.end(), ids, ids + entry->count);
      return;
    }
    const size_t before = out.size();
    miss(word);
    scratch.cache.Insert(key, out.data() + before, out.size() - before);
    scratch.cache.Grow();
  }
  template <typename Miss>
  static void EncodeLongCached(std::string_view word, Scratch& scratch, std::vector<TokenId>& out, Miss&& miss) {
    if (!LongWordCache::Fits(word)) return miss(word);
    const uint64_t hash = Fingerprint(word);
    if (const LongWordCache::Found found = scratch.long_cache.Find(word, hash); found.count != 0) {
      out.insert(out.end(), found.ids, found.ids + found.count);
      return;
    }
    const size_t before = out.size();
    miss(word);
    scratch.long_cache.Insert(word, hash, out.data() + before, out.size() - before);
  }

  template <Pattern kPattern>
  void EncodeWords(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const {
    const size_t before = out.size();
    size_t done = 0;
    SplitByStretches<kPattern>(
        text, scratch.starts,
        [&](const char* base, const WordStarts& found) {
          const TokenId* const ids = scratch.ids.get();
          const TokenId* const end = EncodeStretch(base, found, scratch);
          done += found.begins[found.words];
          MakeRoomForIds(out, before, static_cast<size_t>(end - ids), done, text.size());
          out.insert(out.end(), ids, end);
        },
        [&](std::string_view word) {
          EncodeCached(word, scratch, out,
                       [&](std::string_view missed) { model_.EncodeWord(missed, scratch.merge, out); });
        });
  }

  // The places of the next words in the cache are fetched while those of earlier ones are read.
  // Writes to scratch.ids; the end of what was written.
  TokenId* EncodeStretch(const char* base, const WordStarts& found, Scratch& scratch) const {
    constexpr size_t kAhead = 32;
    WordCache& cache = scratch.cache;
    cache.Grow();
    WordCache::Key keys[kAhead];
    size_t places[kAhead];
    TokenId* to = scratch.ids.get();
    const uint16_t* const begins = found.begins;
    const auto size_of = [&](size_t i) { return static_cast<size_t>(begins[i + 1] - begins[i]); };
    const auto fetch = [&](size_t i) {
      // Of a long word, the first bytes: a place to look at, and not used.
      const WordCache::Key key = WordCache::MakeKey(base + begins[i], std::min(size_of(i), WordCache::kMostBytes));
      keys[i % kAhead] = key;
      places[i % kAhead] = cache.PlaceOf(key);
      cache.Prefetch(places[i % kAhead]);
    };
    const size_t words = found.words;
    for (size_t i = 0; i < std::min(kAhead, words); ++i) fetch(i);
    for (size_t i = 0; i < words; ++i) {
      const WordCache::Key key = keys[i % kAhead];
      const WordCache::Entry* const entry = cache.Find(key, places[i % kAhead]);
      if (i + kAhead < words) fetch(i + kAhead);
      if (entry != nullptr && size_of(i) <= WordCache::kMostBytes) [[likely]] {
        if (entry->count <= WordCache::kInline) [[likely]] {
          std::memcpy(to, entry->ids, sizeof(entry->ids));
        } else {
          const TokenId* const more = cache.More(*entry);
          for (size_t k = 0; k < entry->count; k += 4) std::memcpy(to + k, more + k, 4 * sizeof(TokenId));
        }
        to += entry->count;
      } else {
        to = EncodeMissed({base + begins[i], size_of(i)}, key, scratch, to);
      }
    }
    return to;
  }
  TokenId* EncodeMissed(std::string_view word, const WordCache::Key& key, Scratch& scratch, TokenId* to) const {
    std::vector<TokenId>& missed = scratch.missed;
    missed.clear();
    const auto miss = [&](std::string_view w) { model_.EncodeWord(w, scratch.merge, missed); };
    if (word.size() <= WordCache::kMostBytes) {
      miss(word);
      scratch.cache.Insert(key, missed.data(), missed.size());
    } else {
      EncodeLongCached(word, scratch, missed, miss);
    }
    std::memcpy(to, missed.data(), missed.size() * sizeof(TokenId));
    return to + missed.size();
  }

  void EncodeSentencePiece(const Piece& piece, Scratch& scratch, std::vector<TokenId>& out) const {
    const auto miss = [&](std::string_view word) {
      scratch.merge.units.clear();
      units_->Append(word, scratch.merge.units);
      model_.EncodeUnits(scratch.merge, out);
    };
    const char* at = piece.text.data();
    const char* const end = at + piece.text.size();
    if (piece.prefixed) {
      // The prefix is a word by itself before another mark when marks split.
      const char* word_end = units_->WordEnd(at, end);
      std::string& word = scratch.prefixed;
      word.assign(1, ' ');
      word.append(at, word_end);
      const char* first = word.data();
      const char* const last = first + word.size();
      while (first < last) {
        const char* next = units_->WordEnd(first, last);
        EncodeCached({first, static_cast<size_t>(next - first)}, scratch, out, miss);
        first = next;
      }
      at = word_end;
    }
    while (at < end) {
      const char* next = units_->WordEnd(at, end);
      EncodeCached({at, static_cast<size_t>(next - at)}, scratch, out, miss);
      at = next;
    }
  }

  void EncodePiece(const Piece& piece, Scratch& scratch, std::vector<TokenId>& out) const {
    if (units_ != nullptr) return EncodeSentencePiece(piece, scratch, out);
    switch (pattern_) {
      case Pattern::kGpt2:
        return EncodeWords<Pattern::kGpt2>(piece.text, scratch, out);
      case Pattern::kLlama3:
        return EncodeWords<Pattern::kLlama3>(piece.text, scratch, out);
      case Pattern::kQwen2:
        return EncodeWords<Pattern::kQwen2>(piece.text, scratch, out);
      case Pattern::kO200k:
        return EncodeWords<Pattern::kO200k>(piece.text, scratch, out);
      case Pattern::kCl100k:
        return EncodeWords<Pattern::kCl100k>(piece.text, scratch, out);
    }
  }

  static constexpr const char* kMark = "\u2581";

  Pattern pattern_;
  bool nfc_;
  SentencePieceRules::Prefix prefix_ = SentencePieceRules::Prefix::kNone;
  bool strip_first_space_ = false;
  bool normalizer_marks_ = false;
  TokenId end_of_text_;
  std::vector<bool> special_;
  BpeModel model_;
  std::unique_ptr<CharacterUnits> units_;  // null: byte-level
  AddedTokenMatcher added_;                // looked for in the text as it is
  AddedTokenMatcher normalised_added_;     // looked for in normalised text
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> spare_;  // one for each thread that encodes at the same time
};

absl::StatusOr<TokenId> FindEndOfText(const TokenizerSpec& spec, std::string_view what) {
  for (const std::string_view name : kEndTokens) {
    for (const AddedToken& token : spec.added) {
      if (token.text == name) return token.id;
    }
  }
  return absl::InvalidArgumentError(fmt::format("{}: has no end-of-text token among its added tokens; looked for {}",
                                                what, fmt::join(kEndTokens, ", ")));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::Load(const std::string& path, std::string_view pattern) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  return Parse(bytes, path, pattern);
}

absl::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::Parse(std::string_view bytes, std::string_view what,
                                                            std::string_view pattern) {
  ASSIGN_OR_RETURN(TokenizerSpec spec,
                   LooksLikeRankFile(bytes) ? ParseRankFile(bytes, pattern, what) : ParseTokenizerFile(bytes, what));
  ASSIGN_OR_RETURN(const TokenId end_of_text, FindEndOfText(spec, what));
  std::vector<bool> only_added(spec.tokens.size());  // text never becomes a special token by being equal to it
  for (const AddedToken& token : spec.added) only_added[token.id] = token.special || !token.in_vocabulary;
  std::array<TokenId, 256> byte_ids = {};
  std::array<bool, 256> found = {};
  std::vector<TokenId> whole_words;
  for (TokenId id = 0; id < spec.tokens.size() && !spec.sentence_piece; ++id) {
    const std::string_view token = spec.tokens[id];
    if (only_added[id] || token.empty()) continue;
    if (token.size() == 1) {
      byte_ids[static_cast<uint8_t>(token[0])] = id;
      found[static_cast<uint8_t>(token[0])] = true;
    }
    if (spec.ignore_merges) whole_words.push_back(id);
  }
  for (size_t byte = 0; byte < 256 && !spec.sentence_piece; ++byte) {
    if (found[byte]) continue;
    return absl::InvalidArgumentError(fmt::format(
        "{}: the vocabulary has no token for byte 0x{:02x}; a byte-level tokenizer needs all 256 bytes", what, byte));
  }
  return std::make_unique<BpeTokenizer>(std::move(spec), byte_ids, whole_words, end_of_text);
}

}  // namespace rhodes
