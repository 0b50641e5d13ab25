// Shards and trace index made again from documents with the tokenizer that is there, so that a model and its tokenizer
// go on fitting together.
#ifndef RHODES_PROJECT_REMAKE_H_
#define RHODES_PROJECT_REMAKE_H_

#include <string>

#include "base/json.h"
#include "base/run_context.h"

namespace rhodes {

// OUT/shards from the documents in OUT/`folder` with OUT/tokenizer.json; `key` and `settings` are those of the old
// manifest and stay. What `rhodes tokenize` was told on its command line alone (--shard-tokens, and by hand --seed and
// --validation) is at its default.
absl::Status RemakeShards(const std::string& out, const std::string& folder, const std::string& key,
                          const Json& settings, RunContext& context);
absl::Status RemakeTrace(const std::string& out, const std::string& folder, const std::string& key,
                         const Json& settings, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_PROJECT_REMAKE_H_
