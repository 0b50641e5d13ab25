// rhodes inspect: what lies in an output folder.
#ifndef RHODES_PROJECT_INSPECT_H_
#define RHODES_PROJECT_INSPECT_H_

#include <string>

#include "base/json.h"
#include "base/run_context.h"

namespace rhodes {

// {"out", "sources": {NAME: {"records", "read", "duplicates", "rejected", "bytes", "documents", "kept", "dropped",
//   "text_bytes", "tokens"}}, "documents", "corpus": {...}, "dropped": {RULE: {REASON: n}}, "tokens": {...}, "model":
//   {...}, "stages": {STAGE: seconds}}
// Stages that did not run are left out. Numbers are those of the manifests, except the records' bytes when a manifest
// has none. NOT_FOUND when `out` is no output folder.
absl::StatusOr<Json> InspectOut(const std::string& out);

// One document, kept or not: {"id", "state": "kept" | "dropped" | "not curated", "rule", "reason", "language",
// "sources", "meta", "text_bytes", "text" (its first kTextShown bytes), "records": [{"id", "source", "kind", "file",
// "begin", "end"}]}. `id` may be the beginning of one, eight digits or more, when only one document has it. NOT_FOUND
// when none has; INVALID_ARGUMENT when several have.
absl::StatusOr<Json> InspectDocument(const std::string& out, const std::string& id, RunContext& context);

constexpr size_t kTextShown = 2000;

// Tables for people, of the objects above.
std::string FormatInspection(const Json& inspection);
std::string FormatDocument(const Json& document);

}  // namespace rhodes

#endif  // RHODES_PROJECT_INSPECT_H_
