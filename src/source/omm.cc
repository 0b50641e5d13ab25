#include "source/omm.h"

#include <algorithm>
#include <deque>

#include "base/text.h"
#include "source/csv_row.h"
#include "source/encoding.h"
#include "source/json_document.h"
#include "source/json_stream.h"
#include "source/omm_notation.h"
#include "source/row_builder.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "omm/1";

enum class Notation { kJson, kCsv, kXml, kKvn };

struct OmmState final : FileState {
  Notation notation = Notation::kJson;
  size_t prefix = 0;                 // JSON: what stands before the array in {"data": [...]}
  std::vector<std::string> columns;  // CSV
  size_t header_end = 0;
  std::string encoding;  // XML
};

std::string_view WithoutMark(std::string_view head) { return head.starts_with("\xEF\xBB\xBF") ? head.substr(3) : head; }

std::string_view FirstLine(std::string_view head) {
  head = WithoutMark(head);
  const size_t begin = head.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return Trim(head.substr(begin, head.find('\n', begin) - begin));
}

// What the first character says; whether it is a message at all is IsOmm()'s to find out.
Notation NotationOf(std::string_view head) {
  const std::string_view line = FirstLine(head);
  if (line.starts_with('<')) return Notation::kXml;
  if (line.starts_with('[') || line.starts_with('{')) return Notation::kJson;
  const bool table = line.find(',') != std::string_view::npos && line.find("EPOCH") != std::string_view::npos;
  return table ? Notation::kCsv : Notation::kKvn;
}

// Where the elements of {"request_metadata": {...}, "data": [...]} begin; 0 when the file is none.
size_t DataPrefix(std::string_view head) {
  const std::string_view line = FirstLine(head);
  if (!line.starts_with('{')) return 0;
  const size_t data = head.find("\"data\"");
  const size_t epoch = head.find("\"EPOCH\"");
  if (data == std::string_view::npos || epoch < data) return 0;
  const size_t bracket = head.find_first_not_of(" \t\r\n:", data + 6);
  return bracket != std::string_view::npos && head[bracket] == '[' ? bracket + 1 : 0;
}

std::string EncodingOf(std::string_view head) {
  const std::string_view line = FirstLine(head);
  if (!line.starts_with("<?xml")) return "";
  const std::string_view declaration = line.substr(0, line.find("?>"));
  const size_t at = declaration.find("encoding");
  const size_t quote = declaration.find_first_of("\"'", at);
  if (at == std::string_view::npos || quote == std::string_view::npos) return "";
  const size_t end = declaration.find(declaration[quote], quote + 1);
  return std::string(declaration.substr(quote + 1, end == std::string_view::npos ? end : end - quote - 1));
}

class MessageParser {
 public:
  MessageParser(const Block& block, const OmmState& state, const ReadOptions& options, ParsedBlock& out)
      : block_(block), state_(state), options_(options), out_(out) {}

  void ParseAll() {
    switch (state_.notation) {
      case Notation::kJson:
        return ParseJson();
      case Notation::kCsv:
        return ParseCsv();
      case Notation::kXml:
      case Notation::kKvn:
        return ParseMessages();
    }
  }

 private:
  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
  }
  bool TooLong(size_t begin, size_t end) {
    if (end - begin <= options_.record_limit) return false;
    Reject(begin, end, fmt::format("message longer than {} bytes", options_.record_limit));
    return true;
  }

  void Finish(size_t begin, size_t end, ElementSet& set, std::string wrong) {
    Record record;
    if (wrong.empty()) wrong = set.Finish(record);
    if (!wrong.empty()) return Reject(begin, end, std::move(wrong));
    record.original = block_.bytes.substr(begin, end - begin);
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    SealRecord(options_, "element-set", kReader, record);
    out_.records.push_back(std::move(record));
  }

  void ParseJson() {
    size_t at = block_.begin == 0 ? std::min(state_.prefix, block_.bytes.size()) : 0;
    while (true) {
      const JsonPiece piece = NextJsonPiece(block_.bytes, at, true);
      if (piece.kind == JsonPiece::Kind::kEnd) return;
      at = piece.next;
      const std::string_view text = block_.bytes.substr(piece.begin, piece.end - piece.begin);
      // The end of {"data": [...]}: its array's bracket is framing as any is.
      if (state_.prefix > 0 && piece.kind == JsonPiece::Kind::kLine && text == "}") continue;
      if (TooLong(piece.begin, piece.end)) continue;
      if (piece.kind == JsonPiece::Kind::kBroken) {
        Reject(piece.begin, piece.end, "not JSON: the object breaks off");
      } else if (piece.kind == JsonPiece::Kind::kLine || piece.json_begin != piece.begin) {
        Reject(piece.begin, piece.end, "not an element set: no JSON object");
      } else {
        ParseObject(piece, text);
      }
    }
  }

  void ParseObject(const JsonPiece& piece, std::string_view text) {
    simdjson::dom::element root;
    const size_t padding = block_.bytes.size() - piece.end + block_.padding;
    std::string wrong = parser_.Parse(text, padding, block_.begin + piece.begin, root);
    if (!wrong.empty()) return Reject(piece.begin, piece.end, std::move(wrong));
    ElementSet set;
    for (const auto field : simdjson::dom::object(root)) {
      // A double's shortest digits are read back as the same double.
      if (!field.value.is_null()) set.Add(field.key, TextOf(field.value));
    }
    Finish(piece.begin, piece.end, set, "");
  }

  void ParseCsv() {
    size_t begin = 0;
    size_t end = 0;
    BlockLines lines(block_);
    while (lines.Next(begin, end)) {
      if (block_.begin + end <= state_.header_end || TooLong(begin, end)) continue;
      ParseRow(begin, end);
    }
  }

  void ParseRow(size_t begin, size_t end) {
    const std::string_view row = block_.bytes.substr(begin, end - begin);
    if (FindInvalidUtf8(row) != std::string_view::npos) return Reject(begin, end, "not UTF-8");
    std::deque<std::string> arena;
    std::vector<std::string_view> cells;
    if (!SplitCsvRow(row, arena, cells)) {
      return Reject(begin, end, "not a row: a quote is not closed, or text follows the closing one");
    }
    if (cells.size() != state_.columns.size()) {
      return Reject(begin, end, fmt::format("{} cells, the header has {}", cells.size(), state_.columns.size()));
    }
    if (std::equal(cells.begin(), cells.end(), state_.columns.begin()))
      return;  // the header once more: files put together
    ElementSet set;
    for (size_t i = 0; i < cells.size(); ++i) set.Add(state_.columns[i], cells[i]);
    Finish(begin, end, set, "");
  }

  void ParseMessages() {
    const bool xml = state_.notation == Notation::kXml;
    for (size_t at = 0;;) {
      const MessagePiece piece = xml ? NextXmlMessage(block_.bytes, at, true) : NextKvnMessage(block_.bytes, at, true);
      if (piece.kind == MessagePiece::Kind::kEnd) return;
      at = piece.next;
      if (TooLong(piece.begin, piece.end)) continue;
      if (piece.kind == MessagePiece::Kind::kOther) {
        Reject(piece.begin, piece.end,
               xml ? "not an <omm>" : "a line before CCSDS_OMM_VERS, with which a message begins");
        continue;
      }
      const std::string_view message = block_.bytes.substr(piece.begin, piece.end - piece.begin);
      ElementSet set;
      std::string wrong = xml ? ReadXmlMessage(message, state_.encoding, set) : ReadKvnMessage(message, set);
      Finish(piece.begin, piece.end, set, std::move(wrong));
    }
  }

  const Block& block_;
  const OmmState& state_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  JsonDocument parser_;
};

class Omm final : public Format {
 public:
  std::string_view name() const override { return "omm"; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    const auto has = [&](std::string_view key) { return head.find(key) != std::string_view::npos; };
    switch (NotationOf(head)) {
      case Notation::kJson:
        return has("\"EPOCH\"") && has("\"MEAN_ANOMALY\"") && has("\"RA_OF_ASC_NODE\"") ? 95 : 0;
      case Notation::kCsv: {
        const std::string_view line = FirstLine(head);
        return line.find("MEAN_MOTION") != std::string_view::npos && line.find("MEAN_ANOMALY") != std::string_view::npos
                   ? 95
                   : 0;
      }
      case Notation::kXml:
        return has("<omm") && has("CCSDS_OMM_VERS") ? 95 : 0;
      case Notation::kKvn:
        return FirstLine(head).starts_with("CCSDS_OMM_VERS") ? 95 : 0;
    }
    return 0;
  }

  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& /*options*/) const override {
    auto state = std::make_unique<OmmState>();
    state->notation = NotationOf(head);
    if (state->notation == Notation::kJson) state->prefix = DataPrefix(head);
    if (state->notation == Notation::kXml) state->encoding = EncodingOf(head);
    if (state->notation == Notation::kCsv) {
      const std::string_view line = FirstLine(head);
      state->header_end = static_cast<size_t>(line.data() - head.data()) + line.size();
      std::deque<std::string> arena;
      std::vector<std::string_view> cells;
      SplitCsvRow(line, arena, cells);
      for (const std::string_view cell : cells) state->columns.push_back(DecodeText(Trim(cell)).text);
    }
    return state;
  }

  size_t Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end, const FileState* state,
             const ReadOptions& /*options*/) const override {
    const auto& omm = *static_cast<const OmmState*>(state);
    switch (omm.notation) {
      case Notation::kJson: {
        const size_t prefix = begin == 0 ? std::min(omm.prefix, bytes.size()) : 0;
        const size_t cut = CutAtJsonPiece(bytes.substr(prefix), target - std::min(target, prefix), at_end);
        return cut > 0 ? prefix + cut : 0;
      }
      case Notation::kCsv:
        return CutAtLine(bytes, target);
      case Notation::kXml:
        return CutAtMessage(bytes, target, at_end, NextXmlMessage);
      case Notation::kKvn:
        return CutAtMessage(bytes, target, at_end, NextKvnMessage);
    }
    return 0;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    MessageParser(block, *static_cast<const OmmState*>(block.state), options, out).ParseAll();
  }
};

}  // namespace

const Format& OmmFormat() {
  static const Omm format;
  return format;
}

}  // namespace rhodes
