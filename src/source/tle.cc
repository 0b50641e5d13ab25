#include "source/tle.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "source/encoding.h"
#include "source/gps_time.h"
#include "source/orbit.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "tle/1";
constexpr size_t kColumns = 69;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// One line of the file, without its end; `next` is where the following one begins.
struct Line {
  size_t begin = 0;
  size_t end = 0;
  size_t next = 0;
  bool complete = false;  // its end is seen
};

Line LineAt(std::string_view bytes, size_t begin, bool at_end) {
  const size_t newline = bytes.find('\n', begin);
  Line line{begin, std::min(newline, bytes.size()), std::min(newline, bytes.size() - 1) + 1,
            newline != std::string_view::npos || at_end};
  while (line.end > begin &&
         (bytes[line.end - 1] == '\r' || bytes[line.end - 1] == ' ' || bytes[line.end - 1] == '\t')) {
    --line.end;
  }
  return line;
}

// Whether it is meant as line `number` ('1', '2') of an element set; names can begin with a digit and a blank too.
bool IsElementLine(std::string_view line, char number) {
  if (line.size() < 8 || line[0] != number || line[1] != ' ') return false;
  if (line.size() >= 60) return true;
  const bool digits = std::all_of(line.begin() + 3, line.begin() + 7, [](char c) { return IsDigit(c) || c == ' '; }) &&
                      IsDigit(line[6]);
  return digits && (number == '2' ? line[7] == ' ' : (line[7] >= 'A' && line[7] <= 'Z'));
}

// What comes next in a file.
struct Group {
  enum class Kind { kEnd, kMore, kSet, kBroken };
  Kind kind = Kind::kEnd;
  size_t begin = 0;
  size_t end = 0;
  size_t next = 0;
  std::string_view name;
  std::string_view first;
  std::string_view second;
  const char* reason = "";
};

Group NextGroup(std::string_view bytes, size_t at, bool at_end) {
  Group group;
  const auto text = [&](const Line& line) { return bytes.substr(line.begin, line.end - line.begin); };
  const auto ends = [&](Group::Kind kind, const Line& line, const char* reason) {
    group.kind = kind;
    group.end = line.end;
    group.next = line.next;
    group.reason = reason;
    return group;
  };
  Line line;
  for (;; at = line.next) {
    if (at >= bytes.size()) {
      group.kind = at_end ? Group::Kind::kEnd : Group::Kind::kMore;
      group.next = bytes.size();
      return group;
    }
    line = LineAt(bytes, at, at_end);
    if (!line.complete) break;
    if (bytes.substr(at).starts_with("\xEF\xBB\xBF")) line.begin += 3;
    if (line.end > line.begin && bytes[line.begin] != '#') break;
  }
  group.begin = line.begin;
  group.kind = Group::Kind::kMore;
  if (!line.complete) return group;
  if (IsElementLine(text(line), '2'))
    return ends(Group::Kind::kBroken, line, "line 2 of an element set without line 1");
  if (!IsElementLine(text(line), '1')) {
    group.name = text(line);
    const Line next = line.next < bytes.size() ? LineAt(bytes, line.next, at_end) : Line();
    if (next.next == 0 ? !at_end : !next.complete) return group;
    if (next.next == 0 || !IsElementLine(text(next), '1')) {
      return ends(Group::Kind::kBroken, line, "not an element set: line 1 of one does not follow");
    }
    line = next;
  }
  group.first = text(line);
  const Line next = line.next < bytes.size() ? LineAt(bytes, line.next, at_end) : Line();
  if (next.next == 0 ? !at_end : !next.complete) return group;
  if (next.next == 0 || !IsElementLine(text(next), '2')) {
    return ends(Group::Kind::kBroken, line, "line 1 of an element set without line 2");
  }
  group.second = text(next);
  return ends(Group::Kind::kSet, next, "");
}

// Reads one element set; every Take... returns what is wrong, or "".
class SetReader {
 public:
  std::string Read(const Group& group, Record& record) {
    std::string wrong = CheckLine(group.first, '1');
    if (wrong.empty()) wrong = CheckLine(group.second, '2');
    if (!wrong.empty()) return wrong;
    const std::optional<std::string> first = CatalogNumber(group.first.substr(2, 5));
    const std::optional<std::string> second = CatalogNumber(group.second.substr(2, 5));
    if (!first || !second) {
      return fmt::format("no catalogue number: \"{}\"", (first ? group.second : group.first).substr(2, 5));
    }
    if (*first != *second) return fmt::format("line 1 is of satellite {}, line 2 of {}", *first, *second);
    set_.Add("NORAD_CAT_ID", *first);
    AddName(group.name);
    wrong = ReadFirst(group.first);
    if (wrong.empty()) wrong = ReadSecond(group.second);
    return wrong.empty() ? set_.Finish(record) : wrong;
  }

 private:
  static std::string CheckLine(std::string_view line, char number) {
    if (line.size() != kColumns) return fmt::format("line {} has {} columns, not 69", number, line.size());
    if (FindInvalidUtf8(line) != std::string_view::npos ||
        std::any_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c > '~'; })) {
      return fmt::format("line {} has a character that is none of its", number);
    }
    static constexpr std::array<size_t, 7> kFirst = {8, 17, 32, 43, 52, 61, 63};
    static constexpr std::array<size_t, 6> kSecond = {7, 16, 25, 33, 42, 51};
    const auto gap = [&](size_t column) { return line[column] != ' '; };
    const size_t* wrong = number == '1' ? std::find_if(kFirst.begin(), kFirst.end(), gap)
                                        : std::find_if(kSecond.begin(), kSecond.end(), gap);
    if (wrong != (number == '1' ? kFirst.end() : kSecond.end())) {
      return fmt::format("line {} has '{}' in column {}, where a blank is due", number, line[*wrong], *wrong + 1);
    }
    int sum = 0;
    for (const char c : line.substr(0, kColumns - 1)) sum += IsDigit(c) ? c - '0' : c == '-' ? 1 : 0;
    if (line[kColumns - 1] != static_cast<char>('0' + sum % 10)) {
      return fmt::format("line {}: the checksum is {}, the line says {}", number, sum % 10, line[kColumns - 1]);
    }
    return "";
  }

  void AddName(std::string_view name) {
    if (name.starts_with("0 ")) name.remove_prefix(2);
    set_.Add("OBJECT_NAME", DecodeText(Trim(name)).text);
  }

  std::string ReadFirst(std::string_view line) {
    if (const char c = line[7]; c != ' ') set_.Add("CLASSIFICATION_TYPE", line.substr(7, 1));
    AddDesignator(line.substr(9, 8));
    if (std::string wrong = AddEpoch(line.substr(18, 14)); !wrong.empty()) return wrong;
    set_.Add("MEAN_MOTION_DOT", Decimal(line.substr(33, 10)));
    for (const auto& [key, column] : {std::pair("MEAN_MOTION_DDOT", size_t{44}), std::pair("BSTAR", size_t{53})}) {
      const std::optional<std::string> number = Exponential(line.substr(column, 8));
      if (!number)
        return fmt::format("line 1, columns {} to {}: no number: \"{}\"", column + 1, column + 8,
                           line.substr(column, 8));
      set_.Add(key, *number);
    }
    set_.Add("EPHEMERIS_TYPE", line.substr(62, 1));
    set_.Add("ELEMENT_SET_NO", line.substr(64, 4));
    return "";
  }

  std::string ReadSecond(std::string_view line) {
    const std::string_view eccentricity = line.substr(26, 7);
    if (eccentricity.find_first_not_of("0123456789") != std::string_view::npos) {
      return fmt::format("line 2, columns 27 to 33: no eccentricity: \"{}\"", eccentricity);
    }
    set_.Add("INCLINATION", Decimal(line.substr(8, 8)));
    set_.Add("RA_OF_ASC_NODE", Decimal(line.substr(17, 8)));
    set_.Add("ECCENTRICITY", "0." + std::string(eccentricity));
    set_.Add("ARG_OF_PERICENTER", Decimal(line.substr(34, 8)));
    set_.Add("MEAN_ANOMALY", Decimal(line.substr(43, 8)));
    set_.Add("MEAN_MOTION", Decimal(line.substr(52, 11)));
    set_.Add("REV_AT_EPOCH", line.substr(63, 5));
    return "";
  }

  // A number with its point; blanks may stand between its sign and it.
  static std::string Decimal(std::string_view columns) {
    std::string_view text = Trim(columns);
    std::string number;
    if (text.starts_with('-')) number = "-";
    if (text.starts_with('-') || text.starts_with('+')) text = Trim(text.substr(1));
    return number + std::string(text);
  }

  // "-11606-4" is -0.11606e-4: the point is assumed, the last two columns are the exponent.
  static std::optional<std::string> Exponential(std::string_view columns) {
    const char sign = columns[0];
    const std::string_view digits = columns.substr(1, 5);
    const char exponent_sign = columns[6];
    const char exponent = columns[7];
    if (Trim(columns).empty()) return "0";
    if ((sign != ' ' && sign != '+' && sign != '-') || !IsDigit(exponent)) return std::nullopt;
    if (exponent_sign != '+' && exponent_sign != '-' && exponent_sign != ' ') return std::nullopt;
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    return fmt::format("{}0.{}e{}{}", sign == '-' ? "-" : "", digits, exponent_sign == '-' ? "-" : "", exponent);
  }

  // "19074B" is 2019-074B; another form stays as it is.
  void AddDesignator(std::string_view columns) {
    const std::string_view text = Trim(columns);
    const bool usual = text.size() >= 6 && std::all_of(text.begin(), text.begin() + 5, IsDigit) &&
                       std::all_of(text.begin() + 5, text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!usual) return set_.Add("OBJECT_ID", text);
    set_.Add("OBJECT_ID", fmt::format("{}-{}", FullYear(text.substr(0, 2)), text.substr(2)));
  }

  static int FullYear(std::string_view two) {
    const int year = (two[0] - '0') * 10 + (two[1] - '0');
    return year < 57 ? 2000 + year : 1900 + year;  // nothing flew before 1957
  }

  // "25365.69936527": year, day of the year and its fraction in units of 864 microseconds.
  std::string AddEpoch(std::string_view columns) {
    const std::string_view year = columns.substr(0, 2);
    std::string day(columns.substr(2, 3));
    for (size_t i = 0; i < 2 && day[i] == ' '; ++i) day[i] = '0';
    const std::string_view fraction = columns.substr(6);
    const auto digits = [](std::string_view text) {
      return text.find_first_not_of("0123456789") == std::string_view::npos;
    };
    if (!digits(year) || !digits(day) || columns[5] != '.' || !digits(fraction)) {
      return fmt::format("line 1, columns 19 to 32: no epoch: \"{}\"", columns);
    }
    int number = 0;
    int64_t part = 0;
    std::from_chars(day.data(), day.data() + day.size(), number);
    std::from_chars(fraction.data(), fraction.data() + fraction.size(), part);
    const std::optional<int64_t> start = StartOfDayOfYear(FullYear(year), number);
    if (!start) return fmt::format("line 1: the year {} has no day {}", FullYear(year), number);
    set_.SetEpoch({*start + part * 864, TimePrecision::kMicrosecond, true});
    return "";
  }

  ElementSet set_;
};

class Tle final : public Format {
 public:
  std::string_view name() const override { return "tle"; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view path, std::string_view head) const override {
    // The first thing is an element set, or soon one is: a broken one may come first.
    for (size_t at = 0, seen = 0; seen < 5; ++seen) {
      const Group group = NextGroup(head, at, true);
      if (group.kind == Group::Kind::kEnd) break;
      if (group.kind == Group::Kind::kSet && group.first.size() >= 60 && group.second.size() >= 60) return 95;
      at = group.next;
    }
    return path.ends_with(".tle") || path.ends_with(".3le") ? 80 : 0;
  }

  size_t Cut(std::string_view bytes, uint64_t /*begin*/, size_t target, bool at_end, const FileState* /*state*/,
             const ReadOptions& /*options*/) const override {
    size_t cut = 0;
    while (true) {
      const Group group = NextGroup(bytes, cut, at_end);
      if (group.kind == Group::Kind::kMore) return cut;
      if (group.kind == Group::Kind::kEnd) return cut > 0 && bytes.size() > target ? cut : bytes.size();
      if (group.next > target) return cut > 0 ? cut : group.next;
      cut = group.next;
    }
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    for (size_t at = 0;;) {
      const Group group = NextGroup(block.bytes, at, true);
      if (group.kind == Group::Kind::kEnd) return;
      at = group.next;
      const auto reject = [&](std::string reason) {
        out.rejects.push_back(MakeReject(block, group.begin, group.end, std::move(reason)));
      };
      if (group.kind == Group::Kind::kBroken) {
        reject(group.reason);
        continue;
      }
      Record record;
      if (std::string wrong = SetReader().Read(group, record); !wrong.empty()) {
        reject(std::move(wrong));
        continue;
      }
      record.original = block.bytes.substr(group.begin, group.end - group.begin);
      record.origin = {std::string(block.path), block.begin + group.begin, block.begin + group.end};
      SealRecord(options, "element-set", kReader, record);
      out.records.push_back(std::move(record));
    }
  }
};

}  // namespace

const Format& TleFormat() {
  static const Tle format;
  return format;
}

}  // namespace rhodes
