// rhodes.toml: what is read, how it is merged, what is kept, what is trained, what is asked. docs/project-file.md lists
// every key.
#ifndef RHODES_PROJECT_PROJECT_FILE_H_
#define RHODES_PROJECT_PROJECT_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "curate/settings.h"
#include "entity/settings.h"
#include "follow/stream_url.h"
#include "fuse/fuse.h"
#include "project/follow_settings.h"
#include "record/rights.h"
#include "source/format.h"
#include "token/tokenize.h"
#include "train/train.h"
#include "value/compare.h"

namespace rhodes {

struct PrepareSettings {
  std::vector<std::string> command;   // run in the project file's directory; empty: nothing is to be prepared
  std::vector<std::string> produces;  // absolute; the command runs when one of them is not there
};

struct SourceSettings {
  std::string name;
  std::vector<std::string> paths;  // absolute; none of a source that is followed
  std::optional<StreamUrl> follow;
  std::string format = "auto";
  ColumnMap columns;
  std::string language;
  std::string time_zone;             // IANA name, of times that state no zone
  std::optional<int64_t> polled_at;  // microseconds since 1970
  double max_rejects = 1;            // share of what is read
  Rights rights;                     // what is not stated comes from the format
  bool training_stated = false;
};

struct AskSettings {
  std::vector<std::string> questions;
  int64_t max_tokens = 120;
  double temperature = 0;
};

struct ProjectFile {
  std::string path;       // absolute
  std::string directory;  // that it lies in; relative paths in it count from here
  std::string name;
  std::string out;  // absolute; with "-quick" at its end in a quick run
  uint64_t seed = 1;
  bool quick = false;

  PrepareSettings prepare;
  std::vector<SourceSettings> sources;
  std::vector<EntityKind> entities;
  std::vector<FuseView> views;  // as written, or one for each source
  std::vector<TemplateSettings> templates;
  CurateSettings curate;
  TokenizeOptions tokenize;  // settings only; paths and key are the runner's, as in `train`
  TrainOptions train;
  std::string rights_override;  // why a model may be trained on sources whose rights do not allow it; empty: it may not
  CompareSettings compare;
  FollowSettings follow;
  AskSettings ask;
};

// Reads the file and checks all that can be known before a stage runs. With `quick`, [quick]'s tables lie over the
// others. (The quick form is checked in any case.)
//
// NOT_FOUND when there is no such file; UsageError "FILE:LINE:COLUMN: ..." for what is not TOML, an unknown key (with
// the nearest known one), a wrong type or a value out of range.
absl::StatusOr<ProjectFile> LoadProjectFile(const std::string& path, bool quick);
// The same of a text that stands in for the file.
absl::StatusOr<ProjectFile> ParseProjectFile(const std::string& text, const std::string& path, bool quick);

}  // namespace rhodes

#endif  // RHODES_PROJECT_PROJECT_FILE_H_
