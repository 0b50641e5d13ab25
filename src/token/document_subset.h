// Some documents of a split, as if they were a split of their own.
#ifndef RHODES_TOKEN_DOCUMENT_SUBSET_H_
#define RHODES_TOKEN_DOCUMENT_SUBSET_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "token/shards.h"
#include "token/tokenizer.h"

namespace rhodes {

// The documents `documents` (ascending numbers of `base`) one after another. Nothing of the tokens is copied: 16 bytes
// a document. `base` and `tokenizer` are not owned; text_bytes() reads all tokens. Thread-safe.
class DocumentSubset final : public ShardSet {
 public:
  DocumentSubset(const ShardSet& base, const Tokenizer& tokenizer, std::vector<uint64_t> documents);

  uint64_t token_count() const override { return begins_.back(); }
  uint64_t document_count() const override { return documents_.size(); }
  uint64_t DocumentBegin(uint64_t d) const override { return begins_[d]; }
  uint64_t DocumentOf(uint64_t position) const override;
  void Read(uint64_t position, std::span<TokenId> out) const override;
  uint64_t CorpusRow(uint64_t d) const override { return base_.CorpusRow(documents_[d]); }
  uint64_t text_bytes() const override;

 private:
  const ShardSet& base_;
  const Tokenizer& tokenizer_;
  std::vector<uint64_t> documents_;
  std::vector<uint64_t> begins_;  // of each document, and the end of the last one
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_DOCUMENT_SUBSET_H_
