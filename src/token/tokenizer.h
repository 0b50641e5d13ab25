// Byte-level BPE: text to token ids and back, from a Hugging Face tokenizer.json.
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
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Load(const std::string& path);
  static absl::StatusOr<std::unique_ptr<Tokenizer>> Parse(std::string_view json, std::string_view what);
  virtual ~Tokenizer() = default;

  // Appends the ids of `text` to `out`. Special tokens in `text` are ordinary text unless `allow_special`. Invalid
  // UTF-8 is encoded as bytes. Ids equal those of Hugging Face tokenizers for the same file.
  virtual void Encode(std::string_view text, std::vector<TokenId>& out, bool allow_special = false) const = 0;
  // The bytes of one token (a special token: its text); empty for an id beyond the vocabulary.
  virtual std::string_view TokenBytes(TokenId id) const = 0;
  virtual std::string Decode(const std::vector<TokenId>& ids) const = 0;
  virtual bool IsSpecial(TokenId id) const = 0;

  virtual uint32_t vocabulary_size() const = 0;  // special tokens included
  virtual TokenId end_of_text() const = 0;       // "<|endoftext|>": between documents, and ends an answer
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_TOKENIZER_H_
