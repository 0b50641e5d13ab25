// truth.jsonl: what happened, and which records witness it. docs/constellation.md has the format.
#ifndef RHODES_WORLD_TRUTH_H_
#define RHODES_WORLD_TRUTH_H_

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "world/events.h"
#include "world/world.h"

namespace rhodes {

// One output file of the world: counts its bytes, remembers the first error. Not thread-safe.
class WorldFile {
 public:
  static absl::StatusOr<std::unique_ptr<WorldFile>> Create(const std::string& path);
  void Write(std::string_view bytes);
  uint64_t bytes() const { return bytes_; }
  absl::Status Close();

 private:
  WorldFile(std::string path, FILE* file) : path_(std::move(path)), file_(file, &fclose) {}
  std::string path_;
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
  uint64_t bytes_ = 0;
  int error_ = 0;
};

// Collects the truth while the emitters write. Witnesses go to temporary files in the world's directory, a bucket for
// each run of events, so that memory does not grow with their number. Not thread-safe.
class Truth {
 public:
  Truth(std::string directory, const EventPlan& plan);

  // A record was written for the first time; `key` as in world/record_key.h. It must be stored unless taken back.
  void Emit(std::string_view source, std::string_view key);
  // The same of a record that a notice will take back.
  void EmitTakenBack(std::string_view source);
  void Duplicate(std::string_view source, uint64_t count = 1) { counts_[std::string(source)].duplicates += count; }
  void Corrupt(std::string_view source) { ++counts_[std::string(source)].corrupted; }
  // The record `key` is a witness of the event. `role`: "witness", or "overhead" for satellites.
  void Witness(int event, std::string_view source, std::string_view key, std::string_view file);
  // The post was deleted: no document may rest on it.
  void Deleted(std::string_view key);
  // A rumour: something said to have happened that did not.
  void Rumour(std::string_view line);

  // Writes truth.jsonl: the settings, events, rumours, deleted posts, totals.
  absl::Status Finish(const WorldSettings& settings, const WorldMap& map, WorldReport& report);

 private:
  WorldFile* Bucket(int event);
  absl::Status WriteEvents(const WorldMap& map, WorldFile& file, WorldReport& report);

  const std::string directory_;
  const EventPlan& plan_;
  std::vector<std::unique_ptr<WorldFile>> buckets_;
  std::unique_ptr<WorldFile> rest_;
  absl::Status failure_;
  std::map<std::string, WorldSourceCounts> counts_;
};

}  // namespace rhodes

#endif  // RHODES_WORLD_TRUTH_H_
