// The SQL functions that make a document's text out of records.
#ifndef RHODES_FUSE_RENDER_H_
#define RHODES_FUSE_RENDER_H_

#include <memory>
#include <vector>

#include "base/status.h"
#include "fuse/template.h"
#include "table/database.h"

namespace rhodes {

// Adds
//   render('name', argument STRUCT) -> STRUCT(text VARCHAR, parents VARCHAR[], spans)
//     the template `name` filled from `argument`. The structs in it that have a member `id` (VARCHAR, or VARCHAR[]) are
//     records: their ids are the parents, in the order of the argument, and the spans tell what is theirs
//     (fused_text.h, template.h). NULL where the template gives no text.
//   part(text VARCHAR, parent VARCHAR) -> the same type: a text that is one record's
//   join_parts(parts LIST, separator VARCHAR) -> the same type: the texts of the parts that are not NULL or empty with
//     the separator between them, which is nobody's. A part is what these functions give, or a struct of `text` and
//     `parent` or `parents`.
// All are deterministic, keep row order and run on DuckDB's threads. A template, field or type that does not fit is an
// error of the statement's binding that names the template, its file and line, the field and what there is.
absl::Status RegisterRender(Database& database, const std::vector<TemplateSettings>& templates);

// The last of the three; RegisterRender() calls it.
absl::Status RegisterJoinParts(Database& database);

}  // namespace rhodes

#endif  // RHODES_FUSE_RENDER_H_
