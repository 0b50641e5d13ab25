#include "train/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

namespace rhodes {
namespace {

constexpr std::string_view kMagic = "RHODESCK";
constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffix = ".state";
constexpr int kFormat = 1;

std::string_view Bytes(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::string_view Bytes(const uint64_t& value) { return {reinterpret_cast<const char*>(&value), sizeof(value)}; }

// A file written in pieces under a temporary name.
class PieceWriter {
 public:
  explicit PieceWriter(const std::string& path) : path_(path), partial_(path + ".partial") {}
  ~PieceWriter() {
    if (file_ >= 0) ::close(file_);
    if (!committed_) ::unlink(partial_.c_str());
  }
  absl::Status Open() {
    file_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return file_ < 0 ? ErrnoError(errno, "create", partial_) : absl::OkStatus();
  }
  absl::Status Append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(file_, bytes.data(), std::min<size_t>(bytes.size(), size_t{64} << 20));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrnoError(errno, "write", partial_);
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return absl::OkStatus();
  }
  absl::Status Commit() {
    if (::fsync(file_) != 0) return ErrnoError(errno, "sync", partial_);
    RETURN_IF_ERROR(Rename(partial_, path_));
    committed_ = true;
    return absl::OkStatus();
  }

 private:
  std::string path_, partial_;
  int file_ = -1;
  bool committed_ = false;
};

uint64_t ReadU64(std::string_view bytes, size_t at) {
  uint64_t value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

}  // namespace

CheckpointStore::CheckpointStore(std::string directory, std::string key, int keep, bool asynchronous)
    : directory_(std::move(directory)), key_(std::move(key)), keep_(std::max(1, keep)), asynchronous_(asynchronous) {}

CheckpointStore::~CheckpointStore() {
  if (writer_.joinable()) writer_.join();
}

std::string CheckpointStore::PathOf(int64_t step) const {
  return fmt::format("{}/{}{:010}{}", directory_, kPrefix, step, kSuffix);
}

absl::Status CheckpointStore::Wait() {
  if (writer_.joinable()) writer_.join();
  return std::exchange(written_, absl::OkStatus());
}

absl::Status CheckpointStore::Reserve(size_t values) { return asynchronous_ ? MakeRoom(values) : absl::OkStatus(); }

absl::Status CheckpointStore::MakeRoom(size_t values) {
  if (copy_.size() == values) return absl::OkStatus();
  try {
    copy_ = Buffer<float>(values);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        fmt::format("checkpoint: {} bytes for the copy that is written are not to be had", values * sizeof(float)));
  }
  return absl::OkStatus();
}

absl::Status CheckpointStore::Save(int64_t step, const TrainState& state, const Json& progress) {
  if (!asynchronous_) {
    RETURN_IF_ERROR(Wait());
    RETURN_IF_ERROR(CreateDirectories(directory_));
    return Write(step, progress, state.weights, state.m, state.v);
  }
  ASSIGN_OR_RETURN(const TrainState copy,
                   Prepare(static_cast<int64_t>(state.weights.size()), static_cast<int64_t>(state.v.size())));
  std::ranges::copy(state.weights, copy.weights.begin());
  std::ranges::copy(state.m, copy.m.begin());
  std::ranges::copy(state.v, copy.v.begin());
  return SavePrepared(step, progress);
}

absl::StatusOr<TrainState> CheckpointStore::Prepare(int64_t weights, int64_t v) {
  RETURN_IF_ERROR(Wait());
  if (lender_ != nullptr) {
    ASSIGN_OR_RETURN(prepared_, lender_->Prepare(weights, v));
    return prepared_;
  }
  const size_t sizes[] = {static_cast<size_t>(weights), static_cast<size_t>(v)};
  RETURN_IF_ERROR(MakeRoom(2 * sizes[0] + sizes[1]));  // also when not asynchronous: the state is put together there
  prepared_ = {copy_.span().first(sizes[0]), copy_.span().subspan(sizes[0], sizes[0]), copy_.span().last(sizes[1])};
  return prepared_;
}

absl::Status CheckpointStore::SavePrepared(int64_t step, const Json& progress) {
  RETURN_IF_ERROR(CreateDirectories(directory_));
  if (!asynchronous_) return Write(step, progress, prepared_.weights, prepared_.m, prepared_.v);
  writer_ = std::thread(
      [this, step, progress] { written_ = Write(step, progress, prepared_.weights, prepared_.m, prepared_.v); });
  return absl::OkStatus();
}

absl::Status CheckpointStore::Write(int64_t step, const Json& progress, std::span<const float> weights,
                                    std::span<const float> m, std::span<const float> v) {
  const std::string header = DumpJson(
      Json{{"format", kFormat}, {"key", key_}, {"step", step}, {"values", weights.size()}, {"progress", progress}});
  PieceWriter writer(PathOf(step));
  RETURN_IF_ERROR(writer.Open());
  RETURN_IF_ERROR(writer.Append(kMagic));
  RETURN_IF_ERROR(writer.Append(Bytes(uint64_t{header.size()})));
  RETURN_IF_ERROR(writer.Append(header));
  for (const std::span<const float> values : {weights, m, v}) RETURN_IF_ERROR(writer.Append(Bytes(values)));
  for (const std::string_view bytes : {std::string_view(header), Bytes(weights), Bytes(m), Bytes(v)}) {
    RETURN_IF_ERROR(writer.Append(Bytes(Fingerprint(bytes))));
  }
  RETURN_IF_ERROR(writer.Commit());
  return Prune(static_cast<size_t>(keep_));
}

absl::StatusOr<std::vector<int64_t>> CheckpointStore::Steps() const {
  std::vector<int64_t> steps;
  if (!PathExists(directory_)) return steps;
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(directory_));
  for (const std::string& path : files) {
    std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
    if (path.size() != directory_.size() + 1 + name.size()) continue;  // in a folder below
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(kSuffix.size());
    int64_t step = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
    if (error == std::errc() && end == name.data() + name.size()) steps.push_back(step);
  }
  std::ranges::sort(steps, std::greater<>());
  return steps;
}

absl::Status CheckpointStore::Prune(size_t keep) const {
  ASSIGN_OR_RETURN(const std::vector<int64_t> steps, Steps());
  for (size_t i = keep; i < steps.size(); ++i) RETURN_IF_ERROR(RemoveTree(PathOf(steps[i])));
  return absl::OkStatus();
}

absl::Status CheckpointStore::Remove(int64_t step) const { return RemoveTree(PathOf(step)); }

absl::Status CheckpointStore::KeepOnly(int64_t step) const {
  ASSIGN_OR_RETURN(const std::vector<int64_t> steps, Steps());
  for (const int64_t other : steps) {
    if (other != step) RETURN_IF_ERROR(RemoveTree(PathOf(other)));
  }
  return absl::OkStatus();
}

absl::StatusOr<LoadedCheckpoint> CheckpointStore::Load(int64_t step, const TrainState& state) const {
  const std::string path = PathOf(step);
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  const std::string_view bytes = file.bytes();
  const auto damaged = [&](std::string_view what) { return absl::DataLossError(fmt::format("{}: {}", path, what)); };
  const size_t prefix = kMagic.size() + sizeof(uint64_t);
  if (bytes.size() < prefix || !bytes.starts_with(kMagic)) return damaged("not a checkpoint");
  const uint64_t header_size = ReadU64(bytes, kMagic.size());
  if (header_size > bytes.size() - prefix) return damaged("truncated in the header");
  const std::string_view header = bytes.substr(prefix, header_size);
  const std::span<float> arrays[] = {state.weights, state.m, state.v};
  size_t sums = prefix + header_size;
  for (const std::span<float> array : arrays) sums += array.size_bytes();
  if (bytes.size() != sums + 4 * sizeof(uint64_t)) {
    return damaged(fmt::format("{} bytes; {} were written", bytes.size(), sums + 4 * sizeof(uint64_t)));
  }
  if (Fingerprint(header) != ReadU64(bytes, sums)) return damaged("the header's checksum does not agree");
  ASSIGN_OR_RETURN(const Json json, ParseJson(header, path));
  if (json.value("key", "") != key_) return absl::FailedPreconditionError(path + ": of a run with other settings");
  if (json.value("step", int64_t{-1}) != step) return damaged("holds another step than its name says");
  size_t at = prefix + header_size;
  for (size_t i = 0; i < 3; ++i) {
    const std::string_view part = bytes.substr(at, arrays[i].size_bytes());
    at += part.size();
    if (Fingerprint(part) != ReadU64(bytes, sums + (i + 1) * sizeof(uint64_t))) {
      return damaged(fmt::format("the checksum of part {} of 3 does not agree", i + 1));
    }
  }
  at = prefix + header_size;
  for (const std::span<float> array : arrays) {
    std::memcpy(array.data(), bytes.data() + at, array.size_bytes());
    at += array.size_bytes();
  }
  return LoadedCheckpoint{step, json.value("progress", Json::object())};
}

absl::StatusOr<std::optional<LoadedCheckpoint>> CheckpointStore::LoadNewest(const TrainState& state,
                                                                            RunContext& context) const {
  ASSIGN_OR_RETURN(const std::vector<int64_t> steps, Steps());
  for (const int64_t step : steps) {
    absl::StatusOr<LoadedCheckpoint> loaded = Load(step, state);
    if (loaded.ok()) return *std::move(loaded);
    context.progress->Say(fmt::format("checkpoint of step {} passed over: {}", step, Message(loaded.status())));
  }
  return std::nullopt;
}

}  // namespace rhodes
