// The tables that starlink-grpc-tools write: `datetimestamp_utc` first, then the columns of the modes that were asked.
#ifndef RHODES_SOURCE_STARLINK_CSV_H_
#define RHODES_SOURCE_STARLINK_CSV_H_

#include <string>
#include <string_view>
#include <vector>

#include "source/format.h"

namespace rhodes {

struct DishTable {
  std::string header;  // the line that names the columns; empty: the file has none at its beginning
};

// Whether a file begins as such a table does, with a header or with a row of one that has none.
bool IsDishTable(std::string_view head);
DishTable ReadDishTable(std::string_view head);

// Format::Cut. A file may have several headers, when it was written in several runs. Where one names other columns than
// the first did, no block ends before the next header.
size_t CutDishTable(std::string_view bytes, size_t target, bool at_end, const DishTable& table);
void ParseDishTable(const Block& block, const DishTable& table, const ReadOptions& options, ParsedBlock& out);

}  // namespace rhodes

#endif  // RHODES_SOURCE_STARLINK_CSV_H_
