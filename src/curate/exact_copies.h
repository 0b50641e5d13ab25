// Which documents are copies of another, read in the order of the documents as often as it takes.
#ifndef RHODES_CURATE_EXACT_COPIES_H_
#define RHODES_CURATE_EXACT_COPIES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "curate/exact_finder.h"
#include "curate/near_entries.h"

namespace rhodes {

// 16 bytes a copy, in memory up to `memory_bytes` and in a file without a name beyond. Not thread-safe.
class ExactCopies {
 public:
  ExactCopies(const std::string& directory, uint64_t memory_bytes) : bytes_(directory, memory_bytes) {}
  // Ordinals ascend. A full disk: RESOURCE_EXHAUSTED.
  absl::Status Append(const ExactDuplicate& copy);
  // Reading begins with the first document again.
  void Rewind();
  // The one that stays in the stead of `ordinal`, if that is a copy. Ordinals ascend from call to call.
  absl::StatusOr<std::optional<uint64_t>> KeptFor(uint64_t ordinal);

 private:
  static constexpr size_t kRead = 4096;  // copies at once
  SpilledBytes bytes_;
  uint64_t next_ = 0;  // place of the first copy behind `read_`
  std::vector<ExactDuplicate> read_;
  size_t at_ = 0;  // in read_
};

}  // namespace rhodes

#endif  // RHODES_CURATE_EXACT_COPIES_H_
