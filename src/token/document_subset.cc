#include "token/document_subset.h"

#include <algorithm>

namespace rhodes {

DocumentSubset::DocumentSubset(const ShardSet& base, const Tokenizer& tokenizer, std::vector<uint64_t> documents)
    : base_(base), tokenizer_(tokenizer), documents_(std::move(documents)) {
  begins_.reserve(documents_.size() + 1);
  begins_.push_back(0);
  for (const uint64_t d : documents_) {
    begins_.push_back(begins_.back() + base_.DocumentBegin(d + 1) - base_.DocumentBegin(d));
  }
}

uint64_t DocumentSubset::DocumentOf(uint64_t position) const {
  return static_cast<uint64_t>(std::upper_bound(begins_.begin(), begins_.end(), position) - begins_.begin()) - 1;
}

void DocumentSubset::Read(uint64_t position, std::span<TokenId> out) const {
  if (token_count() == 0) return;
  position %= token_count();
  uint64_t d = DocumentOf(position);
  while (!out.empty()) {
    const uint64_t within = position - begins_[d];
    const size_t count = std::min<uint64_t>(out.size(), begins_[d + 1] - position);
    base_.Read(base_.DocumentBegin(documents_[d]) + within, out.first(count));
    out = out.subspan(count);
    d = d + 1 == documents_.size() ? 0 : d + 1;
    position = begins_[d];
  }
}

uint64_t DocumentSubset::text_bytes() const {
  uint64_t bytes = 0;
  std::vector<TokenId> tokens;
  for (size_t d = 0; d < documents_.size(); ++d) {
    tokens.resize(begins_[d + 1] - begins_[d]);
    Read(begins_[d], tokens);
    for (const TokenId token : tokens) {
      if (token != tokenizer_.end_of_text()) bytes += tokenizer_.TokenBytes(token).size();
    }
  }
  return bytes;
}

}  // namespace rhodes
