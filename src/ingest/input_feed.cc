#include "ingest/input_feed.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "source/x_archive.h"

namespace rhodes {
namespace {

// Files up to this size are opened, read and parsed by the workers, several at a time; larger ones are cut into blocks
// first, so that one big file feeds all of them.
constexpr uint64_t kSmallFile = 1 << 20;
constexpr uint64_t kGroupBytes = 4 << 20;
constexpr size_t kGroupFiles = 512;

absl::StatusOr<size_t> ReadStandardInput(char* output, size_t size) {
  while (true) {
    const ssize_t count = read(STDIN_FILENO, output, size);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return ErrnoError(errno, "read", kStandardInput);
  }
}

}  // namespace

InputFeed::InputFeed(const std::vector<InputFile>& files, Settings settings, std::shared_ptr<const ReadOptions> options)
    : files_(files),
      settings_(std::move(settings)),
      options_(std::move(options)),
      x_archives_(FindXArchives(files)),
      fingerprints_(files.size()) {}

absl::StatusOr<std::optional<Unit>> InputFeed::Next() {
  while (true) {
    if (cutter_) {
      if (std::optional<Unit> unit = NextPiece()) return unit;
    }
    if (archive_) {
      ASSIGN_OR_RETURN(std::optional<Unit> unit, NextMember());
      if (unit) return unit;
      continue;
    }
    if (next_ == files_.size()) return std::nullopt;
    ASSIGN_OR_RETURN(std::optional<Unit> unit, OpenNext());
    if (unit) return unit;
  }
}

std::optional<Unit> InputFeed::NextPiece() {
  std::optional<Piece> piece = cutter_->Next();
  if (hasher_) HashUpTo(piece ? cutter_->Consumed().size() : cutter_->raw().size());
  if (!piece) {
    if (hasher_) fingerprints_[current_] = hasher_->Fingerprint();
    hasher_.reset();
    cutter_.reset();
    return std::nullopt;
  }
  if (archive_) {  // how much of the archive's file was used
    const uint64_t consumed = archive_->consumed();
    piece->consumed = consumed - std::min(consumed, archive_reported_);
    archive_reported_ = consumed;
  }
  return Unit{{}, std::move(piece), current_};
}

// Beside the reading, so that a file is read from the disk once.
void InputFeed::HashUpTo(size_t end) {
  const std::string_view part = cutter_->raw().substr(hashed_, end - hashed_);
  hasher_->Update(part);
  cutter_->ReleaseRaw(part);
  hashed_ = end;
}

// Begins with the next file; nothing when it is skipped or is read by Next() from here on.
absl::StatusOr<std::optional<Unit>> InputFeed::OpenNext() {
  const InputFile& file = files_[next_];
  if (!file.stream && IsArchiveName(file.path)) {
    current_ = next_++;
    return OpenArchive(file);
  }
  if (!file.stream && file.size <= kSmallFile) {
    Unit unit = SmallFiles();
    if (unit.files.empty()) return std::nullopt;
    return unit;
  }
  current_ = next_++;
  const XArchive* archive = nullptr;
  for (const XArchive& x : x_archives_) archive = file.path.starts_with(x.root) ? &x : archive;
  if (IsSkipped(file.path, archive)) return std::nullopt;
  absl::StatusOr<std::unique_ptr<ByteReader>> reader =
      file.stream ? ByteReader::OfStream(file.path, ReadStandardInput) : ByteReader::Open(file.path);
  if (!reader.ok()) {
    if (file.named) return reader.status();
    return RejectUnit(file.path, Message(reader.status()));
  }
  if (!file.stream) {
    if (settings_.taken != nullptr && settings_.taken->HasSize(file.size)) {
      fingerprints_[current_] = FingerprintMapped((*reader)->mapped());
      if (settings_.taken->Find(fingerprints_[current_], settings_.settings_key)) return std::nullopt;
    } else {
      hasher_ = std::make_unique<ContentHasher>();
      hashed_ = 0;
    }
  }
  const SmallInput input = MakeInput(current_, file.path, archive);
  FileCutter::Settings cutter = settings_.cutter;
  cutter.format = input.format;
  cutter_ = FileCutter::Open(file.path, *std::move(reader), cutter, input.options);
  return std::nullopt;
}

Unit InputFeed::SmallFiles() {
  Unit unit;
  uint64_t bytes = 0;
  while (next_ < files_.size() && !files_[next_].stream && files_[next_].size <= kSmallFile && bytes < kGroupBytes &&
         unit.files.size() < kGroupFiles && !IsArchiveName(files_[next_].path)) {
    const InputFile& file = files_[next_];
    const XArchive* archive = nullptr;
    for (const XArchive& x : x_archives_) archive = file.path.starts_with(x.root) ? &x : archive;
    if (!IsSkipped(file.path, archive)) unit.files.push_back(MakeInput(next_, file.path, archive));
    bytes += file.size;
    ++next_;
  }
  return unit;
}

absl::StatusOr<std::optional<Unit>> InputFeed::OpenArchive(const InputFile& file) {
  {
    absl::StatusOr<MappedFile> mapped = MappedFile::Open(file.path);
    if (!mapped.ok()) {
      if (file.named) return mapped.status();
      return RejectUnit(file.path, Message(mapped.status()));
    }
    fingerprints_[current_] = FingerprintMapped(mapped->bytes());
    if (settings_.taken != nullptr && settings_.taken->Find(fingerprints_[current_], settings_.settings_key)) {
      return std::nullopt;
    }
  }
  absl::StatusOr<std::unique_ptr<ArchiveReader>> archive = ArchiveReader::Open(file.path);
  if (!archive.ok()) return RejectUnit(file.path, Message(archive.status()));
  archive_ = *std::move(archive);
  archive_reported_ = 0;
  // Only a zip has a list of its members; reading a tar twice would cost as much again.
  archive_x_ = LowerAscii(file.path).ends_with(".zip") ? FindXArchiveInZip(file.path) : std::nullopt;
  return std::nullopt;
}

// The next member that is for reading: small ones are held, large ones are cut as they unpack. Nothing: Next() goes on.
absl::StatusOr<std::optional<Unit>> InputFeed::NextMember() {
  absl::StatusOr<std::optional<ArchiveMember>> next = archive_->Next();
  if (!next.ok() || !next->has_value()) {
    const std::string path = archive_->path();
    archive_.reset();
    if (next.ok()) return std::nullopt;
    return RejectUnit(path, Message(next.status()));
  }
  const ArchiveMember& member = **next;
  if (!member.regular) return std::nullopt;
  const std::string path = archive_->path() + std::string(kMemberMark) + member.name;
  if (member.unsafe) return RejectUnit(path, "the member's name leads out of the archive: not read");
  if (member.encrypted) return RejectUnit(path, "encrypted: not read");
  const XArchive* x = archive_x_ && member.name.starts_with(archive_x_->root) ? &*archive_x_ : nullptr;
  if (IsSkipped(path, x)) return std::nullopt;
  SmallInput input = MakeInput(current_, path, x);
  if (member.size && *member.size <= kSmallFile) {
    auto bytes = std::make_shared<std::string>(*member.size, '\0');
    size_t size = 0;
    while (size < bytes->size()) {
      const absl::StatusOr<size_t> count = archive_->Read(bytes->data() + size, bytes->size() - size);
      if (!count.ok()) return RejectUnit(path, Message(count.status()));
      if (*count == 0) break;
      size += *count;
    }
    bytes->resize(size);
    input.bytes = std::move(bytes);
    Unit unit;
    unit.files.push_back(std::move(input));
    unit.file = current_;
    return unit;
  }
  absl::StatusOr<std::unique_ptr<ByteReader>> reader = ByteReader::OfStream(
      path, [archive = archive_](char* output, size_t size) { return archive->Read(output, size); });
  if (!reader.ok()) return RejectUnit(path, Message(reader.status()));
  FileCutter::Settings cutter = settings_.cutter;
  cutter.format = input.format;
  cutter_ = FileCutter::Open(path, *std::move(reader), cutter, input.options);
  return std::nullopt;
}

Unit InputFeed::RejectUnit(const std::string& path, std::string reason) const {
  Piece piece;
  piece.parsed.rejects.push_back({Origin{path, 0, 0}, std::move(reason)});
  return Unit{{}, std::move(piece), current_};
}

bool InputFeed::IsSkipped(const std::string& path, const XArchive* archive) {
  if (archive == nullptr) return false;
  std::string reason = XArchiveSkipReason(path);
  if (reason.empty()) return false;
  skipped_.push_back({path, std::move(reason)});
  return true;
}

SmallInput InputFeed::MakeInput(size_t file, std::string path, const XArchive* archive) const {
  SmallInput input{file, std::move(path), nullptr, settings_.cutter.format, options_};
  if (archive == nullptr) return input;
  if (input.format == nullptr) input.format = &XArchiveFormat();
  auto options = std::make_shared<ReadOptions>(*options_);
  options->owner = archive->owner;
  input.options = std::move(options);
  return input;
}

}  // namespace rhodes
