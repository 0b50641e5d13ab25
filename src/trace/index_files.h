// The files of OUT/trace, little-endian; docs/trace.md has the byte layout.
#ifndef RHODES_TRACE_INDEX_FILES_H_
#define RHODES_TRACE_INDEX_FILES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "record/record.h"

namespace rhodes {

// segment-NNNNN.sa: this header, then `tokens` entries of 4 bytes: positions within the segment, in suffix order.
struct SegmentHeader {
  char magic[8];         // "RHTRSA1\0"
  uint64_t first_token;  // position of the segment's first token in the training split
  uint64_t tokens;
  uint64_t checksum;  // XXH3 of the entries
};
static_assert(sizeof(SegmentHeader) == 32);
inline constexpr std::string_view kSegmentMagic("RHTRSA1\0", 8);

// documents.bin: this header, `documents` + 1 offsets of 8 bytes into the text at the end, `documents` source numbers
// of 4 bytes, then the text: for each document its id and the ids of its parents, each ended by a NUL byte, and, where
// it is known which piece of it came from which parent, a NUL byte and the pieces; then, from offset[documents] on, the
// names of the sources by number, each ended by a NUL byte. A piece is three LEB128 numbers: its first byte counted
// from the first byte of the piece before (from 0), its length, and its parent's number.
struct DocumentsHeader {
  char magic[8];  // "RHTRDO2\0"
  uint64_t documents;
  uint64_t sources;
  uint64_t text_bytes;
  uint64_t checksum;       // XXH3 of all that follows
  uint64_t tokens;         // of the training split
  uint64_t shards_digest;  // of the shards that the index was made from: XXH3 of their lineage tables
};
static_assert(sizeof(DocumentsHeader) == 56);
inline constexpr std::string_view kDocumentsMagic("RHTRDO2\0", 8);

// An entry of the text; `pieces`: Document::spans.
std::string DocumentEntry(std::string_view id, const std::vector<std::string>& parents,
                          const std::vector<Span>& pieces);

std::string SegmentPath(const std::string& directory, size_t number);

// Identifies shards by their lineage tables, which carry the checksums of the tokens.
absl::StatusOr<uint64_t> ShardsDigest(const std::string& shards_dir);

// The documents of the training split, in its order, as they are written and mapped.
class DocumentTable {
 public:
  // DATA_LOSS naming the file when it is damaged.
  static absl::StatusOr<DocumentTable> Open(const std::string& path);
  uint64_t size() const { return header_.documents; }
  const DocumentsHeader& header() const { return header_; }
  std::string_view Id(uint64_t document) const;
  std::vector<std::string> Parents(uint64_t document) const;
  // As Document::spans, ascending by `begin`. Empty: all of the text is from all of the parents.
  std::vector<Span> Pieces(uint64_t document) const;
  uint32_t Source(uint64_t document) const;
  const std::vector<std::string>& sources() const { return sources_; }

 private:
  std::string_view Entry(uint64_t document) const;
  MappedFile file_;
  DocumentsHeader header_{};
  const char* offsets_ = nullptr;
  const char* source_numbers_ = nullptr;
  const char* text_ = nullptr;
  std::vector<std::string> sources_;
};

}  // namespace rhodes

#endif  // RHODES_TRACE_INDEX_FILES_H_
