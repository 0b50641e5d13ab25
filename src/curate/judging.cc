#include "curate/judging.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/json.h"
#include "base/parallel.h"
#include "base/text.h"
#include "curate/comparison.h"
#include "curate/judge.h"
#include "curate/judged_piece.h"
#include "record/document_table.h"

namespace rhodes {
namespace {

constexpr uint32_t kMostShares = 100'000;

std::string ShareDirectory(const std::string& directory, const InputShare& share) {
  return fmt::format("{}/{}-of-{}", directory, share.number, share.count);
}

std::string PiecePath(const std::string& share, uint64_t piece) { return fmt::format("{}/piece-{:08}", share, piece); }

// The ranges whose beginnings lie in the share, when all are put behind each other.
std::vector<DocumentRange> RangesOf(const std::vector<DocumentRange>& all, const InputShare& share) {
  __extension__ using Wide = unsigned __int128;
  uint64_t total = 0;
  for (const DocumentRange& range : all) total += range.end - range.begin;
  std::vector<DocumentRange> ranges;
  uint64_t before = 0;
  for (const DocumentRange& range : all) {
    const uint64_t number = total == 0 ? 0 : static_cast<uint64_t>(Wide{before} * share.count / total);
    if (std::min<uint64_t>(number, share.count - 1) + 1 == share.number) ranges.push_back(range);
    before += range.end - range.begin;
  }
  return ranges;
}

// A piece to be judged: bytes that the one who judges it reads, or documents that were read.
struct Task {
  uint64_t piece = 0;
  std::optional<DocumentRange> range;
  std::vector<Document> batch;
  uint64_t bytes = 0;  // of the input, for progress
};

// Cuts the ranges into tasks, in order. Not thread-safe.
class Tasks {
 public:
  explicit Tasks(std::vector<DocumentRange> ranges) : ranges_(std::move(ranges)) {}

  absl::StatusOr<std::optional<Task>> Next() {
    while (true) {
      Task task;
      task.piece = piece_;
      if (reader_ != nullptr) {
        ASSIGN_OR_RETURN(const bool more, reader_->Next(task.batch));
        if (more) {
          ++piece_;
          return std::optional<Task>(std::move(task));
        }
        reader_.reset();
      }
      if (next_ == ranges_.size()) return std::optional<Task>();
      const DocumentRange& range = ranges_[next_++];
      if (!range.by_bytes) {
        ASSIGN_OR_RETURN(reader_, DocumentReader::OpenRange(range));
        continue;
      }
      ++piece_;
      task.range = range;
      task.bytes = range.end - range.begin;
      return std::optional<Task>(std::move(task));
    }
  }

 private:
  const std::vector<DocumentRange> ranges_;
  size_t next_ = 0;
  uint64_t piece_ = 0;
  std::unique_ptr<DocumentReader> reader_;  // of a file that is read from the front
};

// The same verdict and text as without measuring: rules behind the one that drops a document may still change its text,
// so a dropped one is judged again.
JudgedDocument JudgeAndMeasure(Document document, const CurateSettings& settings, JudgeScratch& scratch,
                               NormaliseCounts& normalised, std::vector<Measure>& measures) {
  NormaliseCounts counts;
  JudgedDocument judged = Judge(document, settings, scratch, counts, &measures);
  if (!judged.verdict.kept()) return Judge(std::move(document), settings, scratch, normalised);
  normalised.Add(counts);
  return judged;
}

// Judges tasks into files. Thread-safe.
class PieceJudge {
 public:
  PieceJudge(const JudgingOptions& options, const CurateSettings& settings, std::string share,
             const RunContext& context)
      : settings_(settings),
        share_(std::move(share)),
        context_(context),
        hasher_(NearSettingsOf(settings)),
        measure_(options.measure),
        sign_(settings.Has("near")) {}

  // How many documents the piece has.
  absl::StatusOr<uint64_t> Run(Task task) const {
    const std::string path = PiecePath(share_, task.piece);
    if (PathExists(path)) {
      const absl::StatusOr<JudgedPiece> done = JudgedPiece::Open(path);
      if (done.ok()) return done->documents();
    }
    JudgedPieceWriter writer(sign_);
    NormaliseCounts normalised;
    uint64_t documents = task.batch.size();
    JudgeBatch(std::move(task.batch), writer, normalised);
    if (task.range.has_value()) {
      ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::OpenRange(*task.range));
      std::vector<Document> batch;
      while (true) {
        RETURN_IF_ERROR(context_.CheckCancelled());
        ASSIGN_OR_RETURN(const bool more, reader->Next(batch));
        if (!more) break;
        documents += batch.size();
        JudgeBatch(std::move(batch), writer, normalised);
      }
    }
    RETURN_IF_ERROR(writer.Write(path, normalised));
    return documents;
  }

 private:
  void JudgeBatch(std::vector<Document> batch, JudgedPieceWriter& writer, NormaliseCounts& normalised) const {
    thread_local JudgeScratch scratch;
    thread_local NearScratch near_scratch;
    std::vector<Measure> measures;
    for (Document& document : batch) {
      measures.clear();
      JudgedDocument judged = measure_ ? JudgeAndMeasure(std::move(document), settings_, scratch, normalised, measures)
                                       : Judge(std::move(document), settings_, scratch, normalised);
      NearSignature signature;
      if (sign_ && judged.verdict.kept()) signature = hasher_.Sign(judged.document.text, near_scratch);
      writer.Add(judged, SourceRank(settings_, judged.document), signature, measures);
    }
  }

  const CurateSettings& settings_;
  const std::string share_;
  const RunContext& context_;
  const NearHasher hasher_;
  const bool measure_;
  const bool sign_;
};

// What a share's directory is for, written before its first piece and completed behind its last one.
absl::StatusOr<Json> ReadState(const std::string& share) { return ReadJsonFile(share + "/share.json"); }

bool IsOf(const absl::StatusOr<Json>& state, const std::string& key) {
  return state.ok() && state->is_object() && state->value("key", "") == key;
}

absl::StatusOr<JudgedShare> FromState(const std::string& share, const Json& state) {
  JudgedShare judged;
  if (!state.contains("documents")) return absl::FailedPreconditionError("it is not finished");
  for (const Json& documents : state["documents"]) {
    judged.pieces.push_back(PiecePath(share, judged.pieces.size()));
    judged.documents.push_back(documents.get<uint64_t>());
  }
  return judged;
}

}  // namespace

absl::StatusOr<InputShare> ParseInputShare(const std::string& text) {
  InputShare share;
  const size_t slash = text.find('/');
  const auto number = [&](size_t begin, size_t end, uint32_t& value) {
    const auto result = std::from_chars(text.data() + begin, text.data() + end, value);
    return result.ec == std::errc() && result.ptr == text.data() + end;
  };
  if (slash == std::string::npos || !number(0, slash, share.number) || !number(slash + 1, text.size(), share.count) ||
      share.number < 1 || share.number > share.count || share.count > kMostShares) {
    return UsageError(fmt::format("range {}: give K/N, the K-th of N shares of the input, such as 1/8", text));
  }
  return share;
}

absl::StatusOr<JudgedShare> JudgeShare(const JudgingOptions& options, const CurateSettings& settings,
                                       RunContext& context) {
  const std::string share = ShareDirectory(options.directory, options.share);
  if (!IsOf(ReadState(share), options.key)) {
    RETURN_IF_ERROR(RemoveTree(share));
    RETURN_IF_ERROR(CreateDirectories(share));
    RETURN_IF_ERROR(WriteFileAtomically(share + "/share.json", DumpJson(Json{{"key", options.key}}) + "\n"));
  }
  const std::vector<DocumentRange> ranges = RangesOf(options.ranges, options.share);
  uint64_t bytes = 0;
  bool by_bytes = true;
  for (const DocumentRange& range : ranges) {
    bytes += range.end - range.begin;
    by_bytes = by_bytes && range.by_bytes;
  }
  context.progress->Begin("curate: judge", by_bytes ? bytes : 0, by_bytes ? "bytes" : "documents");

  const int threads = context.Threads();
  // A batch in flight: its text, the normalised text and what surrounds them.
  const uint64_t batches = context.memory_bytes / 4 / (4 * DocumentReader::kBatchBytes);
  const auto in_flight = static_cast<size_t>(std::clamp<uint64_t>(batches, 2, 4 * static_cast<uint64_t>(threads)));
  Tasks tasks(ranges);
  const PieceJudge judge(options, settings, share, context);
  Json documents = Json::array();
  uint64_t done = 0;
  using Judged = std::pair<uint64_t, uint64_t>;  // documents, bytes
  const auto produce = [&]() -> absl::StatusOr<std::optional<Task>> {
    RETURN_IF_ERROR(context.CheckCancelled());
    return tasks.Next();
  };
  const auto work = [&](Task task) -> absl::StatusOr<Judged> {
    const uint64_t task_bytes = task.bytes;
    ASSIGN_OR_RETURN(const uint64_t count, judge.Run(std::move(task)));
    return Judged(count, task_bytes);
  };
  const auto consume = [&](Judged judged) -> absl::Status {
    documents.push_back(judged.first);
    context.progress->Update(done += by_bytes ? judged.second : judged.first, "");
    return absl::OkStatus();
  };
  const absl::Status status = OrderedPipeline<Task, Judged>(threads, in_flight, produce, work, consume);
  context.progress->End();
  RETURN_IF_ERROR(status);
  const Json state = {{"key", options.key}, {"documents", std::move(documents)}};
  RETURN_IF_ERROR(WriteFileAtomically(share + "/share.json", DumpJson(state) + "\n"));
  return FromState(share, state);
}

absl::StatusOr<JudgedShare> FindJudgedShare(const std::string& directory, const std::string& key,
                                            const InputShare& share) {
  const std::string place = ShareDirectory(directory, share);
  const absl::StatusOr<Json> state = ReadState(place);
  absl::StatusOr<JudgedShare> judged = absl::FailedPreconditionError("it is not there");
  if (IsOf(state, key)) {
    judged = FromState(place, *state);
  } else if (state.ok()) {
    judged = absl::FailedPreconditionError("it was judged from other inputs or with other settings");
  }
  if (judged.ok()) return judged;
  return absl::FailedPreconditionError(
      fmt::format("range {0}/{1} under {2}: {3}; run the same command with --range {0}/{1}", share.number, share.count,
                  directory, Message(judged.status())));
}

}  // namespace rhodes
