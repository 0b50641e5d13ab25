#include "record/document_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "record/document_ranges.h"
#include "record/json_documents.h"
#include "table/database.h"
#include "table/parquet_parts.h"

namespace rhodes {
namespace {

constexpr char kColumns[] =
    "id VARCHAR, text VARCHAR, time TIMESTAMP, language VARCHAR, sources VARCHAR[], parents VARCHAR[], meta VARCHAR";
constexpr size_t kColumnCount = 8;  // with spans

class Reader final : public DocumentReader {
 public:
  explicit Reader(std::vector<std::string> files) : files_(std::move(files)) {}
  explicit Reader(const DocumentRange& range) : files_({range.file}), range_(range) {}

  absl::Status Start() {
    const bool any_parquet = std::any_of(files_.begin(), files_.end(), &IsParquetName);
    if (any_parquet) {
      Database::Options options;
      options.threads = 2;
      ASSIGN_OR_RETURN(database_, Database::Open(options));
    }
    for (const std::string& file : files_) {
      if (!IsParquetName(file)) {
        total_rows_ = 0;
        return absl::OkStatus();
      }
      absl::StatusOr<uint64_t> rows =
          database_->QueryCount(fmt::format("SELECT num_rows FROM parquet_file_metadata({})", SqlLiteral(file)));
      if (!rows.ok()) return Damaged(file, rows.status());
      total_rows_ += *rows;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Next(std::vector<Document>& batch) override {
    batch.clear();
    uint64_t bytes = 0;
    while (bytes < kBatchBytes) {
      if (!result_.has_value() && json_ == nullptr) {
        if (next_file_ == files_.size()) break;
        RETURN_IF_ERROR(OpenFile(files_[next_file_++]));
      }
      if (json_ != nullptr) {
        RETURN_IF_ERROR(NextOfLines(batch, bytes));
        continue;
      }
      if (row_ == result_->row_count()) {
        absl::StatusOr<bool> more = result_->Next();
        if (!more.ok()) return Damaged(files_[next_file_ - 1], more.status());
        row_ = 0;
        if (!*more) {
          result_.reset();
          continue;
        }
      }
      Document& document = batch.emplace_back();
      RETURN_IF_ERROR(Fill(row_++, document));
      bytes += document.text.size();
      ++file_row_;
    }
    return !batch.empty();
  }

  uint64_t row_count() const override { return total_rows_; }

 private:
  static absl::Status Damaged(const std::string& file, const absl::Status& status) {
    if (ExitCodeOf(status) == ExitCode::kInterrupted) return status;
    const std::string message = Message(status);
    return absl::InvalidArgumentError(fmt::format("read documents: {}: {}", file, message));
  }

  absl::Status OpenFile(const std::string& file) {
    file_row_ = 1;
    if (!IsParquetName(file)) {
      const bool part = range_.has_value() && range_->by_bytes;
      ASSIGN_OR_RETURN(json_,
                       part ? JsonDocuments::OpenRange(file, range_->begin, range_->end) : JsonDocuments::Open(file));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const std::string sql, ParquetSelect(file));
    absl::StatusOr<QueryResult> result = database_->Query(sql);
    if (!result.ok()) return Damaged(file, result.status());
    result_.emplace(*std::move(result));
    row_ = 0;
    return absl::OkStatus();
  }

  // Rhodes' own columns as they are; another tool's columns cast to them, the rest as one JSON object.
  absl::StatusOr<std::string> ParquetSelect(const std::string& file) {
    absl::StatusOr<QueryResult> described =
        database_->Query(fmt::format("DESCRIBE SELECT * FROM read_parquet({})", SqlLiteral(file)));
    if (!described.ok()) return Damaged(file, described.status());
    std::vector<std::pair<std::string, std::string>> columns;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, described->Next());
      if (!more) break;
      for (size_t row = 0; row < described->row_count(); ++row) {
        columns.emplace_back(described->String(0, row), described->String(1, row));
      }
    }
    const auto has = [&](const std::string& name, const char* type) {
      return std::any_of(columns.begin(), columns.end(), [&](const auto& column) {
        return column.first == name && (*type == '\0' || column.second == type);
      });
    };
    if (!has("text", "")) {
      return absl::InvalidArgumentError(fmt::format("read documents: {}: there is no column \"text\"", file));
    }
    const auto scalar = [&](const char* name, const char* type) {
      return has(name, "") ? fmt::format("TRY_CAST({} AS {})", SqlIdentifier(name), type)
                           : fmt::format("NULL::{}", type);
    };
    const auto list = [&](const char* name) {
      return has(name, "VARCHAR[]") ? SqlIdentifier(name) : std::string("NULL::VARCHAR[]");
    };
    std::string meta = scalar("meta", "VARCHAR");
    if (!has("meta", "")) {
      std::string others;
      for (const auto& [name, type] : columns) {
        if (std::string_view("|id|text|time|language|sources|parents|spans|").find("|" + name + "|") !=
            std::string_view::npos)
          continue;
        others += fmt::format("{}{} := {}", others.empty() ? "" : ", ", SqlIdentifier(name), SqlIdentifier(name));
      }
      if (!others.empty()) meta = fmt::format("CAST(to_json(struct_pack({})) AS VARCHAR)", others);
    }
    // Older parts have none; a column of that name that says something else is not taken for it.
    const auto spans =
        std::find_if(columns.begin(), columns.end(), [](const auto& one) { return one.first == "spans"; });
    const bool has_spans = spans != columns.end() && spans->second.starts_with("STRUCT(\"begin\" ") &&
                           spans->second.ends_with("[]") && has("parents", "VARCHAR[]");
    return fmt::format(
        "SELECT {}, {}, {}, {}, {}, {}, {}, {} FROM read_parquet({})", scalar("id", "VARCHAR"),
        scalar("text", "VARCHAR"), scalar("time", "TIMESTAMP"), scalar("language", "VARCHAR"), list("sources"),
        list("parents"), meta,
        has_spans ? fmt::format("TRY_CAST(spans AS {})", kSpansType) : fmt::format("NULL::{}", kSpansType),
        SqlLiteral(file));
  }

  absl::Status Fill(size_t row, Document& document) {
    QueryResult& result = *result_;
    if (result.IsNull(1, row)) {
      return absl::InvalidArgumentError(
          fmt::format("read documents: {}: row {}: there is no \"text\"", files_[next_file_ - 1], file_row_));
    }
    document.text = result.String(1, row);
    document.id = result.IsNull(0, row) ? ContentId({document.text}) : std::string(result.String(0, row));
    if (!result.IsNull(2, row)) document.time = result.Int64(2, row);
    if (!result.IsNull(3, row)) document.language = result.String(3, row);
    for (const std::string_view source : result.StringList(4, row)) document.sources.emplace_back(source);
    for (const std::string_view parent : result.StringList(5, row)) document.parents.emplace_back(parent);
    if (!result.IsNull(6, row)) document.meta = result.String(6, row);
    return FillSpans(result_->TripleList(7, row), document);
  }

  // The next line's document, or the end of the file.
  absl::Status NextOfLines(std::vector<Document>& batch, uint64_t& bytes) {
    const std::string& file = files_[next_file_ - 1];
    Document& document = batch.emplace_back();
    const absl::StatusOr<bool> more = json_->Next(document, triples_);
    if (!more.ok() || !*more) {
      batch.pop_back();
      if (!more.ok()) return Damaged(file, more.status());
      json_.reset();
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(FillSpans(triples_, document));
    bytes += document.text.size();
    ++file_row_;
    return absl::OkStatus();
  }

  absl::Status FillSpans(const JsonDocuments::Triples& triples, Document& document) {
    for (const auto& [begin, end, parent] : triples) {
      if (begin >= end || end > document.text.size() || parent >= document.parents.size()) {
        return absl::InvalidArgumentError(fmt::format(
            "read documents: {}: row {}: a span of bytes {} to {} from parent {} is not within its {} bytes and {} "
            "parents",
            files_[next_file_ - 1], json_ != nullptr ? json_->row() : file_row_, begin, end, parent,
            document.text.size(), document.parents.size()));
      }
      document.spans.push_back({begin, end, parent});
    }
    return absl::OkStatus();
  }

  const std::vector<std::string> files_;
  const std::optional<DocumentRange> range_;  // of the one file
  std::unique_ptr<Database> database_;        // when there is a Parquet file
  std::optional<QueryResult> result_;         // of a Parquet file
  std::unique_ptr<JsonDocuments> json_;       // of a file of lines
  JsonDocuments::Triples triples_;
  size_t next_file_ = 0;
  size_t row_ = 0;
  uint64_t file_row_ = 0;
  uint64_t total_rows_ = 0;
};

class Writer final : public DocumentWriter {
 public:
  explicit Writer(std::unique_ptr<ParquetPartWriter> parts) : parts_(std::move(parts)) {}

  absl::Status Append(const Document& document, const std::vector<std::string_view>& extra) override {
    RowChunks& row = parts_->row();
    row.SetString(0, document.id);
    row.SetString(1, document.text);
    if (document.time.has_value()) row.SetInt64(2, *document.time);
    if (!document.language.empty()) row.SetString(3, document.language);
    row.SetStringList(4, document.sources);
    row.SetStringList(5, document.parents);
    if (!document.meta.empty()) row.SetString(6, document.meta);
    if (!document.spans.empty()) {
      spans_.clear();
      for (const Span& span : document.spans) spans_.push_back({span.begin, span.end, span.parent});
      row.SetTripleList(7, spans_);
    }
    for (size_t i = 0; i < extra.size(); ++i) row.SetString(kColumnCount + i, extra[i]);
    return parts_->EndRow(document.text.size() + document.meta.size() + 32 * document.parents.size() +
                          24 * document.spans.size() + 64);
  }

  absl::Status Finish() override {
    ASSIGN_OR_RETURN(written_, parts_->Finish());
    return absl::OkStatus();
  }
  const std::vector<PartInfo>& parts() const override { return written_; }

 private:
  std::vector<std::array<uint64_t, 3>> spans_;
  std::vector<PartInfo> written_;
  std::unique_ptr<ParquetPartWriter> parts_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DocumentReader>> DocumentReader::Open(const std::vector<std::string>& paths) {
  ASSIGN_OR_RETURN(std::vector<std::string> files, DocumentFiles(paths));
  auto reader = std::make_unique<Reader>(std::move(files));
  RETURN_IF_ERROR(reader->Start());
  return reader;
}

absl::StatusOr<std::unique_ptr<DocumentReader>> DocumentReader::OpenRange(const DocumentRange& range) {
  auto reader = std::make_unique<Reader>(range);
  RETURN_IF_ERROR(reader->Start());
  return reader;
}

absl::StatusOr<std::unique_ptr<DocumentWriter>> DocumentWriter::Create(const std::string& directory,
                                                                       const std::vector<std::string>& extra_columns) {
  ParquetPartWriter::Options options;
  options.directory = directory;
  options.columns = fmt::format("{}, spans {}", kColumns, kSpansType);
  for (const std::string& column : extra_columns) options.columns += fmt::format(", {} VARCHAR", SqlIdentifier(column));
  options.part_bytes = kPartBytes;
  ASSIGN_OR_RETURN(std::unique_ptr<ParquetPartWriter> parts, ParquetPartWriter::Create(options));
  return std::make_unique<Writer>(std::move(parts));
}

}  // namespace rhodes
