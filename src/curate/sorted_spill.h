// Records that are more than the memory holds: written to partitions by several threads, read back in order.
#ifndef RHODES_CURATE_SORTED_SPILL_H_
#define RHODES_CURATE_SORTED_SPILL_H_

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/status.h"
#include "curate/scratch_file.h"

namespace rhodes {

// `Record`: trivially copyable, with a total order `<`; records that are equal have equal bytes, so that the order read
// back is one only, whatever the threads did.
template <typename Record>
class SortedSpill {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  static absl::StatusOr<SortedSpill> Create(const std::string& directory, size_t partitions) {
    SortedSpill spill;
    for (size_t i = 0; i < partitions; ++i) {
      ASSIGN_OR_RETURN(ScratchFile file, ScratchFile::Create(directory));
      spill.files_.push_back(std::move(file));
    }
    return spill;
  }

  // Of one thread at a time. Flush() before it goes.
  class Writer {
   public:
    // Holds `buffer_bytes` for each partition.
    Writer(SortedSpill& spill, size_t buffer_bytes)
        : spill_(&spill),
          capacity_(std::max<size_t>(buffer_bytes / sizeof(Record), 16)),
          buffers_(spill.files_.size()) {}

    absl::Status Append(size_t partition, const Record& record) {
      std::vector<Record>& buffer = buffers_[partition];
      buffer.push_back(record);
      return buffer.size() < capacity_ ? absl::OkStatus() : FlushOne(partition);
    }
    absl::Status Flush() {
      for (size_t i = 0; i < buffers_.size(); ++i) RETURN_IF_ERROR(FlushOne(i));
      return absl::OkStatus();
    }

   private:
    absl::Status FlushOne(size_t partition) {
      std::vector<Record>& buffer = buffers_[partition];
      if (buffer.empty()) return absl::OkStatus();
      RETURN_IF_ERROR(spill_->files_[partition].Append(buffer.data(), buffer.size() * sizeof(Record)));
      buffer.clear();
      return absl::OkStatus();
    }

    SortedSpill* spill_;
    size_t capacity_;
    std::vector<std::vector<Record>> buffers_;
  };

  size_t partitions() const { return files_.size(); }
  uint64_t bytes() const {
    uint64_t sum = 0;
    for (const ScratchFile& file : files_) sum += file.size();
    return sum;
  }

  // Hands the records of a partition to `visit` in order, in about `memory_bytes`, and gives its room back. Several
  // threads may read different partitions. `visit` is called with a run of records at a time.
  absl::Status Read(size_t partition, uint64_t memory_bytes,
                    const std::function<absl::Status(std::span<const Record>)>& visit) {
    ScratchFile& file = files_[partition];
    const uint64_t count = file.size() / sizeof(Record);
    const uint64_t room = std::max<uint64_t>(memory_bytes / sizeof(Record), 1024);
    std::vector<Record> records(std::min(count, room));
    for (uint64_t begin = 0; begin < count; begin += room) {
      const uint64_t size = std::min(room, count - begin);
      RETURN_IF_ERROR(file.ReadAt(begin * sizeof(Record), records.data(), size * sizeof(Record)));
      std::sort(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(size));
      if (count <= room) {
        RETURN_IF_ERROR(visit(std::span<const Record>(records.data(), size)));
      } else {
        RETURN_IF_ERROR(file.WriteAt(begin * sizeof(Record), records.data(), size * sizeof(Record)));
      }
    }
    if (count > room) RETURN_IF_ERROR(Merge(file, count, room, records, visit));
    return file.Clear();
  }

 private:
  // Part of a sorted run, read piece by piece.
  struct Run {
    uint64_t next;  // record to read next
    uint64_t end;
    std::vector<Record> piece;
    size_t at = 0;
  };

  // Merges the sorted runs of `room` records each. The files are partitions of a whole, so that a run's piece stays
  // above a few kilobytes: 500 runs in 64 MB.
  static absl::Status Merge(const ScratchFile& file, uint64_t count, uint64_t room, std::vector<Record>& output,
                            const std::function<absl::Status(std::span<const Record>)>& visit) {
    const uint64_t runs_count = (count + room - 1) / room;
    const uint64_t piece = std::max<uint64_t>(room / 2 / runs_count, 64);
    output.clear();
    output.resize(std::max<uint64_t>(room / 2, 64));
    output.shrink_to_fit();
    std::vector<Run> runs;
    std::vector<size_t> heap;  // run numbers; the one with the least record first
    const auto refill = [&](Run& run) -> absl::Status {
      run.piece.resize(std::min(piece, run.end - run.next));
      run.at = 0;
      RETURN_IF_ERROR(file.ReadAt(run.next * sizeof(Record), run.piece.data(), run.piece.size() * sizeof(Record)));
      run.next += run.piece.size();
      return absl::OkStatus();
    };
    const auto after = [&](size_t a, size_t b) { return runs[b].piece[runs[b].at] < runs[a].piece[runs[a].at]; };
    for (uint64_t begin = 0; begin < count; begin += room) {
      runs.push_back({begin, std::min(begin + room, count), {}, 0});
      RETURN_IF_ERROR(refill(runs.back()));
      heap.push_back(heap.size());
    }
    std::make_heap(heap.begin(), heap.end(), after);
    size_t filled = 0;
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), after);
      Run& run = runs[heap.back()];
      output[filled++] = run.piece[run.at++];
      if (run.at == run.piece.size() && run.next < run.end) RETURN_IF_ERROR(refill(run));
      if (run.at < run.piece.size()) {
        std::push_heap(heap.begin(), heap.end(), after);
      } else {
        heap.pop_back();
      }
      if (filled == output.size() || heap.empty()) {
        RETURN_IF_ERROR(visit(std::span<const Record>(output.data(), filled)));
        filled = 0;
      }
    }
    return absl::OkStatus();
  }

  std::vector<ScratchFile> files_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_SORTED_SPILL_H_
