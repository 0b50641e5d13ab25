#include "ingest/ingest.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "base/parallel.h"
#include "ingest/file_cutter.h"

namespace rhodes {
namespace {

// Files up to this size are opened, read and parsed by the workers, several at a time; larger ones are cut into blocks
// first, so that one big file feeds all of them.
constexpr uint64_t kSmallFile = 1 << 20;
constexpr uint64_t kGroupBytes = 4 << 20;
constexpr size_t kGroupFiles = 512;
constexpr size_t kSmallestBlock = 256 << 10;

// What a worker is given: small files, or a piece of a large one.
struct Unit {
  std::vector<const InputFile*> files;
  std::optional<Piece> piece;
};

struct FileResult {
  ParsedBlock parsed;
  uint64_t uncompressed = 0;
  uint64_t consumed = 0;
  const InputFile* deferred = nullptr;  // grew too large when decompressed: to be read in blocks after all
};

class IngestRun {
 public:
  IngestRun(const IngestOptions& options, RunContext& context, const Format* format, std::vector<InputFile> files)
      : options_(options), context_(context), files_(std::move(files)) {
    read_.source = options.name;
    read_.columns = options.columns;
    read_.language = options.language;
    read_.record_limit = options.record_limit;
    threads_ = context.Threads();
    // Blocks depend on the budget, not on the threads, so that no result depends on them either. A block on its way
    // costs its bytes and its records', about four times the block; half of the budget is the store's.
    settings_.block_bytes = std::clamp(static_cast<size_t>(context.memory_bytes / 512), kSmallestBlock,
                                       static_cast<size_t>(ReadOptions::kBlockBytes));
    in_flight_ = std::clamp<size_t>(context.memory_bytes / 2 / (settings_.block_bytes * 4), 4,
                                    static_cast<size_t>(threads_) * 2 + 2);
    settings_.format = format;
    settings_.memory_bytes = context.memory_bytes / 4;
  }

  absl::Status Run(RecordWriter& writer) {
    uint64_t total = 0;
    for (const InputFile& file : files_) total += file.size;
    context_.progress->Begin("ingest " + options_.name, total, "bytes");
    const absl::Status status = OrderedPipeline<Unit, std::vector<FileResult>>(
        threads_, in_flight_, [&] { return Produce(); }, [&](Unit unit) { return Work(std::move(unit)); },
        [&](std::vector<FileResult> results) { return Consume(std::move(results), writer); });
    context_.progress->End();
    return status;
  }

  // The first rejects, for a message.
  const std::vector<Reject>& examples() const { return examples_; }

 private:
  absl::StatusOr<std::optional<Unit>> Produce() {
    RETURN_IF_ERROR(context_.CheckCancelled());
    while (true) {
      if (cutter_) {
        std::optional<Piece> piece = cutter_->Next();
        if (piece) return Unit{{}, std::move(piece)};
        cutter_.reset();
      }
      if (next_ == files_.size()) return std::nullopt;
      if (files_[next_].size <= kSmallFile) return SmallFiles();
      const InputFile& file = files_[next_++];
      absl::StatusOr<std::unique_ptr<FileCutter>> cutter = FileCutter::Open(file, settings_, read_);
      if (!cutter.ok()) {
        if (file.named) return cutter.status();
        Unit unit;
        unit.files.push_back(&file);  // the worker meets the same error and makes a reject of it
        return unit;
      }
      cutter_ = *std::move(cutter);
    }
  }

  Unit SmallFiles() {
    Unit unit;
    uint64_t bytes = 0;
    while (next_ < files_.size() && files_[next_].size <= kSmallFile && bytes < kGroupBytes &&
           unit.files.size() < kGroupFiles) {
      bytes += files_[next_].size;
      unit.files.push_back(&files_[next_++]);
    }
    return unit;
  }

  absl::StatusOr<std::vector<FileResult>> Work(Unit unit) const {
    std::vector<FileResult> results;
    if (unit.piece) {
      FileResult& result = results.emplace_back();
      result.uncompressed = unit.piece->uncompressed;
      result.consumed = unit.piece->consumed;
      result.parsed = ParsePiece(*std::move(unit.piece), read_);
      return results;
    }
    uint64_t budget = 4 * uint64_t{settings_.block_bytes};
    for (const InputFile* file : unit.files) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      ASSIGN_OR_RETURN(FileResult result, WorkFile(*file, budget));
      budget -= std::min(budget, result.uncompressed);
      results.push_back(std::move(result));
    }
    return results;
  }

  // Reads a small file whole; one that has more than `budget` bytes when decompressed is left to Consume().
  absl::StatusOr<FileResult> WorkFile(const InputFile& file, uint64_t budget) const {
    FileResult result;
    absl::StatusOr<std::unique_ptr<FileCutter>> cutter = FileCutter::Open(file, settings_, read_);
    if (!cutter.ok()) {
      if (file.named) return cutter.status();
      result.parsed.rejects.push_back({Origin{file.path, 0, 0}, Message(cutter.status())});
      result.consumed = file.size;
      return result;
    }
    while (std::optional<Piece> piece = (*cutter)->Next()) {
      result.uncompressed += piece->uncompressed;
      result.consumed += piece->consumed;
      if (result.uncompressed > budget) {
        FileResult deferred;
        deferred.deferred = &file;
        return deferred;
      }
      ParsedBlock parsed = ParsePiece(*std::move(piece), read_);
      std::move(parsed.records.begin(), parsed.records.end(), std::back_inserter(result.parsed.records));
      std::move(parsed.rejects.begin(), parsed.rejects.end(), std::back_inserter(result.parsed.rejects));
    }
    return result;
  }

  absl::Status Consume(std::vector<FileResult> results, RecordWriter& writer) {
    RETURN_IF_ERROR(context_.CheckCancelled());
    for (FileResult& result : results) {
      if (result.deferred == nullptr) {
        RETURN_IF_ERROR(Store(std::move(result), writer));
      } else {
        RETURN_IF_ERROR(ConsumeDeferred(*result.deferred, writer));
      }
    }
    context_.progress->Update(done_, fmt::format("{} records", writer.counts().stored));
    return absl::OkStatus();
  }

  // Block by block on this thread: rare, and the memory stays bounded whatever the file unpacks to.
  absl::Status ConsumeDeferred(const InputFile& file, RecordWriter& writer) {
    ASSIGN_OR_RETURN(const std::unique_ptr<FileCutter> cutter, FileCutter::Open(file, settings_, read_));
    while (std::optional<Piece> piece = cutter->Next()) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      FileResult result;
      result.uncompressed = piece->uncompressed;
      result.consumed = piece->consumed;
      result.parsed = ParsePiece(*std::move(piece), read_);
      RETURN_IF_ERROR(Store(std::move(result), writer));
    }
    return absl::OkStatus();
  }

  absl::Status Store(FileResult result, RecordWriter& writer) {
    for (Record& record : result.parsed.records) RETURN_IF_ERROR(writer.Append(std::move(record)));
    for (Reject& reject : result.parsed.rejects) {
      if (examples_.size() < 3) examples_.push_back(reject);
      RETURN_IF_ERROR(writer.AddReject(std::move(reject)));
    }
    writer.AddBytes(result.uncompressed);
    done_ += result.consumed;
    return absl::OkStatus();
  }

  const IngestOptions& options_;
  RunContext& context_;
  const std::vector<InputFile> files_;
  ReadOptions read_;
  FileCutter::Settings settings_;
  int threads_ = 1;
  size_t in_flight_ = 4;
  // Used by Produce() only.
  size_t next_ = 0;
  std::unique_ptr<FileCutter> cutter_;
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
  ASSIGN_OR_RETURN(std::vector<InputFile> files, ResolveInputs(options.paths));
  IngestReport report;
  report.files = files.size();
  ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer,
                   RecordWriter::Open(options.out, options.name, options.mode, context));
  IngestRun run(options, context, format, std::move(files));
  if (absl::Status status = run.Run(*writer); !status.ok()) {
    return Annotate(status, "ingest " + options.name);
  }
  RETURN_IF_ERROR(CheckTolerance(options, writer->counts(), run.examples()));
  ASSIGN_OR_RETURN(report.counts, writer->Commit(options.key, options.settings, seconds()));
  const IngestCounts& counts = report.counts;
  if (counts.read != counts.stored + counts.duplicates + counts.rejected) {
    return absl::InternalError(fmt::format("ingest {}: read {} is not stored {} + duplicates {} + rejected {}",
                                           options.name, counts.read, counts.stored, counts.duplicates,
                                           counts.rejected));
  }
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
          {"files", report.files}};
}

}  // namespace rhodes
