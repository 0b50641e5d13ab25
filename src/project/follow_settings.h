// [follow] and `follow` of [[source]]: what a project does with streams.
#ifndef RHODES_PROJECT_FOLLOW_SETTINGS_H_
#define RHODES_PROJECT_FOLLOW_SETTINGS_H_

#include <cstdint>
#include <string>

#include "base/json.h"
#include "project/toml_table.h"

namespace rhodes {

// How `rhodes run --follow` goes on training. docs/following-training.md says where the defaults come from.
struct FollowSettings {
  double every_seconds = 600;     // between the beginnings of two cycles, at least
  uint64_t first_records = 1000;  // that a project of streams alone waits for before its first model
  int64_t min_tokens = 0;         // new training tokens that make a cycle; 0: ten steps' worth
  double epochs = 1;              // over the new text, in its cycle
  double replay = 0.25;           // share of a cycle's tokens that are of earlier text
  double learning_rate = 0;       // peak of a cycle; 0: 0.3 of [train]'s
  double max_forgetting = 0.05;   // nats a token that the old validation set's loss may rise above the first model's
  int64_t attempts = 3;           // per cycle, each with half the new text's share and half the learning rate
  int64_t eval_tokens = 131'072;  // most of each validation set
  uint64_t part_bytes = uint64_t{256} << 20;  // as of `rhodes ingest --follow`
  double part_seconds = 30;
};
Json ToJson(const FollowSettings& settings);

// Reads [follow]; problems are told to `table`.
void ReadFollowSettings(TomlTable& table, FollowSettings& settings);

// The address of a source's stream as ParseStreamUrl() takes it: a directory that begins with "dir://./" lies below
// `project_directory`.
std::string ResolveStream(const std::string& address, const std::string& project_directory);

}  // namespace rhodes

#endif  // RHODES_PROJECT_FOLLOW_SETTINGS_H_
