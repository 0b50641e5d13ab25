// JSON objects one after another in a log: a line each, spread over lines, in an array, with other text around them.
#ifndef RHODES_SOURCE_JSON_STREAM_H_
#define RHODES_SOURCE_JSON_STREAM_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

// What stands next in such a log. White space, commas and square brackets between pieces are framing.
struct JsonPiece {
  enum class Kind {
    kEnd,       // nothing more
    kMore,      // where it ends is not seen in the bytes given
    kDocument,  // [json_begin, end) is an object in balanced brackets; [begin, json_begin) stands before it on its line
    kBroken,    // the same, but something else begins before its brackets are balanced
    kLine       // [begin, end) is a line without an object
  };
  Kind kind = Kind::kEnd;
  size_t begin = 0;
  size_t json_begin = 0;
  size_t end = 0;
  size_t next = 0;  // where to look for the next piece
};

// The piece at or after `at`, which is 0 or the `next` of another piece. `at_end`: nothing comes after `bytes`. What is
// returned depends on nothing before `at` and, unless it is kMore, on nothing after `next`.
//
// An object is broken where one begins at the left margin again (unless the lines of the first one are not indented
// either), where a line begins with a word or a date, or where JSON allows no object.
JsonPiece NextJsonPiece(std::string_view bytes, size_t at, bool at_end);

// Format::Cut for such files. A line of which `joins` is true belongs to the piece behind it.
size_t CutAtJsonPiece(std::string_view bytes, size_t target, bool at_end,
                      bool (*joins)(std::string_view line) = nullptr);

// Format::Resync: the next line that begins with an object or a letter.
size_t ResyncAtJsonLine(std::string_view bytes);

// `json` with the words NaN, Infinity and -Infinity, which programs write though JSON has no such numbers, replaced by
// empty strings of the same length: "" is followed by spaces. Empty when there are none.
std::string ReplaceNotNumbers(std::string_view json);

// Where values stand in a text that a parser has found to be JSON.
struct JsonSpan {
  size_t begin = 0;
  size_t end = 0;  // 0: there is none
  explicit operator bool() const { return end > 0; }
};
// The value of `key` in the object that begins at `object`; the last one when there are several.
JsonSpan FindJsonMember(std::string_view json, size_t object, std::string_view key);
// The elements of the array that begins at `array`.
std::vector<JsonSpan> JsonElementSpans(std::string_view json, size_t array);

}  // namespace rhodes

#endif  // RHODES_SOURCE_JSON_STREAM_H_
