#include "source/parquet.h"

#include <algorithm>

#include "base/file.h"
#include "source/encoding.h"
#include "source/row_builder.h"
#include "table/database.h"

namespace rhodes {
namespace {

constexpr uint64_t kBatchBytes = 2 << 20;

enum class ColumnKind { kString, kNumber, kBlob, kOther };

ColumnKind KindOf(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
      return ColumnKind::kNumber;
    case DUCKDB_TYPE_BLOB:
      return ColumnKind::kBlob;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_UNION:
    case DUCKDB_TYPE_BOOLEAN:
      return ColumnKind::kOther;
    default:  // strings, dates and times in ISO form, enums, UUIDs
      return ColumnKind::kString;
  }
}

struct Column {
  std::string name;
  ColumnKind kind;
  RoleTable::Found role;
};

class ParquetRows final : public RowReader {
 public:
  ParquetRows(std::string path, const ReadOptions& options)
      : path_(std::move(path)), options_(options), roles_(options.columns, options.time_zone), builder_(roles_) {}

  absl::Status Start(uint64_t memory_bytes) {
    ASSIGN_OR_RETURN(size_, FileSize(path_));
    Database::Options settings;
    settings.memory_bytes = std::max<uint64_t>(memory_bytes, uint64_t{64} << 20);
    ASSIGN_OR_RETURN(database_, Database::Open(settings));
    RETURN_IF_ERROR(database_->Execute("SET TimeZone = 'UTC'"));
    const std::string source = "read_parquet(" + SqlLiteral(path_) + ")";
    std::string selected;
    {
      ASSIGN_OR_RETURN(const QueryResult schema, database_->Query("SELECT * FROM " + source + " LIMIT 0"));
      for (size_t i = 0; i < schema.column_count(); ++i) {
        Column column{schema.column_name(i), KindOf(schema.column_type(i)), roles_.Find(schema.column_name(i))};
        const std::string name = "t." + SqlIdentifier(column.name);
        const bool nested = column.kind == ColumnKind::kOther && schema.column_type(i) != DUCKDB_TYPE_BOOLEAN;
        selected += column.kind == ColumnKind::kBlob ? name
                    : nested                         ? "to_json(" + name + ")::VARCHAR"
                                                     : name + "::VARCHAR";
        selected += ", ";
        if (column.name == "row") row_field_ = "file_row";
        columns_.push_back(std::move(column));
      }
    }
    ASSIGN_OR_RETURN(QueryResult rows,
                     database_->Query("SELECT " + selected + "to_json(t)::VARCHAR FROM " + source + " AS t"));
    rows_ = std::make_unique<QueryResult>(std::move(rows));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Next(ParsedBlock& out) override {
    for (uint64_t bytes = 0; bytes < kBatchBytes;) {
      ASSIGN_OR_RETURN(const bool more, rows_->Next());
      if (!more) return false;
      for (size_t row = 0; row < rows_->row_count(); ++row) bytes += AddRow(row, out);
    }
    return true;
  }

 private:
  // Returns the size of the row.
  uint64_t AddRow(size_t row, ParsedBlock& out) {
    builder_.Begin();
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!rows_->IsNull(i, row)) AddValue(columns_[i], rows_->String(i, row));
    }
    const std::string number = fmt::format("{}", row_++);
    builder_.AddOther(row_field_, number);
    Record record;
    std::string reason;
    if (!builder_.Finish(options_, record, reason)) {
      out.rejects.push_back({Origin{path_, 0, size_}, fmt::format("row {}: {}", number, reason)});
      return number.size();
    }
    record.original = rows_->String(columns_.size(), row);
    if (record.original.size() > options_.record_limit) {
      out.rejects.push_back(
          {Origin{path_, 0, size_}, fmt::format("row {}: longer than {} bytes", number, options_.record_limit)});
      return record.original.size();
    }
    record.origin = {path_, 0, size_};
    SealRecord(options_, "row", "parquet/1", record);
    const uint64_t size = record.original.size() + record.text.size();
    out.records.push_back(std::move(record));
    return size;
  }

  void AddValue(const Column& column, std::string_view value) {
    switch (column.kind) {
      case ColumnKind::kNumber:
        if (const std::optional<double> number = ParseNumber(value)) {
          builder_.AddNumber(column.name, column.role, *number, value);
        } else {
          builder_.AddString(column.name, column.role, value);  // nan, inf
        }
        break;
      case ColumnKind::kBlob:
        if (LooksBinary(value) || FindInvalidUtf8(value) != std::string_view::npos) break;
        builder_.AddString(column.name, column.role, value);
        break;
      case ColumnKind::kString:
        builder_.AddString(column.name, column.role, value);
        break;
      case ColumnKind::kOther:
        builder_.AddOther(column.name, value);
        break;
    }
  }

  const std::string path_;
  const ReadOptions& options_;
  const RoleTable roles_;
  RowBuilder builder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<QueryResult> rows_;
  std::vector<Column> columns_;
  std::string row_field_ = "row";
  uint64_t size_ = 0;
  uint64_t row_ = 0;
};

class Parquet final : public Format {
 public:
  std::string_view name() const override { return "parquet"; }
  Framing framing() const override { return Framing::kRows; }
  bool binary() const override { return true; }
  int Detect(std::string_view /*path*/, std::string_view head) const override {
    return head.starts_with("PAR1") ? 100 : 0;
  }

  absl::StatusOr<std::unique_ptr<RowReader>> OpenRows(const std::string& path, const ReadOptions& options,
                                                      uint64_t memory_bytes) const override {
    auto rows = std::make_unique<ParquetRows>(path, options);
    RETURN_IF_ERROR(Annotate(rows->Start(memory_bytes), "not readable as Parquet"));
    return rows;
  }
};

}  // namespace

const Format& ParquetFormat() {
  static const Parquet format;
  return format;
}

}  // namespace rhodes
