#include "table/part_list.h"

#include "base/file.h"
#include "base/hash.h"

namespace rhodes {

Json PartsToJson(const std::vector<PartInfo>& parts) {
  Json list = Json::array();
  for (const PartInfo& part : parts) {
    list.push_back({{"file", part.file}, {"rows", part.rows}, {"bytes", part.bytes}, {"sha256", part.sha256}});
  }
  return list;
}

absl::StatusOr<std::vector<PartInfo>> PartsFromJson(const Json& json, const std::string& path) {
  std::vector<PartInfo> parts;
  try {
    for (const Json& part : json) {
      parts.push_back({part.at("file").get<std::string>(), part.at("rows").get<uint64_t>(),
                       part.at("bytes").get<uint64_t>(), part.at("sha256").get<std::string>()});
    }
  } catch (const Json::exception& error) {
    return absl::DataLossError(fmt::format("{}: {}", path, error.what()));
  }
  return parts;
}

absl::StatusOr<std::vector<PartInfo>> DescribeFiles(const std::string& directory,
                                                    const std::vector<std::string>& names) {
  std::vector<PartInfo> files;
  for (const std::string& name : names) {
    PartInfo info{name, 0, 0, {}};
    ASSIGN_OR_RETURN(info.bytes, FileSize(directory + "/" + name));
    ASSIGN_OR_RETURN(info.sha256, Sha256OfFile(directory + "/" + name));
    files.push_back(std::move(info));
  }
  return files;
}

}  // namespace rhodes
