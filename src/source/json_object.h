// One JSON object as a record: what `json` and `jsonl` share.
#ifndef RHODES_SOURCE_JSON_OBJECT_H_
#define RHODES_SOURCE_JSON_OBJECT_H_

#include <simdjson.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/format.h"
#include "source/row_builder.h"

namespace rhodes {

// Parses JSON texts and makes records of objects, by the names of their members (RowBuilder). Nested values become
// compact JSON in `fields`; null is absence; numbers that no double or 64-bit integer holds stay digits in `fields`.
//   A GeoJSON feature (kind "feature"): its properties are its members; a point is its place; any other geometry, and a
//   point with a height, stays in fields["geometry"].
//   An article with "paragraphs" that hold a "context" each (SQuAD): the contexts are its text.
// Reusable, not thread-safe.
class JsonObjectReader {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  JsonObjectReader(const ReadOptions& options, std::string_view reader)
      : options_(options), reader_(reader), roles_(options.columns, options.time_zone), builder_(roles_) {}

  // Parses bytes [begin, end) of the block as one JSON text, all of it: UTF-8, numbers, nesting up to 1024. Empty, or
  // why it is none.
  std::string Parse(const Block& block, size_t begin, size_t end);
  // The same for text that is no piece of a file.
  std::string Parse(std::string_view text);

  // After a Parse() that succeeded: the record, or a reject (not an object; neither text nor measurement). `shared`:
  // fields that it gets beside its own, sorted.
  void Emit(const Block& block, size_t begin, size_t end, const Fields& shared, ParsedBlock& out);

  // The value last parsed.
  simdjson::dom::element root() const { return root_; }
  const RoleTable& roles() const { return roles_; }

 private:
  simdjson::error_code ParseDocument(std::string_view text, size_t padding);
  // Texts that are made here live in arena_ until the record is built.
  std::string_view Keep(std::string_view text);
  void AddValue(std::string_view name, simdjson::dom::element value);
  bool AddFeature(simdjson::dom::object object);
  bool AddPoint(simdjson::dom::object geometry);
  void AddParagraphs(simdjson::dom::object object);

  const ReadOptions& options_;
  const std::string_view reader_;
  const RoleTable roles_;
  RowBuilder builder_;
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
  std::string padded_;
  std::deque<std::string> arena_;  // its first arena_used_ are in use, the others only keep their memory
  size_t arena_used_ = 0;
};

// "a number", "an array", ...
std::string_view JsonTypeName(simdjson::dom::element value);
// A value as a field: strings as they are, the rest as compact JSON.
std::string JsonFieldText(simdjson::dom::element value);

}  // namespace rhodes

#endif  // RHODES_SOURCE_JSON_OBJECT_H_
