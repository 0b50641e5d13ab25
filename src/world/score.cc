#include "world/score.h"

#include <algorithm>
#include <unordered_map>

#include "base/file.h"
#include "base/manifest.h"
#include "store/source_directory.h"
#include "store/views.h"
#include "table/database.h"
#include "world/record_key.h"
#include "world/truth_file.h"

namespace rhodes {
namespace {

// world/record_key.h in SQL; NULL for records of which the truth does not speak.
constexpr const char* kKeySql = R"(CASE kind
  WHEN 'post' THEN 'post:' || fields['post']
  WHEN 'delete' THEN 'notice:' || fields['post']
  WHEN 'telemetry' THEN 'car:' || author || ':telemetry:' || epoch_us(time)
  WHEN 'alert' THEN 'car:' || author || ':alert:' || epoch_us(time)
  WHEN 'teslafi' THEN 'fi:' || author || ':' || fields['data_id']
  WHEN 'dish-status' THEN 'status:' || author || ':' || epoch_us(time)
  WHEN 'dish-location' THEN 'location:' || author || ':' || epoch_us(time)
  WHEN 'dish-sample' THEN 'sample:' || author || ':' || epoch_us(time)
  WHEN 'dish-outage' THEN 'outage:' || author || ':' || fields['startTimestampNs'] || ':' ||
                          round(channels['duration'] * 1e9)::BIGINT
  WHEN 'element-set' THEN 'set:' || author || ':' || epoch_us(time)
  WHEN 'article' THEN 'article:' || fields['url']
  WHEN 'feed-item' THEN 'item:' || fields['url']
  WHEN 'row' THEN 'place:' || fields['name']
END)";

bool IsContext(std::string_view key) { return key.starts_with("place:") || key.starts_with("location:"); }

absl::Status CheckStored(Database& database, const std::string& out, const WorldTruth& truth, FusionScore& score) {
  struct Found {
    uint64_t records = 0;
    uint64_t keys = 0;
  };
  std::map<std::string, Found> found;
  ASSIGN_OR_RETURN(QueryResult rows, database.Query(fmt::format("SELECT source, {} FROM records", kKeySql)));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) break;
    for (size_t row = 0; row < rows.row_count(); ++row) {
      Found& source = found[std::string(rows.String(0, row))];
      ++source.records;
      if (rows.IsNull(1, row)) continue;
      const uint64_t print = KeyFingerprint(rows.String(1, row));
      source.keys += print;
      score.deleted_stored += truth.deleted.contains(print) ? 1 : 0;
    }
  }
  score.deleted = truth.deleted.size();
  score.rumours = truth.rumours.size();
  for (const auto& [name, total] : truth.totals) {
    SourceBalance& balance = score.balance[name];
    balance.emitted = total.unique + total.duplicates + total.corrupted;
    balance.expected = total.unique - total.taken_back;
    balance.there = found[name].records;
    balance.complete = balance.there == balance.expected && found[name].keys == total.keys;
    const auto manifest = ReadSourceManifest(SourceDirectory(out, name));
    if (absl::IsNotFound(manifest.status())) continue;
    RETURN_IF_ERROR(manifest.status());
    const Json& counts = manifest->manifest.counts;
    balance.read = counts.value("read", uint64_t{0});
    balance.stored = counts.value("stored", uint64_t{0});
    balance.duplicates = counts.value("duplicates", uint64_t{0});
    balance.rejected = counts.value("rejected", uint64_t{0});
    balance.erased = counts.value("erased", uint64_t{0});
    balance.balanced = balance.read == balance.stored + balance.duplicates + balance.rejected &&
                       balance.read == balance.emitted && balance.there == balance.stored - balance.erased;
  }
  return absl::OkStatus();
}

// The documents of the view as sets of records' fingerprints.
absl::StatusOr<RecordSets> ReadDocuments(Database& database, const std::string& view, const WorldTruth& truth,
                                         std::unordered_map<uint64_t, std::string>& sources, FusionScore& score) {
  ASSIGN_OR_RETURN(
      QueryResult rows,
      database.Query(
          fmt::format("WITH pairs AS (SELECT DISTINCT id AS document, unnest(parents) AS record FROM documents "
                      "WHERE meta->>'view' = ?) SELECT document, source, {} FROM pairs JOIN records ON record = id "
                      "ORDER BY document",
                      kKeySql),
          {view}));
  RecordSets documents;
  std::string last;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) break;
    for (size_t row = 0; row < rows.row_count(); ++row) {
      if (documents.empty() || rows.String(0, row) != last) {
        last = rows.String(0, row);
        documents.emplace_back();
      }
      if (rows.IsNull(2, row) || IsContext(rows.String(2, row))) continue;
      const uint64_t print = KeyFingerprint(rows.String(2, row));
      documents.back().push_back(print);
      sources.emplace(print, rows.String(1, row));
      score.rumours_joined += truth.rumours.contains(print) ? 1 : 0;
    }
  }
  for (std::vector<uint64_t>& records : documents) {
    std::sort(records.begin(), records.end());
    records.erase(std::unique(records.begin(), records.end()), records.end());
  }
  return documents;
}

void CountPairs(const RecordSets& documents, const WorldTruth& truth,
                const std::unordered_map<uint64_t, std::string>& sources, FusionScore& score) {
  RecordSets events;
  for (const WorldTruth::Event& event : truth.events) events.push_back(event.records);
  const std::vector<int> matches = MatchDocuments(documents, events);
  for (size_t event = 0; event < events.size(); ++event) {
    FusionScore::Kind& kind = score.by_kind[truth.events[event].kind];
    ++kind.events;
    for (const uint64_t record : events[event]) {
      ++score.pairs.true_pairs;
      ++kind.pairs.true_pairs;
      ++score.by_source[truth.sources.at(record)].true_pairs;
    }
  }
  for (size_t document = 0; document < documents.size(); ++document) {
    const int match = matches[document];
    FusionScore::Kind* kind = match < 0 ? nullptr : &score.by_kind[truth.events[static_cast<size_t>(match)].kind];
    if (kind != nullptr) {
      ++kind->matched;
      ++score.matched;
    }
    for (const uint64_t record : documents[document]) {
      PairCounts& source = score.by_source[sources.at(record)];
      const bool right = match >= 0 && std::binary_search(events[static_cast<size_t>(match)].begin(),
                                                          events[static_cast<size_t>(match)].end(), record);
      ++score.pairs.claimed;
      ++source.claimed;
      score.pairs.right += right ? 1 : 0;
      source.right += right ? 1 : 0;
      if (kind == nullptr) continue;
      ++kind->pairs.claimed;
      kind->pairs.right += right ? 1 : 0;
    }
  }
}

Json ToJson(const PairCounts& pairs) {
  return {{"precision", pairs.Precision()},
          {"recall", pairs.Recall()},
          {"right", pairs.right},
          {"claimed", pairs.claimed},
          {"true", pairs.true_pairs}};
}

}  // namespace

std::vector<int> MatchDocuments(const RecordSets& documents, const RecordSets& events) {
  std::unordered_map<uint64_t, std::vector<int>> events_of;
  for (size_t event = 0; event < events.size(); ++event) {
    for (const uint64_t record : events[event]) events_of[record].push_back(static_cast<int>(event));
  }
  struct Overlap {
    uint64_t common;
    int document;
    int event;
  };
  std::vector<Overlap> overlaps;
  for (size_t document = 0; document < documents.size(); ++document) {
    std::map<int, uint64_t> common;
    for (const uint64_t record : documents[document]) {
      if (const auto found = events_of.find(record); found != events_of.end()) {
        for (const int event : found->second) ++common[event];
      }
    }
    for (const auto& [event, count] : common) overlaps.push_back({count, static_cast<int>(document), event});
  }
  std::sort(overlaps.begin(), overlaps.end(), [](const Overlap& a, const Overlap& b) {
    return std::tie(b.common, a.document, a.event) < std::tie(a.common, b.document, b.event);
  });
  std::vector<int> matches(documents.size(), -1);
  std::vector<bool> taken(events.size(), false);
  for (const Overlap& overlap : overlaps) {
    int& match = matches[static_cast<size_t>(overlap.document)];
    if (match >= 0 || taken[static_cast<size_t>(overlap.event)]) continue;
    match = overlap.event;
    taken[static_cast<size_t>(overlap.event)] = true;
  }
  return matches;
}

bool FusionScore::Sound() const {
  return deleted_stored == 0 && std::all_of(balance.begin(), balance.end(), [](const auto& source) {
           return source.second.balanced && source.second.complete;
         });
}

Json ToJson(const FusionScore& score) {
  Json json = ToJson(score.pairs);
  json["events"] = score.events;
  json["documents"] = score.documents;
  json["matched"] = score.matched;
  for (const auto& [name, pairs] : score.by_source) json["sources"][name] = ToJson(pairs);
  for (const auto& [name, kind] : score.by_kind) {
    Json line = ToJson(kind.pairs);
    line["events"] = kind.events;
    line["matched"] = kind.matched;
    json["kinds"][name] = std::move(line);
  }
  for (const auto& [name, balance] : score.balance) {
    json["balance"][name] = {
        {"read", balance.read},         {"stored", balance.stored}, {"duplicates", balance.duplicates},
        {"rejected", balance.rejected}, {"erased", balance.erased}, {"emitted", balance.emitted},
        {"expected", balance.expected}, {"there", balance.there},   {"balanced", balance.balanced},
        {"complete", balance.complete}};
  }
  json["deleted"] = score.deleted;
  json["deleted_stored"] = score.deleted_stored;
  json["rumours"] = score.rumours;
  json["rumours_joined"] = score.rumours_joined;
  json["sound"] = score.Sound();
  return json;
}

std::string FormatScore(const FusionScore& score) {
  const auto line = [](std::string_view name, const PairCounts& pairs) {
    return fmt::format("  {:<18} precision {:.4f}  recall {:.4f}  ({} right, {} claimed, {} true)\n", name,
                       pairs.Precision(), pairs.Recall(), pairs.right, pairs.claimed, pairs.true_pairs);
  };
  std::string text =
      fmt::format("{} events, {} documents, {} of them an event\n", score.events, score.documents, score.matched);
  text += line("all", score.pairs);
  for (const auto& [name, pairs] : score.by_source) text += line(name, pairs);
  for (const auto& [name, kind] : score.by_kind) {
    text += line(fmt::format("{} {}/{}", name, kind.matched, kind.events), kind.pairs);
  }
  for (const auto& [name, balance] : score.balance) {
    text += fmt::format("  {:<11} {} read, {} of {} records there{}{}\n", name, balance.read, balance.there,
                        balance.expected, balance.balanced ? "" : "; COUNTS DO NOT BALANCE",
                        balance.complete ? "" : "; RECORDS DIFFER FROM THE WORLD'S");
  }
  text += fmt::format("  {} posts deleted, {} of them still stored; {} of {} rumours joined\n", score.deleted,
                      score.deleted_stored, score.rumours_joined, score.rumours);
  return text;
}

absl::StatusOr<FusionScore> ScoreFusion(const std::string& out, const std::string& truth_path, const std::string& view,
                                        RunContext& context) {
  ASSIGN_OR_RETURN(const MappedFile truth_file, MappedFile::Open(truth_path));
  ASSIGN_OR_RETURN(const WorldTruth truth, ParseTruth(truth_file.bytes(), "score: " + truth_path));
  Database::Options options;
  options.threads = context.Threads();
  options.memory_bytes = context.memory_bytes;
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open(options));
  RETURN_IF_ERROR(CreateViews(*database, out));
  if (!PathExists(out + "/documents")) {
    return absl::NotFoundError(fmt::format("score: {} has no documents; run `rhodes fuse` first", out));
  }
  const InterruptOnCancel guard(*database, context);
  FusionScore score;
  RETURN_IF_ERROR(CheckStored(*database, out, truth, score));
  std::unordered_map<uint64_t, std::string> sources;
  ASSIGN_OR_RETURN(const RecordSets documents, ReadDocuments(*database, view, truth, sources, score));
  if (documents.empty()) {
    return UsageError(
        fmt::format("score: no document in {} is of the view \"{}\"; name another with --view", out, view));
  }
  score.events = truth.events.size();
  score.documents = documents.size();
  CountPairs(documents, truth, sources, score);
  return score;
}

}  // namespace rhodes
