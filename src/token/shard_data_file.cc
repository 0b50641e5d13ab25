#include "token/shard_data_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "base/parallel.h"

namespace rhodes {
namespace {

constexpr uint64_t kBlock = kLineageBlockBytes;

uint64_t Checksum(const uint8_t* bytes, uint64_t size) {
  return Fingerprint({reinterpret_cast<const char*>(bytes), size});
}

// Bytes [begin, end) of a piece.
uint8_t* CopyPart(const ShardPiece& piece, uint64_t begin, uint64_t end, uint8_t* to) {
  const uint64_t head = piece.head_size;
  if (begin < head) {
    const uint64_t stop = std::min(end, head);
    to = std::copy(piece.head.data() + begin, piece.head.data() + stop, to);
    begin = stop;
  }
  if (begin < end) {
    std::memcpy(to, piece.bytes + (begin - head), end - begin);
    to += end - begin;
  }
  return to;
}

}  // namespace

ShardDataFile::ShardDataFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {
  rest_.reserve(kBlock);
}

ShardDataFile::~ShardDataFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::StatusOr<std::unique_ptr<ShardDataFile>> ShardDataFile::Create(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return ErrnoError(errno, "create", path);
  return std::unique_ptr<ShardDataFile>(new ShardDataFile(path, descriptor));
}

absl::Status ShardDataFile::WriteAt(uint64_t offset, const uint8_t* bytes, uint64_t size) const {
  while (size > 0) {
    const ssize_t written = pwrite(descriptor_, bytes, size, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError(errno, "write", path_);
    bytes += written;
    offset += static_cast<uint64_t>(written);
    size -= static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

void ShardDataFile::Fill(std::span<const ShardPiece> pieces, uint64_t begin, uint64_t end, uint8_t* to) const {
  const uint64_t rest = rest_.size();
  if (begin < rest) {
    to = std::copy(rest_.data() + begin, rest_.data() + std::min(end, rest), to);
    begin = std::min(end, rest);
  }
  auto piece = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), begin) - ends_.begin());
  for (; begin < end; ++piece) {
    const uint64_t first = piece == 0 ? rest : ends_[piece - 1];
    const uint64_t stop = std::min(end, ends_[piece]);
    to = CopyPart(pieces[piece], begin - first, stop - first, to);
    begin = stop;
  }
}

absl::Status ShardDataFile::Append(std::span<const ShardPiece> pieces, int threads) {
  uint64_t total = rest_.size();
  ends_.clear();
  for (const ShardPiece& piece : pieces) ends_.push_back(total += piece.head_size + piece.size);
  const uint64_t blocks = total / kBlock;
  const uint64_t done = checksums_.blocks.size();
  checksums_.blocks.resize(done + blocks);
  const auto write_block = [&](size_t block) -> absl::Status {
    thread_local std::vector<uint8_t> buffer;
    buffer.resize(kBlock);
    Fill(pieces, block * kBlock, (block + 1) * kBlock, buffer.data());
    checksums_.blocks[done + block] = Checksum(buffer.data(), kBlock);
    RETURN_IF_ERROR(WriteAt((done + block) * kBlock, buffer.data(), kBlock));
    // The disk begins now, so that whoever waits for it in the end (StagedDirectory) waits for less. A hint.
    static_cast<void>(
        sync_file_range(descriptor_, static_cast<off_t>((done + block) * kBlock), kBlock, SYNC_FILE_RANGE_WRITE));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ParallelFor(threads, blocks, write_block));
  checksums_.bytes = done * kBlock + total;
  if (blocks == 0) {
    rest_.resize(total);  // Fill() counts from where the pieces begin, so that they are copied here
    uint8_t* to = rest_.data() + (pieces.empty() ? total : ends_[0] - pieces[0].head_size - pieces[0].size);
    for (const ShardPiece& piece : pieces) to = CopyPart(piece, 0, piece.head_size + piece.size, to);
    return absl::OkStatus();
  }
  std::vector<uint8_t> rest(total - blocks * kBlock);
  Fill(pieces, blocks * kBlock, total, rest.data());
  rest_.assign(rest.begin(), rest.end());
  return absl::OkStatus();
}

absl::Status ShardDataFile::Append(std::string_view bytes) {
  const ShardPiece piece = {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), {}, 0};
  return Append({&piece, 1}, 1);
}

absl::Status ShardDataFile::ReplaceBegin(std::string_view bytes) {
  if (checksums_.blocks.empty()) {
    std::copy(bytes.begin(), bytes.end(), rest_.begin());
    return absl::OkStatus();
  }
  std::vector<uint8_t> block(kBlock);
  for (uint64_t at = 0; at < kBlock;) {
    const ssize_t count = pread(descriptor_, block.data() + at, kBlock - at, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, "read", path_);
    if (count == 0) return absl::DataLossError(fmt::format("{}: shorter than what was written", path_));
    at += static_cast<uint64_t>(count);
  }
  std::copy(bytes.begin(), bytes.end(), block.begin());
  checksums_.blocks[0] = Checksum(block.data(), kBlock);
  return WriteAt(0, block.data(), bytes.size());
}

absl::Status ShardDataFile::Close() {
  if (!rest_.empty()) {
    RETURN_IF_ERROR(WriteAt(checksums_.blocks.size() * kBlock, rest_.data(), rest_.size()));
    checksums_.blocks.push_back(Checksum(rest_.data(), rest_.size()));
    rest_.clear();
  }
  return close(std::exchange(descriptor_, -1)) == 0 ? absl::OkStatus() : ErrnoError(errno, "close", path_);
}

}  // namespace rhodes
