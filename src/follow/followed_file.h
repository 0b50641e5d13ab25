// One file of a followed directory, read as far as it goes and later further.
#ifndef RHODES_FOLLOW_FOLLOWED_FILE_H_
#define RHODES_FOLLOW_FOLLOWED_FILE_H_

#include <memory>
#include <string>

#include "follow/file_mark.h"
#include "ingest/file_cutter.h"
#include "source/format.h"

namespace rhodes {

// Not thread-safe. Memory: a block, or one record when that is longer.
class FollowedFile {
 public:
  struct Settings {
    std::string directory;
    const Format* format = nullptr;  // null: detected
    std::shared_ptr<const ReadOptions> read;
    uint64_t block_bytes = uint64_t{4} << 20;
  };
  static constexpr uint64_t kHeadBytes = 4096;  // of FileMark::head

  FollowedFile(const Settings& settings, FileMark mark) : settings_(settings), mark_(std::move(mark)) {}
  ~FollowedFile() { Release(); }
  FollowedFile(const FollowedFile&) = delete;
  FollowedFile& operator=(const FollowedFile&) = delete;

  const FileMark& mark() const { return mark_; }
  FileMark& mark() { return mark_; }
  std::string path() const { return settings_.directory + "/" + mark_.name; }

  // Opens the file of the mark's name and checks that it is the mark's. NOT_FOUND also when it is another one.
  absl::Status Open();
  bool open() const { return descriptor_ >= 0; }
  void Release();
  // The state of the file that is open, whatever it is called by now.
  absl::StatusOr<FileState64> State() const { return StateOfFile(descriptor_, path()); }
  // Whether the file begins as the mark remembers.
  absl::StatusOr<bool> BeginsAsBefore() const;
  // It was cut short or written anew: read it from its beginning. What was seen and not read is rejected.
  void Restart(const FileState64& state, ParsedBlock& out);

  enum class Progress {
    kIdle,  // nothing whole is there that was not given out; with `whole`: never
    kMore,  // something was done, and there may be more
    kDone   // all of it is given out
  };
  // Reads on. `whole`: nothing more comes, what is there is all. `bytes` grows by what was used up.
  absl::StatusOr<Progress> Read(bool whole, ParsedBlock& out, uint64_t& bytes);

 private:
  enum class Mode { kUnknown, kTail, kWhole };

  absl::StatusOr<std::string> Bytes(uint64_t begin, uint64_t size) const;
  // kIdle while it cannot be told yet; kMore when it is set; kDone when the file is rejected.
  absl::StatusOr<Progress> SetMode(bool whole, ParsedBlock& out, uint64_t& bytes);
  absl::StatusOr<bool> Prepare(bool whole);
  absl::StatusOr<Progress> ReadTail(bool whole, ParsedBlock& out, uint64_t& bytes);
  absl::StatusOr<Progress> Skip(std::string_view bytes, bool at_end, ParsedBlock& out);
  absl::StatusOr<Progress> ReadPiece(ParsedBlock& out, uint64_t& bytes);
  absl::Status RememberHead(uint64_t size);
  void Reject(uint64_t begin, uint64_t end, std::string reason, ParsedBlock& out) const;
  Progress Done(uint64_t offset);

  const Settings& settings_;
  FileMark mark_;
  int descriptor_ = -1;
  Mode mode_ = Mode::kUnknown;
  const Format* format_ = nullptr;
  std::unique_ptr<FileState> state_;
  bool prepared_ = false;        // state_ is what the format made of the file's beginning (some make nothing)
  uint64_t fruitless_size_ = 0;  // no record ended within so many bytes of the file
  std::unique_ptr<FileCutter> cutter_;
  FileState64 cut_state_;  // of the file when cutter_ began
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_FOLLOWED_FILE_H_
