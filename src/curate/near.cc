#include "curate/near.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "curate/matching_text.h"
#include "curate/near_cluster.h"
#include "curate/near_entries.h"

namespace rhodes {
namespace {

template <size_t kPerBand, typename Minima>
void HashBands(const Minima& minima, size_t bands, NearSignature& signature) {
  for (size_t band = 0; band < bands; ++band) {
    signature.bands[band] = XXH3_64bits(minima.data() + band * kPerBand, kPerBand * sizeof(minima[0]));
  }
}

class SpillingIndex final : public NearIndex {
 public:
  SpillingIndex(const NearSettings& settings, const std::string& directory, uint64_t memory_bytes, int threads)
      : directory_(directory),
        memory_bytes_(memory_bytes),
        threads_(std::max(threads, 1)),
        bands_(NearHasher(settings).bands()),
        equal_bins_(settings.datatrove || settings.verify_similarity <= 0 ? 0
                                                                          : EqualBinsOf(settings.verify_similarity)),
        // While runs are merged, sketches are looked up; the clusters take a quarter.
        entries_(bands_, memory_bytes / 2, threads_, directory),
        sketches_(directory, memory_bytes / 4),
        priorities_(directory, memory_bytes / 16) {}

  absl::Status Add(uint64_t ordinal, const NearSignature& signature, uint8_t priority) override {
    if (ordinal < next_) {
      return absl::InternalError(fmt::format("near duplicates: document {} comes after document {}", ordinal, next_));
    }
    if (ordinal >= kNoDocument) {
      return absl::ResourceExhaustedError(
          "near duplicates: more than 2^32 - 1 documents; curate the sources in parts and join the parts' kept "
          "documents");
    }
    next_ = ordinal + 1;
    if (!signature.present) return absl::OkStatus();
    ++counts_.signed_documents;
    if (priority != 0) {
      while (priorities_.size() < ordinal) RETURN_IF_ERROR(priorities_.Append({&kLowest, 1}));
      RETURN_IF_ERROR(priorities_.Append({&priority, 1}));
    }
    if (equal_bins_ > 0) {
      static constexpr std::array<uint8_t, kSketchBytes> kNone{};
      while (sketches_.size() < ordinal * kSketchBytes) RETURN_IF_ERROR(sketches_.Append(kNone));
      RETURN_IF_ERROR(sketches_.Append(signature.sketch));
    }
    return entries_.Add(static_cast<uint32_t>(ordinal), std::span(signature.bands).first(bands_));
  }

  absl::StatusOr<std::unique_ptr<NearVerdicts>> Finish() override {
    counts_.documents = next_;
    RETURN_IF_ERROR(entries_.EndRuns());
    counts_.spilled_bytes = entries_.spilled_bytes() + sketches_.spilled_bytes();
    ASSIGN_OR_RETURN(std::unique_ptr<NearClusters> clusters,
                     NearClusters::Create(next_, priorities_, directory_, memory_bytes_ / 4));
    ASSIGN_OR_RETURN(counts_.candidates, JoinBands(entries_, sketches_, equal_bins_, threads_, *clusters));
    RETURN_IF_ERROR(clusters->Settle(threads_, counts_));
    return std::unique_ptr<NearVerdicts>(std::move(clusters));
  }

 private:
  static constexpr uint8_t kLowest = 0;

  const std::string directory_;
  const uint64_t memory_bytes_;
  const int threads_;
  const size_t bands_;
  const int equal_bins_;
  BandEntries entries_;
  SpilledBytes sketches_;
  SpilledBytes priorities_;  // empty while all are 0; those at its end that are 0 may be missing
  uint64_t next_ = 0;
  NearCounts counts_;
};

}  // namespace

void SplitAtSpaces(std::string_view simplified, std::vector<std::string_view>& words) {
  words.clear();
  for (size_t at = 0; at < simplified.size();) {
    const size_t end = std::min(simplified.find(' ', at), simplified.size());
    if (end > at) words.push_back(simplified.substr(at, end - at));
    at = end + 1;
  }
}

NearSignature NearHasher::Sign(std::string_view text, NearScratch& scratch) const {
  NearSignature signature;
  if (settings_.datatrove) {
    SimplifyText(text, scratch.text);
    settings_.split_words(scratch.text, scratch.words);
    DatatroveShingles(scratch.words, scratch.joined, scratch.hashes);
    if (scratch.hashes.empty()) return signature;
    DatatroveMinima minima;
    DatatroveMinHash(scratch.hashes, minima);
    HashBands<kDatatroveHashesPerBucket>(minima, kDatatroveBuckets, signature);
  } else {
    MatchingText(text, scratch.text);
    constexpr size_t kWords = 1 << 16;  // at a time: a text of 1 GB has half a billion words
    OnePermutationHasher hasher;
    for (size_t at = 0; at < scratch.text.size();) {
      scratch.hashes.clear();
      at += HashWords(std::string_view(scratch.text).substr(at), kWords, scratch.hashes);
      hasher.Update(scratch.hashes);
    }
    BinMinima minima;
    if (!hasher.Finish(minima)) return signature;
    HashBands<kOwnRows>(minima, kOwnBands, signature);
    MakeSketch(minima, signature.sketch);
  }
  signature.present = true;
  return signature;
}

absl::StatusOr<std::unique_ptr<NearIndex>> NearIndex::Create(const NearSettings& settings, const std::string& directory,
                                                             uint64_t memory_bytes, int threads) {
  if (memory_bytes < kMinMemory) {
    return absl::InvalidArgumentError(
        fmt::format("near duplicates: {} bytes of memory are fewer than {}", memory_bytes, kMinMemory));
  }
  if (!(settings.verify_similarity >= 0 && settings.verify_similarity <= 1)) {
    return absl::InvalidArgumentError(
        fmt::format("near duplicates: a similarity is between 0 and 1, not {}", settings.verify_similarity));
  }
  return std::make_unique<SpillingIndex>(settings, directory, memory_bytes, threads);
}

}  // namespace rhodes
