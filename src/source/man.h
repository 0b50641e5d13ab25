// Unix manual pages.
#ifndef RHODES_SOURCE_MAN_H_
#define RHODES_SOURCE_MAN_H_

#include "source/format.h"

namespace rhodes {

// Record: the whole file, kind "page"; text as in roff.h.
//   language  from the path (man/de/man1/...: "de"; man/man1/...: "en")
//   fields    title, section, package (when the path tells it), encoding (when not UTF-8)
// Encoding: UTF-8; else what the first lines declare (-*- coding: ... -*-); else what pages of the language were
// written in before UTF-8 (KOI8-R for ru, ...); else Windows-1252. A page that only sends the reader to another one
// (.so) or renders to nothing is rejected and says so.
const Format& ManFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_MAN_H_
