#include "project/check_source.h"

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "project/out_tables.h"
#include "store/source_directory.h"
#include "store/source_lock.h"

namespace rhodes {
namespace {

constexpr char kWhat[] = "record source";
constexpr char kRepair[] =
    "rhodes check --repair makes the manifest again from the parts that can be read; then "
    "`rhodes run` or `rhodes ingest` reads the input again";

absl::StatusOr<uint64_t> CountLines(const std::string& path, uint64_t bytes) {
  if (!PathExists(path)) return 0;
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  const std::string_view text = file.bytes().substr(0, bytes);
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// What is wrong with one part, or nothing.
absl::StatusOr<std::string> JudgePart(const std::string& path, const PartInfo& part) {
  if (!PathExists(path)) return std::string("is gone");
  ASSIGN_OR_RETURN(const uint64_t size, FileSize(path));
  if (size != part.bytes) return fmt::format("has {} bytes, and the manifest lists {}", size, part.bytes);
  ASSIGN_OR_RETURN(const std::string hash, Sha256OfFile(path));
  if (hash != part.sha256) return fmt::format("its SHA-256 is {}, and the manifest lists {}", hash, part.sha256);
  if (!path.ends_with(".parquet")) return std::string();
  const std::filesystem::path file(path);
  const absl::StatusOr<uint64_t> rows = CountRows(file.parent_path().string(), {file.filename().string()});
  if (!rows.ok()) return "cannot be read: " + Message(rows.status());
  if (*rows != part.rows) return fmt::format("has {} rows, and the manifest lists {}", *rows, part.rows);
  return std::string();
}

class SourceChecker {
 public:
  SourceChecker(const std::string& out, const std::string& below, CheckReport& report, const RunContext& context)
      : out_(out), below_(below), directory_(out + "/" + below), report_(report), context_(context) {}

  absl::Status Run(SourceTotals& totals, std::vector<MerkleLeaf>& leaves) {
    const absl::StatusOr<SourceManifest> manifest = ReadSourceManifest(directory_);
    if (!manifest.ok()) {
      Add("manifest.json", Message(manifest.status()));
      return absl::OkStatus();
    }
    const size_t before = report_.problems.size();
    RETURN_IF_ERROR(CheckParts(out_, below_, manifest->parts, kWhat, kRepair, report_, totals.bytes, context_));
    RETURN_IF_ERROR(CheckCounts(*manifest));
    totals.parts += manifest->parts.size();
    for (const PartInfo& part : manifest->parts) totals.records += part.rows;
    const bool readable = report_.problems.size() == before;
    return readable ? CheckRecords(*manifest, leaves) : absl::OkStatus();
  }

 private:
  void Add(const std::string& file, std::string problem, const char* repair = kRepair) {
    report_.problems.push_back({kWhat, below_ + "/" + file, std::move(problem), repair});
  }

  absl::Status CheckCounts(const SourceManifest& manifest) {
    const Json& counts = manifest.manifest.counts;
    const auto count = [&](const char* name) { return counts.is_object() ? counts.value(name, uint64_t{0}) : 0; };
    if (count("read") != count("stored") + count("duplicates") + count("rejected")) {
      Add("manifest.json", fmt::format("counts do not add up: read {} is not stored {} + duplicates {} + rejected {}",
                                       count("read"), count("stored"), count("duplicates"), count("rejected")));
    }
    uint64_t rows = 0;
    for (const PartInfo& part : manifest.parts) rows += part.rows;
    if (rows + count("erased") != count("stored")) {
      Add("manifest.json", fmt::format("counts do not add up: {} rows are not stored {} - erased {}", rows,
                                       count("stored"), count("erased")));
    }
    RETURN_IF_ERROR(
        CheckLog(kDuplicatesFile, manifest.duplicates_bytes, "duplicates",
                 count("duplicates") - std::min(count("duplicates"), count("known") + count("erased_duplicates"))));
    return CheckLog(kRejectsFile, manifest.rejects_bytes, "rejected", count("rejected"));
  }

  absl::Status CheckLog(const char* name, uint64_t bytes, const char* count, uint64_t expected) {
    const std::string path = directory_ + "/" + name;
    uint64_t size = 0;
    if (PathExists(path)) {
      ASSIGN_OR_RETURN(size, FileSize(path));
    }
    if (size < bytes) {
      Add(name, fmt::format("has {} bytes, and the manifest lists {}", size, bytes));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const uint64_t lines, CountLines(path, bytes));
    if (lines != expected)
      Add(name, fmt::format("has {} lines, and the manifest counts {} {}", lines, expected, count));
    return absl::OkStatus();
  }

  absl::Status CheckRecords(const SourceManifest& manifest, std::vector<MerkleLeaf>& leaves) {
    std::vector<MerkleLeaf> own;
    std::mutex mutex;
    const absl::Status read = ParallelFor(context_.Threads(), manifest.parts.size(), [&](size_t i) -> absl::Status {
      RETURN_IF_ERROR(context_.CheckCancelled());
      std::vector<MerkleLeaf> of_part;
      std::string problem;
      RETURN_IF_ERROR(CheckRows(manifest.parts[i].file, of_part, problem));
      const std::scoped_lock lock(mutex);
      own.insert(own.end(), of_part.begin(), of_part.end());
      if (!problem.empty()) Add(manifest.parts[i].file, problem);
      return absl::OkStatus();
    });
    RETURN_IF_ERROR(read);
    std::sort(own.begin(), own.end());
    const auto same = std::adjacent_find(own.begin(), own.end());
    if (same != own.end()) {
      Add("manifest.json", fmt::format("the id {} is that of two records", IdOfLeaf(*same)));
    }
    leaves.insert(leaves.end(), own.begin(), own.end());
    return absl::OkStatus();
  }

  // Problems of rows, in one sentence.
  absl::Status CheckRows(const std::string& file, std::vector<MerkleLeaf>& ids, std::string& problem) const {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    absl::StatusOr<QueryResult> rows = database->Query(fmt::format(
        "SELECT id, coalesce(regexp_full_match(id, '[0-9a-f]{{32}}'), false), coalesce(\"begin\" <= \"end\", false), "
        "coalesce(source = {}, false) FROM read_parquet({}, hive_partitioning = false)",
        SqlLiteral(std::filesystem::path(below_).filename().string()), SqlLiteral(directory_ + "/" + file)));
    uint64_t bad_ids = 0;
    uint64_t bad_ranges = 0;
    uint64_t foreign = 0;
    while (rows.ok()) {
      const absl::StatusOr<bool> more = rows->Next();
      if (!more.ok()) {
        problem = "cannot be read: " + Message(more.status());
        return absl::OkStatus();
      }
      if (!*more) break;
      for (size_t row = 0; row < rows->row_count(); ++row) {
        if (!rows->IsNull(0, row)) ids.push_back(LeafOfId(rows->String(0, row)));
        bad_ids += !rows->Bool(1, row);
        bad_ranges += !rows->Bool(2, row);
        foreign += !rows->Bool(3, row);
      }
    }
    if (!rows.ok()) problem = "cannot be read: " + Message(rows.status());
    if (bad_ids > 0) problem = fmt::format("{} rows have an id that is not 32 hexadecimal digits", bad_ids);
    if (bad_ranges > 0) problem = fmt::format("{} rows begin behind their end", bad_ranges);
    if (foreign > 0) problem = fmt::format("{} rows are of another source", foreign);
    return absl::OkStatus();
  }

  const std::string& out_;
  const std::string& below_;
  const std::string directory_;
  CheckReport& report_;
  const RunContext& context_;
};

// A part as it lies there, read whole; an error when it cannot be.
absl::StatusOr<PartInfo> DescribePart(const std::string& directory, const std::string& file) {
  PartInfo info{file, 0, 0, {}};
  ASSIGN_OR_RETURN(info.rows, ReadWholePart(directory + "/" + file));
  ASSIGN_OR_RETURN(info.bytes, FileSize(directory + "/" + file));
  ASSIGN_OR_RETURN(info.sha256, Sha256OfFile(directory + "/" + file));
  return info;
}

absl::Status MoveToDamaged(const std::string& out, const std::string& below, const std::string& file,
                           std::vector<std::string>& done) {
  const std::string target = fmt::format("{}/damaged/{}", out, below);
  RETURN_IF_ERROR(CreateDirectories(target));
  std::string path = target + "/" + file;
  for (int i = 1; PathExists(path); ++i) path = fmt::format("{}/{}.{}", target, file, i);
  RETURN_IF_ERROR(Rename(fmt::format("{}/{}/{}", out, below, file), path));
  done.push_back(fmt::format("{}/{} moved to {}", below, file, path.substr(out.size() + 1)));
  return absl::OkStatus();
}

// Up to the last line break: what a kill left behind it is no line.
absl::StatusOr<uint64_t> WholeLines(const std::string& path) {
  if (!PathExists(path)) return 0;
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  return file.bytes().rfind('\n') + 1;  // npos + 1 is 0
}

}  // namespace

absl::Status CheckParts(const std::string& out, const std::string& below, const std::vector<PartInfo>& parts,
                        const char* what, const char* repair, CheckReport& report, uint64_t& bytes,
                        const RunContext& context) {
  std::vector<std::string> problems(parts.size());
  const absl::Status judged = ParallelFor(context.Threads(), parts.size(), [&](size_t i) -> absl::Status {
    RETURN_IF_ERROR(context.CheckCancelled());
    ASSIGN_OR_RETURN(problems[i], JudgePart(fmt::format("{}/{}/{}", out, below, parts[i].file), parts[i]));
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(judged);
  for (size_t i = 0; i < parts.size(); ++i) {
    bytes += parts[i].bytes;
    if (!problems[i].empty()) report.problems.push_back({what, below + "/" + parts[i].file, problems[i], repair});
  }
  return absl::OkStatus();
}

absl::Status CheckSource(const std::string& out, const std::string& below, CheckReport& report, SourceTotals& totals,
                         std::vector<MerkleLeaf>& leaves, const RunContext& context) {
  return SourceChecker(out, below, report, context).Run(totals, leaves);
}

absl::Status RepairSource(const std::string& out, const std::string& below, std::vector<std::string>& done) {
  const std::filesystem::path path(out + "/" + below);
  const std::string directory = path.string();
  ASSIGN_OR_RETURN(const SourceLock lock, SourceLock::Take(path.parent_path().string(), path.filename().string()));
  absl::StatusOr<SourceManifest> old = ReadSourceManifest(directory);
  SourceManifest made;
  if (old.ok()) made = *old;
  made.parts.clear();
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(directory));
  uint64_t rows = 0;
  bool lost = false;
  for (const std::string& file : files) {
    const std::string name = file.substr(directory.size() + 1);
    if (!name.starts_with("part-") || !name.ends_with(".parquet")) continue;
    if (old.ok() &&
        std::none_of(old->parts.begin(), old->parts.end(), [&](const PartInfo& part) { return part.file == name; })) {
      continue;  // never committed
    }
    absl::StatusOr<PartInfo> part = DescribePart(directory, name);
    if (!part.ok()) {
      RETURN_IF_ERROR(MoveToDamaged(out, below, name, done));
      lost = true;
      continue;
    }
    rows += part->rows;
    made.parts.push_back(*std::move(part));
  }
  lost |= old.ok() && made.parts.size() != old->parts.size();
  // Otherwise a file that was taken in before would not be read again.
  if (lost && PathExists(directory + "/" + kFilesFile)) {
    RETURN_IF_ERROR(MoveToDamaged(out, below, kFilesFile, done));
  }
  ASSIGN_OR_RETURN(made.duplicates_bytes, WholeLines(directory + "/" + kDuplicatesFile));
  ASSIGN_OR_RETURN(made.rejects_bytes, WholeLines(directory + "/" + kRejectsFile));
  ASSIGN_OR_RETURN(made.files_bytes, WholeLines(directory + "/" + kFilesFile));
  ASSIGN_OR_RETURN(const uint64_t duplicates, CountLines(directory + "/" + kDuplicatesFile, made.duplicates_bytes));
  ASSIGN_OR_RETURN(const uint64_t rejected, CountLines(directory + "/" + kRejectsFile, made.rejects_bytes));
  made.manifest.stage = "ingest";
  made.manifest.key.clear();  // so that `rhodes run` reads the source again
  if (!made.manifest.settings.is_object()) made.manifest.settings = Json::object();
  Json& counts = made.manifest.counts;
  if (!counts.is_object()) counts = Json::object();
  const auto kept = [&](const char* name) { return counts.value(name, uint64_t{0}); };
  const uint64_t stored = rows + kept("erased");
  const uint64_t all_duplicates = duplicates + kept("known") + kept("erased_duplicates");
  counts["read"] = stored + all_duplicates + rejected;
  counts["stored"] = stored;
  counts["duplicates"] = all_duplicates;
  counts["rejected"] = rejected;
  RETURN_IF_ERROR(WriteSourceManifest(directory, made));
  done.push_back(fmt::format("{}/manifest.json made again from {} parts with {} records{}", below, made.parts.size(),
                             rows, lost ? "; read the input again for the rest" : ""));
  return absl::OkStatus();
}

}  // namespace rhodes
