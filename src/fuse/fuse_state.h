// What a run of fuse remembers for the next: from which units of work each document came.
//
//   OUT/.fuse-state/state.json            views, their units and counts; the documents' parts that this is about
//   OUT/.fuse-state/part-*.parquet        row UBIGINT (of all documents, from 0), unit UBIGINT; by row
#ifndef RHODES_FUSE_FUSE_STATE_H_
#define RHODES_FUSE_FUSE_STATE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "fuse/source_scope.h"
#include "table/database.h"

namespace rhodes {

// A piece of a view that is made at once: a part, a slice, or all of it.
struct FuseUnit {
  std::string key;          // hash of all that its rows depend on; empty: always made anew
  uint64_t rows = 0;        // that the view yields there
  uint64_t empty = 0;       // of these without text
  uint64_t suppressed = 0;  // of these that make a document which an earlier view made
};

struct FuseViewState {
  std::string name;
  uint64_t first_row = 0;  // of its documents among all
  uint64_t documents = 0;
  std::vector<FuseUnit> units;
};

struct FuseState {
  std::string run;  // hash of all that the run depended on, if another one of the same must give the same; else empty
  Json files;       // of the documents' manifest
  Json unit_files;  // part-*.parquet of the state
  std::vector<FuseViewState> views;
  std::map<std::string, PartTimes> times;  // by "sha256 of a part/width"

  const FuseViewState* Find(const std::string& name) const;
};

std::string FuseStateDirectory(const std::string& out);
// What the last run left, if it is about the documents that are there now and both are whole, by their hashes. Empty
// otherwise: a kill, an erasure, damage or another program came between, and all is made anew.
FuseState ReadFuseState(const std::string& out);
absl::Status WriteFuseState(const std::string& directory, const FuseState& state);

// Marks as not clean (false) each of `clean`, the units of `view`, that shares a document with one that is not: of two
// units that made it, the one that is left alone may have made it otherwise.
absl::Status SpreadChange(Database& database, const std::string& out, const FuseViewState& view,
                          std::vector<bool>& clean);

}  // namespace rhodes

#endif  // RHODES_FUSE_FUSE_STATE_H_
