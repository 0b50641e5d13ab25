#include "curate/curate.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "base/parallel.h"
#include "curate/comparison.h"
#include "curate/curated_output.h"
#include "curate/judged_piece.h"
#include "curate/statistics.h"
#include "record/document_ranges.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;

// Changes when judged pieces of an earlier version cannot be used.
constexpr int kPiecesVersion = 1;

// Everything that decides what the judged pieces hold.
std::string PiecesKey(const CurateOptions& options, const std::vector<DocumentRange>& ranges) {
  std::string files;
  for (const DocumentRange& range : ranges) {
    files += fmt::format("{}\n{}\n{}\n{}\n", range.file, range.begin, range.end, range.modified);
  }
  return ContentId({fmt::format("judged pieces {}", kPiecesVersion), options.key, DumpJson(ToJson(options.settings)),
                    options.report.empty() ? "" : "measured", files});
}

// The passes before the last one: each shows the documents to the rule that it is for.
absl::Status Compare(const JudgedShare& judged, Comparison& comparison, RunContext& context) {
  int pass = 0;
  uint64_t total = 0;
  for (const uint64_t documents : judged.documents) total += documents;
  while (comparison.wants_pass()) {
    context.progress->Begin(fmt::format("curate: compare {}", ++pass), total, "documents");
    const bool texts = comparison.wants_texts();
    uint64_t done = 0;
    for (const std::string& path : judged.pieces) {
      RETURN_IF_ERROR(context.CheckCancelled());
      ASSIGN_OR_RETURN(JudgedPiece piece,
                       JudgedPiece::Open(path, texts ? JudgedPiece::Parts::kAll : JudgedPiece::Parts::kMarks));
      JudgedMark mark;
      JudgedDocument document;
      std::vector<Measure> measures;
      while (true) {
        ASSIGN_OR_RETURN(const bool more, piece.NextMark(mark));
        if (!more) break;
        if (texts) RETURN_IF_ERROR(piece.NextDocument(document, measures).status());
        RETURN_IF_ERROR(comparison.Look(mark, document.document.text));
      }
      context.progress->Update(done += piece.documents(), "");
    }
    RETURN_IF_ERROR(comparison.EndPass());
    context.progress->End();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<CuratedOutput>> OpenOutput(const CurateOptions& options) {
  if (!options.kept.empty()) return OpenStageOutput(options.kept, options.dropped);
  const std::string extension = OutputExtension(options.inputs.empty() ? "" : options.inputs.front());
  if (extension == "parquet") return OpenParquetOutput(options.directory);
  return OpenLinesOutput(options.directory, extension);
}

// The table of near duplicates beside the documents; an old one goes when there is no new one.
absl::Status PutClusters(const CurateOptions& options, const Comparison& comparison) {
  if (options.clusters.empty()) return absl::OkStatus();
  if (comparison.near() == nullptr) return RemoveTree(options.clusters);
  ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(options.clusters));
  RETURN_IF_ERROR(WriteClusters(*comparison.near(), comparison.ids(), staged.path()).status());
  return staged.Commit();
}

// What a document gives to the report with plots.
struct Measured {
  Document document;  // id, language, sources and the beginning of the text
  Verdict verdict;
  std::vector<Measure> measures;
};

// A piece with its last verdicts, ready to be written.
struct DecidedPiece {
  OutputPiece output;
  CurateReport report;
  std::vector<Measured> measured;
};

// Puts the last verdicts on pieces. Thread-safe.
class PieceDecider {
 public:
  PieceDecider(const Comparison& comparison, const CuratedOutput& output, bool measured)
      : comparison_(comparison), output_(output), measured_(measured) {}

  absl::StatusOr<DecidedPiece> Run(const std::string& path, const PieceFindings& findings) const {
    ASSIGN_OR_RETURN(JudgedPiece piece, JudgedPiece::Open(path));
    DecidedPiece decided;
    decided.report.normalised = piece.normalised();
    JudgedDocument judged;
    std::vector<Measure> measures;
    for (uint64_t ordinal = findings.first_ordinal;; ++ordinal) {
      ASSIGN_OR_RETURN(const bool more, piece.NextDocument(judged, measures));
      if (!more) break;
      ASSIGN_OR_RETURN(const Compared compared, comparison_.Decide(judged, ordinal, findings));
      decided.report.Count(judged, compared.verdict, compared.cut_bytes);
      if (measured_) decided.measured.push_back(MeasuredOf(judged.document, compared.verdict, std::move(measures)));
      Put(std::move(judged.document), compared, decided.output);
    }
    RETURN_IF_ERROR(output_.Close(decided.output));
    return decided;
  }

 private:
  static Measured MeasuredOf(const Document& document, const Verdict& verdict, std::vector<Measure> measures) {
    Measured measured;
    measured.document.id = document.id;
    measured.document.language = document.language;
    measured.document.sources = document.sources;
    measured.document.text = CurateStatistics::SampleOf(document.text);
    measured.verdict = verdict;
    measured.measures = std::move(measures);
    return measured;
  }

  void Put(Document document, const Compared& compared, OutputPiece& piece) const {
    const Verdict& verdict = compared.verdict;
    if (verdict.kept()) return output_.Put(std::move(document), nullptr, piece);
    DropNote note;
    note.rule = verdict.rule;
    note.reason =
        verdict.detail.empty() ? std::string(verdict.reason) : fmt::format("{}: {}", verdict.reason, verdict.detail);
    if (compared.cluster) note.cluster = std::to_string(*compared.cluster);
    note.kept_id = compared.kept_id;
    output_.Put(std::move(document), &note, piece);
  }

  const Comparison& comparison_;
  const CuratedOutput& output_;
  const bool measured_;
};

// The last pass: verdicts, output and counts, in the order of the input.
absl::StatusOr<CurateReport> Write(const JudgedShare& judged, Comparison& comparison, CuratedOutput& output,
                                   CurateStatistics* statistics, RunContext& context) {
  struct Task {
    std::string path;
    PieceFindings findings;
  };
  uint64_t total = 0;
  for (const uint64_t documents : judged.documents) total += documents;
  context.progress->Begin("curate: write", total, "documents");
  const int threads = context.Threads();
  // A piece in flight: its texts and what is written of them.
  const uint64_t pieces = context.memory_bytes / 4 / (uint64_t{48} << 20);
  const auto in_flight = static_cast<size_t>(std::clamp<uint64_t>(pieces, 2, 2 * static_cast<uint64_t>(threads)));
  const PieceDecider decider(comparison, output, statistics != nullptr);
  CurateReport report;
  size_t next = 0;
  const auto produce = [&]() -> absl::StatusOr<std::optional<Task>> {
    RETURN_IF_ERROR(context.CheckCancelled());
    if (next == judged.pieces.size()) return std::optional<Task>();
    ASSIGN_OR_RETURN(PieceFindings findings, comparison.TakePiece(judged.documents[next]));
    return std::optional<Task>(Task{judged.pieces[next++], std::move(findings)});
  };
  const auto work = [&](const Task& task) { return decider.Run(task.path, task.findings); };
  const auto consume = [&](DecidedPiece piece) -> absl::Status {
    report.Add(piece.report);
    for (const Measured& one : piece.measured) statistics->Add(one.document, one.verdict, one.measures);
    RETURN_IF_ERROR(output.Append(std::move(piece.output)));
    context.progress->Update(report.documents, "");
    return absl::OkStatus();
  };
  const absl::Status status = OrderedPipeline<Task, DecidedPiece>(threads, in_flight, produce, work, consume);
  context.progress->End();
  RETURN_IF_ERROR(status);
  if (report.documents != total || total != report.kept + report.DroppedDocuments()) {
    return absl::InternalError(fmt::format("curate: {} documents judged, but {} kept and {} dropped", total,
                                           report.kept, report.DroppedDocuments()));
  }
  return report;
}

// From judged pieces to what is kept; the pieces go when that stands.
absl::StatusOr<CurateReport> Join(const JudgedShare& judged, const std::string& pieces, const CurateOptions& options,
                                  RunContext& context, Clock::time_point begun) {
  const std::string place = pieces + "/compare";  // for what comparing spills
  RETURN_IF_ERROR(RemoveTree(place));
  ASSIGN_OR_RETURN(const std::unique_ptr<Comparison> comparison, Comparison::Create(options.settings, place, context));
  RETURN_IF_ERROR(Compare(judged, *comparison, context));
  ASSIGN_OR_RETURN(const std::unique_ptr<CuratedOutput> output, OpenOutput(options));
  CurateStatistics statistics;
  ASSIGN_OR_RETURN(CurateReport report,
                   Write(judged, *comparison, *output, options.report.empty() ? nullptr : &statistics, context));
  Json files;
  Json dropped_files;
  RETURN_IF_ERROR(output->Finish(files, dropped_files));
  if (comparison->near() != nullptr) report.clusters = comparison->near()->counts().clusters;
  report.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  Json counts = ToJson(report);
  counts.erase("seconds");
  Manifest manifest{"curate", options.key, ToJson(options.settings), counts, report.seconds};
  manifest.extra["files"] = files;
  manifest.extra["dropped_files"] = dropped_files;
  RETURN_IF_ERROR(PutClusters(options, *comparison));
  if (!options.report.empty()) {
    RETURN_IF_ERROR(CreateDirectories(options.report));
    RETURN_IF_ERROR(WriteFileAtomically(options.report + "/report.html", statistics.ToHtml(counts)));
    RETURN_IF_ERROR(WriteFileAtomically(options.report + "/statistics.json", DumpJson(statistics.ToJson()) + "\n"));
  }
  RETURN_IF_ERROR(WriteManifest(output->manifest_directory(), manifest));
  RETURN_IF_ERROR(output->Commit());
  RETURN_IF_ERROR(RemoveTree(pieces));
  return report;
}

// Where judged pieces lie until the output stands.
std::string PlaceOf(const CurateOptions& options) {
  return options.kept.empty() ? options.directory + "/.curate" : options.kept + ".judged.partial";
}

absl::StatusOr<JudgingOptions> Prepare(CurateOptions& options) {
  JudgingOptions judging;
  // Before anything is opened, so that a slip in the inputs' names comes first.
  ASSIGN_OR_RETURN(judging.ranges, DocumentRanges(options.inputs));
  judging.directory = PlaceOf(options);
  judging.key = PiecesKey(options, judging.ranges);
  judging.measure = !options.report.empty();
  return judging;
}

absl::Status LoadOverlap(CurateSettings& settings) {
  if (!settings.Has("overlap")) return absl::OkStatus();
  ASSIGN_OR_RETURN(OverlapIndex index, OverlapIndex::Load(settings.overlap));
  settings.overlap_index = std::make_shared<const OverlapIndex>(std::move(index));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CurateReport> Curate(const CurateOptions& given, RunContext& context) {
  const Clock::time_point begun = Clock::now();
  CurateOptions options = given;
  ASSIGN_OR_RETURN(const JudgingOptions judging, Prepare(options));
  RETURN_IF_ERROR(LoadOverlap(options.settings));
  ASSIGN_OR_RETURN(const JudgedShare judged, JudgeShare(judging, options.settings, context));
  return Join(judged, judging.directory, options, context, begun);
}

absl::StatusOr<uint64_t> CurateRange(const CurateOptions& given, const InputShare& share, RunContext& context) {
  CurateOptions options = given;
  ASSIGN_OR_RETURN(JudgingOptions judging, Prepare(options));
  RETURN_IF_ERROR(LoadOverlap(options.settings));
  judging.share = share;
  ASSIGN_OR_RETURN(const JudgedShare judged, JudgeShare(judging, options.settings, context));
  uint64_t documents = 0;
  for (const uint64_t of_piece : judged.documents) documents += of_piece;
  return documents;
}

absl::StatusOr<CurateReport> CurateJoin(const CurateOptions& given, uint32_t shares, RunContext& context) {
  const Clock::time_point begun = Clock::now();
  CurateOptions options = given;
  ASSIGN_OR_RETURN(const JudgingOptions judging, Prepare(options));
  JudgedShare all;
  for (uint32_t number = 1; number <= shares; ++number) {
    ASSIGN_OR_RETURN(const JudgedShare one, FindJudgedShare(judging.directory, judging.key, {number, shares}));
    all.pieces.insert(all.pieces.end(), one.pieces.begin(), one.pieces.end());
    all.documents.insert(all.documents.end(), one.documents.begin(), one.documents.end());
  }
  return Join(all, judging.directory, options, context, begun);
}

}  // namespace rhodes
