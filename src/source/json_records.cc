#include "source/json_records.h"

#include <optional>

#include "base/hash.h"
#include "base/text.h"
#include "source/json_array.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

class RecordsState final : public FileState {
 public:
  enum class Shape { kLines, kArray, kDocument };
  RecordsState(Shape file_shape, size_t prefix) : shape(file_shape), array(prefix) {}
  const Shape shape;
  const JsonArrayState array;
};

const RecordsState& StateOf(const FileState* state) { return static_cast<const RecordsState&>(*state); }

}  // namespace

void JsonRecordsFormat::TrimLine(std::string_view line, size_t& begin, size_t& end) const {
  begin = std::min(line.find_first_not_of(" \t\r"), line.size());
  end = line.find_last_not_of(" \t\r") + 1;
}

std::unique_ptr<FileState> JsonRecordsFormat::Prepare(std::string_view head, const ReadOptions& /*options*/) const {
  using Shape = RecordsState::Shape;
  size_t prefix = FindJsonArray(head);
  if (prefix != std::string_view::npos) return std::make_unique<RecordsState>(Shape::kArray, prefix);
  // An object that its first line does not close is one document.
  const size_t begin = head.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (begin != std::string_view::npos && head[begin] == '{') {
    const size_t newline = head.find('\n', begin);
    const bool closes = newline == std::string_view::npos || EndOfJsonValue(head, begin) <= newline;
    prefix = array_key().empty() ? std::string_view::npos : FindJsonArray(head, array_key());
    if (!closes && prefix != std::string_view::npos) return std::make_unique<RecordsState>(Shape::kArray, prefix);
    if (!closes) return std::make_unique<RecordsState>(Shape::kDocument, 0);
  }
  return std::make_unique<RecordsState>(Shape::kLines, 0);
}

size_t JsonRecordsFormat::Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end,
                              const FileState* state, const ReadOptions& /*options*/) const {
  switch (StateOf(state).shape) {
    case RecordsState::Shape::kLines:
      return CutAtLine(bytes, target);
    case RecordsState::Shape::kArray:
      return CutAtJsonElement(bytes, begin, target, at_end, StateOf(state).array);
    case RecordsState::Shape::kDocument:
      return at_end ? bytes.size() : 0;
  }
  return 0;
}

void JsonRecordsFormat::Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const {
  JsonDocument document;
  const auto read = [&](size_t begin, size_t end) {
    const Place place{&block, begin, end};
    std::string reason;
    if (end - begin > options.record_limit) reason = fmt::format("longer than {} bytes", options.record_limit);
    simdjson::dom::element root = NullElement();
    if (reason.empty()) {
      reason = document.Parse(place.text(), block.bytes.size() - end + block.padding, block.begin + begin, root);
    }
    simdjson::dom::object object;
    if (reason.empty() && root.get(object) != simdjson::SUCCESS) reason = "not a JSON object";
    if (reason.empty()) reason = ReadObject(object, place, options, out);
    if (!reason.empty()) out.rejects.push_back(MakeReject(block, begin, end, std::move(reason)));
  };
  const RecordsState& state = StateOf(block.state);
  if (state.shape == RecordsState::Shape::kArray) {
    JsonElements elements(block, state.array);
    JsonElements::Element found;
    while (elements.Next(found)) {
      if (!found.whole && block.padding == 0) {
        out.rejects.push_back(MakeReject(block, found.begin, found.end, "the file breaks off inside this element"));
      } else {
        read(found.begin, found.end);
      }
    }
    return;
  }
  if (state.shape == RecordsState::Shape::kDocument) {
    const std::string_view text = Trim(block.bytes.starts_with("\xEF\xBB\xBF") ? block.bytes.substr(3) : block.bytes);
    const size_t begin = static_cast<size_t>(text.data() - block.bytes.data());
    if (!text.empty()) read(begin, begin + text.size());
    return;
  }
  BlockLines lines(block);
  size_t begin = 0;
  size_t end = 0;
  while (lines.Next(begin, end)) {
    size_t from = 0;
    size_t to = 0;
    TrimLine(block.bytes.substr(begin, end - begin), from, to);
    if (from < to) read(begin + from, begin + to);
  }
}

void JsonRecordsFormat::Add(Record record, const Place& place, const ReadOptions& options, ParsedBlock& out,
                            const std::string& identity) const {
  SortValues(record);
  record.original = place.text();
  record.origin = {std::string(place.block->path), place.block->begin + place.begin, place.block->begin + place.end};
  const std::string kind = record.kind;
  SealRecord(options, kind, reader(), record);
  if (!identity.empty()) record.id = ContentId({record.source, record.kind, identity, record.original});
  out.records.push_back(std::move(record));
}

}  // namespace rhodes
