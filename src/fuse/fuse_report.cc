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

Json ToRunJson(const FuseReport& report) {
  Json json = ToJson(report);
  for (size_t i = 0; i < report.views.size(); ++i) {
    json["views"][i]["made"] = report.views[i].made;
    json["views"][i]["taken_over"] = report.views[i].taken_over;
  }
  json["seconds"] = report.seconds;
  return json;
}

absl::Status StatusOf(const FuseReport& report) {
  if (report.failed.empty()) return absl::OkStatus();
  std::string message;
  for (const FuseReport::Failed& view : report.failed) message += (message.empty() ? "" : "\n") + view.message;
  return absl::FailedPreconditionError(message);
}

}  // namespace rhodes
