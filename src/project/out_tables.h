// What lies in an output folder, whoever made it: the sources, the folders of documents, and what killed runs left.
#ifndef RHODES_PROJECT_OUT_TABLES_H_
#define RHODES_PROJECT_OUT_TABLES_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/merkle.h"
#include "base/run_context.h"
#include "table/database.h"

namespace rhodes {

// A source: OUT/records/NAME, or OUT/unused/NAME when the project has it no longer.
struct SourceTable {
  std::string name;
  std::string directory;
  bool unused = false;
};
// Directories with a manifest, those in records/ first, sorted by name.
absl::StatusOr<std::vector<SourceTable>> ListSourceTables(const std::string& out);

// Documents: OUT/documents, OUT/corpus, OUT/dropped, and any other folder of OUT with part-*.parquet files that have
// the columns id and parents.
struct DocumentFolder {
  std::string name;  // "corpus"
  std::string directory;
  std::vector<std::string> parts;  // file names, sorted
};
// FAILED_PRECONDITION naming a part that cannot be read.
absl::StatusOr<std::vector<DocumentFolder>> ListDocumentFolders(const std::string& out);

// The rows of parts, from their footers.
absl::StatusOr<uint64_t> CountRows(const std::string& directory, const std::vector<std::string>& parts);

// Runs `sql`, in which {} stands for the part, and gives the first column of each row (VARCHAR, not NULL).
absl::Status ForEachString(Database& database, const std::string& sql,
                           const std::function<void(std::string_view)>& take);

// A record's id as a leaf of the Merkle tree: the 16 bytes that its 32 hexadecimal digits stand for.
MerkleLeaf LeafOfId(std::string_view id);
std::string IdOfLeaf(const MerkleLeaf& leaf);
// The ids of all records of OUT, those of unused sources included: sorted, each once. 16 bytes a record.
absl::StatusOr<std::vector<MerkleLeaf>> RecordLeaves(const std::string& out, const RunContext& context);

// Finishes or undoes exchanges of directories that a kill interrupted, and removes unfinished output: *.partial, what
// the manifests of sources do not list, OUT/.fuse. Hold OUT's lock. FAILED_PRECONDITION while a source is written.
// Returns what was there to do, for people.
absl::StatusOr<std::vector<std::string>> RemoveLitter(const std::string& out);
// The same without doing it.
absl::StatusOr<std::vector<std::string>> FindLitter(const std::string& out);

}  // namespace rhodes

#endif  // RHODES_PROJECT_OUT_TABLES_H_
