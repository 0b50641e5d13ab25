#include "source/debian_changelog.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "source/encoding.h"
#include "source/row_builder.h"
#include "source/time.h"

namespace rhodes {
namespace {

struct Heading {
  std::string_view package;
  std::string_view version;
  std::string_view distribution;
  std::string_view settings;  // after the semicolon
};

bool IsPackageName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '+' ||
           c == '.' || c == '_';
  });
}

// "package (version) distribution...; key=value, ..."
std::optional<Heading> ParseHeading(std::string_view line) {
  const size_t open = line.find(" (");
  if (open == std::string_view::npos || !IsPackageName(line.substr(0, open))) return std::nullopt;
  const size_t close = line.find(')', open);
  const size_t semicolon = line.find(';', open);
  if (close == std::string_view::npos || semicolon == std::string_view::npos || semicolon < close) return std::nullopt;
  Heading heading;
  heading.package = line.substr(0, open);
  heading.version = line.substr(open + 2, close - open - 2);
  heading.distribution = Trim(line.substr(close + 1, semicolon - close - 1));
  heading.settings = Trim(line.substr(semicolon + 1));
  if (heading.version.empty() || heading.version.find_first_of(" \t(") != std::string_view::npos) return std::nullopt;
  if (heading.distribution.empty()) return std::nullopt;
  return heading;
}

// What dpkg passes over between entries: comments and editors' mode lines.
bool IsComment(std::string_view line) {
  return line.starts_with('#') || LowerAscii(line.substr(0, 4)) == "vim:" || line.starts_with("$Id") ||
         (line.starts_with("/*") && line.ends_with("*/"));
}

bool IsTrailer(std::string_view line) { return line.starts_with(" -- "); }

std::string_view LineAt(std::string_view bytes, size_t begin, size_t* next) {
  const size_t newline = bytes.find('\n', begin);
  const size_t end = newline == std::string_view::npos ? bytes.size() : newline;
  *next = newline == std::string_view::npos ? bytes.size() : newline + 1;
  std::string_view line = bytes.substr(begin, end - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The change lines with two blanks of indent taken off, where they are.
std::string ChangeText(std::string_view changes) {
  std::string text;
  text.reserve(changes.size());
  for (size_t begin = 0; begin < changes.size();) {
    std::string_view line = LineAt(changes, begin, &begin);
    for (int i = 0; i < 2 && line.starts_with(' '); ++i) line.remove_prefix(1);
    while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
    if (text.empty() && line.empty()) continue;
    text += line;
    text += '\n';
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

class ChangelogParser {
 public:
  ChangelogParser(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out) {}

  void ParseAll() {
    const std::string_view bytes = block_.bytes;
    size_t at = block_.begin == 0 && bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    while (at < bytes.size()) {
      const size_t begin = at;
      const std::string_view line = LineAt(bytes, at, &at);
      if (ParseHeading(line)) {
        EndStray();
        at = ParseEntry(begin, at);
      } else if (!Trim(line).empty() && !IsComment(line)) {
        if (!stray_begin_) stray_begin_ = begin;
        stray_end_ = at;
        // Files are cut after such lines, and what is reported must not depend on where they are cut.
        if (IsTrailer(line)) EndStray();
      }
    }
    EndStray();
  }

 private:
  // Lines outside of entries become one reject.
  void EndStray() {
    if (stray_begin_) Reject(*stray_begin_, stray_end_, "not part of a changelog entry");
    stray_begin_.reset();
  }

  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
  }

  // Returns where the entry ends.
  size_t ParseEntry(size_t begin, size_t changes_begin) {
    const std::string_view bytes = block_.bytes;
    size_t at = changes_begin;
    while (at < bytes.size()) {
      const size_t line_begin = at;
      const std::string_view line = LineAt(bytes, at, &at);
      if (IsTrailer(line)) {
        AddEntry(begin, changes_begin, line_begin, at);
        return at;
      }
      if (ParseHeading(line)) {
        Reject(begin, line_begin, "entry without a \" -- Author <mail>  date\" line");
        return line_begin;
      }
    }
    Reject(begin, bytes.size(), "entry without a \" -- Author <mail>  date\" line");
    return bytes.size();
  }

  void AddEntry(size_t begin, size_t changes_begin, size_t trailer_begin, size_t end) {
    const std::string_view bytes = block_.bytes.substr(begin, end - begin);
    if (bytes.size() > options_.record_limit) {
      return Reject(begin, end, fmt::format("entry longer than {} bytes", options_.record_limit));
    }
    // Decoding keeps ASCII, line breaks and the order of lines, so the parts are found again in the decoded entry.
    const DecodedText heading_line = DecodeText(block_.bytes.substr(begin, changes_begin - begin));
    const DecodedText changes = DecodeText(block_.bytes.substr(changes_begin, trailer_begin - changes_begin));
    const DecodedText trailer = DecodeText(block_.bytes.substr(trailer_begin, end - trailer_begin));
    if (bytes.find('\0') != std::string_view::npos) return Reject(begin, end, "binary: the entry holds NUL bytes");
    size_t ignored = 0;
    const std::optional<Heading> heading = ParseHeading(LineAt(heading_line.text, 0, &ignored));
    if (!heading) return Reject(begin, end, "the entry's first line cannot be read");

    Record record;
    record.text = ChangeText(changes.text);
    FillTrailer(Trim(std::string_view(trailer.text).substr(3)), record);
    record.fields.emplace_back("package", heading->package);
    record.fields.emplace_back("version", heading->version);
    record.fields.emplace_back("distribution", heading->distribution);
    for (const std::string_view setting : Split(heading->settings, ',')) {
      const size_t equals = setting.find('=');
      if (equals == std::string_view::npos) continue;
      record.fields.emplace_back(LowerAscii(Trim(setting.substr(0, equals))), Trim(setting.substr(equals + 1)));
    }
    for (const DecodedText* part : {&heading_line, &changes, &trailer}) {
      if (part->encoding.empty()) continue;
      record.fields.emplace_back("encoding", part->encoding);
      break;
    }
    std::stable_sort(record.fields.begin(), record.fields.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    record.fields.erase(std::unique(record.fields.begin(), record.fields.end(),
                                    [](const auto& a, const auto& b) { return a.first == b.first; }),
                        record.fields.end());
    record.language = options_.language.empty() ? "en" : options_.language;
    record.original = bytes;
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    SealRecord(options_, "changelog-entry", "debian-changelog/1", record);
    out_.records.push_back(std::move(record));
  }

  // "Name <mail>  date"
  static void FillTrailer(std::string_view line, Record& record) {
    const size_t close = line.rfind('>');
    const std::string_view date = close == std::string_view::npos ? std::string_view() : Trim(line.substr(close + 1));
    record.author = close == std::string_view::npos ? line : Trim(line.substr(0, close + 1));
    if (const std::optional<Instant> instant = ParseInstant(date)) {
      record.time = instant->time;
      record.time_precision = instant->precision;
    }
    if (!record.time && !date.empty()) record.fields.emplace_back("date", date);
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  std::optional<size_t> stray_begin_;
  size_t stray_end_ = 0;
};

class DebianChangelog final : public Format {
 public:
  std::string_view name() const override { return "debian-changelog"; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    const size_t begin = head.find_first_not_of("\r\n");
    if (begin == std::string_view::npos) return 0;
    size_t ignored = 0;
    return ParseHeading(LineAt(head, begin, &ignored)) ? 95 : 0;
  }

  // Cuts after a trailer line, so that a file that breaks off loses only the entry that it breaks off in.
  size_t Cut(std::string_view bytes, uint64_t /*begin*/, size_t target, bool /*at_end*/, const FileState* /*state*/,
             const ReadOptions& /*options*/) const override {
    size_t cut = 0;
    for (size_t at = bytes.find("\n -- "); at != std::string_view::npos; at = bytes.find("\n -- ", at + 1)) {
      const size_t newline = bytes.find('\n', at + 1);
      if (newline == std::string_view::npos) break;
      if (cut > 0 && newline + 1 > target) break;
      cut = newline + 1;
      if (cut >= target) break;
    }
    return cut;
  }

  size_t Resync(std::string_view bytes) const override {
    const size_t cut = Cut(bytes, 0, 0, false, nullptr, {});
    return cut == 0 ? std::string_view::npos : cut;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    ChangelogParser(block, options, out).ParseAll();
  }
};

}  // namespace

const Format& DebianChangelogFormat() {
  static const DebianChangelog format;
  return format;
}

}  // namespace rhodes
