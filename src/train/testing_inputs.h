// A tokenizer and shards in memory, for tests of the training loop.
#ifndef RHODES_TRAIN_TESTING_INPUTS_H_
#define RHODES_TRAIN_TESTING_INPUTS_H_

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "token/shards.h"
#include "token/tokenizer.h"

namespace rhodes {

// Token b is byte b; 256 is end-of-text.
class ByteTokenizer final : public Tokenizer {
 public:
  ByteTokenizer() {
    for (int i = 0; i < 256; ++i) bytes_.push_back(static_cast<char>(i));
  }
  void Encode(std::string_view text, std::vector<TokenId>& out, bool) const override {
    for (const char c : text) out.push_back(static_cast<unsigned char>(c));
  }
  std::string_view TokenBytes(TokenId id) const override {
    return id == 256 ? "<|endoftext|>" : std::string_view(bytes_).substr(std::min<size_t>(id, 256), 1);
  }
  std::string Decode(const std::vector<TokenId>& ids) const override {
    std::string text;
    for (const TokenId id : ids) text += TokenBytes(id);
    return text;
  }
  bool IsSpecial(TokenId id) const override { return id == 256; }
  uint32_t vocabulary_size() const override { return 257; }
  TokenId end_of_text() const override { return 256; }

 private:
  std::string bytes_;
};

class MemoryShards final : public ShardSet {
 public:
  explicit MemoryShards(const std::vector<std::string>& documents) {
    for (const std::string& text : documents) {
      begins_.push_back(tokens_.size());
      for (const char c : text) tokens_.push_back(static_cast<unsigned char>(c));
      tokens_.push_back(256);
      bytes_ += text.size();
    }
    begins_.push_back(tokens_.size());
  }
  uint64_t token_count() const override { return tokens_.size(); }
  uint64_t document_count() const override { return begins_.size() - 1; }
  uint64_t DocumentBegin(uint64_t d) const override { return begins_[d]; }
  uint64_t DocumentOf(uint64_t position) const override {
    return static_cast<uint64_t>(std::upper_bound(begins_.begin(), begins_.end(), position) - begins_.begin()) - 1;
  }
  void Read(uint64_t position, std::span<TokenId> out) const override {
    for (TokenId& token : out) token = tokens_[position++ % tokens_.size()];
  }
  uint64_t CorpusRow(uint64_t d) const override { return d; }
  uint64_t text_bytes() const override { return bytes_; }

 private:
  std::vector<TokenId> tokens_;
  std::vector<uint64_t> begins_;
  uint64_t bytes_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_TESTING_INPUTS_H_
