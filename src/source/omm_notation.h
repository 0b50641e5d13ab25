// The notations of orbit mean-elements messages that are read line by line or element by element.
#ifndef RHODES_SOURCE_OMM_NOTATION_H_
#define RHODES_SOURCE_OMM_NOTATION_H_

#include <string>
#include <string_view>
#include <vector>

#include "source/orbit.h"

namespace rhodes {

// What comes next in a file of messages that have a beginning and an end. Blank pieces are skipped.
struct MessagePiece {
  enum class Kind { kEnd, kMore, kMessage, kOther };
  Kind kind = Kind::kEnd;
  size_t begin = 0;
  size_t end = 0;
  size_t next = 0;
};
MessagePiece NextKvnMessage(std::string_view bytes, size_t at, bool at_end);
// kOther: what stands between two <omm> and is neither <ndm> nor a comment nor a header of the whole.
MessagePiece NextXmlMessage(std::string_view bytes, size_t at, bool at_end);
size_t CutAtMessage(std::string_view bytes, size_t target, bool at_end,
                    MessagePiece (*next)(std::string_view, size_t, bool));

// Each returns what is wrong, or "".
std::string ReadKvnMessage(std::string_view message, ElementSet& set);
// `encoding`: of the file's XML declaration, or "".
std::string ReadXmlMessage(std::string_view message, const std::string& encoding, ElementSet& set);

}  // namespace rhodes

#endif  // RHODES_SOURCE_OMM_NOTATION_H_
