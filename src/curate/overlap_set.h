// Evaluation sets on disk: which files a set is, and the strings of its items.
#ifndef RHODES_CURATE_OVERLAP_SET_H_
#define RHODES_CURATE_OVERLAP_SET_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rhodes {

// What "NAME:PATH" or "PATH" says. Without a name: that of the file or directory, its endings aside
// ("sets/gsm8k.test.jsonl.gz": "gsm8k.test").
struct EvaluationSetPath {
  std::string name;  // letters, digits, "_", "-", "." and "|" (lighteval's "suite|task"), when it is stated
  std::string path;
};
EvaluationSetPath ParseEvaluationSetPath(std::string_view given);

struct EvaluationSet {
  std::string name;
  std::vector<std::string> files;  // sorted where they are of a directory
};

// Finds the files of each of `given`: a file named .jsonl, .ndjson, .json (each also .gz, .zst, .bz2, .xz) or .parquet,
// or a directory with such files, at any depth; its other files are passed over. UsageError naming set and path: not
// there, another kind of file, a directory without any, two sets of one name.
absl::StatusOr<std::vector<EvaluationSet>> FindEvaluationSets(const std::vector<std::string>& given);

// One row of a set. Views live during the call they are given to.
struct EvaluationItem {
  size_t file = 0;                        // index into EvaluationSet::files
  uint64_t line = 0;                      // of a .jsonl file its line, else the row, from 1
  std::string_view id;                    // of the first of id, _id, task_id, question_id, item_id, uid, qid; or empty
  std::vector<std::string_view> texts;    // each string of the wanted fields, in their order; no empty ones
  std::vector<std::string_view> queries;  // the same of the fields of queries
};

// Paths of object keys with dots between them; arrays on the way stand for all that is in them:
// "question.choices.text". All strings below the end of a path are taken. No `texts`: all strings of the row that are
// not of `queries`.
struct EvaluationFields {
  std::vector<std::string> texts;
  std::vector<std::string> queries;
};

struct EvaluationReadOptions {
  EvaluationFields fields;
  uint64_t max_json_bytes = uint64_t{1} << 30;  // of one .json file, uncompressed, and of one line of JSON Lines
};

// Calls `take` for each item of `set`, in the order of files and rows, until it returns an error.
//   .jsonl    each line that is not blank is an item (an object, or an array or string taken as it is);
//   .json     an array: its elements; an object: the elements of the longest array of objects among its members
//             (BIG-bench's "examples", SQuAD's "data"), or itself when there is none; if the file is not one JSON value
//             but one a line, it is read as .jsonl;
//   .parquet  each row, as DuckDB makes JSON of it.
// Invalid UTF-8 becomes U+FFFD. UsageError "evaluation set NAME: FILE line N: ..." for what is no JSON, cannot be read,
// or is longer than the options allow; naming the fields that there are, when no item has any of the wanted ones.
absl::Status ReadEvaluationSet(const EvaluationSet& set, const EvaluationReadOptions& options,
                               const std::function<absl::Status(const EvaluationItem&)>& take);

// The same for the bytes of one file in memory (uncompressed; not Parquet), for tests and fuzzing. `name` decides
// between .json and .jsonl.
absl::Status ReadEvaluationBytes(const std::string& name, std::string bytes, const EvaluationReadOptions& options,
                                 const std::function<absl::Status(const EvaluationItem&)>& take);

}  // namespace rhodes

#endif  // RHODES_CURATE_OVERLAP_SET_H_
