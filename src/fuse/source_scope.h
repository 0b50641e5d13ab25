// Which records the sources' views show while a statement runs: all, one part of one source, or a stretch of time.
#ifndef RHODES_FUSE_SOURCE_SCOPE_H_
#define RHODES_FUSE_SOURCE_SCOPE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "table/database.h"

namespace rhodes {

// Records of one part, by stretches of time of one width: each with a hash of all that they say, in their order.
struct PartTimes {
  std::map<int64_t, std::string> stretches;  // stretch number: time / width, rounded down
  std::string timeless;                      // hash of the records without a (finite) time; empty: there are none

  Json ToJson() const;
  static PartTimes FromJson(const Json& json);
};
absl::StatusOr<PartTimes> ReadPartTimes(Database& database, const std::string& part, int64_t width);

// Redefines `records` and the sources' views, which store/views.h made, again and again. Not thread-safe.
class SourceScope {
 public:
  struct Part {
    std::string path;
    std::string sha256;
  };
  struct Source {
    std::string name;
    std::vector<Part> parts;
  };
  static absl::StatusOr<SourceScope> Open(Database& database, const std::string& out);

  const std::vector<Source>& sources() const { return sources_; }
  bool Has(const std::string& source) const;

  absl::Status ShowAll();
  absl::Status ShowNothing();
  absl::Status ShowSource(const std::string& source);
  absl::Status ShowPart(const std::string& source, const Part& part);
  // The records with begin <= time < end (microseconds) and those without a time. `parts` holds those that can be
  // there, each with its number in sources().
  absl::Status ShowBetween(int64_t begin, int64_t end, const std::vector<std::pair<size_t, std::string>>& parts);

 private:
  explicit SourceScope(Database& database) : database_(&database) {}
  absl::Status Show(const std::vector<std::vector<std::string>>& parts, const std::string& where);

  Database* database_;
  std::vector<Source> sources_;
  bool empty_ = true;  // no source has a part
};

}  // namespace rhodes

#endif  // RHODES_FUSE_SOURCE_SCOPE_H_
