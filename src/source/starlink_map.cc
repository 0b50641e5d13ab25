// A dish's obstruction map.
#include <cmath>

#include "source/json_document.h"
#include "source/row_builder.h"
#include "source/starlink_answer.h"
#include "source/starlink_units.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "starlink/1";

// What is counted over the cells of a map, and the cells themselves in few words.
struct Cells {
  size_t observed = 0;
  size_t obstructed = 0;
  double sum = 0;    // of the observed ones
  std::string runs;  // "-1x5230 1 0.9 1x3 ..."
};

class CellReader {
 public:
  // Returns what is wrong with the cells, or "".
  std::string Read(simdjson::dom::array values) {
    size_t index = 0;
    for (const simdjson::dom::element value : values) {
      std::optional<double> cell = NumberOf(value);
      const std::string_view word = StringOf(value);
      if (!cell && (word == "NaN" || (value.is_string() && word.empty()))) cell = -1;  // no data, as -1
      if (!cell) return fmt::format("cell {} of the map is no number: {}", index, TextOf(value).substr(0, 40));
      Add(*cell);
      ++index;
    }
    EndRun();
    return "";
  }
  const Cells& cells() const { return cells_; }

 private:
  void Add(double cell) {
    if (cell >= 0) {
      ++cells_.observed;
      cells_.sum += cell;
      if (cell == 0) ++cells_.obstructed;
    }
    if (run_ > 0 && cell != last_) EndRun();
    last_ = cell;
    ++run_;
  }
  void EndRun() {
    if (run_ == 0) return;
    if (!cells_.runs.empty()) cells_.runs += ' ';
    cells_.runs += fmt::format("{}", last_);
    if (run_ > 1) cells_.runs += fmt::format("x{}", run_);
    run_ = 0;
  }

  Cells cells_;
  double last_ = 0;
  size_t run_ = 0;
};

void AddChannel(const char* name, double value, const char* unit, Record& record) {
  record.channels.emplace_back(name, value);
  if (*unit != '\0') record.units.emplace_back(name, unit);
}

}  // namespace

void ReadDishMap(const DishDocument& document, const DishAnswer& answer, ParsedBlock& out) {
  const auto reject = [&](std::string reason) {
    out.rejects.push_back(MakeReject(document.block, document.begin, document.end, std::move(reason)));
  };
  Record record;
  std::optional<uint64_t> rows;
  std::optional<uint64_t> columns;
  simdjson::dom::array snr;
  bool has_snr = false;
  for (const auto field : simdjson::dom::object(answer.value)) {
    const std::string plain = PlainName(field.key);
    if (plain == "snr" && field.value.get(snr) == simdjson::SUCCESS) {
      has_snr = true;
      continue;
    }
    if (plain == "numrows") rows = UnsignedOf(field.value);
    if (plain == "numcols") columns = UnsignedOf(field.value);
    AddDishValues(field.value, std::string(field.key), record);
  }
  if (!has_snr || !rows || !columns) return reject("an obstruction map without numRows, numCols or snr");
  CellReader reader;
  if (std::string wrong = reader.Read(snr); !wrong.empty()) return reject(std::move(wrong));
  // size() of the parser's array ends at 2^24 elements: a map that large is none either.
  if (*rows > 4096 || *columns > 4096 || *rows * *columns != snr.size()) {
    return reject(fmt::format("the map has {} cells, its {} rows of {} want others", snr.size(), *rows, *columns));
  }
  const Cells& cells = reader.cells();
  record.fields.emplace_back("snr", cells.runs);
  AddChannel("observedCells", static_cast<double>(cells.observed), "", record);
  AddChannel("obstructedCells", static_cast<double>(cells.obstructed), "", record);
  if (cells.observed > 0) {
    const double observed = static_cast<double>(cells.observed);
    AddChannel("obstructedFraction", static_cast<double>(cells.obstructed) / observed, "1", record);
    AddChannel("meanSnr", cells.sum / observed, "", record);
  }
  record.fields.insert(record.fields.begin(), answer.fields.begin(), answer.fields.end());
  if (answer.time) {
    record.time = answer.time->time;
    record.time_precision = answer.time->precision;
  }
  FrameDishRecord(document, answer, document.begin, document.end, record);
  SortValues(record);
  SealRecord(document.options, "obstruction-map", kReader, record);
  out.records.push_back(std::move(record));
}

}  // namespace rhodes
