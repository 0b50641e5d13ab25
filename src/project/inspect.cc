#include "project/inspect.h"

#include <algorithm>
#include <memory>

#include "base/byte_size.h"
#include "base/file.h"
#include "base/manifest.h"
#include "base/text.h"
#include "store/record_store.h"
#include "table/database.h"

namespace rhodes {
namespace {

// The manifest's counts, or nothing when the stage did not run.
absl::StatusOr<std::optional<Manifest>> MaybeManifest(const std::string& directory) {
  absl::StatusOr<Manifest> manifest = ReadManifest(directory);
  if (manifest.ok()) return std::optional<Manifest>(*std::move(manifest));
  if (absl::IsNotFound(manifest.status())) return std::optional<Manifest>();
  return manifest.status();
}

absl::Status AddSources(const std::string& out, Json& json) {
  json["sources"] = Json::object();
  if (!PathExists(out + "/records")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListSources(out));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(fmt::format("{}/records/{}", out, name)));
    Json& source = json["sources"][name];
    source["records"] = manifest.counts.value("stored", uint64_t{0}) - manifest.counts.value("erased", uint64_t{0});
    for (const char* count : {"read", "duplicates", "rejected", "bytes"}) {
      source[count] = manifest.counts.value(count, uint64_t{0});
    }
    json["stages"]["ingest " + name] = manifest.seconds;
  }
  return absl::OkStatus();
}

void AddCuration(const Json& counts, Json& json) {
  for (const char* count : {"documents", "kept", "dropped", "text_bytes", "kept_text_bytes", "languages"}) {
    if (counts.contains(count)) json["corpus"][count] = counts[count];
  }
  json["dropped"] = counts.value("reasons", Json::object());
  const Json by_source = counts.value("sources", Json::object());
  for (const auto& [name, source] : by_source.items()) {
    Json& target = json["sources"][name.empty() ? "(none)" : name];
    for (const char* count : {"documents", "kept", "dropped", "text_bytes"}) {
      target[count] = source.value(count, uint64_t{0});
    }
  }
}

// The documents of several sources stand under "a+b": their tokens are counted for each, as documents are.
void AddTokens(const Json& counts, Json& json) {
  json["tokens"] = counts;
  const Json by_source = counts.value("by_source", Json::object());
  for (const auto& [names, share] : by_source.items()) {
    for (const std::string_view name : Split(names, '+')) {
      Json& tokens = json["sources"][name.empty() ? "(none)" : std::string(name)]["tokens"];
      tokens = (tokens.is_null() ? uint64_t{0} : tokens.get<uint64_t>()) + share.value("tokens", uint64_t{0});
    }
  }
}

absl::StatusOr<std::unique_ptr<Database>> OpenDatabase(RunContext& context) {
  Database::Options options;
  options.threads = context.Threads();
  options.memory_bytes = context.memory_bytes / 2;
  return Database::Open(options);
}

struct Found {
  std::string state;
  std::string rule;
  std::string reason;
  std::string id;
};

// Looks for ids that begin with `id` in one stage's documents. At most two are of interest.
absl::Status FindIn(Database& database, const std::string& directory, const std::string& state, const std::string& id,
                    std::vector<Found>& found) {
  if (!PathExists(directory + "/part-00000.parquet")) return absl::OkStatus();
  const bool dropped = state == "dropped";
  ASSIGN_OR_RETURN(
      QueryResult rows,
      database.Query(fmt::format("SELECT id{} FROM read_parquet({}) WHERE starts_with(id, ?) LIMIT 2",
                                 dropped ? ", rule, reason" : "", SqlLiteral(directory + "/part-*.parquet")),
                     {id}));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return absl::OkStatus();
    for (size_t row = 0; row < rows.row_count(); ++row) {
      Found match{state, "", "", std::string(rows.String(0, row))};
      if (dropped) match.rule = rows.String(1, row);
      if (dropped) match.reason = rows.String(2, row);
      found.push_back(std::move(match));
    }
  }
}

absl::StatusOr<Json> ReadDocument(Database& database, const std::string& directory, const Found& found) {
  ASSIGN_OR_RETURN(
      QueryResult rows,
      database.Query(fmt::format("SELECT text, language, sources, parents, meta FROM read_parquet({}) WHERE "
                                 "id = ?",
                                 SqlLiteral(directory + "/part-*.parquet")),
                     {found.id}));
  ASSIGN_OR_RETURN(const bool more, rows.Next());
  if (!more) return absl::InternalError(fmt::format("inspect: document {} went away", found.id));
  const auto text_of = [&](size_t column) { return rows.IsNull(column, 0) ? "" : std::string(rows.String(column, 0)); };
  const std::string text = text_of(0);
  Json json = {{"id", found.id}, {"state", found.state}};
  if (found.state == "dropped") {
    json["rule"] = found.rule;
    json["reason"] = found.reason;
  }
  json["language"] = text_of(1);
  json["sources"] = Json::array();
  if (!rows.IsNull(2, 0)) {
    for (const std::string_view source : rows.StringList(2, 0)) json["sources"].push_back(std::string(source));
  }
  json["parents"] = Json::array();
  if (!rows.IsNull(3, 0)) {
    for (const std::string_view parent : rows.StringList(3, 0)) json["parents"].push_back(std::string(parent));
  }
  const std::string meta = text_of(4);
  absl::StatusOr<Json> parsed = ParseJson(meta.empty() ? "{}" : meta, "meta");
  json["meta"] = parsed.ok() ? *std::move(parsed) : Json(meta);
  json["text_bytes"] = text.size();
  json["text"] = std::string(Utf8Prefix(text, kTextShown));
  return json;
}

absl::Status AddRecords(const std::string& out, Json& document) {
  const std::vector<std::string> parents = document["parents"].get<std::vector<std::string>>();
  document.erase("parents");
  document["records"] = Json::array();
  if (parents.empty() || !PathExists(out + "/records")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::unique_ptr<RecordLookup> lookup, RecordLookup::Open(out));
  ASSIGN_OR_RETURN(const std::vector<RecordOrigin> records, lookup->Find(parents));
  for (const RecordOrigin& record : records) {
    document["records"].push_back({{"id", record.id},
                                   {"source", record.source},
                                   {"kind", record.kind},
                                   {"file", record.origin.file},
                                   {"begin", record.origin.begin},
                                   {"end", record.origin.end}});
  }
  return absl::OkStatus();
}

std::string Count(const Json& json, const char* key) {
  return json.contains(key) ? fmt::format("{}", json[key].get<uint64_t>()) : "-";
}

std::string Bytes(const Json& json, const char* key) {
  return json.contains(key) ? FormatByteSize(json[key].get<uint64_t>()) : "-";
}

}  // namespace

absl::StatusOr<Json> InspectOut(const std::string& out) {
  if (!PathExists(out)) return absl::NotFoundError(fmt::format("inspect: {} is not there; `rhodes run` makes it", out));
  Json json = {{"out", out}};
  RETURN_IF_ERROR(AddSources(out, json));
  bool any = !json["sources"].empty();
  for (const char* directory : {"entities", "documents", "corpus", "shards", "model", "trace"}) {
    ASSIGN_OR_RETURN(const std::optional<Manifest> manifest, MaybeManifest(fmt::format("{}/{}", out, directory)));
    if (!manifest.has_value()) continue;
    any = true;
    json["stages"][manifest->stage] = manifest->seconds;
    const std::string_view name = directory;
    if (name == "entities") json["entities"] = manifest->counts;
    if (name == "documents") json["documents"] = manifest->counts;
    if (name == "corpus") AddCuration(manifest->counts, json);
    if (name == "shards") AddTokens(manifest->counts, json);
    if (name == "model") json["model"] = manifest->counts;
    if (name == "trace") json["trace"] = manifest->counts;
  }
  if (!any) {
    return absl::NotFoundError(
        fmt::format("inspect: {} holds no stage's output; name the folder that `rhodes run` or --out wrote to", out));
  }
  return json;
}

absl::StatusOr<Json> InspectDocument(const std::string& out, const std::string& id, RunContext& context) {
  if (!PathExists(out)) return absl::NotFoundError(fmt::format("inspect: {} is not there; `rhodes run` makes it", out));
  if (id.size() < 8)
    return UsageError(fmt::format("--document {}: give at least the first eight characters of the id", id));
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenDatabase(context));
  const std::pair<const char*, const char*> places[] = {{"corpus", "kept"}, {"dropped", "dropped"}};
  std::vector<Found> found;
  std::vector<std::string> directories;
  for (const auto& [directory, state] : places) {
    RETURN_IF_ERROR(FindIn(*database, fmt::format("{}/{}", out, directory), state, id, found));
    directories.resize(found.size(), fmt::format("{}/{}", out, directory));
  }
  if (found.empty()) {
    RETURN_IF_ERROR(FindIn(*database, out + "/documents", "not curated", id, found));
    directories.resize(found.size(), out + "/documents");
  }
  if (found.empty()) return absl::NotFoundError(fmt::format("inspect: no document of {} has the id {}", out, id));
  if (found.size() > 1) {
    return absl::InvalidArgumentError(
        fmt::format("inspect: {} begins the ids of several documents ({}, {}, ...)", id, found[0].id, found[1].id));
  }
  ASSIGN_OR_RETURN(Json document, ReadDocument(*database, directories[0], found[0]));
  RETURN_IF_ERROR(AddRecords(out, document));
  return document;
}

std::string FormatInspection(const Json& inspection) {
  std::string text = fmt::format("{:<18} {:>10} {:>10} {:>9} {:>10} {:>10} {:>9} {:>9} {:>11}\n", "source", "records",
                                 "duplicates", "rejected", "input", "documents", "kept", "dropped", "tokens");
  for (const auto& [name, source] : inspection["sources"].items()) {
    text += fmt::format("{:<18} {:>10} {:>10} {:>9} {:>10} {:>10} {:>9} {:>9} {:>11}\n", name, Count(source, "records"),
                        Count(source, "duplicates"), Count(source, "rejected"), Bytes(source, "bytes"),
                        Count(source, "documents"), Count(source, "kept"), Count(source, "dropped"),
                        Count(source, "tokens"));
  }
  text += "A document made from records of several sources counts for each of them.\n";
  if (inspection.contains("corpus")) {
    const Json& corpus = inspection["corpus"];
    text += fmt::format("\ndocuments {}, kept {} ({}), dropped {}\n", Count(corpus, "documents"), Count(corpus, "kept"),
                        Bytes(corpus, "kept_text_bytes"), Count(corpus, "dropped"));
    for (const auto& [rule, reasons] : inspection["dropped"].items()) {
      for (const auto& [reason, count] : reasons.items()) {
        text += fmt::format("  {:<44} {:>10}\n", rule + ": " + reason, count.get<uint64_t>());
      }
    }
  }
  if (inspection.contains("tokens")) {
    text += fmt::format("\ntokens {} of a vocabulary of {}\n", Count(inspection["tokens"], "tokens"),
                        Count(inspection["tokens"], "vocabulary_size"));
  }
  if (inspection.contains("model")) {
    const Json& model = inspection["model"];
    text += fmt::format("model of {} parameters, trained on {} tokens: validation loss {:.4f}, {:.4f} bits per byte\n",
                        Count(model, "parameters"), Count(model, "tokens"), model.value("validation_loss", 0.0),
                        model.value("bits_per_byte", 0.0));
  }
  return text;
}

std::string FormatDocument(const Json& document) {
  const auto text_of = [&](const char* key) { return document.value(key, ""); };
  std::string text = fmt::format("{:<10} {}\n{:<10} {}\n", "document", text_of("id"), "state", text_of("state"));
  if (document.contains("rule")) {
    text += fmt::format("{:<10} {}: {}\n", "dropped by", text_of("rule"), text_of("reason"));
  }
  text += fmt::format("{:<10} {}\n{:<10} {}\n", "language", text_of("language"), "meta", DumpJson(document["meta"]));
  for (const Json& record : document["records"]) {
    text += fmt::format("{:<10} {} ({}, {})\n{:<10} {} bytes {} to {}\n", "record", record.value("id", ""),
                        record.value("source", ""), record.value("kind", ""), "", record.value("file", ""),
                        record.value("begin", uint64_t{0}), record.value("end", uint64_t{0}));
  }
  const std::string shown = text_of("text");
  text += fmt::format("\n{}{}\n", shown, shown.size() < document.value("text_bytes", size_t{0}) ? "\n..." : "");
  return text;
}

}  // namespace rhodes
