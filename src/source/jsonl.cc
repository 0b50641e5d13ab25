#include "source/jsonl.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <deque>

#include "base/text.h"
#include "source/json_document.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "jsonl/1";

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
    std::string broken = document_.Parse(line, block_.bytes.size() - end + block_.padding, block_.begin + begin, root);
    if (!broken.empty()) return Reject(begin, end, std::move(broken));
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
  JsonDocument document_;
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
