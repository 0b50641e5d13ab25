// A piece of the input after the rules that look at one document: what comparing and writing need of it, as a file that
// a later process can go on from.
#ifndef RHODES_CURATE_JUDGED_PIECE_H_
#define RHODES_CURATE_JUDGED_PIECE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "curate/exact.h"
#include "curate/judge.h"
#include "curate/near.h"

namespace rhodes {

// What comparing needs of a document.
struct JudgedMark {
  std::string_view id;  // lives as long as the piece
  bool kept = false;    // by its own rules; only then what follows is set
  uint16_t rank = 0;    // of its source; 0 goes first
  TextHash hash;
  NearSignature signature;  // when the piece has them
};

// Collects a piece in memory. Not thread-safe.
class JudgedPieceWriter {
 public:
  explicit JudgedPieceWriter(bool signatures) : signatures_(signatures) {}
  // `measures`: of a run that makes a report; else empty.
  void Add(const JudgedDocument& judged, uint16_t rank, const NearSignature& signature,
           const std::vector<Measure>& measures);
  // `path` appears whole. What the disk says.
  absl::Status Write(const std::string& path, const NormaliseCounts& normalised);

 private:
  const bool signatures_;
  uint64_t documents_ = 0;
  std::string bodies_;
  std::string marks_;
};

// Reads one. Not thread-safe. The file's pages are released behind the reader.
class JudgedPiece {
 public:
  // DATA_LOSS when a byte is not as it was written: then the piece has to be judged again. kMarks reads and checks
  // those alone; then there are no documents.
  enum class Parts { kAll, kMarks };
  static absl::StatusOr<JudgedPiece> Open(const std::string& path, Parts parts = Parts::kAll);

  uint64_t documents() const { return documents_; }
  const NormaliseCounts& normalised() const { return normalised_; }
  // Of `judged.overlap` what OverlapCounts needs comes back: sets and places.
  // In the order of the input; false behind the last one. Marks and documents are read independently of each other.
  absl::StatusOr<bool> NextMark(JudgedMark& mark);
  absl::StatusOr<bool> NextDocument(JudgedDocument& judged, std::vector<Measure>& measures);

 private:
  JudgedPiece() = default;
  MappedFile file_;
  bool signatures_ = false;
  uint64_t documents_ = 0;
  NormaliseCounts normalised_;
  std::string_view bodies_;  // what is left of them
  std::string_view marks_;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_JUDGED_PIECE_H_
