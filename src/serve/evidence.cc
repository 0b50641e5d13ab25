#include "serve/evidence.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "absl/container/flat_hash_map.h"
#include "base/file.h"
#include "base/manifest.h"
#include "base/text.h"
#include "serve/record_bytes.h"
#include "store/record_store.h"
#include "store/views.h"
#include "table/database.h"
#include "token/shards.h"
#include "trace/trace.h"

namespace rhodes {
namespace {

constexpr uint64_t kContextBytes = 600;  // shown on either side of a record
constexpr size_t kTitleBytes = 80;
constexpr size_t kSnippetMargin = 90;     // bytes of a document on either side of a span
constexpr uint64_t kMaxTokens = 1 << 20;  // of a document that is looked at for its title and snippet
constexpr size_t kMaxTracedBytes = 200'000;
constexpr size_t kMaxParents = 200;  // of one document, in an answer

// The document's own title when its meta has one, else its first line.
std::string TitleOf(const Json& meta, std::string_view text) {
  for (const char* key : {"title", "name", "package"}) {
    if (meta.is_object() && meta.contains(key) && meta[key].is_string()) return meta[key].get<std::string>();
  }
  const std::string_view trimmed = Trim(text);
  const std::string_view line = Trim(trimmed.substr(0, trimmed.find('\n')));
  const std::string_view cut = Utf8Prefix(line, kTitleBytes);
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

// The words around `span` in `text`, on one line.
std::string SnippetOf(std::string_view text, std::string_view span) {
  const std::string_view core = Trim(span);
  const size_t found = text.find(core);
  size_t begin = found == std::string_view::npos || found < kSnippetMargin ? 0 : found - kSnippetMargin;
  while (begin > 0 && IsUtf8Continuation(text[begin])) --begin;
  const size_t inside = found == std::string_view::npos ? 0 : found - begin + std::min(core.size(), kSnippetMargin);
  const std::string_view cut = Utf8Prefix(text.substr(begin), inside + kSnippetMargin);
  std::string line = begin > 0 ? "…" : "";
  bool space = false;
  for (const char c : Trim(cut)) {
    const bool white = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!white || !space) line += white ? ' ' : c;
    space = white;
  }
  return line + (begin + cut.size() < text.size() ? "…" : "");
}

class OutEvidence final : public Evidence {
 public:
  struct Parts {
    std::unique_ptr<TraceIndex> index;
    std::unique_ptr<ShardSet> shards;
    std::unique_ptr<RecordLookup> records;
    std::unique_ptr<Database> database;  // the views of OUT; null when it has no records
  };
  explicit OutEvidence(Parts parts) : parts_(std::move(parts)) {}

  absl::StatusOr<Json> Trace(std::string_view text) override;
  absl::StatusOr<Json> Document(const std::string& id) override;
  absl::StatusOr<Json> Record(const std::string& id) override;

 private:
  // The text of a document of the training split, from its tokens: no search through the corpus.
  std::string TextOf(uint64_t document) const;
  // Titles that documents have by their meta, by id. Only these two columns are read; the texts are not.
  absl::flat_hash_map<std::string, std::string> StatedTitles(const std::set<std::string>& ids);

  Parts parts_;
  std::mutex mutex_;  // of parts_.database
};

std::string OutEvidence::TextOf(uint64_t document) const {
  const uint64_t begin = parts_.shards->DocumentBegin(document);
  const uint64_t end = parts_.shards->DocumentBegin(document + 1);
  std::vector<TokenId> tokens(std::min(end - begin, kMaxTokens));
  parts_.shards->Read(begin, tokens);
  std::erase(tokens, parts_.index->tokenizer().end_of_text());
  return ReplaceInvalidUtf8(parts_.index->tokenizer().Decode(tokens));
}

absl::flat_hash_map<std::string, std::string> OutEvidence::StatedTitles(const std::set<std::string>& ids) {
  absl::flat_hash_map<std::string, std::string> titles;
  if (parts_.database == nullptr || ids.empty()) return titles;
  std::string list;
  for (const std::string& id : ids) list += (list.empty() ? "" : ", ") + SqlLiteral(id);
  const std::scoped_lock lock(mutex_);
  absl::StatusOr<QueryResult> result =
      parts_.database->Query(fmt::format("SELECT id, meta FROM corpus WHERE meta IS NOT NULL AND id IN ({})", list));
  // A corpus that cannot be read costs the titles, not the answer: first lines serve instead.
  if (!result.ok()) return titles;
  for (absl::StatusOr<bool> more = result->Next(); more.ok() && *more; more = result->Next()) {
    for (size_t row = 0; row < result->row_count(); ++row) {
      const absl::StatusOr<Json> meta = ParseJson(result->String(1, row), "meta");
      std::string title = meta.ok() ? TitleOf(*meta, "") : "";
      if (!title.empty()) titles.emplace(std::string(result->String(0, row)), std::move(title));
    }
  }
  return titles;
}

absl::StatusOr<Json> OutEvidence::Trace(std::string_view text) {
  if (text.size() > kMaxTracedBytes) {
    return absl::InvalidArgumentError(
        fmt::format("text has {} bytes; at most {} are traced", text.size(), kMaxTracedBytes));
  }
  ASSIGN_OR_RETURN(const rhodes::Trace trace, parts_.index->Find(text));
  Json json = ToJson(trace);
  std::map<uint64_t, std::string> texts;
  const auto text_of = [&](uint64_t document) -> const std::string& {
    const auto [place, added] = texts.try_emplace(document);
    if (added) place->second = TextOf(document);
    return place->second;
  };
  std::set<std::string> ids;
  for (const TracedSpan& span : trace.spans) {
    for (const TracedDocument& document : span.documents) ids.insert(document.id);
  }
  for (const LeanedDocument& leaned : trace.documents) ids.insert(leaned.document.id);
  const absl::flat_hash_map<std::string, std::string> stated = StatedTitles(ids);
  const auto title_of = [&](const TracedDocument& document) {
    const auto found = stated.find(document.id);
    return found != stated.end() ? found->second : TitleOf(nullptr, text_of(document.document));
  };
  for (size_t s = 0; s < trace.spans.size(); ++s) {
    for (size_t d = 0; d < trace.spans[s].documents.size(); ++d) {
      const TracedDocument& traced = trace.spans[s].documents[d];
      Json& document = json["spans"][s]["documents"][d];
      document["title"] = title_of(traced);
      document["snippet"] = SnippetOf(text_of(traced.document), trace.spans[s].text);
    }
  }
  for (size_t d = 0; d < trace.documents.size(); ++d) {
    json["documents"][d]["title"] = title_of(trace.documents[d].document);
  }
  return json;
}

absl::StatusOr<Json> OutEvidence::Document(const std::string& id) {
  if (parts_.database == nullptr) return absl::NotFoundError("there are no documents beside the trace index");
  Json document;
  std::vector<std::string> parents;
  {
    const std::scoped_lock lock(mutex_);
    ASSIGN_OR_RETURN(QueryResult result,
                     parts_.database->Query("SELECT id, text, epoch(time)::BIGINT, language, sources, parents, meta "
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
  ASSIGN_OR_RETURN(const std::vector<RecordOrigin> origins, parts_.records->Find(parents));
  document["parents"] = Json::array();
  for (const RecordOrigin& origin : origins) document["parents"].push_back(OriginJson(origin));
  return document;
}

absl::StatusOr<Json> OutEvidence::Record(const std::string& id) {
  ASSIGN_OR_RETURN(const std::vector<RecordOrigin> origins, parts_.records->Find({id}));
  if (origins.empty()) return absl::NotFoundError(fmt::format("record {}: there is none with this id", id));
  Json record = OriginJson(origins.front());
  ASSIGN_OR_RETURN(const std::string stored, parts_.records->Original(id));
  const absl::StatusOr<RecordBytes> bytes = ReadRecordBytes(origins.front().origin, kContextBytes);
  if (bytes.ok() && bytes->bytes == stored) {
    record["text"] = bytes->bytes;
    record["before"] = bytes->before;
    record["after"] = bytes->after;
    return record;
  }
  record["text"] = stored;
  record["before"] = record["after"] = "";
  record["note"] = fmt::format("This is the stored copy: {}",
                               bytes.ok() ? "the file has changed since it was read" : Message(bytes.status()));
  return record;
}

// Counts of one stage's manifest, or null.
Json CountsOf(const std::string& directory) {
  const absl::StatusOr<Manifest> manifest = ReadManifest(directory);
  return manifest.ok() ? manifest->counts : Json(nullptr);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Evidence>> Evidence::Open(const std::string& out, RunContext& context) {
  OutEvidence::Parts parts;
  ASSIGN_OR_RETURN(parts.index, TraceIndex::Open(out));
  ASSIGN_OR_RETURN(parts.shards, ShardSet::Open(out + "/shards", "train"));
  ASSIGN_OR_RETURN(parts.records, RecordLookup::Open(out));
  ASSIGN_OR_RETURN(const std::vector<std::string> sources, ListSources(out));
  if (!sources.empty()) {
    Database::Options options;
    options.threads = context.Threads();
    options.memory_bytes = context.memory_bytes / 4;
    ASSIGN_OR_RETURN(parts.database, Database::Open(options));
    RETURN_IF_ERROR(CreateViews(*parts.database, out));
  }
  return std::make_unique<OutEvidence>(std::move(parts));
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
  for (const auto& [name, folder] :
       {std::pair{"documents", "documents"}, {"corpus", "corpus"}, {"shards", "shards"}, {"training", "model"}}) {
    if (Json counts = CountsOf(out + "/" + folder); counts.is_object()) summary[name] = std::move(counts);
  }
  return summary;
}

}  // namespace rhodes
