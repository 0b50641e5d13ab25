#include "project/follow_settings.h"

#include <optional>

#include "project/fuse_settings.h"

namespace rhodes {

Json ToJson(const FollowSettings& settings) {
  return {{"epochs", settings.epochs},
          {"replay", settings.replay},
          {"learning_rate", settings.learning_rate},
          {"max_forgetting", settings.max_forgetting},
          {"attempts", settings.attempts},
          {"eval_tokens", settings.eval_tokens}};
}

void ReadFollowSettings(TomlTable& table, FollowSettings& settings) {
  std::string every;
  table.Read("every", every);
  if (!every.empty()) {
    const std::optional<int64_t> duration = ParseDuration(every);
    if (duration) settings.every_seconds = static_cast<double>(*duration) * 1e-6;
    if (!duration) table.Fail("every", fmt::format("follow.every \"{}\" is no time such as \"10 minutes\"", every));
  }
  table.Read("first_records", settings.first_records);
  table.Read("min_tokens", settings.min_tokens, 0, int64_t{1} << 50);
  table.Read("epochs", settings.epochs, 0.01, 1000);
  table.Read("replay", settings.replay, 0, 0.99);
  table.Read("learning_rate", settings.learning_rate, 0, 1e3);
  table.Read("max_forgetting", settings.max_forgetting, 0, 100);
  table.Read("attempts", settings.attempts, 1, 10);
  table.Read("eval_tokens", settings.eval_tokens, 1, int64_t{1} << 50);
  table.Read("part_bytes", settings.part_bytes);
  table.Read("part_seconds", settings.part_seconds, 0.05, 86400);
  table.Finish();
}

std::string ResolveStream(const std::string& address, const std::string& project_directory) {
  constexpr std::string_view kRelative = "dir://./";
  if (!address.starts_with(kRelative)) return address;
  return "dir://" + project_directory + "/" + address.substr(kRelative.size());
}

}  // namespace rhodes
