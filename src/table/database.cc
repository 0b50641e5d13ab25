#include "table/database.h"

#include <filesystem>
#include <system_error>

namespace rhodes {
namespace {

std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote) quoted += quote;
    quoted += c;
  }
  return quoted + quote;
}

absl::Status ErrorStatus(const char* message, duckdb_error_type type) {
  const std::string text = message == nullptr ? "DuckDB failed without a message" : message;
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT:
      return InterruptedError();
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return absl::ResourceExhaustedError(text + "; raise --memory, or free space where it spills");
    case DUCKDB_ERROR_IO:
      if (text.find("No space left") != std::string::npos || text.find("File too large") != std::string::npos) {
        return absl::ResourceExhaustedError(text + "; free some space and run the same command again");
      }
      return absl::UnavailableError(text);
    case DUCKDB_ERROR_INTERNAL:
    case DUCKDB_ERROR_FATAL:
      return absl::InternalError(text);
    default:
      return absl::InvalidArgumentError(text);
  }
}

std::string_view View(duckdb_vector vector, size_t row) {
  auto* strings = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  return {duckdb_string_t_data(&strings[row]), duckdb_string_t_length(strings[row])};
}

bool IsValid(duckdb_vector vector, size_t row) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity == nullptr || duckdb_validity_row_is_valid(validity, row);
}

}  // namespace

std::string SqlLiteral(std::string_view text) { return Quoted(text, '\''); }
std::string SqlIdentifier(std::string_view name) { return Quoted(name, '"'); }

QueryResult::QueryResult(duckdb_result result) : result_(result) {
  for (idx_t i = 0; i < duckdb_column_count(&result_); ++i) {
    names_.emplace_back(duckdb_column_name(&result_, i));
    types_.push_back(duckdb_column_type(&result_, i));
  }
}

QueryResult::QueryResult(QueryResult&& other) noexcept
    : result_(other.result_),
      owned_(std::exchange(other.owned_, false)),
      chunk_(std::exchange(other.chunk_, nullptr)),
      rows_(other.rows_),
      names_(std::move(other.names_)),
      types_(std::move(other.types_)),
      vectors_(std::move(other.vectors_)) {}

QueryResult::~QueryResult() {
  if (chunk_ != nullptr) duckdb_destroy_data_chunk(&chunk_);
  if (owned_) duckdb_destroy_result(&result_);
}

absl::StatusOr<bool> QueryResult::Next() {
  if (chunk_ != nullptr) duckdb_destroy_data_chunk(&chunk_);
  rows_ = 0;
  vectors_.clear();
  chunk_ = duckdb_fetch_chunk(result_);
  if (chunk_ == nullptr) {
    const char* message = duckdb_result_error(&result_);
    if (message != nullptr && *message != '\0') return ErrorStatus(message, duckdb_result_error_type(&result_));
    return false;
  }
  rows_ = duckdb_data_chunk_get_size(chunk_);
  if (rows_ == 0) return false;
  for (size_t i = 0; i < names_.size(); ++i) vectors_.push_back(duckdb_data_chunk_get_vector(chunk_, i));
  return true;
}

const void* QueryResult::Data(size_t column) const { return duckdb_vector_get_data(vectors_[column]); }
bool QueryResult::IsNull(size_t column, size_t row) const { return !IsValid(vectors_[column], row); }
std::string_view QueryResult::String(size_t column, size_t row) const { return View(vectors_[column], row); }
int64_t QueryResult::Int64(size_t column, size_t row) const { return static_cast<const int64_t*>(Data(column))[row]; }
uint64_t QueryResult::UInt64(size_t column, size_t row) const {
  return static_cast<const uint64_t*>(Data(column))[row];
}
double QueryResult::Double(size_t column, size_t row) const { return static_cast<const double*>(Data(column))[row]; }
bool QueryResult::Bool(size_t column, size_t row) const { return static_cast<const bool*>(Data(column))[row]; }

std::vector<std::string_view> QueryResult::StringList(size_t column, size_t row) const {
  std::vector<std::string_view> values;
  if (IsNull(column, row)) return values;
  const auto entry = static_cast<const duckdb_list_entry*>(Data(column))[row];
  duckdb_vector child = duckdb_list_vector_get_child(vectors_[column]);
  values.reserve(entry.length);
  for (uint64_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    values.push_back(IsValid(child, i) ? View(child, i) : std::string_view());
  }
  return values;
}

std::vector<std::array<uint64_t, 3>> QueryResult::TripleList(size_t column, size_t row) const {
  std::vector<std::array<uint64_t, 3>> triples;
  if (IsNull(column, row)) return triples;
  const auto entry = static_cast<const duckdb_list_entry*>(Data(column))[row];
  duckdb_vector child = duckdb_list_vector_get_child(vectors_[column]);
  triples.resize(entry.length);
  for (idx_t member = 0; member < 3; ++member) {
    duckdb_vector values = duckdb_struct_vector_get_child(child, member);
    const auto* numbers = static_cast<const uint64_t*>(duckdb_vector_get_data(values));
    for (uint64_t i = 0; i < entry.length; ++i) {
      const bool valid = IsValid(child, entry.offset + i) && IsValid(values, entry.offset + i);
      triples[i][member] = valid ? numbers[entry.offset + i] : ~uint64_t{0};
    }
  }
  return triples;
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const Options& options) {
  duckdb_config config = nullptr;
  if (duckdb_create_config(&config) == DuckDBError) return absl::InternalError("DuckDB: no configuration");
  const std::vector<std::pair<std::string, std::string>> settings = {
      {"threads", std::to_string(options.threads)},
      {"memory_limit", fmt::format("{}B", options.memory_bytes)},
      {"temp_directory", options.temporary_directory},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"preserve_insertion_order", "true"},
      {"access_mode", options.read_only && !options.path.empty() ? "READ_ONLY" : "AUTOMATIC"}};
  for (const auto& [name, value] : settings) {
    if (duckdb_set_config(config, name.c_str(), value.c_str()) == DuckDBError) {
      duckdb_destroy_config(&config);
      return absl::InternalError(fmt::format("DuckDB: setting {} = {} was refused", name, value));
    }
  }
  std::unique_ptr<Database> database(new Database());
  char* error = nullptr;
  const char* path = options.path.empty() ? nullptr : options.path.c_str();
  const duckdb_state opened = duckdb_open_ext(path, &database->database_, config, &error);
  duckdb_destroy_config(&config);
  if (opened == DuckDBError) {
    absl::Status status =
        absl::UnavailableError(fmt::format("open database {}: {}", options.path, error == nullptr ? "" : error));
    duckdb_free(error);
    return status;
  }
  if (duckdb_connect(database->database_, &database->connection_) == DuckDBError) {
    return absl::InternalError("DuckDB: no connection");
  }
  // Without it every query on a terminal draws DuckDB's own progress bar after two seconds.
  RETURN_IF_ERROR(database->Execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'"));
  return database;
}

Database::~Database() {
  if (connection_ != nullptr) duckdb_disconnect(&connection_);
  if (database_ != nullptr) duckdb_close(&database_);
}

absl::Status Database::Execute(const std::string& sql) {
  duckdb_result result;
  const duckdb_state state = duckdb_query(connection_, sql.c_str(), &result);
  absl::Status status;
  if (state == DuckDBError) status = ErrorStatus(duckdb_result_error(&result), duckdb_result_error_type(&result));
  duckdb_destroy_result(&result);
  return status;
}

absl::StatusOr<QueryResult> Database::Query(const std::string& sql, const std::vector<std::string>& parameters) {
  duckdb_prepared_statement statement = nullptr;
  if (duckdb_prepare(connection_, sql.c_str(), &statement) == DuckDBError) {
    absl::Status status = ErrorStatus(duckdb_prepare_error(statement), DUCKDB_ERROR_PARSER);
    duckdb_destroy_prepare(&statement);
    return status;
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    duckdb_bind_varchar_length(statement, i + 1, parameters[i].data(), parameters[i].size());
  }
  duckdb_result result;
  const duckdb_state state = duckdb_execute_prepared_streaming(statement, &result);
  duckdb_destroy_prepare(&statement);
  if (state == DuckDBError) {
    absl::Status status = ErrorStatus(duckdb_result_error(&result), duckdb_result_error_type(&result));
    duckdb_destroy_result(&result);
    return status;
  }
  return QueryResult(result);
}

absl::StatusOr<uint64_t> Database::QueryCount(const std::string& sql) {
  ASSIGN_OR_RETURN(QueryResult result, Query(fmt::format("SELECT CAST(({}) AS UBIGINT)", sql)));
  ASSIGN_OR_RETURN(const bool any, result.Next());
  if (!any || result.IsNull(0, 0)) return absl::InternalError(fmt::format("no value from {}", sql));
  return result.UInt64(0, 0);
}

void Database::Interrupt() { duckdb_interrupt(connection_); }

absl::Status Database::RequireOneSelect(const std::string& sql) {
  duckdb_extracted_statements statements = nullptr;
  const idx_t count = duckdb_extract_statements(connection_, sql.c_str(), &statements);
  absl::Status status;
  duckdb_prepared_statement statement = nullptr;
  if (count == 0) {
    const char* error = duckdb_extract_statements_error(statements);
    status = absl::InvalidArgumentError(error == nullptr ? "there is no SQL statement" : error);
  } else if (count > 1) {
    status = absl::InvalidArgumentError(fmt::format("{} SQL statements where one SELECT is expected", count));
  } else if (duckdb_prepare_extracted_statement(connection_, statements, 0, &statement) == DuckDBError) {
    status = absl::InvalidArgumentError(duckdb_prepare_error(statement));
  } else {
    const duckdb_statement_type type = duckdb_prepared_statement_type(statement);
    if (type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN) {
      status = absl::InvalidArgumentError("only a SELECT may stand here: nothing is changed by it");
    }
  }
  duckdb_destroy_prepare(&statement);
  duckdb_destroy_extracted(&statements);
  return status;
}

absl::Status Database::ConfineTo(const std::vector<std::string>& directories) {
  std::string list;
  for (const std::string& directory : directories) {
    std::error_code error;
    const std::string absolute = std::filesystem::absolute(directory, error).lexically_normal().string();
    if (error) return ErrnoError(error.value(), "resolve", directory);
    list += (list.empty() ? "" : ", ") + SqlLiteral(absolute.ends_with('/') ? absolute : absolute + "/");
  }
  return Execute(fmt::format("SET allowed_directories = [{}]; SET enable_external_access = false", list));
}

InterruptOnCancel::InterruptOnCancel(Database& database, const RunContext& context) {
  if (context.cancelled == nullptr) return;
  thread_ = std::thread([this, &database, &context] {
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, std::chrono::milliseconds(50), [this] { return done_; })) {
      if (!context.CheckCancelled().ok()) database.Interrupt();
    }
  });
}

InterruptOnCancel::~InterruptOnCancel() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

}  // namespace rhodes
