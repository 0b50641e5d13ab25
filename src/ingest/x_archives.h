// Whole X archives among the inputs: a folder or a zip in which manifest.js lies. Most of their files are not for
// reading: messages, contacts, addresses, devices.
#ifndef RHODES_INGEST_X_ARCHIVES_H_
#define RHODES_INGEST_X_ARCHIVES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/inputs.h"

namespace rhodes {

struct XArchive {
  std::string root;   // every path that begins with it belongs to the archive; ends with "/" unless empty
  std::string owner;  // the account's name; empty when the manifest does not say
};

// By a file manifest.js that is one of X's. The archive is the folder above when it lies in one called data.
std::vector<XArchive> FindXArchives(const std::vector<InputFile>& files);
// The same among the members of a zip; root is within the zip.
std::optional<XArchive> FindXArchiveInZip(const std::string& path);

// Why a file of an archive is not read; empty when it is.
std::string XArchiveSkipReason(std::string_view path);

}  // namespace rhodes

#endif  // RHODES_INGEST_X_ARCHIVES_H_
