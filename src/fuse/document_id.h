// The id of a fused document, as a SQL function.
#ifndef RHODES_FUSE_DOCUMENT_ID_H_
#define RHODES_FUSE_DOCUMENT_ID_H_

#include "base/status.h"
#include "table/database.h"

namespace rhodes {

// Adds document_id(text VARCHAR, parents VARCHAR[]) -> VARCHAR: ContentId({text, parents...}), or NULL when the text is
// NULL or white space. Runs on DuckDB's threads. DuckDB's own sha256() took four times as long, since it does not use
// the processor's instructions for it.
absl::Status RegisterDocumentId(Database& database);

// Adds checked_spans(text VARCHAR, parents VARCHAR[], spans) -> spans: the spans, NULL for none. An error when a span
// does not lie within the text between its characters, or its parent within the list; or when a parent is NULL.
absl::Status RegisterCheckedSpans(Database& database);

}  // namespace rhodes

#endif  // RHODES_FUSE_DOCUMENT_ID_H_
