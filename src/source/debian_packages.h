// Debian package indices: Packages, dpkg's status, and apt's Translation files.
#ifndef RHODES_SOURCE_DEBIAN_PACKAGES_H_
#define RHODES_SOURCE_DEBIAN_PACKAGES_H_

#include "source/format.h"

namespace rhodes {

// deb822 (Debian Policy, chapter 5). Record: one paragraph, its lines with their line breaks, without the blank line
// after it. Kind "package", or "package-description" for a paragraph of a Translation file.
//   text      the description: synopsis, line break, long description without the leading blanks and " ." lines
//   language  from "Description-de", else from the file's name (Translation-de), else "en"
//   fields    every other field under its name in lower case ("Tag" as "tags"); channels: installed-size, size
// A paragraph without Package, without any description, or with a line that is no field is rejected.
const Format& DebianPackagesFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_DEBIAN_PACKAGES_H_
