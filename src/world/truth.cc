#include "world/truth.h"

#include <cerrno>
#include <map>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "world/clock.h"
#include "world/record_key.h"

namespace rhodes {
namespace {

constexpr int kBuckets = 32;

}  // namespace

absl::StatusOr<std::unique_ptr<WorldFile>> WorldFile::Create(const std::string& path) {
  if (const size_t slash = path.rfind('/'); slash != std::string::npos) {
    RETURN_IF_ERROR(CreateDirectories(path.substr(0, slash)));
  }
  FILE* const file = fopen(path.c_str(), "wbe");
  if (file == nullptr) return ErrnoError(errno, "create", path);
  return std::unique_ptr<WorldFile>(new WorldFile(path, file));
}

void WorldFile::Write(std::string_view bytes) {
  if (error_ != 0) return;
  if (fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) error_ = errno != 0 ? errno : EIO;
  bytes_ += bytes.size();
}

absl::Status WorldFile::Close() {
  if (file_ == nullptr) return absl::OkStatus();
  if (fclose(file_.release()) != 0 && error_ == 0) error_ = errno != 0 ? errno : EIO;
  return error_ == 0 ? absl::OkStatus() : ErrnoError(error_, "write", path_);
}

Truth::Truth(std::string directory, const EventPlan& plan) : directory_(std::move(directory)), plan_(plan) {
  buckets_.resize(kBuckets);
}

WorldFile* Truth::Bucket(int event) {
  const auto bucket = static_cast<size_t>(int64_t{event} * kBuckets / static_cast<int64_t>(plan_.events().size()));
  std::unique_ptr<WorldFile>& file = buckets_[bucket];
  if (file == nullptr) {
    auto created = WorldFile::Create(fmt::format("{}/.witnesses-{:02}", directory_, bucket));
    if (!created.ok()) {
      failure_ = created.status();
      return nullptr;
    }
    file = *std::move(created);
  }
  return file.get();
}

void Truth::Emit(std::string_view source, std::string_view key) {
  WorldSourceCounts& counts = counts_[std::string(source)];
  ++counts.unique;
  counts.keys += KeyFingerprint(key);
}

void Truth::EmitTakenBack(std::string_view source) {
  WorldSourceCounts& counts = counts_[std::string(source)];
  ++counts.unique;
  ++counts.taken_back;
}

void Truth::Witness(int event, std::string_view source, std::string_view key, std::string_view file) {
  if (!failure_.ok()) return;
  if (WorldFile* bucket = Bucket(event)) bucket->Write(fmt::format("{}\t{}\t{}\t{}\n", event, source, key, file));
}

void Truth::Deleted(std::string_view key) {
  Json line = {{"type", "deleted"}, {"record", key}};
  Rumour(DumpJson(line));
}

void Truth::Rumour(std::string_view line) {
  if (!failure_.ok()) return;
  if (rest_ == nullptr) {
    auto created = WorldFile::Create(directory_ + "/.rest");
    if (!created.ok()) {
      failure_ = created.status();
      return;
    }
    rest_ = *std::move(created);
  }
  rest_->Write(line);
  rest_->Write("\n");
}

absl::Status Truth::WriteEvents(const WorldMap& map, WorldFile& file, WorldReport& report) {
  const auto& events = plan_.events();
  size_t next = 0;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    // Source, file and key of each event's records, in the order of their names.
    std::map<int, std::map<std::string, std::map<std::string, std::set<std::string>>>> witnesses;
    if (WorldFile* written = buckets_[static_cast<size_t>(bucket)].get(); written != nullptr) {
      RETURN_IF_ERROR(written->Close());
      const std::string path = fmt::format("{}/.witnesses-{:02}", directory_, bucket);
      ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
      for (const std::string_view line : Split(text, '\n')) {
        if (line.empty()) continue;
        const std::vector<std::string_view> parts = Split(line, '\t');
        witnesses[std::stoi(std::string(parts[0]))][std::string(parts[1])][std::string(parts[3])].emplace(parts[2]);
      }
      RETURN_IF_ERROR(RemoveTree(path));
    }
    for (; next < events.size(); ++next) {
      const WorldEvent& event = events[next];
      if (int64_t{event.index} * kBuckets / static_cast<int64_t>(events.size()) != bucket) break;
      const WorldPoint place = event.road >= 0 ? map.Along(event.road, 0.5) : map.town(event.town).centre;
      Json line = {{"type", "event"},
                   {"id", event.id},
                   {"kind", NameOf(event.kind)},
                   {"place", event.road >= 0 ? map.road(event.road).name : map.town(event.town).name},
                   {"latitude", place.latitude},
                   {"longitude", place.longitude},
                   {"begin", IsoMilliseconds(event.begin)},
                   {"end", IsoMilliseconds(event.end)},
                   {"severity", event.severity}};
      Json towns = Json::array();
      for (const int town : event.towns) towns.push_back(map.town(town).name);
      line["towns"] = std::move(towns);
      Json records = Json::object();
      for (const auto& [source, files] : witnesses[event.index]) {
        for (const auto& [path, keys] : files) {
          report.witnesses += keys.size();
          for (const std::string& key : keys) records[source][path].push_back(key);
        }
      }
      line["records"] = std::move(records);
      file.Write(DumpJson(line) + "\n");
    }
  }
  return absl::OkStatus();
}

absl::Status Truth::Finish(const WorldSettings& settings, const WorldMap& map, WorldReport& report) {
  RETURN_IF_ERROR(failure_);
  ASSIGN_OR_RETURN(std::unique_ptr<WorldFile> file, WorldFile::Create(directory_ + "/truth.jsonl"));
  file->Write(DumpJson({{"type", "world"},
                        {"format", 1},
                        {"seed", settings.seed},
                        {"dishes", settings.dishes},
                        {"hours", settings.hours},
                        {"noise", settings.noise},
                        {"begin", IsoSeconds(kWorldStart)},
                        {"end", IsoSeconds(kWorldStart + settings.hours * kWorldHour)}}) +
              "\n");
  RETURN_IF_ERROR(WriteEvents(map, *file, report));
  if (rest_ != nullptr) {
    RETURN_IF_ERROR(rest_->Close());
    ASSIGN_OR_RETURN(const MappedFile rest, MappedFile::Open(directory_ + "/.rest"));
    file->Write(rest.bytes());
    RETURN_IF_ERROR(RemoveTree(directory_ + "/.rest"));
  }
  for (const auto& [source, counts] : counts_) {
    file->Write(DumpJson({{"type", "source"},
                          {"source", source},
                          {"unique", counts.unique},
                          {"duplicates", counts.duplicates},
                          {"corrupted", counts.corrupted},
                          {"taken_back", counts.taken_back},
                          {"keys", fmt::format("{:016x}", counts.keys)}}) +
                "\n");
  }
  RETURN_IF_ERROR(file->Close());
  report.events = plan_.events().size();
  report.bytes += file->bytes();
  report.sources = counts_;
  return absl::OkStatus();
}

}  // namespace rhodes
