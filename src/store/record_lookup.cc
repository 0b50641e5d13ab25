#include <algorithm>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "store/id_set.h"
#include "store/record_store.h"
#include "table/database.h"

namespace rhodes {
namespace {

constexpr size_t kIdsPerQuery = 1000;

struct Part {
  std::string path;
  uint32_t source = 0;
};

class Lookup final : public RecordLookup {
 public:
  absl::Status Start(const std::string& out, uint64_t index_rows) {
    ASSIGN_OR_RETURN(sources_, ListSources(out));
    for (uint32_t source = 0; source < sources_.size(); ++source) {
      ASSIGN_OR_RETURN(const std::vector<std::string> paths, ListParts(out, sources_[source]));
      for (const std::string& path : paths) parts_.push_back({path, source});
    }
    Database::Options options;
    options.threads = 2;
    ASSIGN_OR_RETURN(database_, Database::Open(options));
    // The footers of the parts are kept: without that each look-up reads and parses them again.
    RETURN_IF_ERROR(database_->Execute("SET parquet_metadata_cache = true"));
    if (parts_.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const uint64_t rows, database_->QueryCount(fmt::format(
                                              "SELECT sum(num_rows) FROM parquet_file_metadata({})", AllParts())));
    indexed_ = rows <= index_rows;
    return indexed_ ? BuildIndex(rows) : absl::OkStatus();
  }

  absl::StatusOr<std::vector<RecordOrigin>> Find(const std::vector<std::string>& ids) override {
    if (!indexed_) return Scan(ids);
    std::vector<RecordOrigin> found;
    for (const std::string& id : ids) {
      if (const Entry* entry = FindEntry(id); entry != nullptr) {
        found.push_back({id, sources_[parts_[entry->part].source], kinds_[entry->kind],
                         Origin{files_[entry->file], entry->begin, entry->end}});
      }
    }
    return found;
  }

  absl::StatusOr<std::string> Original(const std::string& id) override {
    std::string parts = AllParts();
    if (indexed_) {
      const Entry* entry = FindEntry(id);
      if (entry == nullptr) return NoRecord(id);
      parts = SqlLiteral(parts_[entry->part].path);
    }
    if (parts_.empty()) return NoRecord(id);
    const std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(
        QueryResult rows,
        database_->Query(fmt::format("SELECT coalesce(original, encode(text)) FROM read_parquet({}) WHERE id = {}",
                                     parts, SqlLiteral(id))));
    ASSIGN_OR_RETURN(const bool any, rows.Next());
    if (!any) return NoRecord(id);
    return std::string(rows.IsNull(0, 0) ? std::string_view() : rows.String(0, 0));
  }

 private:
  struct Entry {
    IdKey key;
    uint64_t begin = 0;
    uint64_t end = 0;
    uint32_t file = 0;
    uint32_t part = 0;
    uint32_t kind = 0;
  };

  // Numbers strings as they come; neighbouring rows mostly have the same.
  class Names {
   public:
    explicit Names(std::vector<std::string>& names) : names_(names) {}
    uint32_t Number(std::string_view name) {
      if (names_.empty() || names_[last_] != name) {
        const auto [it, added] = numbers_.try_emplace(std::string(name), static_cast<uint32_t>(names_.size()));
        if (added) names_.emplace_back(name);
        last_ = it->second;
      }
      return last_;
    }

   private:
    std::vector<std::string>& names_;
    absl::flat_hash_map<std::string, uint32_t> numbers_;
    uint32_t last_ = 0;
  };

  static absl::Status NoRecord(const std::string& id) {
    return absl::NotFoundError(fmt::format("there is no record with the id {}", id));
  }

  std::string AllParts() const {
    std::string list;
    for (const Part& part : parts_) list += (list.empty() ? "" : ", ") + SqlLiteral(part.path);
    return "[" + list + "]";
  }

  absl::Status BuildIndex(uint64_t rows) {
    entries_.reserve(rows);
    Names kinds(kinds_);
    Names files(files_);
    for (uint32_t part = 0; part < parts_.size(); ++part) {
      absl::StatusOr<QueryResult> result = database_->Query(
          fmt::format("SELECT id, kind, file, begin, \"end\" FROM read_parquet({})", SqlLiteral(parts_[part].path)));
      if (!result.ok()) return Annotate(result.status(), parts_[part].path);
      while (true) {
        absl::StatusOr<bool> more = result->Next();
        if (!more.ok()) return Annotate(more.status(), parts_[part].path);
        if (!*more) break;
        for (size_t row = 0; row < result->row_count(); ++row) {
          Entry& entry = entries_.emplace_back();
          entry.key = KeyOfId(result->String(0, row));
          entry.kind = kinds.Number(result->IsNull(1, row) ? std::string_view() : result->String(1, row));
          entry.file = files.Number(result->String(2, row));
          entry.begin = result->UInt64(3, row);
          entry.end = result->UInt64(4, row);
          entry.part = part;
        }
      }
    }
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.key == b.key ? a.part < b.part : a.key < b.key; });
    return absl::OkStatus();
  }

  const Entry* FindEntry(const std::string& id) const {
    const IdKey key = KeyOfId(id);
    const auto it = std::lower_bound(entries_.begin(), entries_.end(), key,
                                     [](const Entry& entry, const IdKey& wanted) { return entry.key < wanted; });
    return it != entries_.end() && it->key == key ? &*it : nullptr;
  }

  // For stores whose index would not fit: reads the id column of all parts.
  absl::StatusOr<std::vector<RecordOrigin>> Scan(const std::vector<std::string>& ids) {
    absl::flat_hash_map<std::string, RecordOrigin> by_id;
    const std::lock_guard lock(mutex_);
    for (size_t begin = 0; begin < ids.size(); begin += kIdsPerQuery) {
      std::string list;
      for (size_t i = begin; i < std::min(ids.size(), begin + kIdsPerQuery); ++i) {
        list += (list.empty() ? "" : ", ") + SqlLiteral(ids[i]);
      }
      ASSIGN_OR_RETURN(QueryResult rows,
                       database_->Query(fmt::format(
                           "SELECT id, source, kind, file, begin, \"end\" FROM read_parquet({}) WHERE id IN ({})",
                           AllParts(), list)));
      while (true) {
        ASSIGN_OR_RETURN(const bool more, rows.Next());
        if (!more) break;
        for (size_t row = 0; row < rows.row_count(); ++row) {
          const std::string id(rows.String(0, row));
          by_id[id] = {id, std::string(rows.String(1, row)),
                       std::string(rows.IsNull(2, row) ? std::string_view() : rows.String(2, row)),
                       Origin{std::string(rows.String(3, row)), rows.UInt64(4, row), rows.UInt64(5, row)}};
        }
      }
    }
    std::vector<RecordOrigin> found;
    for (const std::string& id : ids) {
      if (const auto it = by_id.find(id); it != by_id.end()) found.push_back(it->second);
    }
    return found;
  }

  std::vector<std::string> sources_;
  std::vector<Part> parts_;
  bool indexed_ = true;
  std::vector<Entry> entries_;  // sorted by key
  std::vector<std::string> kinds_;
  std::vector<std::string> files_;
  std::mutex mutex_;
  std::unique_ptr<Database> database_;  // guarded by mutex_ once it is open
};

}  // namespace

absl::StatusOr<std::unique_ptr<RecordLookup>> RecordLookup::Open(const std::string& out, uint64_t index_rows) {
  auto lookup = std::make_unique<Lookup>();
  RETURN_IF_ERROR(lookup->Start(out, index_rows));
  return lookup;
}

}  // namespace rhodes
