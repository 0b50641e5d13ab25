#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "fuse/cluster.h"
#include "fuse/flat_vector.h"
#include "fuse/functions.h"
#include "fuse/place.h"
#include "fuse/scalar_function.h"

namespace rhodes {
namespace {

// Three lists of one length: times, latitudes, longitudes.
class EventLists {
 public:
  EventLists(duckdb_data_chunk input, idx_t rows)
      : vectors_{FlatVector(duckdb_data_chunk_get_vector(input, 0), rows),
                 FlatVector(duckdb_data_chunk_get_vector(input, 1), rows),
                 FlatVector(duckdb_data_chunk_get_vector(input, 2), rows)} {
    for (size_t i = 0; i < vectors_.size(); ++i) {
      entries_[i] = static_cast<const duckdb_list_entry*>(duckdb_vector_get_data(vectors_[i].get()));
      children_[i] = duckdb_list_vector_get_child(vectors_[i].get());
    }
  }

  // False when the row has none, or one of them is no place at a time.
  bool Read(idx_t row, int64_t window, std::vector<EventPoint>& points) const {
    points.clear();
    for (size_t i = 0; i < vectors_.size(); ++i) {
      if (!IsValidAt(vectors_[i].get(), row) || entries_[i][row].length != entries_[0][row].length) return false;
    }
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    for (idx_t k = 0; k < entries_[0][row].length; ++k) {
      std::array<idx_t, 3> at{};
      for (size_t i = 0; i < at.size(); ++i) {
        at[i] = entries_[i][row].offset + k;
        if (!IsValidAt(children_[i], at[i])) return false;
      }
      const EventPoint point = {static_cast<const int64_t*>(duckdb_vector_get_data(children_[0]))[at[0]],
                                static_cast<const double*>(duckdb_vector_get_data(children_[1]))[at[1]],
                                static_cast<const double*>(duckdb_vector_get_data(children_[2]))[at[2]]};
      if (!IsPlace(point.latitude, point.longitude)) return false;
      if (point.time > kMost - window || point.time < -kMost + window) return false;
      points.push_back(point);
    }
    return true;
  }

 private:
  std::array<FlatVector, 3> vectors_;
  std::array<const duckdb_list_entry*, 3> entries_{};
  std::array<duckdb_vector, 3> children_{};
};

void Clusters(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const idx_t rows = duckdb_data_chunk_get_size(input);
  const EventLists lists(input, rows);
  duckdb_vector distances = duckdb_data_chunk_get_vector(input, 3);
  duckdb_vector windows = duckdb_data_chunk_get_vector(input, 4);
  auto* entries = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(output));
  std::vector<int64_t> all;
  std::vector<EventPoint> points;
  for (idx_t row = 0; row < rows; ++row) {
    entries[row] = {all.size(), 0};
    const double metres = static_cast<const double*>(duckdb_vector_get_data(distances))[row];
    const int64_t window = static_cast<const int64_t*>(duckdb_vector_get_data(windows))[row];
    if (!IsValidAt(distances, row) || !IsValidAt(windows, row) || !(metres > 0) || !std::isfinite(metres) ||
        window < 0 || !lists.Read(row, window, points)) {
      SetNullAt(output, row);
      continue;
    }
    const absl::StatusOr<std::vector<int64_t>> clusters = ClusterEvents(points, metres, window);
    if (!clusters.ok()) {
      duckdb_scalar_function_set_error(info, Message(clusters.status()).c_str());
      return;
    }
    all.insert(all.end(), clusters->begin(), clusters->end());
    entries[row].length = clusters->size();
  }
  if (duckdb_list_vector_reserve(output, all.size()) == DuckDBError ||
      duckdb_list_vector_set_size(output, all.size()) == DuckDBError) {
    duckdb_scalar_function_set_error(info, "cluster_events: there is no room for the result");
    return;
  }
  std::copy(all.begin(), all.end(),
            static_cast<int64_t*>(duckdb_vector_get_data(duckdb_list_vector_get_child(output))));
}

void Surprises(duckdb_function_info /*info*/, duckdb_data_chunk input, duckdb_vector output) {
  duckdb_vector counts = duckdb_data_chunk_get_vector(input, 0);
  duckdb_vector means = duckdb_data_chunk_get_vector(input, 1);
  auto* results = static_cast<double*>(duckdb_vector_get_data(output));
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    const double expected = static_cast<const double*>(duckdb_vector_get_data(means))[row];
    if (IsValidAt(counts, row) && IsValidAt(means, row) && expected > 0 && std::isfinite(expected)) {
      results[row] = PoissonSurprise(static_cast<const int64_t*>(duckdb_vector_get_data(counts))[row], expected);
    } else {
      SetNullAt(output, row);
    }
  }
}

}  // namespace

absl::Status RegisterStreamFunctions(Database& database) {
  constexpr SqlType kDouble = {DUCKDB_TYPE_DOUBLE};
  constexpr SqlType kInteger = {DUCKDB_TYPE_BIGINT};
  constexpr SqlType kDoubles = {DUCKDB_TYPE_DOUBLE, true};
  constexpr SqlType kIntegers = {DUCKDB_TYPE_BIGINT, true};
  RETURN_IF_ERROR(RegisterScalar(database, "cluster_events", {kIntegers, kDoubles, kDoubles, kDouble, kInteger},
                                 kIntegers, &Clusters));
  return RegisterScalar(database, "poisson_surprise", {kInteger, kDouble}, kDouble, &Surprises);
}

}  // namespace rhodes
