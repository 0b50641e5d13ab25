#include "curate/curate.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/file.h"
#include "base/manifest.h"
#include "base/parallel.h"
#include "curate/exact.h"
#include "curate/judge.h"
#include "record/document_table.h"
#include "table/part_list.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;

struct JudgedBatch {
  std::vector<JudgedDocument> documents;
  NormaliseCounts normalised;
};

// Takes judged documents in input order: finds exact duplicates, counts and writes.
class Recorder {
 public:
  Recorder(const CurateSettings& settings, uint64_t memory_bytes, DocumentWriter& kept, DocumentWriter& dropped)
      : exact_(settings.Has("exact")), seen_(memory_bytes), kept_(kept), dropped_(dropped) {}

  absl::Status Take(JudgedDocument judged) {
    const Document& document = judged.document;
    if (exact_ && judged.verdict.kept()) {
      ASSIGN_OR_RETURN(const std::optional<std::string> first, seen_.Insert(judged.hash, document.id));
      if (first.has_value()) judged.verdict = {"exact", "duplicate", "kept_id=" + *first};
    }
    Count(judged);
    if (judged.verdict.kept()) return kept_.Append(document);
    const Verdict& verdict = judged.verdict;
    const std::string reason =
        verdict.detail.empty() ? std::string(verdict.reason) : fmt::format("{}: {}", verdict.reason, verdict.detail);
    return dropped_.Append(document, {verdict.rule, reason});
  }

  CurateReport& report() { return report_; }

 private:
  void Count(const JudgedDocument& judged) {
    const Document& document = judged.document;
    for (size_t i = 0; i < kPersonalDataKinds; ++i) report_.personal_data[i] += judged.personal_data[i];
    const bool kept = judged.verdict.kept();
    const uint64_t stored = kept ? document.text.size() : 0;
    ++report_.documents;
    report_.text_bytes += judged.input_bytes;
    report_.kept_text_bytes += stored;
    if (kept) {
      ++report_.kept;
      ++report_.languages[document.language];
    } else {
      ++report_.dropped[std::string(judged.verdict.rule)][std::string(judged.verdict.reason)];
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

  bool exact_;
  SeenTexts seen_;
  DocumentWriter& kept_;
  DocumentWriter& dropped_;
  CurateReport report_;
};

absl::Status JudgeAll(const CurateSettings& settings, DocumentReader& reader, Recorder& recorder, RunContext& context) {
  using Batch = std::vector<Document>;
  const int threads = context.Threads();
  // A batch in flight: its text, the normalised text and what surrounds them.
  const uint64_t batches = context.memory_bytes / 4 / (4 * DocumentReader::kBatchBytes);
  const auto in_flight = static_cast<size_t>(std::clamp<uint64_t>(batches, 2, 4 * static_cast<uint64_t>(threads)));
  const auto produce = [&]() -> absl::StatusOr<std::optional<Batch>> {
    RETURN_IF_ERROR(context.CheckCancelled());
    Batch batch;
    ASSIGN_OR_RETURN(const bool more, reader.Next(batch));
    if (!more) return std::optional<Batch>();
    return std::optional<Batch>(std::move(batch));
  };
  const auto work = [&](Batch batch) -> absl::StatusOr<JudgedBatch> {
    thread_local JudgeScratch scratch;
    JudgedBatch judged;
    judged.documents.reserve(batch.size());
    for (Document& document : batch) {
      judged.documents.push_back(Judge(std::move(document), settings, scratch, judged.normalised));
    }
    return judged;
  };
  const auto consume = [&](JudgedBatch batch) -> absl::Status {
    recorder.report().normalised.Add(batch.normalised);
    for (JudgedDocument& judged : batch.documents) RETURN_IF_ERROR(recorder.Take(std::move(judged)));
    const CurateReport& report = recorder.report();
    context.progress->Update(report.documents, fmt::format("{} kept", report.kept));
    return absl::OkStatus();
  };
  return OrderedPipeline<Batch, JudgedBatch>(threads, in_flight, produce, work, consume);
}

uint64_t DroppedCount(const CurateReport& report) {
  uint64_t count = 0;
  for (const auto& [rule, reasons] : report.dropped) {
    for (const auto& [reason, documents] : reasons) count += documents;
  }
  return count;
}

}  // namespace

absl::StatusOr<CurateReport> Curate(const CurateOptions& options, RunContext& context) {
  const Clock::time_point begun = Clock::now();
  ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::Open(options.inputs));
  ASSIGN_OR_RETURN(StagedDirectory kept, StagedDirectory::Open(options.kept));
  ASSIGN_OR_RETURN(StagedDirectory dropped, StagedDirectory::Open(options.dropped));
  ASSIGN_OR_RETURN(const std::unique_ptr<DocumentWriter> kept_writer, DocumentWriter::Create(kept.path()));
  ASSIGN_OR_RETURN(const std::unique_ptr<DocumentWriter> dropped_writer,
                   DocumentWriter::Create(dropped.path(), {"rule", "reason"}));
  CurateSettings settings = options.settings;
  if (settings.Has("overlap")) {
    ASSIGN_OR_RETURN(OverlapIndex index, OverlapIndex::Load(settings.overlap));
    settings.overlap_index = std::make_shared<const OverlapIndex>(std::move(index));
  }
  Recorder recorder(settings, context.memory_bytes / 2, *kept_writer, *dropped_writer);

  context.progress->Begin("curate", reader->row_count(), "documents");
  absl::Status status = JudgeAll(settings, *reader, recorder, context);
  context.progress->End();
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(kept_writer->Finish());
  RETURN_IF_ERROR(dropped_writer->Finish());

  CurateReport report = std::move(recorder.report());
  if (report.documents != report.kept + DroppedCount(report)) {
    return absl::InternalError(fmt::format("curate: {} documents read, but {} kept and {} dropped", report.documents,
                                           report.kept, DroppedCount(report)));
  }
  report.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  Json counts = ToJson(report);
  counts.erase("seconds");
  Manifest manifest{"curate", options.key, ToJson(options.settings), counts, report.seconds};
  manifest.extra["files"] = PartsToJson(kept_writer->parts());
  manifest.extra["dropped_files"] = PartsToJson(dropped_writer->parts());
  RETURN_IF_ERROR(WriteManifest(kept.path(), manifest));
  // The manifest lies with the kept documents, so those come last: a kill between the two leaves a key that is not
  // this run's, and the stage runs again.
  RETURN_IF_ERROR(dropped.Commit());
  RETURN_IF_ERROR(kept.Commit());
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
          {"seconds", report.seconds}};
}

}  // namespace rhodes
