#include "fuse/fuse.h"

namespace rhodes {

Json ToJson(const FuseReport& report) {
  Json views = Json::array();
  for (const FuseReport::View& view : report.views) {
    views.push_back({{"name", view.name},
                     {"rows", view.rows},
                     {"documents", view.documents},
                     {"empty", view.empty},
                     {"duplicates", view.duplicates}});
  }
  Json failed = Json::array();
  for (const FuseReport::Failed& view : report.failed) {
    failed.push_back({{"name", view.name}, {"message", view.message}});
  }
  Json json = {{"documents", report.documents}, {"text_bytes", report.text_bytes}, {"records", report.records},
               {"used", report.used},           {"unused", report.unused},         {"views", views}};
  if (!report.failed.empty()) json["failed"] = std::move(failed);
  return json;
}

absl::StatusOr<FuseReport> FuseReportFromJson(const Json& json) {
  FuseReport report;
  try {
    for (const Json& one : json.at("views")) {
      FuseReport::View& view = report.views.emplace_back();
      view.name = one.at("name").get<std::string>();
      view.rows = one.at("rows").get<uint64_t>();
      view.documents = one.at("documents").get<uint64_t>();
      view.empty = one.at("empty").get<uint64_t>();
      view.duplicates = one.at("duplicates").get<uint64_t>();
    }
    report.documents = json.at("documents").get<uint64_t>();
    report.text_bytes = json.at("text_bytes").get<uint64_t>();
    report.records = json.at("records").get<uint64_t>();
    report.used = json.at("used").get<uint64_t>();
    for (const auto& [source, count] : json.at("unused").items()) report.unused[source] = count.get<uint64_t>();
  } catch (const Json::exception& error) {
    return absl::DataLossError(fmt::format("the counts of fuse's manifest are damaged: {}", error.what()));
  }
  return report;
}

Json ToRunJson(const FuseReport& report) {
  Json json = ToJson(report);
  for (size_t i = 0; i < report.views.size(); ++i) {
    json["views"][i]["made"] = report.views[i].made;
    json["views"][i]["taken_over"] = report.views[i].taken_over;
  }
  if (report.anomalies.has_value()) json["bad_records"] = ToJson(*report.anomalies);
  json["seconds"] = report.seconds;
  return json;
}

absl::Status StatusOf(const FuseReport& report) {
  if (report.failed.empty()) return absl::OkStatus();
  std::string message;
  for (const FuseReport::Failed& view : report.failed) message += (message.empty() ? "" : "\n") + view.message;
  return UsageError(message);
}

}  // namespace rhodes
