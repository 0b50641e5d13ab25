#include "follow/directory_stream.h"

#include <dirent.h>
#include <fnmatch.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "follow/directory_watch.h"
#include "follow/followed_file.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kKeptDone = 1024;  // finished files with a mark of their own; older ones are folded into one time
constexpr size_t kMostOpen = 256;   // files that are held open, so that removing them loses nothing
constexpr uint64_t kBatchBytes = uint64_t{1} << 20;

absl::StatusOr<milliseconds> Seconds(const StreamUrl& url, const char* key, milliseconds otherwise) {
  const std::string text = url.Get(key);
  if (text.empty()) return otherwise;
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (*end != '\0' || !(seconds >= 0.1 && seconds <= 86'400)) {
    return UsageError(fmt::format("--source {}: {} is seconds, 0.1 to 86400, not \"{}\"", url.text, key, text));
  }
  return milliseconds(std::llround(seconds * 1000));
}

class DirectoryStream final : public Stream {
 public:
  DirectoryStream(const std::string& directory, const StreamOptions& options)
      : directory_(directory), watch_(directory) {
    settings_.directory = directory;
    settings_.read = options.read;
    settings_.block_bytes = std::clamp<uint64_t>(options.memory_bytes / 8, 64 << 10, uint64_t{4} << 20);
  }

  absl::Status Configure(const StreamUrl& url, const Json& position, const DirectoryStreamTiming& timing);

  absl::StatusOr<std::optional<StreamBatch>> Next(milliseconds wait) override;
  Json position() const override;
  absl::Status Acknowledge(const Json& /*position*/) override { return absl::OkStatus(); }
  StreamHealth health() const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return health_;
  }

 private:
  struct Entry {
    explicit Entry(const FollowedFile::Settings& settings, FileMark mark) : file(settings, std::move(mark)) {}
    FollowedFile file;
    std::pair<int64_t, uint64_t> place;  // in order_
    bool present = false;                // its name fits and is there
    bool verified = false;               // it is known to be the file of its mark
    bool closed = false;                 // and not written since
    bool lost = false;                   // it could not be read from resume_at on
    uint64_t resume_at = 0;
    int missed = 0;        // scans in a row that did not find it
    bool settled = false;  // nothing can be done before it changes or counts as whole
    Clock::time_point seen_change = Clock::now();
  };
  using Entries = std::map<uint64_t, std::unique_ptr<Entry>>;  // by inode

  bool Fits(const std::string& name) const { return ::fnmatch(pattern_.c_str(), name.c_str(), FNM_PERIOD) == 0; }
  Entries::iterator Add(FileMark mark);
  Entries::iterator Remove(Entries::iterator at);
  void Scan();
  // A file of this name is there. `told`: the system has told of a change in it; `closed`: and that it is closed.
  void Look(const std::string& name, const FileState64& state, bool told, bool closed);
  void TakeChanges(const DirectoryWatch::Changes& changes);
  bool IsFolded(const std::string& name, const FileState64& state) const;
  // Whether the entry still is its mark's file, and has not been written anew; else it is begun anew.
  absl::Status Verify(Entry& entry);
  void Update(Entry& entry, const FileState64& state);
  bool IsWhole(const Entry& entry) const;
  // Reads on in one file. False: nothing to do there now.
  bool Advance(Entry& entry);
  void ReadSome();
  void Lost(Entry& entry, const std::string& reason);
  void Fold();
  void LimitOpen();
  void SetHealth(const std::string& trouble);

  const std::string directory_;
  FollowedFile::Settings settings_;
  std::string pattern_ = "*";
  milliseconds settle_{1'000};
  milliseconds quiet_{30'000};
  milliseconds rescan_{5'000};
  DirectoryWatch watch_;
  Entries entries_;
  // Inodes by when the file had changed when it was first seen: the oldest is read first, so that it can be folded.
  std::set<std::pair<int64_t, uint64_t>> order_;
  size_t done_since_fold_ = 0;
  Clock::time_point scan_at_{};
  int64_t folded_ = INT64_MIN;          // all files that changed before are finished
  std::set<std::string> folded_names_;  // and these, which changed right then
  std::string trouble_;
  StreamBatch batch_;

  mutable std::mutex mutex_;
  StreamHealth health_;
};

absl::Status DirectoryStream::Configure(const StreamUrl& url, const Json& position,
                                        const DirectoryStreamTiming& timing) {
  DIR* directory = ::opendir(directory_.c_str());
  if (directory == nullptr) {
    const int error = errno;
    if (error != ENOENT && error != ENOTDIR) return ErrnoError(error, "follow", directory_);
    return UsageError(fmt::format("--source {}: {} is no directory", url.text, directory_));
  }
  ::closedir(directory);
  pattern_ = url.Get("pattern", "*");
  if (pattern_.find('/') != std::string::npos) {
    return UsageError(fmt::format("--source {}: a pattern is of names in the directory, without a slash", url.text));
  }
  if (const std::string format = url.Get("format", "auto"); format != "auto") {
    ASSIGN_OR_RETURN(settings_.format, FindFormat(format));
  }
  ASSIGN_OR_RETURN(quiet_, Seconds(url, "quiet", quiet_));
  ASSIGN_OR_RETURN(rescan_, Seconds(url, "rescan", rescan_));
  quiet_ = timing.quiet.value_or(quiet_);
  rescan_ = timing.rescan.value_or(rescan_);
  settle_ = std::min(timing.settle, quiet_);
  if (position.is_null()) return absl::OkStatus();
  if (!position.is_object() || !position.contains("files") || !position["files"].is_array()) {
    return absl::DataLossError(fmt::format("{}: a kept position of a directory is damaged", url.text));
  }
  for (const Json& json : position["files"]) {
    ASSIGN_OR_RETURN(FileMark mark, FileMarkOf(json));
    Add(std::move(mark));
  }
  if (!position.contains("folded")) return absl::OkStatus();
  try {
    folded_ = position["folded"].at("changed").get<int64_t>();
    for (const Json& name : position["folded"].at("names")) folded_names_.insert(name.get<std::string>());
  } catch (const Json::exception&) {
    return absl::DataLossError(fmt::format("{}: a kept position of a directory is damaged", url.text));
  }
  return absl::OkStatus();
}

Json DirectoryStream::position() const {
  Json files = Json::array();
  for (const auto& [inode, entry] : entries_) {
    if (entry->file.mark().started()) files.push_back(ToJson(entry->file.mark()));
  }
  Json json = {{"files", std::move(files)}};
  if (folded_ != INT64_MIN) json["folded"] = {{"changed", folded_}, {"names", folded_names_}};
  return json;
}

DirectoryStream::Entries::iterator DirectoryStream::Add(FileMark mark) {
  const uint64_t inode = mark.inode;
  auto entry = std::make_unique<Entry>(settings_, std::move(mark));
  entry->place = {entry->file.mark().changed, inode};
  order_.insert(entry->place);
  return entries_.insert_or_assign(inode, std::move(entry)).first;
}

DirectoryStream::Entries::iterator DirectoryStream::Remove(Entries::iterator at) {
  order_.erase(at->second->place);
  return entries_.erase(at);
}

bool DirectoryStream::IsFolded(const std::string& name, const FileState64& state) const {
  return state.changed < folded_ || (state.changed == folded_ && folded_names_.contains(name));
}

void DirectoryStream::Update(Entry& entry, const FileState64& state) {
  FileMark& mark = entry.file.mark();
  if (mark.size == state.size && mark.modified == state.modified && mark.changed == state.changed) return;
  const bool written = mark.size != state.size || mark.modified != state.modified;
  mark.size = state.size;
  mark.modified = state.modified;
  mark.changed = state.changed;
  if (!written) return;  // renamed, or its rights changed
  entry.seen_change = Clock::now();
  entry.settled = false;
}

absl::Status DirectoryStream::Verify(Entry& entry) {
  FollowedFile& file = entry.file;
  const FileMark& mark = file.mark();
  RETURN_IF_ERROR(file.Open());
  ASSIGN_OR_RETURN(const FileState64 state, file.State());
  const bool written = !entry.verified || mark.size != state.size || mark.modified != state.modified;
  if (written && mark.started()) {
    ASSIGN_OR_RETURN(const bool same, file.BeginsAsBefore());
    const bool other = mark.born != 0 && state.born != 0 && mark.born != state.born;
    // A file that is taken whole is taken again when it was written again.
    const bool again = mark.pieces > 0 && (mark.size != state.size || mark.modified != state.modified);
    if (other || again || !same || state.size < mark.offset) {
      file.Restart(state, batch_.parsed);
      entry.seen_change = Clock::now();
    } else if (mark.done && state.size > mark.offset) {
      file.mark().done = false;
    }
  }
  entry.verified = true;
  Update(entry, state);
  return absl::OkStatus();
}

void DirectoryStream::Look(const std::string& name, const FileState64& state, bool told, bool closed) {
  if (!state.regular) return;
  auto found = entries_.find(state.inode);
  if (found == entries_.end()) {
    if (!told && IsFolded(name, state)) return;
    FileMark mark;
    mark.name = name;
    mark.inode = state.inode;
    mark.born = state.born;
    mark.size = state.size;
    mark.modified = state.modified;
    mark.changed = state.changed;
    found = Add(std::move(mark));
    found->second->verified = true;
  }
  Entry& entry = *found->second;
  const FileMark& mark = entry.file.mark();
  entry.present = true;
  entry.missed = 0;
  entry.file.mark().name = name;
  if (entry.lost && mark.changed != state.changed) {
    entry.file.mark().done = entry.lost = entry.settled = false;
    entry.file.mark().offset = entry.resume_at;
  }
  if (told) entry.closed = closed;
  const bool changed = mark.size != state.size || mark.modified != state.modified;
  if (!entry.verified || changed) {
    const absl::Status status = Verify(entry);
    if (!status.ok()) return Lost(entry, Message(status));
    entry.settled = false;
  }
  Update(entry, state);
}

void DirectoryStream::TakeChanges(const DirectoryWatch::Changes& changes) {
  if (changes.rescan) scan_at_ = Clock::now();
  for (const auto& [name, closed] : changes.names) {
    const absl::StatusOr<FileState64> state = StateOfFile(-1, directory_ + "/" + name);
    if (!state.ok()) continue;
    if (!Fits(name)) {  // a file that is read may have been renamed to it
      if (const auto found = entries_.find(state->inode); found != entries_.end()) found->second->settled = false;
      continue;
    }
    Look(name, *state, true, closed);
  }
}

void DirectoryStream::Scan() {
  scan_at_ = Clock::now() + rescan_;
  DIR* directory = ::opendir(directory_.c_str());
  trouble_ = directory == nullptr ? Message(ErrnoError(errno, "follow", directory_)) : "";
  std::map<uint64_t, std::string> others;  // names that do not fit, of inodes
  for (auto& [inode, entry] : entries_) entry->present = false;
  std::vector<std::pair<std::string, FileState64>> found;
  while (directory != nullptr) {
    const dirent* item = ::readdir(directory);
    if (item == nullptr) break;
    const std::string name = item->d_name;
    if (!Fits(name)) {
      if (entries_.contains(item->d_ino)) others[item->d_ino] = name;
      continue;
    }
    if (name == "." || name == "..") continue;
    const absl::StatusOr<FileState64> state = StateOfFile(-1, directory_ + "/" + name);
    if (state.ok() && state->regular) found.emplace_back(name, *state);
  }
  if (directory != nullptr) ::closedir(directory);
  for (const auto& [name, state] : found) Look(name, state, false, false);
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = *at->second;
    if (!entry.present) entry.settled = false;  // of what is written to it by another name, or none, nothing tells
    // Reading a directory may miss a file that is renamed meanwhile, but hardly twice.
    const bool gone = !entry.present && directory != nullptr && ++entry.missed > 1;
    if (gone && entry.file.mark().done) {
      at = Remove(at);
      continue;
    }
    // Renamed to what does not fit, and not held open: it is found by its inode.
    if (const auto other = others.find(at->first); gone && other != others.end())
      entry.file.mark().name = other->second;
    if (gone && !entry.file.open() && (!Verify(entry).ok())) {
      const FileMark& mark = entry.file.mark();
      if (mark.size > mark.offset && mark.pieces == 0) {
        batch_.parsed.rejects.push_back(
            {{entry.file.path(), mark.offset, mark.size}, "the file was removed before this was read"});
      } else if (mark.pieces > 0) {
        batch_.parsed.rejects.push_back(
            {{entry.file.path(), 0, mark.size},
             fmt::format("the file was removed after {} pieces of it were read", mark.pieces)});
      }
      at = Remove(at);
      continue;
    }
    ++at;
  }
  Fold();
}

// It cannot be read: said in a reject, and looked at again when it changes.
void DirectoryStream::Lost(Entry& entry, const std::string& reason) {
  FileMark& mark = entry.file.mark();
  entry.lost = true;
  entry.resume_at = mark.offset;
  batch_.parsed.rejects.push_back({{entry.file.path(), mark.offset, std::max(mark.size, mark.offset)}, reason});
  mark.done = true;
  mark.offset = std::max(mark.size, mark.offset);
  entry.file.Release();
}

bool DirectoryStream::IsWhole(const Entry& entry) const {
  const auto still = Clock::now() - entry.seen_change;
  if (still >= quiet_) return true;
  if (entry.closed && still >= settle_) {
    return entry.file.mark().offset == 0;  // a log that is opened for each line is not whole after the first
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto modified = std::chrono::nanoseconds(entry.file.mark().modified);
  return entry.file.mark().modified > 0 && now - modified >= quiet_;
}

bool DirectoryStream::Advance(Entry& entry) {
  FollowedFile& file = entry.file;
  if (file.mark().done) return false;
  const bool whole = IsWhole(entry);
  if (entry.settled && !whole) return false;
  absl::Status status = entry.verified ? file.Open() : Verify(entry);
  if (status.ok()) {
    // Of a file that is held open without a name only this tells that it grows.
    const absl::StatusOr<FileState64> state = file.State();
    status = state.status();
    if (state.ok() && (state->size != file.mark().size || state->modified != file.mark().modified)) {
      status = Verify(entry);
      if (status.ok()) return true;
    }
  }
  if (!status.ok()) {
    if (absl::IsNotFound(status)) return false;  // the next scan finds what became of it
    Lost(entry, Message(status));
    return true;
  }
  const absl::StatusOr<FollowedFile::Progress> progress = file.Read(whole, batch_.parsed, batch_.bytes);
  if (!progress.ok()) {
    Lost(entry, Message(progress.status()));
    return true;
  }
  if (*progress == FollowedFile::Progress::kDone) {
    file.Release();
    ++done_since_fold_;
  }
  entry.settled = *progress == FollowedFile::Progress::kIdle;
  return *progress != FollowedFile::Progress::kIdle;
}

void DirectoryStream::ReadSome() {
  for (const auto& [changed, inode] : order_) {
    Entry& entry = *entries_.at(inode);
    while (batch_.bytes < kBatchBytes && Advance(entry)) {
    }
    if (batch_.bytes >= kBatchBytes) break;
  }
  LimitOpen();
  if (done_since_fold_ > kKeptDone / 2) Fold();
}

void DirectoryStream::LimitOpen() {
  size_t open = 0;
  for (auto& [inode, entry] : entries_) {
    if (entry->file.open() && ++open > kMostOpen && entry->present) entry->file.Release();
  }
}

void DirectoryStream::Fold() {
  done_since_fold_ = 0;
  std::vector<const FileMark*> done;
  int64_t unfinished = INT64_MAX;
  for (const auto& [inode, entry] : entries_) {
    const FileMark& mark = entry->file.mark();
    if (mark.done) {
      done.push_back(&mark);
    } else {
      unfinished = std::min(unfinished, mark.changed);
    }
  }
  if (done.size() <= kKeptDone) return;
  std::sort(done.begin(), done.end(), [](const FileMark* a, const FileMark* b) {
    return a->changed != b->changed ? a->changed < b->changed : a->name < b->name;
  });
  // Half at a time, so that it is rare. A file that is not finished keeps those behind it from being folded.
  for (size_t i = 0; i < done.size() - kKeptDone / 2 && done[i]->changed < unfinished; ++i) {
    if (done[i]->changed > folded_) folded_names_.clear();
    if (done[i]->changed >= folded_) {
      folded_ = done[i]->changed;
      folded_names_.insert(done[i]->name);
    }
    Remove(entries_.find(done[i]->inode));
  }
}

void DirectoryStream::SetHealth(const std::string& trouble) {
  uint64_t behind = 0;
  for (const auto& [inode, entry] : entries_) {
    const FileMark& mark = entry->file.mark();
    if (!mark.done) behind += mark.size - std::min(mark.size, mark.offset);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  health_.connected = trouble.empty();
  health_.trouble = trouble;
  health_.behind = behind;
}

absl::StatusOr<std::optional<StreamBatch>> DirectoryStream::Next(milliseconds wait) {
  const Clock::time_point until = Clock::now() + wait;
  while (true) {
    TakeChanges(watch_.Wait(milliseconds(0)));
    if (Clock::now() >= scan_at_) {
      Scan();
      SetHealth(trouble_);
    }
    ReadSome();
    if (!batch_.parsed.records.empty() || !batch_.parsed.rejects.empty()) return std::exchange(batch_, {});
    const Clock::time_point now = Clock::now();
    if (now >= until) return std::nullopt;
    if (batch_.bytes >= kBatchBytes) continue;  // blank lines
    // Files become whole with time, of which nothing tells.
    const auto pause = std::min<Clock::duration>({until - now, scan_at_ - now, std::max(settle_ / 4, milliseconds(5))});
    TakeChanges(watch_.Wait(std::max(std::chrono::ceil<milliseconds>(pause), milliseconds(1))));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stream>> OpenDirectoryStream(const StreamUrl& url, const Json& position,
                                                            const StreamOptions& options,
                                                            const DirectoryStreamTiming& timing) {
  std::string directory = url.path;
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  auto stream = std::make_unique<DirectoryStream>(directory, options);
  RETURN_IF_ERROR(stream->Configure(url, position, timing));
  return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace rhodes
