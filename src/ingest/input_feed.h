// From a list of input files to units of work for the parsing threads: archives opened, small files gathered, large
// ones cut.
#ifndef RHODES_INGEST_INPUT_FEED_H_
#define RHODES_INGEST_INPUT_FEED_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/archive.h"
#include "base/hash.h"
#include "ingest/file_cutter.h"
#include "ingest/inputs.h"
#include "ingest/x_archives.h"
#include "store/taken_files.h"

namespace rhodes {

// A file, or an archive's member that is held in memory, to be read whole by a worker.
struct SmallInput {
  size_t file = 0;  // index into the list of input files
  std::string path;
  std::shared_ptr<const std::string> bytes;  // of a member; null: `path` is a file
  const Format* format = nullptr;            // null: detected
  std::shared_ptr<const ReadOptions> options;
};

// What a worker is given: small files, or a piece of a large one. `file` of a piece: index into the input files.
struct Unit {
  std::vector<SmallInput> files;
  std::optional<Piece> piece;
  size_t file = 0;
};

// A file of which nothing is read, on purpose.
struct SkippedInput {
  std::string path;
  std::string reason;
};

// Not thread-safe; Next() may be called from one thread after another. Memory: as FileCutter, and a unit of small
// members.
class InputFeed {
 public:
  struct Settings {
    FileCutter::Settings cutter;
    // Files taken before with the same settings, which are not read again; may be null. Not owned.
    const TakenFiles* taken = nullptr;
    std::string settings_key;
  };
  InputFeed(const std::vector<InputFile>& files, Settings settings, std::shared_ptr<const ReadOptions> options);

  // The next unit, or nothing at the end. An error only when a file that the user named cannot be opened.
  absl::StatusOr<std::optional<Unit>> Next();

  // Complete once Next() has returned nothing.
  const std::vector<SkippedInput>& skipped() const { return skipped_; }
  // Content fingerprints by input file; empty: a stream, or read by a worker (WorkFingerprint).
  const std::vector<std::string>& fingerprints() const { return fingerprints_; }

 private:
  absl::StatusOr<std::optional<Unit>> OpenNext();
  absl::StatusOr<std::optional<Unit>> OpenArchive(const InputFile& file);
  absl::StatusOr<std::optional<Unit>> NextMember();
  std::optional<Unit> NextPiece();
  void HashUpTo(size_t end);
  Unit SmallFiles();
  Unit RejectUnit(const std::string& path, std::string reason) const;
  bool IsSkipped(const std::string& path, const XArchive* archive);
  SmallInput MakeInput(size_t file, std::string path, const XArchive* archive) const;

  const std::vector<InputFile>& files_;
  const Settings settings_;
  const std::shared_ptr<const ReadOptions> options_;
  const std::vector<XArchive> x_archives_;
  size_t next_ = 0;
  size_t current_ = 0;  // the file that cutter_ or archive_ reads
  std::unique_ptr<FileCutter> cutter_;
  std::shared_ptr<ArchiveReader> archive_;
  uint64_t archive_reported_ = 0;
  // Of the file that cutter_ reads, as far as it has come; none: the fingerprint is known, or it is a stream.
  std::unique_ptr<ContentHasher> hasher_;
  size_t hashed_ = 0;
  std::optional<XArchive> archive_x_;  // when the archive is an X archive
  std::vector<SkippedInput> skipped_;
  std::vector<std::string> fingerprints_;
};

}  // namespace rhodes

#endif  // RHODES_INGEST_INPUT_FEED_H_
