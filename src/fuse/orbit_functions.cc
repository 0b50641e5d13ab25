#include "fuse/orbit_functions.h"

#include <cmath>
#include <initializer_list>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "fuse/flat_vector.h"
#include "orbit/catalogue.h"
#include "orbit/visibility.h"

namespace rhodes {
namespace {

// What one thread works with: the positions of the last moment.
struct Workspace {
  explicit Workspace(const Catalogue& catalogue) : set(catalogue.satellites()) {}
  SatelliteSet set;
  Catalogue::Chosen chosen;
};

// Shared by the functions of one database: the catalogue, and workspaces that no thread uses at the moment.
class Sky {
 public:
  Catalogue catalogue;

  std::unique_ptr<Workspace> Take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) return std::make_unique<Workspace>(catalogue);
    std::unique_ptr<Workspace> workspace = std::move(free_.back());
    free_.pop_back();
    return workspace;
  }
  void GiveBack(std::unique_ptr<Workspace> workspace) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(workspace));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

using SharedSky = std::shared_ptr<Sky>;
Sky& SkyOf(duckdb_function_info info) { return **static_cast<SharedSky*>(duckdb_scalar_function_get_extra_info(info)); }

// The columns of one call.
class Arguments {
 public:
  explicit Arguments(duckdb_data_chunk input) : rows_(duckdb_data_chunk_get_size(input)) {
    for (idx_t column = 0; column < duckdb_data_chunk_get_column_count(input); ++column) {
      vectors_.push_back(duckdb_data_chunk_get_vector(input, column));
    }
  }
  idx_t rows() const { return rows_; }
  bool AnyNull(idx_t row) const {
    for (duckdb_vector vector : vectors_) {
      if (!IsValidAt(vector, row)) return true;
    }
    return false;
  }
  std::string_view String(size_t column, idx_t row) const { return StringAt(vectors_[column], row); }
  double Double(size_t column, idx_t row) const {
    return static_cast<const double*>(duckdb_vector_get_data(vectors_[column]))[row];
  }
  int64_t Time(size_t column, idx_t row) const {
    return static_cast<const int64_t*>(duckdb_vector_get_data(vectors_[column]))[row];
  }
  // Latitude, longitude and altitude in three columns; false when they are no place.
  bool Place(size_t column, idx_t row, Geodetic& place) const {
    place = {Double(column, row), Double(column + 1, row), Double(column + 2, row)};
    return std::abs(place.latitude) <= 90 && std::abs(place.longitude) <= 360 && std::isfinite(place.altitude);
  }

 private:
  const idx_t rows_;
  std::vector<duckdb_vector> vectors_;
};

void SetNull(duckdb_vector vector, idx_t row) {
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
}

// A struct whose row is NULL has NULL members.
void SetStructNull(duckdb_vector vector, size_t members, idx_t row) {
  SetNull(vector, row);
  for (size_t m = 0; m < members; ++m) SetNull(duckdb_struct_vector_get_child(vector, m), row);
}

void SetDouble(duckdb_vector structs, size_t member, idx_t row, double value) {
  static_cast<double*>(duckdb_vector_get_data(duckdb_struct_vector_get_child(structs, member)))[row] = value;
}

void SetText(duckdb_vector structs, size_t member, idx_t row, std::string_view text) {
  duckdb_vector_assign_string_element_len(duckdb_struct_vector_get_child(structs, member), row, text.data(),
                                          text.size());
}

void SatellitesAbove(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  Sky& sky = SkyOf(info);
  const Arguments arguments(input);
  std::unique_ptr<Workspace> workspace = sky.Take();
  auto* entries = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(output));
  std::vector<VisibleSatellite> all;
  for (idx_t row = 0; row < arguments.rows(); ++row) {
    entries[row] = {all.size(), 0};
    Geodetic place;
    if (arguments.AnyNull(row) || !arguments.Place(1, row, place)) {
      SetNull(output, row);
      continue;
    }
    const int64_t time = arguments.Time(0, row);
    Catalogue::Chosen& chosen = workspace->chosen;
    if (time < chosen.from || time >= chosen.until) chosen = sky.catalogue.At(time);
    const std::vector<VisibleSatellite> visible =
        workspace->set.Above(place, time, arguments.Double(4, row), chosen.entries);
    entries[row].length = visible.size();
    all.insert(all.end(), visible.begin(), visible.end());
  }
  duckdb_list_vector_reserve(output, all.size());
  duckdb_list_vector_set_size(output, all.size());
  duckdb_vector structs = duckdb_list_vector_get_child(output);
  for (idx_t i = 0; i < all.size(); ++i) {
    const Catalogue::Entry& entry = sky.catalogue.entry(all[i].number);
    SetText(structs, 0, i, entry.satellite);
    SetText(structs, 1, i, entry.name);
    SetText(structs, 2, i, entry.record);
    SetDouble(structs, 3, i, all[i].look.azimuth);
    SetDouble(structs, 4, i, all[i].look.elevation);
    SetDouble(structs, 5, i, all[i].look.range);
  }
  sky.GiveBack(std::move(workspace));
}

// Where the satellite in column 0 is at the time in column 1; the entry's number, or nothing.
std::optional<size_t> EcefOf(const Sky& sky, const Arguments& arguments, idx_t row, Vector3& ecef) {
  if (arguments.AnyNull(row)) return std::nullopt;
  const int64_t time = arguments.Time(1, row);
  const std::optional<size_t> entry = sky.catalogue.Find(arguments.String(0, row), time);
  OrbitState state;
  if (!entry || sky.catalogue.satellites()[*entry].At(time, state) != OrbitError::kNone) return std::nullopt;
  ecef = TemeToEcef(state.position, SiderealTime(time));
  return entry;
}

void SatelliteLook(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const Sky& sky = SkyOf(info);
  const Arguments arguments(input);
  for (idx_t row = 0; row < arguments.rows(); ++row) {
    Vector3 ecef{};
    Geodetic place;
    const std::optional<size_t> entry = EcefOf(sky, arguments, row, ecef);
    if (!entry || !arguments.Place(2, row, place)) {
      SetStructNull(output, 4, row);
      continue;
    }
    const LookAngles look = Observer(place).LookAt(ecef);
    SetDouble(output, 0, row, look.azimuth);
    SetDouble(output, 1, row, look.elevation);
    SetDouble(output, 2, row, look.range);
    SetText(output, 3, row, sky.catalogue.entry(*entry).record);
  }
}

void SatellitePlace(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const Sky& sky = SkyOf(info);
  const Arguments arguments(input);
  for (idx_t row = 0; row < arguments.rows(); ++row) {
    Vector3 ecef{};
    const std::optional<size_t> entry = EcefOf(sky, arguments, row, ecef);
    if (!entry) {
      SetStructNull(output, 4, row);
      continue;
    }
    const Geodetic place = ToGeodetic(ecef);
    SetDouble(output, 0, row, place.latitude);
    SetDouble(output, 1, row, place.longitude);
    SetDouble(output, 2, row, place.altitude);
    SetText(output, 3, row, sky.catalogue.entry(*entry).record);
  }
}

void Sgp4(duckdb_function_info /*info*/, duckdb_data_chunk input, duckdb_vector output) {
  const Arguments arguments(input);
  auto* errors = static_cast<int32_t*>(duckdb_vector_get_data(duckdb_struct_vector_get_child(output, 6)));
  for (idx_t row = 0; row < arguments.rows(); ++row) {
    if (arguments.AnyNull(row)) {
      SetStructNull(output, 7, row);
      continue;
    }
    const absl::StatusOr<MeanElements> elements = ParseTwoLines(arguments.String(0, row), arguments.String(1, row));
    OrbitState state;
    errors[row] = elements.ok() ? static_cast<int32_t>(Satellite(*elements).At(arguments.Time(2, row), state)) : -1;
    for (size_t c = 0; c < 6; ++c) {
      if (errors[row] != 0) {
        SetNull(duckdb_struct_vector_get_child(output, c), row);
      } else {
        SetDouble(output, c, row, c < 3 ? state.position[c] : state.velocity[c - 3]);
      }
    }
  }
}

struct FunctionSpec {
  const char* name;
  std::initializer_list<duckdb_type> parameters;
  std::initializer_list<std::pair<const char*, duckdb_type>> members;
  bool list;
  duckdb_scalar_function_t function;
};

absl::Status Register(Database& database, const FunctionSpec& spec, const SharedSky& sky) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(function, spec.name);
  for (const duckdb_type type : spec.parameters) {
    duckdb_logical_type parameter = duckdb_create_logical_type(type);
    duckdb_scalar_function_add_parameter(function, parameter);
    duckdb_destroy_logical_type(&parameter);
  }
  std::vector<duckdb_logical_type> types;
  std::vector<const char*> names;
  for (const auto& [name, type] : spec.members) {
    names.push_back(name);
    types.push_back(duckdb_create_logical_type(type));
  }
  duckdb_logical_type result = duckdb_create_struct_type(types.data(), names.data(), types.size());
  for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  if (spec.list) {
    duckdb_logical_type list = duckdb_create_list_type(result);
    duckdb_destroy_logical_type(&result);
    result = list;
  }
  duckdb_scalar_function_set_return_type(function, result);
  duckdb_destroy_logical_type(&result);
  duckdb_scalar_function_set_special_handling(function);  // NULL is handled here
  duckdb_scalar_function_set_function(function, spec.function);
  duckdb_scalar_function_set_extra_info(function, new SharedSky(sky),
                                        [](void* data) { delete static_cast<SharedSky*>(data); });
  const duckdb_state state = duckdb_register_scalar_function(database.connection(), function);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBError) return absl::InternalError(fmt::format("DuckDB refused the function {}", spec.name));
  return absl::OkStatus();
}

// The element sets among the records. Sets without an epoch in UTC, and those that are not SGP4's, have no time or no
// mean motion, and are left out.
absl::Status ReadCatalogue(Database& database, Catalogue& catalogue) {
  ASSIGN_OR_RETURN(
      QueryResult rows,
      database.Query("SELECT id, author, coalesce(fields['OBJECT_NAME'], ''), epoch_us(time), channels['MEAN_MOTION'], "
                     "channels['ECCENTRICITY'], channels['INCLINATION'], channels['RA_OF_ASC_NODE'], "
                     "channels['ARG_OF_PERICENTER'], channels['MEAN_ANOMALY'], coalesce(channels['BSTAR'], 0) "
                     "FROM main.records WHERE kind = 'element-set' AND time IS NOT NULL AND author IS NOT NULL AND "
                     "channels['MEAN_MOTION'] IS NOT NULL"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) break;
    for (size_t row = 0; row < rows.row_count(); ++row) {
      Catalogue::Entry entry;
      entry.record = rows.String(0, row);
      entry.satellite = rows.String(1, row);
      entry.name = rows.String(2, row);
      entry.elements.epoch = rows.Int64(3, row);
      const std::initializer_list<double*> values = {&entry.elements.mean_motion,
                                                     &entry.elements.eccentricity,
                                                     &entry.elements.inclination,
                                                     &entry.elements.right_ascension,
                                                     &entry.elements.argument_of_perigee,
                                                     &entry.elements.mean_anomaly,
                                                     &entry.elements.drag};
      size_t column = 4;
      for (double* value : values) {
        *value = rows.IsNull(column, row) ? std::numeric_limits<double>::quiet_NaN() : rows.Double(column, row);
        ++column;
      }
      catalogue.Add(std::move(entry));
    }
  }
  catalogue.Finish();
  return absl::OkStatus();
}

}  // namespace

absl::Status RegisterOrbitFunctions(Database& database) {
  const auto sky = std::make_shared<Sky>();
  RETURN_IF_ERROR(ReadCatalogue(database, sky->catalogue));
  constexpr duckdb_type kText = DUCKDB_TYPE_VARCHAR;
  constexpr duckdb_type kTime = DUCKDB_TYPE_TIMESTAMP;
  constexpr duckdb_type kNumber = DUCKDB_TYPE_DOUBLE;
  const FunctionSpec specs[] = {
      {"satellites_above",
       {kTime, kNumber, kNumber, kNumber, kNumber},
       {{"satellite", kText},
        {"name", kText},
        {"record", kText},
        {"azimuth", kNumber},
        {"elevation", kNumber},
        {"range", kNumber}},
       true,
       &SatellitesAbove},
      {"satellite_look",
       {kText, kTime, kNumber, kNumber, kNumber},
       {{"azimuth", kNumber}, {"elevation", kNumber}, {"range", kNumber}, {"record", kText}},
       false,
       &SatelliteLook},
      {"satellite_place",
       {kText, kTime},
       {{"latitude", kNumber}, {"longitude", kNumber}, {"altitude", kNumber}, {"record", kText}},
       false,
       &SatellitePlace},
      {"sgp4",
       {kText, kText, kTime},
       {{"x", kNumber},
        {"y", kNumber},
        {"z", kNumber},
        {"vx", kNumber},
        {"vy", kNumber},
        {"vz", kNumber},
        {"error", DUCKDB_TYPE_INTEGER}},
       false,
       &Sgp4}};
  for (const FunctionSpec& spec : specs) RETURN_IF_ERROR(Register(database, spec, sky));
  return absl::OkStatus();
}

}  // namespace rhodes
