#include "source/json.h"

#include <algorithm>

#include "base/text.h"
#include "source/json_array.h"
#include "source/json_envelope.h"
#include "source/json_object.h"
#include "source/json_scan.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "json/1";
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";
// A first value no longer than this share of the record limit (1 MiB of 64) is taken whole, else in blocks.
constexpr uint64_t kHeadShare = 64;
// How much of an object around an array goes along with each element.
constexpr size_t kSharedFields = 16;
constexpr size_t kSharedBytes = 256;

using Fields = JsonObjectReader::Fields;

class JsonState final : public JsonArrayState {
 public:
  enum class Layout { kValues, kArray, kUtf16 };

  JsonState(Layout layout, size_t prefix, std::vector<std::string> path, Fields shared)
      : JsonArrayState(prefix), layout_(layout), path_(std::move(path)), shared_(std::move(shared)) {}

  Layout layout() const { return layout_; }
  // kArray: of the object around the array; empty when there is none.
  const std::vector<std::string>& path() const { return path_; }
  const Fields& shared() const { return shared_; }

 private:
  const Layout layout_;
  const std::vector<std::string> path_;
  const Fields shared_;
};

bool IsUtf16(std::string_view head) {
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) return true;
  if (head.size() < 4) return false;
  // ASCII first, as JSON does, has every other byte zero (RFC 4627, section 3).
  return (head[0] == '\0') != (head[1] == '\0') && (head[2] == '\0' || head[3] == '\0');
}

size_t SkipMark(std::string_view head) { return head.starts_with(kByteOrderMark) ? 3 : 0; }

// Between values: blanks, and the separators of JSON text sequences.
size_t SkipBetween(std::string_view bytes, size_t at) {
  while (at < bytes.size() && (IsJsonBlank(bytes[at]) || bytes[at] == '\x1E')) ++at;
  return at;
}

bool IsShared(std::string_view key, simdjson::dom::element value) {
  if (value.is_array() || value.is_object() || value.is_null()) return false;
  return JsonFieldText(value).size() <= kSharedBytes && key.size() <= kSharedBytes;
}

// What an object around an array says beside it, by the path of keys.
struct Beside {
  Fields shared;
  Fields own;  // too long or nested
};

void CollectBeside(simdjson::dom::object object, const std::vector<std::string>& path, size_t level,
                   const std::string& prefix, Beside& beside) {
  for (const auto field : object) {
    if (level < path.size() && field.key == path[level]) {
      simdjson::dom::object inner;
      if (field.value.get(inner) == simdjson::SUCCESS) {
        CollectBeside(inner, path, level + 1, prefix + path[level] + ".", beside);
      }
      continue;
    }
    if (field.value.is_null()) continue;
    std::string_view text;
    if (field.key == "type" && field.value.get(text) == simdjson::SUCCESS && text == "FeatureCollection") continue;
    const bool shared = beside.shared.size() < kSharedFields && IsShared(field.key, field.value);
    (shared ? beside.shared : beside.own).emplace_back(prefix + std::string(field.key), JsonFieldText(field.value));
  }
}

// The members before the array; `opening`: the object's bytes up to and with the array's bracket.
std::string BesideBefore(std::string_view opening, const std::vector<std::string>& path, JsonObjectReader& reader,
                         Beside& beside) {
  std::string text = std::string(opening) + "]";
  text.append(path.size(), '}');
  std::string reason = reader.Parse(text);
  simdjson::dom::object object;
  if (!reason.empty() || reader.root().get(object) != simdjson::SUCCESS) return reason;
  CollectBeside(object, path, 0, "", beside);
  std::sort(beside.shared.begin(), beside.shared.end());
  return reason;
}

// The members behind the array; `closing`: the object's bytes behind the array's bracket.
std::string BesideAfter(std::string_view closing, const std::vector<std::string>& path, JsonObjectReader& reader,
                        Beside& beside) {
  std::string text;
  for (const std::string& key : path) text += "{\"" + key + "\":";
  text += "[]";
  text += closing;
  std::string reason = reader.Parse(text);
  simdjson::dom::object object;
  if (!reason.empty() || reader.root().get(object) != simdjson::SUCCESS) return reason;
  CollectBeside(object, path, 0, "", beside);
  beside.own.insert(beside.own.end(), beside.shared.begin(), beside.shared.end());
  return reason;
}

class BlockParser {
 public:
  BlockParser(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block),
        bytes_(block.bytes),
        options_(options),
        out_(out),
        reader_(options, kReader),
        last_(block.last || block.padding == 0) {}

  void ParseAll() {
    const auto& state = *static_cast<const JsonState*>(block_.state);
    if (state.layout() == JsonState::Layout::kUtf16) {
      return Reject(0, bytes_.size(), "UTF-16 or UTF-32, which is not read as JSON: convert it to UTF-8");
    }
    if (state.layout() == JsonState::Layout::kValues) return ParseValues(block_.begin == 0 ? SkipMark(bytes_) : 0);
    size_t at = 0;
    if (block_.begin == 0) {
      at = std::min(state.prefix(), bytes_.size());
      if (!state.path().empty()) EmitBefore(SkipJsonBlanks(bytes_, SkipMark(bytes_)), at, state.path());
    }
    at = ParseElements(at, bytes_.size(), block_.begin == 0, last_, state.shared());
    if (at == std::string_view::npos) return;
    if (!state.path().empty()) at = EmitAfter(at, bytes_.size(), state.path());
    // The block has all that follows; more than a record is more than should be held.
    if (const size_t rest = SkipBetween(bytes_, at); bytes_.size() - rest > options_.record_limit) {
      return Reject(rest, bytes_.size(), fmt::format("more than {} bytes behind the array", options_.record_limit));
    }
    ParseValues(at);
  }

 private:
  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
  }

  // Objects, arrays and what else stands one after another from `begin` to the end of the block.
  void ParseValues(size_t begin) {
    for (size_t at = SkipBetween(bytes_, begin); at < bytes_.size(); at = SkipBetween(bytes_, at)) {
      const size_t after = AfterJsonValue(bytes_, at, true);
      const bool closed = after != std::string_view::npos;
      const size_t end = closed ? after : bytes_.size();
      if (end - at > options_.record_limit) {
        Reject(at, end, fmt::format("JSON text longer than {} bytes", options_.record_limit));
      } else if (bytes_[at] == '[') {
        ParseArray(at, end);
      } else if (bytes_[at] == '{') {
        ParseObject(at, end);
      } else {
        ParsePiece(at, end);
      }
      at = end;
    }
  }

  void ParseArray(size_t begin, size_t end) {
    const size_t after = ParseElements(begin + 1, end, true, true, {});
    const bool first = SkipBetween(bytes_, block_.begin == 0 ? SkipMark(bytes_) : 0) == begin && block_.begin == 0;
    // An empty list is an answer; beside other things it is something that is not read.
    if (!first && SkipJsonBlanks(bytes_, begin + 1) + 1 == after) Reject(begin, end, "an empty array");
  }

  // An object; `end` is behind its brace, or the end of the file.
  void ParseObject(size_t begin, size_t end) {
    const std::string_view text = bytes_.substr(begin, end - begin);
    const std::optional<JsonEnvelope> envelope = FindJsonEnvelope(text, true, reader_.roles());
    if (!envelope) return ParseRecord(begin, end, false, false);
    const Fields shared = EmitBefore(begin, begin + envelope->prefix, envelope->path);
    const size_t at = ParseElements(begin + envelope->prefix, end, true, true, shared);
    if (at != std::string_view::npos) EmitAfter(at, end, envelope->path);
  }

  // The elements of an array from `at`, behind its bracket or a comma, to `end` or its end. `first`: behind the
  // bracket. `last`: what is not closed at `end` is not closed at all. Returns the position behind the closing bracket,
  // npos when it is not there.
  size_t ParseElements(size_t at, size_t end, bool first, bool last, const Fields& shared) {
    shared_ = &shared;
    const std::string_view bytes = bytes_.substr(0, end);
    size_t position = std::string_view::npos;
    bool broken = false;
    while (position == std::string_view::npos) {
      const size_t begin = at = SkipJsonBlanks(bytes, at);
      if (at >= end) break;
      const JsonStop stop = FindJsonElementEnd(bytes, at);
      size_t element_end = at;
      while (element_end > begin && IsJsonBlank(bytes[element_end - 1])) --element_end;
      if (begin < element_end) {
        const size_t rejects = out_.rejects.size();
        ParseRecord(begin, element_end, true, stop == JsonStop::kMore);
        broken = stop == JsonStop::kMore && out_.rejects.size() > rejects;
      } else if (stop == JsonStop::kComma || !first) {
        Reject(at, at + 1, "nothing between a comma and what follows");
      }
      if (stop == JsonStop::kEnd && bytes[at] == '}') Reject(at, at + 1, "a brace closes the array");
      if (stop == JsonStop::kEnd) position = at + 1;
      if (stop == JsonStop::kMore) break;
      first = false;
      ++at;
      ReserveRecords(at, bytes_.size(), out_.records);
    }
    if (position == std::string_view::npos && last && !broken) Reject(end, end, "the array is not closed");
    shared_ = &none_;
    return position;
  }

  // One object of its own or (`element`) of an array. `open`: the file ends inside of it or right behind it.
  void ParseRecord(size_t begin, size_t end, bool element, bool open) {
    if (end - begin > options_.record_limit) {
      return Reject(begin, end, fmt::format("object longer than {} bytes", options_.record_limit));
    }
    const std::string reason = reader_.Parse(block_, begin, end);
    if (reason.empty()) return reader_.Emit(block_, begin, end, *shared_, out_);
    const std::vector<size_t> lines = LinesLike(begin, end);
    if (bytes_[begin] != '{' || lines.empty()) return Reject(begin, end, reason);
    size_t piece = begin;
    for (const size_t line : lines) {
      ParseLines(piece, line, element, false);
      piece = line;
    }
    ParseLines(piece, end, element, open);
  }

  // Where lines inside of [begin, end) begin with a brace as far in as the one at `begin`, which begins a line too.
  std::vector<size_t> LinesLike(size_t begin, size_t end) const {
    std::vector<size_t> lines;
    size_t line = begin;
    while (line > 0 && (bytes_[line - 1] == ' ' || bytes_[line - 1] == '\t')) --line;
    if (line == 0 ? block_.begin != 0 : bytes_[line - 1] != '\n') return lines;
    std::string mark = "\n";
    mark += bytes_.substr(line, begin - line);
    mark += '{';
    const std::string_view bytes = bytes_.substr(0, end);
    for (size_t at = bytes.find(mark, begin); at != std::string_view::npos; at = bytes.find(mark, at + 1)) {
      lines.push_back(at + mark.size() - 1);
    }
    return lines;
  }

  // A piece of something broken: an object and a comma, or a reject.
  void ParseLines(size_t begin, size_t end, bool element, bool open) {
    const auto trim = [&] {
      while (end > begin && IsJsonBlank(bytes_[end - 1])) --end;
    };
    trim();
    const size_t whole_end = end;
    if (element && open && bytes_[end - 1] == ']') {
      --end;
      trim();
    }
    if (element && end > begin && bytes_[end - 1] == ',') {
      --end;
      trim();
    }
    // Objects without indent, one element a line; or what is inside of an element has none either.
    const bool inner =
        element && bytes_[begin - 1] == '\n' && bytes_.substr(begin, end - begin).find('\n') < end - begin;
    std::string reason = reader_.Parse(block_, begin, end);
    if (reason.empty() && inner) reason = "not JSON: part of an element that is not closed";
    if (reason.empty()) return reader_.Emit(block_, begin, end, *shared_, out_);
    Reject(begin, whole_end, std::move(reason));
  }

  // What begins with neither brace nor bracket.
  void ParsePiece(size_t begin, size_t end) {
    std::string reason = reader_.Parse(block_, begin, end);
    if (!reason.empty()) return Reject(begin, end, std::move(reason));
    reader_.Emit(block_, begin, end, {}, out_);
  }

  // The record of what stands before the array in the object around it, if there is more than goes along with the
  // elements, which is returned.
  Fields EmitBefore(size_t begin, size_t end, const std::vector<std::string>& path) {
    Beside beside;
    const std::string reason = BesideBefore(bytes_.substr(begin, end - begin), path, reader_, beside);
    if (!reason.empty()) Reject(begin, end, reason);
    if (!beside.own.empty()) EmitEnvelope(begin, end, beside.own);
    return std::move(beside.shared);
  }

  // The same for what stands behind it. Returns the position behind the object.
  size_t EmitAfter(size_t begin, size_t limit, const std::vector<std::string>& path) {
    const std::string_view bytes = bytes_.substr(0, limit);
    size_t end = begin;
    for (size_t level = 0; level < path.size();) {
      const JsonStop stop = FindJsonElementEnd(bytes, end);
      if (stop == JsonStop::kMore) break;
      level += stop == JsonStop::kEnd ? 1 : 0;
      ++end;
    }
    Beside beside;
    const std::string reason = BesideAfter(bytes_.substr(begin, end - begin), path, reader_, beside);
    if (!reason.empty()) Reject(begin, end, "behind the array: " + reason);
    begin = SkipJsonBlanks(bytes_, begin);
    if (!beside.own.empty()) EmitEnvelope(begin, end, beside.own);
    return end;
  }

  void EmitEnvelope(size_t begin, size_t end, const Fields& fields) {
    Record record;
    record.fields = fields;
    std::stable_sort(record.fields.begin(), record.fields.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    const auto kept = std::unique(record.fields.rbegin(), record.fields.rend(), same);
    record.fields.erase(record.fields.begin(), kept.base());
    record.language = options_.language;
    record.original = bytes_.substr(begin, end - begin);
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    SealRecord(options_, "envelope", kReader, record);
    out_.records.push_back(std::move(record));
  }

  const Block& block_;
  const std::string_view bytes_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  JsonObjectReader reader_;
  const bool last_;
  const Fields none_;
  const Fields* shared_ = &none_;
};

size_t CutValues(std::string_view bytes, uint64_t begin, size_t target, bool at_end) {
  size_t cut = 0;
  for (size_t at = SkipBetween(bytes, begin == 0 ? SkipMark(bytes) : 0); at < bytes.size();
       at = SkipBetween(bytes, at)) {
    const size_t after = AfterJsonValue(bytes, at, at_end);
    if (after == std::string_view::npos || (after > target && cut > 0)) return cut;
    cut = at = after;
    if (cut >= target) return cut;
  }
  return cut;
}

class JsonFile final : public Format {
 public:
  std::string_view name() const override { return "json"; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view path, std::string_view head) const override {
    const bool named = path.ends_with(".json") || path.ends_with(".geojson");
    size_t at = SkipJsonBlanks(head, SkipMark(head));
    if (at < head.size() && head[at] == '[') {
      at = SkipJsonBlanks(head, at + 1);
      if (at < head.size() && head[at] == ']') return named ? 60 : 0;
    }
    // {braces} open other things too; an object has a name in quotes first, or nothing.
    if (at < head.size() && head[at] == '{') {
      at = SkipJsonBlanks(head, at + 1);
      if (at < head.size() && head[at] == '"') return named ? 60 : 50;
    }
    return named ? 40 : 0;
  }

  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& options) const override {
    using Layout = JsonState::Layout;
    if (IsUtf16(head)) return std::make_unique<JsonState>(Layout::kUtf16, 0, std::vector<std::string>(), Fields());
    const size_t share = std::max<size_t>(options.record_limit / kHeadShare, 64);
    const bool whole = head.size() <= share;
    const std::string_view text = head.substr(0, share);
    const size_t at = SkipJsonBlanks(text, SkipMark(text));
    if (!whole && at < text.size() && AfterJsonValue(text, at, false) == std::string_view::npos) {
      if (text[at] == '[')
        return std::make_unique<JsonState>(Layout::kArray, at + 1, std::vector<std::string>(), Fields());
      if (text[at] == '{') {
        JsonObjectReader reader(options, kReader);
        const std::string_view object = text.substr(at);
        if (std::optional<JsonEnvelope> envelope = FindJsonEnvelope(object, false, reader.roles())) {
          Beside beside;
          BesideBefore(object.substr(0, envelope->prefix), envelope->path, reader, beside);
          return std::make_unique<JsonState>(Layout::kArray, at + envelope->prefix, std::move(envelope->path),
                                             std::move(beside.shared));
        }
      }
    }
    return std::make_unique<JsonState>(Layout::kValues, 0, std::vector<std::string>(), Fields());
  }

  size_t Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end, const FileState* state,
             const ReadOptions& /*options*/) const override {
    const auto& json = *static_cast<const JsonState*>(state);
    switch (json.layout()) {
      case JsonState::Layout::kUtf16:
        return 0;
      case JsonState::Layout::kArray:
        return CutAtJsonElement(bytes, begin, target, at_end, json);
      case JsonState::Layout::kValues:
        return CutValues(bytes, begin, target, at_end);
    }
    return 0;
  }

  // Only where an object of the outermost level begins in files that are written with indents.
  size_t Resync(std::string_view bytes) const override {
    const size_t line = bytes.find("\n{");
    return line == std::string_view::npos ? line : line + 1;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    BlockParser(block, options, out).ParseAll();
  }
};

}  // namespace

const Format& JsonFormat() {
  static const JsonFile format;
  return format;
}

}  // namespace rhodes
