#include "source/jsonl.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "source/json_envelope.h"
#include "source/json_object.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "jsonl/1";

class LineParser {
 public:
  LineParser(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out), reader_(options, kReader) {}

  void ParseAll() {
    size_t begin = block_.begin == 0 && block_.bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    while (begin < block_.bytes.size()) {
      const void* newline = std::memchr(block_.bytes.data() + begin, '\n', block_.bytes.size() - begin);
      const size_t end = newline == nullptr
                             ? block_.bytes.size()
                             : static_cast<size_t>(static_cast<const char*>(newline) - block_.bytes.data());
      ParseLine(begin, end > begin && block_.bytes[end - 1] == '\r' ? end - 1 : end);
      begin = end + 1;
      ReserveRecords(std::min(begin, block_.bytes.size()), block_.bytes.size(), out_.records);
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
    std::string reason = reader_.Parse(block_, begin, end);
    if (!reason.empty()) return Reject(begin, end, std::move(reason));
    reader_.Emit(block_, begin, end, {}, out_);
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  JsonObjectReader reader_;
};

// Whether the second line that is not blank begins with a brace too.
bool SecondLineIsObject(std::string_view head, size_t newline) {
  const size_t begin = head.find_first_not_of(" \t\r\n", newline);
  return begin != std::string_view::npos && head[begin] == '{';
}

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
      if (next != std::string_view::npos && (line[next] == '"' || line[next] == '}')) {
        // A single line may also be `json`: so it is when its name says so or it is a list in an object.
        if (named || (newline != std::string_view::npos && SecondLineIsObject(head, newline))) return 85;
        const bool json = path.ends_with(".json") || path.ends_with(".geojson") ||
                          FindJsonEnvelope(line, newline != std::string_view::npos, RoleTable({}));
        return json ? 30 : 85;
      }
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
