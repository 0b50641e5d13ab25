// Tables: the embedded DuckDB behind a small interface: run SQL, stream a result, append rows.
//
// Built on DuckDB's C interface: its ABI is stable, and its header compiles in milliseconds where the C++ one costs
// every file that includes it more than ten seconds.
#ifndef RHODES_TABLE_DATABASE_H_
#define RHODES_TABLE_DATABASE_H_

#include <duckdb.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/run_context.h"
#include "base/status.h"

namespace rhodes {

// 'text' as a SQL literal; "name" as a SQL identifier.
std::string SqlLiteral(std::string_view text);
std::string SqlIdentifier(std::string_view name);

// Rows of a query, a chunk at a time. Views into a chunk live until the next call of Next(). Not thread-safe.
class QueryResult {
 public:
  QueryResult(QueryResult&& other) noexcept;
  QueryResult& operator=(QueryResult&&) = delete;
  ~QueryResult();

  // The next chunk of up to 2048 rows; false at the end.
  absl::StatusOr<bool> Next();
  size_t row_count() const { return rows_; }

  size_t column_count() const { return names_.size(); }
  const std::string& column_name(size_t column) const { return names_[column]; }
  duckdb_type column_type(size_t column) const { return types_[column]; }
  // With what a nested type is made of. To be given to duckdb_destroy_logical_type().
  duckdb_logical_type column_logical_type(size_t column) {
    return duckdb_column_logical_type(&result_, static_cast<idx_t>(column));
  }

  bool IsNull(size_t column, size_t row) const;
  // VARCHAR and BLOB.
  std::string_view String(size_t column, size_t row) const;
  int64_t Int64(size_t column, size_t row) const;  // BIGINT, TIMESTAMP (microseconds)
  uint64_t UInt64(size_t column, size_t row) const;
  double Double(size_t column, size_t row) const;
  bool Bool(size_t column, size_t row) const;
  // VARCHAR[]; NULL entries are empty.
  std::vector<std::string_view> StringList(size_t column, size_t row) const;
  // A list of structs of three UBIGINT; NULL is empty, a NULL in it is 2^64 - 1.
  std::vector<std::array<uint64_t, 3>> TripleList(size_t column, size_t row) const;

 private:
  friend class Database;
  explicit QueryResult(duckdb_result result);
  const void* Data(size_t column) const;

  duckdb_result result_;
  bool owned_ = true;
  duckdb_data_chunk chunk_ = nullptr;
  size_t rows_ = 0;
  std::vector<std::string> names_;
  std::vector<duckdb_type> types_;
  std::vector<duckdb_vector> vectors_;
};

// One database with one connection. Not thread-safe: one per thread (Interrupt() excepted).
class Database {
 public:
  struct Options {
    std::string path;  // empty: in memory
    bool read_only = false;
    int threads = 1;
    uint64_t memory_bytes = uint64_t{1} << 30;
    std::string temporary_directory;  // where it spills beyond memory_bytes; empty: it does not
  };
  // Extensions are never fetched and the network is never used.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const Options& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements and drops their results. INVALID_ARGUMENT with DuckDB's message (which shows the line) when the SQL
  // is wrong, RESOURCE_EXHAUSTED on a full disk or beyond memory, INTERRUPTED after Interrupt().
  absl::Status Execute(const std::string& sql);
  // Runs one statement with `parameters` for ?; rows stream, they are not held. One result at a time per connection.
  absl::StatusOr<QueryResult> Query(const std::string& sql, const std::vector<std::string>& parameters = {});
  // The single value of a single row, as an unsigned number.
  absl::StatusOr<uint64_t> QueryCount(const std::string& sql);
  // INVALID_ARGUMENT unless `sql` is one statement that reads and changes nothing (SELECT, EXPLAIN, DESCRIBE).
  absl::Status RequireOneSelect(const std::string& sql);
  // From here on SQL reads and writes files below `directories` (and spills) only. Cannot be taken back.
  absl::Status ConfineTo(const std::vector<std::string>& directories);
  // Ends a running query from another thread.
  void Interrupt();

  duckdb_connection connection() { return connection_; }

 private:
  Database() = default;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

// While it lives, a query running on `database` ends with INTERRUPTED soon after the user asked to stop.
class InterruptOnCancel {
 public:
  InterruptOnCancel(Database& database, const RunContext& context);
  ~InterruptOnCancel();
  InterruptOnCancel(const InterruptOnCancel&) = delete;
  InterruptOnCancel& operator=(const InterruptOnCancel&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace rhodes

#endif  // RHODES_TABLE_DATABASE_H_
