// How much of each source is trained on: mixture weights with a cap on repetition.
#ifndef RHODES_TOKEN_SHARD_MIX_H_
#define RHODES_TOKEN_SHARD_MIX_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"

namespace rhodes {

struct MixOptions {
  // By source (documents of several sources: "a+b"): its share of the training tokens, in proportion to the others'.
  // "*": all sources that are not named, together, each by its size. Empty: no mixture, every document once.
  std::map<std::string, double> weights;
  uint32_t max_repeat = 4;  // no document stands more often than this in the training split
  uint64_t tokens = 0;      // of the training split; 0: as many as the sources of a weight above 0 have
};

// From "NAME=WEIGHT" each; the last '=' counts. UsageError for anything else, a weight that is not a number of 0 or
// more, and a name given twice.
absl::StatusOr<std::map<std::string, double>> ParseMixWeights(const std::vector<std::string>& settings);

struct MixSource {
  std::string name;
  uint64_t available = 0;  // tokens in its training documents
  uint64_t target = 0;     // tokens it is to have: MixTargets()
};

// Sets the targets: each source's part of the tokens by weight, but never more than max_repeat times what it has; what
// a capped source leaves goes to the others by their weights. The targets add up to options.tokens, or to less when all
// sources are at their cap.
// UsageError for a source without a weight, a weight without a source, or no weight above 0.
absl::Status MixTargets(const MixOptions& options, std::vector<MixSource>& sources);

}  // namespace rhodes

#endif  // RHODES_TOKEN_SHARD_MIX_H_
