#include "curate/exact_finder.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/parallel.h"
#include "curate/sorted_spill.h"

namespace rhodes {
namespace {

constexpr size_t kPartitions = 64;
constexpr size_t kBufferBytes = size_t{32} << 10;  // for each partition
constexpr int kOrdinalBits = 48;
constexpr uint64_t kOrdinalMask = (uint64_t{1} << kOrdinalBits) - 1;

// `order`: the priority above the ordinal.
struct HashedDocument {
  TextHash hash;
  uint64_t order = 0;

  friend bool operator<(const HashedDocument& a, const HashedDocument& b) {
    if (a.hash.high != b.hash.high) return a.hash.high < b.hash.high;
    if (a.hash.low != b.hash.low) return a.hash.low < b.hash.low;
    return a.order < b.order;
  }
};

class Finder : public ExactFinder {
 public:
  Finder(std::string directory, const RunContext& context, SortedSpill<HashedDocument> documents)
      : directory_(std::move(directory)),
        context_(context),
        memory_(std::max<uint64_t>(context.memory_bytes / 4, uint64_t{16} << 20) /
                static_cast<uint64_t>(context.Threads())),
        hashed_(std::move(documents)),
        writer_(std::in_place, hashed_, kBufferBytes) {}
  ~Finder() override { RemoveTree(directory_).IgnoreError(); }  // scratch files have no names; nothing depends on it
  Finder(const Finder&) = delete;
  Finder& operator=(const Finder&) = delete;

  absl::Status Add(uint64_t ordinal, const TextHash& hash, uint16_t priority) override {
    if (!writer_.has_value()) return absl::FailedPreconditionError("exact duplicates: a document after the last one");
    if (ordinal > kOrdinalMask) {
      return absl::InvalidArgumentError(fmt::format("exact duplicates: document {} is not below 2^48", ordinal));
    }
    ++documents_;
    last_ordinal_ = std::max(last_ordinal_, ordinal);
    return writer_->Append(hash.high >> 58, {hash, uint64_t{priority} << kOrdinalBits | ordinal});
  }

  absl::Status Finish() override;
  absl::StatusOr<bool> Next(ExactDuplicate& duplicate) override {
    if (!reader_.has_value()) return absl::FailedPreconditionError("exact duplicates: asked for before Finish()");
    return reader_->Read(&duplicate, sizeof duplicate);
  }

  uint64_t documents() const override { return documents_; }
  uint64_t duplicates() const override { return duplicates_; }

 private:
  using Found = SortedSpill<ExactDuplicate>;
  absl::Status FindIn(size_t partition, Found& found);
  absl::Status ForEachPartition(const std::function<absl::Status(size_t)>& body) {
    return ParallelFor(context_.Threads(), kPartitions, [&](size_t i) -> absl::Status {
      RETURN_IF_ERROR(context_.CheckCancelled());
      return body(i);
    });
  }

  const std::string directory_;
  const RunContext context_;
  const uint64_t memory_;  // of a thread
  SortedSpill<HashedDocument> hashed_;
  std::optional<SortedSpill<HashedDocument>::Writer> writer_;
  uint64_t documents_ = 0;
  uint64_t last_ordinal_ = 0;
  std::atomic<uint64_t> duplicates_ = 0;
  std::optional<SequenceReader> reader_;
};

absl::Status Finder::FindIn(size_t partition, Found& found) {
  Found::Writer writer(found, kBufferBytes / static_cast<size_t>(context_.Threads()));
  std::optional<HashedDocument> first;
  const absl::Status status =
      hashed_.Read(partition, memory_, [&](std::span<const HashedDocument> documents) -> absl::Status {
        for (const HashedDocument& document : documents) {
          if (!first.has_value() || !(first->hash == document.hash)) {
            first = document;
            continue;
          }
          ++duplicates_;
          const uint64_t ordinal = document.order & kOrdinalMask;
          // Partitions of ordinals: equal ranges, so that the files one behind the other are in order.
          const uint64_t range = ordinal / (last_ordinal_ / kPartitions + 1);
          RETURN_IF_ERROR(writer.Append(range, {ordinal, first->order & kOrdinalMask}));
        }
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(status);
  return writer.Flush();
}

absl::Status Finder::Finish() {
  if (!writer_.has_value()) return absl::FailedPreconditionError("exact duplicates: finished twice");
  RETURN_IF_ERROR(writer_->Flush());
  writer_.reset();
  ASSIGN_OR_RETURN(Found found, Found::Create(directory_, kPartitions));
  RETURN_IF_ERROR(ForEachPartition([&](size_t i) { return FindIn(i, found); }));
  std::vector<std::optional<ScratchFile>> sorted(kPartitions);
  const absl::Status status = ForEachPartition([&](size_t i) -> absl::Status {
    ASSIGN_OR_RETURN(SequentialScratch file, SequentialScratch::Create(directory_));
    RETURN_IF_ERROR(found.Read(i, memory_, [&](std::span<const ExactDuplicate> duplicates) {
      return file.Append(duplicates.data(), duplicates.size_bytes());
    }));
    ASSIGN_OR_RETURN(sorted[i], file.Take());
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(status);
  std::vector<ScratchFile> files;
  files.reserve(sorted.size());
  for (std::optional<ScratchFile>& file : sorted) files.push_back(*std::move(file));
  reader_.emplace(std::move(files));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ExactFinder>> ExactFinder::Create(const std::string& directory,
                                                                 const RunContext& context) {
  RETURN_IF_ERROR(RemoveTree(directory));
  RETURN_IF_ERROR(CreateDirectories(directory));
  ASSIGN_OR_RETURN(auto documents, SortedSpill<HashedDocument>::Create(directory, kPartitions));
  return std::make_unique<Finder>(directory, context, std::move(documents));
}

}  // namespace rhodes
