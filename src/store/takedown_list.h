// What notices have taken back: posts, authors, places. OUT/records/.takedowns.jsonl, kept for good, so that a notice
// takes effect on what comes after it too, and on every source.
#ifndef RHODES_STORE_TAKEDOWN_LIST_H_
#define RHODES_STORE_TAKEDOWN_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "record/record.h"
#include "store/part_edit.h"

namespace rhodes {

// Reading is thread-safe.
class TakedownList {
 public:
  // An empty list when OUT has none. DATA_LOSS naming the line of a damaged file.
  static absl::StatusOr<TakedownList> Load(const std::string& out);
  // Adds the notices that are not there yet to OUT's list, durably. Safe against other runs doing the same.
  static absl::Status Append(const std::string& out, const std::vector<Takedown>& takedowns);

  void Add(const Takedown& takedown);
  bool empty() const { return posts_.empty() && authors_.empty() && places_.empty(); }

  // Carries the notices out on one record. True: it must not be stored; `reason` says why. Else what was taken back
  // within it is gone: a quoted text, a place. Its original goes with it, and fields["masked"] says what is missing.
  bool Apply(Record& record, std::string& reason) const;

  // The stored records (rows of the schema of record/record.h) that Apply() would refuse, as a SQL condition over
  // the tables taken_posts(number UBIGINT) and taken_authors(number UBIGINT), which CreateTables() makes.
  static const char kRemoved[];
  // The rows whose quotation, and whose place, would be masked. For places also the table
  // taken_places(author UBIGINT, up_to UBIGINT).
  static const char kQuoteMasked[];
  static const char kPlaceMasked[];
  // Statements that make and fill those tables.
  std::string CreateTables() const;
  // All of it as an edit of a source's parts. The list must outlive it.
  PartEdit Edit() const;

  // Names the list as it was in OUT when it was loaded: another one as soon as a notice is added. Empty without
  // notices.
  const std::string& version() const { return version_; }

 private:
  absl::flat_hash_set<uint64_t> posts_;
  absl::flat_hash_set<uint64_t> authors_;
  absl::flat_hash_map<uint64_t, uint64_t> places_;  // author -> up to which post
  std::string version_;
};

// Which version of the list all records of the source in `directory` obey, as its manifest says. A source that was
// stored without any notice obeys the empty one.
struct ObeyedTakedowns {
  std::string version;
  std::string manifest;  // fingerprint of the manifest that says so
};
absl::StatusOr<ObeyedTakedowns> ReadObeyedTakedowns(const std::string& directory);
// Writes down a newer version, unless the source was written since `seen` was read: then nothing. FAILED_PRECONDITION
// while another run writes it.
absl::Status SetObeyedTakedowns(const std::string& directory, const ObeyedTakedowns& seen, const std::string& version);
inline constexpr char kObeyedTakedowns[] = "takedowns";  // the manifest's member

// Fields that name a place, and those that quote somebody.
const std::vector<std::string>& PlaceFields();
const std::vector<std::string>& QuoteFields();

}  // namespace rhodes

#endif  // RHODES_STORE_TAKEDOWN_LIST_H_
