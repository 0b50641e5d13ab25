#include "source/html.h"

#include "base/text.h"
#include "source/encoding.h"
#include "source/html_text.h"
#include "source/json_document.h"
#include "source/path_facts.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

class Html final : public Format {
 public:
  std::string_view name() const override { return "html"; }
  Framing framing() const override { return Framing::kWholeFile; }

  int Detect(std::string_view path, std::string_view head) const override {
    const std::string start = LowerAscii(head.substr(0, 1024));
    const size_t first = start.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    if (first != std::string::npos && start[first] == '<' &&
        (start.find("<!doctype html") != std::string::npos || start.find("<html") != std::string::npos)) {
      return 90;
    }
    const std::string lower = LowerAscii(path.substr(path.size() - std::min<size_t>(path.size(), 8)));
    return lower.ends_with(".html") || lower.ends_with(".htm") || lower.ends_with(".xhtml") ? 80 : 0;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    const auto reject = [&](std::string reason) {
      out.rejects.push_back(MakeReject(block, 0, block.bytes.size(), std::move(reason)));
    };
    if (LooksBinary(block.bytes)) return reject("binary: not an HTML page");
    DecodedText decoded = DecodeText(block.bytes, HtmlCharset(block.bytes));
    HtmlPage page = ExtractHtml(decoded.text);
    if (Trim(page.text).empty()) return reject("the page has no text");
    Record record;
    record.text = std::move(page.text);
    record.language = LanguageTag(page.language);
    if (record.language.empty()) record.language = LanguageOfPath(block.path);
    if (record.language.empty()) record.language = options.language;
    if (!decoded.encoding.empty()) record.fields.emplace_back("encoding", std::move(decoded.encoding));
    record.fields.emplace_back("name", FileName(block.path));
    if (std::string package = PackageOfPath(block.path); !package.empty()) {
      record.fields.emplace_back("package", std::move(package));
    }
    FillFromPage(page, record);
    SortValues(record);
    record.original = block.bytes;
    record.origin = {std::string(block.path), block.begin, block.begin + block.bytes.size()};
    const std::string kind = record.kind;
    SealRecord(options, kind, "html/2", record);
    out.records.push_back(std::move(record));
  }
};

}  // namespace

const Format& HtmlFormat() {
  static const Html format;
  return format;
}

}  // namespace rhodes
