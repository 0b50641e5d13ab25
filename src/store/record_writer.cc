// Taking records in: duplicates by id, parts on background threads, one atomic commit.
#include <unistd.h>

#include <cerrno>

#include "absl/container/flat_hash_set.h"
#include "base/file.h"
#include "base/line_writer.h"
#include "base/manifest.h"
#include "base/text.h"
#include "store/record_store.h"
#include "table/parquet_parts.h"

namespace rhodes {
namespace {

constexpr char kColumns[] =
    "id VARCHAR, source VARCHAR, kind VARCHAR, time TIMESTAMP, author VARCHAR, latitude DOUBLE, longitude DOUBLE, "
    "language VARCHAR, text VARCHAR, channels MAP(VARCHAR, DOUBLE), fields MAP(VARCHAR, VARCHAR), original BLOB, "
    "file VARCHAR, \"begin\" UBIGINT, \"end\" UBIGINT, reader VARCHAR";
enum Column : size_t {
  kId,
  kSource,
  kKind,
  kTime,
  kAuthor,
  kLatitude,
  kLongitude,
  kLanguage,
  kText,
  kChannels,
  kFields,
  kOriginal,
  kFile,
  kBegin,
  kEnd,
  kReader
};
constexpr uint64_t kPartBytes = uint64_t{64} << 20;

// The 128 bits of an id: 16 bytes and one of bookkeeping in the set, at a load of 7/16 to 7/8.
using IdBits = std::pair<uint64_t, uint64_t>;

IdBits BitsOf(std::string_view hex) {
  const auto word = [&](size_t begin) {
    uint64_t value = 0;
    for (size_t i = begin; i < begin + 16 && i < hex.size(); ++i) {
      const char c = hex[i];
      value = value << 4 | static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
  };
  return {word(0), word(16)};
}

Json OriginJson(const Origin& origin) { return {{"file", origin.file}, {"begin", origin.begin}, {"end", origin.end}}; }

absl::Status HardLink(const std::string& from, const std::string& to) {
  if (link(from.c_str(), to.c_str()) != 0) return ErrnoError(errno, "link", fmt::format("{} to {}", from, to));
  return absl::OkStatus();
}

class Writer final : public RecordWriter {
 public:
  Writer(std::string out, std::string source, StagedDirectory directory, LineWriter rejects, LineWriter duplicates)
      : out_(std::move(out)),
        source_(std::move(source)),
        directory_(std::move(directory)),
        rejects_(std::move(rejects)),
        duplicates_(std::move(duplicates)) {}

  // `previous`: the manifest of what is there and stays, with its parts already linked into the staged directory.
  absl::Status Start(const Manifest* previous, const RunContext& context) {
    ParquetPartWriter::Options options;
    options.directory = directory_.path();
    options.columns = kColumns;
    options.part_bytes = std::min(kPartBytes, std::max<uint64_t>(context.memory_bytes / 16, uint64_t{4} << 20));
    if (previous != nullptr) {
      previous_ = previous->counts;
      for (const Json& part : previous_["parts"]) {
        const auto file = part["file"].get<std::string>();
        options.first_part = std::stoi(file.substr(file.find('-') + 1)) + 1;
        RETURN_IF_ERROR(LoadIds(directory_.path() + "/" + file));
      }
    }
    ASSIGN_OR_RETURN(parts_, ParquetPartWriter::Create(options));
    return absl::OkStatus();
  }

  absl::Status Append(Record record) override {
    ++counts_.read;
    if (!seen_.insert(BitsOf(record.id)).second) {
      ++counts_.duplicates;
      Json line = {{"id", record.id}};
      line.update(OriginJson(record.origin));
      duplicates_.Write(DumpJson(line));
      return absl::OkStatus();
    }
    ++counts_.stored;
    TableAppender& row = parts_->row();
    row.SetString(kId, record.id);
    row.SetString(kSource, source_);
    SetText(row, kKind, record.kind);
    if (record.time.has_value()) row.SetInt64(kTime, *record.time);
    SetText(row, kAuthor, record.author);
    if (record.latitude.has_value()) row.SetDouble(kLatitude, *record.latitude);
    if (record.longitude.has_value()) row.SetDouble(kLongitude, *record.longitude);
    SetText(row, kLanguage, record.language);
    SetText(row, kText, record.text);
    if (!record.channels.empty()) row.SetMap(kChannels, record.channels);
    uint64_t bytes = record.text.size() + 256;
    for (auto& [name, value] : record.fields) {
      if (!IsValidUtf8(name)) name = ReplaceInvalidUtf8(name);
      if (!IsValidUtf8(value)) value = ReplaceInvalidUtf8(value);
      bytes += name.size() + value.size();
    }
    if (!record.fields.empty()) row.SetMap(kFields, record.fields);
    if (record.original != record.text) {
      row.SetString(kOriginal, record.original);
      bytes += record.original.size();
    }
    SetText(row, kFile, record.origin.file);
    row.SetUInt64(kBegin, record.origin.begin);
    row.SetUInt64(kEnd, record.origin.end);
    SetText(row, kReader, record.reader);
    return parts_->EndRow(bytes);
  }

  absl::Status AddReject(Reject reject) override {
    ++counts_.read;
    ++counts_.rejected;
    Json line = OriginJson(reject.origin);
    line["reason"] = reject.reason;
    rejects_.Write(DumpJson(line));
    return absl::OkStatus();
  }

  void AddBytes(uint64_t uncompressed_bytes) override { counts_.bytes += uncompressed_bytes; }
  IngestCounts counts() const override { return counts_; }

  absl::StatusOr<IngestCounts> Commit(const std::string& key, const Json& settings, double seconds) override {
    if (counts_.read != counts_.stored + counts_.duplicates + counts_.rejected) {
      return absl::InternalError(fmt::format("ingest {}: {} read, but {} stored + {} duplicates + {} rejected", source_,
                                             counts_.read, counts_.stored, counts_.duplicates, counts_.rejected));
    }
    ASSIGN_OR_RETURN(const std::vector<PartInfo> parts, parts_->Finish());
    RETURN_IF_ERROR(rejects_.Close());
    RETURN_IF_ERROR(duplicates_.Close());
    Manifest manifest{"ingest", key, settings, Counts(parts), seconds};
    RETURN_IF_ERROR(WriteManifest(directory_.path(), manifest));
    // The log's other name first: killed between the two, the next run writes both again.
    const std::string log = fmt::format("{}/rejects/{}.jsonl", out_, source_);
    RETURN_IF_ERROR(CreateDirectories(out_ + "/rejects"));
    RETURN_IF_ERROR(RemoveTree(log + ".partial"));
    RETURN_IF_ERROR(HardLink(directory_.path() + "/rejects.jsonl", log + ".partial"));
    RETURN_IF_ERROR(Rename(log + ".partial", log));
    RETURN_IF_ERROR(RemoveTree(log + ".partial"));  // rename() of two links to one file leaves both
    RETURN_IF_ERROR(directory_.Commit());
    return counts_;
  }

 private:
  static void SetText(TableAppender& row, size_t column, const std::string& text) {
    if (text.empty()) return;
    if (IsValidUtf8(text)) {
      row.SetString(column, text);
    } else {
      row.SetString(column, ReplaceInvalidUtf8(text));
    }
  }

  absl::Status LoadIds(const std::string& part) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    ASSIGN_OR_RETURN(QueryResult result, database->Query("SELECT id FROM read_parquet(" + SqlLiteral(part) + ")"));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, result.Next());
      if (!more) return absl::OkStatus();
      for (size_t row = 0; row < result.row_count(); ++row) seen_.insert(BitsOf(result.String(0, row)));
    }
  }

  Json Counts(const std::vector<PartInfo>& parts) const {
    const auto sum = [&](const char* name, uint64_t value) { return previous_.value(name, uint64_t{0}) + value; };
    Json list = previous_.value("parts", Json::array());
    for (const PartInfo& part : parts) {
      list.push_back({{"file", part.file}, {"rows", part.rows}, {"bytes", part.bytes}, {"sha256", part.sha256}});
    }
    return {{"read", sum("read", counts_.read)},
            {"stored", sum("stored", counts_.stored)},
            {"duplicates", sum("duplicates", counts_.duplicates)},
            {"rejected", sum("rejected", counts_.rejected)},
            {"bytes", sum("bytes", counts_.bytes)},
            {"parts", list}};
  }

  const std::string out_;
  const std::string source_;
  StagedDirectory directory_;
  LineWriter rejects_;
  LineWriter duplicates_;
  std::unique_ptr<ParquetPartWriter> parts_;
  absl::flat_hash_set<IdBits> seen_;
  Json previous_ = Json::object();
  IngestCounts counts_;
};

// Copies the lines of an earlier log to the beginning of the new one.
absl::Status CopyLines(const std::string& from, LineWriter& to) {
  if (!PathExists(from)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(from));
  if (!file.bytes().empty()) to.Write(file.bytes().substr(0, file.bytes().size() - 1));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Open(const std::string& out, const std::string& source,
                                                                 Mode mode, const RunContext& context) {
  const std::string target = fmt::format("{}/records/{}", out, source);
  RETURN_IF_ERROR(CreateDirectories(out + "/records"));
  ASSIGN_OR_RETURN(StagedDirectory directory, StagedDirectory::Open(target));
  ASSIGN_OR_RETURN(LineWriter rejects, LineWriter::Create(directory.path() + "/rejects.jsonl"));
  ASSIGN_OR_RETURN(LineWriter duplicates, LineWriter::Create(directory.path() + "/duplicates.jsonl"));
  std::optional<Manifest> previous;
  if (mode == Mode::kAppend && PathExists(target + "/manifest.json")) {
    ASSIGN_OR_RETURN(previous, ReadManifest(target));
    // Parts are never changed once written: the new directory holds the same files under second names.
    for (const Json& part : previous->counts["parts"]) {
      const auto file = part["file"].get<std::string>();
      RETURN_IF_ERROR(HardLink(target + "/" + file, directory.path() + "/" + file));
    }
    RETURN_IF_ERROR(CopyLines(target + "/rejects.jsonl", rejects));
    RETURN_IF_ERROR(CopyLines(target + "/duplicates.jsonl", duplicates));
  }
  auto writer = std::make_unique<Writer>(out, source, std::move(directory), std::move(rejects), std::move(duplicates));
  RETURN_IF_ERROR(writer->Start(previous.has_value() ? &*previous : nullptr, context));
  return writer;
}

}  // namespace rhodes
