#include "project/toml_table.h"

#include <algorithm>
#include <sstream>

#include "base/text.h"

namespace rhodes {
namespace {

std::string_view TypeName(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

std::string Shown(const toml::node& node) {
  std::ostringstream text;
  node.visit([&](const auto& value) {
    if constexpr (toml::is_value<decltype(value)>) text << value;
  });
  return text.str();
}

}  // namespace

void TomlErrors::Add(const toml::source_region& where, std::string_view message) {
  if (!status_.ok()) return;
  status_ = UsageError(fmt::format("{}:{}:{}: {}", file_, where.begin.line, where.begin.column, message));
}

std::string TomlTable::Dotted(std::string_view key) const {
  return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
}

const toml::node* TomlTable::Find(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

std::vector<std::string> TomlTable::Keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, node] : table_) keys.emplace_back(key.str());
  std::sort(keys.begin(), keys.end());
  return keys;
}

bool TomlTable::Has(std::string_view key) { return Find(key) != nullptr; }

bool TomlTable::HasTable(std::string_view key) const {
  const toml::node* node = table_.get(key);
  return node != nullptr && node->is_table();
}

void TomlTable::WrongType(std::string_view key, const toml::node& node, std::string_view expected) {
  errors_.Add(node.source(), fmt::format("{} must be {}, not {}", Dotted(key), expected, TypeName(node.type())));
}

void TomlTable::Read(std::string_view key, std::string& value) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  if (const auto* text = node->as_string()) {
    value = text->get();
  } else {
    WrongType(key, *node, "a string");
  }
}

void TomlTable::Read(std::string_view key, bool& value) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  if (const auto* flag = node->as_boolean()) {
    value = flag->get();
  } else {
    WrongType(key, *node, "true or false");
  }
}

void TomlTable::Read(std::string_view key, std::vector<std::string>& value) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) return WrongType(key, *node, "a list of strings");
  std::vector<std::string> texts;
  for (const toml::node& element : *list) {
    const auto* text = element.as_string();
    if (text == nullptr) return WrongType(key, element, "a list of strings");
    texts.push_back(text->get());
  }
  value = std::move(texts);
}

void TomlTable::Read(std::string_view key, int64_t& value, int64_t low, int64_t high) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  const auto* number = node->as_integer();
  if (number == nullptr) return WrongType(key, *node, "a whole number");
  if (number->get() < low || number->get() > high) {
    return errors_.Add(node->source(),
                       fmt::format("{} must be from {} to {}, not {}", Dotted(key), low, high, number->get()));
  }
  value = number->get();
}

void TomlTable::Read(std::string_view key, uint64_t& value, uint64_t high) {
  auto number = static_cast<int64_t>(value);
  Read(key, number, 0, static_cast<int64_t>(high));
  value = static_cast<uint64_t>(number);
}

void TomlTable::Read(std::string_view key, double& value, double low, double high) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  if (!node->is_number()) return WrongType(key, *node, "a number");
  const double number = *node->value<double>();
  if (!(number >= low && number <= high)) {
    return errors_.Add(node->source(),
                       fmt::format("{} must be from {} to {}, not {}", Dotted(key), low, high, Shown(*node)));
  }
  value = number;
}

std::optional<TomlTable> TomlTable::Table(std::string_view key) {
  const toml::node* node = Find(key);
  if (node == nullptr) return std::nullopt;
  if (node->as_table() == nullptr) {
    errors_.Add(node->source(),
                fmt::format("{} must be a table: write [{}] and its keys below", Dotted(key), Dotted(key)));
    return std::nullopt;
  }
  return TomlTable(*node->as_table(), Dotted(key), errors_);
}

std::vector<TomlTable> TomlTable::Tables(std::string_view key) {
  const toml::node* node = Find(key);
  std::vector<TomlTable> tables;
  if (node == nullptr) return tables;
  const toml::array* list = node->as_array();
  if (list == nullptr || !list->is_homogeneous(toml::node_type::table)) {
    errors_.Add(node->source(),
                fmt::format("{} must be a list of tables: write [[{}]] for each", Dotted(key), Dotted(key)));
    return tables;
  }
  for (const toml::node& element : *list) tables.emplace_back(*element.as_table(), Dotted(key), errors_);
  return tables;
}

void TomlTable::Fail(std::string_view key, std::string_view message) {
  const toml::node* node = table_.get(key);
  errors_.Add(node == nullptr ? table_.source() : node->source(), message);
}

int64_t TomlTable::LineOf(std::string_view key) const {
  const toml::node* node = table_.get(key);
  return node == nullptr ? 0 : static_cast<int64_t>(node->source().begin.line);
}

void TomlTable::Finish() {
  for (const auto& [key, node] : table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    const std::string nearest = Nearest(key.str(), known_);
    const std::string hint = nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest);
    errors_.Add(key.source(), fmt::format("unknown key \"{}\"{}{}", key.str(),
                                          name_.empty() ? "" : fmt::format(" in [{}]", name_), hint));
  }
}

}  // namespace rhodes
