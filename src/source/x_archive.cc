#include "source/x_archive.h"
#include "source/jsonl.h"
namespace rhodes {
XArchivePart XArchivePartOf(std::string_view file_name) {
  return file_name == "tweets.js" ? XArchivePart::kPosts : XArchivePart::kPrivate;
}
std::string XArchiveOwner(std::string_view) { return ""; }
const Format& XArchiveFormat() { return JsonlFormat(); }
}  // namespace rhodes
