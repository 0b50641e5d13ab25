#include "source/starlink_csv.h"

#include <algorithm>
#include <deque>

#include "base/text.h"
#include "source/csv_row.h"
#include "source/encoding.h"
#include "source/json_document.h"
#include "source/row_builder.h"
#include "source/starlink_units.h"
#include "source/time.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "starlink/1";
constexpr std::string_view kFirst = "datetimestamp_utc";
constexpr std::string_view kUnreachable = "DISH_UNREACHABLE";

bool IsHeader(std::string_view line) {
  return line.starts_with(kFirst) && (line.size() == kFirst.size() || line[kFirst.size()] == ',');
}

std::string_view LineAt(std::string_view bytes, size_t begin) {
  size_t end = std::min(bytes.find('\n', begin), bytes.size());
  while (end > begin && (bytes[end - 1] == '\r' || bytes[end - 1] == ' ')) --end;
  return bytes.substr(begin, end - begin);
}

std::string_view FirstLine(std::string_view head) {
  const size_t begin = head.find_first_not_of(" \t\r\n", head.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  return begin == std::string_view::npos ? std::string_view() : LineAt(head, begin);
}

class TableParser {
 public:
  TableParser(const Block& block, const DishTable& table, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out) {
    SetColumns(table.header);
  }

  void ParseAll() {
    BlockLines lines(block_);
    size_t begin = 0;
    size_t end = 0;
    while (lines.Next(begin, end)) {
      const std::string_view line = block_.bytes.substr(begin, end - begin);
      if (IsHeader(line)) {
        SetColumns(Trim(line));
      } else {
        ParseRow(begin, end, line);
      }
    }
  }

 private:
  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
  }

  void SetColumns(std::string_view header) {
    columns_.clear();
    if (header.empty()) return;
    std::deque<std::string> arena;
    std::vector<std::string_view> cells;
    SplitCsvRow(header, arena, cells);
    for (const std::string_view cell : cells) columns_.push_back(DecodeText(Trim(cell)).text);
    const auto has = [&](std::string_view name) {
      return std::find(columns_.begin(), columns_.end(), name) != columns_.end();
    };
    kind_ = has("id") || has("state")   ? "dish-status"
            : has("end_counter")        ? "dish-statistics"
            : has("pop_ping_drop_rate") ? "dish-sample"
            : has("latitude")           ? "dish-location"
                                        : "dish-status";
  }

  void ParseRow(size_t begin, size_t end, std::string_view line) {
    if (line.size() > options_.record_limit) {
      return Reject(begin, end, fmt::format("row longer than {} bytes", options_.record_limit));
    }
    arena_.clear();
    std::string_view text = line;
    if (FindInvalidUtf8(line) != std::string_view::npos) text = arena_.emplace_back(DecodeText(line).text);
    if (!SplitCsvRow(text, arena_, cells_)) {
      return Reject(begin, end, "not a row: a quote is not closed, or text follows the closing one");
    }
    const bool unreachable =
        cells_.size() >= 5 && cells_[1].empty() && cells_[2].empty() && cells_[3].empty() && cells_[4] == kUnreachable;
    Record record;
    if (const std::optional<Instant> time = ParseInstant(cells_[0])) {  // UTC, as the column's name says
      record.time = time->time;
      record.time_precision = time->precision;
    } else {
      return Reject(begin, end,
                    fmt::format("not a row of the tools' table: \"{}\" is no time", cells_[0].substr(0, 40)));
    }
    if (unreachable) {
      record.fields.emplace_back("state", kUnreachable);
    } else if (columns_.empty()) {
      return Reject(begin, end,
                    "a row without a header before it: put the line that the tool writes with -H before the rows");
    } else if (cells_.size() != columns_.size()) {
      return Reject(begin, end, fmt::format("{} cells, the header has {}", cells_.size(), columns_.size()));
    } else {
      for (size_t i = 1; i < cells_.size(); ++i) AddCell(columns_[i], cells_[i], record);
      if (record.latitude.has_value() != record.longitude.has_value()) {
        record.latitude.reset();
        record.longitude.reset();
      }
    }
    record.original = line;
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    SortValues(record);
    SealRecord(options_, unreachable ? std::string_view("dish-unreachable") : kind_, kReader, record);
    out_.records.push_back(std::move(record));
  }

  static void AddCell(const std::string& column, std::string_view cell, Record& record) {
    if (cell.empty()) return;
    if (column == "id") record.author = cell;
    const std::optional<double> number = ParseNumber(cell);
    if (column == "alerts" && number && *number >= 1 && *number < 9e15) {
      record.fields.emplace_back(column, AlertsOfMask(static_cast<uint64_t>(*number)));
    }
    if (column == "latitude" && number && *number >= -90 && *number <= 90) record.latitude = number;
    if (column == "longitude" && number && *number >= -180 && *number <= 360) record.longitude = number;
    AddDishText(column, cell, record);
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  std::vector<std::string> columns_;
  std::string_view kind_ = "dish-status";
  std::deque<std::string> arena_;
  std::vector<std::string_view> cells_;
};

}  // namespace

bool IsDishTable(std::string_view head) {
  const std::string_view line = FirstLine(head);
  if (IsHeader(line)) return true;
  // A row without header: a time as Python writes it, then an id of a dish, or nothing and that none was there.
  const std::vector<std::string_view> cells = Split(line, ',');
  if (cells.size() < 5 || cells[0].size() < 19 || cells[0][10] != 'T' || !ParseInstant(cells[0])) return false;
  return cells[1].starts_with("ut0") || (cells[1].empty() && cells[4] == kUnreachable);
}

DishTable ReadDishTable(std::string_view head) {
  const std::string_view line = FirstLine(head);
  return {IsHeader(line) ? std::string(line) : ""};
}

size_t CutDishTable(std::string_view bytes, size_t target, bool at_end, const DishTable& table) {
  size_t cut = 0;
  bool usual = true;  // the columns are those of the file's first header
  for (size_t at = 0; at < bytes.size();) {
    const size_t newline = bytes.find('\n', at);
    if (newline == std::string_view::npos) return cut > 0 && bytes.size() > target ? cut : at_end ? bytes.size() : cut;
    const std::string_view line = LineAt(bytes, at);
    const bool header = IsHeader(line);
    if ((usual || header) && at > 0) {
      if (at > target) return cut > 0 ? cut : at;
      cut = at;
    }
    if (header) usual = line == table.header;
    at = newline + 1;
  }
  if (usual || at_end) cut = cut > 0 && bytes.size() > target ? cut : bytes.size();
  return cut;
}

void ParseDishTable(const Block& block, const DishTable& table, const ReadOptions& options, ParsedBlock& out) {
  TableParser(block, table, options, out).ParseAll();
}

}  // namespace rhodes
