// What lies behind answers: the trace index, documents and records of an OUT folder, as the page's API gives them.
#ifndef RHODES_SERVE_EVIDENCE_H_
#define RHODES_SERVE_EVIDENCE_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/run_context.h"
#include "base/status.h"

namespace rhodes {

// Thread-safe. Errors: NOT_FOUND for an id that is not there.
class Evidence {
 public:
  // FAILED_PRECONDITION naming the command that makes it when OUT has no trace index.
  static absl::StatusOr<std::unique_ptr<Evidence>> Open(const std::string& out, RunContext& context);
  virtual ~Evidence() = default;

  // The object of `rhodes trace --json`, each document with "title" and "snippet" besides.
  virtual absl::StatusOr<Json> Trace(std::string_view text) = 0;
  // {"id", "text", "title", "time", "language", "sources", "parents": [{"id", "source", "kind", "file", "begin",
  // "end"}], "meta"}
  virtual absl::StatusOr<Json> Document(const std::string& id) = 0;
  // {"id", "source", "kind", "file", "begin", "end", "text", "before", "after"}: the record's bytes as they lie in the
  // file, with some of what surrounds them. When the file is gone or has changed, "text" is the stored copy and
  // "note" says so.
  virtual absl::StatusOr<Json> Record(const std::string& id) = 0;
};

// Counts from the manifests below OUT: sources with records, documents kept and dropped, tokens, training. Parts that
// are not there are left out.
Json SummaryOf(const std::string& out);

}  // namespace rhodes

#endif  // RHODES_SERVE_EVIDENCE_H_
