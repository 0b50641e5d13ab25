#include <algorithm>
#include <memory>

#include "fuse/flat_vector.h"
#include "fuse/fused_text.h"
#include "fuse/render.h"
#include "fuse/struct_shape.h"

namespace rhodes {
namespace {

// Which members of a part are what; -1: it has none.
struct PartShape {
  int text = -1;
  int parent = -1;
  int parents = -1;
  int spans = -1;
};

absl::StatusOr<PartShape> ShapeOf(duckdb_logical_type list) {
  const absl::Status wrong = absl::InvalidArgumentError(
      "join_parts(): the first argument is a list of structs with text VARCHAR and parent VARCHAR or parents "
      "VARCHAR[], "
      "as render() and part() give them");
  if (duckdb_get_type_id(list) != DUCKDB_TYPE_LIST) return wrong;
  duckdb_logical_type element = duckdb_list_type_child_type(list);
  const std::vector<Member> members = MembersOf(element);
  duckdb_destroy_logical_type(&element);
  PartShape shape;
  for (const Member& member : members) {
    const auto index = static_cast<int>(member.child[0]);
    const bool ids = member.type == DUCKDB_TYPE_LIST && member.stored == DUCKDB_TYPE_VARCHAR;
    if (member.path == "text" && member.type == DUCKDB_TYPE_VARCHAR) shape.text = index;
    if (member.path == "parent" && member.type == DUCKDB_TYPE_VARCHAR) shape.parent = index;
    if (member.path == "parents" && ids) shape.parents = index;
    if (member.path == "spans" && member.type == DUCKDB_TYPE_LIST && member.stored == DUCKDB_TYPE_STRUCT) {
      shape.spans = index;
    }
  }
  if (shape.text < 0 || (shape.parent < 0 && shape.parents < 0)) return wrong;
  if (shape.parents < 0) shape.spans = -1;
  return shape;
}

void BindJoin(duckdb_bind_info info) {
  duckdb_expression argument = duckdb_scalar_function_bind_get_argument(info, 0);
  duckdb_logical_type type = duckdb_expression_return_type(argument);
  const absl::StatusOr<PartShape> shape = ShapeOf(type);
  duckdb_destroy_logical_type(&type);
  duckdb_destroy_expression(&argument);
  if (!shape.ok()) {
    duckdb_scalar_function_bind_set_error(info, Message(shape.status()).c_str());
    return;
  }
  duckdb_scalar_function_set_bind_data(info, new PartShape(*shape),
                                       [](void* data) { delete static_cast<PartShape*>(data); });
  duckdb_scalar_function_set_bind_data_copy(
      info, [](void* data) -> void* { return new PartShape(*static_cast<PartShape*>(data)); });
}

// The parts of a chunk, as vectors.
struct Parts {
  Parts(const PartShape& of, duckdb_vector parts) : shape(of), vector(parts) {
    text = Child(shape.text);
    parent = Child(shape.parent);
    parents = Child(shape.parents);
    spans = Child(shape.spans);
  }
  duckdb_vector Child(int index) const {
    return index < 0 ? nullptr : duckdb_struct_vector_get_child(vector, static_cast<idx_t>(index));
  }

  const PartShape& shape;
  duckdb_vector vector;
  duckdb_vector text;
  duckdb_vector parent;
  duckdb_vector parents;
  duckdb_vector spans;
};

duckdb_list_entry EntryAt(duckdb_vector list, idx_t row) {
  return static_cast<const duckdb_list_entry*>(duckdb_vector_get_data(list))[row];
}
uint64_t NumberAt(duckdb_vector spans, idx_t member, idx_t row) {
  return static_cast<const uint64_t*>(
      duckdb_vector_get_data(duckdb_struct_vector_get_child(duckdb_list_vector_get_child(spans), member)))[row];
}

// One row's parts as one text.
class Joiner {
 public:
  void Clear() {
    text_.clear();
    parents_.clear();
    spans_.clear();
  }
  void Add(const Parts& parts, idx_t at, std::string_view separator) {
    if (!IsValidAt(parts.vector, at) || !IsValidAt(parts.text, at)) return;
    const std::string_view text = StringAt(parts.text, at);
    if (text.empty()) return;
    if (!text_.empty()) text_ += separator;
    const uint64_t begin = text_.size();
    text_ += text;
    own_.clear();
    if (parts.parent != nullptr && IsValidAt(parts.parent, at)) own_.push_back(IndexOf(StringAt(parts.parent, at)));
    if (parts.parents != nullptr && IsValidAt(parts.parents, at)) {
      const duckdb_list_entry entry = EntryAt(parts.parents, at);
      duckdb_vector ids = duckdb_list_vector_get_child(parts.parents);
      for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
        if (IsValidAt(ids, i)) own_.push_back(IndexOf(StringAt(ids, i)));
      }
    }
    AddSpans(parts, at, begin);
  }
  void Write(FusedTextWriter& writer) const {
    if (text_.empty()) return writer.AddNull();
    writer.Add(text_, parents_, spans_);
  }

 private:
  uint64_t IndexOf(std::string_view id) {
    const auto found = std::find(parents_.begin(), parents_.end(), id);
    const auto index = static_cast<uint64_t>(found - parents_.begin());
    if (found == parents_.end()) parents_.push_back(id);
    return index;
  }
  void AddSpans(const Parts& parts, idx_t at, uint64_t begin) {
    const uint64_t size = text_.size() - begin;
    if (parts.spans == nullptr || !IsValidAt(parts.spans, at)) {
      for (const uint64_t parent : own_) spans_.push_back({begin, begin + size, parent});
      return;
    }
    const duckdb_list_entry entry = EntryAt(parts.spans, at);
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      const uint64_t from = NumberAt(parts.spans, 0, i);
      const uint64_t to = std::min(NumberAt(parts.spans, 1, i), size);
      const uint64_t parent = NumberAt(parts.spans, 2, i);
      if (from < to && parent < own_.size()) spans_.push_back({begin + from, begin + to, own_[parent]});
    }
  }

  std::string text_;
  std::vector<std::string_view> parents_;
  std::vector<FusedTextWriter::Span> spans_;
  std::vector<uint64_t> own_;  // of the part at hand, as indices into parents_
};

void JoinChunk(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto& shape = *static_cast<const PartShape*>(duckdb_scalar_function_get_bind_data(info));
  const idx_t rows = duckdb_data_chunk_get_size(input);
  const FlatVector lists(duckdb_data_chunk_get_vector(input, 0), rows);
  duckdb_vector separators = duckdb_data_chunk_get_vector(input, 1);
  const Parts parts(shape, duckdb_list_vector_get_child(lists.get()));
  FusedTextWriter writer(output, rows);
  Joiner joiner;
  for (idx_t row = 0; row < rows; ++row) {
    joiner.Clear();
    if (IsValidAt(lists.get(), row)) {
      const std::string_view separator = IsValidAt(separators, row) ? StringAt(separators, row) : std::string_view();
      const duckdb_list_entry entry = EntryAt(lists.get(), row);
      for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) joiner.Add(parts, i, separator);
    }
    joiner.Write(writer);
  }
}

}  // namespace

absl::Status RegisterJoinParts(Database& database) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type varchar = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type any = duckdb_create_logical_type(DUCKDB_TYPE_ANY);
  duckdb_logical_type result = FusedTextType();
  duckdb_scalar_function_set_name(function, "join_parts");
  duckdb_scalar_function_add_parameter(function, any);
  duckdb_scalar_function_add_parameter(function, varchar);
  duckdb_scalar_function_set_return_type(function, result);
  duckdb_scalar_function_set_special_handling(function);
  duckdb_scalar_function_set_bind(function, &BindJoin);
  duckdb_scalar_function_set_function(function, &JoinChunk);
  const duckdb_state state = duckdb_register_scalar_function(database.connection(), function);
  for (duckdb_logical_type* type : {&varchar, &any, &result}) duckdb_destroy_logical_type(type);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBError) return absl::InternalError("DuckDB refused the function join_parts");
  return absl::OkStatus();
}

}  // namespace rhodes
