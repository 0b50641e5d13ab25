// Plain text: one record a file.
#ifndef RHODES_SOURCE_TEXT_FILE_H_
#define RHODES_SOURCE_TEXT_FILE_H_

#include "source/format.h"

namespace rhodes {

// Record: the whole file, kind "text". Not UTF-8: decoded (see encoding.h), with fields["encoding"]. A file with NUL
// bytes is rejected as binary. fields: name (the file's), package when the path tells it.
const Format& TextFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_TEXT_FILE_H_
