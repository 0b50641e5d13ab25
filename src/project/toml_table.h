// Reads a TOML document strictly: every key is asked for by name and type; what was not asked for is an error that
// names the nearest known key.
#ifndef RHODES_PROJECT_TOML_TABLE_H_
#define RHODES_PROJECT_TOML_TABLE_H_

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rhodes {

// The first error found while reading; later ones are often its echo.
class TomlErrors {
 public:
  explicit TomlErrors(std::string file) : file_(std::move(file)) {}
  // UsageError "FILE:LINE:COLUMN: message".
  void Add(const toml::source_region& where, std::string_view message);
  const absl::Status& status() const { return status_; }

 private:
  std::string file_;
  absl::Status status_;
};

// A view of one table; the document and `errors` must outlive it. Read functions leave `value` as it is when the key is
// absent, so that it keeps its default.
class TomlTable {
 public:
  // `name` is how errors call the table: "" for the document, "train", "source".
  TomlTable(const toml::table& table, std::string name, TomlErrors& errors)
      : table_(table), name_(std::move(name)), errors_(errors) {}

  // Names of all keys, sorted: for a table whose keys are the user's to choose. None of them counts as asked for.
  std::vector<std::string> Keys() const;
  bool Has(std::string_view key);
  bool HasTable(std::string_view key) const;  // false also for values that are no tables
  void Read(std::string_view key, std::string& value);
  void Read(std::string_view key, bool& value);
  void Read(std::string_view key, std::vector<std::string>& value);
  // Whole numbers in [low, high].
  void Read(std::string_view key, int64_t& value, int64_t low, int64_t high);
  void Read(std::string_view key, uint64_t& value, uint64_t high = uint64_t{1} << 62);
  // Whole or decimal numbers in [low, high].
  void Read(std::string_view key, double& value, double low, double high);

  // [name.key]; nothing when absent.
  std::optional<TomlTable> Table(std::string_view key);
  // [[name.key]]; empty when absent.
  std::vector<TomlTable> Tables(std::string_view key);

  // Reports a problem with `key` (of this table itself when the key is absent).
  void Fail(std::string_view key, std::string_view message);
  // Where the value of `key` begins; 0 when absent.
  int64_t LineOf(std::string_view key) const;
  // To be called when all known keys were asked for: the rest is unknown.
  void Finish();

  const std::string& name() const { return name_; }

 private:
  const toml::node* Find(std::string_view key);
  void WrongType(std::string_view key, const toml::node& node, std::string_view expected);
  std::string Dotted(std::string_view key) const;

  const toml::table& table_;
  std::string name_;
  TomlErrors& errors_;
  std::vector<std::string> known_;
};

}  // namespace rhodes

#endif  // RHODES_PROJECT_TOML_TABLE_H_
