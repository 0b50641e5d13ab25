#include "train/validation_sources.h"

#include <cstdint>
#include <vector>

#include "base/file.h"
#include "table/database.h"
#include "token/document_subset.h"

namespace rhodes {
namespace {

// For each row of the corpus the number of its sources' name in `names`.
absl::StatusOr<std::vector<uint32_t>> SourcesOfRows(const std::string& corpus, std::map<std::string, uint32_t>& names) {
  std::vector<uint32_t> rows;
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(corpus));
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
  for (const std::string& file : files) {
    const std::string_view name = std::string_view(file).substr(file.rfind('/') + 1);
    if (!name.starts_with("part-") || !name.ends_with(".parquet")) continue;
    absl::StatusOr<QueryResult> result =
        database->Query(fmt::format("SELECT sources FROM read_parquet({})", SqlLiteral(file)));
    if (!result.ok()) return Annotate(result.status(), file);
    while (true) {
      ASSIGN_OR_RETURN(const bool more, result->Next());
      if (!more) break;
      for (size_t row = 0; row < result->row_count(); ++row) {
        std::string joined;
        for (const std::string_view source : result->StringList(0, row)) {
          joined += joined.empty() ? "" : "+";
          joined += source;
        }
        rows.push_back(names.emplace(joined, static_cast<uint32_t>(names.size())).first->second);
      }
    }
  }
  return rows;
}

}  // namespace

absl::StatusOr<std::map<std::string, std::unique_ptr<ShardSet>>> SplitBySource(const ShardSet& shards,
                                                                               const Tokenizer& tokenizer,
                                                                               const std::string& corpus) {
  std::map<std::string, std::unique_ptr<ShardSet>> sets;
  if (!PathExists(corpus)) return sets;
  std::map<std::string, uint32_t> names;
  ASSIGN_OR_RETURN(const std::vector<uint32_t> rows, SourcesOfRows(corpus, names));
  std::vector<std::vector<uint64_t>> documents(names.size());
  for (uint64_t d = 0; d < shards.document_count(); ++d) {
    const uint64_t row = shards.CorpusRow(d);
    if (row >= rows.size()) {
      return absl::DataLossError(
          fmt::format("{}: {} rows, and a held-out document is row {}: tokenize again", corpus, rows.size(), row));
    }
    documents[rows[row]].push_back(d);
  }
  for (const auto& [name, number] : names) {
    if (documents[number].empty()) continue;
    sets[name.empty() ? "unnamed" : name] =
        std::make_unique<DocumentSubset>(shards, tokenizer, std::move(documents[number]));
  }
  if (sets.size() < 2) sets.clear();
  return sets;
}

}  // namespace rhodes
