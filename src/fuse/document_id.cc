#include "fuse/document_id.h"

#include <string>

#include "base/hash.h"
#include "base/text.h"
#include "fuse/flat_vector.h"

namespace rhodes {
namespace {

void DocumentIds(duckdb_function_info /*info*/, duckdb_data_chunk input, duckdb_vector output) {
  duckdb_vector texts = duckdb_data_chunk_get_vector(input, 0);
  duckdb_vector lists = duckdb_data_chunk_get_vector(input, 1);
  duckdb_vector parents = duckdb_list_vector_get_child(lists);
  const auto* entries = static_cast<const duckdb_list_entry*>(duckdb_vector_get_data(lists));
  duckdb_vector_ensure_validity_writable(output);
  uint64_t* validity = duckdb_vector_get_validity(output);
  std::string joined;  // the parts with NUL between them, which is what ContentId() makes of several
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    const std::string_view text = IsValidAt(texts, row) ? StringAt(texts, row) : std::string_view();
    if (Trim(text).empty()) {
      duckdb_validity_set_row_invalid(validity, row);
      continue;
    }
    joined.assign(text);
    if (IsValidAt(lists, row)) {
      for (idx_t i = entries[row].offset; i < entries[row].offset + entries[row].length; ++i) {
        joined += '\0';
        joined += StringAt(parents, i);
      }
    }
    const std::string id = ContentId({joined});
    duckdb_vector_assign_string_element_len(output, row, id.data(), id.size());
  }
}

}  // namespace

absl::Status RegisterDocumentId(Database& database) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type varchar = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type list = duckdb_create_list_type(varchar);
  duckdb_scalar_function_set_name(function, "document_id");
  duckdb_scalar_function_add_parameter(function, varchar);
  duckdb_scalar_function_add_parameter(function, list);
  duckdb_scalar_function_set_return_type(function, varchar);
  duckdb_scalar_function_set_special_handling(function);  // NULL in does not mean NULL out
  duckdb_scalar_function_set_function(function, &DocumentIds);
  const duckdb_state state = duckdb_register_scalar_function(database.connection(), function);
  duckdb_destroy_logical_type(&list);
  duckdb_destroy_logical_type(&varchar);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBError) return absl::InternalError("DuckDB refused the function document_id");
  return absl::OkStatus();
}

}  // namespace rhodes
