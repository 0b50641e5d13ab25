#include "fuse/flat_vector.h"

#include <numeric>

namespace rhodes {
namespace {

// 0, 1, 2, ...: one for each thread, as long as the longest vector so far.
class Identity {
 public:
  ~Identity() {
    if (selection_ != nullptr) duckdb_destroy_selection_vector(selection_);
  }
  duckdb_selection_vector Of(idx_t rows) {
    if (rows > size_) {
      if (selection_ != nullptr) duckdb_destroy_selection_vector(selection_);
      size_ = rows < duckdb_vector_size() ? duckdb_vector_size() : rows;
      selection_ = duckdb_create_selection_vector(size_);
      sel_t* data = duckdb_selection_vector_get_data_ptr(selection_);
      std::iota(data, data + size_, sel_t{0});
    }
    return selection_;
  }

 private:
  duckdb_selection_vector selection_ = nullptr;
  idx_t size_ = 0;
};

}  // namespace

FlatVector::FlatVector(duckdb_vector source, idx_t rows) {
  thread_local Identity identity;
  duckdb_logical_type type = duckdb_vector_get_column_type(source);
  vector_ = duckdb_create_vector(type, rows < duckdb_vector_size() ? duckdb_vector_size() : rows);
  duckdb_destroy_logical_type(&type);
  duckdb_vector_copy_sel(source, vector_, identity.Of(rows), rows, 0, 0);
}

FlatVector::~FlatVector() { duckdb_destroy_vector(&vector_); }

}  // namespace rhodes
