// What was erased from OUT on request, so that reading the same files again does not bring it back:
// OUT/records/.erased.json. Names are not readable in it: they stand there as HMAC-SHA256 under a salt of OUT's own.
#ifndef RHODES_STORE_SUPPRESSION_H_
#define RHODES_STORE_SUPPRESSION_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/json.h"
#include "base/status.h"
#include "record/record.h"
#include "store/id_set.h"

namespace rhodes {

// The fields by which a record names its author (beside the column), and one whose words it quotes.
const std::vector<std::string>& AuthorFields();  // user, repost_author, repost_author_id
const std::vector<std::string>& QuotedAuthorFields();

// Removes the fields `names` from the record, with its original, and says in the field "masked" that `what` is missing.
void MaskFields(Record& record, const std::vector<std::string>& names, std::string_view what);

// Not thread-safe: it remembers what it found of the names it saw last.
class Suppression {
 public:
  // What one request adds; in clear.
  struct Request {
    std::vector<std::string> authors;  // names, and the platform's numbers of their accounts
    std::vector<std::string> devices;
    std::vector<std::string> records;  // ids
    std::vector<std::string> sources;
  };

  // Empty when nothing was erased. DATA_LOSS naming a damaged file: then nothing may be stored.
  static absl::StatusOr<Suppression> Load(const std::string& out);
  // Adds to OUT's list, atomically and durably. Not safe against another process doing the same: hold OUT's lock.
  static absl::Status Add(const std::string& out, const Request& request);
  // OUT's salt, made now when there is none yet.
  static absl::StatusOr<std::string> Salt(const std::string& out);
  // How a name stands in the list and in receipts; `kind` is "author" or "device".
  static std::string NameHash(std::string_view salt, std::string_view kind, std::string_view name);

  bool empty() const { return names_.empty() && records_.size() == 0 && sources_.empty(); }
  // Whether the record must not be stored. About 1 µs for a name not seen lately; nothing when the list is empty.
  bool Suppresses(const Record& record) const;
  // Suppresses(); otherwise, where the record quotes an erased author, those words are taken out of it.
  bool Apply(Record& record) const;

  static constexpr char kReason[] = "erased on request";

 private:
  static absl::StatusOr<Suppression> Parse(const Json& json, const std::string& path);
  Json ToJson() const;
  bool Knows(std::string_view kind, std::string_view name) const;

  std::string salt_;
  std::set<std::string> names_;  // NameHash() of each
  IdSet records_;
  std::set<std::string> record_ids_;
  std::set<std::string> sources_;
  mutable absl::flat_hash_map<std::string, bool> seen_;  // kind, NUL and name
};

}  // namespace rhodes

#endif  // RHODES_STORE_SUPPRESSION_H_
