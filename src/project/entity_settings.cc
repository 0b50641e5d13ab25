#include "project/entity_settings.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"

namespace rhodes {
namespace {

bool IsIdentifier(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string DidYouMean(const std::string& name, const std::vector<std::string>& known) {
  const std::string nearest = Nearest(name, known);
  return nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest);
}

class KindReader {
 public:
  KindReader(TomlTable& table, const std::vector<std::string>& sources, const std::string& directory)
      : table_(table), sources_(sources), directory_(directory) {}

  EntityKind Run() {
    table_.Read("kind", kind_.kind);
    if (!IsIdentifier(kind_.kind)) {
      table_.Fail("kind", fmt::format("entity.kind \"{}\" must be letters, digits or \"_\"", kind_.kind));
    }
    table_.Read("name", kind_.name);
    table_.Read("keys", kind_.keys);
    table_.Read("threshold", kind_.threshold, 0, 1);
    table_.Read("max_block", kind_.max_block, 1 << 20);
    table_.Read("labels", kind_.labels);
    if (!kind_.labels.empty()) {
      kind_.labels = (std::filesystem::path(directory_) / kind_.labels).lexically_normal().string();
    }
    for (TomlTable& from : table_.Tables("from")) ReadFrom(from);
    ReadMatch();
    Check();
    table_.Finish();
    return std::move(kind_);
  }

 private:
  void ReadFrom(TomlTable& table) {
    EntitySource from;
    table.Read("source", from.source);
    if (!Has(sources_, from.source)) {
      table.Fail("source", fmt::format("there is no source \"{}\"{}", from.source, DidYouMean(from.source, sources_)));
    }
    table.Read("where", from.where);
    ReadExpressions(table, "keys", from.keys);
    for (const auto& [name, sql] : from.keys) {
      if (Has(kind_.keys, name)) continue;
      table.Fail("keys", fmt::format("\"{}\" is not in entity.keys, which names the keys, the strongest first{}", name,
                                     DidYouMean(name, kind_.keys)));
    }
    ReadExpressions(table, "attributes", from.attributes);
    if (from.keys.empty() && from.attributes.empty()) {
      table.Fail("source", fmt::format("entity.from of \"{}\" has neither keys nor attributes", from.source));
    }
    table.Finish();
    kind_.from.push_back(std::move(from));
  }

  static void ReadExpressions(TomlTable& from, std::string_view key,
                              std::vector<std::pair<std::string, std::string>>& expressions) {
    std::optional<TomlTable> table = from.Table(key);
    if (!table) return;
    for (const std::string& name : table->Keys()) {
      std::string sql;
      table->Read(name, sql);
      if (!IsIdentifier(name)) table->Fail(name, fmt::format("\"{}\" must be letters, digits or \"_\"", name));
      if (Trim(sql).empty()) table->Fail(name, fmt::format("\"{}\" has no SQL expression", name));
      expressions.emplace_back(name, sql);
    }
    table->Finish();
  }

  // [entity.match.NAME]
  void ReadMatch() {
    std::optional<TomlTable> match = table_.Table("match");
    if (!match) return;
    const std::vector<std::string> attributes = kind_.Attributes();
    for (const std::string& name : match->Keys()) {
      std::optional<TomlTable> table = match->Table(name);
      if (!table) continue;
      MatchAttribute attribute;
      attribute.name = name;
      std::string compare(NameOf(attribute.comparison));
      table->Read("compare", compare);
      if (const absl::StatusOr<Comparison> comparison = ParseComparison(compare); comparison.ok()) {
        attribute.comparison = *comparison;
      } else {
        table->Fail("compare", Message(comparison.status()));
      }
      if (table->Has("within") && attribute.comparison != Comparison::kPlace) {
        table->Fail("within", "within goes with compare = \"place\": metres at which two places are half alike");
      }
      table->Read("within", attribute.within, 0.001, 1e7);
      table->Read("weight", attribute.weight, 0, 1e6);
      if (!Has(attributes, name)) {
        match->Fail(name, fmt::format("no entity.from has the attribute \"{}\"{}", name, DidYouMean(name, attributes)));
      }
      table->Finish();
      kind_.match.push_back(std::move(attribute));
    }
    match->Finish();
  }

  void Check() {
    if (kind_.from.empty()) {
      table_.Fail("kind", fmt::format("entity \"{}\" has no [[entity.from]]: where it is mentioned", kind_.kind));
    }
    if (!kind_.name.empty() && !Has(AttributesOfSources(), kind_.name)) {
      table_.Fail("name", fmt::format("no entity.from has the attribute \"{}\" that entities are to be called by{}",
                                      kind_.name, DidYouMean(kind_.name, AttributesOfSources())));
    }
    const bool weights = std::any_of(kind_.match.begin(), kind_.match.end(),
                                     [](const MatchAttribute& attribute) { return attribute.weight > 0; });
    if (weights && !kind_.labels.empty()) {
      table_.Fail("labels", "give labels or weights: what is fitted with labels has no use for weights");
    }
    if (!kind_.labels.empty() && kind_.match.empty()) {
      table_.Fail("labels", "labels go with [entity.match]: they say how to score");
    }
  }

  std::vector<std::string> AttributesOfSources() const {
    EntityKind sources;
    sources.from = kind_.from;
    return sources.Attributes();
  }

  TomlTable& table_;
  const std::vector<std::string>& sources_;
  const std::string& directory_;
  EntityKind kind_;
};

}  // namespace

std::vector<EntityKind> ReadEntityKinds(TomlTable& root, const std::vector<std::string>& sources,
                                        const std::string& directory) {
  std::vector<EntityKind> kinds;
  for (TomlTable& table : root.Tables("entity")) {
    EntityKind kind = KindReader(table, sources, directory).Run();
    for (const EntityKind& other : kinds) {
      if (other.kind == kind.kind) table.Fail("kind", fmt::format("two entities are of the kind \"{}\"", kind.kind));
    }
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

}  // namespace rhodes
