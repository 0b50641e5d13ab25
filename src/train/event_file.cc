#include "train/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

#include "base/file.h"

namespace rhodes {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";
constexpr std::string_view kSuffix = ".rhodes";

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  constexpr uint32_t kCastagnoli = 0x82f63b78u;  // bits reversed
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1u) != 0 ? kCastagnoli : 0u);
    table[i] = value;
  }
  return table;
}

template <typename T>
void AppendFixed(T value, std::string& out) {
  for (size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i));
}

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// Wire types of protocol buffers.
enum class Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
void AppendKey(uint32_t field, Wire wire, std::string& out) {
  AppendVarint(field << 3 | static_cast<uint32_t>(wire), out);
}
void AppendInteger(uint32_t field, uint64_t value, std::string& out) {
  AppendKey(field, Wire::kVarint, out);
  AppendVarint(value, out);
}
void AppendBytes(uint32_t field, std::string_view bytes, std::string& out) {
  AppendKey(field, Wire::kBytes, out);
  AppendVarint(bytes.size(), out);
  out += bytes;
}

std::string Event(double wall_time, int64_t step) {
  std::string event;
  AppendKey(1, Wire::kFixed64, event);
  AppendFixed(std::bit_cast<uint64_t>(wall_time), event);
  if (step != 0) AppendInteger(2, static_cast<uint64_t>(step), event);
  return event;
}

double Now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

uint32_t Crc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = MakeCrcTable();
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xffu];
  return ~crc;
}

uint32_t MaskedCrc32c(std::string_view bytes) { return std::rotr(Crc32c(bytes), 15) + 0xa282ead8u; }

std::string TfRecord(std::string_view bytes) {
  std::string record;
  AppendFixed(uint64_t{bytes.size()}, record);
  AppendFixed(MaskedCrc32c(record), record);
  record += bytes;
  AppendFixed(MaskedCrc32c(bytes), record);
  return record;
}

std::string VersionEvent(double wall_time) {
  std::string event = Event(wall_time, 0);
  AppendBytes(3, "brain.Event:2", event);
  return event;
}

std::string StartEvent(double wall_time, int64_t next_step) {
  std::string log;
  AppendInteger(1, 1, log);  // SessionLog.status = START
  std::string event = Event(wall_time, next_step);
  AppendBytes(7, log, event);
  return event;
}

std::string ScalarEvent(double wall_time, int64_t step, std::string_view tag, float value) {
  std::string entry;
  AppendBytes(1, tag, entry);
  AppendKey(2, Wire::kFixed32, entry);
  AppendFixed(std::bit_cast<uint32_t>(value), entry);
  std::string summary;
  AppendBytes(1, entry, summary);
  std::string event = Event(wall_time, step);
  AppendBytes(5, summary, event);
  return event;
}

std::string TextEvent(double wall_time, int64_t step, std::string_view tag, std::string_view text) {
  std::string dimension, shape, tensor;
  AppendInteger(1, 1, dimension);
  AppendBytes(2, dimension, shape);
  AppendInteger(1, 7, tensor);  // DT_STRING
  AppendBytes(2, shape, tensor);
  AppendBytes(8, text, tensor);
  std::string plugin, metadata;
  AppendBytes(1, "text", plugin);
  AppendBytes(1, plugin, metadata);
  std::string entry;
  AppendBytes(1, tag, entry);
  AppendBytes(8, tensor, entry);
  AppendBytes(9, metadata, entry);
  std::string summary;
  AppendBytes(1, entry, summary);
  std::string event = Event(wall_time, step);
  AppendBytes(5, summary, event);
  return event;
}

EventFile::EventFile(std::string path, int file) : path_(std::move(path)), file_(file) {}
EventFile::EventFile(EventFile&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
EventFile::~EventFile() {
  if (file_ >= 0) ::close(file_);
}

absl::StatusOr<EventFile> EventFile::Create(const std::string& directory, int64_t step) {
  RETURN_IF_ERROR(CreateDirectories(directory));
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(directory));
  uint64_t number = 0;
  for (const std::string& file : files) {
    std::string_view name = std::string_view(file).substr(file.rfind('/') + 1);
    if (!name.starts_with(kPrefix)) continue;
    name.remove_prefix(kPrefix.size());
    uint64_t taken = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), taken).ec == std::errc()) {
      number = std::max(number, taken + 1);
    }
  }
  const std::string path = fmt::format("{}/{}{:010}{}", directory, kPrefix, number, kSuffix);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return ErrnoError(errno, "create", path);
  EventFile events(path, file);
  RETURN_IF_ERROR(events.Write(VersionEvent(Now())));
  RETURN_IF_ERROR(events.Start(step));
  return events;
}

absl::Status EventFile::Write(std::string_view event) {
  const std::string record = TfRecord(event);
  for (size_t done = 0; done < record.size();) {
    const ssize_t count = ::write(file_, record.data() + done, record.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, "write", path_);
    done += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status EventFile::Start(int64_t step) { return Write(StartEvent(Now(), step + 1)); }
absl::Status EventFile::Scalar(int64_t step, std::string_view tag, double value) {
  return Write(ScalarEvent(Now(), step, tag, static_cast<float>(value)));
}
absl::Status EventFile::Text(int64_t step, std::string_view tag, std::string_view text) {
  return Write(TextEvent(Now(), step, tag, text));
}

}  // namespace rhodes
