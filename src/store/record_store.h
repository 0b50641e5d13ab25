// The one database: records as Parquet parts under OUT/records/<source>/, appended atomically.
#ifndef RHODES_STORE_RECORD_STORE_H_
#define RHODES_STORE_RECORD_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "record/record.h"
#include "record/rights.h"
#include "store/taken_files.h"

namespace rhodes {

struct IngestCounts {
  uint64_t read = 0;  // = stored + duplicates + rejected, always
  uint64_t stored = 0;
  uint64_t duplicates = 0;
  uint64_t known = 0;  // of the duplicates: in files that were taken before and not read again
  uint64_t rejected = 0;
  uint64_t bytes = 0;  // uncompressed input
};
IngestCounts operator+(IngestCounts a, const IngestCounts& b);

// Takes the records of one source into OUT. Everything becomes visible at Commit(), whole, or never.
//   OUT/records/<source>/part-*.parquet   the records (schema: record/record.h)
//   OUT/records/<source>/duplicates.jsonl one line a duplicate: id, file, begin, end (no origin is lost)
//   OUT/records/<source>/rejects.jsonl    one line a reject: file, begin, end, reason
//   OUT/records/<source>/files.jsonl      one line a file that was taken in: its path, content hash and counts
//   OUT/records/<source>/manifest.json    written last; lists the parts with rows, bytes and SHA-256
//   OUT/rejects/<source>.jsonl            the same rejects, where the design's page promises them (a symbolic link)
// Not thread-safe: feed it from the ordered end of a pipeline; it compresses parts on threads of its own.
//
// After a kill at any instant what was committed before is whole; the rest is removed by the next Open(). The stored
// bytes are a function of the records and, when appending, of what was there.
// Memory: half of `context.memory_bytes` for parts on their way (at least 128 MB), and 21 to 43 bytes a record for the
// ids that duplicates are told by.
class RecordWriter {
 public:
  enum class Mode {
    kReplace,  // the source holds just what is written now (a stage of a project)
    kAppend,   // added to what is there; a record stored before counts as a duplicate (`rhodes ingest` by hand)
    // Added to what is there, for weeks: Checkpoint() commits again and again, small parts are put together, and
    // duplicates are told by the last records only: a quarter of the budget's worth of ids (43 bytes each).
    kFollow
  };
  // INVALID_ARGUMENT for a name that cannot be a directory or a SQL view; FAILED_PRECONDITION while another run writes
  // the source; DATA_LOSS when appending to a source whose files are not those of its manifest.
  static absl::StatusOr<std::unique_ptr<RecordWriter>> Open(const std::string& out, const std::string& source,
                                                            Mode mode, const RunContext& context);
  virtual ~RecordWriter() = default;

  // Stores the record, or counts it as a duplicate when its id is there already. RESOURCE_EXHAUSTED on a full disk.
  // After an error every later call returns it, and nothing is committed.
  virtual absl::Status Append(Record record) = 0;
  virtual absl::Status AddReject(Reject reject) = 0;
  virtual void AddBytes(uint64_t uncompressed_bytes) = 0;
  // The files taken before, when appending; null when replacing. Lives as long as this object, and does not change.
  virtual const TakenFiles* taken() const = 0;
  // A file was read whole; and: `path` has the content of a file taken before, so all of it counts as duplicates.
  virtual absl::Status AddFile(const TakenFile& file) = 0;
  virtual absl::Status AddKnown(const TakenFile& known, const std::string& path) = 0;
  // As the owner states them; without, a source keeps those it has.
  virtual void SetRights(const Rights& rights) = 0;
  virtual IngestCounts counts() const = 0;
  // kFollow: what was appended since the last one counts from here on, in one step with `position` (any JSON, kept in
  // the manifest as extra["follow"]); a kill leaves both as they were or both as they are now. Parts that were put
  // together stay on the disk for ten minutes, for readers of an older manifest. `key` and `settings` as in Commit();
  // `seconds` since the last one.
  virtual absl::Status Checkpoint(const std::string& key, const Json& settings, const Json& position,
                                  double seconds) = 0;
  // The position of the last Checkpoint(), of an earlier process too; null: none.
  virtual Json position() const = 0;
  // Since the last commit: bytes of the records (RecordBytes()); whether there is anything to commit; whether notices
  // came in that may take back what is stored (store/takedown_list.h).
  virtual uint64_t open_bytes() const = 0;
  virtual bool dirty() const = 0;
  virtual bool has_notices() const = 0;
  // `key`, `settings` and `seconds` go into the manifest.
  virtual absl::StatusOr<IngestCounts> Commit(const std::string& key, const Json& settings, double seconds) = 0;
};

// The sources that OUT holds (directories with a manifest), sorted; and the parts of one, in order, as absolute paths.
// No sources when there is no OUT; NOT_FOUND for a source that is not there.
absl::StatusOr<std::vector<std::string>> ListSources(const std::string& out);
absl::StatusOr<std::vector<std::string>> ListParts(const std::string& out, const std::string& source);

// The rights to a source as stated, or those that its readers' formats give it: `readers` are what read its records
// ("x-v1/1"). NOT_FOUND when OUT has no such source.
struct SourceRights {
  std::string source;
  Rights rights;
  bool stated = false;
  std::vector<std::string> readers;
};
absl::StatusOr<SourceRights> ReadSourceRights(const std::string& out, const std::string& source);
// Writes what is stated now into the source's manifest, without touching its records. Nothing when it is there already.
absl::Status WriteSourceRights(const std::string& out, const std::string& source, const Rights& rights);

// Where records come from: id -> source, kind and origin, for ids found among OUT's records. Order as asked; an id that
// is not there is left out.
struct RecordOrigin {
  std::string id;
  std::string source;
  std::string kind;
  Origin origin;
};
class RecordLookup {
 public:
  // Up to `index_rows` records are held as an index of 48 bytes a record, and Find() takes microseconds; beyond, it
  // reads the parts' id columns. Records that are committed later are not seen. NOT_FOUND never: no records, nothing
  // found.
  static absl::StatusOr<std::unique_ptr<RecordLookup>> Open(const std::string& out,
                                                            uint64_t index_rows = uint64_t{20} * 1000 * 1000);
  virtual ~RecordLookup() = default;
  virtual absl::StatusOr<std::vector<RecordOrigin>> Find(const std::vector<std::string>& ids) = 0;  // thread-safe
  // The bytes of a record: its `original` (or text) as stored. NOT_FOUND.
  virtual absl::StatusOr<std::string> Original(const std::string& id) = 0;  // thread-safe
};

}  // namespace rhodes

#endif  // RHODES_STORE_RECORD_STORE_H_
