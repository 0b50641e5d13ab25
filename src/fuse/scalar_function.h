// Registers a scalar function whose parameters and result are plain types or lists of them.
#ifndef RHODES_FUSE_SCALAR_FUNCTION_H_
#define RHODES_FUSE_SCALAR_FUNCTION_H_

#include <initializer_list>
#include <string>

#include "base/status.h"
#include "table/database.h"

namespace rhodes {

struct SqlType {
  duckdb_type type;
  bool list = false;
};

// NULL in does not mean NULL out: `function` sees to it. INTERNAL when DuckDB refuses it.
absl::Status RegisterScalar(Database& database, const std::string& name, std::initializer_list<SqlType> parameters,
                            SqlType result, duckdb_scalar_function_t function);

inline void SetNullAt(duckdb_vector vector, idx_t row) {
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
}

}  // namespace rhodes

#endif  // RHODES_FUSE_SCALAR_FUNCTION_H_
