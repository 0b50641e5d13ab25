// Formats whose records are JSON objects in one of the three ways in which objects are kept in files: one a line, the
// elements of one array, or a single document over several lines.
#ifndef RHODES_SOURCE_JSON_RECORDS_H_
#define RHODES_SOURCE_JSON_RECORDS_H_

#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>

#include "source/format.h"
#include "source/json_document.h"

namespace rhodes {

class JsonRecordsFormat : public Format {
 public:
  Framing framing() const override { return Framing::kBlocks; }
  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& options) const override;
  size_t Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end, const FileState* state,
             const ReadOptions& options) const override;
  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override;

 protected:
  // Where the text lies: in the block and in the file.
  struct Place {
    const Block* block = nullptr;
    size_t begin = 0;
    size_t end = 0;
    std::string_view text() const { return block->bytes.substr(begin, end - begin); }
  };
  virtual std::string_view reader() const = 0;
  // The JSON text within a line, as [begin, end) of it: logs have a time before it. Whole by default.
  virtual void TrimLine(std::string_view line, size_t& begin, size_t& end) const;
  // An array under this key of a document is read element by element; empty: only an array on its own.
  virtual std::string_view array_key() const { return {}; }
  // Adds the records of one object with Add(); returns why there is none, or "".
  virtual std::string ReadObject(simdjson::dom::object object, const Place& place, const ReadOptions& options,
                                 ParsedBlock& out) const = 0;
  // Sorts, seals and adds a record whose bytes are [begin, end) of the block. `identity`: what tells it from others
  // with the same bytes; empty: nothing is needed.
  void Add(Record record, const Place& place, const ReadOptions& options, ParsedBlock& out,
           const std::string& identity = {}) const;
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_JSON_RECORDS_H_
