#include "source/delimited.h"

#include <algorithm>
#include <cstring>
#include <deque>

#include "absl/container/flat_hash_set.h"
#include "base/text.h"
#include "source/encoding.h"
#include "source/json_document.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

constexpr size_t kSampleBytes = 256 << 10;  // of a file's beginning, for finding out how it is written

struct Dialect {
  char separator = ',';
  bool quotes = true;
};

struct Row {
  enum class Kind {
    kRow,     // [begin, content_end) is a row, the next one begins at `next`
    kBroken,  // the line [begin, content_end) is no row
    kMore     // the row does not end in the bytes given
  };
  Kind kind = Kind::kMore;
  size_t content_end = 0;
  size_t next = 0;
};

size_t FindFrom(std::string_view bytes, size_t begin, char wanted) {
  if (begin >= bytes.size()) return bytes.size();
  const void* found = std::memchr(bytes.data() + begin, wanted, bytes.size() - begin);
  return found == nullptr ? bytes.size() : static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
}

size_t WithoutReturn(std::string_view bytes, size_t begin, size_t end) {
  return end > begin && bytes[end - 1] == '\r' ? end - 1 : end;
}

// The reason is the same for all that can be wrong with quotes: more would depend on how far beyond the line one sees,
// and so on where the file was cut.
constexpr char kBrokenQuote[] = "not a row: a quote is not closed, or text follows the closing one";

Row BrokenLine(std::string_view bytes, size_t begin) {
  const size_t newline = FindFrom(bytes, begin, '\n');
  return {Row::Kind::kBroken, WithoutReturn(bytes, begin, newline), std::min(newline + 1, bytes.size())};
}

// Finds the end of the row that begins at `begin`.
Row ScanRow(std::string_view bytes, size_t begin, const Dialect& dialect, bool at_end, uint64_t limit) {
  const size_t newline = FindFrom(bytes, begin, '\n');
  const bool has_quote = dialect.quotes && FindFrom(bytes.substr(0, newline), begin, '"') < newline;
  if (!has_quote) {
    if (newline == bytes.size() && !at_end) return {};
    return {Row::Kind::kRow, WithoutReturn(bytes, begin, newline), std::min(newline + 1, bytes.size())};
  }
  size_t at = begin;
  while (true) {  // at the beginning of a cell
    if (at < bytes.size() && bytes[at] == '"') {
      ++at;
      while (true) {
        at = FindFrom(bytes, at, '"');
        if (at - begin > limit) return BrokenLine(bytes, begin);
        if (at == bytes.size()) return at_end ? BrokenLine(bytes, begin) : Row{};
        if (at + 1 == bytes.size() && !at_end) return {};
        if (at + 1 < bytes.size() && bytes[at + 1] == '"') {
          at += 2;
          continue;
        }
        ++at;
        break;
      }
      const bool ends = at == bytes.size() || bytes[at] == dialect.separator || bytes[at] == '\n' ||
                        (bytes[at] == '\r' && (at + 1 == bytes.size() || bytes[at + 1] == '\n'));
      if (!ends) return BrokenLine(bytes, begin);
    }
    while (at < bytes.size() && bytes[at] != dialect.separator && bytes[at] != '\n') ++at;
    if (at == bytes.size()) {
      if (!at_end) return {};
      return {Row::Kind::kRow, WithoutReturn(bytes, begin, at), at};
    }
    if (bytes[at] == '\n') return {Row::Kind::kRow, WithoutReturn(bytes, begin, at), at + 1};
    ++at;
  }
}

// The cells of a whole row. Cells with "" inside are unescaped into `arena`, which keeps them.
void SplitCells(std::string_view row, const Dialect& dialect, std::deque<std::string>& arena,
                std::vector<std::string_view>& cells) {
  cells.clear();
  size_t at = 0;
  while (true) {
    if (dialect.quotes && at < row.size() && row[at] == '"') {
      const size_t begin = ++at;
      bool escaped = false;
      while (true) {
        at = FindFrom(row, at, '"');
        if (at + 1 >= row.size() || row[at + 1] != '"') break;
        escaped = true;
        at += 2;
      }
      std::string_view cell = row.substr(begin, at - begin);
      if (escaped) {
        std::string& text = arena.emplace_back();
        for (size_t i = 0; i < cell.size(); ++i) {
          text += cell[i];
          if (cell[i] == '"') ++i;
        }
        cell = text;
      }
      cells.push_back(cell);
      at = std::min(at + 1, row.size());
    } else {
      const size_t end = FindFrom(row, at, dialect.separator);
      cells.push_back(row.substr(at, end - at));
      at = end;
    }
    if (at >= row.size()) return;
    ++at;  // the separator
  }
}

// How the numbers of a column are written.
enum class NumberForm : uint8_t {
  kPoint,  // 12.5
  kComma,  // 12,5
  kWhole   // with points between groups of digits, by which fractions cannot be told from thousands: 12 only
};

std::optional<double> ReadNumber(std::string_view cell, NumberForm form) {
  if (form == NumberForm::kComma) return ParseCommaNumber(cell);
  if (form == NumberForm::kWhole && cell.find('.') != std::string_view::npos) return std::nullopt;
  return ParseNumber(cell);
}

struct TableState final : FileState {
  Dialect dialect;
  std::vector<std::string> names;
  std::vector<RoleTable::Found> roles;
  std::vector<NumberForm> forms;            // of each column
  DecimalMark mark = DecimalMark::kEither;  // of the file: kComma when all its fractions stand behind one
  size_t header_end = 0;                    // where the first data row begins in the file
  std::unique_ptr<FileState> extra;         // what a TableFormat keeps
};

struct Sample {
  std::vector<std::vector<std::string>> rows;  // the first ones
  size_t broken = 0;
  size_t first_end = 0;    // where the second row begins
  bool commented = false;  // the first row stood in a comment before the table
};

Sample TakeSample(std::string_view head, const Dialect& dialect, uint64_t limit, size_t most_rows = 50) {
  Sample sample;
  std::deque<std::string> arena;
  std::vector<std::string_view> cells;
  for (size_t begin = 0; begin < head.size() && sample.rows.size() + sample.broken < most_rows;) {
    const Row row = ScanRow(head, begin, dialect, true, limit);
    const std::string_view content = head.substr(begin, row.content_end - begin);
    if (row.kind == Row::Kind::kBroken) {
      // The sample's end may cut a row in two.
      if (row.next < head.size()) ++sample.broken;
    } else if (!content.empty() && (row.next < head.size() || sample.rows.empty() || head.ends_with('\n'))) {
      SplitCells(content, dialect, arena, cells);
      sample.rows.emplace_back(cells.begin(), cells.end());
      if (sample.rows.size() == 1) sample.first_end = row.next;
    }
    begin = row.next;
  }
  return sample;
}

// The share of rows with as many cells as the first; 0 for a single column.
double Consistency(const Sample& sample) {
  if (sample.rows.empty() || sample.rows[0].size() < 2) return 0;
  const size_t same = static_cast<size_t>(
      std::count_if(sample.rows.begin(), sample.rows.end(),
                    [&](const std::vector<std::string>& row) { return row.size() == sample.rows[0].size(); }));
  return static_cast<double>(same) / static_cast<double>(sample.rows.size() + sample.broken);
}

// Whether every comma in the first lines but the first stands between two digits, as in 12,5.
bool CommasAreDecimal(std::string_view head) {
  const auto is_digit = [&](size_t at) { return at < head.size() && head[at] >= '0' && head[at] <= '9'; };
  size_t end = FindFrom(head, 0, '\n');
  size_t commas = 0;
  for (int line = 0; line < 50 && end < head.size(); ++line) {
    const size_t next = FindFrom(head, end + 1, '\n');
    for (size_t at = FindFrom(head, end + 1, ','); at < next; at = FindFrom(head, at + 1, ',')) {
      if (!is_digit(at - 1) || !is_digit(at + 1)) return false;
      ++commas;
    }
    end = next;
  }
  return commas > 0;
}

Dialect DetectDialect(std::string_view head, uint64_t limit) {
  Dialect best;
  double best_score = 0;
  double best_consistency = 0;
  const bool decimal = CommasAreDecimal(head);
  for (const char separator : {';', '\t', '|', ','}) {
    const Dialect dialect{separator, true};
    const Sample sample = TakeSample(head, dialect, limit);
    const double consistency = Consistency(sample);
    if (consistency < 0.5) continue;
    // 1,5;2,5 has as many commas in every row as it has columns.
    if (separator == ',' && decimal && best_consistency >= consistency) continue;
    const double score = consistency * consistency * static_cast<double>(std::min<size_t>(sample.rows[0].size(), 64));
    if (score > best_score || (separator == ',' && score == best_score)) {
      best_score = score;
      best_consistency = consistency;
      best = dialect;
    }
  }
  return best;
}

// How the cells of one column write fractions.
struct Fractions {
  size_t commas = 0;
  size_t points = 0;
  bool sure_comma = false;  // not three digits behind it, which may be thousands
  bool sure_point = false;
  bool grouped = false;  // 1.234.567
  bool text = false;
};

bool IsGrouped(std::string_view cell) {
  if (cell.starts_with('-')) cell.remove_prefix(1);
  const std::vector<std::string_view> groups = Split(cell, '.');
  if (groups.size() < 3) return false;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].empty() || groups[i].size() > 3 || (i > 0 && groups[i].size() < 3)) return false;
    if (groups[i].find_first_not_of("0123456789") != std::string_view::npos) return false;
  }
  return true;
}

Fractions CountFractions(const Sample& sample, size_t first_row, size_t column) {
  static const absl::flat_hash_set<std::string> kAbsent = {"", "-", "na", "n/a", "nan", "null", "none"};
  Fractions found;
  for (size_t i = first_row; i < sample.rows.size(); ++i) {
    if (column >= sample.rows[i].size()) continue;
    const std::string_view cell = Trim(sample.rows[i][column]);
    if (kAbsent.contains(LowerAscii(cell))) continue;
    const size_t mark = cell.find_first_of(".,");
    const bool comma = mark != std::string_view::npos && cell[mark] == ',';
    if (!(comma ? ParseCommaNumber(cell) : ParseNumber(cell))) {
      found.text = true;
      found.grouped |= IsGrouped(cell);
      continue;
    }
    if (mark == std::string_view::npos) continue;
    const size_t digits = std::min(cell.find_first_not_of("0123456789", mark + 1), cell.size()) - mark - 1;
    const bool sure = digits != 3 || cell.substr(0, mark) == "0" || cell.substr(0, mark) == "-0" || mark > 4;
    ++(comma ? found.commas : found.points);
    (comma ? found.sure_comma : found.sure_point) |= sure;
  }
  return found;
}

// Finds the columns with decimal commas. Where one has them and none has a decimal point, all of the file has.
void FindDecimalMark(const Sample& sample, size_t first_row, TableState& state) {
  state.forms.assign(state.names.size(), NumberForm::kPoint);
  bool commas = false;
  bool points = false;
  for (size_t i = 0; i < state.names.size(); ++i) {
    const Fractions found = CountFractions(sample, first_row, i);
    if (found.grouped) state.forms[i] = NumberForm::kWhole;
    if (state.dialect.separator == ',') continue;
    if (found.sure_comma && found.points == 0 && !found.text) state.forms[i] = NumberForm::kComma;
    commas |= state.forms[i] == NumberForm::kComma;
    points |= found.sure_point && found.commas == 0 && !found.text;
  }
  if (!commas || points) return;
  state.mark = DecimalMark::kComma;
  state.forms.assign(state.names.size(), NumberForm::kComma);
}

bool LooksLikeHeader(const std::vector<std::string>& row, char separator) {
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string_view cell = Trim(row[i]);
    if (cell.empty() && i + 1 < row.size()) return false;
    if (ParseNumber(cell) || (separator != ',' && ParseCommaNumber(cell))) return false;
  }
  return !Trim(row[0]).empty();
}

// Whether the map counts columns ("column2"): the table has no header then, whatever its first row looks like.
// Unless that has such names itself.
bool CountsColumns(std::string_view name) {
  constexpr std::string_view kPrefix = "column";
  return name.starts_with(kPrefix) && name.size() > kPrefix.size() &&
         name.find_first_not_of("0123456789", kPrefix.size()) == std::string_view::npos;
}

bool CountsColumns(const ColumnMap& map) {
  const std::string_view roles[] = {map.text,     map.time,      map.author, map.language,
                                    map.latitude, map.longitude, map.id,     map.place};
  return std::any_of(std::begin(roles), std::end(roles), [](std::string_view name) { return CountsColumns(name); }) ||
         std::any_of(map.channels.begin(), map.channels.end(),
                     [](const ChannelColumn& channel) { return CountsColumns(channel.field); });
}

std::vector<std::string> ColumnNames(const Sample& sample, bool header) {
  std::vector<std::string> names;
  absl::flat_hash_set<std::string> used;
  const size_t count = sample.rows.empty() ? 0 : sample.rows[0].size();
  for (size_t i = 0; i < count; ++i) {
    std::string name = header ? DecodeText(Trim(sample.rows[0][i])).text : "";
    if (name.empty()) name = fmt::format("column{}", i + 1);
    const std::string base = name;
    for (int n = 2; !used.insert(name).second; ++n) name = fmt::format("{}_{}", base, n);
    names.push_back(std::move(name));
  }
  return names;
}

// Where the table begins: behind a byte order mark and lines that begin with '#'.
size_t EndOfComments(std::string_view head) {
  size_t at = head.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (at < head.size() && head[at] == '#') at = std::min(FindFrom(head, at, '\n') + 1, head.size());
  return at;
}

// "# time,volts" right before rows of as many cells names their columns: puts it first in `sample`.
void CommentedHeader(std::string_view comments, const Dialect& dialect, Sample& sample) {
  while (comments.ends_with('\n') || comments.ends_with('\r')) comments.remove_suffix(1);
  const size_t newline = comments.rfind('\n');
  std::string_view line = newline == std::string_view::npos ? comments : comments.substr(newline + 1);
  if (!line.starts_with('#')) return;
  line = Trim(line.substr(1));
  std::deque<std::string> arena;
  std::vector<std::string_view> cells;
  SplitCells(line, dialect, arena, cells);
  const std::vector<std::string> row(cells.begin(), cells.end());
  if (row.size() < 2 || row.size() != sample.rows[0].size() || !LooksLikeHeader(row, dialect.separator)) return;
  sample.rows.insert(sample.rows.begin(), row);
  sample.commented = true;
}

// In TSV a quote is more often a quote than a delimiter: it counts when cells are quoted as a whole and nothing in the
// beginning of the file speaks against it.
Dialect TabDialect(std::string_view start, uint64_t limit) {
  const Sample quoted = TakeSample(start, {'\t', true}, limit, start.size());
  return {'\t', quoted.broken == 0};
}

class Delimited final : public Format {
 public:
  Delimited(std::string_view name, bool tabs) : name_(name), reader_(std::string(name) + "/1"), tabs_(tabs) {}

  std::string_view name() const override { return name_; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view path, std::string_view head) const override {
    if (tabs_ ? path.ends_with(".tsv") || path.ends_with(".tab") : path.ends_with(".csv")) return 80;
    // By content only where the name says nothing: prose has commas in every line too.
    if (FileName(path).find('.') != std::string_view::npos && !path.ends_with(".dat")) return 0;
    const Dialect dialect = tabs_ ? Dialect{'\t', true} : DetectDialect(head, 1 << 20);
    if (!tabs_ && dialect.separator == '\t') return 0;
    const Sample sample = TakeSample(head, dialect, 1 << 20);
    if (sample.rows.size() < 5 || Consistency(sample) < 1) return 0;
    return sample.rows[0].size() >= (tabs_ ? 2U : 3U) ? 60 : 0;
  }

  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& options) const override {
    auto state = std::make_unique<TableState>();
    const size_t begin = EndOfComments(head);
    const std::string_view body = head.substr(begin);
    const std::string_view start = body.substr(0, kSampleBytes);
    state->dialect = tabs_ ? TabDialect(start, options.record_limit) : DetectDialect(start, options.record_limit);
    Sample sample = TakeSample(start, state->dialect, options.record_limit);
    if (sample.rows.empty()) sample = TakeSample(body, state->dialect, options.record_limit, 1);
    const bool header = !sample.rows.empty() && LooksLikeHeader(sample.rows[0], state->dialect.separator) &&
                        (!CountsColumns(options.columns) ||
                         std::any_of(sample.rows[0].begin(), sample.rows[0].end(),
                                     [](const std::string& name) { return CountsColumns(Trim(name)); }));
    state->header_end = begin + (header ? sample.first_end : 0);
    if (!header && !sample.rows.empty()) CommentedHeader(head.substr(0, begin), state->dialect, sample);
    state->names = ColumnNames(sample, header || sample.commented);
    const RoleTable roles(options.columns);
    for (const std::string& name : state->names) state->roles.push_back(roles.Find(name));
    FindDecimalMark(sample, header || sample.commented ? 1 : 0, *state);
    return state;
  }

  size_t Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end, const FileState* state,
             const ReadOptions& options) const override {
    const TableState& table = *static_cast<const TableState*>(state);
    const Dialect& dialect = table.dialect;
    if (!dialect.quotes) return CutAtLine(bytes, target);
    // A quote in a comment before the table opens nothing.
    if (begin < table.header_end) {
      const size_t cut = table.header_end - begin;
      return cut <= bytes.size() ? cut : 0;
    }
    // Without a quote before the target every line break before it ends a row.
    const std::string_view before = bytes.substr(0, target);
    if (before.find('"') == std::string_view::npos) {
      if (const size_t newline = before.rfind('\n'); newline != std::string_view::npos) return newline + 1;
    }
    size_t cut = 0;
    while (cut < target) {
      const Row row = ScanRow(bytes, cut, dialect, at_end, options.record_limit);
      if (row.kind == Row::Kind::kMore) break;
      cut = row.next;
      if (cut == bytes.size()) break;
    }
    return cut;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override;

 private:
  std::string_view name_;
  std::string reader_;
  bool tabs_;
};

class RowParser {
 public:
  RowParser(const Block& block, const ReadOptions& options, std::string_view reader, ParsedBlock& out)
      : block_(block),
        options_(options),
        state_(*static_cast<const TableState*>(block.state)),
        reader_(reader),
        out_(out),
        roles_(options.columns, options.time_zone),
        builder_(roles_) {
    builder_.set_decimal_mark(state_.mark);
  }

  void ParseAll() {
    size_t begin = block_.begin < state_.header_end ? state_.header_end - block_.begin : 0;
    while (begin < block_.bytes.size()) {
      const Row row = ScanRow(block_.bytes, begin, state_.dialect, true, options_.record_limit);
      if (row.kind == Row::Kind::kBroken) {
        Reject(begin, row.content_end, kBrokenQuote);
      } else {
        ParseRow(begin, row.content_end);
      }
      begin = row.next;
      ReserveRecords(begin, block_.bytes.size(), out_.records);
    }
  }

 private:
  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
  }

  void ParseRow(size_t begin, size_t end) {
    const std::string_view row = block_.bytes.substr(begin, end - begin);
    if (Trim(row).empty() && row.find(state_.dialect.separator) == std::string_view::npos) return;
    if (row.size() > options_.record_limit) {
      return Reject(begin, end, fmt::format("row longer than {} bytes", options_.record_limit));
    }
    arena_.clear();
    std::string encoding;
    std::string_view text = row;
    if (FindInvalidUtf8(row) != std::string_view::npos) {
      DecodedText decoded = DecodeText(row);
      text = arena_.emplace_back(std::move(decoded.text));
      encoding = std::move(decoded.encoding);
    }
    SplitCells(text, state_.dialect, arena_, cells_);
    if (cells_.size() == state_.names.size() + 1 && cells_.back().empty()) cells_.pop_back();  // a separator at the end
    if (cells_.size() != state_.names.size()) {
      return Reject(begin, end, fmt::format("{} cells, the header has {}", cells_.size(), state_.names.size()));
    }
    builder_.Begin();
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (cells_[i].empty()) continue;
      const std::optional<double> number = ReadNumber(cells_[i], state_.forms[i]);
      if (number && state_.roles[i].role != Role::kText && state_.roles[i].role != Role::kAuthor) {
        builder_.AddNumber(state_.names[i], state_.roles[i], *number, cells_[i]);
      } else {
        builder_.AddString(state_.names[i], state_.roles[i], cells_[i]);
      }
    }
    if (!encoding.empty()) builder_.AddOther("encoding", encoding);
    Record record;
    std::string reason;
    if (!builder_.Finish(options_, record, reason)) return Reject(begin, end, std::move(reason));
    record.original = row;
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    SealRecord(options_, "row", reader_, record);
    out_.records.push_back(std::move(record));
  }

  const Block& block_;
  const ReadOptions& options_;
  const TableState& state_;
  const std::string_view reader_;
  ParsedBlock& out_;
  const RoleTable roles_;
  RowBuilder builder_;
  std::vector<std::string_view> cells_;
  std::deque<std::string> arena_;
};

void Delimited::Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const {
  RowParser(block, options, reader_, out).ParseAll();
}

}  // namespace

std::unique_ptr<FileState> TableFormat::Prepare(std::string_view head, const ReadOptions& options) const {
  auto state = std::make_unique<TableState>();
  const size_t begin = EndOfComments(head);
  const std::string_view body = head.substr(begin);
  const std::string_view start = body.substr(0, kSampleBytes);
  state->dialect = DetectDialect(start, options.record_limit);
  Sample sample = TakeSample(start, state->dialect, options.record_limit);
  if (sample.rows.empty()) sample = TakeSample(body, state->dialect, options.record_limit, 1);
  if (!sample.rows.empty()) {
    const std::vector<std::string> known = ColumnsWithoutHeader(sample.rows[0]);
    state->header_end = begin + (known.empty() ? sample.first_end : 0);
    state->names = known.empty() ? ColumnNames(sample, true) : known;
  }
  state->extra = PrepareTable(head, *state, options);
  return state;
}

size_t TableFormat::Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end, const FileState* state,
                        const ReadOptions& options) const {
  return CsvFormat().Cut(bytes, begin, target, at_end, state, options);
}

std::unique_ptr<FileState> TableFormat::PrepareTable(std::string_view /*head*/, const FileState& /*table*/,
                                                     const ReadOptions& /*options*/) const {
  return nullptr;
}

void TableFormat::ForEachRow(const Block& block, const ReadOptions& options,
                             const std::function<void(const TableRow&)>& take) {
  const auto& state = static_cast<const TableState&>(*block.state);
  std::deque<std::string> arena;
  std::vector<std::string_view> cells;
  size_t begin = block.begin < state.header_end ? state.header_end - block.begin : 0;
  for (size_t next = 0; begin < block.bytes.size(); begin = next) {
    const Row row = ScanRow(block.bytes, begin, state.dialect, true, options.record_limit);
    next = row.next;
    const std::string_view bytes = block.bytes.substr(begin, row.content_end - begin);
    TableRow found{begin, row.content_end, &state.names, &cells, state.extra.get(), {}};
    if (row.kind == Row::Kind::kBroken) {
      found.problem = kBrokenQuote;
    } else if (Trim(bytes).empty()) {
      continue;
    } else if (bytes.size() > options.record_limit) {
      found.problem = fmt::format("row longer than {} bytes", options.record_limit);
    } else {
      arena.clear();
      std::string_view text = bytes;
      if (FindInvalidUtf8(bytes) != std::string_view::npos) text = arena.emplace_back(DecodeText(bytes).text);
      SplitCells(text, state.dialect, arena, cells);
      if (cells.size() == state.names.size() + 1 && Trim(cells.back()).empty()) cells.pop_back();
      if (cells.size() != state.names.size()) {
        found.problem = fmt::format("{} cells, the header has {}", cells.size(), state.names.size());
      }
    }
    take(found);
  }
}

void TableFormat::Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const {
  ForEachRow(block, options, [&](const TableRow& row) {
    Record record;
    std::string reason = row.problem;
    if (reason.empty()) reason = ReadRow(row, block.begin + row.begin, options, record);
    if (!reason.empty()) {
      out.rejects.push_back(MakeReject(block, row.begin, row.end, std::move(reason)));
      return;
    }
    SortValues(record);
    record.original = block.bytes.substr(row.begin, row.end - row.begin);
    record.origin = {std::string(block.path), block.begin + row.begin, block.begin + row.end};
    const std::string kind = record.kind;
    SealRecord(options, kind, reader(), record);
    out.records.push_back(std::move(record));
  });
}

int TableFormat::Detect(std::string_view path, std::string_view head) const {
  const std::string_view body = head.substr(EndOfComments(head));
  const Dialect dialect = DetectDialect(body, 1 << 20);
  const Sample sample = TakeSample(body, dialect, 1 << 20, 3);
  if (sample.rows.empty() || sample.rows[0].size() < 2) return 0;
  std::vector<std::string> names;
  for (const std::string& cell : sample.rows[0]) names.emplace_back(Trim(cell));
  return DetectTable(path, names, sample.rows.size() > 1 ? sample.rows[1] : std::vector<std::string>());
}

const Format& CsvFormat() {
  static const Delimited format("csv", false);
  return format;
}

const Format& TsvFormat() {
  static const Delimited format("tsv", true);
  return format;
}

}  // namespace rhodes
