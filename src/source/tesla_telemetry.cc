#include "source/tesla_telemetry.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "source/encoding.h"
#include "source/json_document.h"
#include "source/protobuf_wire.h"
#include "source/row_builder.h"
#include "source/tesla_fields.h"
#include "source/tesla_message.h"

namespace rhodes {
namespace {

using simdjson::dom::element;

constexpr std::string_view kReader = "tesla-telemetry/1";
constexpr uint64_t kLargestMessage = 1'000'000;  // the server takes no larger ones

enum class Shape { kLines, kOnePayload, kVarintLengths, kFixedLengths };

class TelemetryState final : public FileState {
 public:
  explicit TelemetryState(Shape file_shape) : shape(file_shape) {}
  const Shape shape;
};

// The message behind its length at `at`: where its bytes begin and end; nothing when the length is not whole or
// cannot be one.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};
std::optional<Span> SpanAt(std::string_view bytes, size_t at, Shape shape) {
  size_t begin = 0;
  uint64_t size = 0;
  if (shape == Shape::kVarintLengths) {
    ProtobufReader reader(bytes.substr(at, 10));
    const std::optional<uint64_t> length = reader.Varint();
    if (!length) return std::nullopt;
    size = *length;
    begin = at + reader.position();
  } else {
    if (bytes.size() - at < 4) return std::nullopt;
    for (size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<uint8_t>(bytes[at + i]);
    begin = at + 4;
  }
  if (size == 0 || size > kLargestMessage) return std::nullopt;
  return Span{begin, begin + size};
}

// How many whole messages stand at the beginning of `head`; 0 when the first is none, or one is broken.
size_t CountMessages(std::string_view head, Shape shape) {
  size_t count = 0;
  for (size_t at = 0; at < head.size() && count < 8; ++count) {
    const std::optional<Span> span = SpanAt(head, at, shape);
    if (!span) return 0;
    if (span->end > head.size()) break;
    Record record;
    if (!ReadTeslaPayload(head.substr(span->begin, span->end - span->begin), TeslaMessage::kUnknown, record).empty()) {
      return 0;
    }
    at = span->end;
  }
  return count;
}

bool LooksLikeLines(std::string_view head) {
  const std::string_view text = Trim(head.substr(0, 4096));
  return !LooksBinary(head.substr(0, 4096)) && !text.empty() && (text.starts_with('{') || text.find('/') != text.npos);
}

Shape ShapeOf(std::string_view head) {
  if (LooksLikeLines(head)) return Shape::kLines;
  for (const Shape shape : {Shape::kVarintLengths, Shape::kFixedLengths}) {
    if (CountMessages(head, shape) > 0) return shape;
  }
  return Shape::kOnePayload;
}

// "base/VIN/v/VehicleSpeed 65.2": nothing when the line has no such topic.
struct MqttLine {
  std::string vin;
  std::string kind;  // "v", "alerts", "errors", "connectivity"
  std::string name;
  std::string_view payload;
};
std::optional<MqttLine> ParseMqtt(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::vector<std::string_view> parts = Split(line.substr(0, space), '/');
  for (size_t i = 1; i < parts.size(); ++i) {
    for (const std::string_view kind : {"v", "alerts", "errors", "connectivity"}) {
      if (parts[i] != kind || (i + 1 == parts.size()) != (kind == "connectivity")) continue;
      MqttLine result;
      result.vin = parts[i - 1];
      result.kind = kind;
      if (i + 1 < parts.size()) result.name = parts[i + 1];
      result.payload = line.substr(space + 1);
      return result;
    }
  }
  return std::nullopt;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    int value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = c - 'A';
    } else if (c >= 'a' && c <= 'z') {
      value = c - 'a' + 26;
    } else if (c >= '0' && c <= '9') {
      value = c - '0' + 52;
    } else if (c == '+' || c == '-') {
      value = 62;
    } else if (c == '/' || c == '_') {
      value = 63;
    } else if (c == '=') {
      break;
    } else {
      return std::nullopt;
    }
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return bytes;
}

class Reader {
 public:
  Reader(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out), expected_(TeslaMessageOfName(block.path)) {}

  void ReadLines() {
    BlockLines lines(block_);
    size_t begin = 0;
    size_t end = 0;
    while (lines.Next(begin, end)) {
      Record record;
      std::string reason = ReadLine(block_.bytes.substr(begin, end - begin), begin, end, record);
      Finish(begin, end, std::move(reason), std::move(record));
    }
  }

  void ReadMessages(Shape shape) {
    for (size_t at = 0; at < block_.bytes.size();) {
      const std::optional<Span> span = SpanAt(block_.bytes, at, shape);
      if (!span || span->end > block_.bytes.size()) {
        Finish(at, block_.bytes.size(), span ? "the file breaks off inside this message" : "no length of a message",
               {});
        return;
      }
      ReadPayload(span->begin, span->end);
      at = span->end;
    }
  }

  void ReadPayload(size_t begin, size_t end) {
    Record record;
    std::string reason = ReadTeslaPayload(block_.bytes.substr(begin, end - begin), expected_, record);
    if (!reason.empty() && expected_ != TeslaMessage::kUnknown) {  // the file's name may say nothing of its content
      reason = ReadTeslaPayload(block_.bytes.substr(begin, end - begin), TeslaMessage::kUnknown, record);
    }
    Finish(begin, end, std::move(reason), std::move(record));
  }

 private:
  std::string ReadLine(std::string_view line, size_t begin, size_t end, Record& record) {
    if (!line.starts_with('{')) {
      if (const std::optional<MqttLine> mqtt = ParseMqtt(line)) return ReadMqtt(*mqtt, record);
      return "neither a JSON object nor a topic and its payload";
    }
    if (line.size() > options_.record_limit) return fmt::format("line longer than {} bytes", options_.record_limit);
    element root = NullElement();
    std::string reason = document_.Parse(line, block_.bytes.size() - end + block_.padding, block_.begin + begin, root);
    if (!reason.empty()) return reason;
    // A message of a queue with its bytes in base64.
    for (const char* member : {"value", "payload", "data"}) {
      element value;
      if (root[member].get(value) != simdjson::SUCCESS || !value.is_string()) continue;
      element topic;
      TeslaMessage expected = expected_;
      for (const char* name : {"topic", "txtype"}) {
        if (root[name].get(topic) == simdjson::SUCCESS) expected = TeslaMessageOfName(StringOf(topic));
      }
      const std::optional<std::string> bytes = DecodeBase64(StringOf(value));
      if (!bytes) return fmt::format("\"{}\" is not base64", member);
      reason = ReadTeslaPayload(*bytes, expected, record);
      if (element key; reason.empty() && record.author.empty() && root["key"].get(key) == simdjson::SUCCESS) {
        record.author = StringOf(key);
      }
      return reason;
    }
    return ReadTeslaJson(root, expected_, record);
  }

  std::string ReadMqtt(const MqttLine& mqtt, Record& record) {
    element value = NullElement();
    std::string reason = document_.Parse(mqtt.payload, 0, block_.begin, value);
    if (!reason.empty()) return reason;
    if (mqtt.kind == "v") {
      record.kind = "telemetry";
      if (const std::optional<double> number = value.is_number() ? NumberOf(value) : std::nullopt) {
        AddTeslaNumber(mqtt.name, *number, record);
      } else if (element latitude; value["latitude"].get(latitude) == simdjson::SUCCESS) {
        element longitude = NullElement();
        if (value["longitude"].get(longitude) != simdjson::SUCCESS) return "a latitude without a longitude";
        const std::optional<double> north = NumberOf(latitude);
        const std::optional<double> east = NumberOf(longitude);
        if (!north || !east) return "latitude and longitude are not numbers";
        SetTeslaLocation(mqtt.name, *north, *east, record);
      } else if (value.is_null()) {
        AddTeslaInvalid(mqtt.name, record);
      } else {
        AddTeslaString(mqtt.name, TextOf(value), record);
      }
      SortValues(record);
    } else {
      record.kind = mqtt.kind == "alerts" ? "alert" : mqtt.kind == "errors" ? "error" : "connectivity";
      if (mqtt.kind == "connectivity") {
        reason = ReadTeslaJson(value, TeslaMessage::kConnectivity, record);
      } else {
        Flatten(value, "", false, record);
        record.fields.emplace_back("name", mqtt.name);
        SortValues(record);
      }
    }
    record.author = mqtt.vin;
    return reason;
  }

  void Finish(size_t begin, size_t end, std::string reason, Record record) {
    if (!reason.empty()) {
      out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
      return;
    }
    record.original = block_.bytes.substr(begin, end - begin);
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    const std::string kind = record.kind;
    SealRecord(options_, kind, kReader, record);
    out_.records.push_back(std::move(record));
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  const TeslaMessage expected_;
  JsonDocument document_;
};

class TeslaTelemetry final : public Format {
 public:
  std::string_view name() const override { return "tesla-telemetry"; }
  Framing framing() const override { return Framing::kBlocks; }
  bool binary() const override { return true; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    if (!LooksLikeLines(head)) {
      // Few bytes fit by chance: the payloads must name a vehicle.
      const Shape shape = ShapeOf(head);
      const std::string_view first =
          shape == Shape::kOnePayload
              ? head
              : head.substr(SpanAt(head, 0, shape)->begin, SpanAt(head, 0, shape)->end - SpanAt(head, 0, shape)->begin);
      Record record;
      const bool fits = ReadTeslaPayload(first, TeslaMessage::kUnknown, record).empty() && record.author.size() == 17;
      return fits ? 100 : 0;
    }
    const std::string_view line = Trim(head.substr(0, head.find('\n')));
    const auto has = [&](std::string_view key) { return line.find(key) != std::string_view::npos; };
    if (line.starts_with('{')) {
      if (has("\"record_payload\"")) return 96;
      if (has("\"vin\"") && (has("\"isResend\"") || has("\"connectionId\""))) return 94;
      if (has("\"vin\"") && has("\"createdAt\"") &&
          (has("\"alerts\"") || has("\"errors\"") || (has("\"data\"") && has("\"key\"") && has("\"value\"")))) {
        return 94;
      }
      if (has("\"Vin\"") && has("\"CreatedAt\"")) return 94;
      const bool queue =
          has("\"topic\"") && (has("_V\"") || has("_alerts\"") || has("_errors\"") || has("_connectivity\""));
      return queue ? 90 : 0;
    }
    const std::optional<MqttLine> mqtt = ParseMqtt(line);
    if (!mqtt || mqtt->vin.size() != 17) return 0;
    return mqtt->kind != "v" || IsTeslaField(mqtt->name) ? 90 : 0;
  }

  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& /*options*/) const override {
    return std::make_unique<TelemetryState>(ShapeOf(head));
  }

  size_t Cut(std::string_view bytes, uint64_t /*begin*/, size_t target, bool at_end, const FileState* state,
             const ReadOptions& /*options*/) const override {
    const Shape shape = static_cast<const TelemetryState&>(*state).shape;
    if (shape == Shape::kLines) return CutAtLine(bytes, target);
    if (shape == Shape::kOnePayload) return at_end ? bytes.size() : 0;
    size_t cut = 0;
    while (cut < bytes.size()) {
      const std::optional<Span> span = SpanAt(bytes, cut, shape);
      if (!span) return cut > 0 ? cut : at_end ? bytes.size() : 0;
      if (span->end > bytes.size()) break;
      if (span->end > target && cut > 0) break;
      cut = span->end;
      if (cut > target) break;
    }
    return cut > 0 ? cut : at_end ? bytes.size() : 0;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    Reader reader(block, options, out);
    switch (static_cast<const TelemetryState&>(*block.state).shape) {
      case Shape::kLines:
        return reader.ReadLines();
      case Shape::kOnePayload:
        return reader.ReadPayload(0, block.bytes.size());
      case Shape::kVarintLengths:
      case Shape::kFixedLengths:
        return reader.ReadMessages(static_cast<const TelemetryState&>(*block.state).shape);
    }
  }
};

}  // namespace

const Format& TeslaTelemetryFormat() {
  static const TeslaTelemetry format;
  return format;
}

}  // namespace rhodes
