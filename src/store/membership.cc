#include "store/membership.h"

namespace rhodes {
namespace {

std::string_view StringAt(duckdb_vector vector, idx_t row) {
  auto* strings = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  return {duckdb_string_t_data(&strings[row]), duckdb_string_t_length(strings[row])};
}

bool IsValidAt(duckdb_vector vector, idx_t row) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity == nullptr || duckdb_validity_row_is_valid(validity, row);
}

// Calls `test(row)` for each row of a chunk whose only argument is `argument`.
template <typename Test>
void ForRows(duckdb_data_chunk input, duckdb_vector output, const Test& test) {
  duckdb_vector argument = duckdb_data_chunk_get_vector(input, 0);
  auto* result = static_cast<bool*>(duckdb_vector_get_data(output));
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) result[row] = IsValidAt(argument, row) && test(argument, row);
}

void HasId(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto* ids = static_cast<const IdSet*>(duckdb_scalar_function_get_extra_info(info));
  ForRows(input, output,
          [&](duckdb_vector argument, idx_t row) { return ids->Contains(KeyOfId(StringAt(argument, row))); });
}

void HasAnyId(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto* ids = static_cast<const IdSet*>(duckdb_scalar_function_get_extra_info(info));
  ForRows(input, output, [&](duckdb_vector argument, idx_t row) {
    duckdb_vector child = duckdb_list_vector_get_child(argument);
    const auto entry = static_cast<const duckdb_list_entry*>(duckdb_vector_get_data(argument))[row];
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (IsValidAt(child, i) && ids->Contains(KeyOfId(StringAt(child, i)))) return true;
    }
    return false;
  });
}

void HasRow(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto* set = static_cast<const std::vector<bool>*>(duckdb_scalar_function_get_extra_info(info));
  ForRows(input, output, [&](duckdb_vector argument, idx_t row) {
    const int64_t number = static_cast<const int64_t*>(duckdb_vector_get_data(argument))[row];
    return number >= 0 && static_cast<size_t>(number) < set->size() && (*set)[static_cast<size_t>(number)];
  });
}

// An overload of one argument, which takes NULL as an argument like any other.
absl::Status AddOverload(duckdb_scalar_function_set overloads, const std::string& name, duckdb_logical_type argument,
                         duckdb_scalar_function_t body, const void* extra) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type boolean = duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
  duckdb_scalar_function_set_name(function, name.c_str());
  duckdb_scalar_function_add_parameter(function, argument);
  duckdb_scalar_function_set_return_type(function, boolean);
  duckdb_scalar_function_set_special_handling(function);
  duckdb_scalar_function_set_extra_info(function, const_cast<void*>(extra), nullptr);
  duckdb_scalar_function_set_function(function, body);
  const duckdb_state state = duckdb_add_scalar_function_to_set(overloads, function);
  duckdb_destroy_logical_type(&boolean);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBError) return absl::InternalError("DuckDB refused an overload of the function " + name);
  return absl::OkStatus();
}

absl::Status Register(Database& database, const std::string& name, duckdb_scalar_function_set overloads) {
  if (duckdb_register_scalar_function_set(database.connection(), overloads) == DuckDBError) {
    return absl::InternalError("DuckDB refused the function " + name);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RegisterIdSet(Database& database, const std::string& name, const IdSet* ids) {
  duckdb_scalar_function_set overloads = duckdb_create_scalar_function_set(name.c_str());
  duckdb_logical_type varchar = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type list = duckdb_create_list_type(varchar);
  absl::Status status = AddOverload(overloads, name, varchar, &HasId, ids);
  if (status.ok()) status = AddOverload(overloads, name, list, &HasAnyId, ids);
  if (status.ok()) status = Register(database, name, overloads);
  duckdb_destroy_logical_type(&list);
  duckdb_destroy_logical_type(&varchar);
  duckdb_destroy_scalar_function_set(&overloads);
  return status;
}

absl::Status RegisterRowSet(Database& database, const std::string& name, const std::vector<bool>* rows) {
  duckdb_scalar_function_set overloads = duckdb_create_scalar_function_set(name.c_str());
  duckdb_logical_type bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
  absl::Status status = AddOverload(overloads, name, bigint, &HasRow, rows);
  if (status.ok()) status = Register(database, name, overloads);
  duckdb_destroy_logical_type(&bigint);
  duckdb_destroy_scalar_function_set(&overloads);
  return status;
}

}  // namespace rhodes
