// One line of a table into its cells, for formats whose rows never go over a line.
#ifndef RHODES_SOURCE_CSV_ROW_H_
#define RHODES_SOURCE_CSV_ROW_H_

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

// Cells between commas; a cell that begins with a quote ends with the next one, "" inside stands for a quote. What is
// unescaped lives in `arena`. False when a quote is not closed or text follows the closing one.
bool SplitCsvRow(std::string_view row, std::deque<std::string>& arena, std::vector<std::string_view>& cells);

}  // namespace rhodes

#endif  // RHODES_SOURCE_CSV_ROW_H_
