#include "source/csv_row.h"

#include <algorithm>

namespace rhodes {

bool SplitCsvRow(std::string_view row, std::deque<std::string>& arena, std::vector<std::string_view>& cells) {
  cells.clear();
  for (size_t at = 0;; ++at) {  // at the beginning of a cell
    if (at < row.size() && row[at] == '"') {
      std::string& cell = arena.emplace_back();
      for (++at;; ++at) {
        if (at >= row.size()) return false;
        if (row[at] == '"') {
          ++at;
          if (at >= row.size() || row[at] != '"') break;
        }
        cell += row[at];
      }
      if (at < row.size() && row[at] != ',') return false;
      cells.emplace_back(cell);
    } else {
      const size_t end = std::min(row.find(',', at), row.size());
      cells.push_back(row.substr(at, end - at));
      at = end;
    }
    if (at >= row.size()) return true;
  }
}

}  // namespace rhodes
