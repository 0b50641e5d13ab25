// A dish's history: rings of one value a second, unrolled into samples, and outages and events with times of their own.
#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "source/gps_time.h"
#include "source/json_document.h"
#include "source/json_stream.h"
#include "source/row_builder.h"
#include "source/starlink_answer.h"
#include "source/starlink_units.h"

namespace rhodes {
namespace {

constexpr std::string_view kReader = "starlink/1";
constexpr int64_t kSecond = 1'000'000;

struct Ring {
  std::string name;
  simdjson::dom::array values;
  std::vector<JsonSpan> spans;  // of the values, in the document
};

// The GPS time of an outage's or event's start; none when the dish had no time then (-1).
std::optional<int64_t> GpsNanoseconds(simdjson::dom::element value) {
  const std::optional<uint64_t> count = UnsignedOf(value);
  if (!count || *count == 0 || *count > INT64_MAX) return std::nullopt;
  return static_cast<int64_t>(*count);
}

class HistoryReader {
 public:
  HistoryReader(const DishDocument& document, const DishAnswer& answer, ParsedBlock& out)
      : document_(document), answer_(answer), out_(out), time_(answer.time) {}

  void Read() {
    if (!SortMembers()) return;
    const size_t before = out_.records.size() + out_.rejects.size();
    ReadSamples();
    for (const Happening& happening : happenings_) ReadHappenings(happening);
    if (out_.records.size() + out_.rejects.size() == before) {
      Reject(document_.begin, document_.end, "a history without samples and outages");
    }
  }

 private:
  // The list of outages or events.
  struct Happening {
    const char* kind;
    simdjson::dom::element list;
    JsonSpan span;
  };

  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(document_.block, begin, end, std::move(reason)));
  }
  // A place in the document as one in the block.
  size_t InBlock(size_t at) const { return document_.json_begin + at; }

  // Tells rings, outages and events apart. False when the document is rejected.
  bool SortMembers() {
    const std::string_view json = document_.json();
    const JsonSpan span =
        answer_.key.empty() ? JsonSpan{json.find('{'), json.size()} : FindJsonMember(json, 0, answer_.key);
    std::optional<uint64_t> current;
    bool has_current = false;
    simdjson::dom::object members(answer_.value);
    for (const auto field : members) {
      const std::string plain = PlainName(field.key);
      const JsonSpan at = span ? FindJsonMember(json, span.begin, field.key) : JsonSpan();
      if (field.value.is_null()) continue;
      if (plain == "current") {
        has_current = true;
        current = UnsignedOf(field.value);
      } else if (plain == "outages" && field.value.is_array()) {
        happenings_.push_back({"dish-outage", field.value, at});
      } else if (plain == "eventlog" && field.value.is_object()) {
        AddEventLog(simdjson::dom::object(field.value), at);
      } else if (simdjson::dom::array values; field.value.get(values) == simdjson::SUCCESS) {
        AddRing(field.key, values, at);
      } else if (!answer_.key.empty()) {
        Reject(at ? InBlock(at.begin) : document_.begin, at ? InBlock(at.end) : document_.end,
               fmt::format("\"{}\" of a history is not read", field.key));
      }
    }
    if (!rings_.empty() && !current) {
      Reject(document_.begin, document_.end,
             has_current ? "a history's \"current\" is no count"
                         : "a history without \"current\": which samples are new?");
      return false;
    }
    current_ = current.value_or(0);
    // The ring that gives the samples their places is the first of the answer, that of the pings before others.
    std::stable_partition(rings_.begin(), rings_.end(),
                          [](const Ring& ring) { return PlainName(ring.name) == "poppingdroprate"; });
    FindBoot();
    return true;
  }

  void AddRing(std::string_view name, simdjson::dom::array values, JsonSpan span) {
    if (values.size() == 0) return;
    Ring ring{std::string(name), values, {}};
    if (span) ring.spans = JsonElementSpans(document_.json(), span.begin);
    const bool scalars = std::none_of(values.begin(), values.end(), [](simdjson::dom::element value) {
      return value.is_object() || value.is_array();
    });
    if (!scalars || ring.spans.size() != values.size()) {
      return Reject(span ? InBlock(span.begin) : document_.begin, span ? InBlock(span.end) : document_.end,
                    fmt::format("\"{}\" of a history is no ring of numbers", name));
    }
    rings_.push_back(std::move(ring));
  }

  void AddEventLog(simdjson::dom::object log, JsonSpan span) {
    const std::string_view json = document_.json();
    for (const auto field : log) {
      const std::string plain = PlainName(field.key);
      if (plain == "events" && field.value.is_array() && span) {
        happenings_.push_back({"dish-event", field.value, FindJsonMember(json, span.begin, field.key)});
      }
      // The dish's own clock when it answered.
      if (plain == "currenttimestampns" && !time_) {
        if (const auto now = GpsNanoseconds(field.value)) {
          time_ = Instant{UnixOfGpsNanoseconds(*now), TimePrecision::kMicrosecond, true};
        }
      }
    }
  }

  // When the dish began to boot is in the list of outages, to the nanosecond and the same in every answer until it
  // boots again: with the number of a sample it names that sample for good.
  void FindBoot() {
    for (const Happening& happening : happenings_) {
      for (const simdjson::dom::element outage : simdjson::dom::array(happening.list)) {
        simdjson::dom::object members;
        if (outage.get(members) != simdjson::SUCCESS) continue;
        std::optional<int64_t> start;
        bool booting = false;
        for (const auto field : members) {
          const std::string plain = PlainName(field.key);
          if (plain == "starttimestampns") start = GpsNanoseconds(field.value);
          if (plain == "cause") booting = StringOf(field.value) == "BOOTING";
        }
        if (booting && start) boot_ = std::max(boot_.value_or(0), *start);
      }
    }
  }

  const std::string& DocumentId() {
    if (document_id_.empty()) document_id_ = ContentId({document_.json()});
    return document_id_;
  }

  // What a sample's id is made from, so that it is one and the same in two answers that overlap, and another's never.
  std::string SampleIdentity(uint64_t number, const std::string& values) {
    if (boot_) return fmt::format("boot {} sample {}", *boot_, number);
    if (!time_) return fmt::format("answer {} sample {}", DocumentId(), number);
    // The dish counts a sample each second: when it began to is known to a second or so, so minutes are compared.
    const int64_t since = static_cast<int64_t>(std::min<uint64_t>(current_, uint64_t{1} << 40)) * kSecond;
    return fmt::format("dish {} since minute {} sample {}: {}", answer_.dish, (time_->time - since) / (60 * kSecond),
                       number, values);
  }

  void ReadSamples() {
    uint64_t longest = 0;
    for (const Ring& ring : rings_) longest = std::max<uint64_t>(longest, ring.spans.size());
    const uint64_t count = std::min(current_, longest);
    std::vector<std::vector<simdjson::dom::element>> values;
    for (const Ring& ring : rings_) values.emplace_back(ring.values.begin(), ring.values.end());
    for (uint64_t age = count; age-- > 0;) ReadSample(current_ - 1 - age, age, values);
  }

  void ReadSample(uint64_t number, uint64_t age, const std::vector<std::vector<simdjson::dom::element>>& values) {
    Record record;
    JsonSpan place;
    std::string bytes;
    for (size_t i = 0; i < rings_.size(); ++i) {
      const Ring& ring = rings_[i];
      if (age >= ring.spans.size()) continue;  // written over
      const size_t index = number % ring.spans.size();
      const JsonSpan span = ring.spans[index];
      if (!place) place = span;
      bytes += fmt::format("{}={} ", ring.name, document_.json().substr(span.begin, span.end - span.begin));
      AddDishValues(values[i][index], ring.name, record);
    }
    record.fields.emplace_back("sample", fmt::format_int(number).str());
    if (time_) {
      record.time = time_->time - static_cast<int64_t>(age) * kSecond;
      record.time_precision = time_->precision;
    } else {
      record.channels.emplace_back("seconds_before_poll", static_cast<double>(age));
      record.units.emplace_back("seconds_before_poll", "s");
    }
    FrameDishRecord(document_, answer_, InBlock(place.begin), InBlock(place.end), record);
    SortValues(record);
    SealRecord(document_.options, "dish-sample", kReader, SampleIdentity(number, bytes), record);
    out_.records.push_back(std::move(record));
  }

  void ReadHappenings(const Happening& happening) {
    const std::vector<JsonSpan> spans =
        happening.span ? JsonElementSpans(document_.json(), happening.span.begin) : std::vector<JsonSpan>();
    size_t index = 0;
    for (const simdjson::dom::element value : simdjson::dom::array(happening.list)) {
      const JsonSpan span = index < spans.size() ? spans[index] : JsonSpan{0, document_.json().size()};
      ReadHappening(happening.kind, value, span, index++);
    }
  }

  void ReadHappening(const char* kind, simdjson::dom::element value, JsonSpan span, size_t index) {
    simdjson::dom::object members;
    if (value.get(members) != simdjson::SUCCESS) {
      return Reject(InBlock(span.begin), InBlock(span.end), "not an outage: no JSON object");
    }
    Record record;
    std::optional<int64_t> start;
    std::string identity = answer_.dish;
    for (const auto field : members) {
      const std::string plain = PlainName(field.key);
      const std::string text = TextOf(field.value);
      identity += fmt::format(" {}={}", plain, text);
      if (plain == "starttimestampns") start = GpsNanoseconds(field.value);
      if (plain == "starttimestampns" || plain == "durationns") {
        record.fields.emplace_back(field.key, text);
        const std::optional<uint64_t> duration = plain == "durationns" ? UnsignedOf(field.value) : std::nullopt;
        if (!duration) continue;
        record.channels.emplace_back("duration", static_cast<double>(*duration) / 1e9);
        record.units.emplace_back("duration", "s");
      } else {
        AddDishValues(field.value, std::string(field.key), record);
      }
    }
    if (start) {
      record.time = UnixOfGpsNanoseconds(*start);
      record.time_precision = TimePrecision::kMicrosecond;
    } else {
      identity = fmt::format("answer {} number {}", DocumentId(), index);
    }
    FrameDishRecord(document_, answer_, InBlock(span.begin), InBlock(span.end), record);
    SortValues(record);
    SealRecord(document_.options, kind, kReader, identity, record);
    out_.records.push_back(std::move(record));
  }

  const DishDocument& document_;
  const DishAnswer& answer_;
  ParsedBlock& out_;
  std::optional<Instant> time_;
  std::vector<Ring> rings_;
  std::vector<Happening> happenings_;
  uint64_t current_ = 0;
  std::optional<int64_t> boot_;
  std::string document_id_;
};

}  // namespace

void ReadDishHistory(const DishDocument& document, const DishAnswer& answer, ParsedBlock& out) {
  HistoryReader(document, answer, out).Read();
}

}  // namespace rhodes
