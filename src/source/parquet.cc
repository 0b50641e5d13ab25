#include "source/parquet.h"

#include <algorithm>
#include <deque>

#include "absl/container/flat_hash_set.h"
#include "base/file.h"
#include "source/encoding.h"
#include "source/json_scan.h"
#include "source/parquet_check.h"
#include "source/row_builder.h"
#include "table/database.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "parquet/2";
constexpr uint64_t kBatchBytes = 2 << 20;
constexpr size_t kHexBytes = 1024;       // of a binary value; a longer one is only in `original`
constexpr size_t kExactDigits = 15;      // of a decimal that a double holds
constexpr size_t kMostColumns = 100000;  // with the members of structs

enum class ColumnKind { kString, kNumber, kDecimal, kBlob, kOther };

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
      return ColumnKind::kNumber;
    case DUCKDB_TYPE_DECIMAL:
      return ColumnKind::kDecimal;
    case DUCKDB_TYPE_BLOB:
      return ColumnKind::kBlob;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_UNION:
    case DUCKDB_TYPE_BOOLEAN:
      return ColumnKind::kOther;
    default:  // strings, dates and times in ISO form, enums, UUIDs, intervals
      return ColumnKind::kString;
  }
}

bool IsNested(duckdb_type type) {
  return type == DUCKDB_TYPE_LIST || type == DUCKDB_TYPE_ARRAY || type == DUCKDB_TYPE_STRUCT ||
         type == DUCKDB_TYPE_MAP || type == DUCKDB_TYPE_UNION;
}

class LogicalType {
 public:
  explicit LogicalType(duckdb_logical_type type) : type_(type) {}
  ~LogicalType() { duckdb_destroy_logical_type(&type_); }
  LogicalType(const LogicalType&) = delete;
  LogicalType& operator=(const LogicalType&) = delete;

  duckdb_type id() const { return duckdb_get_type_id(type_); }
  // Of a struct.
  idx_t child_count() const { return duckdb_struct_type_child_count(type_); }
  std::string child_name(idx_t child) const {
    char* name = duckdb_struct_type_child_name(type_, child);
    std::string text = name == nullptr ? "" : name;
    duckdb_free(name);
    return text;
  }
  duckdb_logical_type child(idx_t child) const { return duckdb_struct_type_child_type(type_, child); }

 private:
  duckdb_logical_type type_;
};

struct Column {
  std::string name;  // of a struct's member: "address.latitude"
  ColumnKind kind;
  RoleTable::Found role;
};

// A moment as text that says how fine the column is: DuckDB leaves out zeros.
std::string TimeExpression(const std::string& value, duckdb_type type, bool milliseconds) {
  const char* format = type == DUCKDB_TYPE_TIMESTAMP_S                    ? "%Y-%m-%d %H:%M:%S"
                       : milliseconds || type == DUCKDB_TYPE_TIMESTAMP_MS ? "%Y-%m-%d %H:%M:%S.%g"
                                                                          : "%Y-%m-%d %H:%M:%S.%f";
  const bool nanoseconds = type == DUCKDB_TYPE_TIMESTAMP_NS;
  return fmt::format("CASE WHEN isfinite({0}) THEN strftime({0}{1}, '{2}'){3} ELSE {0}::VARCHAR END", value,
                     nanoseconds ? "::TIMESTAMP" : "", format, type == DUCKDB_TYPE_TIMESTAMP_TZ ? " || '+00:00'" : "");
}

bool IsTimestamp(duckdb_type type) {
  return type == DUCKDB_TYPE_TIMESTAMP || type == DUCKDB_TYPE_TIMESTAMP_S || type == DUCKDB_TYPE_TIMESTAMP_MS ||
         type == DUCKDB_TYPE_TIMESTAMP_NS || type == DUCKDB_TYPE_TIMESTAMP_TZ;
}

std::string Hex(std::string_view bytes) {
  std::string text = "0x";
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return text;
}

// DuckDB writes NaN and Infinity into JSON, which has neither: puts them in quotes.
std::string QuoteNotFinite(std::string_view json) {
  std::string quoted;
  for (size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      const size_t end = std::min(AfterJsonString(json, at), json.size());
      quoted += json.substr(at, end - at);
      at = end;
      continue;
    }
    std::string_view word;
    for (const std::string_view known : {"NaN", "Infinity", "-Infinity"}) {
      if (json.substr(at).starts_with(known)) word = known;
    }
    if (!word.empty()) quoted += fmt::format("\"{}\"", word);
    if (word.empty()) quoted += json[at];
    at += std::max<size_t>(word.size(), 1);
  }
  return quoted;
}

// DuckDB's message without the query and without its advice.
absl::Status FirstLine(const absl::Status& status) {
  const std::string message = Message(status);
  const std::string line = message.substr(0, message.find('\n'));
  return absl::Status(status.code(), absl::string_view(line.data(), line.size()));
}

class ParquetRows final : public RowReader {
 public:
  ParquetRows(std::string path, const ReadOptions& options)
      : path_(std::move(path)), options_(options), roles_(options.columns, options.time_zone), builder_(roles_) {
    builder_.set_keeps_bare_rows(true);
  }

  absl::Status Start(uint64_t memory_bytes) {
    {
      ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path_));
      size_ = file.bytes().size();
      damage_ = FindParquetDamage(file.bytes());
    }
    Database::Options settings;
    settings.memory_bytes = std::max<uint64_t>(memory_bytes, uint64_t{64} << 20);
    ASSIGN_OR_RETURN(database_, Database::Open(settings));
    RETURN_IF_ERROR(database_->Execute("SET TimeZone = 'UTC'"));
    source_ = "read_parquet(" + SqlLiteral(path_);
    RETURN_IF_ERROR(FirstLine(FindMilliseconds()));
    RETURN_IF_ERROR(FirstLine(FindColumns()));
    return FirstLine(OpenQuery());
  }

  absl::StatusOr<bool> Next(ParsedBlock& out) override {
    for (const ParquetDamage& damage : damage_) {
      Reject(fmt::format("rows {} to {}: {}", damage.begin, damage.end == 0 ? 0 : damage.end - 1, damage.reason), out);
    }
    damage_.clear();
    for (uint64_t bytes = 0; bytes < kBatchBytes;) {
      const absl::StatusOr<bool> more = rows_->Next();
      if (!more.ok()) return Annotate(FirstLine(more.status()), fmt::format("from row {} on", row_));
      if (!*more) return false;
      for (size_t row = 0; row < rows_->row_count(); ++row) bytes += AddRow(row, out);
    }
    return true;
  }

 private:
  void Reject(std::string reason, ParsedBlock& out) {
    out.rejects.push_back({Origin{path_, 0, size_}, std::move(reason)});
  }

  // Names of columns that hold milliseconds; DuckDB makes microseconds of them.
  absl::Status FindMilliseconds() {
    ASSIGN_OR_RETURN(QueryResult names,
                     database_->Query("SELECT name FROM parquet_schema(" + SqlLiteral(path_) +
                                      ") WHERE converted_type = 'TIMESTAMP_MILLIS' OR logical_type LIKE "
                                      "'%MILLIS=MilliSeconds%'"));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, names.Next());
      if (!more) return absl::OkStatus();
      for (size_t row = 0; row < names.row_count(); ++row) {
        if (!names.IsNull(0, row)) milliseconds_.emplace(names.String(0, row));
      }
    }
  }

  absl::Status FindColumns() {
    ASSIGN_OR_RETURN(QueryResult schema, database_->Query("SELECT * FROM " + source_ + ") LIMIT 0"));
    for (size_t i = 0; i < schema.column_count(); ++i) {
      const std::string& name = schema.column_name(i);
      const LogicalType type(schema.column_logical_type(i));
      top_level_.push_back(name);
      AddColumn(name, "t." + SqlIdentifier(name), type);
      has_row_number_ |= name == "file_row_number";
      if (name == "row") row_field_ = "file_row";
    }
    if (columns_.size() > kMostColumns) {
      return absl::InvalidArgumentError(fmt::format("more than {} columns", kMostColumns));
    }
    return absl::OkStatus();
  }

  void AddColumn(const std::string& name, const std::string& value, const LogicalType& type) {
    const duckdb_type id = type.id();
    const Column column{name, KindOf(id), roles_.Find(name)};
    if (column.kind == ColumnKind::kBlob) {
      Select(column, value);
    } else if (IsNested(id)) {
      Select({name, ColumnKind::kOther, {}}, "to_json(" + value + ")::VARCHAR");
    } else if (IsTimestamp(id) && column.role.role == Role::kTime) {
      Select(column, TimeExpression(value, id, milliseconds_.contains(name)));
    } else {
      Select(column, value + "::VARCHAR");
    }
    if (id == DUCKDB_TYPE_STRUCT) AddMembers(name, value, type);
  }

  // The members of a struct that are numbers, or that the column map names; the struct itself is there as JSON.
  void AddMembers(const std::string& name, const std::string& value, const LogicalType& type) {
    for (idx_t i = 0; i < type.child_count() && columns_.size() <= kMostColumns; ++i) {
      const std::string member = name + "." + type.child_name(i);
      const std::string member_value = fmt::format("struct_extract({}, {})", value, SqlLiteral(type.child_name(i)));
      const LogicalType child(type.child(i));
      const ColumnKind kind = KindOf(child.id());
      const RoleTable::Found role = roles_.Find(member);
      const bool named = role.role != Role::kNone || role.channel >= 0;
      if (child.id() == DUCKDB_TYPE_STRUCT) {
        AddMembers(member, member_value, child);
      } else if (kind == ColumnKind::kNumber || kind == ColumnKind::kDecimal ||
                 (named && !IsNested(child.id()) && kind != ColumnKind::kBlob)) {
        const bool time = IsTimestamp(child.id()) && role.role == Role::kTime;
        Select({member, kind, role},
               time ? TimeExpression(member_value, child.id(), false) : member_value + "::VARCHAR");
      }
    }
  }

  void Select(Column column, const std::string& expression) {
    columns_.push_back(std::move(column));
    selected_ += expression + ", ";
  }

  absl::Status OpenQuery() {
    std::string sql = "SELECT " + selected_ + "to_json(t)::VARCHAR FROM " + source_ + ") AS t";
    if (!has_row_number_) {
      // The row's number is asked for beside the row, which is to have the file's columns only.
      sql = "SELECT " + selected_ + "to_json(struct_pack(" + PackedColumns() +
            "))::VARCHAR, t.file_row_number::UBIGINT FROM " + source_ + ", file_row_number = true) AS t";
      std::string bad;
      for (const ParquetDamage& damage : damage_) {
        bad += fmt::format("{}t.file_row_number BETWEEN {} AND {}", bad.empty() ? " WHERE NOT (" : " OR ", damage.begin,
                           static_cast<int64_t>(damage.end) - 1);
      }
      if (!bad.empty()) sql += bad + ")";
    } else if (!damage_.empty()) {
      return absl::DataLossError(absl::string_view(damage_[0].reason.data(), damage_[0].reason.size()));
    }
    ASSIGN_OR_RETURN(QueryResult rows, database_->Query(sql));
    rows_ = std::make_unique<QueryResult>(std::move(rows));
    return absl::OkStatus();
  }

  std::string PackedColumns() const {
    std::string packed;
    for (const std::string& name : top_level_) {
      if (!packed.empty()) packed += ", ";
      packed += SqlIdentifier(name) + " := t." + SqlIdentifier(name);
    }
    return packed;
  }

  // Returns the size of the row.
  uint64_t AddRow(size_t row, ParsedBlock& out) {
    builder_.Begin();
    arena_.clear();
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!rows_->IsNull(i, row)) AddValue(columns_[i], rows_->String(i, row));
    }
    if (!has_row_number_) row_ = rows_->UInt64(columns_.size() + 1, row);
    const std::string number = fmt::format("{}", row_++);
    builder_.AddOther(row_field_, number);
    Record record;
    std::string reason;
    if (!builder_.Finish(options_, record, reason)) {
      Reject(fmt::format("row {}: {}", number, reason), out);
      return number.size();
    }
    record.original = rows_->String(columns_.size(), row);
    if (record.original.size() > options_.record_limit) {
      Reject(fmt::format("row {}: longer than {} bytes", number, options_.record_limit), out);
      return record.original.size();
    }
    if (HasNotFinite(record.original)) record.original = QuoteNotFinite(record.original);
    record.origin = {path_, 0, size_};
    SealRecord(options_, "row", kReader, record);
    const uint64_t size = record.original.size() + record.text.size();
    out.records.push_back(std::move(record));
    return size;
  }

  static bool HasNotFinite(std::string_view json) {
    return json.find("NaN") != std::string_view::npos || json.find("Infinity") != std::string_view::npos;
  }

  std::string_view Keep(std::string text) { return arena_.emplace_back(std::move(text)); }

  void AddValue(const Column& column, std::string_view value) {
    switch (column.kind) {
      case ColumnKind::kDecimal:
        if (CountDigits(value) > kExactDigits && column.role.role == Role::kNone) {
          builder_.AddOther(column.name, value);
          break;
        }
        [[fallthrough]];
      case ColumnKind::kNumber:
        if (const std::optional<double> number = ParseNumber(value)) {
          builder_.AddNumber(column.name, column.role, *number, value);
        } else {
          builder_.AddOther(column.name, value);  // nan, inf
        }
        break;
      case ColumnKind::kBlob:
        AddBlob(column, value);
        break;
      case ColumnKind::kString:
        builder_.AddString(column.name, column.role, value);
        break;
      case ColumnKind::kOther:
        builder_.AddOther(column.name, HasNotFinite(value) ? Keep(QuoteNotFinite(value)) : value);
        break;
    }
  }

  static size_t CountDigits(std::string_view value) {
    return static_cast<size_t>(std::count_if(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }));
  }

  // Many programs write text as bytes.
  void AddBlob(const Column& column, std::string_view value) {
    if (!LooksBinary(value) && FindInvalidUtf8(value) == std::string_view::npos) {
      builder_.AddString(column.name, column.role, value);
    } else if (value.size() <= kHexBytes) {
      builder_.AddOther(column.name, Keep(Hex(value)));
    } else {
      builder_.AddOther(column.name, Keep(fmt::format("({} bytes)", value.size())));
    }
  }

  const std::string path_;
  const ReadOptions& options_;
  const RoleTable roles_;
  RowBuilder builder_;
  std::vector<ParquetDamage> damage_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<QueryResult> rows_;
  absl::flat_hash_set<std::string> milliseconds_;
  std::vector<std::string> top_level_;
  std::vector<Column> columns_;
  std::string source_;
  std::string selected_;
  std::deque<std::string> arena_;
  std::string row_field_ = "row";
  bool has_row_number_ = false;  // as a column of the file's own
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
