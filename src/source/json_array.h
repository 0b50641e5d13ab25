// A JSON text that is one long array, read element by element: an array document, the array under one key of an object,
// or one that is assigned to a name ("window.YTD.tweets.part0 = [ ... ]").
#ifndef RHODES_SOURCE_JSON_ARRAY_H_
#define RHODES_SOURCE_JSON_ARRAY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "source/format.h"

namespace rhodes {

// Where the array of a file begins.
class JsonArrayState : public FileState {
 public:
  explicit JsonArrayState(size_t prefix) : prefix_(prefix) {}
  // Bytes up to and with the opening bracket.
  size_t prefix() const { return prefix_; }

 private:
  const size_t prefix_;
};

// The bytes of `head` up to and with the bracket that opens the array, npos when there is none. Without `key`: the
// first thing in the text, a byte order mark or an assignment before it allowed. With it: the value of that key of the
// object that the text is.
size_t FindJsonArray(std::string_view head, std::string_view key = {});

// The position of the value of `key` in the object that `text` is (white space before it allowed), npos when there is
// none; and the position behind the value that begins at `at` (the end when it is never closed).
size_t FindJsonValue(std::string_view text, std::string_view key);
size_t EndOfJsonValue(std::string_view text, size_t at);

// Format::Cut for such files: after a comma between elements. `begin`: where bytes[0] lies in the file.
size_t CutAtJsonElement(std::string_view bytes, uint64_t begin, size_t target, bool at_end,
                        const JsonArrayState& state);

// Walks over the elements of a block. The elements are told apart by brackets and quotes alone; whether each is JSON is
// its reader's to find out.
class JsonElements {
 public:
  // `block` is cut by CutAtJsonElement().
  JsonElements(const Block& block, const JsonArrayState& state);

  struct Element {
    size_t begin = 0;  // in the block, without white space around
    size_t end = 0;
    bool whole = true;  // false: the file breaks off inside
  };
  bool Next(Element& element);
  // After Next() was false: what follows the array's end in this block; empty when the array goes on.
  std::string_view tail() const { return ended_ ? bytes_.substr(position_) : std::string_view(); }
  bool ended() const { return ended_; }

 private:
  std::string_view bytes_;
  size_t position_;
  bool ended_ = false;
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_JSON_ARRAY_H_
