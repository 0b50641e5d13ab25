#include "curate/curate.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>

#include "base/file.h"
#include "base/manifest.h"
#include "base/parallel.h"
#include "curate/comparison.h"
#include "curate/curated_output.h"
#include "curate/judge.h"
#include "curate/statistics.h"
#include "record/document_table.h"
#include "table/part_list.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;

struct JudgedBatch {
  std::vector<JudgedDocument> documents;
  std::vector<NearSignature> signatures;       // of each, in a pass that wants them
  std::vector<std::vector<Measure>> measures;  // of each, when they are wanted
  NormaliseCounts normalised;
};

// Takes judged documents in input order: compares, counts and writes.
class Recorder {
 public:
  Recorder(const CurateSettings& settings, Comparison& comparison, CuratedOutput& output)
      : settings_(settings), comparison_(comparison), output_(output) {}

  // `measures` may be null.
  absl::Status Take(JudgedDocument judged, const std::vector<Measure>* measures) {
    ASSIGN_OR_RETURN(const Compared compared, comparison_.Decide(judged));
    if (compared.verdict.kept()) ReplaceAsFormatter(settings_, replacements_, judged);
    if (measures != nullptr) statistics_.Add(judged.document, compared.verdict, *measures);
    Count(judged, compared.verdict);
    const Verdict& verdict = compared.verdict;
    if (verdict.kept()) return output_.Keep(judged.document);
    DropNote note;
    note.rule = verdict.rule;
    note.reason =
        verdict.detail.empty() ? std::string(verdict.reason) : fmt::format("{}: {}", verdict.reason, verdict.detail);
    if (compared.cluster) note.cluster = std::to_string(*compared.cluster);
    note.kept_id = compared.kept_id;
    return output_.Drop(judged.document, note);
  }

  CurateReport& report() { return report_; }
  const CurateStatistics& statistics() const { return statistics_; }

 private:
  void Count(const JudgedDocument& judged, const Verdict& verdict) {
    const Document& document = judged.document;
    for (size_t i = 0; i < kPersonalDataKinds; ++i) report_.personal_data[i] += judged.personal_data[i];
    const bool kept = verdict.kept();
    const uint64_t stored = kept ? document.text.size() : 0;
    ++report_.documents;
    report_.text_bytes += judged.input_bytes;
    report_.kept_text_bytes += stored;
    if (kept) {
      ++report_.kept;
      ++report_.languages[document.language];
    } else {
      ++report_.dropped[std::string(verdict.rule)][std::string(verdict.reason)];
    }
    static const std::vector<std::string> kNone = {""};
    for (const std::string& source : document.sources.empty() ? kNone : document.sources) {
      SourceCounts& counts = report_.sources[source];
      ++counts.documents;
      counts.kept += kept ? 1 : 0;
      counts.text_bytes += judged.input_bytes;
      counts.kept_text_bytes += stored;
    }
  }

  const CurateSettings& settings_;
  Comparison& comparison_;
  CuratedOutput& output_;
  FormatterReplacements replacements_;
  CurateReport report_;
  CurateStatistics statistics_;
};

// The same verdict and text as without measuring: rules behind the one that drops a document may still change its text,
// so a dropped one is judged again.
JudgedDocument JudgeAndMeasure(Document document, const CurateSettings& settings, JudgeScratch& scratch,
                               JudgedBatch& batch) {
  NormaliseCounts counts;
  JudgedDocument judged = Judge(document, settings, scratch, counts, &batch.measures.emplace_back());
  if (!judged.verdict.kept()) return Judge(std::move(document), settings, scratch, batch.normalised);
  batch.normalised.Add(counts);
  return judged;
}

// Reads and judges all documents, and gives each batch to `take` in order.
absl::Status JudgeAll(const CurateOptions& options, const Comparison& comparison, const std::string& label,
                      bool measure, RunContext& context, const std::function<absl::Status(JudgedBatch)>& take) {
  using Batch = std::vector<Document>;
  ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::Open(options.inputs));
  context.progress->Begin(label, reader->row_count(), "documents");
  const int threads = context.Threads();
  const bool sign = comparison.wants_signatures();
  // A batch in flight: its text, the normalised text and what surrounds them.
  const uint64_t batches = context.memory_bytes / 4 / (4 * DocumentReader::kBatchBytes);
  const auto in_flight = static_cast<size_t>(std::clamp<uint64_t>(batches, 2, 4 * static_cast<uint64_t>(threads)));
  uint64_t documents = 0;
  const auto produce = [&]() -> absl::StatusOr<std::optional<Batch>> {
    RETURN_IF_ERROR(context.CheckCancelled());
    Batch batch;
    ASSIGN_OR_RETURN(const bool more, reader->Next(batch));
    if (!more) return std::optional<Batch>();
    return std::optional<Batch>(std::move(batch));
  };
  const auto work = [&](Batch batch) -> absl::StatusOr<JudgedBatch> {
    thread_local JudgeScratch scratch;
    thread_local NearScratch near_scratch;
    JudgedBatch judged;
    judged.documents.reserve(batch.size());
    for (Document& document : batch) {
      judged.documents.push_back(measure ? JudgeAndMeasure(std::move(document), options.settings, scratch, judged)
                                         : Judge(std::move(document), options.settings, scratch, judged.normalised));
      if (!sign) continue;
      const JudgedDocument& last = judged.documents.back();
      judged.signatures.push_back(last.verdict.kept() ? comparison.SignatureOf(last, near_scratch) : NearSignature());
    }
    return judged;
  };
  const auto consume = [&](JudgedBatch batch) -> absl::Status {
    documents += batch.documents.size();
    RETURN_IF_ERROR(take(std::move(batch)));
    context.progress->Update(documents, "");
    return absl::OkStatus();
  };
  absl::Status status = OrderedPipeline<Batch, JudgedBatch>(threads, in_flight, produce, work, consume);
  context.progress->End();
  return status;
}

// The passes before the last one: each shows the documents to the rule that it is for.
absl::Status Compare(const CurateOptions& options, Comparison& comparison, RunContext& context) {
  int pass = 0;
  while (comparison.wants_pass()) {
    const auto look = [&](JudgedBatch batch) -> absl::Status {
      for (size_t i = 0; i < batch.documents.size(); ++i) {
        RETURN_IF_ERROR(
            comparison.Look(batch.documents[i], batch.signatures.empty() ? NearSignature() : batch.signatures[i]));
      }
      return absl::OkStatus();
    };
    const std::string label = fmt::format("curate: compare {}", ++pass);
    RETURN_IF_ERROR(JudgeAll(options, comparison, label, false, context, look));
    RETURN_IF_ERROR(comparison.EndPass());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<CuratedOutput>> OpenOutput(const CurateOptions& options) {
  if (!options.kept.empty()) return OpenStageOutput(options.kept, options.dropped);
  const std::string extension = OutputExtension(options.inputs.empty() ? "" : options.inputs.front());
  if (extension == "parquet") return OpenParquetOutput(options.directory);
  return OpenLinesOutput(options.directory, extension);
}

uint64_t DroppedCount(const CurateReport& report) {
  uint64_t count = 0;
  for (const auto& [rule, reasons] : report.dropped) {
    for (const auto& [reason, documents] : reasons) count += documents;
  }
  return count;
}

// The table of near duplicates beside the documents; an old one goes when there is no new one.
absl::Status PutClusters(const CurateOptions& options, const Comparison& comparison) {
  if (options.clusters.empty()) return absl::OkStatus();
  if (comparison.near() == nullptr) return RemoveTree(options.clusters);
  ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(options.clusters));
  RETURN_IF_ERROR(WriteClusters(*comparison.near(), comparison.ids(), staged.path()).status());
  return staged.Commit();
}

// `place`: for what comparing spills.
absl::StatusOr<CurateReport> CurateIn(const std::string& place, const CurateOptions& options, RunContext& context,
                                      Clock::time_point begun) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Comparison> comparison, Comparison::Create(options.settings, place, context));
  RETURN_IF_ERROR(Compare(options, *comparison, context));
  ASSIGN_OR_RETURN(const std::unique_ptr<CuratedOutput> output, OpenOutput(options));
  Recorder recorder(options.settings, *comparison, *output);
  const auto record = [&](JudgedBatch batch) -> absl::Status {
    recorder.report().normalised.Add(batch.normalised);
    for (size_t i = 0; i < batch.documents.size(); ++i) {
      const std::vector<Measure>* const measures = batch.measures.empty() ? nullptr : &batch.measures[i];
      RETURN_IF_ERROR(recorder.Take(std::move(batch.documents[i]), measures));
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(JudgeAll(options, *comparison, "curate", !options.report.empty(), context, record));
  Json files;
  Json dropped_files;
  RETURN_IF_ERROR(output->Finish(files, dropped_files));

  CurateReport report = std::move(recorder.report());
  if (report.documents != report.kept + DroppedCount(report)) {
    return absl::InternalError(fmt::format("curate: {} documents read, but {} kept and {} dropped", report.documents,
                                           report.kept, DroppedCount(report)));
  }
  if (comparison->near() != nullptr) report.clusters = comparison->near()->counts().clusters;
  report.cut_text_bytes = comparison->cut_bytes();
  report.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  Json counts = ToJson(report);
  counts.erase("seconds");
  Manifest manifest{"curate", options.key, ToJson(options.settings), counts, report.seconds};
  manifest.extra["files"] = files;
  manifest.extra["dropped_files"] = dropped_files;
  RETURN_IF_ERROR(PutClusters(options, *comparison));
  if (!options.report.empty()) {
    RETURN_IF_ERROR(CreateDirectories(options.report));
    const CurateStatistics& statistics = recorder.statistics();
    RETURN_IF_ERROR(WriteFileAtomically(options.report + "/report.html", statistics.ToHtml(counts)));
    RETURN_IF_ERROR(WriteFileAtomically(options.report + "/statistics.json", DumpJson(statistics.ToJson()) + "\n"));
  }
  RETURN_IF_ERROR(WriteManifest(output->manifest_directory(), manifest));
  RETURN_IF_ERROR(output->Commit());
  return report;
}

}  // namespace

absl::StatusOr<CurateReport> Curate(const CurateOptions& given, RunContext& context) {
  const Clock::time_point begun = Clock::now();
  CurateOptions options = given;
  if (options.settings.Has("overlap")) {
    ASSIGN_OR_RETURN(OverlapIndex index, OverlapIndex::Load(options.settings.overlap));
    options.settings.overlap_index = std::make_shared<const OverlapIndex>(std::move(index));
  }
  // Before anything is opened, so that a slip in the inputs' names comes first.
  RETURN_IF_ERROR(DocumentReader::Open(options.inputs).status());
  const std::string place = options.kept.empty() ? options.directory + "/.curate" : options.kept + ".compare.partial";
  RETURN_IF_ERROR(RemoveTree(place));
  absl::StatusOr<CurateReport> report = CurateIn(place, options, context, begun);
  RETURN_IF_ERROR(RemoveTree(place));
  return report;
}

Json ToJson(const CurateReport& report) {
  Json reasons = Json::object();
  for (const auto& [rule, by_reason] : report.dropped) {
    for (const auto& [reason, documents] : by_reason) reasons[rule][reason] = documents;
  }
  Json sources = Json::object();
  for (const auto& [source, counts] : report.sources) {
    sources[source] = {{"documents", counts.documents},
                       {"kept", counts.kept},
                       {"dropped", counts.documents - counts.kept},
                       {"text_bytes", counts.text_bytes},
                       {"kept_text_bytes", counts.kept_text_bytes}};
  }
  Json personal_data = Json::object();
  for (size_t i = 0; i < kPersonalDataKinds; ++i) {
    if (report.personal_data[i] == 0) continue;
    personal_data[std::string(PersonalDataName(static_cast<PersonalDataKind>(i)))] = report.personal_data[i];
  }
  return {{"documents", report.documents},
          {"kept", report.kept},
          {"dropped", DroppedCount(report)},
          {"reasons", reasons},
          {"sources", sources},
          {"languages", Json(report.languages)},
          {"text_bytes", report.text_bytes},
          {"kept_text_bytes", report.kept_text_bytes},
          {"normalised",
           {{"changed", report.normalised.changed},
            {"invalid_utf8", report.normalised.invalid_utf8},
            {"invalid_sequences", report.normalised.invalid_sequences},
            {"control_characters", report.normalised.control_characters}}},
          {"personal_data", personal_data},
          {"clusters", report.clusters},
          {"cut_text_bytes", report.cut_text_bytes},
          {"seconds", report.seconds}};
}

}  // namespace rhodes
