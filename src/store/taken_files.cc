#include "store/taken_files.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace rhodes {

absl::StatusOr<TakenFiles> TakenFiles::Read(const std::string& path, uint64_t bytes) {
  TakenFiles files;
  if (!PathExists(path)) return files;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  for (const std::string_view line : Split(std::string_view(text).substr(0, bytes), '\n')) {
    if (line.empty()) continue;
    ASSIGN_OR_RETURN(const Json json, ParseJson(line, path));
    try {
      files.Add({json.at("file").get<std::string>(), json.at("size").get<uint64_t>(),
                 json.at("content").get<std::string>(), json.at("settings").get<std::string>(),
                 json.at("read").get<uint64_t>(), json.at("bytes").get<uint64_t>()});
    } catch (const Json::exception& error) {
      return absl::DataLossError(fmt::format("{}: {}", path, error.what()));
    }
  }
  return files;
}

void TakenFiles::Add(TakenFile file) {
  if (file.content.empty()) return;
  sizes_.insert(file.size);
  by_path_[file.path + '\n' + KeyOf(file.content, file.settings)] = true;
  by_content_.try_emplace(KeyOf(file.content, file.settings), std::move(file));
}

const TakenFile* TakenFiles::Find(const std::string& content, const std::string& settings) const {
  const auto it = by_content_.find(KeyOf(content, settings));
  return it == by_content_.end() ? nullptr : &it->second;
}

bool TakenFiles::HasPath(const TakenFile& file) const {
  return by_path_.contains(file.path + '\n' + KeyOf(file.content, file.settings));
}

std::string ToLine(const TakenFile& file) {
  return DumpJson(Json({{"file", file.path},
                        {"size", file.size},
                        {"content", file.content},
                        {"settings", file.settings},
                        {"read", file.read},
                        {"bytes", file.bytes}})) +
         "\n";
}

}  // namespace rhodes
