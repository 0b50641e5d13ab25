#include "fuse/fused_text.h"

#include <algorithm>
#include <array>

namespace rhodes {
namespace {

bool SayNothing(const std::vector<FusedTextWriter::Span>& spans, size_t parents, size_t size) {
  if (spans.size() != parents) return spans.empty() && parents == 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].begin != 0 || spans[i].end != size || spans[i].parent != i) return false;
  }
  return true;
}

void Reserve(duckdb_vector list, idx_t wanted, idx_t& room) {
  if (wanted <= room) return;
  room = std::max<idx_t>(wanted, 2 * room);
  duckdb_list_vector_reserve(list, room);
}

}  // namespace

duckdb_logical_type SpansType() {
  duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
  std::array<duckdb_logical_type, 3> span_types = {number, number, number};
  std::array<const char*, 3> span_names = {"begin", "end", "parent"};
  duckdb_logical_type span = duckdb_create_struct_type(span_types.data(), span_names.data(), 3);
  duckdb_logical_type spans = duckdb_create_list_type(span);
  duckdb_destroy_logical_type(&number);
  duckdb_destroy_logical_type(&span);
  return spans;
}

duckdb_logical_type FusedTextType() {
  duckdb_logical_type varchar = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type parents = duckdb_create_list_type(varchar);
  duckdb_logical_type spans = SpansType();
  std::array<duckdb_logical_type, 3> types = {varchar, parents, spans};
  std::array<const char*, 3> names = {"text", "parents", "spans"};
  duckdb_logical_type type = duckdb_create_struct_type(types.data(), names.data(), 3);
  for (duckdb_logical_type* part : {&varchar, &parents, &spans}) duckdb_destroy_logical_type(part);
  return type;
}

FusedTextWriter::FusedTextWriter(duckdb_vector output, idx_t rows)
    : output_(output),
      text_(duckdb_struct_vector_get_child(output, 0)),
      parents_(duckdb_struct_vector_get_child(output, 1)),
      spans_(duckdb_struct_vector_get_child(output, 2)) {
  for (duckdb_vector vector : {output_, text_, parents_, spans_}) duckdb_vector_ensure_validity_writable(vector);
  Reserve(parents_, rows, parent_room_);
  Reserve(spans_, rows, span_room_);
}

void FusedTextWriter::AddNull() {
  for (duckdb_vector vector : {output_, text_, parents_, spans_}) {
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row_);
  }
  // A NULL list still has an entry that is read when the vector is copied.
  static_cast<duckdb_list_entry*>(duckdb_vector_get_data(parents_))[row_] = {parent_count_, 0};
  static_cast<duckdb_list_entry*>(duckdb_vector_get_data(spans_))[row_] = {span_count_, 0};
  ++row_;
}

void FusedTextWriter::Add(std::string_view text, const std::vector<std::string_view>& parents,
                          const std::vector<Span>& spans) {
  duckdb_vector_assign_string_element_len(text_, row_, text.data(), text.size());

  Reserve(parents_, parent_count_ + parents.size(), parent_room_);
  duckdb_list_vector_set_size(parents_, parent_count_ + parents.size());
  duckdb_vector parent = duckdb_list_vector_get_child(parents_);
  static_cast<duckdb_list_entry*>(duckdb_vector_get_data(parents_))[row_] = {parent_count_, parents.size()};
  for (const std::string_view id : parents) {
    duckdb_vector_assign_string_element_len(parent, parent_count_++, id.data(), id.size());
  }

  auto& entry = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(spans_))[row_];
  entry = {span_count_, 0};
  if (SayNothing(spans, parents.size(), text.size())) {
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(spans_), row_++);
    return;
  }
  Reserve(spans_, span_count_ + spans.size(), span_room_);
  duckdb_list_vector_set_size(spans_, span_count_ + spans.size());
  duckdb_vector span = duckdb_list_vector_get_child(spans_);
  auto* begin = static_cast<uint64_t*>(duckdb_vector_get_data(duckdb_struct_vector_get_child(span, 0)));
  auto* end = static_cast<uint64_t*>(duckdb_vector_get_data(duckdb_struct_vector_get_child(span, 1)));
  auto* from = static_cast<uint64_t*>(duckdb_vector_get_data(duckdb_struct_vector_get_child(span, 2)));
  entry.length = spans.size();
  for (const Span& one : spans) {
    begin[span_count_] = one.begin;
    end[span_count_] = one.end;
    from[span_count_++] = one.parent;
  }
  ++row_;
}

}  // namespace rhodes
