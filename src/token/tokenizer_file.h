// tokenizer.json: the Hugging Face file of a BPE tokenizer, read and written.
#ifndef RHODES_TOKEN_TOKENIZER_FILE_H_
#define RHODES_TOKEN_TOKENIZER_FILE_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "token/bpe_model.h"
#include "token/pattern.h"

namespace rhodes {

inline constexpr std::string_view kEndOfTextToken = "<|endoftext|>";

struct AddedToken {
  TokenId id = 0;
  std::string text;
  bool special = true;         // else it is matched in every text
  bool lstrip = false;         // takes the white space before it
  bool rstrip = false;         // takes the white space after it
  bool single_word = false;    // only where no word character (\w) is next to it
  bool normalized = false;     // its normalised text is looked for in normalised text
  bool in_vocabulary = false;  // an ordinary token as well, which merges may make
};

// How SentencePiece-style BPE (Llama 2, Gemma, Mistral) sees text: a space is written as a mark, U+2581, which counts
// as a letter; the units that merges begin with are characters, and a character that is no token becomes the tokens of
// its bytes.
struct SentencePieceRules {
  enum class Prefix {
    kNone,
    kAlways,       // a mark before every piece of text: the normalizer Prepend
    kIfMissing,    // unless the piece begins with one: Metaspace, prepend_scheme "always"
    kFirstPieces,  // the same, only where the text itself begins: prepend_scheme "first"
  };
  Prefix prefix = Prefix::kNone;
  bool split_at_marks = false;      // a word begins at every mark, and merges never cross words
  bool strip_first_space = false;   // decoding takes away the space that the prefix had put there
  bool normalizer_replaces = true;  // the mark is set by the normalizer (else by the pre-tokenizer)
  std::vector<std::pair<uint32_t, TokenId>> characters;  // tokens of one character, by code point; the mark is ' '
  std::array<TokenId, 256> bytes = {};                   // the tokens <0x00> to <0xFF>
};

struct TokenizerSpec {
  Pattern pattern = Pattern::kLlama3;
  bool ignore_merges = true;      // a word that is a token is that token, whatever the merges say
  bool nfc = false;               // Unicode normalisation form C before anything else
  bool rank_is_result = false;    // the rank of a merge is the id it results in, as in tiktoken, not its place
  TokenBytesTable tokens;         // by id; of added tokens: their text; gaps are empty
  std::vector<Merge> merges;      // by rank
  std::vector<AddedToken> added;  // by id
  std::optional<SentencePieceRules> sentence_piece;  // absent: byte-level, `pattern` cuts the words
};

// Reads what Rhodes can encode exactly as Hugging Face tokenizers do: model BPE without dropout, prefixes or suffixes;
// either byte-level (a pre-tokenizer of token/pattern.h, normalizer null or NFC, all 256 bytes in the vocabulary) or
// SentencePiece-style with byte fallback (normalizers Prepend and Replace, or the pre-tokenizer Metaspace in its old
// and new form); merges in either notation. INVALID_ARGUMENT "`what`: ..." for everything else, naming the part that is
// not supported, and for a vocabulary and merges that do not belong together: a token that is there twice, a merge
// whose parts or result are no tokens, a token that no merge makes. The post-processor (which puts tokens around a
// text) is not read.
absl::StatusOr<TokenizerSpec> ParseTokenizerFile(std::string_view json, std::string_view what);

// The file's text, for a byte-level spec whose ranks are places; the same spec gives the same bytes. Merges are written
// as "a b", which every version of the tokenizers library reads.
std::string WriteTokenizerFile(const TokenizerSpec& spec);

// tokenizer_config.json for a model directory: PreTrainedTokenizerFast, end-of-text token, `model_max_length`, and a
// chat template of the plain form "Question: ...\nAnswer: ...".
std::string WriteTokenizerConfig(uint64_t model_max_length);
// The chat template in it (Jinja).
std::string_view PlainChatTemplate();

}  // namespace rhodes

#endif  // RHODES_TOKEN_TOKENIZER_FILE_H_
