// Documents in, tokens out: what every document becomes before it is put into a shard.
#ifndef RHODES_TOKEN_DOCUMENT_ENCODER_H_
#define RHODES_TOKEN_DOCUMENT_ENCODER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "base/status.h"
#include "token/shard_format.h"
#include "token/shard_shuffle.h"
#include "token/text_input.h"
#include "token/tokenizer.h"

namespace rhodes {

struct TextShare {
  uint64_t documents = 0;
  uint64_t bytes = 0;   // of UTF-8 text
  uint64_t tokens = 0;  // with an end-of-text token a document

  void Add(const TextShare& other) {
    documents += other.documents;
    bytes += other.bytes;
    tokens += other.tokens;
  }
};

struct EncodedDocuments {
  std::vector<WaitingDocument> documents;  // by corpus row
  std::vector<std::string> sources;        // by number, in the order they are met; of several sources "a+b"
  std::map<std::string, TextShare> by_source;
  std::map<std::string, TextShare> by_language;  // "" where it is not known
};

// Encodes the documents of `input` (whole texts with their ids, whatever it says) and appends their tokens, each ended
// by an end-of-text token and as `width` stores them, to `store`, which is not sealed yet. A document without a source
// is of the input it came from, as TextGroup says. context.threads read and encode; what comes out does not depend on
// how many. Memory: two pieces of the input (kPieceBytes, or the longest document) a thread, and 32 bytes a document.
// INVALID_ARGUMENT for a document of 4 GiB or more, of text or of tokens.
absl::StatusOr<EncodedDocuments> EncodeDocuments(TextInputOptions input, const Tokenizer& tokenizer, TokenWidth width,
                                                 TokenStore& store, RunContext& context);

// Of plain files: small enough that the last pieces end about together, large enough that opening one costs nothing
// beside it.
inline constexpr uint64_t kPieceBytes = uint64_t{2} << 20;

}  // namespace rhodes

#endif  // RHODES_TOKEN_DOCUMENT_ENCODER_H_
