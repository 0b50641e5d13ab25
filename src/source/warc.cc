#include "source/warc.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <vector>

#include "base/decompress.h"
#include "base/text.h"
#include "source/encoding.h"
#include "source/html_text.h"
#include "source/json_document.h"
#include "source/path_facts.h"
#include "source/row_builder.h"
#include "source/time.h"
#include "source/x_text.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "warc/1";
constexpr size_t kMostHeader = 1 << 20;

std::optional<uint64_t> ParseLength(std::string_view text) {
  text = Trim(text);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The value of a header in a block of "Name: value" lines.
std::string Header(std::string_view headers, std::string_view name) {
  for (std::string_view line : Split(headers, '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || LowerAscii(Trim(line.substr(0, colon))) != name) continue;
    return std::string(Trim(line.substr(colon + 1)));
  }
  return "";
}

// Where the headers end and the payload begins: behind the first blank line; nothing when there is none in reach.
std::optional<size_t> AfterBlankLine(std::string_view bytes, size_t from) {
  const std::string_view reach = bytes.substr(0, std::min(bytes.size(), from + kMostHeader));
  const size_t crlf = reach.find("\r\n\r\n", from);
  const size_t lf = reach.find("\n\n", from);
  if (crlf == std::string_view::npos && lf == std::string_view::npos) return std::nullopt;
  return crlf < lf ? crlf + 4 : lf + 2;
}

bool IsArcHeader(std::string_view line) {
  const std::vector<std::string_view> parts = Split(Trim(line), ' ');
  if (parts.size() < 5) return false;
  const std::string_view date = parts[parts.size() - 3];
  return line.find("://") != std::string_view::npos && ParseLength(parts.back()) && date.size() == 14 &&
         date.find_first_not_of("0123456789") == std::string_view::npos;
}

// One record of an archive within a block.
struct Entry {
  size_t begin = 0;
  size_t payload = 0;  // where it begins
  size_t end = 0;      // of it
  size_t next = 0;     // where the next record begins
  bool arc = false;
  bool more = false;    // it does not end in these bytes
  std::string problem;  // why it is none
};

size_t SkipLineEnds(std::string_view bytes, size_t at) {
  while (at < bytes.size() && (bytes[at] == '\r' || bytes[at] == '\n')) ++at;
  return at;
}

bool BeginsRecord(std::string_view bytes, size_t at) {
  const std::string_view rest = bytes.substr(at);
  return rest.starts_with("WARC/") || IsArcHeader(rest.substr(0, rest.find('\n')));
}

// The next place after `from` where a record seems to begin, or the end.
size_t Resynchronise(std::string_view bytes, size_t from) {
  for (size_t at = bytes.find('\n', from); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at + 1 < bytes.size() &&
        (bytes[at + 1] == 'W' || bytes.substr(at + 1, 64).find("://") != std::string_view::npos) &&
        BeginsRecord(bytes, at + 1)) {
      return at + 1;
    }
  }
  return bytes.size();
}

// The same words wherever a file was cut.
std::string Mismatch(uint64_t length, size_t found) {
  return fmt::format("the length is {}, and {} bytes stand before the next record or the end", length, found);
}

// Finds the record that begins at `begin`.
Entry ScanEntry(std::string_view bytes, size_t begin, bool at_end) {
  Entry entry;
  entry.begin = begin;
  const std::string_view rest = bytes.substr(begin);
  std::optional<uint64_t> length;
  if (rest.starts_with("WARC/")) {
    const std::optional<size_t> payload = AfterBlankLine(bytes, begin);
    if (!payload) {
      entry.more = !at_end;
      entry.problem = "the record's headers do not end";
      entry.next = Resynchronise(bytes, begin + 1);
      return entry;
    }
    entry.payload = *payload;
    length = ParseLength(Header(bytes.substr(begin, *payload - begin), "content-length"));
    if (!length) entry.problem = "no Content-Length";
  } else {
    const size_t newline = rest.find('\n');
    if (newline == std::string_view::npos && !at_end) {
      entry.more = true;
      return entry;
    }
    const std::string_view line = rest.substr(0, newline);
    entry.arc = true;
    entry.payload = newline == std::string_view::npos ? bytes.size() : begin + newline + 1;
    if (!IsArcHeader(line)) {
      entry.problem = "no header of a WARC or ARC record";
    } else {
      length = ParseLength(Split(Trim(line), ' ').back());
    }
  }
  if (!length) {
    entry.next = Resynchronise(bytes, begin + 1);
    entry.more = entry.next == bytes.size() && !at_end;
    return entry;
  }
  if (*length > bytes.size() - entry.payload) {
    const size_t next = Resynchronise(bytes, entry.payload);
    if (next < bytes.size()) {  // the length reaches beyond the next record: it is wrong
      entry.problem = Mismatch(*length, next - entry.payload);
      entry.next = next;
      return entry;
    }
    entry.more = !at_end;
    entry.problem = Mismatch(*length, bytes.size() - entry.payload);
    entry.next = bytes.size();
    return entry;
  }
  entry.end = entry.payload + *length;
  entry.next = SkipLineEnds(bytes, entry.end);
  // A WARC record ends with two line ends; with one, the length reached into them. (None is a file's end.)
  const auto line_ends = std::count(bytes.begin() + static_cast<ptrdiff_t>(entry.end),
                                    bytes.begin() + static_cast<ptrdiff_t>(entry.next), '\n');
  if (!entry.arc && line_ends == 1 && (at_end || entry.next < bytes.size())) {
    entry.problem = Mismatch(*length, entry.next - entry.payload);
    return entry;
  }
  if (entry.next == bytes.size()) {
    // Whether more line ends follow is only known at the end.
    entry.more = !at_end && entry.next - entry.end < 4;
    return entry;
  }
  if (!BeginsRecord(bytes, entry.next)) {
    const size_t next = Resynchronise(bytes, entry.payload);
    if (next == bytes.size() && !at_end) entry.more = true;
    entry.problem = Mismatch(*length, next - entry.payload);
    entry.next = next;
  }
  return entry;
}

// Undoes "Transfer-Encoding: chunked"; what is no chunk is taken as it is, as crawlers write it when they undid it.
std::string Unchunk(std::string_view body) {
  std::string whole;
  std::string_view rest = body;
  while (!rest.empty()) {
    const size_t newline = rest.find('\n');
    if (newline == std::string_view::npos) return whole.empty() ? std::string(body) : whole;
    std::string_view line = Trim(rest.substr(0, newline));
    line = Trim(line.substr(0, line.find(';')));
    uint64_t size = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (line.empty() || error != std::errc() || end != line.data() + line.size()) {
      return whole.empty() ? std::string(body) : whole;
    }
    rest.remove_prefix(newline + 1);
    if (size == 0) return whole;
    if (size > rest.size()) return whole.append(rest);
    whole += rest.substr(0, size);
    rest.remove_prefix(size);
    rest.remove_prefix(std::min(SkipLineEnds(rest, 0), rest.size()));
  }
  return whole;
}

// Undoes gzip and deflate, up to `limit` bytes. False when it is broken or longer: `problem` says so.
bool Inflate(std::string& body, uint64_t limit, std::string& problem) {
  if (DetectCompression(body) == Compression::kNone) return true;  // the crawler undid it
  const std::unique_ptr<ByteReader> reader = ByteReader::OfBytes("payload", std::move(body));
  body.clear();
  char piece[1 << 16];
  while (true) {
    const absl::StatusOr<size_t> count = reader->Read(piece, sizeof piece);
    if (!count.ok()) {
      problem = Message(count.status());
      return false;
    }
    if (*count == 0) return true;
    body.append(piece, *count);
    if (body.size() > limit) {
      problem = fmt::format("the payload unpacks to more than {} bytes", limit);
      return false;
    }
  }
}

std::string CharsetOf(std::string_view content_type) {
  const std::string lower = LowerAscii(content_type);
  const size_t at = lower.find("charset=");
  if (at == std::string::npos) return "";
  const std::string_view rest = std::string_view(lower).substr(at + 8);
  const size_t begin = rest.starts_with('"') ? 1 : 0;
  return std::string(rest.substr(begin, rest.find_first_of("\"; ", begin) - begin));
}

std::string_view MimeOf(std::string_view content_type) { return Trim(content_type.substr(0, content_type.find(';'))); }

class WarcReader {
 public:
  WarcReader(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out) {}

  void Read() {
    size_t at = SkipLineEnds(block_.bytes, 0);
    while (at < block_.bytes.size()) {
      const Entry entry = ScanEntry(block_.bytes, at, true);
      if (entry.problem.empty()) {
        ReadEntry(entry);
      } else {
        Reject(entry.begin, entry.next, entry.problem);
      }
      at = SkipLineEnds(block_.bytes, std::max(entry.next, at + 1));
    }
  }

 private:
  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
  }

  void ReadEntry(const Entry& entry) {
    const std::string_view headers = block_.bytes.substr(entry.begin, entry.payload - entry.begin);
    const std::string_view payload = block_.bytes.substr(entry.payload, entry.end - entry.payload);
    Record record;
    std::string reason;
    if (entry.arc) {
      ReadArc(headers, payload, record, reason);
    } else {
      ReadWarc(headers, payload, record, reason);
    }
    if (!reason.empty()) return Reject(entry.begin, entry.end, std::move(reason));
    SortValues(record);
    record.original = block_.bytes.substr(entry.begin, entry.end - entry.begin);
    record.origin = {std::string(block_.path), block_.begin + entry.begin, block_.begin + entry.end};
    const std::string kind = record.kind;
    SealRecord(options_, kind, kReader, record);
    out_.records.push_back(std::move(record));
  }

  void ReadWarc(std::string_view headers, std::string_view payload, Record& record, std::string& reason) {
    const std::string type = LowerAscii(Header(headers, "warc-type"));
    if (type.empty()) {
      reason = "a WARC record without WARC-Type";
      return;
    }
    std::string url = Header(headers, "warc-target-uri");
    if (url.size() > 1 && url.front() == '<' && url.back() == '>') url = url.substr(1, url.size() - 2);  // some wgets
    AddField("url", url, record);
    AddField("warc_id", Header(headers, "warc-record-id"), record);
    SetTime(Header(headers, "warc-date"), record);
    const std::string content_type = Header(headers, "content-type");
    if (type == "response" && (content_type.empty() || content_type.find("http") != std::string::npos)) {
      ReadHttp(payload, record, reason);
    } else if (type == "response" || type == "resource") {
      ReadBody(std::string(payload), content_type, record);
    } else if (type == "conversion") {
      record.kind = "page";
      record.text = DecodeText(payload).text;
      std::string language = Header(headers, "warc-identified-content-language");
      record.language = LanguageOfCodes(language);
      AddField("languages", language, record);
      AddField("refers_to", Header(headers, "warc-refers-to"), record);
    } else {
      record.kind = "warc-" + type;
      AddField("mime", MimeOf(content_type), record);
    }
  }

  // "http://host/ 1.2.3.4 20100102030405 text/html 1234"
  void ReadArc(std::string_view line, std::string_view payload, Record& record, std::string& reason) {
    const std::vector<std::string_view> parts = Split(Trim(line), ' ');
    const size_t count = parts.size();
    const std::string_view ip = parts[count - 4];
    AddField("url", line.substr(0, static_cast<size_t>(ip.data() - line.data()) - 1), record);
    const std::string_view date = parts[count - 3];
    SetTime(fmt::format("{}-{}-{}T{}:{}:{}Z", date.substr(0, 4), date.substr(4, 2), date.substr(6, 2),
                        date.substr(8, 2), date.substr(10, 2), date.substr(12, 2)),
            record);
    if (line.starts_with("filedesc://")) {
      record.kind = "warc-warcinfo";
    } else if (payload.starts_with("HTTP/")) {
      ReadHttp(payload, record, reason);
    } else {
      ReadBody(std::string(payload), parts[count - 2], record);
    }
  }

  void SetTime(std::string_view date, Record& record) {
    if (const std::optional<Instant> instant = ParseInstant(date)) {
      record.time = instant->time;
      record.time_precision = instant->precision;
    } else {
      AddField("date", date, record);
    }
  }

  void ReadHttp(std::string_view payload, Record& record, std::string& reason) {
    std::optional<size_t> body = AfterBlankLine(payload, 0);
    if (!body) body = payload.size();
    const std::string_view headers = payload.substr(0, *body);
    const std::vector<std::string_view> status = Split(headers.substr(0, headers.find('\n')), ' ');
    if (status.size() > 1) {
      if (const std::optional<uint64_t> code = ParseLength(status[1])) {
        record.channels.emplace_back("status", static_cast<double>(*code));
      }
    }
    std::string content(payload.substr(*body));
    if (LowerAscii(Header(headers, "transfer-encoding")).find("chunked") != std::string::npos)
      content = Unchunk(content);
    const std::string encoding = LowerAscii(Header(headers, "content-encoding"));
    if (encoding.find("gzip") != std::string::npos && !Inflate(content, options_.record_limit, reason)) return;
    if (encoding.find("br") != std::string::npos || encoding.find("zstd") != std::string::npos) {
      record.kind = "resource";
      AddField("content_encoding", encoding, record);  // not undone
      AddField("mime", MimeOf(Header(headers, "content-type")), record);
      return;
    }
    ReadBody(std::move(content), Header(headers, "content-type"), record);
    const std::string language = Header(headers, "content-language");
    if (record.language.empty()) record.language = LanguageTag(language.substr(0, language.find(',')));
  }

  void ReadBody(std::string body, std::string_view content_type, Record& record) {
    const std::string mime = LowerAscii(MimeOf(content_type));
    AddField("mime", mime, record);
    const bool html = mime == "text/html" || mime == "application/xhtml+xml" ||
                      (mime.empty() && LowerAscii(body.substr(0, 512)).find("<html") != std::string::npos);
    if ((!html && mime != "text/plain") || LooksBinary(body)) {
      record.kind = "resource";
      return;
    }
    record.kind = "page";
    std::string charset = CharsetOf(content_type);
    if (charset.empty() && html) charset = HtmlCharset(body);
    DecodedText decoded = DecodeText(body, charset);
    AddField("encoding", decoded.encoding, record);
    if (!html) {
      record.text = std::move(decoded.text);
      return;
    }
    HtmlPage page = ExtractHtml(decoded.text);
    record.text = std::move(page.text);
    record.language = LanguageTag(page.language);
    FillFromPage(page, record);
  }

  // ISO 639-3, as language identifiers write them: "eng,deu".
  static std::string LanguageOfCodes(std::string_view codes) {
    static constexpr std::pair<std::string_view, std::string_view> kCodes[] = {
        {"ara", "ar"}, {"deu", "de"}, {"eng", "en"}, {"fas", "fa"}, {"fra", "fr"}, {"heb", "he"},
        {"hin", "hi"}, {"ind", "id"}, {"ita", "it"}, {"jpn", "ja"}, {"kor", "ko"}, {"nld", "nl"},
        {"pol", "pl"}, {"por", "pt"}, {"rus", "ru"}, {"spa", "es"}, {"swe", "sv"}, {"tur", "tr"},
        {"ukr", "uk"}, {"urd", "ur"}, {"vie", "vi"}, {"zho", "zh"}};
    const std::string_view first = codes.substr(0, codes.find(','));
    for (const auto& [three, two] : kCodes) {
      if (first == three) return std::string(two);
    }
    return LanguageTag(first);
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
};

class Warc final : public Format {
 public:
  std::string_view name() const override { return "warc"; }
  Framing framing() const override { return Framing::kBlocks; }
  bool binary() const override { return true; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    if (head.starts_with("WARC/0.") || head.starts_with("WARC/1.")) return 100;
    return head.starts_with("filedesc://") && IsArcHeader(head.substr(0, head.find('\n'))) ? 100 : 0;
  }

  size_t Cut(std::string_view bytes, uint64_t /*begin*/, size_t target, bool at_end, const FileState* /*state*/,
             const ReadOptions& /*options*/) const override {
    size_t at = SkipLineEnds(bytes, 0);
    size_t cut = 0;
    while (at < bytes.size()) {
      const Entry entry = ScanEntry(bytes, at, at_end);
      if (entry.more) break;
      const size_t next = SkipLineEnds(bytes, std::max(entry.next, at + 1));
      if (next > target && cut > 0) break;
      cut = at = next;
      if (cut >= target) break;
    }
    return cut > 0 ? cut : at_end ? bytes.size() : 0;
  }

  size_t Resync(std::string_view bytes) const override {
    const size_t next = Resynchronise(bytes, 0);
    return next == bytes.size() ? std::string_view::npos : next;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    WarcReader(block, options, out).Read();
  }
};

}  // namespace

const Format& WarcFormat() {
  static const Warc format;
  return format;
}

}  // namespace rhodes
