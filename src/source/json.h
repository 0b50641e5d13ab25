// JSON of any layout but one object a line: an array of objects, an object around one, a single object, objects one
// after another.
#ifndef RHODES_SOURCE_JSON_H_
#define RHODES_SOURCE_JSON_H_

#include "source/format.h"

namespace rhodes {

// Record: one object, as JsonObjectReader reads it.
//   [ {...}, {...} ]                 each element; arrays of any length are read in blocks
//   {"count": 2, "items": [ ... ]}   each element (FindJsonEnvelope says when); short plain members before the array
//   are
//                                    among the fields of each record, other members make one record of kind "envelope"
//   {...}                            the object
//   {...} {...} [ ... ]              each, with blanks or record separators (RFC 7464) between them or nothing
// Anything else (numbers, strings, nested arrays, what is no JSON, commas too many, an array that is not closed) is
// rejected where it stands. Where quotes or brackets do not match, reading goes on at the next line that begins as the
// broken object did.
const Format& JsonFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_JSON_H_
