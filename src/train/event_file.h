// TensorBoard's event files: scalars and texts by step, as any TensorBoard reads them.
#ifndef RHODES_TRAIN_EVENT_FILE_H_
#define RHODES_TRAIN_EVENT_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

// CRC-32C (Castagnoli; RFC 3720), and as TFRecord stores it (rotated and offset, so that a checksum of checksums is not
// degenerate).
uint32_t Crc32c(std::string_view bytes);
uint32_t MaskedCrc32c(std::string_view bytes);

// One record of a TFRecord file: u64 length, masked CRC of the length, bytes, masked CRC of the bytes; little-endian.
std::string TfRecord(std::string_view bytes);

// The events as protocol buffers (tensorflow/core/util/event.proto, summary.proto), written out by hand: four messages
// do not pay for a dependency. `wall_time`: seconds since 1970.
std::string VersionEvent(double wall_time);                   // the first of every file: "brain.Event:2"
std::string StartEvent(double wall_time, int64_t next_step);  // what was said of `next_step` and later ones is void
std::string ScalarEvent(double wall_time, int64_t step, std::string_view tag, float value);
std::string TextEvent(double wall_time, int64_t step, std::string_view tag, std::string_view text);

// A file DIRECTORY/events.out.tfevents.<number, 10 digits>.rhodes, its number one above those that are there: a run
// that goes on adds a file, and TensorBoard reads them in order. Not thread-safe.
class EventFile {
 public:
  // Makes the directory and the file, and says that what was written of steps after `step` is void.
  static absl::StatusOr<EventFile> Create(const std::string& directory, int64_t step);
  EventFile(EventFile&& other) noexcept;
  EventFile& operator=(EventFile&&) = delete;
  ~EventFile();

  // Written at once: TensorBoard shows them while the run goes on.
  absl::Status Start(int64_t step);  // as in Create, later: the run went back to `step`
  absl::Status Scalar(int64_t step, std::string_view tag, double value);
  absl::Status Text(int64_t step, std::string_view tag, std::string_view text);

 private:
  EventFile(std::string path, int file);
  absl::Status Write(std::string_view event);

  std::string path_;
  int file_ = -1;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_EVENT_FILE_H_
