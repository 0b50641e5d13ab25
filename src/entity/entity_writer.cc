#include "entity/entity_writer.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "entity/normal_form.h"
#include "store/entity_tables.h"

namespace rhodes {
namespace {

using Map = std::vector<std::pair<std::string, std::string>>;

absl::StatusOr<std::unique_ptr<ParquetPartWriter>> Open(const std::string& directory, const EntityTable& table) {
  ParquetPartWriter::Options options;
  options.directory = fmt::format("{}/{}", directory, table.folder);
  options.columns = table.columns;
  options.compressing = 1;
  RETURN_IF_ERROR(CreateDirectories(options.directory));
  return ParquetPartWriter::Create(options);
}

Map Filled(const std::vector<std::string>& names, const std::vector<std::string>& values) {
  Map map;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!values[i].empty()) map.emplace_back(names[i], values[i]);
  }
  std::sort(map.begin(), map.end());
  return map;
}

uint64_t BytesOf(const Map& map) {
  uint64_t bytes = 0;
  for (const auto& [name, value] : map) bytes += name.size() + value.size();
  return bytes;
}

// The value that most records have; of several, the first in the order of bytes.
using Votes = std::map<std::string, uint64_t>;
std::string Winner(const Votes& votes) {
  std::string best;
  uint64_t most = 0;
  for (const auto& [value, records] : votes) {
    if (records <= most) continue;
    best = value;
    most = records;
  }
  return best;
}

}  // namespace

struct EntityWriter::Group {
  std::vector<Votes> attributes;
  std::vector<Votes> keys;
  std::set<std::string> sources;
  uint64_t mentions = 0;
  uint64_t records = 0;
};

absl::StatusOr<std::unique_ptr<EntityWriter>> EntityWriter::Create(const std::string& directory) {
  std::unique_ptr<EntityWriter> writer(new EntityWriter);
  ASSIGN_OR_RETURN(writer->entities_, Open(directory, kEntities));
  ASSIGN_OR_RETURN(writer->mentions_, Open(directory, kEntityMentions));
  ASSIGN_OR_RETURN(writer->links_, Open(directory, kEntityLinks));
  ASSIGN_OR_RETURN(writer->records_, Open(directory, kRecordEntities));
  return writer;
}

absl::StatusOr<WrittenEntities> EntityWriter::Write(const EntityKind& kind, const std::vector<Mention>& mentions,
                                                    const Clusters& clusters) {
  const std::vector<std::string> attributes = kind.Attributes();
  std::map<uint32_t, Group> groups;  // by their lowest mention
  for (uint32_t i = 0; i < mentions.size(); ++i) {
    const Mention& mention = mentions[i];
    Group& group = groups[clusters.entity[i]];
    group.attributes.resize(attributes.size());
    group.keys.resize(kind.keys.size());
    for (size_t k = 0; k < attributes.size(); ++k) {
      if (!mention.attributes[k].empty()) group.attributes[k][mention.attributes[k]] += mention.records;
    }
    for (size_t k = 0; k < kind.keys.size(); ++k) {
      if (!mention.keys[k].empty()) group.keys[k][mention.keys[k]] += mention.records;
    }
    group.sources.insert(mention.source);
    ++group.mentions;
    group.records += mention.records;
  }
  WrittenEntities written;
  written.entities = groups.size();
  std::map<uint32_t, std::string> ids;
  std::map<std::string, const Group*> by_id;
  for (const auto& [lowest, group] : groups) {
    std::string id = ContentId({"entity", kind.kind, mentions[lowest].id});
    for (size_t k = 0; k < kind.keys.size(); ++k) {
      if (group.keys[k].empty()) continue;
      std::string keyed = ContentId({"entity", kind.kind, kind.keys[k], FoldedText(Winner(group.keys[k]))});
      // Parts of one key value that people took apart: the first keeps the name.
      if (!by_id.contains(keyed)) id = std::move(keyed);
      break;
    }
    by_id.emplace(id, &group);
    ids.emplace(lowest, std::move(id));
  }
  for (const auto& [id, group] : by_id) RETURN_IF_ERROR(WriteEntity(kind, id, *group));
  for (uint32_t i = 0; i < mentions.size(); ++i) {
    const Mention& mention = mentions[i];
    const std::string& entity = ids.at(clusters.entity[i]);
    written.entity_of.emplace(mention.id, entity);
    const Map values = Filled(attributes, mention.attributes);
    const Map keys = Filled(kind.keys, mention.keys);
    RowChunks& row = mentions_->row();
    row.SetString(0, mention.id);
    row.SetString(1, entity);
    row.SetString(2, kind.kind);
    row.SetString(3, mention.source);
    row.SetMap(4, values);
    row.SetMap(5, keys);
    row.SetUInt64(6, mention.records);
    RETURN_IF_ERROR(mentions_->EndRow(BytesOf(values) + BytesOf(keys) + 128));
  }
  return written;
}

absl::Status EntityWriter::WriteEntity(const EntityKind& kind, const std::string& id, const Group& group) {
  const std::vector<std::string> names = kind.Attributes();
  std::vector<std::string> attributes;
  std::vector<std::string> keys;
  for (const Votes& votes : group.attributes) attributes.push_back(Winner(votes));
  for (const Votes& votes : group.keys) keys.push_back(Winner(votes));
  // Called by its name; else by its strongest key, else by what there is.
  std::string name = attributes.empty() ? "" : attributes[0];
  for (const std::vector<std::string>* values : {&keys, &attributes}) {
    for (const std::string& value : *values) {
      if (name.empty()) name = value;
    }
  }
  const Map values = Filled(names, attributes);
  const Map declared = Filled(kind.keys, keys);
  RowChunks& row = entities_->row();
  row.SetString(0, id);
  row.SetString(1, kind.kind);
  row.SetString(2, name);
  row.SetMap(3, values);
  row.SetMap(4, declared);
  row.SetStringList(5, std::vector<std::string>(group.sources.begin(), group.sources.end()));
  row.SetUInt64(6, group.mentions);
  row.SetUInt64(7, group.records);
  return entities_->EndRow(BytesOf(values) + BytesOf(declared) + 128);
}

absl::Status EntityWriter::WriteLink(const EntityKind& kind, const std::vector<Mention>& mentions,
                                     const WrittenEntities& written, const EntityLink& link, const Json& evidence) {
  const std::string& a = mentions[link.a].id;
  const std::string& b = mentions[link.b].id;
  const std::string text = DumpJson(evidence);
  RowChunks& row = links_->row();
  row.SetString(0, ContentId({"link", kind.kind, a, b}).substr(0, 16));
  row.SetString(1, kind.kind);
  row.SetString(2, a);
  row.SetString(3, b);
  if (link.state == EntityLink::State::kKept) row.SetString(4, written.entity_of.at(a));
  row.SetString(5, NameOf(link.reason));
  row.SetString(6, NameOf(link.state));
  if (link.reason == EntityLink::Reason::kScore) row.SetDouble(7, link.score);
  row.SetString(8, text);
  return links_->EndRow(text.size() + 200);
}

absl::Status EntityWriter::WriteRecord(std::string_view record, std::string_view kind, std::string_view entity,
                                       std::string_view mention) {
  RowChunks& row = records_->row();
  row.SetString(0, record);
  row.SetString(1, kind);
  row.SetString(2, entity);
  row.SetString(3, mention);
  return records_->EndRow(128 + kind.size());
}

absl::StatusOr<std::vector<PartInfo>> EntityWriter::Finish() {
  std::vector<PartInfo> all;
  for (const auto& [writer, table] : {std::pair{&entities_, &kEntities}, std::pair{&mentions_, &kEntityMentions},
                                      std::pair{&links_, &kEntityLinks}, std::pair{&records_, &kRecordEntities}}) {
    ASSIGN_OR_RETURN(std::vector<PartInfo> parts, (*writer)->Finish());
    for (PartInfo& part : parts) {
      part.file = fmt::format("{}/{}", table->folder, part.file);
      all.push_back(std::move(part));
    }
  }
  return all;
}

}  // namespace rhodes
