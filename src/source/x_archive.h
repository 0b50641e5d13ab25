// TEMPORARY: replaced at merge.
#ifndef RHODES_SOURCE_X_ARCHIVE_H_
#define RHODES_SOURCE_X_ARCHIVE_H_
#include "source/format.h"
namespace rhodes {
enum class XArchivePart { kPosts, kManifest, kPrivate, kOther };
XArchivePart XArchivePartOf(std::string_view file_name);
std::string XArchiveOwner(std::string_view manifest);
const Format& XArchiveFormat();
}  // namespace rhodes
#endif
