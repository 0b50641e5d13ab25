#include "source/trec.h"

#include <algorithm>

#include "base/text.h"
#include "source/encoding.h"
#include "source/json_document.h"
#include "source/path_facts.h"
#include "source/row_builder.h"
#include "source/time_zone.h"
#include "source/x_text.h"
#include "source/xml_scan.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "trec/1";
constexpr std::string_view kBegin = "<DOC>";
constexpr std::string_view kEnd = "</DOC>";

class TrecState final : public FileState {
 public:
  std::shared_ptr<const TimeZone> zone;  // of times that state none; null: UTC
};

bool OneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Lines keep their breaks; what surrounds them does not.
std::string CleanText(std::string_view inside) {
  const std::string text = XmlText(inside);
  std::string clean;
  for (const std::string_view line : Split(text, '\n')) {
    const std::string_view trimmed = Trim(line);
    if (!trimmed.empty()) clean += fmt::format("{}{}", clean.empty() ? "" : "\n", trimmed);
  }
  return clean;
}

void Join(std::string_view part, std::string& text) {
  if (part.empty()) return;
  if (!text.empty()) text += "\n\n";
  text += part;
}

class DocReader {
 public:
  DocReader(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out) {}

  void ReadAll() {
    for (size_t at = 0;;) {
      const size_t begin = block_.bytes.find(kBegin, at);
      const std::string_view before = block_.bytes.substr(at, std::min(begin, block_.bytes.size()) - at);
      if (const size_t stray = before.find_first_not_of(" \t\r\n\xEF\xBB\xBF"); stray != std::string_view::npos) {
        const size_t end = at + before.find_last_not_of(" \t\r\n") + 1;
        out_.rejects.push_back(MakeReject(block_, at + stray, end, "no <DOC>"));
      }
      if (begin == std::string_view::npos) return;
      const size_t end = block_.bytes.find(kEnd, begin);
      const size_t next = block_.bytes.find(kBegin, begin + kBegin.size());
      if (end == std::string_view::npos || next < end) {
        at = std::min(next, block_.bytes.size());
        out_.rejects.push_back(MakeReject(block_, begin, at, "a <DOC> that is not closed"));
        continue;
      }
      at = end + kEnd.size();
      ReadDoc(begin, at);
    }
  }

 private:
  void ReadDoc(size_t begin, size_t end) {
    const std::string_view doc = block_.bytes.substr(begin, end - begin);
    const DecodedText decoded = DecodeText(doc);
    const std::string_view text(decoded.text);
    Record record;
    std::string title;
    std::string lead;
    std::string body;
    XmlScanner scanner(text.substr(kBegin.size(), text.size() - kBegin.size() - kEnd.size()));
    XmlScanner::Token token;
    while (scanner.Next(token)) {
      if (token.kind != XmlScanner::Kind::kOpen) continue;
      bool closed = false;
      const std::string name = LowerAscii(token.name);
      const std::string value = CleanText(scanner.Inside(token, closed));
      if (OneOf(name, {"text", "body", "content"})) {
        Join(value, body);
      } else if (OneOf(name, {"headline", "title", "head", "hl"}) && title.empty()) {
        title = value;
      } else if (OneOf(name, {"abstract", "leadpara", "lp"}) && lead.empty()) {
        lead = value;
      } else if (OneOf(name, {"author", "byline"}) && record.author.empty()) {
        record.author = value;
      } else if (OneOf(name, {"time", "date_time", "datetime", "date", "pubdate"})) {
        TakeTime(name, value, record);
      } else if (OneOf(name, {"lang", "language"})) {
        record.language = LanguageTag(value);
      } else {
        AddField(OneOf(name, {"docno", "docid"}) ? "docno" : name, value, record);
      }
    }
    AddField("title", title, record);
    if (body.find(title) == std::string::npos) Join(title, record.text);
    if (body.find(lead) == std::string::npos) Join(lead, record.text);
    Join(body, record.text);
    if (record.text.empty()) {
      out_.rejects.push_back(MakeReject(block_, begin, end, "a <DOC> without text"));
      return;
    }
    if (!decoded.encoding.empty()) AddField("encoding", decoded.encoding, record);
    if (record.language.empty()) record.language = options_.language;
    SortValues(record);
    record.original = doc;
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    SealRecord(options_, "article", kReader, record);
    out_.records.push_back(std::move(record));
  }

  void TakeTime(const std::string& name, const std::string& value, Record& record) const {
    const auto* state = static_cast<const TrecState*>(block_.state);
    const std::optional<Instant> instant = ParseInstantIn(value, state->zone.get());
    if (!instant || record.time) return AddField(name, value, record);
    record.time = instant->time;
    record.time_precision = instant->precision;
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
};

class Trec final : public Format {
 public:
  std::string_view name() const override { return "trec"; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    const std::string_view text = Trim(head.starts_with("\xEF\xBB\xBF") ? head.substr(3) : head);
    return text.starts_with(kBegin) && text.substr(0, 4096).find("<DOC") != std::string_view::npos ? 93 : 0;
  }

  std::unique_ptr<FileState> Prepare(std::string_view /*head*/, const ReadOptions& options) const override {
    auto state = std::make_unique<TrecState>();
    state->zone = ZoneOrUtc(options.time_zone);
    return state;
  }

  size_t Cut(std::string_view bytes, uint64_t /*begin*/, size_t target, bool at_end, const FileState* /*state*/,
             const ReadOptions& /*options*/) const override {
    // Before the next beginning: what is not closed ends there too.
    const size_t next = bytes.find(kBegin, std::max<size_t>(target, 1));
    if (next != std::string_view::npos) return next;
    return at_end ? bytes.size() : 0;
  }

  size_t Resync(std::string_view bytes) const override { return bytes.find(kBegin, 1); }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    DocReader(block, options, out).ReadAll();
  }
};

}  // namespace

const Format& TrecFormat() {
  static const Trec format;
  return format;
}

}  // namespace rhodes
