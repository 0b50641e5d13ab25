#include "source/man.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "source/encoding.h"
#include "source/path_facts.h"
#include "source/roff.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

// "-*- coding: NAME -*-" in the first two lines (Emacs' way; man-db's preconv reads it too).
std::string DeclaredCoding(std::string_view bytes) {
  const size_t first = bytes.find('\n');
  const size_t second = first == std::string_view::npos ? first : bytes.find('\n', first + 1);
  const std::string_view top = bytes.substr(0, second);
  const size_t marker = top.find("-*-");
  const size_t coding = marker == std::string_view::npos ? marker : top.find("coding:", marker);
  if (coding == std::string_view::npos) return "";
  std::string_view name = Trim(top.substr(coding + 7));
  name = name.substr(0, name.find_first_of(" \t\n;"));
  std::string lower = LowerAscii(name);
  for (const std::string_view suffix : {"-unix", "-dos", "-mac"}) {
    if (lower.ends_with(suffix)) lower.resize(lower.size() - suffix.size());
  }
  return lower;
}

// What pages of a language were written in before UTF-8 (man-db, src/encodings.c).
std::string LegacyCoding(std::string_view language) {
  static const std::map<std::string_view, const char*> kAll = {
      {"cs", "iso-8859-2"}, {"hr", "iso-8859-2"}, {"hu", "iso-8859-2"},   {"pl", "iso-8859-2"},   {"ro", "iso-8859-2"},
      {"sk", "iso-8859-2"}, {"sl", "iso-8859-2"}, {"be", "windows-1251"}, {"bg", "windows-1251"}, {"el", "iso-8859-7"},
      {"tr", "iso-8859-9"}, {"ru", "koi8-r"},     {"uk", "koi8-u"},       {"ja", "euc-jp"},       {"ko", "euc-kr"},
      {"zh-CN", "gbk"},     {"zh-TW", "big5"},    {"lt", "iso-8859-13"},  {"lv", "iso-8859-13"}};
  const auto it = kAll.find(language);
  return it == kAll.end() ? "" : it->second;
}

bool IsSection(std::string_view text) { return !text.empty() && text[0] >= '0' && text[0] <= '9'; }

class Man final : public Format {
 public:
  std::string_view name() const override { return "man"; }
  Framing framing() const override { return Framing::kWholeFile; }

  int Detect(std::string_view path, std::string_view head) const override {
    const std::string_view file = FileName(path);
    const size_t dot = file.rfind('.');
    const bool named = dot != std::string_view::npos && dot + 1 < file.size() && IsSection(file.substr(dot + 1)) &&
                       file.size() - dot <= 8;
    bool control = false;  // the first line that says something begins with a control character
    for (size_t begin = 0; begin < head.size();) {
      const size_t end = std::min(head.find('\n', begin), head.size());
      const std::string_view line = head.substr(begin, end - begin);
      begin = end + 1;
      if (line.starts_with(".TH ") || line.starts_with(".Dd ") || line.starts_with(".Dt ") ||
          line.starts_with(".TH\t")) {
        return 90;
      }
      if (Trim(line).empty()) continue;
      if (!control) {
        if (!line.starts_with('.') && !line.starts_with("'\\\"")) return 0;
        control = true;
        if (line.starts_with(".so ") && named) return 85;
      }
    }
    return control && named ? 80 : 0;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    const auto reject = [&](std::string reason) {
      out.rejects.push_back(MakeReject(block, 0, block.bytes.size(), std::move(reason)));
    };
    if (LooksBinary(block.bytes)) return reject("binary: not a manual page");
    Record record;
    record.language = LanguageOfManPath(block.path);
    std::string coding = DeclaredCoding(block.bytes);
    if (coding.empty()) coding = LegacyCoding(record.language);
    if (record.language.empty()) record.language = options.language;
    DecodedText decoded = DecodeText(block.bytes, coding);
    ManualPage page = RenderManualPage(decoded.text);
    if (page.endless) return reject("not a manual page: its macros expand without end");
    if (Trim(page.text).empty()) {
      return reject(page.redirect.empty() ? "the page has no text" : "the page only refers to " + page.redirect);
    }
    record.text = std::move(page.text);
    if (!decoded.encoding.empty()) record.fields.emplace_back("encoding", std::move(decoded.encoding));
    if (std::string package = PackageOfPath(block.path); !package.empty()) {
      record.fields.emplace_back("package", std::move(package));
    }
    if (!page.section.empty()) record.fields.emplace_back("section", std::move(page.section));
    if (!page.title.empty()) record.fields.emplace_back("title", std::move(page.title));
    record.original = block.bytes;
    record.origin = {std::string(block.path), block.begin, block.begin + block.bytes.size()};
    SealRecord(options, "page", "man/1", record);
    out.records.push_back(std::move(record));
  }
};

}  // namespace

const Format& ManFormat() {
  static const Man format;
  return format;
}

}  // namespace rhodes
