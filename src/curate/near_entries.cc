#include "curate/near_entries.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <queue>
#include <utility>

#include "base/parallel.h"

namespace rhodes {
namespace {

// Least significant digit first, on the high half of the hash; entries come in ascending ordinals, and the order is
// stable. The low half decides among the few that share the high one.
void SortEntries(std::vector<BandEntry>& entries, std::vector<BandEntry>& other) {
  constexpr int kDigitBits = 11;
  constexpr size_t kDigits = size_t{1} << kDigitBits;
  other.resize(entries.size());
  for (int shift = 0; shift < 32; shift += kDigitBits) {
    std::array<size_t, kDigits + 1> begin{};
    for (const BandEntry& entry : entries) ++begin[(entry.hash_high >> shift & (kDigits - 1)) + 1];
    for (size_t digit = 0; digit < kDigits; ++digit) begin[digit + 1] += begin[digit];
    for (const BandEntry& entry : entries) other[begin[entry.hash_high >> shift & (kDigits - 1)]++] = entry;
    entries.swap(other);
  }
  const auto less = [](const BandEntry& a, const BandEntry& b) {
    return a.hash_low != b.hash_low ? a.hash_low < b.hash_low : a.ordinal < b.ordinal;
  };
  for (size_t from = 0; from < entries.size();) {
    size_t to = from + 1;
    while (to < entries.size() && entries[to].hash_high == entries[from].hash_high) ++to;
    const auto first = entries.begin() + static_cast<ptrdiff_t>(from);
    const auto last = entries.begin() + static_cast<ptrdiff_t>(to);
    if (to - from > 1 && !std::is_sorted(first, last, less)) std::sort(first, last, less);
    from = to;
  }
}

// Reads one band of one run in order.
class RunReader {
 public:
  RunReader(const UnnamedFile& file, uint64_t offset, uint64_t entries, size_t buffer_entries)
      : file_(file), offset_(offset), left_(entries), buffer_entries_(buffer_entries) {}

  // False at the end.
  absl::StatusOr<bool> Advance() {
    if (!begun_) {
      begun_ = true;
    } else {
      ++at_;
    }
    if (at_ < view_.size()) return true;
    if (left_ == 0) return false;
    buffer_.resize(static_cast<size_t>(std::min<uint64_t>(left_, buffer_entries_)));
    RETURN_IF_ERROR(file_.Read(offset_, buffer_.data(), buffer_.size() * sizeof(BandEntry)));
    offset_ += buffer_.size() * sizeof(BandEntry);
    left_ -= buffer_.size();
    view_ = buffer_;
    at_ = 0;
    return true;
  }
  const BandEntry& entry() const { return view_[at_]; }

 private:
  const UnnamedFile& file_;
  uint64_t offset_ = 0;
  uint64_t left_ = 0;
  size_t buffer_entries_ = 0;
  std::vector<BandEntry> buffer_;
  std::span<const BandEntry> view_;
  size_t at_ = 0;
  bool begun_ = false;
};

// Gathers entries of ascending hashes into groups.
class Grouper {
 public:
  explicit Grouper(const BandEntries::Visit& visit) : visit_(visit) {}
  absl::Status Take(const BandEntry& entry) {
    if (group_.empty() || entry.hash() != hash_) {
      RETURN_IF_ERROR(Flush());
      group_.clear();
      hash_ = entry.hash();
    } else if (group_.size() >= BandEntries::kGroupPiece) {
      RETURN_IF_ERROR(Flush());
      group_.assign(1, group_.back());
    }
    group_.push_back(entry.ordinal);
    return absl::OkStatus();
  }
  absl::Status Flush() { return group_.size() < 2 ? absl::OkStatus() : visit_(group_); }

 private:
  const BandEntries::Visit& visit_;
  uint64_t hash_ = 0;
  std::vector<uint32_t> group_;
};

}  // namespace

absl::StatusOr<UnnamedFile> UnnamedFile::Create(const std::string& directory) {
  std::string path = directory + "/near.XXXXXX";
  const int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return ErrnoError(errno, "create a temporary file", path);
  UnnamedFile file(descriptor);
  if (::unlink(path.c_str()) != 0) return ErrnoError(errno, "unlink", path);
  return file;
}

UnnamedFile::~UnnamedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

absl::Status UnnamedFile::Write(uint64_t offset, const void* bytes, size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::pwrite(descriptor_, at, size, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError(errno, "write", "the temporary file of near duplicates");
    at += written;
    offset += static_cast<uint64_t>(written);
    size -= static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

absl::Status UnnamedFile::Read(uint64_t offset, void* bytes, size_t size) const {
  char* at = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t read = ::pread(descriptor_, at, size, static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return ErrnoError(errno, "read", "the temporary file of near duplicates");
    if (read == 0) return absl::DataLossError("near duplicates: the temporary file ends early");
    at += read;
    offset += static_cast<uint64_t>(read);
    size -= static_cast<size_t>(read);
  }
  return absl::OkStatus();
}

absl::Status SpilledBytes::Append(std::span<const uint8_t> bytes) {
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  // A vector that grows holds its bytes twice for a moment.
  const uint64_t most = file_.is_open() ? kPiece : std::max<uint64_t>(memory_bytes_ / 3, kPiece);
  if (buffer_.size() < most) return absl::OkStatus();
  if (!file_.is_open()) {
    ASSIGN_OR_RETURN(file_, UnnamedFile::Create(directory_));
  }
  RETURN_IF_ERROR(file_.Write(written_, buffer_.data(), buffer_.size()));
  written_ += buffer_.size();
  if (buffer_.capacity() > 2 * kPiece) std::vector<uint8_t>().swap(buffer_);
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status SpilledBytes::Read(uint64_t offset, std::span<uint8_t> out) const {
  if (offset < written_) {
    const auto from_file = static_cast<size_t>(std::min<uint64_t>(out.size(), written_ - offset));
    RETURN_IF_ERROR(file_.Read(offset, out.data(), from_file));
    offset += from_file;
    out = out.subspan(from_file);
  }
  if (out.empty()) return absl::OkStatus();
  if (offset - written_ + out.size() > buffer_.size())
    return absl::InternalError("near duplicates: a read past the end");
  std::copy_n(buffer_.begin() + static_cast<ptrdiff_t>(offset - written_), out.size(), out.begin());
  return absl::OkStatus();
}

BandEntries::BandEntries(size_t bands, uint64_t memory_bytes, int threads, std::string directory)
    : bands_(bands),
      memory_bytes_(memory_bytes),
      threads_(std::min(threads, static_cast<int>(bands))),
      directory_(std::move(directory)),
      // Each thread sorts into a second array.
      run_documents_(static_cast<size_t>(memory_bytes / sizeof(BandEntry) / (bands + static_cast<size_t>(threads_)))),
      open_(bands) {}

absl::Status BandEntries::Add(uint32_t ordinal, std::span<const uint64_t> bands) {
  if (open_[0].size() == open_[0].capacity()) {
    // Grown by a half at most up to the run's size, so that it is not exceeded.
    const size_t grown = std::min(run_documents_, std::max<size_t>(4096, open_[0].size() * 3 / 2));
    for (std::vector<BandEntry>& band : open_) band.reserve(grown);
  }
  for (size_t i = 0; i < bands_; ++i) {
    open_[i].push_back({static_cast<uint32_t>(bands[i] >> 32), static_cast<uint32_t>(bands[i]), ordinal});
  }
  return open_[0].size() < run_documents_ ? absl::OkStatus() : WriteOpenRun();
}

absl::Status BandEntries::SortOpenRun() {
  return ParallelFor(threads_, bands_, [&](size_t band) {
    std::vector<BandEntry> other;
    SortEntries(open_[band], other);
    return absl::OkStatus();
  });
}

absl::Status BandEntries::WriteOpenRun() {
  if (open_[0].empty()) return absl::OkStatus();
  if (!file_.is_open()) {
    ASSIGN_OR_RETURN(file_, UnnamedFile::Create(directory_));
  }
  const Run run{file_size_, open_[0].size()};
  const uint64_t band_bytes = run.entries * sizeof(BandEntry);
  absl::Status written = ParallelFor(threads_, bands_, [&](size_t band) -> absl::Status {
    std::vector<BandEntry> other;
    SortEntries(open_[band], other);
    RETURN_IF_ERROR(file_.Write(run.offset + band * band_bytes, open_[band].data(), static_cast<size_t>(band_bytes)));
    open_[band].clear();
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(written);
  file_size_ += bands_ * band_bytes;
  runs_.push_back(run);
  return absl::OkStatus();
}

absl::Status BandEntries::EndRuns() {
  if (runs_.empty()) return SortOpenRun();
  RETURN_IF_ERROR(WriteOpenRun());
  for (std::vector<BandEntry>& band : open_) std::vector<BandEntry>().swap(band);
  return absl::OkStatus();
}

absl::Status BandEntries::ForEachGroup(size_t band, const Visit& visit) const {
  Grouper grouper(visit);
  if (runs_.empty()) {
    for (const BandEntry& entry : open_[band]) RETURN_IF_ERROR(grouper.Take(entry));
    return grouper.Flush();
  }
  const uint64_t share = memory_bytes_ / static_cast<uint64_t>(threads_) / runs_.size() / sizeof(BandEntry);
  const auto buffer_entries = static_cast<size_t>(std::clamp<uint64_t>(share, 64, 1 << 16));
  std::vector<RunReader> readers;
  readers.reserve(runs_.size());
  // Least hash first; runs are of ascending ordinals, so that among equal hashes the earlier run comes first.
  using Head = std::pair<uint64_t, size_t>;
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  for (size_t i = 0; i < runs_.size(); ++i) {
    readers.emplace_back(file_, runs_[i].offset + band * runs_[i].entries * sizeof(BandEntry), runs_[i].entries,
                         buffer_entries);
    ASSIGN_OR_RETURN(const bool more, readers[i].Advance());
    if (more) heads.emplace(readers[i].entry().hash(), i);
  }
  while (!heads.empty()) {
    const size_t i = heads.top().second;
    heads.pop();
    // As long as this run is the least: no detour through the queue.
    while (true) {
      RETURN_IF_ERROR(grouper.Take(readers[i].entry()));
      ASSIGN_OR_RETURN(const bool more, readers[i].Advance());
      if (!more) break;
      const Head head(readers[i].entry().hash(), i);
      if (heads.empty() || head < heads.top()) continue;
      heads.push(head);
      break;
    }
  }
  return grouper.Flush();
}

}  // namespace rhodes
