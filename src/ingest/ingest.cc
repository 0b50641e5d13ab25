#include "ingest/ingest.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "base/hash.h"
#include "base/parallel.h"
#include "ingest/file_cutter.h"
#include "ingest/input_feed.h"
#include "source/time_zone.h"

namespace rhodes {
namespace {

constexpr size_t kSmallestBlock = 256 << 10;

struct FileResult {
  size_t file = 0;  // index into the input files
  ParsedBlock parsed;
  uint64_t uncompressed = 0;
  uint64_t consumed = 0;
  std::string fingerprint;             // when the worker made it
  const TakenFile* known = nullptr;    // taken before: not read
  std::optional<SmallInput> deferred;  // grew too large when decompressed: to be read in blocks after all
};

class IngestRun {
 public:
  IngestRun(const IngestOptions& options, RunContext& context, const Format* format, std::vector<InputFile> files,
            RecordWriter& writer)
      : options_(options), context_(context), files_(std::move(files)), totals_(files_.size()), writer_(writer) {
    auto read = std::make_shared<ReadOptions>();
    read->source = options.name;
    read->columns = options.columns;
    read->language = options.language;
    read->record_limit = options.record_limit;
    read->time_zone = options.time_zone;
    read->polled_at = options.polled_at;
    threads_ = context.Threads();
    // Blocks depend on the budget, not on the threads, so that no result depends on them either. A block on its way
    // costs its bytes and its records', about four times the block; half of the budget is the store's.
    settings_.block_bytes = std::clamp(static_cast<size_t>(context.memory_bytes / 512), kSmallestBlock,
                                       static_cast<size_t>(ReadOptions::kBlockBytes));
    in_flight_ = std::clamp<size_t>(context.memory_bytes / 2 / (settings_.block_bytes * 4), 4,
                                    static_cast<size_t>(threads_) * 2 + 2);
    settings_.format = format;
    settings_.memory_bytes = context.memory_bytes / 4;
    feed_ = std::make_unique<InputFeed>(files_, InputFeed::Settings{settings_, writer.taken(), SettingsKey()},
                                        std::move(read));
  }

  absl::Status Run() {
    uint64_t total = 0;
    for (const InputFile& file : files_) total += file.size;
    context_.progress->Begin("ingest " + options_.name, total, "bytes");
    const absl::Status status = OrderedPipeline<Unit, std::vector<FileResult>>(
        threads_, in_flight_,
        [&]() -> absl::StatusOr<std::optional<Unit>> {
          RETURN_IF_ERROR(context_.CheckCancelled());
          return feed_->Next();
        },
        [&](Unit unit) { return Work(std::move(unit)); },
        [&](std::vector<FileResult> results) { return Consume(std::move(results)); });
    context_.progress->End();
    RETURN_IF_ERROR(status);
    return AddFiles();
  }

  // The first rejects, for a message.
  const std::vector<Reject>& examples() const { return examples_; }
  const std::vector<SkippedInput>& skipped() const { return feed_->skipped(); }

 private:
  struct FileTotals {
    uint64_t read = 0;
    uint64_t bytes = 0;
    std::string fingerprint;
    const TakenFile* known = nullptr;
  };

  // How files are read; a file of known content is read again when this has changed.
  std::string SettingsKey() const {
    const ColumnMap& columns = options_.columns;
    Json channels = Json::array();
    for (const ChannelColumn& channel : columns.channels) {
      channels.push_back({channel.field, channel.name, channel.unit});
    }
    const Json key = {options_.format,
                      columns.text,
                      columns.time,
                      columns.author,
                      columns.language,
                      columns.latitude,
                      columns.longitude,
                      columns.id,
                      columns.place,
                      channels,
                      options_.language,
                      options_.time_zone,
                      options_.polled_at.value_or(0),
                      options_.record_limit};
    return ContentId({"read", DumpJson(key)});
  }

  absl::StatusOr<std::vector<FileResult>> Work(Unit unit) const {
    std::vector<FileResult> results;
    if (unit.piece) {
      FileResult& result = results.emplace_back();
      result.file = unit.file;
      result.uncompressed = unit.piece->uncompressed;
      result.consumed = unit.piece->consumed;
      result.parsed = unit.piece->file != nullptr ? ParsePiece(*std::move(unit.piece)) : std::move(unit.piece->parsed);
      return results;
    }
    uint64_t budget = 4 * uint64_t{settings_.block_bytes};
    for (SmallInput& input : unit.files) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      ASSIGN_OR_RETURN(FileResult result, WorkFile(std::move(input), budget));
      budget -= std::min(budget, result.uncompressed);
      results.push_back(std::move(result));
    }
    return results;
  }

  std::unique_ptr<FileCutter> OpenCutter(const SmallInput& input, std::unique_ptr<ByteReader> reader) const {
    FileCutter::Settings settings = settings_;
    settings.format = input.format;
    return FileCutter::Open(input.path, std::move(reader), settings, input.options);
  }

  // Reads a small file whole; one that has more than `budget` bytes when decompressed is left to Consume().
  absl::StatusOr<FileResult> WorkFile(SmallInput input, uint64_t budget) const {
    FileResult result;
    result.file = input.file;
    const InputFile& file = files_[input.file];
    std::unique_ptr<ByteReader> reader;
    if (input.bytes != nullptr) {
      reader = ByteReader::OfBytes(input.path, *input.bytes);
    } else {
      absl::StatusOr<std::unique_ptr<ByteReader>> opened = ByteReader::Open(input.path);
      if (!opened.ok()) {
        if (file.named) return opened.status();
        result.parsed.rejects.push_back({Origin{input.path, 0, 0}, Message(opened.status())});
        result.consumed = file.size;
        return result;
      }
      reader = *std::move(opened);
      result.fingerprint = ContentFingerprint(reader->mapped());
      if (const TakenFiles* taken = writer_.taken(); taken != nullptr) {
        result.known = taken->Find(result.fingerprint, SettingsKey());
        result.consumed = file.size;
        if (result.known != nullptr) return result;
        result.consumed = 0;
      }
    }
    const std::unique_ptr<FileCutter> cutter = OpenCutter(input, std::move(reader));
    while (std::optional<Piece> piece = cutter->Next()) {
      result.uncompressed += piece->uncompressed;
      result.consumed += piece->consumed;
      if (result.uncompressed > budget) {
        FileResult deferred;
        deferred.file = input.file;
        deferred.fingerprint = result.fingerprint;
        deferred.deferred = std::move(input);
        return deferred;
      }
      ParsedBlock parsed = ParsePiece(*std::move(piece));
      std::move(parsed.records.begin(), parsed.records.end(), std::back_inserter(result.parsed.records));
      std::move(parsed.rejects.begin(), parsed.rejects.end(), std::back_inserter(result.parsed.rejects));
    }
    if (input.bytes != nullptr) result.consumed = 0;  // what it took of the archive's file is not known here
    return result;
  }

  absl::Status Consume(std::vector<FileResult> results) {
    RETURN_IF_ERROR(context_.CheckCancelled());
    for (FileResult& result : results) {
      FileTotals& totals = totals_[result.file];
      if (!result.fingerprint.empty()) totals.fingerprint = result.fingerprint;
      totals.known = result.known;
      if (result.deferred) {
        RETURN_IF_ERROR(ConsumeDeferred(*result.deferred));
      } else {
        RETURN_IF_ERROR(Store(std::move(result)));
      }
    }
    context_.progress->Update(done_, fmt::format("{} records", writer_.counts().stored));
    return absl::OkStatus();
  }

  // Block by block on this thread: rare, and the memory stays bounded whatever the file unpacks to.
  absl::Status ConsumeDeferred(const SmallInput& input) {
    std::unique_ptr<ByteReader> reader;
    if (input.bytes != nullptr) {
      reader = ByteReader::OfBytes(input.path, *input.bytes);
    } else {
      ASSIGN_OR_RETURN(reader, ByteReader::Open(input.path));
    }
    const std::unique_ptr<FileCutter> cutter = OpenCutter(input, std::move(reader));
    while (std::optional<Piece> piece = cutter->Next()) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      FileResult result;
      result.file = input.file;
      result.uncompressed = piece->uncompressed;
      result.consumed = input.bytes != nullptr ? 0 : piece->consumed;
      result.parsed = ParsePiece(*std::move(piece));
      RETURN_IF_ERROR(Store(std::move(result)));
    }
    return absl::OkStatus();
  }

  absl::Status Store(FileResult result) {
    FileTotals& totals = totals_[result.file];
    totals.read += result.parsed.records.size() + result.parsed.rejects.size();
    totals.bytes += result.uncompressed;
    for (Record& record : result.parsed.records) RETURN_IF_ERROR(writer_.Append(std::move(record)));
    for (Reject& reject : result.parsed.rejects) {
      if (examples_.size() < 3) examples_.push_back(reject);
      RETURN_IF_ERROR(writer_.AddReject(std::move(reject)));
    }
    writer_.AddBytes(result.uncompressed);
    done_ += result.consumed;
    return absl::OkStatus();
  }

  // What files were read, in their order, whichever thread met them.
  absl::Status AddFiles() {
    const std::string settings = SettingsKey();
    for (size_t i = 0; i < files_.size(); ++i) {
      const FileTotals& totals = totals_[i];
      const std::string& content = totals.fingerprint.empty() ? feed_->fingerprints()[i] : totals.fingerprint;
      const TakenFile* known = totals.known;
      if (known == nullptr && writer_.taken() != nullptr && !content.empty()) {
        known = writer_.taken()->Find(content, settings);
      }
      if (known != nullptr) {
        RETURN_IF_ERROR(writer_.AddKnown(*known, files_[i].path));
      } else {
        RETURN_IF_ERROR(
            writer_.AddFile({files_[i].path, files_[i].size, content, settings, totals.read, totals.bytes}));
      }
    }
    return absl::OkStatus();
  }

  const IngestOptions& options_;
  RunContext& context_;
  const std::vector<InputFile> files_;
  std::vector<FileTotals> totals_;  // used by Consume() only
  RecordWriter& writer_;
  FileCutter::Settings settings_;
  std::unique_ptr<InputFeed> feed_;
  int threads_ = 1;
  size_t in_flight_ = 4;
  // Used by Consume() only.
  uint64_t done_ = 0;
  std::vector<Reject> examples_;
};

absl::Status CheckName(const std::string& name) {
  const bool good =
      !name.empty() && name[0] != '.' && name[0] != '-' && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
      });
  if (good) return absl::OkStatus();
  return UsageError(fmt::format(
      "source name \"{}\": letters, digits, '.', '_' and '-' only, since it becomes the name of a directory", name));
}

absl::Status CheckTolerance(const IngestOptions& options, const IngestCounts& counts,
                            const std::vector<Reject>& examples) {
  if (counts.read == 0 ||
      static_cast<double>(counts.rejected) <= options.reject_tolerance * static_cast<double>(counts.read)) {
    return absl::OkStatus();
  }
  std::string message = fmt::format("ingest {}: {} of {} rejected, more than the {:.4g} % allowed; nothing was stored",
                                    options.name, counts.rejected, counts.read, 100 * options.reject_tolerance);
  for (const Reject& reject : examples) {
    message += fmt::format("\n  {}: bytes {} to {}: {}", reject.origin.file, reject.origin.begin, reject.origin.end,
                           reject.reason);
  }
  return RejectedError(message);
}

}  // namespace

absl::StatusOr<IngestReport> Ingest(const IngestOptions& options, RunContext& context) {
  const auto begun = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(); };
  RETURN_IF_ERROR(CheckName(options.name));
  const Format* format = nullptr;
  if (options.format != "auto") {
    ASSIGN_OR_RETURN(format, FindFormat(options.format));
  }
  if (!options.time_zone.empty()) RETURN_IF_ERROR(TimeZone::Find(options.time_zone).status());
  ASSIGN_OR_RETURN(std::vector<InputFile> files, ResolveInputs(options.paths));
  IngestReport report;
  report.files = files.size();
  ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer,
                   RecordWriter::Open(options.out, options.name, options.mode, context));
  IngestRun run(options, context, format, std::move(files), *writer);
  if (absl::Status status = run.Run(); !status.ok()) {
    return Annotate(status, "ingest " + options.name);
  }
  RETURN_IF_ERROR(CheckTolerance(options, writer->counts(), run.examples()));
  if (options.rights) writer->SetRights(*options.rights);
  ASSIGN_OR_RETURN(report.counts, writer->Commit(options.key, options.settings, seconds()));
  const IngestCounts& counts = report.counts;
  if (counts.read != counts.stored + counts.duplicates + counts.rejected) {
    return absl::InternalError(fmt::format("ingest {}: read {} is not stored {} + duplicates {} + rejected {}",
                                           options.name, counts.read, counts.stored, counts.duplicates,
                                           counts.rejected));
  }
  report.skipped = run.skipped();
  report.seconds = seconds();
  return report;
}

Json ToJson(const IngestReport& report) {
  return {{"read", report.counts.read},
          {"stored", report.counts.stored},
          {"duplicates", report.counts.duplicates},
          {"rejected", report.counts.rejected},
          {"bytes", report.counts.bytes},
          {"seconds", report.seconds},
          {"files", report.files},
          {"known", report.counts.known},
          {"skipped", report.skipped.size()}};
}

}  // namespace rhodes
