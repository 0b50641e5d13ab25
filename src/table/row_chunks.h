// Rows in DuckDB's own vectors, handed to SQL without being copied into a table first.
#ifndef RHODES_TABLE_ROW_CHUNKS_H_
#define RHODES_TABLE_ROW_CHUNKS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "table/database.h"

namespace rhodes {

// Names and types of columns. Immutable, so it can be shared between threads.
class TableSchema {
 public:
  // `columns` as in CREATE TABLE: "id VARCHAR, parents VARCHAR[]".
  static absl::StatusOr<std::shared_ptr<const TableSchema>> Parse(const std::string& columns);
  ~TableSchema();
  TableSchema(const TableSchema&) = delete;
  TableSchema& operator=(const TableSchema&) = delete;

  size_t size() const { return names_.size(); }
  const std::string& name(size_t column) const { return names_[column]; }
  duckdb_logical_type type(size_t column) const { return types_[column]; }

 private:
  friend class RowChunks;
  TableSchema() = default;
  std::vector<std::string> names_;
  std::vector<duckdb_logical_type> types_;
};

// Collects rows, then gives them to one query as a table function. A column that is not set in a row is NULL there;
// none is set twice. What is not valid UTF-8 in a VARCHAR becomes U+FFFD; a BLOB takes any bytes. Memory: the rows, and
// 32 bytes a column and row. Not thread-safe, but may be moved to another thread.
//
// An appender into a table of DuckDB's did the same with two more copies of each row and twice the memory (1.4x the
// time for the whole way into Parquet).
class RowChunks {
 public:
  explicit RowChunks(std::shared_ptr<const TableSchema> schema);
  ~RowChunks();
  RowChunks(const RowChunks&) = delete;
  RowChunks& operator=(const RowChunks&) = delete;

  // VARCHAR, BLOB. False when invalid UTF-8 was replaced.
  bool SetString(size_t column, std::string_view value);
  void SetInt64(size_t column, int64_t value);  // BIGINT, TIMESTAMP
  void SetUInt64(size_t column, uint64_t value);
  void SetDouble(size_t column, double value);
  void SetStringList(size_t column, const std::vector<std::string>& values);
  // A list of structs of three UBIGINT.
  void SetTripleList(size_t column, const std::vector<std::array<uint64_t, 3>>& triples);
  void SetMap(size_t column, const std::vector<std::pair<std::string, double>>& entries);
  void SetMap(size_t column, const std::vector<std::pair<std::string, std::string>>& entries);
  void EndRow();
  size_t row_count() const { return row_count_; }

  // Makes the rows what `FROM function()` yields, in order and once: they are freed as they are read. No row may be
  // added after this, and `database` must not read them once this object is gone.
  absl::Status Register(Database& database, const std::string& function);
  // The same for a database that reads many, one after another: `FROM function()` yields those that `*slot` points to
  // when the query is bound. `slot` must live as long as the database.
  static absl::Status RegisterSlot(Database& database, const std::string& function, RowChunks** slot);

 private:
  static void Bind(duckdb_bind_info info);
  static void Init(duckdb_init_info info);
  static void Yield(duckdb_function_info info, duckdb_data_chunk output);
  RowChunks* self_ = this;  // the slot of Register()
  void StartChunk();
  void EndChunk();
  // Reserves room for `count` entries in the list at this row; the child vector and where they begin.
  std::pair<duckdb_vector, size_t> StartList(size_t column, size_t count);

  const std::shared_ptr<const TableSchema> schema_;
  std::vector<bool> is_text_;
  std::deque<duckdb_data_chunk> full_;
  duckdb_data_chunk chunk_ = nullptr;  // the one being filled
  std::vector<duckdb_vector> vectors_;
  std::vector<uint64_t*> validity_;
  size_t row_ = 0;
  size_t row_count_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_TABLE_ROW_CHUNKS_H_
