#include "fuse/source_scope.h"

#include <algorithm>

#include "record/record_table.h"
#include "store/record_store.h"
#include "store/source_directory.h"

namespace rhodes {

Json PartTimes::ToJson() const {
  Json of = Json::array();
  for (const auto& [stretch, hash] : stretches) of.push_back({stretch, hash});
  return {{"timeless", timeless}, {"stretches", std::move(of)}};
}

PartTimes PartTimes::FromJson(const Json& json) {
  PartTimes times;
  times.timeless = json.at("timeless").get<std::string>();
  for (const Json& one : json.at("stretches")) times.stretches[one.at(0).get<int64_t>()] = one.at(1).get<std::string>();
  return times;
}

absl::StatusOr<PartTimes> ReadPartTimes(Database& database, const std::string& part, int64_t width) {
  ASSIGN_OR_RETURN(
      QueryResult rows,
      database.Query(fmt::format(
          "SELECT stretch, hash(list(content ORDER BY place))::VARCHAR || '/' || count(*) FROM (SELECT CASE WHEN "
          "isfinite(time) THEN (epoch_us(time) - ((epoch_us(time) % {width}) + {width}) % {width}) // {width} END AS "
          "stretch, hash(columns) AS content, place FROM (SELECT time, file_row_number AS place, "
          "struct_pack(id, source, kind, time_precision, author, latitude, longitude, language, text, channels, units, "
          "fields, original, file, \"begin\", \"end\", reader, time) AS columns FROM read_parquet({part}, "
          "file_row_number = true, hive_partitioning = false))) GROUP BY stretch",
          fmt::arg("width", width), fmt::arg("part", SqlLiteral(part)))));
  PartTimes times;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return times;
    for (size_t row = 0; row < rows.row_count(); ++row) {
      if (rows.IsNull(0, row)) {
        times.timeless = rows.String(1, row);
      } else {
        times.stretches[rows.Int64(0, row)] = rows.String(1, row);
      }
    }
  }
}

absl::StatusOr<SourceScope> SourceScope::Open(Database& database, const std::string& out) {
  SourceScope scope(database);
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListSources(out));
  for (const std::string& name : names) {
    Source& source = scope.sources_.emplace_back();
    source.name = name;
    ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(SourceDirectory(out, name)));
    ASSIGN_OR_RETURN(const std::vector<std::string> paths, ListParts(out, name));
    for (size_t i = 0; i < paths.size(); ++i) source.parts.push_back({paths[i], manifest.parts[i].sha256});
    scope.empty_ = scope.empty_ && paths.empty();
  }
  // What a source that shows nothing is read from, so that no file is.
  RETURN_IF_ERROR(database.Execute(fmt::format("CREATE TABLE main.rhodes_no_records ({})", kRecordColumns)));
  return scope;
}

bool SourceScope::Has(const std::string& source) const {
  return std::any_of(sources_.begin(), sources_.end(), [&](const Source& one) { return one.name == source; });
}

absl::Status SourceScope::Show(const std::vector<std::vector<std::string>>& parts, const std::string& where) {
  if (empty_) return absl::OkStatus();
  std::string all;
  const auto select = [&](const std::string& list) {
    if (list.empty()) return std::string("FROM main.rhodes_no_records");
    // A directory above that is called a=b would otherwise become a column.
    return fmt::format("SELECT * FROM read_parquet([{}], hive_partitioning = false){}", list, where);
  };
  for (size_t i = 0; i < sources_.size(); ++i) {
    std::string list;
    for (const std::string& part : parts[i]) list += (list.empty() ? "" : ", ") + SqlLiteral(part);
    if (!list.empty()) all += (all.empty() ? "" : ", ") + list;
    RETURN_IF_ERROR(database_->Execute(
        fmt::format("CREATE OR REPLACE VIEW main.{} AS {}", SqlIdentifier(sources_[i].name), select(list))));
  }
  return database_->Execute(fmt::format("CREATE OR REPLACE VIEW main.records AS {}", select(all)));
}

absl::Status SourceScope::ShowAll() {
  std::vector<std::vector<std::string>> parts(sources_.size());
  for (size_t i = 0; i < sources_.size(); ++i) {
    for (const Part& part : sources_[i].parts) parts[i].push_back(part.path);
  }
  return Show(parts, "");
}

absl::Status SourceScope::ShowNothing() { return Show(std::vector<std::vector<std::string>>(sources_.size()), ""); }

absl::Status SourceScope::ShowSource(const std::string& source) {
  std::vector<std::vector<std::string>> parts(sources_.size());
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].name != source) continue;
    for (const Part& part : sources_[i].parts) parts[i].push_back(part.path);
  }
  return Show(parts, "");
}

absl::Status SourceScope::ShowPart(const std::string& source, const Part& part) {
  std::vector<std::vector<std::string>> parts(sources_.size());
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].name == source) parts[i].push_back(part.path);
  }
  return Show(parts, "");
}

absl::Status SourceScope::ShowBetween(int64_t begin, int64_t end,
                                      const std::vector<std::pair<size_t, std::string>>& parts) {
  std::vector<std::vector<std::string>> of_sources(sources_.size());
  for (const auto& [source, path] : parts) of_sources[source].push_back(path);
  return Show(of_sources,
              fmt::format(" WHERE (time >= make_timestamp({}) AND time < make_timestamp({})) OR time IS NULL "
                          "OR NOT isfinite(time)",
                          begin, end));
}

}  // namespace rhodes
