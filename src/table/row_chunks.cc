#include "table/row_chunks.h"

#include <simdjson.h>

#include <cstring>

#include "base/text.h"

namespace rhodes {
namespace {

// DuckDB believes what it is given: one invalid VARCHAR and a later query fails, or crashes.
bool AssignText(duckdb_vector vector, size_t row, std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) {
    duckdb_vector_assign_string_element_len(vector, row, text.data(), text.size());
    return true;
  }
  const std::string valid = ReplaceInvalidUtf8(text);
  duckdb_vector_assign_string_element_len(vector, row, valid.data(), valid.size());
  return false;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TableSchema>> TableSchema::Parse(const std::string& columns) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
  RETURN_IF_ERROR(database->Execute(fmt::format("CREATE TABLE shape ({})", columns)));
  duckdb_appender appender = nullptr;
  if (duckdb_appender_create(database->connection(), nullptr, "shape", &appender) == DuckDBError) {
    absl::Status status = absl::InternalError(duckdb_appender_error(appender));
    duckdb_appender_destroy(&appender);
    return status;
  }
  std::shared_ptr<TableSchema> schema(new TableSchema());
  for (idx_t i = 0; i < duckdb_appender_column_count(appender); ++i) {
    schema->types_.push_back(duckdb_appender_column_type(appender, i));
  }
  duckdb_appender_destroy(&appender);
  ASSIGN_OR_RETURN(const QueryResult result, database->Query("FROM shape"));
  for (size_t i = 0; i < result.column_count(); ++i) schema->names_.push_back(result.column_name(i));
  return schema;
}

TableSchema::~TableSchema() {
  for (duckdb_logical_type& type : types_) duckdb_destroy_logical_type(&type);
}

RowChunks::RowChunks(std::shared_ptr<const TableSchema> schema) : schema_(std::move(schema)) {
  for (size_t i = 0; i < schema_->size(); ++i) {
    is_text_.push_back(duckdb_get_type_id(schema_->type(i)) == DUCKDB_TYPE_VARCHAR);
  }
}

RowChunks::~RowChunks() {
  if (chunk_ != nullptr) duckdb_destroy_data_chunk(&chunk_);
  for (duckdb_data_chunk& chunk : full_) duckdb_destroy_data_chunk(&chunk);
}

// All values begin as NULL, so that a column that is not set is one.
void RowChunks::StartChunk() {
  // The C interface takes the types by a pointer to changeable ones, and leaves them as they are.
  chunk_ = duckdb_create_data_chunk(const_cast<duckdb_logical_type*>(schema_->types_.data()), schema_->size());
  vectors_.clear();
  validity_.clear();
  for (size_t i = 0; i < schema_->size(); ++i) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk_, i);
    duckdb_vector_ensure_validity_writable(vector);
    uint64_t* validity = duckdb_vector_get_validity(vector);
    std::memset(validity, 0, duckdb_vector_size() / 8);
    const duckdb_type type = duckdb_get_type_id(schema_->type(i));
    if (type == DUCKDB_TYPE_LIST || type == DUCKDB_TYPE_MAP) {
      // A NULL list still has an entry that is read when the vector is copied.
      std::memset(duckdb_vector_get_data(vector), 0, duckdb_vector_size() * sizeof(duckdb_list_entry));
    }
    vectors_.push_back(vector);
    validity_.push_back(validity);
  }
  row_ = 0;
}

bool RowChunks::SetString(size_t column, std::string_view value) {
  if (chunk_ == nullptr) StartChunk();
  duckdb_validity_set_row_valid(validity_[column], row_);
  if (is_text_[column]) return AssignText(vectors_[column], row_, value);
  duckdb_vector_assign_string_element_len(vectors_[column], row_, value.data(), value.size());
  return true;
}

void RowChunks::SetInt64(size_t column, int64_t value) {
  if (chunk_ == nullptr) StartChunk();
  duckdb_validity_set_row_valid(validity_[column], row_);
  static_cast<int64_t*>(duckdb_vector_get_data(vectors_[column]))[row_] = value;
}

void RowChunks::SetUInt64(size_t column, uint64_t value) { SetInt64(column, static_cast<int64_t>(value)); }

void RowChunks::SetDouble(size_t column, double value) {
  if (chunk_ == nullptr) StartChunk();
  duckdb_validity_set_row_valid(validity_[column], row_);
  static_cast<double*>(duckdb_vector_get_data(vectors_[column]))[row_] = value;
}

std::pair<duckdb_vector, size_t> RowChunks::StartList(size_t column, size_t count) {
  if (chunk_ == nullptr) StartChunk();
  duckdb_vector vector = vectors_[column];
  duckdb_validity_set_row_valid(validity_[column], row_);
  const size_t begin = duckdb_list_vector_get_size(vector);
  duckdb_list_vector_reserve(vector, begin + count);
  duckdb_list_vector_set_size(vector, begin + count);
  static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector))[row_] = {begin, count};
  return {duckdb_list_vector_get_child(vector), begin};
}

void RowChunks::SetStringList(size_t column, const std::vector<std::string>& values) {
  const auto [child, begin] = StartList(column, values.size());
  for (size_t i = 0; i < values.size(); ++i) AssignText(child, begin + i, values[i]);
}

void RowChunks::SetTripleList(size_t column, const std::vector<std::array<uint64_t, 3>>& triples) {
  const auto [child, begin] = StartList(column, triples.size());
  for (size_t member = 0; member < 3; ++member) {
    auto* values = static_cast<uint64_t*>(duckdb_vector_get_data(duckdb_struct_vector_get_child(child, member)));
    for (size_t i = 0; i < triples.size(); ++i) values[begin + i] = triples[i][member];
  }
}

void RowChunks::SetMap(size_t column, const std::vector<std::pair<std::string, double>>& entries) {
  const auto [child, begin] = StartList(column, entries.size());
  duckdb_vector keys = duckdb_struct_vector_get_child(child, 0);
  auto* values = static_cast<double*>(duckdb_vector_get_data(duckdb_struct_vector_get_child(child, 1)));
  for (size_t i = 0; i < entries.size(); ++i) {
    AssignText(keys, begin + i, entries[i].first);
    values[begin + i] = entries[i].second;
  }
}

void RowChunks::SetMap(size_t column, const std::vector<std::pair<std::string, std::string>>& entries) {
  const auto [child, begin] = StartList(column, entries.size());
  duckdb_vector keys = duckdb_struct_vector_get_child(child, 0);
  duckdb_vector values = duckdb_struct_vector_get_child(child, 1);
  for (size_t i = 0; i < entries.size(); ++i) {
    AssignText(keys, begin + i, entries[i].first);
    AssignText(values, begin + i, entries[i].second);
  }
}

void RowChunks::EndRow() {
  if (chunk_ == nullptr) StartChunk();  // a row of NULLs
  ++row_;
  ++row_count_;
  if (row_ == duckdb_vector_size()) EndChunk();
}

void RowChunks::EndChunk() {
  duckdb_data_chunk_set_size(chunk_, row_);
  full_.push_back(std::exchange(chunk_, nullptr));
}

absl::Status RowChunks::Register(Database& database, const std::string& function) {
  return RegisterSlot(database, function, &self_);
}

absl::Status RowChunks::RegisterSlot(Database& database, const std::string& function, RowChunks** slot) {
  duckdb_table_function table = duckdb_create_table_function();
  duckdb_table_function_set_name(table, function.c_str());
  duckdb_table_function_set_extra_info(table, slot, nullptr);
  duckdb_table_function_set_bind(table, &RowChunks::Bind);
  duckdb_table_function_set_init(table, &RowChunks::Init);
  duckdb_table_function_set_function(table, &RowChunks::Yield);
  const duckdb_state state = duckdb_register_table_function(database.connection(), table);
  duckdb_destroy_table_function(&table);
  if (state == DuckDBError) return absl::InternalError(fmt::format("DuckDB refused the function {}", function));
  return absl::OkStatus();
}

void RowChunks::Bind(duckdb_bind_info info) {
  RowChunks* const rows = *static_cast<RowChunks**>(duckdb_bind_get_extra_info(info));
  if (rows->chunk_ != nullptr) rows->EndChunk();
  for (size_t i = 0; i < rows->schema_->size(); ++i) {
    duckdb_bind_add_result_column(info, rows->schema_->name(i).c_str(), rows->schema_->type(i));
  }
}

void RowChunks::Init(duckdb_init_info info) { duckdb_init_set_max_threads(info, 1); }

void RowChunks::Yield(duckdb_function_info info, duckdb_data_chunk output) {
  RowChunks* const rows = *static_cast<RowChunks**>(duckdb_function_get_extra_info(info));
  if (rows->full_.empty()) {
    duckdb_data_chunk_set_size(output, 0);
    return;
  }
  duckdb_data_chunk chunk = rows->full_.front();
  rows->full_.pop_front();
  for (idx_t i = 0; i < rows->schema_->size(); ++i) {
    duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(output, i), duckdb_data_chunk_get_vector(chunk, i));
  }
  duckdb_data_chunk_set_size(output, duckdb_data_chunk_get_size(chunk));
  duckdb_destroy_data_chunk(&chunk);  // the output shares what is in it
}

}  // namespace rhodes
