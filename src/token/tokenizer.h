// Byte pair encoding: text to token ids and back, from a Hugging Face tokenizer.json or a tiktoken rank file.
#ifndef RHODES_TOKEN_TOKENIZER_H_
#define RHODES_TOKEN_TOKENIZER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rhodes {

using TokenId = uint32_t;

// Immutable once loaded; thread-safe.
class Tokenizer {
 public:
  // Reads a tokenizer.json (token/tokenizer_file.h) or a rank file (token/rank_file.h); `pattern` is for the latter.
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Load(const std::string& path, std::string_view pattern = "");
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Parse(std::string_view bytes, std::string_view what,
                                                          std::string_view pattern = "");
  virtual ~Tokenizer() = default;

  // Appends the ids of `text` to `out`. Special tokens in `text` are ordinary text unless `allow_special`. Invalid
  // UTF-8 is encoded as bytes. Ids equal those of Hugging Face tokenizers (of tiktoken) for the same file.
  virtual void Encode(std::string_view text, std::vector<TokenId>& out, bool allow_special = false) const = 0;
  // The same ids, made by `threads` threads when the text is long enough to be shared out.
  virtual void EncodeOnThreads(std::string_view text, int threads, std::vector<TokenId>& out,
                               bool allow_special = false) const {
    static_cast<void>(threads);
    Encode(text, out, allow_special);
  }
  // OK when no special token is written in `text`; otherwise INVALID_ARGUMENT naming the first one and the byte where
  // it begins. For texts that must not hold one, as tiktoken refuses those that are "disallowed".
  virtual absl::Status CheckNoSpecial(std::string_view text) const {
    static_cast<void>(text);
    return absl::OkStatus();
  }
  // The bytes of one token (a special token: its text); empty for an id beyond the vocabulary.
  virtual std::string_view TokenBytes(TokenId id) const = 0;
  // The tokens' bytes one after the other, without the space at the beginning that a SentencePiece-style tokenizer puts
  // before every text. In pieces: token/streaming_decoder.h.
  virtual std::string Decode(const std::vector<TokenId>& ids) const = 0;
  // Whether a space at the very beginning of a decoded text was put there by encoding.
  virtual bool strips_first_space() const { return false; }
  virtual bool IsSpecial(TokenId id) const = 0;

  virtual uint32_t vocabulary_size() const = 0;  // special tokens included
  virtual TokenId end_of_text() const = 0;       // "<|endoftext|>": between documents, and ends an answer
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_TOKENIZER_H_
