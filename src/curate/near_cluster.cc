#include "curate/near_cluster.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/parallel.h"

namespace rhodes {

absl::StatusOr<MappedArray> MappedArray::Create(uint64_t bytes, bool in_file, const std::string& directory) {
  MappedArray array;
  if (bytes == 0) return array;
  UnnamedFile file;
  if (in_file) {
    ASSIGN_OR_RETURN(file, UnnamedFile::Create(directory));
    // Room is taken now: a full disk later would be a signal, not an error.
    const int error = ::posix_fallocate(file.descriptor(), 0, static_cast<off_t>(bytes));
    if (error != 0) return ErrnoError(error, "reserve room for clusters in", directory);
  }
  void* const data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, in_file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
                            file.descriptor(), 0);
  if (data == MAP_FAILED) return ErrnoError(errno, "map memory for clusters in", directory);
  array.data_ = data;
  array.bytes_ = bytes;
  return array;
}

MappedArray& MappedArray::operator=(MappedArray&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedArray::~MappedArray() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

absl::StatusOr<std::unique_ptr<NearClusters>> NearClusters::Create(uint64_t documents, const SpilledBytes& priorities,
                                                                   const std::string& directory,
                                                                   uint64_t memory_bytes) {
  auto clusters = std::make_unique<NearClusters>();
  const bool prioritised = priorities.size() > 0;
  const bool in_file = documents * (sizeof(uint32_t) + (prioritised ? 1 : 0)) > memory_bytes;
  ASSIGN_OR_RETURN(clusters->parent_memory_, MappedArray::Create(documents * sizeof(uint32_t), in_file, directory));
  clusters->parents_ = static_cast<std::atomic<uint32_t>*>(clusters->parent_memory_.data());
  if (prioritised) {
    ASSIGN_OR_RETURN(clusters->priority_memory_, MappedArray::Create(documents, in_file, directory));
    clusters->priorities_ = static_cast<uint8_t*>(clusters->priority_memory_.data());
    RETURN_IF_ERROR(priorities.Read(0, {clusters->priorities_, static_cast<size_t>(priorities.size())}));
  }
  clusters->counts_.documents = documents;
  return clusters;
}

uint32_t NearClusters::Root(uint32_t document) {
  while (true) {
    uint32_t parent = Parent(document).load(std::memory_order_relaxed);
    if (parent == 0) return document;
    const uint32_t grandparent = Parent(parent - 1).load(std::memory_order_relaxed);
    if (grandparent == 0) return parent - 1;
    // Halves the path. Another thread may have done it: then its value is as good.
    Parent(document).compare_exchange_weak(parent, grandparent, std::memory_order_relaxed);
    document = grandparent - 1;
  }
}

void NearClusters::Join(uint32_t a, uint32_t b) {
  while (true) {
    a = Root(a);
    b = Root(b);
    if (a == b) return;
    if (Better(b, a)) std::swap(a, b);
    uint32_t root = 0;
    if (Parent(b).compare_exchange_strong(root, a + 1, std::memory_order_relaxed)) return;
  }
}

absl::Status NearClusters::Settle(int threads, NearCounts counts) {
  counts_ = counts;
  ASSIGN_OR_RETURN(counts_.dropped, CountDocuments(threads, [this](uint32_t document) {
                     const uint32_t root = Root(document);
                     if (root == document) return false;
                     Parent(document).store(root + 1, std::memory_order_relaxed);
                     return true;
                   }));
  // Now that all are one step from their roots, roots that are pointed at may point at themselves.
  ASSIGN_OR_RETURN(counts_.clusters, CountDocuments(threads, [this](uint32_t document) {
                     const uint32_t parent = Parent(document).load(std::memory_order_relaxed);
                     if (parent == 0 || parent == document + 1) return false;
                     uint32_t root = 0;
                     return Parent(parent - 1).compare_exchange_strong(root, parent, std::memory_order_relaxed);
                   }));
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> NearClusters::CountDocuments(int threads, const std::function<bool(uint32_t)>& counted) {
  constexpr uint64_t kPiece = 1 << 16;
  const auto pieces = static_cast<size_t>((counts_.documents + kPiece - 1) / kPiece);
  std::atomic<uint64_t> total = 0;
  RETURN_IF_ERROR(ParallelFor(threads, pieces, [&](size_t piece) {
    const uint64_t end = std::min(counts_.documents, (piece + 1) * kPiece);
    uint64_t count = 0;
    for (uint64_t i = piece * kPiece; i < end; ++i) count += counted(static_cast<uint32_t>(i)) ? 1 : 0;
    total += count;
    return absl::OkStatus();
  }));
  return total.load();
}

NearVerdict NearClusters::Of(uint64_t ordinal) const {
  if (ordinal >= counts_.documents) return {false, false, ordinal};
  const uint32_t parent = Parent(static_cast<uint32_t>(ordinal)).load(std::memory_order_relaxed);
  if (parent == 0) return {false, false, ordinal};
  return {true, parent - 1 != ordinal, parent - 1};
}

namespace {

// Joins the groups of one band. Which pairs are looked at depends on the groups alone; that those already joined are
// passed over changes no cluster.
class GroupJoiner {
 public:
  GroupJoiner(const SpilledBytes& sketches, int equal_bins, NearClusters& clusters)
      : sketches_(sketches), equal_bins_(equal_bins), clusters_(clusters) {}

  absl::Status Join(std::span<const uint32_t> group) {
    for (size_t i = 1; i < group.size(); ++i) {
      RETURN_IF_ERROR(JoinPair(group[i], group[0], first_));
      if (i > 1) RETURN_IF_ERROR(JoinPair(group[i], group[i - 1], before_));
    }
    return absl::OkStatus();
  }
  uint64_t pairs() const { return pairs_; }

 private:
  struct Sketch {
    uint32_t document = kNoDocument;
    std::array<uint8_t, kSketchBytes> bytes{};
  };
  absl::Status Read(uint32_t document, Sketch& sketch) {
    if (sketch.document == document) return absl::OkStatus();
    sketch.document = document;
    return sketches_.Read(uint64_t{document} * kSketchBytes, sketch.bytes);
  }
  absl::Status JoinPair(uint32_t document, uint32_t neighbour, Sketch& sketch) {
    ++pairs_;
    if (clusters_.Joined(document, neighbour)) return absl::OkStatus();
    if (equal_bins_ > 0) {
      RETURN_IF_ERROR(Read(neighbour, sketch));
      RETURN_IF_ERROR(Read(document, own_));
      if (EqualBins(sketch.bytes.data(), own_.bytes.data()) < equal_bins_) return absl::OkStatus();
    }
    clusters_.Join(document, neighbour);
    return absl::OkStatus();
  }

  const SpilledBytes& sketches_;
  const int equal_bins_;
  NearClusters& clusters_;
  Sketch first_, before_, own_;
  uint64_t pairs_ = 0;
};

}  // namespace

absl::StatusOr<uint64_t> JoinBands(const BandEntries& entries, const SpilledBytes& sketches, int equal_bins,
                                   int threads, NearClusters& clusters) {
  std::atomic<uint64_t> pairs = 0;
  RETURN_IF_ERROR(ParallelFor(threads, entries.bands(), [&](size_t band) {
    GroupJoiner joiner(sketches, equal_bins, clusters);
    absl::Status status = entries.ForEachGroup(band, [&](auto group) { return joiner.Join(group); });
    pairs += joiner.pairs();
    return status;
  }));
  return pairs.load();
}

}  // namespace rhodes
