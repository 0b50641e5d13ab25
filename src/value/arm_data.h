// The tokenizer and shards of a comparison, all made in one go from one boundary in time.
#ifndef RHODES_VALUE_ARM_DATA_H_
#define RHODES_VALUE_ARM_DATA_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "value/compare.h"

namespace rhodes {

// The arms of `settings`; for the default, made from the sources.
std::vector<CompareArm> ArmsOf(const CompareSettings& settings, const std::vector<std::string>& sources);

// Writes, whole or not at all, unless DIRECTORY/data.json has the key already:
//   DIRECTORY/tokenizer.json
//   DIRECTORY/arms/ARM/train-*       texts that may be trained on, up to the budget's tokens
//   DIRECTORY/sets/SET/validation-*  held-out texts
//   DIRECTORY/arms/ARM.ids, DIRECTORY/sets/SET.ids   the ids of these texts, one a line
//   DIRECTORY/data.json              boundary, counts, vocabulary, arms, sets as in the report; and `key`
// and returns data.json. Memory: context.memory_bytes, and twice one arm's text.
absl::StatusOr<Json> MakeArmData(const CompareOptions& options, const std::string& directory, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_VALUE_ARM_DATA_H_
