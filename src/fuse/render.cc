#include "fuse/render.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "base/text.h"
#include "fuse/flat_vector.h"
#include "fuse/fused_text.h"
#include "fuse/struct_shape.h"

namespace rhodes {
namespace {

using Templates = std::map<std::string, std::shared_ptr<const Template>>;

// What a call of render() was bound to. Immutable.
struct Binding {
  std::shared_ptr<const Template> form;
  std::vector<Member> fields;  // for each of the template's fields
  std::vector<Member> ids;     // of the records in the argument
  std::vector<int> owned;      // Template::Own()
};

bool IsWhole(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
      return true;
    default:
      return false;
  }
}

bool IsNumber(duckdb_type type) {
  return IsWhole(type) || type == DUCKDB_TYPE_FLOAT || type == DUCKDB_TYPE_DOUBLE || type == DUCKDB_TYPE_DECIMAL;
}

bool IsTime(duckdb_type type) {
  return type == DUCKDB_TYPE_TIMESTAMP || type == DUCKDB_TYPE_TIMESTAMP_TZ || type == DUCKDB_TYPE_TIMESTAMP_S ||
         type == DUCKDB_TYPE_TIMESTAMP_MS || type == DUCKDB_TYPE_TIMESTAMP_NS || type == DUCKDB_TYPE_DATE;
}

absl::Status CheckType(const Template& form, const Template::Field& field, duckdb_type type) {
  using Kind = FieldFormat::Kind;
  const bool null = type == DUCKDB_TYPE_SQLNULL;
  const auto fail = [&](const char* wants) {
    return absl::InvalidArgumentError(
        fmt::format("{}: the field \"{}\" is {}; cast it in the view", form.Place(field.line), field.path, wants));
  };
  if (null) return absl::OkStatus();
  if (field.wanted == Kind::kPlain) {
    if (IsNumber(type) || IsTime(type) || type == DUCKDB_TYPE_VARCHAR || type == DUCKDB_TYPE_BOOLEAN) {
      return absl::OkStatus();
    }
    return fail("neither text, number, time nor BOOLEAN");
  }
  if (field.wanted == Kind::kNumber || field.wanted == Kind::kCoordinates) {
    return IsNumber(type) ? absl::OkStatus() : fail("formatted as a number and is none");
  }
  return IsTime(type) ? absl::OkStatus() : fail("formatted as a time and is neither TIMESTAMP nor DATE");
}

absl::Status UnknownField(const Template& form, const Template::Field& field, const std::vector<Member>& members) {
  std::vector<std::string> known;
  for (const Member& member : members) {
    if (member.type != DUCKDB_TYPE_STRUCT) known.push_back(member.path);
  }
  std::string hint;
  if (const std::string nearest = Nearest(field.path, known); !nearest.empty()) {
    hint = fmt::format("did you mean \"{}\"?", nearest);
  } else {
    known.resize(std::min<size_t>(known.size(), 12));
    for (const std::string& path : known) hint += (hint.empty() ? "there is " : ", ") + path;
  }
  return absl::InvalidArgumentError(fmt::format("{}: there is no field \"{}\" in what render() is given{}{}",
                                                form.Place(field.line), field.path, hint.empty() ? "" : "; ", hint));
}

absl::StatusOr<Binding> Bind(std::shared_ptr<const Template> form, duckdb_logical_type type) {
  if (duckdb_get_type_id(type) != DUCKDB_TYPE_STRUCT) {
    return absl::InvalidArgumentError("render(): the second argument is a struct: {'speed': channels['speed']}");
  }
  const std::vector<Member> members = MembersOf(type);
  Binding binding;
  binding.form = std::move(form);
  for (const Template::Field& field : binding.form->fields()) {
    const auto member =
        std::find_if(members.begin(), members.end(), [&](const Member& one) { return one.path == field.path; });
    if (member == members.end()) return UnknownField(*binding.form, field, members);
    RETURN_IF_ERROR(CheckType(*binding.form, field, member->type));
    binding.fields.push_back(*member);
  }
  std::vector<std::string> owners;
  for (const Member& member : members) {
    const bool id = member.path == "id" || member.path.ends_with(".id");
    const duckdb_type of = member.type == DUCKDB_TYPE_LIST ? member.stored : member.type;
    if (!id || of != DUCKDB_TYPE_VARCHAR) continue;
    owners.push_back(member.path == "id" ? "" : member.path.substr(0, member.path.size() - 3));
    binding.ids.push_back(member);
  }
  ASSIGN_OR_RETURN(binding.owned, binding.form->Own(owners));
  return binding;
}

// The values of one member in a chunk.
class Column {
 public:
  Column(const Member& member, duckdb_vector argument, const std::map<idx_t, std::unique_ptr<FlatVector>>& flat)
      : member_(member) {
    AddValidity(argument);
    vector_ = flat.at(member.child[0])->get();
    for (size_t i = 1; i < member.child.size(); ++i) {
      AddValidity(vector_);
      vector_ = duckdb_struct_vector_get_child(vector_, member.child[i]);
    }
    AddValidity(vector_);
    data_ = duckdb_vector_get_data(vector_);
  }

  bool IsNull(idx_t row) const {
    return std::any_of(validity_.begin(), validity_.end(),
                       [row](uint64_t* validity) { return !duckdb_validity_row_is_valid(validity, row); });
  }

  FieldValue At(idx_t row) const {
    if (member_.type == DUCKDB_TYPE_SQLNULL || IsNull(row)) return {};
    switch (member_.type) {
      case DUCKDB_TYPE_VARCHAR:
        return FieldValue::Text(StringAt(vector_, row));
      case DUCKDB_TYPE_BOOLEAN:
        return FieldValue::Bool(Get<bool>(row));
      case DUCKDB_TYPE_FLOAT:
        return FieldValue::Number(static_cast<double>(Get<float>(row)));
      case DUCKDB_TYPE_DOUBLE:
        return FieldValue::Number(Get<double>(row));
      case DUCKDB_TYPE_DECIMAL:
        return Decimal(row);
      case DUCKDB_TYPE_DATE: {
        const int64_t day = Get<int32_t>(row);
        const bool finite = day != std::numeric_limits<int32_t>::max() && day != -std::numeric_limits<int32_t>::max();
        return finite ? FieldValue::Time(day * 86'400'000'000) : FieldValue();
      }
      default:
        return IsTime(member_.type) ? Time(Get<int64_t>(row)) : Whole(member_.type, row);
    }
  }

  // The ids in a VARCHAR or VARCHAR[].
  void AddIds(idx_t row, std::vector<std::string_view>& ids) const {
    if (IsNull(row)) return;
    if (member_.type == DUCKDB_TYPE_VARCHAR) {
      ids.push_back(StringAt(vector_, row));
      return;
    }
    const duckdb_list_entry entry = Get<duckdb_list_entry>(row);
    duckdb_vector child = duckdb_list_vector_get_child(vector_);
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (IsValidAt(child, i)) ids.push_back(StringAt(child, i));
    }
  }

 private:
  void AddValidity(duckdb_vector vector) {
    if (uint64_t* validity = duckdb_vector_get_validity(vector)) validity_.push_back(validity);
  }
  template <typename T>
  T Get(idx_t row) const {
    return static_cast<const T*>(data_)[row];
  }

  FieldValue Whole(duckdb_type type, idx_t row) const {
    switch (type) {
      case DUCKDB_TYPE_TINYINT:
        return FieldValue::Integer(Get<int8_t>(row));
      case DUCKDB_TYPE_SMALLINT:
        return FieldValue::Integer(Get<int16_t>(row));
      case DUCKDB_TYPE_INTEGER:
        return FieldValue::Integer(Get<int32_t>(row));
      case DUCKDB_TYPE_BIGINT:
        return FieldValue::Integer(Get<int64_t>(row));
      case DUCKDB_TYPE_UTINYINT:
        return FieldValue::Integer(Get<uint8_t>(row));
      case DUCKDB_TYPE_USMALLINT:
        return FieldValue::Integer(Get<uint16_t>(row));
      case DUCKDB_TYPE_UINTEGER:
        return FieldValue::Integer(Get<uint32_t>(row));
      case DUCKDB_TYPE_UBIGINT: {
        const auto value = Get<uint64_t>(row);
        if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
          return FieldValue::Number(static_cast<double>(value));
        }
        return FieldValue::Integer(static_cast<int64_t>(value));
      }
      default: {
        const auto value = Get<duckdb_hugeint>(row);
        const auto low = static_cast<int64_t>(value.lower);
        if (value.upper == (low < 0 ? -1 : 0)) return FieldValue::Integer(low);
        return FieldValue::Number(duckdb_hugeint_to_double(value));
      }
    }
  }

  FieldValue Decimal(idx_t row) const {
    const FieldValue whole = Whole(member_.stored, row);
    double number = whole.kind == FieldValue::Kind::kInteger ? static_cast<double>(whole.integer) : whole.number;
    double power = 1;
    for (int i = 0; i < member_.scale; ++i) power *= 10;
    return FieldValue::Number(number / power);
  }

  FieldValue Time(int64_t stored) const {
    constexpr int64_t kInfinity = std::numeric_limits<int64_t>::max();
    if (stored == kInfinity || stored == -kInfinity) return {};
    switch (member_.type) {
      case DUCKDB_TYPE_TIMESTAMP_S:
        return FieldValue::Time(stored * 1'000'000);
      case DUCKDB_TYPE_TIMESTAMP_MS:
        return FieldValue::Time(stored * 1000);
      case DUCKDB_TYPE_TIMESTAMP_NS:
        return FieldValue::Time(stored / 1000 - (stored % 1000 < 0 ? 1 : 0));
      default:
        return FieldValue::Time(stored);
    }
  }

  const Member& member_;
  duckdb_vector vector_;
  const void* data_;
  std::vector<uint64_t*> validity_;  // those on the way that there are
};

// The parents of a row, each once, and which of them each owner stands for.
struct RowParents {
  std::vector<std::string_view> all;
  std::vector<std::vector<uint64_t>> of_owner;
  std::vector<uint8_t> present;
  std::vector<std::string_view> scratch;

  explicit RowParents(size_t owners) : of_owner(owners), present(owners) {}

  void Read(const std::vector<Column>& ids, idx_t row) {
    all.clear();
    for (size_t owner = 0; owner < ids.size(); ++owner) {
      scratch.clear();
      ids[owner].AddIds(row, scratch);
      of_owner[owner].clear();
      present[owner] = scratch.empty() ? 0 : 1;
      for (const std::string_view id : scratch) {
        const uint64_t index = IndexOf(id);
        std::vector<uint64_t>& own = of_owner[owner];
        if (std::find(own.begin(), own.end(), index) == own.end()) own.push_back(index);
      }
    }
  }

 private:
  uint64_t IndexOf(std::string_view id) {
    const auto found = std::find(all.begin(), all.end(), id);
    const auto index = static_cast<uint64_t>(found - all.begin());
    if (found == all.end()) all.push_back(id);
    return index;
  }
};

void RenderChunk(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto& binding = **static_cast<std::shared_ptr<const Binding>*>(duckdb_scalar_function_get_bind_data(info));
  const idx_t rows = duckdb_data_chunk_get_size(input);
  duckdb_vector argument = duckdb_data_chunk_get_vector(input, 1);
  std::map<idx_t, std::unique_ptr<FlatVector>> flat;  // the members that are read
  for (const std::vector<Member>* members : {&binding.fields, &binding.ids}) {
    for (const Member& member : *members) {
      std::unique_ptr<FlatVector>& vector = flat[member.child[0]];
      if (!vector) {
        vector = std::make_unique<FlatVector>(duckdb_struct_vector_get_child(argument, member.child[0]), rows);
      }
    }
  }
  std::vector<Column> fields;
  std::vector<Column> ids;
  for (const Member& member : binding.fields) fields.emplace_back(member, argument, flat);
  for (const Member& member : binding.ids) ids.emplace_back(member, argument, flat);

  std::vector<FieldValue> values(fields.size());
  RowParents parents(ids.size());
  Template::Scratch scratch;
  RenderedText rendered;
  std::vector<FusedTextWriter::Span> spans;
  FusedTextWriter writer(output, rows);
  for (idx_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < fields.size(); ++i) values[i] = fields[i].At(row);
    parents.Read(ids, row);
    if (!binding.form->Render(binding.owned, values.data(), parents.present.data(), scratch, rendered)) {
      writer.AddNull();
      continue;
    }
    spans.clear();
    for (const RenderedText::Piece& piece : rendered.pieces) {
      for (const uint64_t parent : parents.of_owner[static_cast<size_t>(piece.owner)]) {
        spans.push_back({piece.begin, piece.end, parent});
      }
    }
    writer.Add(rendered.text, parents.all, spans);
  }
}

void* CopyBinding(void* binding) {
  return new std::shared_ptr<const Binding>(*static_cast<std::shared_ptr<const Binding>*>(binding));
}
void FreeBinding(void* binding) { delete static_cast<std::shared_ptr<const Binding>*>(binding); }
void FreeTemplates(void* templates) { delete static_cast<Templates*>(templates); }

// The value of a VARCHAR literal, or nothing.
std::optional<std::string> LiteralOf(duckdb_bind_info info, idx_t argument) {
  duckdb_expression expression = duckdb_scalar_function_bind_get_argument(info, argument);
  std::optional<std::string> literal;
  if (duckdb_expression_is_foldable(expression)) {
    duckdb_client_context context = nullptr;
    duckdb_scalar_function_get_client_context(info, &context);
    duckdb_value value = nullptr;
    duckdb_error_data error = duckdb_expression_fold(context, expression, &value);
    if (!duckdb_error_data_has_error(error) && value != nullptr && !duckdb_is_null_value(value)) {
      char* text = duckdb_get_varchar(value);
      literal = text;
      duckdb_free(text);
    }
    if (value != nullptr) duckdb_destroy_value(&value);
    duckdb_destroy_error_data(&error);
    duckdb_destroy_client_context(&context);
  }
  duckdb_destroy_expression(&expression);
  return literal;
}

absl::StatusOr<Binding> BindCall(duckdb_bind_info info) {
  const auto& templates = *static_cast<const Templates*>(duckdb_scalar_function_bind_get_extra_info(info));
  const std::optional<std::string> name = LiteralOf(info, 0);
  if (!name) return absl::InvalidArgumentError("render(): the first argument is the name of a template, as a literal");
  const auto found = templates.find(*name);
  if (found == templates.end()) {
    std::vector<std::string> known;
    for (const auto& [one, form] : templates) known.push_back(one);
    const std::string nearest = Nearest(*name, known);
    return absl::InvalidArgumentError(fmt::format(
        "render(): there is no template \"{}\"{}", *name,
        nearest.empty() ? "; add it as [[fuse.template]]" : fmt::format("; did you mean \"{}\"?", nearest)));
  }
  duckdb_expression argument = duckdb_scalar_function_bind_get_argument(info, 1);
  duckdb_logical_type type = duckdb_expression_return_type(argument);
  absl::StatusOr<Binding> binding = Bind(found->second, type);
  duckdb_destroy_logical_type(&type);
  duckdb_destroy_expression(&argument);
  return binding;
}

void BindRender(duckdb_bind_info info) {
  absl::StatusOr<Binding> binding = BindCall(info);
  if (!binding.ok()) {
    duckdb_scalar_function_bind_set_error(info, Message(binding.status()).c_str());
    return;
  }
  auto shared = std::make_shared<const Binding>(*std::move(binding));
  duckdb_scalar_function_set_bind_data(info, new std::shared_ptr<const Binding>(std::move(shared)), &FreeBinding);
  duckdb_scalar_function_set_bind_data_copy(info, &CopyBinding);
}

}  // namespace

absl::Status RegisterRender(Database& database, const std::vector<TemplateSettings>& templates) {
  auto parsed = std::make_unique<Templates>();
  for (const TemplateSettings& settings : templates) {
    ASSIGN_OR_RETURN(Template form, Template::Parse(settings));
    (*parsed)[settings.name] = std::make_shared<const Template>(std::move(form));
  }
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type varchar = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_logical_type any = duckdb_create_logical_type(DUCKDB_TYPE_ANY);
  duckdb_logical_type result = FusedTextType();
  duckdb_scalar_function_set_name(function, "render");
  duckdb_scalar_function_add_parameter(function, varchar);
  duckdb_scalar_function_add_parameter(function, any);
  duckdb_scalar_function_set_return_type(function, result);
  duckdb_scalar_function_set_special_handling(function);  // NULL in does not mean NULL out
  duckdb_scalar_function_set_extra_info(function, parsed.release(), &FreeTemplates);
  duckdb_scalar_function_set_bind(function, &BindRender);
  duckdb_scalar_function_set_function(function, &RenderChunk);
  const duckdb_state state = duckdb_register_scalar_function(database.connection(), function);
  for (duckdb_logical_type* type : {&varchar, &any, &result}) duckdb_destroy_logical_type(type);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBError) return absl::InternalError("DuckDB refused the function render");
  RETURN_IF_ERROR(RegisterJoinParts(database));
  return database.Execute(fmt::format(
      "CREATE OR REPLACE TEMP MACRO part(text, parent) AS CASE WHEN text IS NOT NULL THEN {{'text': CAST(text AS "
      "VARCHAR), 'parents': CASE WHEN parent IS NULL THEN []::VARCHAR[] ELSE [CAST(parent AS VARCHAR)] END, 'spans': "
      "NULL::{}}} END",
      kSpansType));
}

}  // namespace rhodes
