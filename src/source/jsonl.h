// JSON Lines: one object a line.
#ifndef RHODES_SOURCE_JSONL_H_
#define RHODES_SOURCE_JSONL_H_

#include "source/format.h"

namespace rhodes {

// Record: the line without its line break. Each line is parsed as a whole document and checked throughout (UTF-8,
// numbers, nesting up to 1024), also where its values are not used. Blank lines are no records. null is absence.
const Format& JsonlFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_JSONL_H_
