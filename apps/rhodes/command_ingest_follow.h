// rhodes ingest --follow: the flags of streams, and following them.
#ifndef RHODES_APPS_RHODES_COMMAND_INGEST_FOLLOW_H_
#define RHODES_APPS_RHODES_COMMAND_INGEST_FOLLOW_H_

#include <functional>
#include <string>
#include <vector>

#include "command.h"
#include "ingest/ingest.h"

namespace rhodes {

struct FollowFlags {
  bool on = false;
  std::vector<std::string> streams;
  std::string part_bytes = "256MB";
  double part_seconds = 30;
  double stop_after_idle = 0;
  int metrics_port = 0;
};

void AddFollowFlags(CLI::App& app, FollowFlags& flags);
// `options`: columns, language, rights, ... as for files; its name is that of a single stream.
absl::Status RunFollow(const FollowFlags& flags, const IngestOptions& options,
                       std::function<absl::Status()> carry_out_notices, const CommonFlags& common, RunContext& context);

}  // namespace rhodes

#endif  // RHODES_APPS_RHODES_COMMAND_INGEST_FOLLOW_H_
