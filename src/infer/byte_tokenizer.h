// A tokenizer whose tokens are the 256 bytes and an end-of-text token: for tests of what works above tokens.
#ifndef RHODES_INFER_BYTE_TOKENIZER_H_
#define RHODES_INFER_BYTE_TOKENIZER_H_

#include <array>

#include "token/tokenizer.h"

namespace rhodes {

class ByteTokenizer final : public Tokenizer {
 public:
  static constexpr TokenId kEndOfText = 256;
  static constexpr uint32_t kVocabulary = 257;

  ByteTokenizer() {
    for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<char>(i);
  }
  void Encode(std::string_view text, std::vector<TokenId>& out, bool /*allow_special*/) const override {
    for (const char byte : text) out.push_back(static_cast<unsigned char>(byte));
  }
  std::string_view TokenBytes(TokenId id) const override {
    if (id == kEndOfText) return "<|endoftext|>";
    return id < bytes_.size() ? std::string_view(&bytes_[id], 1) : std::string_view();
  }
  std::string Decode(const std::vector<TokenId>& ids) const override {
    std::string text;
    for (const TokenId id : ids) text += TokenBytes(id);
    return text;
  }
  bool IsSpecial(TokenId id) const override { return id == kEndOfText; }
  uint32_t vocabulary_size() const override { return kVocabulary; }
  TokenId end_of_text() const override { return kEndOfText; }

 private:
  std::array<char, 256> bytes_;
};

}  // namespace rhodes

#endif  // RHODES_INFER_BYTE_TOKENIZER_H_
