#include "entity/settings.h"

#include <algorithm>

namespace rhodes {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Json PairsToJson(const Pairs& pairs) {
  Json json = Json::array();
  for (const auto& [name, sql] : pairs) json.push_back({name, sql});
  return json;
}

// nlohmann's accessors throw; nothing thrown leaves this file.
EntityKind Read(const Json& json) {
  EntityKind kind;
  kind.kind = json.at("kind");
  kind.name = json.at("name");
  kind.keys = json.at("keys").get<std::vector<std::string>>();
  kind.threshold = json.at("threshold");
  kind.max_block = json.at("max_block");
  kind.labels = json.at("labels");
  for (const Json& entry : json.at("match")) {
    MatchAttribute attribute;
    attribute.name = entry.at("name");
    const absl::StatusOr<Comparison> comparison = ParseComparison(entry.at("compare").get<std::string>());
    if (!comparison.ok()) throw std::invalid_argument(Message(comparison.status()));
    attribute.comparison = *comparison;
    attribute.within = entry.at("within");
    attribute.weight = entry.at("weight");
    kind.match.push_back(std::move(attribute));
  }
  for (const Json& entry : json.at("from")) {
    EntitySource source;
    source.source = entry.at("source");
    source.where = entry.at("where");
    source.keys = entry.at("keys").get<Pairs>();
    source.attributes = entry.at("attributes").get<Pairs>();
    kind.from.push_back(std::move(source));
  }
  return kind;
}

}  // namespace

std::vector<std::string> EntityKind::Attributes() const {
  std::vector<std::string> names;
  const auto add = [&](const std::string& attribute) {
    if (std::find(names.begin(), names.end(), attribute) == names.end()) names.push_back(attribute);
  };
  if (!name.empty()) add(name);
  for (const EntitySource& source : from) {
    for (const auto& [attribute, sql] : source.attributes) add(attribute);
  }
  for (const MatchAttribute& attribute : match) add(attribute.name);
  return names;
}

Json ToJson(const EntityKind& kind) {
  Json match = Json::array();
  for (const MatchAttribute& attribute : kind.match) {
    match.push_back({{"name", attribute.name},
                     {"compare", NameOf(attribute.comparison)},
                     {"within", attribute.within},
                     {"weight", attribute.weight}});
  }
  Json from = Json::array();
  for (const EntitySource& source : kind.from) {
    from.push_back({{"source", source.source},
                    {"where", source.where},
                    {"keys", PairsToJson(source.keys)},
                    {"attributes", PairsToJson(source.attributes)}});
  }
  return {{"kind", kind.kind},           {"name", kind.name},           {"keys", kind.keys},
          {"threshold", kind.threshold}, {"max_block", kind.max_block}, {"labels", kind.labels},
          {"match", std::move(match)},   {"from", std::move(from)}};
}

absl::StatusOr<EntityKind> EntityKindFromJson(const Json& json, const std::string& path) {
  try {
    return Read(json);
  } catch (const std::exception& error) {
    return absl::DataLossError(fmt::format("{}: the settings of an entity are damaged: {}", path, error.what()));
  }
}

}  // namespace rhodes
