// DuckDB's vectors made plain: what a scalar function of the C interface is given may hold constants and dictionaries
// inside structs and lists, which that interface cannot tell.
#ifndef RHODES_FUSE_FLAT_VECTOR_H_
#define RHODES_FUSE_FLAT_VECTOR_H_

#include <duckdb.h>

#include <string_view>

namespace rhodes {

// A copy of the first `rows` values of `source`, flat all the way down. Owns what it holds.
class FlatVector {
 public:
  FlatVector(duckdb_vector source, idx_t rows);
  ~FlatVector();
  FlatVector(const FlatVector&) = delete;
  FlatVector& operator=(const FlatVector&) = delete;

  duckdb_vector get() const { return vector_; }

 private:
  duckdb_vector vector_ = nullptr;
};

// Of a flat VARCHAR or BLOB vector.
inline std::string_view StringAt(duckdb_vector vector, idx_t row) {
  auto* strings = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  return {duckdb_string_t_data(&strings[row]), duckdb_string_t_length(strings[row])};
}

inline bool IsValidAt(duckdb_vector vector, idx_t row) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity == nullptr || duckdb_validity_row_is_valid(validity, row);
}

}  // namespace rhodes

#endif  // RHODES_FUSE_FLAT_VECTOR_H_
