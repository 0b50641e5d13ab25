#include "fuse/document_id.h"

#include <array>
#include <string>

#include "base/hash.h"
#include "base/text.h"
#include "fuse/flat_vector.h"
#include "fuse/fused_text.h"

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

// "span 2 of a text of 31 bytes ...", or nothing.
std::string WrongSpan(std::string_view text, idx_t parents, uint64_t begin, uint64_t end, uint64_t parent) {
  const auto cuts = [text](uint64_t at) { return at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80; };
  if (begin >= end || end > text.size()) {
    return fmt::format("a span goes from byte {} to {} of a text of {} bytes", begin, end, text.size());
  }
  if (cuts(begin) || cuts(end)) return fmt::format("a span from byte {} to {} cuts a character", begin, end);
  if (parent >= parents) return fmt::format("a span is from no parent of its document, which has {}", parents);
  return "";
}

void CheckedSpans(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const idx_t rows = duckdb_data_chunk_get_size(input);
  duckdb_vector texts = duckdb_data_chunk_get_vector(input, 0);
  const FlatVector parents(duckdb_data_chunk_get_vector(input, 1), rows);
  const FlatVector lists(duckdb_data_chunk_get_vector(input, 2), rows);
  duckdb_vector ids = duckdb_list_vector_get_child(parents.get());
  duckdb_vector spans = duckdb_list_vector_get_child(lists.get());
  const auto* of_parents = static_cast<const duckdb_list_entry*>(duckdb_vector_get_data(parents.get()));
  const auto* of_spans = static_cast<const duckdb_list_entry*>(duckdb_vector_get_data(lists.get()));
  for (idx_t row = 0; row < rows; ++row) {
    if (!IsValidAt(texts, row) || !IsValidAt(lists.get(), row)) continue;
    const duckdb_list_entry own = IsValidAt(parents.get(), row) ? of_parents[row] : duckdb_list_entry{0, 0};
    for (idx_t i = own.offset; i < own.offset + own.length; ++i) {
      if (!IsValidAt(ids, i)) return duckdb_scalar_function_set_error(info, "a parent is NULL where there are spans");
    }
    for (idx_t i = of_spans[row].offset; i < of_spans[row].offset + of_spans[row].length; ++i) {
      std::array<uint64_t, 3> numbers;
      for (idx_t member = 0; member < 3; ++member) {
        duckdb_vector values = duckdb_struct_vector_get_child(spans, member);
        numbers[member] =
            IsValidAt(values, i) ? static_cast<const uint64_t*>(duckdb_vector_get_data(values))[i] : ~uint64_t{0};
      }
      const std::string wrong = WrongSpan(StringAt(texts, row), own.length, numbers[0], numbers[1], numbers[2]);
      if (!wrong.empty()) return duckdb_scalar_function_set_error(info, wrong.c_str());
    }
  }
  duckdb_vector_reference_vector(output, lists.get());
}

}  // namespace

absl::Status RegisterCheckedSpans(Database& database) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type varchar = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type list = duckdb_create_list_type(varchar);
  duckdb_logical_type spans = SpansType();
  duckdb_scalar_function_set_name(function, "checked_spans");
  for (duckdb_logical_type type : {varchar, list, spans}) duckdb_scalar_function_add_parameter(function, type);
  duckdb_scalar_function_set_return_type(function, spans);
  duckdb_scalar_function_set_special_handling(function);
  duckdb_scalar_function_set_function(function, &CheckedSpans);
  const duckdb_state state = duckdb_register_scalar_function(database.connection(), function);
  for (duckdb_logical_type* type : {&varchar, &list, &spans}) duckdb_destroy_logical_type(type);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBError) return absl::InternalError("DuckDB refused the function checked_spans");
  return absl::OkStatus();
}

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
