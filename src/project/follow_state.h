// What `rhodes run --follow` remembers between cycles and over kills.
//
//   OUT/follow/state.json            cycles done, updates of the optimizer so far, what must not change in between
//   OUT/follow/seen.bin              ids of the documents that the model's text was chosen from
//   OUT/follow/first-validation.bin  ids of the first model's validation documents: the old validation set
//   OUT/follow/first-model/          the first model, by which forgetting is measured
//   OUT/follow/history.jsonl         a line a cycle
//   OUT/next/                        the cycle at work: corpus, shards, training; never read by others
//   OUT/next/cycle.json              which cycle that is; without it the folder is litter
//   OUT/next/ready.json              all is there and takes its place in OUT: an exchange that a kill does not stop
#ifndef RHODES_PROJECT_FOLLOW_STATE_H_
#define RHODES_PROJECT_FOLLOW_STATE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "project/project_file.h"
#include "store/id_set.h"
#include "token/shards.h"

namespace rhodes {

// Sorted, each once.
using DocumentIds = std::vector<IdKey>;

struct FollowState {
  int64_t cycles = 0;    // that changed the model
  int64_t updates = 0;   // of the optimizer, since the first model's first
  std::string settings;  // hash of what a model cannot change: shape and tokenizer
};

inline std::string FollowDirectory(const std::string& out) { return out + "/follow"; }
inline std::string NextDirectory(const std::string& out) { return out + "/next"; }
// Where a cycle goes whose text was erased, on its way to be removed.
inline std::string VoidedDirectory(const std::string& out) { return out + "/.voided"; }

// Ids of a corpus directory's documents, in the order of its rows.
absl::StatusOr<std::vector<IdKey>> ReadDocumentIds(const std::string& corpus);
// DATA_LOSS when the file is not what was written.
absl::StatusOr<DocumentIds> LoadIds(const std::string& path);
absl::Status SaveIds(const std::string& path, std::vector<IdKey> ids);
// Of a split: the numbers of the documents whose ids (`ids_of_rows`, by corpus row) `wanted` takes.
std::vector<uint64_t> SelectDocuments(const ShardSet& shards, const std::vector<IdKey>& ids_of_rows,
                                      const std::function<bool(IdKey)>& wanted);

// NOT_FOUND before BeginFollowing(). UsageError when the project's model or tokenizer settings are not those that the
// model was made with.
absl::StatusOr<FollowState> ReadFollowState(const ProjectFile& project);
Json ToJson(const FollowState& state);
// Makes OUT/follow from OUT/corpus, OUT/shards and OUT/model, which a run has just made.
absl::Status BeginFollowing(const ProjectFile& project);

// Puts what `moves` names (below OUT/next, below OUT) into its place, all of it, whenever it is killed.
absl::Status ExchangeNext(const std::string& out, const std::vector<std::pair<std::string, std::string>>& moves);
// Finishes an exchange that a kill interrupted; nothing to do otherwise.
absl::Status FinishExchange(const std::string& out);

}  // namespace rhodes

#endif  // RHODES_PROJECT_FOLLOW_STATE_H_
