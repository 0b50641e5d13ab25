#include "source/debian_packages.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "source/encoding.h"
#include "source/path_facts.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

bool IsBlank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

// The line at `begin`, without its line break; `*next` is where the following one begins.
std::string_view LineAt(std::string_view bytes, size_t begin, size_t* next) {
  const size_t newline = bytes.find('\n', begin);
  const size_t end = newline == std::string_view::npos ? bytes.size() : newline;
  *next = newline == std::string_view::npos ? bytes.size() : newline + 1;
  std::string_view line = bytes.substr(begin, end - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The first line break at or after `begin` that a blank line follows, as the position after that blank line; npos.
size_t AfterBlankLine(std::string_view bytes, size_t begin) {
  for (size_t newline = bytes.find('\n', begin); newline != std::string_view::npos;
       newline = bytes.find('\n', newline + 1)) {
    const size_t end = bytes.find('\n', newline + 1);
    if (end == std::string_view::npos) return end;
    if (IsBlank(bytes.substr(newline + 1, end - newline - 1))) return end + 1;
  }
  return std::string_view::npos;
}

bool IsFieldName(std::string_view name) {
  return !name.empty() && name[0] != '#' && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
}

struct Field {
  std::string name;  // lower case
  std::string value;
};

// Undoes the escapes of one continuation line.
std::string_view Continuation(std::string_view line) {
  line.remove_prefix(1);
  return line == "." ? std::string_view() : line;
}

// False with `reason` when a line is neither field, continuation nor comment.
bool ParseFields(std::string_view paragraph, std::vector<Field>& fields, std::string& reason) {
  int number = 0;
  for (size_t begin = 0; begin < paragraph.size();) {
    const std::string_view line = LineAt(paragraph, begin, &begin);
    ++number;
    if (line.starts_with('#')) continue;
    if (line.starts_with(' ') || line.starts_with('\t')) {
      if (fields.empty()) {
        reason = fmt::format("line {} of the paragraph continues no field", number);
        return false;
      }
      fields.back().value += '\n';
      fields.back().value += Continuation(line);
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !IsFieldName(line.substr(0, colon))) {
      reason = fmt::format("line {} of the paragraph is no \"Name: value\"", number);
      return false;
    }
    fields.push_back({LowerAscii(line.substr(0, colon)), std::string(Trim(line.substr(colon + 1)))});
  }
  return true;
}

class ParagraphParser {
 public:
  ParagraphParser(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out), file_language_(LanguageOfPath(block.path)) {
    translation_ = StripCompressionSuffix(FileName(block.path)).find("Translation-") != std::string_view::npos;
  }

  void ParseAll() {
    const std::string_view bytes = block_.bytes;
    size_t at = block_.begin == 0 && bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    size_t begin = at;
    bool inside = false;
    while (at < bytes.size()) {
      const size_t line_begin = at;
      const bool blank = IsBlank(LineAt(bytes, at, &at));
      if (blank && inside) ParseParagraph(begin, line_begin);
      if (!blank && !inside) begin = line_begin;
      inside = !blank;
    }
    if (inside) ParseParagraph(begin, bytes.size());
  }

 private:
  void ParseParagraph(size_t begin, size_t end) {
    const std::string_view bytes = block_.bytes.substr(begin, end - begin);
    const auto reject = [&](std::string reason) {
      out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
    };
    if (bytes.size() > options_.record_limit) {
      return reject(fmt::format("paragraph longer than {} bytes", options_.record_limit));
    }
    if (const size_t at = FindInvalidUtf8(bytes); at != std::string_view::npos) {
      return reject(fmt::format("invalid UTF-8 at byte {}", block_.begin + begin + at));
    }
    std::vector<Field> fields;
    std::string reason;
    if (!ParseFields(bytes, fields, reason)) return reject(std::move(reason));
    if (fields.empty()) return;  // comments only
    Record record;
    if (!Fill(fields, record, reason)) return reject(std::move(reason));
    record.original = bytes;
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    const bool description = translation_ || std::none_of(fields.begin(), fields.end(), [](const Field& field) {
                               return field.name == "version" || field.name == "architecture";
                             });
    SealRecord(options_, description ? "package-description" : "package", "debian-packages/1", record);
    out_.records.push_back(std::move(record));
  }

  bool Fill(std::vector<Field>& fields, Record& record, std::string& reason) const {
    bool has_description = false;
    bool has_package = false;
    for (Field& field : fields) {
      if (field.name.starts_with("description") && field.name != "description-md5") {
        has_description = true;
        record.text = std::move(field.value);
        if (field.name.size() > 12) record.language = LanguageTag(std::string_view(field.name).substr(12));
        continue;
      }
      has_package = has_package || field.name == "package";
      if (field.name == "tag") field.name = "tags";
      const std::optional<double> number =
          field.name == "size" || field.name == "installed-size" ? ParseNumber(field.value) : std::nullopt;
      if (number) {
        record.channels.emplace_back(field.name, *number);
      } else {
        record.fields.emplace_back(field.name, std::move(field.value));
      }
    }
    if (!has_package || !has_description) {
      reason = has_package ? "no Description field" : "no Package field";
      return false;
    }
    const auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
    std::stable_sort(record.fields.begin(), record.fields.end(), less);
    std::stable_sort(record.channels.begin(), record.channels.end(), less);
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    const auto repeated = std::adjacent_find(record.fields.begin(), record.fields.end(), same);
    if (repeated != record.fields.end() ||
        std::adjacent_find(record.channels.begin(), record.channels.end(), same) != record.channels.end()) {
      reason = fmt::format("field {} occurs twice",
                           repeated != record.fields.end() ? repeated->first : record.channels[0].first);
      return false;
    }
    if (record.language.empty()) {
      record.language = !file_language_.empty() ? file_language_ : options_.language.empty() ? "en" : options_.language;
    }
    return true;
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  const std::string file_language_;
  bool translation_ = false;
};

class DebianPackages final : public Format {
 public:
  std::string_view name() const override { return "debian-packages"; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    const size_t begin = head.find_first_not_of("\r\n");
    if (begin == std::string_view::npos || !head.substr(begin).starts_with("Package: ")) return 0;
    // A second field: a text may begin with the word.
    const size_t newline = head.find('\n', begin);
    const std::string_view second = newline == std::string_view::npos ? "" : head.substr(newline + 1);
    const size_t colon = second.find(':');
    return colon != std::string_view::npos && IsFieldName(second.substr(0, colon)) ? 95 : 0;
  }

  size_t Cut(std::string_view bytes, uint64_t /*begin*/, size_t target, bool /*at_end*/, const FileState* /*state*/,
             const ReadOptions& /*options*/) const override {
    // Paragraphs are short: the first boundary after the target is near.
    const size_t after = AfterBlankLine(bytes, target);
    if (after != std::string_view::npos) return after;
    // Near the end of what was given: the last boundary in it.
    size_t last = 0;
    for (size_t next = AfterBlankLine(bytes, 0); next != std::string_view::npos;
         next = AfterBlankLine(bytes, next - 1)) {
      last = next;
    }
    return last;
  }

  size_t Resync(std::string_view bytes) const override { return AfterBlankLine(bytes, 0); }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    ParagraphParser(block, options, out).ParseAll();
  }
};

}  // namespace

const Format& DebianPackagesFormat() {
  static const DebianPackages format;
  return format;
}

}  // namespace rhodes
