// The texts that training a tokenizer and counting tokens read: documents in files and pipes, in pieces of some
// megabytes that each thread reads by itself, so that one large file keeps all of them busy.
#ifndef RHODES_TOKEN_TEXT_INPUT_H_
#define RHODES_TOKEN_TEXT_INPUT_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace rhodes {

enum class TextFormat {
  kAuto,       // by the name; what has no telling name, and a pipe, by its first line
  kJsonLines,  // an object a line: `text`, and when they are there `language` and `sources`
  kText,       // one document a file
  kLines,      // one document a line, without its line feed; empty lines are passed over
};
// "auto", "jsonl", "text", "lines". UsageError naming them.
absl::StatusOr<TextFormat> TextFormatFromName(std::string_view name);

// What a document belongs to: its sources, joined by '+' ("a+b"), and its language, "und" where it states none. A
// document that states no source belongs to the input that it came from: the file's or folder's name without
// extensions, "standard input" for a pipe.
struct TextGroup {
  std::string source;
  std::string language;
  friend auto operator<=>(const TextGroup&, const TextGroup&) = default;
};

// A document's text, or a part of it; the views live during the call they are handed to.
struct TextFragment {
  std::string_view text;
  std::string_view source;
  std::string_view language;
  bool begins = true;   // the document begins with it
  std::string_view id;  // of the document, the ContentId of its text where it states none; empty unless ids are wanted
};
using TextVisitor = std::function<void(const TextFragment& part)>;

// Some documents, not yet read.
class TextPiece {
 public:
  virtual ~TextPiece() = default;
  // Once, on any thread. INVALID_ARGUMENT or DATA_LOSS naming file and line for what is broken.
  virtual absl::Status Read(const TextVisitor& visit) = 0;
};

// Texts that are in memory already, without language; `sources[i]`, when there are any, is that of texts[i].
class TextsPiece final : public TextPiece {
 public:
  explicit TextsPiece(std::vector<std::string> texts, std::vector<std::string> sources = {})
      : texts_(std::move(texts)), sources_(std::move(sources)) {}
  absl::Status Read(const TextVisitor& visit) override {
    for (size_t i = 0; i < texts_.size(); ++i) visit({texts_[i], sources_.empty() ? "" : sources_[i], "", true, ""});
    return absl::OkStatus();
  }

 private:
  const std::vector<std::string> texts_;
  const std::vector<std::string> sources_;
};

// The next piece, null at the end. Called on one thread at a time, and gives the same pieces each time.
using TextReader = std::function<absl::StatusOr<std::unique_ptr<TextPiece>>()>;

struct TextInputOptions {
  // Files (.jsonl, .json, .ndjson, .txt, .text, .md, plain or .gz, .zst, .bz2, .xz; .parquet), folders of them, pipes;
  // "-" or none at all: standard input.
  std::vector<std::string> paths;
  TextFormat format = TextFormat::kAuto;
  // A text that is no JSON is handed out in parts, cut at WordBorder(), unless whole texts are wanted: then a file of
  // text is held in memory.
  bool whole_texts = false;
  bool ids = false;          // with whole_texts
  uint64_t piece_bytes = 0;  // of plain files, about; 0: a 64th of all of them, and 1 to 16 MiB
};

// Memory: a few megabytes a piece, and the longest document. Not thread-safe; the pieces are.
class TextInput {
 public:
  // NOT_FOUND, INVALID_ARGUMENT (no such files in a folder), each naming the path.
  static absl::StatusOr<std::unique_ptr<TextInput>> Open(TextInputOptions options);
  virtual ~TextInput() = default;
  virtual absl::StatusOr<std::unique_ptr<TextPiece>> Next() = 0;
  virtual uint64_t total_bytes() const = 0;  // of the files as they lie on the disk; 0 with a pipe among them
  virtual uint64_t read_bytes() const = 0;   // of them, handed out up to now
  // Names the files, their sizes and times of change; empty with a pipe among them.
  virtual std::string identity() const = 0;
};

// The first place in `text` at or behind `from` where a word ends by every pattern of token/pattern.h, whatever stands
// around it: before a space between two letters, and behind a line feed between a character that is no white space and
// a letter. npos when there is none.
size_t WordBorder(std::string_view text, size_t from);

}  // namespace rhodes

#endif  // RHODES_TOKEN_TEXT_INPUT_H_
