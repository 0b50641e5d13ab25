// Tables as text: CSV and TSV.
#ifndef RHODES_SOURCE_DELIMITED_H_
#define RHODES_SOURCE_DELIMITED_H_

#include "source/format.h"

namespace rhodes {

// RFC 4180 with what occurs beside it: line ends LF or CRLF, a byte order mark, separators ; | and tab in "CSV". A
// quote opens a cell only at the cell's beginning, so that 5" screws is no broken quote. Record: one row without its
// line end.
//
// csv: the separator is the one of , ; tab | that cuts the first rows into the same, largest number of cells. tsv: tab,
// and quotes count only when the first rows read well with them. The first row is the header when none of its cells is
// a number or empty but the last; otherwise columns are called column1, column2, ... Lines that begin with '#' before
// the table are no rows; the last of them is the header when it has as many cells as a table that has none.
//
// A row with more or fewer cells than the header, or a quote that is never closed, is rejected: that line alone,
// reading goes on with the next one. A row that is not UTF-8 is decoded as Windows-1252 and says so in
// fields["encoding"].
const Format& CsvFormat();
const Format& TsvFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_DELIMITED_H_
