// Text of whatever encoding to UTF-8.
#ifndef RHODES_SOURCE_ENCODING_H_
#define RHODES_SOURCE_ENCODING_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace rhodes {

// Position of the first invalid byte, npos when `bytes` is valid UTF-8.
size_t FindInvalidUtf8(std::string_view bytes);

struct DecodedText {
  std::string text;      // UTF-8, without byte order mark
  std::string encoding;  // what it was decoded from; empty when it was UTF-8
};

// `bytes` as UTF-8. Valid UTF-8 is taken as it is whatever was declared; else the `declared` encoding (any name that
// ICU knows) when there is one and it is not UTF-8; else Windows-1252, in which every byte stands for something (the
// five bytes it leaves open become the C1 controls of Latin-1). UTF-16 is recognised by its byte order mark.
DecodedText DecodeText(std::string_view bytes, std::string_view declared = {});

// Whether `bytes` looks like anything but text: holds a NUL byte and no UTF-16 mark, or many control characters.
bool LooksBinary(std::string_view bytes);

}  // namespace rhodes

#endif  // RHODES_SOURCE_ENCODING_H_
