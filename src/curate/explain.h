// Why a document is kept or dropped: what each rule measured, beside its threshold.
#ifndef RHODES_CURATE_EXPLAIN_H_
#define RHODES_CURATE_EXPLAIN_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "curate/settings.h"

namespace rhodes {

// Judges the first document of `inputs` whose id is `id` by the rules that look at one document:
//   id, language, text_bytes, kept_text_bytes, rule and reason (null when kept),
//   measures [{rule, reason, value, threshold, dropped}] in the order in which they are looked at
// What comparing with other documents does (exact, near, substring) stands in the dropped row of a run. NOT_FOUND when
// there is no such document; what DocumentReader returns.
absl::StatusOr<Json> ExplainDocument(const std::vector<std::string>& inputs, const std::string& id,
                                     const CurateSettings& settings, RunContext& context);

// A table for people.
std::string FormatExplanation(const Json& explanation);

}  // namespace rhodes

#endif  // RHODES_CURATE_EXPLAIN_H_
