#include "source/jsonl.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <deque>

#include "base/text.h"
#include "source/encoding.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "jsonl/1";

// The grammar of RFC 8259, section 6.
bool IsJsonNumber(std::string_view token) {
  size_t at = token.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const size_t begin = at;
    while (at < token.size() && token[at] >= '0' && token[at] <= '9') ++at;
    return at - begin;
  };
  const bool zero = at < token.size() && token[at] == '0';
  const size_t integer = digits();
  if (integer == 0 || (zero && integer > 1)) return false;
  if (at < token.size() && token[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == token.size();
}

// `line` with every number that no double or 64-bit integer holds in quotes, so that it comes through as its digits
// instead of making the whole line fail. Valid JSON stays valid JSON, broken JSON stays broken.
std::string QuoteHugeNumbers(std::string_view line) {
  std::string quoted;
  quoted.reserve(line.size() + 64);
  bool in_string = false;
  for (size_t i = 0; i < line.size();) {
    const char c = line[i];
    if (in_string) {
      quoted += c;
      if (c == '\\' && i + 1 < line.size()) quoted += line[++i];
      if (c == '"') in_string = false;
      ++i;
      continue;
    }
    if (c != '-' && (c < '0' || c > '9')) {
      in_string = c == '"';
      quoted += c;
      ++i;
      continue;
    }
    const size_t end = std::min(line.find_first_not_of("0123456789+-.eE", i), line.size());
    const std::string_view token = line.substr(i, end - i);
    simdjson::dom::parser parser;
    simdjson::padded_string padded(token.data(), token.size());
    const bool huge = IsJsonNumber(token) && parser.parse(padded).error() == simdjson::NUMBER_ERROR;
    if (huge) quoted += '"';
    quoted += token;
    if (huge) quoted += '"';
    i = end;
  }
  return quoted;
}

class LineParser {
 public:
  LineParser(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out), roles_(options.columns), builder_(roles_) {}

  void ParseAll() {
    size_t begin = block_.begin == 0 && block_.bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    while (begin < block_.bytes.size()) {
      const void* newline = std::memchr(block_.bytes.data() + begin, '\n', block_.bytes.size() - begin);
      const size_t end = newline == nullptr
                             ? block_.bytes.size()
                             : static_cast<size_t>(static_cast<const char*>(newline) - block_.bytes.data());
      ParseLine(begin, end > begin && block_.bytes[end - 1] == '\r' ? end - 1 : end);
      begin = end + 1;
    }
  }

 private:
  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
  }

  void ParseLine(size_t begin, size_t end) {
    const std::string_view line = block_.bytes.substr(begin, end - begin);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    if (line.size() > options_.record_limit) {
      return Reject(begin, end, fmt::format("line longer than {} bytes", options_.record_limit));
    }
    simdjson::dom::element root;
    simdjson::error_code error = ParseDocument(line, block_.bytes.size() - end + block_.padding, root);
    if (error == simdjson::NUMBER_ERROR) {
      const std::string quoted = QuoteHugeNumbers(line);
      error = ParseDocument(quoted, 0, root);
    }
    if (error != simdjson::SUCCESS) return Reject(begin, end, ReasonOf(error, line, begin));
    simdjson::dom::object object;
    if (root.get(object) != simdjson::SUCCESS) return Reject(begin, end, "not a JSON object");
    builder_.Begin();
    arena_.clear();
    for (const auto field : object) AddValue(field.key, field.value);
    Record record;
    std::string reason;
    if (!builder_.Finish(options_, record, reason)) return Reject(begin, end, std::move(reason));
    record.original = line;
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    SealRecord(options_, "row", kReader, record);
    out_.records.push_back(std::move(record));
  }

  // The parser reads up to 64 bytes beyond the document; at the end of the block it gets a copy.
  simdjson::error_code ParseDocument(std::string_view line, size_t padding, simdjson::dom::element& root) {
    const char* data = line.data();
    if (padding < simdjson::SIMDJSON_PADDING) {
      padded_.assign(line);
      padded_.resize(line.size() + simdjson::SIMDJSON_PADDING, ' ');
      data = padded_.data();
    }
    return parser_.parse(reinterpret_cast<const uint8_t*>(data), line.size(), false).get(root);
  }

  std::string ReasonOf(simdjson::error_code error, std::string_view line, size_t begin) const {
    if (const size_t at = FindInvalidUtf8(line); at != std::string_view::npos) {
      return fmt::format("invalid UTF-8 at byte {}", block_.begin + begin + at);
    }
    if (error == simdjson::DEPTH_ERROR) return "not read: JSON nested deeper than 1024";
    return fmt::format("not JSON: {}", simdjson::error_message(error));
  }

  // Texts that are made here live in arena_ until the record is built.
  std::string_view Keep(std::string text) { return arena_.emplace_back(std::move(text)); }

  void AddValue(std::string_view name, simdjson::dom::element value) {
    using simdjson::dom::element_type;
    switch (value.type()) {
      case element_type::STRING:
        builder_.AddString(name, value.get_string().value_unsafe());
        break;
      case element_type::INT64: {
        const int64_t number = value.get_int64().value_unsafe();
        builder_.AddNumber(name, static_cast<double>(number), Keep(fmt::format_int(number).str()));
        break;
      }
      case element_type::UINT64: {
        const uint64_t number = value.get_uint64().value_unsafe();
        builder_.AddNumber(name, static_cast<double>(number), Keep(fmt::format_int(number).str()));
        break;
      }
      case element_type::DOUBLE: {
        const double number = value.get_double().value_unsafe();
        builder_.AddNumber(name, number, Keep(fmt::format("{}", number)));
        break;
      }
      case element_type::BOOL:
        builder_.AddOther(name, value.get_bool().value_unsafe() ? "true" : "false");
        break;
      case element_type::ARRAY:
      case element_type::OBJECT:
        builder_.AddOther(name, Keep(simdjson::minify(value)));
        break;
      case element_type::NULL_VALUE:
        break;
    }
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  const RoleTable roles_;
  RowBuilder builder_;
  simdjson::dom::parser parser_;
  std::string padded_;
  std::deque<std::string> arena_;
};

class Jsonl final : public Format {
 public:
  std::string_view name() const override { return "jsonl"; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view path, std::string_view head) const override {
    if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
    const bool named = path.ends_with(".jsonl") || path.ends_with(".ndjson");
    const size_t begin = head.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return named ? 80 : 0;
    const size_t newline = head.find('\n', begin);
    const std::string_view line =
        Trim(head.substr(begin, newline == std::string_view::npos ? newline : newline - begin));
    if (line.front() == '{' && (line.back() == '}' || newline == std::string_view::npos)) {
      // {braces} open other things too; an object has a name in quotes first, or nothing.
      const size_t next = line.find_first_not_of(" \t", 1);
      if (next != std::string_view::npos && (line[next] == '"' || line[next] == '}')) return 85;
    }
    return named ? 80 : 0;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    LineParser(block, options, out).ParseAll();
  }
};

}  // namespace

const Format& JsonlFormat() {
  static const Jsonl format;
  return format;
}

}  // namespace rhodes
