// Debian changelogs (dpkg's deb-changelog(5)).
#ifndef RHODES_SOURCE_DEBIAN_CHANGELOG_H_
#define RHODES_SOURCE_DEBIAN_CHANGELOG_H_

#include "source/format.h"

namespace rhodes {

// Record: one entry, from its "package (version) distribution; urgency=..." line to the line break after its
// " -- Author <mail>  date" line. Kind "changelog-entry".
//   text    the change lines, without the indent of two and blank lines at both ends
//   author  "Name <mail>"   time  the date; one that cannot be read stays in fields["date"], the record has no time
//   fields  package, version, distribution, urgency and what else the first line names; encoding when not UTF-8
// Between entries, blank lines, # comments and vim: lines are nothing, as for dpkg; other lines (old formats) are
// rejected, a run of them as one piece.
const Format& DebianChangelogFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_DEBIAN_CHANGELOG_H_
