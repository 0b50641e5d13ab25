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

}  // namespace rhodes

#endif  // RHODES_FUSE_DOCUMENT_ID_H_
