// What a source format is: how a file of it is recognised, where its records end, and how bytes become records.
//
// A format is one file pair here and one line in registry.cc. It is stateless and thread-safe; what it must know of one
// file (a CSV's header) is kept in a FileState. It never filters by quality: what it cannot read becomes a Reject with
// file, byte range and reason, so that read = stored + duplicates + rejected holds for every input.
#ifndef RHODES_SOURCE_FORMAT_H_
#define RHODES_SOURCE_FORMAT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "record/record.h"

namespace rhodes {

// A field that is a measurement: read as a number, a decimal comma and a unit in the cell ("87,5 km/h") allowed for.
struct ChannelColumn {
  std::string field;  // as the source calls it
  std::string name;   // of the channel; empty: the field's
  std::string unit;   // empty: the cell's own, when it has one
};

// "FIELD", "FIELD:NAME" or "FIELD:NAME:UNIT". INVALID_ARGUMENT (usage) for more parts, or an empty field.
absl::StatusOr<ChannelColumn> ParseChannelColumn(std::string_view text);

// Which of the source's own fields (columns) fills which member of a Record; empty: found by its usual names.
struct ColumnMap {
  std::string text;
  std::string time;
  std::string author;
  std::string language;
  std::string latitude;
  std::string longitude;
  std::string id;
  std::string place;                    // a place's name
  std::vector<ChannelColumn> channels;  // beside those that are seen to be numbers
};

struct ReadOptions {
  std::string source;  // the source's name; part of every record's id
  ColumnMap columns;
  std::string language;                              // of records that state none (BCP 47)
  std::string owner;                                 // of a personal archive: the author of its posts
  std::string time_zone;                             // IANA name, of times that state no zone; empty: UTC
  std::optional<int64_t> polled_at;                  // when a device was asked, for answers that hold no time
  uint64_t record_limit = uint64_t{64} << 20;        // bytes; a longer record is rejected, not held
  static constexpr uint64_t kBlockBytes = 16 << 20;  // what a file is cut into, at record boundaries
};

// What a format learned from the beginning of one file.
class FileState {
 public:
  virtual ~FileState() = default;
};

// A piece of one uncompressed file that begins and ends at record boundaries.
struct Block {
  std::string_view path;   // absolute; goes into the records' Origin
  std::string_view bytes;  //
  uint64_t begin = 0;      // where bytes[0] lies in the uncompressed file
  size_t padding = 0;      // how many bytes after the end of `bytes` may be read
  const FileState* state = nullptr;
  bool last = false;  // the file ends with `bytes` (false: it may all the same; true also when `padding` is 0)
};

struct ParsedBlock {
  std::vector<Record> records;
  std::vector<Reject> rejects;
};

// Reads a file that cannot be cut into blocks of bytes (Parquet). Not thread-safe.
class RowReader {
 public:
  virtual ~RowReader() = default;
  // Appends the next records to `out`, some MiB of them; false at the end. An error: what follows cannot be read.
  virtual absl::StatusOr<bool> Next(ParsedBlock& out) = 0;
};

class Format {
 public:
  enum class Framing {
    kBlocks,     // many records a file; blocks are parsed independently
    kWholeFile,  // one record a file: Parse() gets the whole file as one block
    kRows        // OpenRows() reads the file
  };

  virtual ~Format() = default;
  virtual std::string_view name() const = 0;
  virtual Framing framing() const = 0;
  // Whether models may be trained on what this format brings, unless the owner states it; and why.
  virtual std::string_view default_training() const { return "unknown"; }
  virtual std::string_view default_training_reason() const { return ""; }
  // Whether files of it may look binary (NUL bytes); `auto` asks such formats first.
  virtual bool binary() const { return false; }
  // How surely a file is of this format, 0 (no) to 100, from its path without compression suffix and the first bytes
  // of it uncompressed (up to 64 KiB).
  virtual int Detect(std::string_view path, std::string_view head) const = 0;

  // kBlocks: `head` is the beginning of the file, one block or more unless the file is shorter.
  virtual std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& options) const;
  // kBlocks: `bytes` begins at a record boundary, `begin` bytes into the file. Returns a boundary in (0, bytes.size()],
  // near `target` when there is one (the last at or before it, or the first after it), 0 when no record is seen to end
  // in `bytes`. `at_end`: the file ends with `bytes`.
  virtual size_t Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end, const FileState* state,
                     const ReadOptions& options) const;
  // kBlocks: `bytes` is a piece out of the middle of a record that is too long to hold. Returns the first position at
  // which reading may go on, or npos when it is not in `bytes`.
  virtual size_t Resync(std::string_view bytes) const;
  // kBlocks, kWholeFile. Everything in the block ends up in `out`: as a record, in a reject, or as white space or
  // comment between records.
  virtual void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const;
  // kRows.
  virtual absl::StatusOr<std::unique_ptr<RowReader>> OpenRows(const std::string& path, const ReadOptions& options,
                                                              uint64_t memory_bytes) const;
};

// All formats, in the order of docs/sources.md.
const std::vector<const Format*>& AllFormats();
// INVALID_ARGUMENT naming the nearest known one when there is no such format. "auto" is not one.
absl::StatusOr<const Format*> FindFormat(std::string_view name);

// The format of one file, for `auto`. INVALID_ARGUMENT with the reason ("binary", ...) when none fits.
absl::StatusOr<const Format*> DetectFormat(std::string_view path, std::string_view head);

// `path` without .gz, .zst, .bz2, .xz.
std::string_view StripCompressionSuffix(std::string_view path);
// The last component of `path`.
std::string_view FileName(std::string_view path);

// The last boundary after a newline at or before `target`, else the first after it, else 0: Cut() of line formats.
size_t CutAtLine(std::string_view bytes, size_t target);

Reject MakeReject(const Block& block, size_t begin, size_t end, std::string reason);

}  // namespace rhodes

#endif  // RHODES_SOURCE_FORMAT_H_
