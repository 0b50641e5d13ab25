#include "project/erase_journal.h"

#include "base/file.h"

namespace rhodes {
namespace {

Json ShardsJson(const EraseJournal::Shards& shards) {
  return {{"documents", shards.documents}, {"key", shards.key},
          {"settings", shards.settings},   {"trace", shards.trace},
          {"trace_key", shards.trace_key}, {"trace_settings", shards.trace_settings}};
}

EraseJournal::Shards ShardsFromJson(const Json& json) {
  EraseJournal::Shards shards;
  shards.documents = json.at("documents").get<std::string>();
  shards.key = json.at("key").get<std::string>();
  shards.settings = json.at("settings");
  shards.trace = json.at("trace").get<bool>();
  shards.trace_key = json.at("trace_key").get<std::string>();
  shards.trace_settings = json.at("trace_settings");
  return shards;
}

}  // namespace

std::string JournalPath(const std::string& out) { return out + "/.erase.json"; }

absl::Status WriteJournal(const std::string& out, const EraseJournal& journal) {
  Json folders = Json::object();
  for (const auto& [name, folder] : journal.folders) {
    folders[name] = {{"documents", folder.documents}, {"counts", folder.counts}};
  }
  const Json json = {{"format", "rhodes-erasure/1"},
                     {"time", journal.time},
                     {"selector", journal.selector},
                     {"receipt", journal.receipt},
                     {"records", journal.records},
                     {"masked", journal.masked},
                     {"documents", journal.documents},
                     {"emptied", journal.emptied},
                     {"folders", folders},
                     {"shards", journal.shards ? ShardsJson(*journal.shards) : Json()},
                     {"counts", journal.counts},
                     {"merkle", journal.merkle},
                     {"models", journal.models},
                     {"files", journal.files},
                     {"needles", journal.needles.ToJson()}};
  return WriteFileAtomically(JournalPath(out), DumpJson(json) + "\n");
}

absl::StatusOr<EraseJournal> ReadJournal(const std::string& out) {
  const std::string path = JournalPath(out);
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const absl::StatusOr<Json> json = ParseJson(text, path);
  if (!json.ok()) return absl::DataLossError(Message(json.status()));
  EraseJournal journal;
  try {
    journal.time = json->at("time").get<std::string>();
    journal.selector = json->at("selector");
    journal.receipt = json->at("receipt").get<std::string>();
    journal.records = json->at("records").get<std::vector<std::string>>();
    journal.masked = json->at("masked").get<std::vector<std::string>>();
    journal.documents = json->at("documents").get<std::vector<std::string>>();
    journal.emptied = json->at("emptied").get<std::vector<std::string>>();
    for (const auto& [name, folder] : json->at("folders").items()) {
      journal.folders[name] = {folder.at("documents").get<uint64_t>(), folder.at("counts")};
    }
    if (!json->at("shards").is_null()) journal.shards = ShardsFromJson(json->at("shards"));
    journal.counts = json->at("counts");
    journal.merkle = json->at("merkle");
    journal.models = json->at("models");
    journal.files = json->at("files").get<std::map<std::string, std::string>>();
    ASSIGN_OR_RETURN(journal.needles, Needles::FromJson(json->at("needles"), path));
  } catch (const Json::exception& error) {
    return absl::DataLossError(fmt::format("{}: {}", path, error.what()));
  }
  return journal;
}

}  // namespace rhodes
