// Finding where JSON values end by quotes and brackets alone, at hundreds of megabytes a second; whether what lies
// between them is JSON is a parser's to find out.
#ifndef RHODES_SOURCE_JSON_SCAN_H_
#define RHODES_SOURCE_JSON_SCAN_H_

#include <cstddef>
#include <string_view>

namespace rhodes {

inline bool IsJsonBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The first position from `at` that is no JSON white space.
size_t SkipJsonBlanks(std::string_view bytes, size_t at);

// The position after the string that begins at `at`, npos when it does not end.
size_t AfterJsonString(std::string_view bytes, size_t at);

enum class JsonStop {
  kComma,  // `at` is at the comma before the next element or member
  kEnd,    // `at` is at the bracket that closes the array or object
  kMore    // neither is seen; `at` is at the end
};

// From `at`, inside an array or object, to the end of the element or member there.
JsonStop FindJsonElementEnd(std::string_view bytes, size_t& at);

// The position after the value that begins at `at`: after the closing bracket or quote, or where a number or word
// stops. npos: a bracket or quote is not closed, or (without `at_end`) the word may go on.
size_t AfterJsonValue(std::string_view bytes, size_t at, bool at_end);

}  // namespace rhodes

#endif  // RHODES_SOURCE_JSON_SCAN_H_
