#include "store/sql.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "store/views.h"
#include "table/database.h"

namespace rhodes {
namespace {

constexpr size_t kTableRows = 10000;  // a table is held to find its widths; more rows are left to csv and json
constexpr size_t kCellWidth = 60;

// The number of code points, which is near enough to the columns a terminal uses.
size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Cell(std::string_view text) {
  std::string cell;
  size_t width = 0;
  for (const char c : text) {
    if ((c & 0xC0) != 0x80 && width++ == kCellWidth) return cell + "…";
    cell += c == '\n' || c == '\t' || c == '\r' ? ' ' : c;
  }
  return cell;
}

std::string CsvField(std::string_view text) {
  if (text.find_first_of("\",\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void WriteTable(const std::vector<std::vector<std::string>>& rows, const std::function<void(std::string_view)>& write) {
  std::vector<size_t> widths(rows[0].size());
  for (const std::vector<std::string>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (size_t i = 0; i < rows[r].size(); ++i) {
      line += (i == 0 ? "" : "  ") + rows[r][i];
      if (i + 1 < rows[r].size()) line.append(widths[i] - Width(rows[r][i]), ' ');
    }
    write(line + "\n");
    if (r > 0) continue;
    std::string rule;
    for (size_t i = 0; i < widths.size(); ++i) rule += (i == 0 ? "" : "  ") + std::string(widths[i], '-');
    write(rule + "\n");
  }
}

absl::Status AsUsage(const absl::Status& status) {
  return absl::IsInvalidArgument(status) ? UsageError("sql: " + Message(status)) : status;
}

// A folder of its own, for one file; gone with this object.
class TemporaryFolder {
 public:
  static absl::StatusOr<TemporaryFolder> Make() {
    std::error_code error;
    std::string path = (std::filesystem::temp_directory_path(error) / "rhodes-sql-XXXXXX").string();
    if (error) return ErrnoError(error.value(), "find", "a folder for temporary files");
    if (mkdtemp(path.data()) == nullptr) return ErrnoError(errno, "create directory", path);
    return TemporaryFolder(std::move(path));
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    if (!path_.empty()) RemoveTree(path_).IgnoreError();  // only litter in the system's folder is left
  }
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

absl::Status WriteParquet(Database& database, std::string_view query, const std::string& folder,
                          const std::function<void(std::string_view)>& write, RunContext& context) {
  const std::string path = folder + "/result.parquet";
  RETURN_IF_ERROR(AsUsage(database.RequireOneSelect(std::string(query))));  // it cannot close the parenthesis
  RETURN_IF_ERROR(AsUsage(database.Execute(fmt::format(
      "COPY (SELECT * FROM ({}\n) rhodes_row) TO {} (FORMAT parquet, COMPRESSION zstd)", query, SqlLiteral(path)))));
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  constexpr size_t kPiece = 1 << 20;
  for (size_t at = 0; at < file.bytes().size(); at += kPiece) {
    RETURN_IF_ERROR(context.CheckCancelled());
    write(file.bytes().substr(at, kPiece));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunSql(const std::string& out, const std::string& sql, const std::string& format,
                    const std::function<void(std::string_view)>& write, RunContext& context) {
  Database::Options options;
  options.threads = context.Threads();
  options.memory_bytes = context.memory_bytes;
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open(options));
  const InterruptOnCancel watch(*database, context);
  RETURN_IF_ERROR(CreateViews(*database, out));
  // A query of someone else's may be run without reading it: it sees nothing but OUT.
  std::optional<TemporaryFolder> folder;
  if (format == "parquet") {
    ASSIGN_OR_RETURN(TemporaryFolder made, TemporaryFolder::Make());
    folder.emplace(std::move(made));
  }
  RETURN_IF_ERROR(database->ConfineTo(folder ? std::vector<std::string>{out, folder->path()} : std::vector{out}));
  RETURN_IF_ERROR(database->Execute("SET lock_configuration = true"));
  std::string_view query = Trim(sql);
  while (query.ends_with(';')) query = Trim(query.substr(0, query.size() - 1));
  const std::string first = LowerAscii(query.substr(0, query.find_first_of(" \t\r\n(")));
  const std::vector<std::string> readers = {"select",    "with",    "from",   "describe", "show",
                                            "summarize", "explain", "values", ""};
  if (std::find(readers.begin(), readers.end(), first) == readers.end()) {
    return UsageError(fmt::format("sql: only queries are run here; \"{}\" is none", first));
  }
  if (folder && first == "explain") return UsageError("sql: EXPLAIN gives no table to write as Parquet");
  if (folder) return WriteParquet(*database, query, folder->path(), write, context);
  // As text, every type prints as DuckDB itself would print it; for JSON, numbers and lists stay what they are.
  const bool json = format == "json";
  // EXPLAIN alone cannot be a subquery; its columns are text already.
  const bool wraps = first != "explain";
  std::string wrapped(query);
  if (wraps) {
    wrapped = json ? fmt::format("SELECT CAST(to_json(rhodes_row) AS VARCHAR) FROM ({}\n) rhodes_row", query)
                   : fmt::format("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({}\n) rhodes_row", query);
  }
  absl::StatusOr<QueryResult> result = database->Query(wrapped);
  if (!result.ok()) return AsUsage(result.status());
  std::vector<std::vector<std::string>> table(1);
  for (size_t i = 0; i < result->column_count(); ++i) table[0].push_back(result->column_name(i));
  if (format == "csv") {
    std::string header;
    for (const std::string& name : table[0]) header += (header.empty() ? "" : ",") + CsvField(name);
    write(header + "\n");
  }
  uint64_t rows = 0;
  while (true) {
    absl::StatusOr<bool> more = result->Next();
    if (!more.ok()) return AsUsage(more.status());
    if (!*more) break;
    RETURN_IF_ERROR(context.CheckCancelled());
    for (size_t row = 0; row < result->row_count(); ++row, ++rows) {
      std::vector<std::string> cells;
      for (size_t i = 0; i < result->column_count(); ++i) {
        const bool text = result->column_type(i) == DUCKDB_TYPE_VARCHAR;
        cells.emplace_back(result->IsNull(i, row) || !text ? "" : result->String(i, row));
      }
      if (json) {
        write((wraps ? cells[0] : DumpJson(Json(cells))) + "\n");
      } else if (format == "csv") {
        std::string line;
        for (size_t i = 0; i < cells.size(); ++i) line += (i == 0 ? "" : ",") + CsvField(cells[i]);
        write(line + "\n");
      } else if (table.size() <= kTableRows) {
        for (std::string& cell : cells) cell = Cell(cell);
        table.push_back(std::move(cells));
      }
    }
  }
  if (!json && format != "csv") {
    WriteTable(table, write);
    write(rows > kTableRows ? fmt::format("({} rows, the first {} shown; --format csv prints all)\n", rows, kTableRows)
                            : fmt::format("({} {})\n", rows, rows == 1 ? "row" : "rows"));
  }
  return absl::OkStatus();
}

}  // namespace rhodes
