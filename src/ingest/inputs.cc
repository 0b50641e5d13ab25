#include "ingest/inputs.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/container/flat_hash_set.h"
#include "base/hash.h"
#include "base/text.h"

namespace rhodes {
namespace {

int64_t Nanoseconds(const struct timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

InputFile MakeFile(std::string path, const struct stat& info, bool named) {
  return {std::move(path), static_cast<uint64_t>(info.st_size), Nanoseconds(info.st_mtim), named, false};
}

// One directory being read. Entries are looked up relative to it, which is several times faster than by whole paths.
class Directory {
 public:
  explicit Directory(const std::string& path) : stream_(opendir(path.c_str())) {}
  ~Directory() {
    if (stream_ != nullptr) closedir(stream_);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  bool ok() const { return stream_ != nullptr; }
  // The next entry but "." and "..", or null.
  const dirent* Next() {
    while (const dirent* entry = readdir(stream_)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") return entry;
    }
    return nullptr;
  }
  bool Stat(const char* name, bool follow, struct stat* info) const {
    return fstatat(dirfd(stream_), name, info, follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0;
  }

 private:
  DIR* stream_;
};

std::string Join(const std::string& directory, std::string_view name) {
  std::string path = directory;
  if (!path.ends_with('/')) path += '/';
  path += name;
  return path;
}

// All regular files below `directory`. Links to files count, links to directories do not (no loops).
absl::Status Walk(const std::string& directory, std::vector<InputFile>& files) {
  std::vector<std::string> pending = {directory};
  while (!pending.empty()) {
    const std::string current = std::move(pending.back());
    pending.pop_back();
    Directory entries(current);
    if (!entries.ok()) {
      if (errno == ENOENT && current != directory) continue;  // removed while we walk
      return ErrnoError(errno, "list", current);
    }
    while (const dirent* entry = entries.Next()) {
      struct stat info {};
      if (!entries.Stat(entry->d_name, false, &info)) continue;
      if (S_ISLNK(info.st_mode) && (!entries.Stat(entry->d_name, true, &info) || S_ISDIR(info.st_mode))) continue;
      if (S_ISDIR(info.st_mode)) pending.push_back(Join(current, entry->d_name));
      if (S_ISREG(info.st_mode)) files.push_back(MakeFile(Join(current, entry->d_name), info, false));
    }
  }
  return absl::OkStatus();
}

// Expands the components `parts[index...]` of a glob below `base`.
void Expand(const std::string& base, const std::vector<std::string_view>& parts, size_t index,
            std::vector<std::string>& found) {
  if (index == parts.size()) {
    found.push_back(base);
    return;
  }
  const std::string part(parts[index]);
  if (part == "**") {
    Expand(base, parts, index + 1, found);
  } else if (part.find_first_of("*?[") == std::string::npos) {
    const std::string path = Join(base, part);
    struct stat info {};
    if (stat(path.c_str(), &info) == 0) Expand(path, parts, index + 1, found);
    return;
  }
  Directory entries(base);
  if (!entries.ok()) return;
  std::vector<std::string> names;
  while (const dirent* entry = entries.Next()) {
    if (part == "**") {
      struct stat info {};
      if (entry->d_name[0] != '.' && entries.Stat(entry->d_name, false, &info) && S_ISDIR(info.st_mode)) {
        names.emplace_back(entry->d_name);
      }
    } else if (fnmatch(part.c_str(), entry->d_name, FNM_PERIOD) == 0) {
      names.emplace_back(entry->d_name);
    }
  }
  for (const std::string& name : names) Expand(Join(base, name), parts, part == "**" ? index : index + 1, found);
}

std::vector<std::string> Glob(const std::string& pattern) {
  std::vector<std::string> found;
  std::vector<std::string_view> parts;
  for (const std::string_view part : Split(pattern, '/')) {
    if (part.empty() || (part == "**" && !parts.empty() && parts.back() == "**")) continue;
    parts.push_back(part);
  }
  Expand("/", parts, 0, found);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

// A file or directory that is there.
absl::Status AddPath(const std::string& path, bool named, std::vector<InputFile>& files) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return ErrnoError(errno, "read", path);
  if (S_ISDIR(info.st_mode)) {
    std::vector<InputFile> below;
    RETURN_IF_ERROR(Walk(path, below));
    std::sort(below.begin(), below.end(), [](const InputFile& a, const InputFile& b) { return a.path < b.path; });
    files.insert(files.end(), std::make_move_iterator(below.begin()), std::make_move_iterator(below.end()));
    return absl::OkStatus();
  }
  if (!S_ISREG(info.st_mode)) {
    if (!named) return absl::OkStatus();  // a pipe that a glob happens to match
    return absl::InvalidArgumentError(fmt::format("read {}: neither a file nor a directory", path));
  }
  files.push_back(MakeFile(path, info, named));
  return absl::OkStatus();
}

absl::StatusOr<std::string> Absolute(const std::string& path) {
  std::error_code error;
  std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
  if (error) return ErrnoError(error.value(), "resolve", path);
  if (absolute.size() > 1 && absolute.ends_with('/')) absolute.pop_back();
  return absolute;
}

}  // namespace

absl::StatusOr<std::vector<InputFile>> ResolveInputs(const std::vector<std::string>& paths) {
  std::vector<InputFile> files;
  for (const std::string& given : paths) {
    if (given.empty()) return absl::InvalidArgumentError("an input path is empty");
    if (given == "-") {
      files.push_back({kStandardInput, 0, 0, true, true});
      continue;
    }
    ASSIGN_OR_RETURN(const std::string path, Absolute(given));
    struct stat info {};
    if (stat(path.c_str(), &info) == 0) {
      RETURN_IF_ERROR(AddPath(path, true, files));
      continue;
    }
    const int error = errno;
    if (path.find_first_of("*?[") == std::string::npos) return ErrnoError(error, "read", given);
    const std::vector<std::string> found = Glob(path);
    if (found.empty()) return absl::NotFoundError(fmt::format("read {}: no file matches", given));
    for (const std::string& match : found) RETURN_IF_ERROR(AddPath(match, false, files));
  }
  absl::flat_hash_set<std::string> seen;
  seen.reserve(files.size());
  files.erase(
      std::remove_if(files.begin(), files.end(), [&](const InputFile& file) { return !seen.insert(file.path).second; }),
      files.end());
  return files;
}

absl::StatusOr<Inputs> InputsAndFingerprint(const std::vector<std::string>& paths) {
  Inputs inputs;
  ASSIGN_OR_RETURN(inputs.files, ResolveInputs(paths));
  std::string listing;
  for (const InputFile& file : inputs.files) {
    listing += fmt::format("{}\n{} {}\n", file.path, file.size, file.modified);
  }
  inputs.fingerprint = Sha256Hex(listing).substr(0, 32);
  return inputs;
}

absl::StatusOr<std::string> InputsFingerprint(const std::vector<std::string>& paths) {
  ASSIGN_OR_RETURN(Inputs inputs, InputsAndFingerprint(paths));
  return std::move(inputs.fingerprint);
}

}  // namespace rhodes
