// OUT/entities while it is written.
#ifndef RHODES_ENTITY_ENTITY_WRITER_H_
#define RHODES_ENTITY_ENTITY_WRITER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "entity/cluster.h"
#include "entity/mention.h"
#include "table/parquet_parts.h"

namespace rhodes {

struct WrittenEntities {
  uint64_t entities = 0;
  absl::flat_hash_map<std::string, std::string> entity_of;  // id of a mention: id of its entity
};

// The four tables of store/entity_tables.h below one directory. Not thread-safe.
class EntityWriter {
 public:
  static absl::StatusOr<std::unique_ptr<EntityWriter>> Create(const std::string& directory);

  // Entities and mentions of one kind. An entity's id is a hash of its strongest key where it has one, so that it stays
  // when other mentions come, else of its first mention.
  absl::StatusOr<WrittenEntities> Write(const EntityKind& kind, const std::vector<Mention>& mentions,
                                        const Clusters& clusters);
  absl::Status WriteLink(const EntityKind& kind, const std::vector<Mention>& mentions, const WrittenEntities& written,
                         const EntityLink& link, const Json& evidence);
  absl::Status WriteRecord(std::string_view record, std::string_view kind, std::string_view entity,
                           std::string_view mention);
  // All parts, "entities/part-00000.parquet".
  absl::StatusOr<std::vector<PartInfo>> Finish();

 private:
  EntityWriter() = default;
  struct Group;
  absl::Status WriteEntity(const EntityKind& kind, const std::string& id, const Group& group);

  std::unique_ptr<ParquetPartWriter> entities_;
  std::unique_ptr<ParquetPartWriter> mentions_;
  std::unique_ptr<ParquetPartWriter> links_;
  std::unique_ptr<ParquetPartWriter> records_;
};

}  // namespace rhodes

#endif  // RHODES_ENTITY_ENTITY_WRITER_H_
