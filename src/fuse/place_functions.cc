#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "fuse/flat_vector.h"
#include "fuse/functions.h"
#include "fuse/place.h"
#include "fuse/scalar_function.h"

namespace rhodes {
namespace {

const double* Doubles(duckdb_vector vector) { return static_cast<const double*>(duckdb_vector_get_data(vector)); }

void Distances(duckdb_function_info /*info*/, duckdb_data_chunk input, duckdb_vector output) {
  std::array<duckdb_vector, 4> vectors;
  std::array<const double*, 4> values;
  for (idx_t i = 0; i < 4; ++i) {
    vectors[i] = duckdb_data_chunk_get_vector(input, i);
    values[i] = Doubles(vectors[i]);
  }
  auto* results = static_cast<double*>(duckdb_vector_get_data(output));
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    bool valid = true;
    for (duckdb_vector vector : vectors) valid = valid && IsValidAt(vector, row);
    if (valid && IsPlace(values[0][row], values[1][row]) && IsPlace(values[2][row], values[3][row])) {
      results[row] = DistanceMetres(values[0][row], values[1][row], values[2][row], values[3][row]);
    } else {
      SetNullAt(output, row);
    }
  }
}

// The columns of near_cell() and near_cells(), and the grid of the row at hand.
class NearArguments {
 public:
  explicit NearArguments(duckdb_data_chunk input) {
    for (idx_t i = 0; i < vectors_.size(); ++i) vectors_[i] = duckdb_data_chunk_get_vector(input, i);
  }

  // False when the row has no cell.
  bool Read(idx_t row) {
    for (duckdb_vector vector : vectors_) {
      if (!IsValidAt(vector, row)) return false;
    }
    const int64_t window = Integer(4, row);
    const double metres = Doubles(vectors_[3])[row];
    time = Integer(0, row);
    latitude = Doubles(vectors_[1])[row];
    longitude = Doubles(vectors_[2])[row];
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    if (!IsPlace(latitude, longitude) || !(metres > 0) || !std::isfinite(metres) || window < 0) return false;
    if (time > kMost - window || time < -kMost + window) return false;
    if (!grid_.has_value() || metres != metres_ || window != window_) {
      grid_.emplace(metres, window);
      metres_ = metres;
      window_ = window;
    }
    return true;
  }
  const PlaceGrid& grid() const { return *grid_; }

  int64_t time = 0;
  double latitude = 0;
  double longitude = 0;

 private:
  int64_t Integer(size_t column, idx_t row) const {
    return static_cast<const int64_t*>(duckdb_vector_get_data(vectors_[column]))[row];
  }

  std::array<duckdb_vector, 5> vectors_{};
  std::optional<PlaceGrid> grid_;
  double metres_ = 0;
  int64_t window_ = 0;
};

void NearCell(duckdb_function_info /*info*/, duckdb_data_chunk input, duckdb_vector output) {
  NearArguments arguments(input);
  auto* cells = static_cast<uint64_t*>(duckdb_vector_get_data(output));
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    if (arguments.Read(row)) {
      cells[row] = arguments.grid().Cell(arguments.latitude, arguments.longitude, arguments.time);
    } else {
      SetNullAt(output, row);
    }
  }
}

void NearCells(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  NearArguments arguments(input);
  auto* entries = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(output));
  std::vector<uint64_t> cells;
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    const size_t first = cells.size();
    if (arguments.Read(row)) {
      arguments.grid().NearCells(arguments.latitude, arguments.longitude, arguments.time, cells);
    } else {
      SetNullAt(output, row);
    }
    entries[row] = {first, cells.size() - first};
  }
  if (duckdb_list_vector_reserve(output, cells.size()) == DuckDBError ||
      duckdb_list_vector_set_size(output, cells.size()) == DuckDBError) {
    duckdb_scalar_function_set_error(info, "near_cells: there is no room for the cells");
    return;
  }
  auto* child = static_cast<uint64_t*>(duckdb_vector_get_data(duckdb_list_vector_get_child(output)));
  std::copy(cells.begin(), cells.end(), child);
}

}  // namespace

absl::Status RegisterPlaceFunctions(Database& database) {
  constexpr SqlType kDouble = {DUCKDB_TYPE_DOUBLE};
  constexpr SqlType kInteger = {DUCKDB_TYPE_BIGINT};
  RETURN_IF_ERROR(RegisterScalar(database, "distance_m", {kDouble, kDouble, kDouble, kDouble}, kDouble, &Distances));
  RETURN_IF_ERROR(RegisterScalar(database, "near_cell", {kInteger, kDouble, kDouble, kDouble, kInteger},
                                 {DUCKDB_TYPE_UBIGINT}, &NearCell));
  return RegisterScalar(database, "near_cells", {kInteger, kDouble, kDouble, kDouble, kInteger},
                        {DUCKDB_TYPE_UBIGINT, true}, &NearCells);
}

}  // namespace rhodes
