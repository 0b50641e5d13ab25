// Leading text back to where it was learned: spans that stand word for word in the training tokens, the documents they
// are in, and the records those were made from.
#ifndef RHODES_TRACE_TRACE_H_
#define RHODES_TRACE_TRACE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "store/record_store.h"
#include "token/shards.h"
#include "token/tokenizer.h"
#include "trace/index_files.h"

namespace rhodes {

struct TraceOptions {
  uint64_t minimum_tokens = 4;  // of a span; a shorter text is looked for as a whole
  uint64_t documents_per_span = 10;
  uint64_t leaned_documents = 5;  // of the whole answer
};

struct TracedDocument {
  std::string id;
  std::string source;  // of its records, joined by '+'
  // All it was made from; of a span's documents those that the span's pieces of the document were made from.
  std::vector<RecordOrigin> records;
  uint64_t document = 0;  // its number in the training split
};

struct TracedSpan {
  size_t begin = 0;  // bytes of the text; never inside a character
  size_t end = 0;
  size_t token_begin = 0;  // tokens of the text as it was encoded
  size_t token_end = 0;
  std::string text;                           // text.substr(begin, end - begin)
  uint64_t count = 0;                         // occurrences in the training tokens, exact
  std::map<std::string, uint64_t> by_source;  // of the occurrences; adds up to `count` unless `sampled`
  bool sampled = false;                   // more occurrences than are looked at one by one: by_source is an estimate
  std::vector<TracedDocument> documents;  // that hold it, the ones the answer leans on most first
};

// A document that an answer leans on.
struct LeanedDocument {
  TracedDocument document;
  double score = 0;           // sum over its spans of tokens times -ln(count / tokens of the split)
  std::vector<size_t> spans;  // numbers of spans that it holds
};

struct Trace {
  uint64_t tokens = 0;  // of the text
  std::vector<TracedSpan> spans;
  std::vector<LeanedDocument> documents;
};
// The object that `rhodes trace --json` prints; docs/trace.md.
Json ToJson(const Trace& trace);

// The index over OUT/shards, memory-mapped. Thread-safe.
class TraceIndex {
 public:
  // NOT_FOUND with the command that makes it when there is no index; FAILED_PRECONDITION when it was made from other
  // shards; DATA_LOSS naming a damaged file.
  static absl::StatusOr<std::unique_ptr<TraceIndex>> Open(const std::string& out);

  // How often `tokens` stand in the training split, in this order. Empty: as often as there are tokens.
  uint64_t Count(std::span<const TokenId> tokens) const;

  // The maximal spans of `text` that stand in the training split: spans that no other found span contains. O(L log N)
  // comparisons for L tokens of text and N of training. Tokens depend on what stands before a text, so it is looked up
  // both as it is and as if a space stood before it, and the reading that covers more is taken.
  absl::StatusOr<Trace> Find(std::string_view text, const TraceOptions& options = {}) const;

  const Tokenizer& tokenizer() const { return *tokenizer_; }
  uint64_t token_count() const { return shards_->token_count(); }

 private:
  // The positions of one segment in suffix order.
  struct Segment {
    MappedFile file;
    SegmentHeader header{};
    const uint32_t* order = nullptr;
  };
  struct Range {
    uint64_t begin = 0;
    uint64_t end = 0;
  };
  struct Match {  // a span of the encoded text
    size_t begin = 0;
    size_t length = 0;
    uint64_t count = 0;
    std::vector<Range> ranges;  // by segment
  };
  TraceIndex() = default;
  // Negative, 0 or positive as the suffix at `position` is before, begins with, or is after `tokens`; `*common` is how
  // many tokens agree.
  int Compare(const Segment& segment, uint64_t position, std::span<const TokenId> tokens, size_t* common) const;
  Range FindRange(const Segment& segment, std::span<const TokenId> tokens) const;
  size_t LongestMatch(const Segment& segment, std::span<const TokenId> tokens) const;
  // Without counts and ranges. `longest_before_end[n]`: the longest match at the begin of the last n tokens, where it
  // is known already; filled in.
  std::vector<Match> MaximalMatches(std::span<const TokenId> tokens, uint64_t minimum,
                                    std::vector<size_t>& longest_before_end) const;
  void Locate(std::span<const TokenId> tokens, Match& match) const;  // fills in the count and the ranges
  struct Holder {                                                    // a document that holds a match
    uint64_t document = 0;
    uint64_t count = 0;               // of occurrences
    std::vector<uint64_t> positions;  // of the first of them, in the split's tokens
  };
  // The documents of a match's occurrences, ascending; at most a fixed number of occurrences is looked at.
  std::vector<Holder> HoldersOf(const Match& match, bool* sampled) const;
  // Which of its parents, by number, the document's text has the occurrences of `length` tokens from.
  std::vector<bool> ParentsOfPieces(const Holder& holder, size_t length, size_t parents) const;
  absl::Status FillDocuments(const std::vector<Match>& matches, const TraceOptions& options, Trace& trace) const;

  std::unique_ptr<ShardSet> shards_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::vector<Segment> segments_;
  DocumentTable documents_;
  std::unique_ptr<RecordLookup> records_;  // null when OUT holds no records (shards made from files by hand)
};

}  // namespace rhodes

#endif  // RHODES_TRACE_TRACE_H_
