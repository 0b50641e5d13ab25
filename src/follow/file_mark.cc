#include "follow/file_mark.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace rhodes {
namespace {

int64_t Nanoseconds(const statx_timestamp& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

}  // namespace

absl::StatusOr<FileState64> StateOfFile(int descriptor, const std::string& path) {
  struct statx info = {};
  const unsigned int wanted = STATX_BASIC_STATS | STATX_BTIME;
  const int code = descriptor >= 0 ? ::statx(descriptor, "", AT_EMPTY_PATH, wanted, &info)
                                   : ::statx(AT_FDCWD, path.c_str(), 0, wanted, &info);
  if (code != 0) return ErrnoError(errno, "look at", path);
  FileState64 state;
  state.inode = info.stx_ino;
  state.born = (info.stx_mask & STATX_BTIME) != 0 ? Nanoseconds(info.stx_btime) : 0;
  state.size = info.stx_size;
  state.modified = Nanoseconds(info.stx_mtime);
  state.changed = Nanoseconds(info.stx_ctime);
  state.regular = S_ISREG(info.stx_mode);
  state.links = info.stx_nlink;
  return state;
}

Json ToJson(const FileMark& mark) {
  Json json = {{"name", mark.name}, {"inode", mark.inode}, {"born", mark.born},         {"head_size", mark.head_size},
               {"head", mark.head}, {"size", mark.size},   {"modified", mark.modified}, {"changed", mark.changed}};
  if (mark.offset > 0) json["offset"] = mark.offset;
  if (mark.pieces > 0) json["pieces"] = mark.pieces;
  if (mark.prepared > 0) json["prepared"] = mark.prepared;
  if (!mark.format.empty()) json["format"] = mark.format;
  if (mark.skip_begin) json["skip"] = *mark.skip_begin;
  if (mark.done) json["done"] = true;
  return json;
}

absl::StatusOr<FileMark> FileMarkOf(const Json& json) {
  try {
    FileMark mark;
    mark.name = json.at("name").get<std::string>();
    mark.inode = json.at("inode").get<uint64_t>();
    mark.born = json.at("born").get<int64_t>();
    mark.head_size = json.at("head_size").get<uint64_t>();
    mark.head = json.at("head").get<std::string>();
    mark.size = json.at("size").get<uint64_t>();
    mark.modified = json.at("modified").get<int64_t>();
    mark.changed = json.at("changed").get<int64_t>();
    mark.offset = json.value("offset", uint64_t{0});
    mark.pieces = json.value("pieces", uint64_t{0});
    mark.prepared = json.value("prepared", uint64_t{0});
    mark.format = json.value("format", std::string());
    if (json.contains("skip")) mark.skip_begin = json["skip"].get<uint64_t>();
    mark.done = json.value("done", false);
    return mark;
  } catch (const Json::exception& error) {
    return absl::DataLossError(fmt::format("a kept position of a directory is damaged: {}", error.what()));
  }
}

}  // namespace rhodes
