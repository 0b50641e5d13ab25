// Zip and tar archives from any bytes.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "base/archive.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int descriptor = memfd_create("archive", 0);
  if (descriptor < 0 || write(descriptor, data, size) != static_cast<ssize_t>(size)) std::abort();
  auto reader = rhodes::ArchiveReader::Open(fmt::format("/proc/self/fd/{}", descriptor));
  uint64_t read = 0;
  char buffer[16384];
  while (reader.ok()) {
    const absl::StatusOr<std::optional<rhodes::ArchiveMember>> member = (*reader)->Next();
    if (!member.ok() || !*member) break;
    while (read < (uint64_t{1} << 24)) {
      const absl::StatusOr<size_t> count = (*reader)->Read(buffer, sizeof(buffer));
      if (!count.ok() || *count == 0) break;
      read += *count;
    }
  }
  close(descriptor);
  return 0;
}
