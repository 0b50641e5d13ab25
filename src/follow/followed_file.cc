#include "follow/followed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/hash.h"

namespace rhodes {
namespace {

constexpr uint64_t kDetectBytes = 64 << 10;
constexpr size_t kPieceBytes = 4 << 20;  // always the same: FileMark::pieces counts them
constexpr uint64_t kMagicBytes = 16;     // tell a compressed file
constexpr size_t kPadding = 64;          // what simdjson may read beyond a document
constexpr size_t kLimitSlack = 4096;     // line breaks and blank lines behind a record that is as long as it may be

// Up to `size` bytes at `begin`, fewer at the end of the file only.
absl::StatusOr<size_t> ReadAt(int descriptor, uint64_t begin, char* output, size_t size, const std::string& path) {
  size_t got = 0;
  while (got < size) {
    const ssize_t count = ::pread(descriptor, output + got, size - got, static_cast<off_t>(begin + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, "read", path);
    if (count == 0) break;
    got += static_cast<size_t>(count);
  }
  return got;
}

}  // namespace

void FollowedFile::Release() {
  cutter_.reset();
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

absl::Status FollowedFile::Open() {
  if (descriptor_ >= 0) return absl::OkStatus();
  // A pipe put in the file's place must not hold us up.
  descriptor_ = ::open(path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor_ < 0) return ErrnoError(errno, "open", path());
  const absl::StatusOr<FileState64> state = State();
  if (!state.ok() || !state->regular || state->inode != mark_.inode) {
    Release();
    return absl::NotFoundError(fmt::format("{} is another file by now", path()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FollowedFile::Bytes(uint64_t begin, uint64_t size) const {
  std::string bytes(size, '\0');
  ASSIGN_OR_RETURN(const size_t got, ReadAt(descriptor_, begin, bytes.data(), size, path()));
  bytes.resize(got);
  return bytes;
}

absl::StatusOr<bool> FollowedFile::BeginsAsBefore() const {
  if (mark_.head_size == 0) return true;
  ASSIGN_OR_RETURN(const std::string head, Bytes(0, mark_.head_size));
  return head.size() == mark_.head_size && ContentFingerprint(head) == mark_.head;
}

absl::Status FollowedFile::RememberHead(uint64_t size) {
  const uint64_t wanted = std::min(size, kHeadBytes);
  if (wanted <= mark_.head_size) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string head, Bytes(0, wanted));
  mark_.head_size = head.size();
  mark_.head = ContentFingerprint(head);
  return absl::OkStatus();
}

void FollowedFile::Reject(uint64_t begin, uint64_t end, std::string reason, ParsedBlock& out) const {
  out.rejects.push_back({{path(), begin, end}, std::move(reason)});
}

FollowedFile::Progress FollowedFile::Done(uint64_t offset) {
  mark_.offset = offset;
  mark_.done = true;
  return Progress::kDone;
}

void FollowedFile::Restart(const FileState64& state, ParsedBlock& out) {
  if (mode_ != Mode::kWhole && mark_.started() && mark_.size > mark_.offset) {
    Reject(mark_.offset, mark_.size, "the file was cut short or written anew before this was read", out);
  }
  FileMark fresh;
  fresh.name = mark_.name;
  fresh.inode = state.inode;
  fresh.born = state.born;
  fresh.size = state.size;
  fresh.modified = state.modified;
  fresh.changed = state.changed;
  mark_ = fresh;
  mode_ = Mode::kUnknown;
  format_ = nullptr;
  state_.reset();
  prepared_ = false;
  cutter_.reset();
  fruitless_size_ = 0;
}

absl::StatusOr<FollowedFile::Progress> FollowedFile::SetMode(bool whole, ParsedBlock& out, uint64_t& bytes) {
  ASSIGN_OR_RETURN(const std::string head, Bytes(0, kDetectBytes));
  if (head.size() < kMagicBytes && !whole) return Progress::kIdle;
  if (head.empty()) return Done(0);
  if (DetectCompression(head) != Compression::kNone) {
    mode_ = Mode::kWhole;  // FileCutter detects the format of what is inside
    return Progress::kMore;
  }
  format_ = settings_.format;
  if (format_ == nullptr && !mark_.format.empty()) {
    ASSIGN_OR_RETURN(format_, FindFormat(mark_.format));
  }
  if (format_ == nullptr) {
    const bool enough = whole || head.size() == kDetectBytes || head.find('\n') != std::string::npos;
    if (!enough) return Progress::kIdle;
    const absl::StatusOr<const Format*> found = DetectFormat(path(), head);
    if (!found.ok()) {
      if (!whole && head.size() < kDetectBytes) return Progress::kIdle;
      ASSIGN_OR_RETURN(const FileState64 state, State());
      Reject(mark_.offset, state.size, Message(found.status()), out);
      bytes += state.size - mark_.offset;
      RETURN_IF_ERROR(RememberHead(state.size));
      return Done(state.size);
    }
    format_ = *found;
    mark_.format = format_->name();
  }
  mode_ = format_->framing() == Format::Framing::kBlocks ? Mode::kTail : Mode::kWhole;
  return Progress::kMore;
}

// Lets the format see the file's beginning: whole lines of it, and the same ones after a restart.
absl::StatusOr<bool> FollowedFile::Prepare(bool whole) {
  if (prepared_) return true;
  ASSIGN_OR_RETURN(std::string head, Bytes(0, mark_.prepared > 0 ? mark_.prepared : kDetectBytes));
  if (mark_.prepared == 0) {
    const size_t newline = head.rfind('\n');
    if (newline == std::string::npos && !whole && head.size() < kDetectBytes) return false;
    if (newline != std::string::npos) head.resize(newline + 1);
    mark_.prepared = head.size();
  }
  state_ = format_->Prepare(head, *settings_.read);
  prepared_ = true;
  return true;
}

absl::StatusOr<FollowedFile::Progress> FollowedFile::Skip(std::string_view bytes, bool at_end, ParsedBlock& out) {
  const size_t resync = format_->Resync(bytes);
  if (resync == std::string_view::npos && !at_end) {
    // The boundary may lie across two reads: a little of this one is looked at again.
    const size_t passed = bytes.size() - std::min(bytes.size(), kLimitSlack);
    mark_.offset += passed;
    return passed > 0 ? Progress::kMore : Progress::kIdle;
  }
  mark_.offset += resync == std::string_view::npos ? bytes.size() : resync;
  Reject(*mark_.skip_begin, mark_.offset, fmt::format("record longer than {} bytes", settings_.read->record_limit),
         out);
  mark_.skip_begin.reset();
  return Progress::kMore;
}

absl::StatusOr<FollowedFile::Progress> FollowedFile::ReadTail(bool whole, ParsedBlock& out, uint64_t& bytes) {
  ASSIGN_OR_RETURN(const FileState64 state, State());
  if (state.size <= mark_.offset) return whole ? Done(mark_.offset) : Progress::kIdle;
  if (!whole && state.size <= fruitless_size_) return Progress::kIdle;
  ASSIGN_OR_RETURN(const bool prepared, Prepare(whole));
  if (!prepared) return Progress::kIdle;
  const uint64_t before = mark_.offset;
  for (uint64_t wanted = settings_.block_bytes;; wanted *= 2) {
    ASSIGN_OR_RETURN(std::string buffer, Bytes(mark_.offset, std::min(state.size - mark_.offset, wanted)));
    const size_t size = buffer.size();
    buffer.append(kPadding, ' ');
    const std::string_view block = std::string_view(buffer).substr(0, size);
    const bool to_end = mark_.offset + size >= state.size;
    if (mark_.skip_begin) {
      absl::StatusOr<Progress> progress = Skip(block, whole && to_end, out);
      bytes += mark_.offset - before;
      return progress;
    }
    const bool at_end = whole && to_end;
    const size_t cut = at_end ? size : format_->Cut(block, mark_.offset, size, false, state_.get(), *settings_.read);
    if (cut > 0) {
      format_->Parse(Block{path(), block.substr(0, cut), mark_.offset, buffer.size() - cut, state_.get(), at_end},
                     *settings_.read, out);
      mark_.offset += cut;
      bytes += cut;
      RETURN_IF_ERROR(RememberHead(mark_.offset));
      return Progress::kMore;
    }
    if (size > settings_.read->record_limit + kLimitSlack) {
      mark_.skip_begin = mark_.offset;
      RETURN_IF_ERROR(RememberHead(state.size));
      return Progress::kMore;
    }
    if (to_end) {
      fruitless_size_ = state.size;
      return Progress::kIdle;
    }
  }
}

absl::StatusOr<FollowedFile::Progress> FollowedFile::ReadPiece(ParsedBlock& out, uint64_t& bytes) {
  if (cutter_ == nullptr) {
    ASSIGN_OR_RETURN(cut_state_, State());
    RETURN_IF_ERROR(RememberHead(cut_state_.size));
    std::unique_ptr<ByteReader> reader;
    if (format_ != nullptr && format_->framing() == Format::Framing::kRows) {
      ASSIGN_OR_RETURN(reader, ByteReader::Open(path()));  // such formats need the file itself
    } else {
      // Not mapped: a file that shrinks while it is read must not end the process.
      const auto source = [descriptor = descriptor_, path = path(), at = uint64_t{0}](
                              char* output, size_t size) mutable -> absl::StatusOr<size_t> {
        ASSIGN_OR_RETURN(const size_t got, ReadAt(descriptor, at, output, size, path));
        at += got;
        return got;
      };
      ASSIGN_OR_RETURN(reader, ByteReader::OfStream(path(), source));
    }
    FileCutter::Settings cut;
    cut.format = settings_.format;
    cut.block_bytes = kPieceBytes;
    cutter_ = FileCutter::Open(path(), std::move(reader), cut, settings_.read);
    // After a restart: the same bytes are cut in the same way.
    for (uint64_t i = 0; i < mark_.pieces; ++i) {
      if (!cutter_->Next()) break;
    }
  }
  std::optional<Piece> piece = cutter_->Next();
  if (piece) {
    bytes += piece->consumed;
    ParsedBlock parsed = ParsePiece(*std::move(piece));
    std::move(parsed.records.begin(), parsed.records.end(), std::back_inserter(out.records));
    std::move(parsed.rejects.begin(), parsed.rejects.end(), std::back_inserter(out.rejects));
    ++mark_.pieces;
    return Progress::kMore;
  }
  cutter_.reset();
  ASSIGN_OR_RETURN(const FileState64 now, State());
  if (now.size == cut_state_.size && now.modified == cut_state_.modified) return Done(now.size);
  mark_.pieces = 0;  // it was written while it was read: once more, when it is whole
  return Progress::kIdle;
}

absl::StatusOr<FollowedFile::Progress> FollowedFile::Read(bool whole, ParsedBlock& out, uint64_t& bytes) {
  RETURN_IF_ERROR(Open());
  if (mode_ == Mode::kUnknown) {
    ASSIGN_OR_RETURN(const Progress progress, SetMode(whole, out, bytes));
    if (progress != Progress::kMore) return progress;
  }
  if (mode_ == Mode::kTail) return ReadTail(whole, out, bytes);
  return whole ? ReadPiece(out, bytes) : Progress::kIdle;
}

}  // namespace rhodes
