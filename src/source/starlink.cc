#include "source/starlink.h"

#include "base/text.h"
#include "source/encoding.h"
#include "source/json_document.h"
#include "source/json_stream.h"
#include "source/row_builder.h"
#include "source/starlink_answer.h"
#include "source/starlink_csv.h"
#include "source/starlink_log.h"
#include "source/starlink_units.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "starlink/1";

using Kind = DishAnswer::Kind;

struct DishState final : FileState {
  std::optional<DishTable> table;  // of a file that is one
};

class DishLogParser {
 public:
  DishLogParser(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out) {}

  void ParseAll() {
    for (size_t at = 0;;) {
      const JsonPiece piece = NextJsonPiece(block_.bytes, at, true);
      if (piece.kind == JsonPiece::Kind::kEnd) return;
      at = piece.next;
      if (piece.kind == JsonPiece::Kind::kLine) {
        ParseLine(piece);
        continue;
      }
      ParseDocument(piece);
      start_.reset();
    }
  }

 private:
  void Reject(const JsonPiece& piece, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, piece.begin, piece.end, std::move(reason)));
  }

  void ParseLine(const JsonPiece& piece) {
    const std::string_view line = block_.bytes.substr(piece.begin, piece.end - piece.begin);
    const std::optional<Instant> start = TimeOfStartLine(line);
    if (start || IsEndLine(line)) {
      start_ = start;
      return;
    }
    start_.reset();
    if (line.size() > options_.record_limit) {
      return Reject(piece, fmt::format("line longer than {} bytes", options_.record_limit));
    }
    if (const std::optional<TopicLine> topic = ReadTopicLine(line, options_)) return ReadTopic(piece, line, *topic);
    Reject(piece, "not an answer of a dish: a line without JSON");
  }

  void ReadTopic(const JsonPiece& piece, std::string_view line, const TopicLine& topic) {
    Record record;
    const std::string name = DecodeText(topic.name).text;
    const std::string value = DecodeText(topic.value).text;
    const bool status = topic.group == "status" || topic.group == "obstruction_detail" || topic.group == "alert_detail";
    std::string_view kind = status ? "dish-status" : topic.group == "location" ? "dish-location" : "dish-statistics";
    if (name == "state" && value == "DISH_UNREACHABLE") kind = "dish-unreachable";
    const std::optional<double> number = ParseNumber(value);
    if (name == "alerts" && number && *number >= 1 && *number < 9e15) {
      record.fields.emplace_back(name, AlertsOfMask(static_cast<uint64_t>(*number)));
    }
    AddDishText(name, value, record);
    record.fields.emplace_back("topic", DecodeText(topic.topic).text);
    SetTime(topic.time ? topic.time : PollTime(options_), record);
    record.author = DecodeText(topic.dish).text;
    record.original = line;
    record.origin = {std::string(block_.path), block_.begin + piece.begin, block_.begin + piece.end};
    SortValues(record);
    SealRecord(options_, kind, kReader, record);
    out_.records.push_back(std::move(record));
  }

  static void SetTime(const std::optional<Instant>& time, Record& record) {
    if (!time) return;
    record.time = time->time;
    record.time_precision = time->precision;
  }

  void ParseDocument(const JsonPiece& piece) {
    const DishDocument document{block_, options_, piece.begin, piece.json_begin, piece.end};
    if (document.json().size() > options_.record_limit) {
      return Reject(piece, fmt::format("answer longer than {} bytes", options_.record_limit));
    }
    if (piece.kind == JsonPiece::Kind::kBroken) return Reject(piece, "not JSON: the object breaks off");
    simdjson::dom::element root;
    const uint64_t at = block_.begin + piece.json_begin;
    const size_t padding = block_.bytes.size() - piece.end + block_.padding;
    std::string wrong = parser_.Parse(document.json(), padding, at, root);
    if (!wrong.empty()) {
      const std::string replaced = ReplaceNotNumbers(document.json());
      if (!replaced.empty()) wrong = parser_.Parse(replaced, 0, at, root);
    }
    if (!wrong.empty()) return Reject(piece, std::move(wrong));
    LogPrefix prefix = ReadLogPrefix(block_.bytes.substr(piece.begin, piece.json_begin - piece.begin), options_);
    DishAnswer answer;
    answer.value = NullElement();
    answer.time = prefix.time;
    answer.dish = std::move(prefix.dish);
    answer.fields = std::move(prefix.fields);
    wrong = FindDishAnswer(root, options_, answer);
    if (!wrong.empty()) return Reject(piece, std::move(wrong));
    if (!answer.time) answer.time = start_;
    if (!answer.time) answer.time = PollTime(options_);
    if (answer.kind == Kind::kHistory) return ReadDishHistory(document, answer, out_);
    if (answer.kind != Kind::kMap) return ReadDishStatus(document, answer, out_);
    if (!answer.time) answer.time = TimeOfFileName(block_.path);
    ReadDishMap(document, answer, out_);
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  JsonDocument parser_;
  std::optional<Instant> start_;  // of the line before
};

class Starlink final : public Format {
 public:
  Starlink(std::string_view name, Kind kind) : name_(name), kind_(kind) {}

  std::string_view name() const override { return name_; }
  Framing framing() const override { return Framing::kBlocks; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    if (kind_ == Kind::kStatus && IsDishTable(head)) return 95;
    const std::optional<Kind> first = SniffDishAnswer(head);
    if (!first) return 0;
    const bool other = *first != Kind::kHistory && *first != Kind::kMap;  // those are read as a status is
    return *first == kind_ || (other && kind_ == Kind::kStatus) ? 95 : 0;
  }

  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& /*options*/) const override {
    auto state = std::make_unique<DishState>();
    if (IsDishTable(head)) state->table = ReadDishTable(head);
    return state;
  }

  size_t Cut(std::string_view bytes, uint64_t /*begin*/, size_t target, bool at_end, const FileState* state,
             const ReadOptions& /*options*/) const override {
    const auto& dish = *static_cast<const DishState*>(state);
    return dish.table ? CutDishTable(bytes, target, at_end, *dish.table)
                      : CutAtJsonPiece(bytes, target, at_end, IsStartLine);
  }

  size_t Resync(std::string_view bytes) const override { return ResyncAtJsonLine(bytes); }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    const auto& dish = *static_cast<const DishState*>(block.state);
    if (dish.table) return ParseDishTable(block, *dish.table, options, out);
    DishLogParser(block, options, out).ParseAll();
  }

 private:
  std::string_view name_;
  Kind kind_;
};

}  // namespace

const Format& StarlinkStatusFormat() {
  static const Starlink format("starlink-status", Kind::kStatus);
  return format;
}

const Format& StarlinkHistoryFormat() {
  static const Starlink format("starlink-history", Kind::kHistory);
  return format;
}

const Format& StarlinkObstructionFormat() {
  static const Starlink format("starlink-obstruction", Kind::kMap);
  return format;
}

}  // namespace rhodes
