#include "serve/evidence.h"

#include <algorithm>
#include <mutex>

#include "base/file.h"
#include "base/manifest.h"
#include "base/text.h"
#include "serve/record_bytes.h"
#include "store/record_store.h"
#include "store/views.h"
#include "table/database.h"

namespace rhodes {
namespace {

constexpr uint64_t kContextBytes = 600;  // shown on either side of a record
constexpr size_t kTitleBytes = 80;
constexpr size_t kMaxParents = 200;  // of one document, in an answer

// `text` up to `limit` bytes, cut at a character.
std::string_view Cut(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

// The document's own title when its meta has one, else its first line.
std::string TitleOf(const Json& meta, std::string_view text) {
  for (const char* key : {"title", "name", "package"}) {
    if (meta.is_object() && meta.contains(key) && meta[key].is_string()) return meta[key].get<std::string>();
  }
  const std::string_view trimmed = Trim(text);
  const std::string_view line = Trim(trimmed.substr(0, trimmed.find('\n')));
  const std::string_view cut = Cut(line, kTitleBytes);
  return std::string(cut) + (cut.size() < line.size() ? "…" : "");
}

Json OriginJson(const RecordOrigin& record) {
  return {{"id", record.id},
          {"source", record.source},
          {"kind", record.kind},
          {"file", record.origin.file},
          {"begin", record.origin.begin},
          {"end", record.origin.end}};
}

class OutEvidence final : public Evidence {
 public:
  OutEvidence(std::unique_ptr<Database> database, std::unique_ptr<RecordLookup> records)
      : database_(std::move(database)), records_(std::move(records)) {}

  absl::StatusOr<Json> Trace(std::string_view text) override;
  absl::StatusOr<Json> Document(const std::string& id) override;
  absl::StatusOr<Json> Record(const std::string& id) override;

 private:
  std::mutex mutex_;                          // of database_
  const std::unique_ptr<Database> database_;  // the views of OUT
  const std::unique_ptr<RecordLookup> records_;
};

absl::StatusOr<Json> OutEvidence::Trace(std::string_view text) {
  return absl::UnimplementedError(fmt::format("{} bytes were not traced", text.size()));
}

absl::StatusOr<Json> OutEvidence::Document(const std::string& id) {
  Json document;
  std::vector<std::string> parents;
  {
    const std::scoped_lock lock(mutex_);
    ASSIGN_OR_RETURN(QueryResult result,
                     database_->Query("SELECT id, text, epoch(time)::BIGINT, language, sources, parents, meta "
                                      "FROM corpus WHERE id = ? LIMIT 1",
                                      {id}));
    ASSIGN_OR_RETURN(const bool any, result.Next());
    if (!any) return absl::NotFoundError(fmt::format("document {}: there is none with this id", id));
    const auto text_or_null = [&](size_t column) {
      return result.IsNull(column, 0) ? Json(nullptr) : Json(std::string(result.String(column, 0)));
    };
    const std::string text(result.String(1, 0));
    Json meta = nullptr;
    if (!result.IsNull(6, 0)) {
      const absl::StatusOr<Json> parsed = ParseJson(result.String(6, 0), "meta");
      meta = parsed.ok() ? *parsed : text_or_null(6);
    }
    document = {{"id", id}, {"title", TitleOf(meta, text)}, {"text", text}};
    document["time"] = result.IsNull(2, 0) ? Json(nullptr) : Json(result.Int64(2, 0));
    document["language"] = text_or_null(3);
    document["sources"] = Json::array();
    for (const std::string_view source : result.StringList(4, 0)) document["sources"].push_back(std::string(source));
    for (const std::string_view parent : result.StringList(5, 0)) parents.emplace_back(parent);
    document["meta"] = std::move(meta);
  }
  document["parent_count"] = parents.size();
  if (parents.size() > kMaxParents) parents.resize(kMaxParents);
  ASSIGN_OR_RETURN(const std::vector<RecordOrigin> origins, records_->Find(parents));
  document["parents"] = Json::array();
  for (const RecordOrigin& origin : origins) document["parents"].push_back(OriginJson(origin));
  return document;
}

absl::StatusOr<Json> OutEvidence::Record(const std::string& id) {
  ASSIGN_OR_RETURN(const std::vector<RecordOrigin> origins, records_->Find({id}));
  if (origins.empty()) return absl::NotFoundError(fmt::format("record {}: there is none with this id", id));
  Json record = OriginJson(origins.front());
  ASSIGN_OR_RETURN(const std::string stored, records_->Original(id));
  const absl::StatusOr<RecordBytes> bytes = ReadRecordBytes(origins.front().origin, kContextBytes);
  record["text"] = bytes.ok() ? bytes->bytes : stored;
  record["before"] = bytes.ok() ? bytes->before : "";
  record["after"] = bytes.ok() ? bytes->after : "";
  if (!bytes.ok()) record["note"] = "the stored copy: " + Message(bytes.status());
  return record;
}

// Counts of one stage's manifest, or null.
Json CountsOf(const std::string& directory) {
  const absl::StatusOr<Manifest> manifest = ReadManifest(directory);
  return manifest.ok() ? manifest->counts : Json(nullptr);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Evidence>> Evidence::Open(const std::string& out, RunContext& context) {
  Database::Options options;
  options.threads = context.Threads();
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(options));
  RETURN_IF_ERROR(CreateViews(*database, out));
  ASSIGN_OR_RETURN(std::unique_ptr<RecordLookup> records, RecordLookup::Open(out));
  return std::make_unique<OutEvidence>(std::move(database), std::move(records));
}

Json SummaryOf(const std::string& out) {
  Json summary = Json::object();
  const absl::StatusOr<std::vector<std::string>> sources = ListSources(out);
  if (sources.ok()) {
    summary["sources"] = Json::array();
    for (const std::string& source : *sources) {
      const Json counts = CountsOf(out + "/records/" + source);
      summary["sources"].push_back({{"name", source}, {"records", counts.is_object() ? counts.value("stored", 0) : 0}});
    }
  }
  for (const char* stage : {"documents", "corpus", "shards", "model", "trace"}) {
    if (Json counts = CountsOf(out + "/" + stage); counts.is_object()) summary[stage] = std::move(counts);
  }
  return summary;
}

}  // namespace rhodes
