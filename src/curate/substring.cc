#include "curate/substring.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "curate/sorted_spill.h"
#include "curate/substring_cutter.h"
#include "curate/substring_windows.h"

namespace rhodes {
namespace {

constexpr size_t kChunkBytes = size_t{4} << 20;  // of text: a unit of work for a thread
constexpr size_t kMostPartitions = 192;          // files open for each of two spills
constexpr int kPlaceBits = 48;
constexpr uint64_t kPlaceMask = (uint64_t{1} << kPlaceBits) - 1;

// A window that may have an equal. `order`: the priority above its place among all texts.
struct CandidateWindow {
  WindowFingerprint fingerprint;
  uint64_t order = 0;

  friend bool operator<(const CandidateWindow& a, const CandidateWindow& b) {
    if (a.fingerprint.high != b.fingerprint.high) return a.fingerprint.high < b.fingerprint.high;
    if (a.fingerprint.low != b.fingerprint.low) return a.fingerprint.low < b.fingerprint.low;
    return a.order < b.order;
  }
};

// Which hashes were counted twice or more: surely true for those that were, sometimes true for others. What it holds
// in the end does not depend on the order of the calls.
class TwiceFilter {
 public:
  explicit TwiceFilter(uint64_t bytes)
      : mask_(std::bit_floor(std::max<uint64_t>(bytes / 8, 1)) - 1), words_(mask_ + 1) {}

  void Count(uint64_t hash) {
    std::atomic<uint64_t>& word = words_[hash & mask_];
    const uint64_t bits = BitsOf(hash);
    if ((word.load(std::memory_order_relaxed) & bits << 1) == bits << 1) return;
    const uint64_t before = word.fetch_or(bits, std::memory_order_relaxed);
    const uint64_t again = (before & bits) << 1;
    if (again != 0) word.fetch_or(again, std::memory_order_relaxed);
  }
  bool Twice(uint64_t hash) const {
    const uint64_t bits = BitsOf(hash) << 1;
    return (words_[hash & mask_].load(std::memory_order_relaxed) & bits) == bits;
  }

 private:
  // Two of the word's 32 counters; once and twice are the lower and the upper bit of each.
  static uint64_t BitsOf(uint64_t hash) {
    return uint64_t{1} << (hash >> 59 << 1) | uint64_t{1} << ((hash >> 54 & 31) << 1);
  }

  uint64_t mask_;
  std::vector<std::atomic<uint64_t>> words_;
};

// A document's cuts as they lie in a file, before the cuts themselves.
struct CutsHeader {
  uint64_t ordinal = 0;
  uint64_t tokens = 0;
  uint64_t repeated_tokens = 0;
  uint64_t drop = 0;
  uint64_t cuts = 0;
};

struct CutsFile {
  std::optional<ScratchFile> file;
  SubstringCounts counts;  // of its documents
};

class Finder : public SubstringFinder {
 public:
  Finder(const SubstringSettings& settings, std::string directory, const RunContext& context, SequentialScratch texts,
         SequentialScratch documents)
      : settings_(settings),
        directory_(std::move(directory)),
        context_(context),
        threads_(static_cast<size_t>(context.Threads())),
        memory_(std::max<uint64_t>({context.memory_bytes / 2, uint64_t{32} << 20, threads_ * (uint64_t{8} << 20)})),
        texts_file_(std::move(texts)),
        documents_file_(std::move(documents)) {}
  ~Finder() override { RemoveTree(directory_).IgnoreError(); }  // scratch files have no names; nothing depends on it

  absl::Status Add(uint64_t ordinal, std::string_view text, uint16_t priority) override;
  absl::Status Finish() override;
  absl::StatusOr<bool> Next(DocumentCuts& cuts) override;
  const SubstringCounts& counts() const override { return counts_; }

 private:
  using Candidates = SortedSpill<CandidateWindow>;
  using Repeats = SortedSpill<RepeatedWindow>;
  // Calls `body` for each chunk of documents, on all threads.
  absl::Status ForEachChunk(const std::function<absl::Status(std::span<const PlacedDocument>)>& body);
  std::string_view TextOf(const PlacedDocument& document) const;

  absl::Status MapFiles();
  void MakeChunks();
  absl::Status CountMinimisers();
  absl::Status WriteCandidates();
  absl::Status FindRepeats();
  absl::Status FindRepeatsIn(size_t partition, Repeats::Writer& writer, uint64_t& count);
  absl::Status MakeCuts();
  absl::Status MakeCutsIn(size_t partition);
  absl::Status WriteCuts(const DocumentCuts& cuts, SequentialScratch& file, SubstringCounts& counts) const;
  size_t RangeOf(uint64_t place) const;
  size_t PartitionsFor(uint64_t bytes) const;
  void NoteSpill();

  const SubstringSettings settings_;
  const std::string directory_;
  const RunContext context_;
  const size_t threads_;
  const uint64_t memory_;
  SequentialScratch texts_file_;
  SequentialScratch documents_file_;
  uint64_t key_ = 0;  // hash of everything added
  std::optional<uint64_t> last_ordinal_;
  bool finished_ = false;

  std::optional<MappedScratch> texts_map_;
  std::optional<MappedScratch> documents_map_;
  std::string_view texts_;
  std::span<const PlacedDocument> documents_;
  std::vector<uint64_t> chunks_;  // numbers of documents: where chunks begin, and the end
  std::unique_ptr<TwiceFilter> filter_;
  std::optional<Candidates> candidates_;
  std::optional<Repeats> repeats_;
  std::vector<uint64_t> ranges_;  // places: where the partitions of repeats_ begin, at documents
  std::vector<CutsFile> cuts_;

  std::optional<SequenceReader> reader_;

  SubstringCounts counts_;
};

absl::Status Finder::Add(uint64_t ordinal, std::string_view text, uint16_t priority) {
  if (finished_) return absl::FailedPreconditionError("repeated passages: a document after the last one");
  if (last_ordinal_.has_value() && ordinal <= *last_ordinal_) {
    return absl::InvalidArgumentError(
        fmt::format("repeated passages: document {} comes after {}; ordinals must ascend", ordinal, *last_ordinal_));
  }
  last_ordinal_ = ordinal;
  if (counts_.text_bytes + text.size() > kPlaceMask) {
    return absl::ResourceExhaustedError("repeated passages: more than 2^48 bytes of text");
  }
  const PlacedDocument document{counts_.text_bytes, ordinal, priority};
  RETURN_IF_ERROR(documents_file_.Append(&document, sizeof document));
  RETURN_IF_ERROR(texts_file_.Append(text.data(), text.size()));
  key_ = Fingerprint(text, key_ + priority + 1);
  counts_.text_bytes += text.size();
  ++counts_.documents;
  return absl::OkStatus();
}

absl::Status Finder::Finish() {
  if (finished_) return absl::FailedPreconditionError("repeated passages: finished twice");
  finished_ = true;
  RETURN_IF_ERROR(MapFiles());
  if (counts_.text_bytes == 0) return absl::OkStatus();
  MakeChunks();
  RETURN_IF_ERROR(CountMinimisers());
  RETURN_IF_ERROR(WriteCandidates());
  filter_.reset();
  RETURN_IF_ERROR(FindRepeats());
  candidates_.reset();
  RETURN_IF_ERROR(MakeCuts());
  repeats_.reset();
  // Next() needs the cuts only.
  texts_ = {};
  documents_ = {};
  texts_map_.reset();
  documents_map_.reset();
  return absl::OkStatus();
}

absl::Status Finder::MapFiles() {
  ASSIGN_OR_RETURN(ScratchFile texts, texts_file_.Take());
  ASSIGN_OR_RETURN(ScratchFile documents, documents_file_.Take());
  ASSIGN_OR_RETURN(texts_map_, MappedScratch::Map(texts));
  ASSIGN_OR_RETURN(documents_map_, MappedScratch::Map(documents));
  texts_ = texts_map_->bytes();
  const std::string_view bytes = documents_map_->bytes();
  documents_ = {reinterpret_cast<const PlacedDocument*>(bytes.data()), bytes.size() / sizeof(PlacedDocument)};
  return absl::OkStatus();
}

void Finder::MakeChunks() {
  for (size_t i = 0; i < documents_.size(); ++i) {
    if (chunks_.empty() || documents_[i].begin - documents_[chunks_.back()].begin >= kChunkBytes) chunks_.push_back(i);
  }
  chunks_.push_back(documents_.size());
}

std::string_view Finder::TextOf(const PlacedDocument& document) const {
  const PlacedDocument* const next = &document + 1;
  const bool last = next == documents_.data() + documents_.size();
  return texts_.substr(document.begin, (last ? texts_.size() : next->begin) - document.begin);
}

absl::Status Finder::ForEachChunk(const std::function<absl::Status(std::span<const PlacedDocument>)>& body) {
  return ParallelFor(static_cast<int>(threads_), chunks_.size() - 1, [&](size_t i) -> absl::Status {
    RETURN_IF_ERROR(context_.CheckCancelled());
    const std::span<const PlacedDocument> documents = documents_.subspan(chunks_[i], chunks_[i + 1] - chunks_[i]);
    RETURN_IF_ERROR(body(documents));
    const std::string_view last = TextOf(documents.back());
    const char* const begin = texts_.data() + documents.front().begin;
    ReleasePages({begin, static_cast<size_t>(last.data() + last.size() - begin)});
    return absl::OkStatus();
  });
}

absl::Status Finder::CountMinimisers() {
  // A token has five bytes or more in most languages, and a minimiser lasts for about a quarter of a window; four bytes
  // of counters for each keep those that look repeated and are not below 2 %.
  const uint64_t tokens = settings_.unit == TokenUnit::kCharacter ? counts_.text_bytes : counts_.text_bytes / 4;
  const uint64_t wanted = tokens * 16 / settings_.min_tokens;
  filter_ = std::make_unique<TwiceFilter>(std::min(std::bit_ceil(std::max<uint64_t>(wanted, 4096)), memory_ / 2));
  std::mutex mutex;
  return ForEachChunk([&](std::span<const PlacedDocument> documents) -> absl::Status {
    WindowScanner windows(settings_.min_tokens, key_, false);
    uint64_t tokens_of_chunk = 0;
    for (const PlacedDocument& document : documents) {
      windows.Begin(TextOf(document), settings_.unit, settings_.splitter);
      uint64_t last = UINT64_MAX;
      while (windows.Next()) {
        if (windows.minimiser_place() == last) continue;
        last = windows.minimiser_place();
        filter_->Count(windows.minimiser());
      }
      tokens_of_chunk += windows.tokens();
    }
    const std::lock_guard lock(mutex);
    counts_.tokens += tokens_of_chunk;
    return absl::OkStatus();
  });
}

// So that a partition fits in a thread's share of the memory, when all are of one size.
size_t Finder::PartitionsFor(uint64_t bytes) const {
  const uint64_t fitting = bytes / (memory_ / 2 / threads_) + 1;
  return static_cast<size_t>(std::clamp<uint64_t>(fitting * 2, 2 * threads_, std::max(kMostPartitions, threads_)));
}

absl::Status Finder::WriteCandidates() {
  const size_t partitions = PartitionsFor(counts_.tokens * sizeof(CandidateWindow));
  ASSIGN_OR_RETURN(candidates_, Candidates::Create(directory_, partitions));
  const size_t buffer = std::min<size_t>(memory_ / 4 / threads_ / partitions, size_t{64} << 10);
  std::atomic<uint64_t> count = 0;
  const absl::Status status = ForEachChunk([&](std::span<const PlacedDocument> documents) -> absl::Status {
    WindowScanner windows(settings_.min_tokens, key_, true);
    Candidates::Writer writer(*candidates_, buffer);
    uint64_t count_of_chunk = 0;
    for (const PlacedDocument& document : documents) {
      windows.Begin(TextOf(document), settings_.unit, settings_.splitter);
      uint64_t last = UINT64_MAX;
      bool twice = false;
      while (windows.Next()) {
        if (windows.minimiser_place() != last) {
          last = windows.minimiser_place();
          twice = filter_->Twice(windows.minimiser());
        }
        if (!twice) continue;
        ++count_of_chunk;
        const WindowFingerprint fingerprint = windows.Fingerprint();
        const uint64_t order = document.priority << kPlaceBits | (document.begin + windows.begin());
        RETURN_IF_ERROR(writer.Append((fingerprint.high >> 29) * partitions >> 32, {fingerprint, order}));
      }
    }
    count += count_of_chunk;
    return writer.Flush();
  });
  RETURN_IF_ERROR(status);
  counts_.candidate_windows = count;
  NoteSpill();
  return absl::OkStatus();
}

void Finder::NoteSpill() {
  uint64_t bytes = counts_.text_bytes + counts_.documents * sizeof(PlacedDocument);
  if (candidates_.has_value()) bytes += candidates_->bytes();
  if (repeats_.has_value()) bytes += repeats_->bytes();
  counts_.spill_bytes = std::max(counts_.spill_bytes, bytes);
}

size_t Finder::RangeOf(uint64_t place) const {
  return static_cast<size_t>(std::upper_bound(ranges_.begin(), ranges_.end(), place) - ranges_.begin()) - 1;
}

absl::Status Finder::FindRepeats() {
  const size_t wanted = PartitionsFor(counts_.candidate_windows * sizeof(RepeatedWindow));
  for (const uint64_t chunk : chunks_) {
    if (chunk == documents_.size() || ranges_.size() == wanted) break;
    const uint64_t begin = documents_[chunk].begin;
    if (begin >= counts_.text_bytes / wanted * ranges_.size() && (ranges_.empty() || begin > ranges_.back())) {
      ranges_.push_back(begin);
    }
  }
  ASSIGN_OR_RETURN(repeats_, Repeats::Create(directory_, ranges_.size()));
  const size_t buffer = std::min<size_t>(memory_ / 4 / threads_ / ranges_.size(), size_t{64} << 10);
  std::atomic<uint64_t> count = 0;
  const absl::Status status =
      ParallelFor(static_cast<int>(threads_), candidates_->partitions(), [&](size_t i) -> absl::Status {
        RETURN_IF_ERROR(context_.CheckCancelled());
        Repeats::Writer writer(*repeats_, buffer);
        uint64_t count_of_partition = 0;
        RETURN_IF_ERROR(FindRepeatsIn(i, writer, count_of_partition));
        count += count_of_partition;
        return writer.Flush();
      });
  RETURN_IF_ERROR(status);
  counts_.repeated_windows = count;
  NoteSpill();
  return absl::OkStatus();
}

absl::Status Finder::FindRepeatsIn(size_t partition, Repeats::Writer& writer, uint64_t& count) {
  std::optional<CandidateWindow> first;
  return candidates_->Read(partition, memory_ / 2 / threads_,
                           [&](std::span<const CandidateWindow> windows) -> absl::Status {
                             for (const CandidateWindow& window : windows) {
                               if (!first.has_value() || !(first->fingerprint == window.fingerprint)) {
                                 first = window;
                                 continue;
                               }
                               ++count;
                               const uint64_t place = window.order & kPlaceMask;
                               RETURN_IF_ERROR(writer.Append(RangeOf(place), {place, first->order & kPlaceMask}));
                             }
                             return absl::OkStatus();
                           });
}

absl::Status Finder::MakeCuts() {
  cuts_.resize(repeats_->partitions());
  const absl::Status status = ParallelFor(static_cast<int>(threads_), cuts_.size(), [&](size_t i) -> absl::Status {
    RETURN_IF_ERROR(context_.CheckCancelled());
    return MakeCutsIn(i);
  });
  RETURN_IF_ERROR(status);
  for (const CutsFile& file : cuts_) {
    counts_.documents_with_cuts += file.counts.documents_with_cuts;
    counts_.documents_to_drop += file.counts.documents_to_drop;
    counts_.cuts += file.counts.cuts;
    counts_.repeated_tokens += file.counts.repeated_tokens;
    counts_.cut_bytes += file.counts.cut_bytes;
  }
  std::vector<ScratchFile> files;
  files.reserve(cuts_.size());
  for (CutsFile& file : cuts_) files.push_back(*std::move(file.file));
  reader_.emplace(std::move(files));
  return absl::OkStatus();
}

absl::Status Finder::MakeCutsIn(size_t partition) {
  ASSIGN_OR_RETURN(SequentialScratch file, SequentialScratch::Create(directory_));
  SubstringCounts& counts = cuts_[partition].counts;
  SubstringCutter cutter(settings_, texts_, documents_);
  const absl::Status status =
      repeats_->Read(partition, memory_ / 2 / threads_, [&](std::span<const RepeatedWindow> windows) -> absl::Status {
        for (const RepeatedWindow& window : windows) {
          if (cutter.in_document() && !cutter.InDocument(window.place)) {
            RETURN_IF_ERROR(WriteCuts(cutter.End(), file, counts));
          }
          cutter.Add(window);
        }
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(status);
  if (cutter.in_document()) RETURN_IF_ERROR(WriteCuts(cutter.End(), file, counts));
  // The pages of kept passages, which lie anywhere.
  ReleasePages(texts_);
  ASSIGN_OR_RETURN(cuts_[partition].file, file.Take());
  return absl::OkStatus();
}

absl::Status Finder::WriteCuts(const DocumentCuts& cuts, SequentialScratch& file, SubstringCounts& counts) const {
  if (cuts.cuts.empty()) return absl::OkStatus();
  ++counts.documents_with_cuts;
  counts.documents_to_drop += cuts.drop ? 1 : 0;
  counts.cuts += cuts.cuts.size();
  counts.repeated_tokens += cuts.repeated_tokens;
  for (const SubstringCut& cut : cuts.cuts) counts.cut_bytes += cut.end - cut.begin;
  const CutsHeader header{cuts.ordinal, cuts.tokens, cuts.repeated_tokens, cuts.drop ? uint64_t{1} : 0,
                          cuts.cuts.size()};
  RETURN_IF_ERROR(file.Append(&header, sizeof header));
  return file.Append(cuts.cuts.data(), cuts.cuts.size() * sizeof(SubstringCut));
}

absl::StatusOr<bool> Finder::Next(DocumentCuts& cuts) {
  if (!finished_) return absl::FailedPreconditionError("repeated passages: asked for before Finish()");
  if (!reader_.has_value()) return false;
  CutsHeader header;
  ASSIGN_OR_RETURN(const bool more, reader_->Read(&header, sizeof header));
  if (!more) return false;
  cuts.ordinal = header.ordinal;
  cuts.tokens = header.tokens;
  cuts.repeated_tokens = header.repeated_tokens;
  cuts.drop = header.drop != 0;
  cuts.cuts.resize(header.cuts);
  return reader_->Read(cuts.cuts.data(), header.cuts * sizeof(SubstringCut));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SubstringFinder>> SubstringFinder::Create(const SubstringSettings& settings,
                                                                         const std::string& directory,
                                                                         const RunContext& context) {
  if (settings.min_tokens < 2 || settings.min_tokens > 65535) {
    return absl::InvalidArgumentError(
        fmt::format("repeated passages: min_tokens is {}; it must be 2 to 65535", settings.min_tokens));
  }
  if (!(settings.drop_above >= 0 && settings.drop_above <= 1)) {
    return absl::InvalidArgumentError(
        fmt::format("repeated passages: drop_above is {}; it must be 0 to 1", settings.drop_above));
  }
  if (settings.unit == TokenUnit::kGiven && !settings.splitter) {
    return absl::InvalidArgumentError("repeated passages: tokens of a tokenizer, but no tokenizer");
  }
  RETURN_IF_ERROR(RemoveTree(directory));
  RETURN_IF_ERROR(CreateDirectories(directory));
  ASSIGN_OR_RETURN(SequentialScratch texts, SequentialScratch::Create(directory));
  ASSIGN_OR_RETURN(SequentialScratch documents, SequentialScratch::Create(directory));
  return std::make_unique<Finder>(settings, directory, context, std::move(texts), std::move(documents));
}

}  // namespace rhodes
