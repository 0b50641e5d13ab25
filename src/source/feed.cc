#include "source/feed.h"

#include <simdjson.h>

#include "base/text.h"
#include "source/arabic.h"
#include "source/encoding.h"
#include "source/html_text.h"
#include "source/json_array.h"
#include "source/json_document.h"
#include "source/path_facts.h"
#include "source/row_builder.h"
#include "source/time.h"
#include "source/x_text.h"
#include "source/xml_scan.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "feed/1";

// What a feed says of itself, for all of its items.
struct Channel {
  std::string title;
  std::string language;
  std::string encoding;  // of the file; empty: UTF-8
};

bool IsItem(std::string_view name) {
  const std::string_view local = XmlLocalName(name);
  return local == "item" || local == "entry";
}

class FeedReader {
 public:
  FeedReader(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out) {}

  void Read() {
    std::string encoding = XmlEncoding(block_.bytes.substr(0, 1024));
    if (FindInvalidUtf8(block_.bytes) != std::string_view::npos)
      channel_.encoding = encoding.empty() ? "windows-1252" : encoding;
    XmlScanner scanner(block_.bytes);
    XmlScanner::Token token;
    while (scanner.Next(token)) {
      if (token.kind != XmlScanner::Kind::kOpen) continue;
      const std::string_view local = XmlLocalName(token.name);
      if (IsItem(token.name)) {
        bool closed = false;
        const std::string_view inside = scanner.Inside(token, closed);
        if (closed) {
          ReadItem(token, inside, scanner.position());
        } else {
          Reject(token.begin, block_.bytes.size(), "the file breaks off inside this item");
        }
      } else if ((local == "feed" || local == "rss") && channel_.language.empty()) {
        channel_.language = LanguageTag(XmlAttribute(token.attributes, "xml:lang"));
      } else if ((local == "title" || local == "language") && channel_.title.empty()) {
        bool closed = false;
        const std::string_view inside = scanner.Inside(token, closed);
        if (local == "title") channel_.title = Decode(XmlText(inside));
        if (local == "language") channel_.language = LanguageTag(XmlText(inside));
      } else if (local == "language") {
        bool closed = false;
        channel_.language = LanguageTag(XmlText(scanner.Inside(token, closed)));
      } else if (local == "image" || local == "textInput") {
        bool closed = false;
        scanner.Inside(token, closed);  // has a title of its own
      }
    }
  }

 private:
  std::string Decode(std::string text) const {
    return channel_.encoding.empty() ? text : DecodeText(text, channel_.encoding).text;
  }
  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
  }

  struct Item {
    std::string title, content, description, author, url, id, published, updated, categories, enclosure, language;
  };

  // First come, first kept, but for what is said more exactly elsewhere.
  static void Set(std::string value, std::string& member) {
    if (member.empty()) member = std::move(value);
  }

  static void TakeChild(const XmlScanner::Token& child, std::string_view inside, Item& item) {
    const std::string_view name = child.name;
    const std::string_view local = XmlLocalName(name);
    if (name == "content:encoded" || local == "encoded" || name == "content" || name == "xhtml:body" ||
        name == "atom:content") {
      const bool markup = XmlAttribute(child.attributes, "type") == "xhtml" || name == "xhtml:body";
      Set(markup ? std::string(inside) : XmlText(inside), item.content);
    } else if (name == "description" || name == "summary" || name == "rss:description" || name == "atom:summary") {
      Set(XmlAttribute(child.attributes, "type") == "xhtml" ? std::string(inside) : XmlText(inside), item.description);
    } else if (name == "title" || name == "atom:title" || name == "rss:title") {
      Set(FeedText(XmlText(inside)), item.title);
    } else if (name == "link") {
      const std::string_view href = XmlAttribute(child.attributes, "href");
      const std::string_view relation = XmlAttribute(child.attributes, "rel");
      if (href.empty()) Set(XmlText(inside), item.url);
      if (!href.empty() && (relation.empty() || relation == "alternate")) Set(DecodeHtmlEntities(href), item.url);
    } else if (local == "guid" || name == "id" || name == "atom:id") {
      Set(XmlText(inside), item.id);
    } else if (local == "creator" || name == "author" || name == "atom:author") {
      XmlScanner inner(inside);
      XmlScanner::Token token;
      std::string author;
      while (inner.Next(token)) {
        if (token.kind != XmlScanner::Kind::kOpen) continue;
        bool closed = false;
        const std::string_view text = inner.Inside(token, closed);
        if (XmlLocalName(token.name) == "name") author = XmlText(text);
      }
      Set(author.empty() ? XmlText(inside) : author, item.author);
    } else if (name == "itunes:author") {
      Set(XmlText(inside), item.author);
    } else if (local == "pubDate" || local == "published" || local == "issued" || name == "dc:date") {
      Set(XmlText(inside), item.published);
    } else if (local == "updated" || local == "modified") {
      Set(XmlText(inside), item.updated);
    } else if (local == "category" || name == "dc:subject") {
      std::string category = XmlText(inside);
      if (category.empty()) category = DecodeHtmlEntities(XmlAttribute(child.attributes, "term"));
      if (!category.empty()) item.categories += (item.categories.empty() ? "" : ", ") + category;
    } else if (name == "dc:language") {
      item.language = LanguageTag(XmlText(inside));
    } else if (name == "enclosure") {
      Set(DecodeHtmlEntities(XmlAttribute(child.attributes, "url")), item.enclosure);
    }
  }

  void ReadItem(const XmlScanner::Token& open, std::string_view inside, size_t end) {
    Item item;
    item.language = LanguageTag(XmlAttribute(open.attributes, "xml:lang"));
    XmlScanner children(inside);
    XmlScanner::Token child;
    while (children.Next(child)) {
      if (child.kind == XmlScanner::Kind::kEmpty) TakeChild(child, {}, item);
      if (child.kind != XmlScanner::Kind::kOpen) continue;
      bool closed = false;
      TakeChild(child, children.Inside(child, closed), item);
    }
    if (item.id.empty()) item.id = XmlAttribute(open.attributes, "rdf:about");
    Record record;
    record.text = FeedText(Decode(item.content.empty() ? item.description : item.content));
    if (record.text.empty()) record.text = Decode(item.title);
    record.author = Decode(item.author);
    record.language = !item.language.empty()       ? item.language
                      : !channel_.language.empty() ? channel_.language
                                                   : options_.language;
    AddField("title", Decode(item.title), record);
    AddField("url", item.url, record);
    AddField("id", item.id, record);
    AddField("category", Decode(item.categories), record);
    AddField("enclosure", item.enclosure, record);
    AddField("feed", channel_.title, record);
    AddField("encoding", channel_.encoding, record);
    SetTimes(item.published, item.updated, record);
    if (record.text.empty() && item.url.empty() && item.id.empty()) {
      return Reject(open.begin, end, "an item without text, title, link and id");
    }
    Seal(open.begin, end, std::move(record));
  }

  static void SetTimes(const std::string& published, const std::string& updated, Record& record) {
    std::optional<Instant> instant = ParseInstant(published);
    if (!instant) {
      AddField("published", published, record);
      instant = ParseInstant(updated);
    }
    AddField("updated", updated, record);
    if (!instant) return;
    record.time = instant->time;
    record.time_precision = instant->precision;
  }

  void Seal(size_t begin, size_t end, Record record) {
    SortValues(record);
    record.original = block_.bytes.substr(begin, end - begin);
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    SealRecord(options_, "feed-item", kReader, record);
    out_.records.push_back(std::move(record));
  }

 public:
  // {"version": "https://jsonfeed.org/...", "title", "language", "items": [...]}
  void ReadJson() {
    JsonDocument document;
    simdjson::dom::element root = NullElement();
    std::string reason = document.Parse(block_.bytes, block_.padding, block_.begin, root);
    const size_t prefix = FindJsonArray(block_.bytes, "items");
    simdjson::dom::array items;
    if (reason.empty() && (prefix == std::string_view::npos || root["items"].get(items) != simdjson::SUCCESS)) {
      reason = "no JSON Feed: it has no items";
    }
    if (!reason.empty()) return Reject(0, block_.bytes.size(), std::move(reason));
    const auto text = [](simdjson::dom::element json, std::string_view key) -> std::string {
      simdjson::dom::element value;
      return json[key].get(value) == simdjson::SUCCESS ? TextOf(value) : "";
    };
    channel_.title = text(root, "title");
    channel_.language = LanguageTag(text(root, "language"));
    const JsonArrayState state(prefix);
    JsonElements elements(Block{block_.path, block_.bytes, 0, 0, &state}, state);
    JsonElements::Element found;
    for (const simdjson::dom::element item : items) {
      if (!elements.Next(found)) return;
      Record record;
      const std::string html = text(item, "content_html");
      record.text = html.empty() ? text(item, "content_text") : FeedText(html);
      if (record.text.empty()) record.text = text(item, "summary");
      if (record.text.empty()) record.text = text(item, "title");
      simdjson::dom::array authors;
      simdjson::dom::element author;
      if (item["authors"].get(authors) == simdjson::SUCCESS && authors.size() > 0) {
        record.author = text(authors.at(0).value_unsafe(), "name");
      } else if (item["author"].get(author) == simdjson::SUCCESS) {
        record.author = text(author, "name");
      }
      record.language = LanguageTag(text(item, "language"));
      if (record.language.empty()) record.language = channel_.language.empty() ? options_.language : channel_.language;
      AddField("title", text(item, "title"), record);
      AddField("url", text(item, "url"), record);
      AddField("id", text(item, "id"), record);
      AddField("feed", channel_.title, record);
      SetTimes(text(item, "date_published"), text(item, "date_modified"), record);
      if (record.text.empty() && text(item, "url").empty() && text(item, "id").empty()) {
        Reject(found.begin, found.end, "an item without text, title, link and id");
      } else {
        Seal(found.begin, found.end, std::move(record));
      }
    }
  }

 private:
  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  Channel channel_;
};

class Feed final : public Format {
 public:
  std::string_view name() const override { return "feed"; }
  Framing framing() const override { return Framing::kWholeFile; }

  int Detect(std::string_view path, std::string_view head) const override {
    const std::string_view start = Trim(head.substr(0, 4096));
    if (start.starts_with('{')) return start.find("jsonfeed.org/version") != std::string_view::npos ? 92 : 0;
    if (start.find('<') == std::string_view::npos || start.find('<') > 8) return 0;
    for (const std::string_view mark : {"<rss", "<feed", "<rdf:RDF", "<channel"}) {
      const size_t at = start.find(mark);
      if (at == std::string_view::npos || at + mark.size() >= start.size()) continue;
      const char next = start[at + mark.size()];
      if ((next == ' ' || next == '>' || next == '\n' || next == '\r' || next == '\t') &&
          start.substr(0, at).find("<html") == std::string_view::npos) {
        return 91;
      }
    }
    return path.ends_with(".rss") || path.ends_with(".atom") ? 60 : 0;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    const auto reject = [&](std::string reason) {
      out.rejects.push_back(MakeReject(block, 0, block.bytes.size(), std::move(reason)));
    };
    if (block.bytes.starts_with("\xFF\xFE") || block.bytes.starts_with("\xFE\xFF")) {
      return reject("a feed in UTF-16: not read, since its items' bytes could not be named");
    }
    FeedReader reader(block, options, out);
    if (Trim(block.bytes.substr(0, 1024)).starts_with('{')) return reader.ReadJson();
    reader.Read();
    if (out.records.empty() && out.rejects.empty() && Detect("", block.bytes) < 90) reject("no feed: it has no items");
  }
};

}  // namespace

std::string FeedText(std::string_view content) {
  const bool markup = content.find('<') != std::string_view::npos && content.find('>') != std::string_view::npos;
  const std::string text = markup ? ExtractHtml(content).text : DecodeHtmlEntities(content);
  std::string plain(Trim(text));
  NormaliseArabic(plain);
  return plain;
}

const Format& FeedFormat() {
  static const Feed format;
  return format;
}

}  // namespace rhodes
