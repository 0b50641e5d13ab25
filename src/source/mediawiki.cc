#include "source/mediawiki.h"

#include "base/text.h"
#include "source/encoding.h"
#include "source/html_text.h"
#include "source/json_document.h"
#include "source/path_facts.h"
#include "source/row_builder.h"
#include "source/time.h"
#include "source/wikitext.h"
#include "source/x_text.h"
#include "source/xml_scan.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "mediawiki/1";
constexpr std::string_view kEnd = "</page>";

class WikiState final : public FileState {
 public:
  std::string language;
};

struct Revision {
  std::string id, time, author, model, format;
  std::string_view text;  // as written
  bool deleted = false;
};

class PageReader {
 public:
  PageReader(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out) {}

  void ReadAll() {
    size_t at = 0;
    while (true) {
      const size_t begin = block_.bytes.find("<page", at);
      if (begin == std::string_view::npos) return;
      const size_t end = block_.bytes.find(kEnd, begin);
      if (end == std::string_view::npos) {
        out_.rejects.push_back(MakeReject(block_, begin, block_.bytes.size(), "the file breaks off inside this page"));
        return;
      }
      at = end + kEnd.size();
      ReadPage(begin, at);
    }
  }

 private:
  void ReadPage(size_t begin, size_t end) {
    const auto reject = [&](std::string reason) {
      out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
    };
    const std::string_view page = block_.bytes.substr(begin, end - begin);
    if (const size_t invalid = FindInvalidUtf8(page); invalid != std::string_view::npos) {
      return reject(fmt::format("invalid UTF-8 at byte {}", block_.begin + begin + invalid));
    }
    Record record;
    Revision revision;
    std::string title;
    std::string redirect;
    XmlScanner scanner(page);
    XmlScanner::Token token;
    scanner.Next(token);  // <page>
    while (scanner.Next(token)) {
      if (token.name == "redirect" && token.kind != XmlScanner::Kind::kClose) {
        redirect = DecodeHtmlEntities(XmlAttribute(token.attributes, "title"));
      }
      if (token.kind != XmlScanner::Kind::kOpen) continue;
      bool closed = false;
      const std::string_view inside = scanner.Inside(token, closed);
      if (token.name == "title") title = XmlText(inside);
      if (token.name == "ns") AddField("namespace", XmlText(inside), record);
      if (token.name == "id") AddField("page", XmlText(inside), record);
      if (token.name == "redirect") redirect = DecodeHtmlEntities(XmlAttribute(token.attributes, "title"));
      if (token.name == "revision") revision = ReadRevision(inside);  // the last one counts
    }
    if (title.empty()) return reject("a page without a title");
    AddField("title", title, record);
    AddField("redirect", redirect, record);
    AddField("revision", revision.id, record);
    AddField("model", revision.model == "wikitext" ? "" : revision.model, record);
    record.author = revision.author;
    if (const std::optional<Instant> instant = ParseInstant(revision.time)) {
      record.time = instant->time;
      record.time_precision = instant->precision;
    } else {
      AddField("timestamp", revision.time, record);
    }
    if (redirect.empty()) SetText(revision, record);
    record.language = static_cast<const WikiState&>(*block_.state).language;
    if (record.language.empty()) record.language = options_.language;
    SortValues(record);
    record.original = page;
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    SealRecord(options_, "wiki-page", kReader, record);
    out_.records.push_back(std::move(record));
  }

  static void SetText(const Revision& revision, Record& record) {
    const std::string markup = DecodeHtmlEntities(revision.text);
    if (!revision.model.empty() && revision.model != "wikitext") {
      record.text = markup;
      return;
    }
    WikiText plain = PlainWikiText(markup);
    record.text = std::move(plain.text);
    std::string categories;
    for (const std::string& category : plain.categories) categories += (categories.empty() ? "" : "; ") + category;
    AddField("categories", categories, record);
  }

  static Revision ReadRevision(std::string_view inside) {
    Revision revision;
    XmlScanner scanner(inside);
    XmlScanner::Token token;
    while (scanner.Next(token)) {
      if (token.kind != XmlScanner::Kind::kOpen) continue;
      bool closed = false;
      const std::string_view text = scanner.Inside(token, closed);
      if (token.name == "id") revision.id = XmlText(text);
      if (token.name == "timestamp") revision.time = XmlText(text);
      if (token.name == "model") revision.model = XmlText(text);
      if (token.name == "text") revision.text = text;
      if (token.name != "contributor") continue;
      XmlScanner names(text);
      XmlScanner::Token name;
      while (names.Next(name)) {
        bool end = false;
        if (name.kind == XmlScanner::Kind::kOpen && (name.name == "username" || name.name == "ip")) {
          revision.author = XmlText(names.Inside(name, end));
        }
      }
    }
    return revision;
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
};

class MediaWiki final : public Format {
 public:
  std::string_view name() const override { return "mediawiki"; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    const std::string_view start = head.substr(0, 1024);
    return start.find("<mediawiki") != std::string_view::npos ? 93 : 0;
  }

  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& /*options*/) const override {
    auto state = std::make_unique<WikiState>();
    const size_t at = head.find("<mediawiki");
    if (at != std::string_view::npos) {
      const std::string_view tag = head.substr(at, std::min(head.find('>', at), head.size()) - at);
      state->language = LanguageTag(XmlAttribute(tag, "xml:lang"));
    }
    return state;
  }

  size_t Cut(std::string_view bytes, uint64_t /*begin*/, size_t target, bool at_end, const FileState* /*state*/,
             const ReadOptions& /*options*/) const override {
    const std::string_view before = bytes.substr(0, target);
    size_t cut = before.rfind(kEnd);
    if (cut == std::string_view::npos) cut = bytes.find(kEnd);
    if (cut != std::string_view::npos) return cut + kEnd.size();
    return at_end ? bytes.size() : 0;
  }

  size_t Resync(std::string_view bytes) const override {
    const size_t end = bytes.find(kEnd);
    return end == std::string_view::npos ? end : end + kEnd.size();
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    PageReader(block, options, out).ReadAll();
  }
};

}  // namespace

const Format& MediaWikiFormat() {
  static const MediaWiki format;
  return format;
}

}  // namespace rhodes
