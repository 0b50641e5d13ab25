#include "token/tokenizer.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "token/splitter.h"
#include "token/tokenizer_file.h"
#include "token/word_cache.h"

namespace rhodes {
namespace {

// Tokens that end a text, in the order in which they are looked for.
constexpr std::string_view kEndTokens[] = {kEndOfTextToken, "<|end_of_text|>", "<|im_end|>", "<|eot_id|>", "</s>"};

class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(TokenizerSpec spec, const std::array<TokenId, 256>& byte_ids, std::vector<TokenId> whole_words,
               TokenId end_of_text)
      : pattern_(spec.pattern),
        nfc_(spec.nfc),
        added_(std::move(spec.added)),
        end_of_text_(end_of_text),
        special_(spec.tokens.size()),
        model_(std::move(spec.tokens), byte_ids, spec.merges, whole_words) {
    for (size_t i = 0; i < added_.size(); ++i) {
      if (added_[i].special) special_[added_[i].id] = true;
      has_plain_added_ |= !added_[i].special;
      by_first_byte_[static_cast<uint8_t>(added_[i].text[0])].push_back(i);
    }
    for (std::vector<size_t>& candidates : by_first_byte_) {  // the longest match counts
      std::stable_sort(candidates.begin(), candidates.end(),
                       [&](size_t a, size_t b) { return added_[a].text.size() > added_[b].text.size(); });
    }
  }

  void Encode(std::string_view text, std::vector<TokenId>& out, bool allow_special) const override {
    std::string normalised;
    if (nfc_ && Normalise(text, normalised)) text = normalised;
    std::unique_ptr<Scratch> scratch = TakeScratch();
    if (!allow_special && !has_plain_added_) {
      EncodePiece(text, *scratch, out);
    } else {
      EncodeAround(text, allow_special, *scratch, out);
    }
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(scratch));
  }

  std::string_view TokenBytes(TokenId id) const override {
    return id < vocabulary_size() ? model_.tokens()[id] : std::string_view();
  }
  std::string Decode(const std::vector<TokenId>& ids) const override {
    std::string text;
    for (const TokenId id : ids) text += TokenBytes(id);
    return text;
  }
  bool IsSpecial(TokenId id) const override { return id < special_.size() && special_[id]; }
  uint32_t vocabulary_size() const override { return model_.tokens().size(); }
  TokenId end_of_text() const override { return end_of_text_; }

 private:
  struct Scratch {
    BpeModel::Scratch merge;
    WordCache cache;
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

  // False when `text` is in form C already, or is not UTF-8: then it stays as it is, and no byte is lost.
  static bool Normalise(std::string_view text, std::string& normalised) {
    if (!IsValidUtf8(text) || text.size() > INT32_MAX) return false;
    UErrorCode error = U_ZERO_ERROR;
    const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
    const icu::StringPiece piece(text.data(), static_cast<int32_t>(text.size()));
    if (U_FAILURE(error) || nfc->isNormalizedUTF8(piece, error)) return false;
    icu::StringByteSink<std::string> sink(&normalised);
    nfc->normalizeUTF8(0, piece, sink, nullptr, error);
    return U_SUCCESS(error);
  }

  template <Pattern kPattern>
  void EncodeWords(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const {
    const char* const end = text.data() + text.size();
    SplitWith<kPattern>(text, [&](std::string_view word) {
      if (!WordCache::Fits(word)) return model_.EncodeWord(word, scratch.merge, out);
      const WordCache::Key key = WordCache::MakeKey(word, end);
      if (scratch.cache.Append(key, out)) return;
      const size_t before = out.size();
      model_.EncodeWord(word, scratch.merge, out);
      scratch.cache.Insert(key, out.data() + before, out.size() - before);
    });
  }

  void EncodePiece(std::string_view text, Scratch& scratch, std::vector<TokenId>& out) const {
    if (text.empty()) return;
    switch (pattern_) {
      case Pattern::kGpt2:
        return EncodeWords<Pattern::kGpt2>(text, scratch, out);
      case Pattern::kLlama3:
        return EncodeWords<Pattern::kLlama3>(text, scratch, out);
      case Pattern::kQwen2:
        return EncodeWords<Pattern::kQwen2>(text, scratch, out);
      case Pattern::kO200k:
        return EncodeWords<Pattern::kO200k>(text, scratch, out);
    }
  }

  // The longest added token at `at`, or null.
  const AddedToken* AddedAt(std::string_view text, size_t at, bool allow_special) const {
    for (const size_t i : by_first_byte_[static_cast<uint8_t>(text[at])]) {
      const AddedToken& token = added_[i];
      if ((allow_special || !token.special) && text.compare(at, token.text.size(), token.text) == 0) return &token;
    }
    return nullptr;
  }

  void EncodeAround(std::string_view text, bool allow_special, Scratch& scratch, std::vector<TokenId>& out) const {
    size_t begin = 0;
    for (size_t at = 0; at < text.size();) {
      const AddedToken* token = AddedAt(text, at, allow_special);
      if (token == nullptr) {
        ++at;
        continue;
      }
      size_t left = at;
      size_t right = at + token->text.size();
      if (token->lstrip) left = begin + WithoutTrailingSpace(text.substr(begin, at - begin));
      if (token->rstrip) right += LeadingSpace(text.substr(right));
      EncodePiece(text.substr(begin, left - begin), scratch, out);
      out.push_back(token->id);
      begin = at = right;
    }
    EncodePiece(text.substr(begin), scratch, out);
  }

  static size_t LeadingSpace(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
      const Character character = DecodeCharacter(at, end, CharacterClasses());
      if ((character.character_class & kSpace) == 0) break;
      at += character.length;
    }
    return static_cast<size_t>(at - text.data());
  }
  // The length of `text` without the white space at its end.
  static size_t WithoutTrailingSpace(std::string_view text) {
    size_t kept = text.size();
    while (kept > 0) {
      size_t first = kept - 1;  // back to the first byte of the last character
      while (first > 0 && kept - first < 4 && (static_cast<uint8_t>(text[first]) & 0xC0) == 0x80) --first;
      const Character last = DecodeCharacter(text.data() + first, text.data() + kept, CharacterClasses());
      if ((last.character_class & kSpace) == 0 || last.length != kept - first) break;
      kept = first;
    }
    return kept;
  }

  Pattern pattern_;
  bool nfc_;
  std::vector<AddedToken> added_;
  std::array<std::vector<size_t>, 256> by_first_byte_;  // places in added_, longest first
  bool has_plain_added_ = false;
  TokenId end_of_text_;
  std::vector<bool> special_;
  BpeModel model_;
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

absl::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::Load(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string json, ReadFile(path));
  return Parse(json, path);
}

absl::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::Parse(std::string_view json, std::string_view what) {
  ASSIGN_OR_RETURN(TokenizerSpec spec, ParseTokenizerFile(json, what));
  ASSIGN_OR_RETURN(const TokenId end_of_text, FindEndOfText(spec, what));
  std::vector<bool> added(spec.tokens.size());
  for (const AddedToken& token : spec.added) added[token.id] = true;
  std::array<TokenId, 256> byte_ids;
  std::array<bool, 256> found = {};
  std::vector<TokenId> whole_words;
  for (TokenId id = 0; id < spec.tokens.size(); ++id) {
    const std::string_view bytes = spec.tokens[id];
    if (added[id] || bytes.empty()) continue;  // text never becomes an added token by being equal to it
    if (bytes.size() == 1) {
      byte_ids[static_cast<uint8_t>(bytes[0])] = id;
      found[static_cast<uint8_t>(bytes[0])] = true;
    }
    if (spec.ignore_merges) whole_words.push_back(id);
  }
  for (int byte = 0; byte < 256; ++byte) {
    if (found[static_cast<size_t>(byte)]) continue;
    return absl::InvalidArgumentError(
        fmt::format("{}: the vocabulary has no token for byte 0x{:02x}; only byte-level tokenizers with all 256 bytes "
                    "are supported",
                    what, byte));
  }
  return std::make_unique<BpeTokenizer>(std::move(spec), byte_ids, std::move(whole_words), end_of_text);
}

}  // namespace rhodes
