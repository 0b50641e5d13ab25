// Parquet files, through DuckDB.
#ifndef RHODES_SOURCE_PARQUET_H_
#define RHODES_SOURCE_PARQUET_H_

#include "source/format.h"

namespace rhodes {

// Record: one row, kind "row". A row's bytes are spread over column chunks, so a record's byte range is the whole file
// and fields["row"] says which row it is, from 0 ("file_row" when the file has a column called row). Its original is
// the row as a JSON object. Columns map as in row_builder.h; nested values become JSON in `fields`; binary columns
// count as text when they are UTF-8 and stay in the original only when they are not. A file that DuckDB cannot open, or
// whose pages are broken further on, is one reject; the rows before the break count.
const Format& ParquetFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_PARQUET_H_
