// SQL over the one database, for people: a table, CSV or JSON lines.
#ifndef RHODES_STORE_SQL_H_
#define RHODES_STORE_SQL_H_

#include <functional>
#include <string>
#include <string_view>

#include "base/run_context.h"

namespace rhodes {

// Runs `sql` over the views of CreateViews(), read-only, and hands the result to `write` in pieces. `format`: "table",
// "csv" (RFC 4180, with a header), "json" (an object a line) or "parquet" (one file, every column in its own type; it
// is made in the system's folder for temporary files). UsageError with DuckDB's message and line when the SQL is wrong
// or is no query.
absl::Status RunSql(const std::string& out, const std::string& sql, const std::string& format,
                    const std::function<void(std::string_view)>& write, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_STORE_SQL_H_
