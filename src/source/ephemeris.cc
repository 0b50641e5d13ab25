#include "source/ephemeris.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "source/encoding.h"
#include "source/gps_time.h"
#include "source/json_document.h"
#include "source/orbit.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "ephemeris/1";
constexpr size_t kCovarianceLines = 3;
constexpr size_t kTerms = 21;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t at = 0; at < line.size();) {
    while (at < line.size() && IsBlank(line[at])) ++at;
    const size_t begin = at;
    while (at < line.size() && !IsBlank(line[at])) ++at;
    if (at > begin) words.push_back(line.substr(begin, at - begin));
  }
  return words;
}

// Whether a line begins a state: YYYYDDDHHMMSS, a fraction behind it or not.
bool IsStateLine(std::string_view line) {
  line = Trim(line);
  if (line.size() < 14 || !std::all_of(line.begin(), line.begin() + 13, IsDigit)) return false;
  return line[13] == '.' || IsBlank(line[13]);
}

struct Line {
  std::string_view text;  // without blanks around
  size_t begin = 0;       // of text
  size_t next = 0;        // the following line
};

// False when the line's end is not seen.
bool LineAt(std::string_view bytes, size_t at, bool at_end, Line& line) {
  const size_t newline = bytes.find('\n', at);
  if (newline == std::string_view::npos && !at_end) return false;
  line.text = Trim(bytes.substr(at, std::min(newline, bytes.size()) - at));
  line.begin = line.text.empty() ? at : static_cast<size_t>(line.text.data() - bytes.data());
  line.next = std::min(newline, bytes.size() - 1) + 1;
  return true;
}

// A state with the lines that belong to it, or a line that belongs to none.
struct Piece {
  enum class Kind { kEnd, kMore, kState, kOther };
  Kind kind = Kind::kEnd;
  size_t begin = 0;
  size_t end = 0;
  size_t next = 0;
};

Piece NextPiece(std::string_view bytes, size_t at, bool at_end) {
  Piece piece;
  Line line;
  do {
    if (at >= bytes.size()) return {at_end ? Piece::Kind::kEnd : Piece::Kind::kMore, 0, 0, bytes.size()};
    if (!LineAt(bytes, at, at_end, line)) return {Piece::Kind::kMore, 0, 0, 0};
    at = line.next;
  } while (line.text.empty());
  piece = {Piece::Kind::kOther, line.begin, line.begin + line.text.size(), line.next};
  if (!IsStateLine(line.text)) return piece;
  piece.kind = Piece::Kind::kState;
  for (size_t i = 0; i < kCovarianceLines; ++i) {
    if (piece.next >= bytes.size()) {
      if (!at_end) piece.kind = Piece::Kind::kMore;
      return piece;
    }
    if (!LineAt(bytes, piece.next, at_end, line)) return {Piece::Kind::kMore, 0, 0, 0};
    if (line.text.empty() || IsStateLine(line.text)) return piece;
    piece.end = line.begin + line.text.size();
    piece.next = line.next;
  }
  return piece;
}

struct EphemerisState final : FileState {
  size_t states_begin = 0;  // where the first state stands
  std::vector<std::pair<std::string, std::string>> fields;
};

bool IsFrameName(std::string_view line) {
  return !line.empty() && line.size() <= 12 && !IsDigit(line[0]) && std::all_of(line.begin(), line.end(), [](char c) {
    return std::isupper(static_cast<uint8_t>(c)) != 0 || IsDigit(c);
  });
}

// "ephemeris_start:2026-09-11 01:42:42 UTC ephemeris_stop:2026-09-14 01:42:42 UTC step_size:60": each word with a colon
// behind letters begins an entry. False when it is none of the kind.
bool ReadHeaderLine(std::string_view line, std::vector<std::pair<std::string, std::string>>& fields) {
  if (IsFrameName(line)) {
    fields.emplace_back("covariance_frame", line);
    return true;
  }
  bool any = false;
  for (const std::string_view word : Words(line)) {
    const size_t colon = word.find(':');
    const bool key = colon != std::string_view::npos && colon > 0 && std::isalpha(static_cast<uint8_t>(word[0])) != 0;
    if (!key && !any) return false;
    if (key) {
      fields.emplace_back(DecodeText(word.substr(0, colon)).text, DecodeText(word.substr(colon + 1)).text);
      any = true;
    } else {
      fields.back().second += fmt::format(" {}", DecodeText(word).text);
    }
  }
  return any;
}

// MEME_<number>_<name>_<...>.txt; MEME is the mean equator and equinox of J2000.
struct Satellite {
  std::string number;
  std::string name;
};
std::optional<Satellite> SatelliteOfPath(std::string_view path) {
  const std::vector<std::string_view> parts = Split(FileName(path), '_');
  for (size_t i = 0; i + 2 < parts.size(); ++i) {
    if (parts[i] != "MEME") continue;
    const std::optional<std::string> number = CatalogNumber(parts[i + 1]);
    if (number) return Satellite{*number, DecodeText(parts[i + 2]).text};
  }
  return std::nullopt;
}

int NumberOf(std::string_view digits) {
  int number = 0;
  for (const char c : digits) number = number * 10 + (c - '0');
  return number;
}

// YYYYDDDHHMMSS[.fraction]
std::optional<Instant> StateTime(std::string_view word) {
  const std::optional<int64_t> day = StartOfDayOfYear(NumberOf(word.substr(0, 4)), NumberOf(word.substr(4, 3)));
  const std::optional<int64_t> clock =
      MicrosecondsOfClock(NumberOf(word.substr(7, 2)), NumberOf(word.substr(9, 2)), NumberOf(word.substr(11, 2)));
  if (!day || !clock) return std::nullopt;
  Instant instant{*day + *clock, TimePrecision::kSecond, true};
  if (word.size() == 13) return instant;
  const std::string_view fraction = word.substr(14);
  if (fraction.empty() || !std::all_of(fraction.begin(), fraction.end(), IsDigit)) return std::nullopt;
  int64_t scale = 1'000'000;
  for (const char c : fraction) {
    scale /= 10;
    instant.time += (c - '0') * scale;
  }
  instant.precision = fraction.size() <= 3 ? TimePrecision::kMillisecond : TimePrecision::kMicrosecond;
  return instant;
}

// Reads the lines of one state. Returns what is wrong, or "".
std::string ReadState(std::string_view text, Record& record) {
  static constexpr std::array<std::string_view, 6> kNames = {"x", "y", "z", "vx", "vy", "vz"};
  const std::vector<std::string_view> lines = Split(text, '\n');
  const std::vector<std::string_view> state = Words(lines[0]);
  if (state.size() != 7) return fmt::format("a state has {} numbers, not a time and 6", state.size());
  const std::optional<Instant> time = StateTime(state[0]);
  if (!time) return fmt::format("no time: \"{}\"", DecodeText(state[0].substr(0, 40)).text);
  record.time = time->time;
  record.time_precision = time->precision;
  const auto add = [&](std::string name, std::string_view word, const char* unit) {
    const std::optional<double> number = OrbitNumber(word);
    if (!number) return fmt::format("{} is not a number: \"{}\"", name, DecodeText(word.substr(0, 40)).text);
    record.channels.emplace_back(name, *number);
    record.units.emplace_back(std::move(name), unit);
    return std::string();
  };
  for (size_t i = 0; i < kNames.size(); ++i) {
    std::string wrong = add(std::string(kNames[i]), state[i + 1], i < 3 ? "km" : "km/s");
    if (!wrong.empty()) return wrong;
  }
  std::vector<std::string_view> terms;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> words = Words(lines[i]);
    terms.insert(terms.end(), words.begin(), words.end());
  }
  if (terms.empty()) return "";
  if (terms.size() != kTerms) return fmt::format("the covariance has {} terms, not 21", terms.size());
  size_t at = 0;
  for (size_t row = 1; row <= 6; ++row) {  // the lower triangle, row by row
    for (size_t column = 1; column <= row; ++column) {
      const char* unit = row <= 3 ? "km2" : column <= 3 ? "km2/s" : "km2/s2";
      std::string wrong = add(fmt::format("c{}{}", row, column), terms[at++], unit);
      if (!wrong.empty()) return wrong;
    }
  }
  return "";
}

class Ephemeris final : public Format {
 public:
  std::string_view name() const override { return "ephemeris"; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view path, std::string_view head) const override {
    const Piece first = NextPiece(head, 0, true);
    if (first.kind == Piece::Kind::kEnd) return 0;
    const std::string_view text = head.substr(first.begin, first.end - first.begin);
    if (first.kind == Piece::Kind::kState) {
      Record record;
      return ReadState(text, record).empty() ? 95 : 0;
    }
    const std::string_view start = head.substr(0, 1024);
    if (start.find("ephemeris_start:") != std::string_view::npos) return 95;
    return FileName(path).starts_with("MEME_") && path.ends_with(".txt") ? 60 : 0;
  }

  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& /*options*/) const override {
    auto state = std::make_unique<EphemerisState>();
    for (size_t at = head.starts_with("\xEF\xBB\xBF") ? 3 : 0; at < head.size();) {
      Line line;
      LineAt(head, at, true, line);
      if (!line.text.empty() && (IsStateLine(line.text) || !ReadHeaderLine(line.text, state->fields))) break;
      at = line.next;
      state->states_begin = at;
    }
    return state;
  }

  size_t Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end, const FileState* state,
             const ReadOptions& /*options*/) const override {
    const size_t header = static_cast<const EphemerisState*>(state)->states_begin;
    size_t cut = begin < header ? std::min<size_t>(header - begin, bytes.size()) : 0;
    while (true) {
      const Piece piece = NextPiece(bytes, cut, at_end);
      if (piece.kind == Piece::Kind::kMore) return cut;
      if (piece.kind == Piece::Kind::kEnd) return cut > 0 && bytes.size() > target ? cut : bytes.size();
      if (piece.next > target) return cut > 0 ? cut : piece.next;
      cut = piece.next;
    }
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    const auto& state = *static_cast<const EphemerisState*>(block.state);
    const std::optional<Satellite> satellite = SatelliteOfPath(block.path);
    size_t at = block.begin < state.states_begin ? static_cast<size_t>(state.states_begin - block.begin) : 0;
    while (true) {
      const Piece piece = NextPiece(block.bytes, at, true);
      if (piece.kind == Piece::Kind::kEnd) return;
      at = piece.next;
      const std::string_view text = block.bytes.substr(piece.begin, piece.end - piece.begin);
      Record record;
      std::string wrong =
          piece.kind == Piece::Kind::kState ? ReadState(text, record) : std::string("a line that belongs to no state");
      if (!wrong.empty()) {
        out.rejects.push_back(MakeReject(block, piece.begin, piece.end, std::move(wrong)));
        continue;
      }
      record.fields = state.fields;
      if (satellite) {
        record.author = satellite->number;
        record.fields.emplace_back("OBJECT_NAME", satellite->name);
        record.fields.emplace_back("frame", "EME2000");
      }
      record.original = text;
      record.origin = {std::string(block.path), block.begin + piece.begin, block.begin + piece.end};
      SortValues(record);
      SealRecord(options, "ephemeris-state", kReader, record);
      out.records.push_back(std::move(record));
    }
  }
};

}  // namespace

const Format& EphemerisFormat() {
  static const Ephemeris format;
  return format;
}

}  // namespace rhodes
