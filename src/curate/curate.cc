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
#include "curate/judge.h"
#include "curate/judged_piece.h"
#include "curate/overlap_rule.h"
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
  const uint64_t total = judged.TotalDocuments();
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

// What a document has of evaluation sets.
struct Overlapping {
  std::vector<OverlapFound> found;
  bool dropped = false;  // for that
  bool cut = false;
};

// A piece with its last verdicts, ready to be written.
struct DecidedPiece {
  OutputPiece output;
  CurateReport report;
  std::vector<Measured> measured;
  std::vector<Overlapping> overlapping;
};

// What is gathered over all documents beside the report's counts.
struct Gathered {
  std::optional<CurateStatistics> statistics;  // when asked for
  std::optional<OverlapCounts> overlap;        // of the rule
};

// Puts the last verdicts on pieces. Thread-safe, unless replacements are the reference's: those are taken in turn, so
// pieces must come one after the other.
class PieceDecider {
 public:
  PieceDecider(const CurateSettings& settings, const Comparison& comparison, const CuratedOutput& output, bool measured)
      : settings_(settings), comparison_(comparison), output_(output), measured_(measured) {}

  absl::StatusOr<DecidedPiece> Run(const std::string& path, const PieceFindings& findings) {
    ASSIGN_OR_RETURN(JudgedPiece piece, JudgedPiece::Open(path));
    DecidedPiece decided;
    decided.report.normalised = piece.normalised();
    JudgedDocument judged;
    std::vector<Measure> measures;
    for (uint64_t ordinal = findings.first_ordinal;; ++ordinal) {
      ASSIGN_OR_RETURN(const bool more, piece.NextDocument(judged, measures));
      if (!more) break;
      ASSIGN_OR_RETURN(const Compared compared, comparison_.Decide(judged, ordinal, findings));
      if (compared.verdict.kept()) ReplaceAsFormatter(settings_, replacements_, judged);
      decided.report.Count(judged, compared.verdict, compared.cut_bytes);
      if (!judged.overlap.empty()) {
        decided.overlapping.push_back(
            {std::move(judged.overlap), compared.verdict.rule == "overlap", judged.overlap_cut});
      }
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

  const CurateSettings& settings_;
  const Comparison& comparison_;
  const CuratedOutput& output_;
  const bool measured_;
  FormatterReplacements replacements_;
};

// The last pass: verdicts, output and counts, in the order of the input.
absl::StatusOr<CurateReport> Write(const CurateSettings& settings, const JudgedShare& judged, Comparison& comparison,
                                   CuratedOutput& output, Gathered& gathered, RunContext& context) {
  struct Task {
    std::string path;
    PieceFindings findings;
  };
  const uint64_t total = judged.TotalDocuments();
  context.progress->Begin("curate: write", total, "documents");
  const int threads = ReplacesInTurn(settings) ? 1 : context.Threads();
  // A piece in flight: its texts and what is written of them.
  const uint64_t pieces = context.memory_bytes / 4 / (uint64_t{48} << 20);
  const auto in_flight = static_cast<size_t>(std::clamp<uint64_t>(pieces, 2, 2 * static_cast<uint64_t>(threads)));
  PieceDecider decider(settings, comparison, output, gathered.statistics.has_value());
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
    for (const Measured& one : piece.measured) {
      gathered.statistics->Add(one.document, one.verdict, one.measures);
    }
    for (const Overlapping& one : piece.overlapping) gathered.overlap->Add(one.found, one.dropped, one.cut);
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

absl::Status PutReports(const CurateOptions& options, const Gathered& gathered, const Json& counts) {
  if (!options.overlap_items.empty()) {
    RETURN_IF_ERROR(gathered.overlap.has_value()
                        ? WriteFileAtomically(options.overlap_items, gathered.overlap->ItemsHit())
                        : RemoveTree(options.overlap_items));
  }
  if (!gathered.statistics.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(CreateDirectories(options.report));
  const CurateStatistics& statistics = *gathered.statistics;
  RETURN_IF_ERROR(WriteFileAtomically(options.report + "/report.html", statistics.ToHtml(counts)));
  return WriteFileAtomically(options.report + "/statistics.json", DumpJson(statistics.ToJson()) + "\n");
}

// From judged pieces to what is kept; the pieces go when that stands.
absl::StatusOr<CurateReport> Join(const JudgedShare& judged, const std::string& pieces, const CurateOptions& options,
                                  RunContext& context, Clock::time_point begun) {
  const std::string place = pieces + "/compare";  // for what comparing spills
  RETURN_IF_ERROR(RemoveTree(place));
  ASSIGN_OR_RETURN(const std::unique_ptr<Comparison> comparison, Comparison::Create(options.settings, place, context));
  RETURN_IF_ERROR(Compare(judged, *comparison, context));
  ASSIGN_OR_RETURN(const std::unique_ptr<CuratedOutput> output, OpenOutput(options));
  Gathered gathered;
  if (!options.report.empty()) gathered.statistics.emplace();
  if (options.settings.overlap_index != nullptr) gathered.overlap.emplace(options.settings.overlap_index);
  ASSIGN_OR_RETURN(CurateReport report, Write(options.settings, judged, *comparison, *output, gathered, context));
  Json files;
  Json dropped_files;
  RETURN_IF_ERROR(output->Finish(files, dropped_files));
  if (comparison->near() != nullptr) report.clusters = comparison->near()->counts().clusters;
  if (gathered.overlap.has_value()) report.overlap = gathered.overlap->ToJson();
  report.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  Json counts = ToJson(report);
  counts.erase("seconds");
  Manifest manifest{"curate", options.key, ToJson(options.settings), counts, report.seconds};
  manifest.extra["files"] = files;
  manifest.extra["dropped_files"] = dropped_files;
  RETURN_IF_ERROR(PutClusters(options, *comparison));
  RETURN_IF_ERROR(PutReports(options, gathered, counts));
  RETURN_IF_ERROR(WriteManifest(output->manifest_directory(), manifest));
  RETURN_IF_ERROR(output->Commit());
  RETURN_IF_ERROR(RemoveTree(pieces));
  return report;
}

// Where judged pieces lie until the output stands.
std::string PlaceOf(const CurateOptions& options) {
  return options.kept.empty() ? options.directory + "/.curate" : options.kept + ".judged.partial";
}

absl::StatusOr<JudgingOptions> Prepare(CurateOptions& options, const RunContext& context) {
  JudgingOptions judging;
  // Before anything is opened, so that a slip in the inputs' names comes first.
  ASSIGN_OR_RETURN(judging.ranges, DocumentRanges(options.inputs));
  RETURN_IF_ERROR(PrepareRules(options.settings, context));
  judging.directory = PlaceOf(options);
  judging.key = PiecesKey(options, judging.ranges);
  judging.measure = !options.report.empty();
  return judging;
}

}  // namespace

absl::StatusOr<CurateReport> Curate(const CurateOptions& given, RunContext& context) {
  const Clock::time_point begun = Clock::now();
  CurateOptions options = given;
  ASSIGN_OR_RETURN(const JudgingOptions judging, Prepare(options, context));
  ASSIGN_OR_RETURN(const JudgedShare judged, JudgeShare(judging, options.settings, context));
  return Join(judged, judging.directory, options, context, begun);
}

absl::StatusOr<uint64_t> CurateRange(const CurateOptions& given, const InputShare& share, RunContext& context) {
  CurateOptions options = given;
  ASSIGN_OR_RETURN(JudgingOptions judging, Prepare(options, context));
  judging.share = share;
  ASSIGN_OR_RETURN(const JudgedShare judged, JudgeShare(judging, options.settings, context));
  return judged.TotalDocuments();
}

absl::StatusOr<CurateReport> CurateJoin(const CurateOptions& given, uint32_t shares, RunContext& context) {
  const Clock::time_point begun = Clock::now();
  CurateOptions options = given;
  ASSIGN_OR_RETURN(const JudgingOptions judging, Prepare(options, context));
  JudgedShare all;
  for (uint32_t number = 1; number <= shares; ++number) {
    ASSIGN_OR_RETURN(const JudgedShare one, FindJudgedShare(judging.directory, judging.key, {number, shares}));
    all.pieces.insert(all.pieces.end(), one.pieces.begin(), one.pieces.end());
    all.documents.insert(all.documents.end(), one.documents.begin(), one.documents.end());
  }
  return Join(all, judging.directory, options, context, begun);
}

}  // namespace rhodes
