#include "fuse/anomalies.h"

#include <absl/container/flat_hash_map.h>

#include <chrono>
#include <cmath>
#include <map>
#include <tuple>

#include "fuse/place.h"

namespace rhodes {
namespace {

const char* NameOf(Anomaly::Kind kind) {
  switch (kind) {
    case Anomaly::Kind::kFuture:
      return "future";
    case Anomaly::Kind::kClock:
      return "clock";
    case Anomaly::Kind::kTwoPlaces:
      break;
  }
  return "two places";
}

const char* WordsFor(Anomaly::Kind kind) {
  switch (kind) {
    case Anomaly::Kind::kFuture:
      return "from the future";
    case Anomaly::Kind::kClock:
      return "where the clock jumps back";
    case Anomaly::Kind::kTwoPlaces:
      break;
  }
  return "in two places at once";
}

// Of a kind in a source.
constexpr uint64_t kMostLines = 5;

const char* AdviceFor(Anomaly::Kind kind) {
  switch (kind) {
    case Anomaly::Kind::kFuture:
      return "check the clock and the time zone of the source; a view leaves them out with WHERE time <= ...";
    case Anomaly::Kind::kClock:
      return "order by file and begin instead of time, or leave the records out that anomalies() lists";
    case Anomaly::Kind::kTwoPlaces:
      break;
  }
  return "see whether two devices share the name; a view leaves out the records that anomalies() lists";
}

struct Row {
  std::string_view id;
  std::string_view source;
  std::string_view author;
  std::optional<int64_t> time;
  bool place = false;
  double latitude = 0;
  double longitude = 0;
};

// Of a device in one file.
struct Stream {
  std::string source;
  std::string author;
  bool begun = false;
  int64_t time = 0;
  std::string id;
  bool placed = false;
  int64_t place_time = 0;
  double latitude = 0;
  double longitude = 0;
  std::string place_id;
  uint64_t forth = 0;
  uint64_t back = 0;
  std::optional<Anomaly> jumps;
};

class Finder {
 public:
  explicit Finder(const AnomalyOptions& options) : options_(options) {}

  void Future(const Row& row) {
    if (!row.time.has_value() || !options_.latest.has_value() || *row.time <= *options_.latest) return;
    Note(Anomaly::Kind::kFuture, row, "", [&] {
      return fmt::format("{:.0f} s after the time of this run",
                         static_cast<double>(*row.time - *options_.latest) / 1e6);
    });
  }

  void Device(const Row& row, std::string_view file, std::string_view kind) {
    if (!row.time.has_value()) return;
    key_.assign(row.source).append(1, '\0').append(row.author).append(1, '\0');
    key_.append(kind).append(1, '\0').append(file);
    Stream& stream = streams_[key_];
    Clock(row, stream);
    if (row.place) Place(row, stream);
  }

  AnomalyReport Report() {
    for (const auto& [key, stream] : streams_) {
      report_.reversed_streams += stream.back > stream.forth ? 1 : 0;
      if (stream.back > stream.forth || !stream.jumps.has_value()) continue;
      Anomaly& all = Of(Anomaly::Kind::kClock, stream.source, stream.author);
      // Of several files the first by id, so that the order of a hash map does not matter.
      const uint64_t count = all.count + stream.jumps->count;
      if (all.count == 0 || stream.jumps->id < all.id) all = *stream.jumps;
      all.count = count;
    }
    for (auto& [key, anomaly] : found_) {
      (anomaly.kind == Anomaly::Kind::kFuture  ? report_.from_future
       : anomaly.kind == Anomaly::Kind::kClock ? report_.clock_jumps
                                               : report_.two_places) += anomaly.count;
      report_.anomalies.push_back(std::move(anomaly));
    }
    return std::move(report_);
  }
  void CountRecord() { ++report_.records; }

 private:
  void Clock(const Row& row, Stream& stream) {
    if (!stream.begun) {
      stream.begun = true;
      stream.source = row.source;
      stream.author = row.author;
    } else {
      stream.forth += *row.time > stream.time ? 1 : 0;
      stream.back += *row.time < stream.time ? 1 : 0;
      if (*row.time < stream.time && stream.time - *row.time > options_.back) {
        if (!stream.jumps.has_value()) {
          stream.jumps = Anomaly{Anomaly::Kind::kClock,
                                 stream.source,
                                 stream.author,
                                 0,
                                 std::string(row.id),
                                 stream.id,
                                 fmt::format("{:.0f} s back", static_cast<double>(stream.time - *row.time) / 1e6)};
        }
        ++stream.jumps->count;
      }
    }
    stream.time = *row.time;
    stream.id = row.id;
  }

  void Place(const Row& row, Stream& stream) {
    if (stream.placed) {
      const double metres = DistanceMetres(stream.latitude, stream.longitude, row.latitude, row.longitude);
      const double seconds = std::abs(static_cast<double>(*row.time - stream.place_time)) / 1e6;
      if (metres > options_.metres && metres > seconds * options_.metres_per_second) {
        Note(Anomaly::Kind::kTwoPlaces, row, stream.place_id,
             [&] { return fmt::format("{:.1f} km in {:.0f} s", metres / 1000, seconds); });
      }
    }
    stream.placed = true;
    stream.place_time = *row.time;
    stream.latitude = row.latitude;
    stream.longitude = row.longitude;
    stream.place_id = row.id;
  }

  Anomaly& Of(Anomaly::Kind kind, std::string_view source, std::string_view author) {
    Anomaly& anomaly = found_[{kind, std::string(source), std::string(author)}];
    if (anomaly.count == 0) {
      anomaly.kind = kind;
      anomaly.source = source;
      anomaly.author = author;
    }
    return anomaly;
  }

  template <typename Detail>
  void Note(Anomaly::Kind kind, const Row& row, std::string_view other, const Detail& detail) {
    Anomaly& anomaly = Of(kind, row.source, row.author);
    if (anomaly.count++ > 0) return;
    anomaly.id = row.id;
    anomaly.other_id = other;
    anomaly.detail = detail();
  }

  const AnomalyOptions& options_;
  AnomalyReport report_;
  std::map<std::tuple<Anomaly::Kind, std::string, std::string>, Anomaly> found_;
  absl::flat_hash_map<std::string, Stream> streams_;
  std::string key_;
};

absl::StatusOr<AnomalyReport> Scan(Database& database, const AnomalyOptions& options) {
  ASSIGN_OR_RETURN(
      QueryResult rows,
      database.Query("SELECT id, source, author, CASE WHEN isfinite(time) THEN epoch_us(time) END, latitude, "
                     "longitude, coalesce(cardinality(channels), 0) > 0 AND author IS NOT NULL, file, coalesce(kind, "
                     "'') FROM main.records"));
  Finder finder(options);
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return finder.Report();
    for (size_t i = 0; i < rows.row_count(); ++i) {
      Row row;
      row.id = rows.String(0, i);
      row.source = rows.String(1, i);
      if (!rows.IsNull(2, i)) row.author = rows.String(2, i);
      if (!rows.IsNull(3, i)) row.time = rows.Int64(3, i);
      row.place = !rows.IsNull(4, i) && !rows.IsNull(5, i) && IsPlace(rows.Double(4, i), rows.Double(5, i));
      if (row.place) {
        row.latitude = rows.Double(4, i);
        row.longitude = rows.Double(5, i);
      }
      finder.CountRecord();
      finder.Future(row);
      if (rows.Bool(6, i))
        finder.Device(row, rows.IsNull(7, i) ? std::string_view() : rows.String(7, i), rows.String(8, i));
    }
  }
}

}  // namespace

AnomalyOptions AnomaliesUntilNow() {
  AnomalyOptions options;
  options.latest =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  return options;
}

Json ToJson(const AnomalyReport& report) {
  Json anomalies = Json::array();
  for (const Anomaly& anomaly : report.anomalies) {
    Json one = {{"kind", NameOf(anomaly.kind)}, {"source", anomaly.source}, {"count", anomaly.count},
                {"first", anomaly.id},          {"detail", anomaly.detail}, {"advice", AdviceFor(anomaly.kind)}};
    if (!anomaly.author.empty()) one["author"] = anomaly.author;
    if (!anomaly.other_id.empty()) one["before"] = anomaly.other_id;
    anomalies.push_back(std::move(one));
  }
  return {{"records", report.records},
          {"from_future", report.from_future},
          {"clock_jumps", report.clock_jumps},
          {"two_places", report.two_places},
          {"reversed_streams", report.reversed_streams},
          {"anomalies", std::move(anomalies)}};
}

std::vector<std::string> Lines(const AnomalyReport& report) {
  std::vector<std::string> lines;
  std::map<std::pair<Anomaly::Kind, std::string>, uint64_t> named;
  for (const Anomaly& anomaly : report.anomalies) {
    if (++named[{anomaly.kind, anomaly.source}] > kMostLines) continue;
    lines.push_back(fmt::format("source \"{}\"{}: {} record{} {}; the first: {} ({}): {}", anomaly.source,
                                anomaly.author.empty() ? "" : fmt::format(", {}", anomaly.author), anomaly.count,
                                anomaly.count == 1 ? "" : "s", WordsFor(anomaly.kind), anomaly.id, anomaly.detail,
                                AdviceFor(anomaly.kind)));
  }
  for (const auto& [of, count] : named) {
    if (count <= kMostLines) continue;
    lines.push_back(fmt::format("source \"{}\": {} more devices or authors with records {}; --json names all",
                                of.second, count - kMostLines, WordsFor(of.first)));
  }
  return lines;
}

absl::StatusOr<AnomalyReport> FindAnomalies(Database& database, const AnomalyOptions& options, int threads) {
  // Several threads would deliver the records in another order.
  RETURN_IF_ERROR(database.Execute("SET threads = 1"));
  absl::StatusOr<AnomalyReport> report = Scan(database, options);
  RETURN_IF_ERROR(database.Execute(fmt::format("SET threads = {}", threads)));
  return report;
}

}  // namespace rhodes
