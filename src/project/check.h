// rhodes check: whether everything in an output folder is what its manifests say, and what to do where it is not.
#ifndef RHODES_PROJECT_CHECK_H_
#define RHODES_PROJECT_CHECK_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"

namespace rhodes {

struct CheckProblem {
  std::string what;     // "record source", "documents", "shards", ...
  std::string file;     // below OUT
  std::string problem;  // what is wrong
  std::string repair;   // what to do
};

struct CheckReport {
  std::vector<CheckProblem> problems;
  std::vector<std::string> notes;     // what is no problem, such as the rest of a run that was stopped
  std::vector<std::string> repaired;  // what --repair did
  Json checked = Json::object();      // how much was looked at
  bool ok() const { return problems.empty(); }
};

// Of a folder of shards that `rhodes tokenize --shards` wrote: its files and counts (project/check_shards.h). Else
// reads all of OUT: sizes, SHA-256 and rows of the parts that manifests list; whether counts add up; ids and byte
// ranges of records; whether every parent of a document is a record, kept and dropped documents are those that were
// fused, and every token's document is in the corpus; checksums of shards and trace index; the model's files. Changes
// nothing. Memory: 16 bytes a record and a document, beside what the trace index needs.
// NOT_FOUND when OUT is no output folder. What is damaged is a problem of the report, not an error.
absl::StatusOr<CheckReport> CheckOut(const std::string& out, RunContext& context);

// Finishes an erasure that was interrupted, removes what unfinished runs left, makes manifests of sources again from
// their parts, moves parts that cannot be read to OUT/damaged/, makes damaged shards again, and takes the manifests off
// other stages whose files are damaged, so that `rhodes run` makes them again. Nothing that can be read is deleted.
// Then checks again; what it did is in `repaired`. Takes OUT's lock.
absl::StatusOr<CheckReport> RepairOut(const std::string& out, RunContext& context);

// {"ok", "problems": [{"what", "file", "problem", "repair"}], "notes", "repaired", "checked"}
Json ToJson(const CheckReport& report);
std::string FormatCheck(const CheckReport& report);

// The rows of a part that is read whole, every column; an error when it cannot be.
absl::StatusOr<uint64_t> ReadWholePart(const std::string& path);

}  // namespace rhodes

#endif  // RHODES_PROJECT_CHECK_H_
