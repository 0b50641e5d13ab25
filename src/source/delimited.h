// Tables as text: CSV and TSV.
#ifndef RHODES_SOURCE_DELIMITED_H_
#define RHODES_SOURCE_DELIMITED_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "source/format.h"

namespace rhodes {

// RFC 4180 with what occurs beside it: line ends LF or CRLF, a byte order mark, separators ; | and tab in "CSV". A
// quote opens a cell only at the cell's beginning, so that 5" screws is no broken quote. Record: one row without its
// line end.
//
// csv: the separator is the one of , ; tab | that cuts the first rows into the same, largest number of cells. tsv: tab,
// and quotes count only when the first rows read well with them. The first row is the header when none of its cells is
// a number or empty but the last; otherwise columns are called column1, column2, ... Lines that begin with '#' before
// the table are no rows; a map that names column1, ... says that there is no header; the last of them is the header
// when it has as many cells as a table that has none.
//
// A row with more or fewer cells than the header, or a quote that is never closed, is rejected: that line alone,
// reading goes on with the next one. A row that is not UTF-8 is decoded as Windows-1252 and says so in
// fields["encoding"].
const Format& CsvFormat();
const Format& TsvFormat();

// A row of a table of a known kind. `problem`: why it is none; empty when its cells are as many as the names.
struct TableRow {
  size_t begin = 0;  // in the block
  size_t end = 0;
  const std::vector<std::string>* names = nullptr;
  const std::vector<std::string_view>* cells = nullptr;
  const FileState* extra = nullptr;  // of PrepareTable()
  std::string problem;

  // The cell of a column, trimmed; empty when there is no such column.
  std::string_view Cell(std::string_view name) const {
    for (size_t i = 0; i < names->size(); ++i) {
      if ((*names)[i] == name) return Trim((*cells)[i]);
    }
    return {};
  }
};

// Tables whose columns are known by their names: exports and logs of programs. Rows are framed as csv frames them.
class TableFormat : public Format {
 public:
  Framing framing() const override { return Framing::kBlocks; }
  int Detect(std::string_view path, std::string_view head) const override;
  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& options) const override;
  size_t Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end, const FileState* state,
             const ReadOptions& options) const override;
  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override;

 protected:
  virtual std::string_view reader() const = 0;
  virtual int DetectTable(std::string_view path, const std::vector<std::string>& names,
                          const std::vector<std::string>& first_row) const = 0;
  // The names of the columns when the first row is no header; empty when it is.
  virtual std::vector<std::string> ColumnsWithoutHeader(const std::vector<std::string>& /*first_row*/) const {
    return {};
  }
  // What is to be known of the file's beginning besides.
  virtual std::unique_ptr<FileState> PrepareTable(std::string_view head, const FileState& table,
                                                  const ReadOptions& options) const;
  // Fills kind, time, author, channels, ... `offset`: of the row in the file. Returns why the row is none, or "".
  virtual std::string ReadRow(const TableRow& row, uint64_t offset, const ReadOptions& options,
                              Record& record) const = 0;
  // Calls `take` with each row of a block, whose state is a table's.
  static void ForEachRow(const Block& block, const ReadOptions& options,
                         const std::function<void(const TableRow&)>& take);
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_DELIMITED_H_
