#include "fuse/scalar_function.h"

namespace rhodes {
namespace {

duckdb_logical_type LogicalType(const SqlType& of) {
  duckdb_logical_type plain = duckdb_create_logical_type(of.type);
  if (!of.list) return plain;
  duckdb_logical_type list = duckdb_create_list_type(plain);
  duckdb_destroy_logical_type(&plain);
  return list;
}

}  // namespace

absl::Status RegisterScalar(Database& database, const std::string& name, std::initializer_list<SqlType> parameters,
                            SqlType result, duckdb_scalar_function_t function) {
  duckdb_scalar_function made = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(made, name.c_str());
  for (const SqlType& parameter : parameters) {
    duckdb_logical_type type = LogicalType(parameter);
    duckdb_scalar_function_add_parameter(made, type);
    duckdb_destroy_logical_type(&type);
  }
  duckdb_logical_type type = LogicalType(result);
  duckdb_scalar_function_set_return_type(made, type);
  duckdb_destroy_logical_type(&type);
  duckdb_scalar_function_set_special_handling(made);
  duckdb_scalar_function_set_function(made, function);
  const duckdb_state state = duckdb_register_scalar_function(database.connection(), made);
  duckdb_destroy_scalar_function(&made);
  if (state == DuckDBError) return absl::InternalError(fmt::format("DuckDB refused the function {}", name));
  return absl::OkStatus();
}

}  // namespace rhodes
