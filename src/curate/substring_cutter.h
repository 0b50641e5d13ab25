// From repeated windows to cuts: one document after another, each repeat compared with what it repeats.
#ifndef RHODES_CURATE_SUBSTRING_CUTTER_H_
#define RHODES_CURATE_SUBSTRING_CUTTER_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "curate/substring.h"

namespace rhodes {

// A document among all texts one behind the other.
struct PlacedDocument {
  uint64_t begin = 0;
  uint64_t ordinal = 0;
  uint64_t priority = 0;
};

// A window at `place` that equals the one at `kept` (bytes of all texts).
struct RepeatedWindow {
  uint64_t place = 0;
  uint64_t kept = 0;

  friend bool operator<(const RepeatedWindow& a, const RepeatedWindow& b) { return a.place < b.place; }
};

// Makes the cuts of documents given one after another. Memory: 48 bytes a token of a window, and the cuts of the
// document. Not thread-safe.
class SubstringCutter {
 public:
  // `texts` and `documents` (ascending, one at least; the last ends with `texts`) must outlive the cutter.
  SubstringCutter(const SubstringSettings& settings, std::string_view texts, std::span<const PlacedDocument> documents);

  // Of the document that `window` lies in. Documents and windows ascending; a window of another document than the last
  // one's may come only after End().
  void Add(const RepeatedWindow& window);
  bool InDocument(uint64_t place) const { return in_document_ && place < document_end_; }
  bool in_document() const { return in_document_; }
  // The cuts of the document, all of it read.
  const DocumentCuts& End();

 private:
  void Begin(uint64_t place);
  bool ReadToken();
  bool MoveTo(uint64_t begin);  // so that the token first_ begins at that byte, and the window's last one was read
  bool Matches(uint64_t kept);
  bool MatchToken(uint64_t index);
  void Cover(uint64_t kept);
  std::string_view Bytes(const TokenSpan& token) const { return text_.substr(token.begin, token.end - token.begin); }

  const SubstringSettings& settings_;
  const std::string_view texts_;
  const std::span<const PlacedDocument> documents_;
  const uint64_t mask_;

  bool in_document_ = false;
  uint64_t document_begin_ = 0;
  uint64_t document_end_ = 0;
  std::string_view text_;
  TokenScanner scanner_;
  std::vector<TokenSpan> tokens_;      // ring of the last tokens
  std::vector<uint64_t> kept_begins_;  // ring: where the token of that number was found in the kept text
  uint64_t first_ = 0;                 // number of the window's first token
  uint64_t read_ = 0;                  // tokens
  uint64_t matched_ = 0;               // tokens before this one matched at kept_begins_; 0: none
  uint64_t kept_at_ = 0;               // byte of all texts behind the last match
  uint64_t covered_ = 0;               // number of the token behind the last cut
  DocumentCuts cuts_;
};

// The document that `place` lies in. `documents`: ascending, the first begins at or before it.
const PlacedDocument& DocumentAt(std::span<const PlacedDocument> documents, uint64_t place);

}  // namespace rhodes

#endif  // RHODES_CURATE_SUBSTRING_CUTTER_H_
