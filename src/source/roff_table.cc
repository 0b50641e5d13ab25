// tbl(1) tables, kept simple: cells of a row joined by " | ".
#include <algorithm>

#include "base/text.h"
#include "source/roff_page.h"

namespace rhodes {
namespace {

// The separator that the options line "tab(X) ... ;" sets; tab without.
char Separator(std::string_view options) {
  const size_t at = options.find("tab");
  if (at == std::string_view::npos) return '\t';
  const size_t open = options.find('(', at);
  return open == std::string_view::npos || open + 1 >= options.size() ? '\t' : options[open + 1];
}

bool IsRule(std::string_view cell) {
  cell = Trim(cell);
  return cell.empty() || cell == "\\_" || cell == "\\^" ||
         std::all_of(cell.begin(), cell.end(), [](char c) { return c == '_' || c == '='; });
}

std::string Row(const std::vector<std::string>& cells, const RoffText& text) {
  std::string row;
  for (const std::string& cell : cells) {
    const std::string shown = IsRule(cell) ? "" : text.Expand(Trim(cell));
    if (shown.empty()) continue;
    if (!row.empty()) row += " | ";
    row += Trim(shown);
  }
  return row;
}

}  // namespace

std::vector<std::string> RenderTable(const std::vector<std::string>& lines, const RoffText& text) {
  std::vector<std::string> rows;
  size_t at = 0;
  char separator = '\t';
  if (at < lines.size() && std::string_view(Trim(lines[at])).ends_with(';')) separator = Separator(lines[at++]);
  const auto skip_format = [&] {
    while (at < lines.size() && !std::string_view(Trim(lines[at])).ends_with('.')) ++at;
    if (at < lines.size()) ++at;
  };
  skip_format();
  std::vector<std::string> cells;
  bool block = false;  // inside T{ ... T}
  for (; at < lines.size(); ++at) {
    std::string_view line = lines[at];
    if (block) {
      if (!line.starts_with("T}")) {
        if (line.starts_with('.') || line.starts_with('\'')) {  // a font macro inside a cell
          const size_t space = line.find(' ');
          const std::string_view name = Trim(line.substr(1, space == std::string_view::npos ? space : space - 1));
          if (space == std::string_view::npos || name.size() > 2 || name == "sp" || name == "br" || name == "ad")
            continue;
          cells.back() += ' ';
          for (const std::string& argument : RoffArguments(line.substr(space))) {
            cells.back() += argument;
            if (name.size() == 1) cells.back() += ' ';
          }
          continue;
        }
        cells.back() += ' ';
        cells.back() += line;
        continue;
      }
      block = false;
      line.remove_prefix(2);
      if (line.empty()) {
        if (std::string row = Row(cells, text); !row.empty()) rows.push_back(std::move(row));
        cells.clear();
        continue;
      }
      if (line.front() == separator) line.remove_prefix(1);
    } else if (line == ".T&") {
      ++at;
      skip_format();
      --at;
      continue;
    } else if (line.starts_with('.') && line.size() > 1 && line[1] >= 'A') {
      continue;  // .sp, comments and the like
    } else if (line.starts_with(".\\\"") || line.starts_with("'\\\"")) {
      continue;
    }
    for (const std::string_view cell : Split(line, separator)) cells.emplace_back(cell);
    if (Trim(cells.back()) == "T{") {
      cells.back().clear();
      block = true;
      continue;
    }
    if (std::string row = Row(cells, text); !row.empty()) rows.push_back(std::move(row));
    cells.clear();
  }
  if (std::string row = Row(cells, text); !row.empty()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace rhodes
