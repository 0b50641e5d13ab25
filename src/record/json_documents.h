// Documents out of JSON Lines.
#ifndef RHODES_RECORD_JSON_DOCUMENTS_H_
#define RHODES_RECORD_JSON_DOCUMENTS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "record/record.h"

namespace rhodes {

// Reads one file (plain, gzip, zstd, ... by its bytes) line by line, in the order of its lines. Of a row: `text`
// (required), `id`, `time`, `language`, `sources`, `parents`, `spans`; all other members go into `meta` as they are
// written, white space apart. Invalid UTF-8 becomes U+FFFD. Blank lines are passed over. Memory: the longest line,
// twice. Not thread-safe.
//
// DuckDB's reader and its JSON functions, which did this before, took 2.5 times the time of a whole `rhodes curate`
// over 960 MB (two passes: 21 s and 39 s of processor time, now 9 s and 13 s).
class JsonDocuments {
 public:
  static absl::StatusOr<std::unique_ptr<JsonDocuments>> Open(const std::string& path);
  // The lines of a plain file that begin in its bytes [begin, end), the last one whole: pieces that cover a file give
  // each of its lines once. Lines and rows in messages count from the file's beginning.
  static absl::StatusOr<std::unique_ptr<JsonDocuments>> OpenRange(const std::string& path, uint64_t begin,
                                                                  uint64_t end);
  // The whole lines in `lines`, behind `lines_before` others of which `rows_before` were not blank.
  static std::unique_ptr<JsonDocuments> OfLines(std::string lines, uint64_t lines_before, uint64_t rows_before);
  virtual ~JsonDocuments() = default;

  // From now on only `text`, `language` and `sources`, and `id` if it is wanted, are taken from the rows; all else is
  // checked to be JSON and stays empty.
  virtual void TakeTextOnly(bool with_id) = 0;

  using Triples = std::vector<std::array<uint64_t, 3>>;
  // The next document; `spans` are {begin, end, parent} as stated, not yet checked against text and parents, and
  // `document.spans` stays empty. False at the end. INVALID_ARGUMENT "Malformed JSON in line N: ..." or "row N: there
  // is no "text"" (rows count from 1, blank lines apart).
  virtual absl::StatusOr<bool> Next(Document& document, Triples& spans) = 0;
  // The number of the last document's row in the file, for messages: may read the file up to there.
  virtual uint64_t row() const = 0;
};

}  // namespace rhodes

#endif  // RHODES_RECORD_JSON_DOCUMENTS_H_
