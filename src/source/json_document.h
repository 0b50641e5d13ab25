// One JSON text out of a block, with reasons that say what is wrong with it.
#ifndef RHODES_SOURCE_JSON_DOCUMENT_H_
#define RHODES_SOURCE_JSON_DOCUMENT_H_

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "record/record.h"
#include "source/format.h"

namespace rhodes {

// Parses texts one after another into the same memory. Not thread-safe.
class JsonDocument {
 public:
  // `padding`: how many bytes behind `text` may be read. `at`: where it lies in the file, for reasons. Returns what is
  // wrong, or "". A number that no double and no 64-bit integer holds becomes a string of its digits. `root` lives
  // until the next call.
  std::string Parse(std::string_view text, size_t padding, uint64_t at, simdjson::dom::element& root);

 private:
  simdjson::error_code ParseOnce(std::string_view text, size_t padding, simdjson::dom::element& root);

  simdjson::dom::parser parser_;
  std::string padded_;
};

// A null that outlives every parser: what an element is before it is found. (One that was never set cannot be asked.)
simdjson::dom::element NullElement();

// Values that sources write as numbers, as strings or not at all.
std::string_view StringOf(simdjson::dom::element value);  // "" unless it is a string
std::optional<uint64_t> UnsignedOf(simdjson::dom::element value);
// Finite numbers, strings of one included ("1.5"); none for booleans, "NaN" and the rest.
std::optional<double> NumberOf(simdjson::dom::element value);
// A scalar as text, an object or array as compact JSON; "" for null.
std::string TextOf(simdjson::dom::element value);

// Puts every scalar below `value` into channels (numbers) or fields (the rest), named by the path: "drive_state.speed".
// Strings of numbers stay strings unless `numeric_strings`. Null, "NaN" and numbers beyond 2^53 as in row_builder.h.
// Arrays become compact JSON in fields.
void Flatten(simdjson::dom::element value, const std::string& name, bool numeric_strings, Record& record);

// Sorts what a reader has put together: channels, units and fields by name; of several with one name the last is kept.
void SortValues(Record& record);

// The lines of a block, without their line ends; blank ones are left out.
class BlockLines {
 public:
  explicit BlockLines(const Block& block)
      : bytes_(block.bytes), next_(block.begin == 0 && block.bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0) {}
  // [begin, end) of the next line in the block.
  bool Next(size_t& begin, size_t& end);

 private:
  std::string_view bytes_;
  size_t next_;
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_JSON_DOCUMENT_H_
