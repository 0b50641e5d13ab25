// Clusters of near duplicates: a forest over the documents that threads join without locks.
#ifndef RHODES_CURATE_NEAR_CLUSTER_H_
#define RHODES_CURATE_NEAR_CLUSTER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "curate/near.h"
#include "curate/near_entries.h"

namespace rhodes {

inline constexpr uint32_t kNoDocument = ~uint32_t{0};

// An array of zeros in memory, or in a mapped file without a name, whose pages the system may write back and take.
class MappedArray {
 public:
  static absl::StatusOr<MappedArray> Create(uint64_t bytes, bool in_file, const std::string& directory);
  MappedArray() = default;
  MappedArray(MappedArray&& other) noexcept { *this = std::move(other); }
  MappedArray& operator=(MappedArray&& other) noexcept;
  ~MappedArray();
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  uint64_t bytes_ = 0;
};

// The parent of a document is a better one of the same cluster (of higher priority, or as high and earlier), so that
// the root of a tree is the document to keep, whatever the order in which threads join. Lock-free: Anderson and Woll
// 1991.
class NearClusters final : public NearVerdicts {
 public:
  static absl::StatusOr<std::unique_ptr<NearClusters>> Create(uint64_t documents, const SpilledBytes& priorities,
                                                              const std::string& directory, uint64_t memory_bytes);
  // Thread-safe.
  bool Joined(uint32_t a, uint32_t b) { return Root(a) == Root(b); }
  void Join(uint32_t a, uint32_t b);
  // Points every document at its root, and counts. After it nothing is joined.
  absl::Status Settle(int threads, NearCounts counts);

  NearVerdict Of(uint64_t ordinal) const override;
  const NearCounts& counts() const override { return counts_; }

 private:
  bool Better(uint32_t a, uint32_t b) const {
    if (priorities_ != nullptr && priorities_[a] != priorities_[b]) return priorities_[a] > priorities_[b];
    return a < b;
  }
  uint32_t Root(uint32_t document);
  // Calls `counted` for each document, on many threads; returns for how many it was true.
  absl::StatusOr<uint64_t> CountDocuments(int threads, const std::function<bool(uint32_t)>& counted);
  std::atomic<uint32_t>& Parent(uint32_t document) const { return parents_[document]; }

  // A document's parent plus one, so that zeros are roots: 0: none joined yet. After Settle(), a root that others point
  // at points at itself.
  MappedArray parent_memory_;
  MappedArray priority_memory_;
  std::atomic<uint32_t>* parents_ = nullptr;
  uint8_t* priorities_ = nullptr;  // null: all the same
  NearCounts counts_;
};

// Joins what shares a band: in each group, every document with the first of the group and with the one before it.
// `equal_bins`: pairs whose sketches have fewer equal bins stay apart; 0: no look at the sketches. Returns how many
// pairs were looked at.
absl::StatusOr<uint64_t> JoinBands(const BandEntries& entries, const SpilledBytes& sketches, int equal_bins,
                                   int threads, NearClusters& clusters);

}  // namespace rhodes

#endif  // RHODES_CURATE_NEAR_CLUSTER_H_
