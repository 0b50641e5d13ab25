#include "command_ingest_follow.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/byte_size.h"
#include "follow/follow.h"

namespace rhodes {
namespace {

// The last word of an address that names the stream: a topic, a directory; of the others the host.
std::string NameOf(const StreamUrl& url) {
  std::string name = url.Get("name");
  if (name.empty()) {
    std::string_view path = url.path;
    while (path.ends_with('/')) path.remove_suffix(1);
    const bool by_path = url.scheme == "kafka" || url.scheme == "dir";
    name = by_path ? std::string(path.substr(path.rfind('/') + 1)) : url.host;
  }
  for (char& c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    if (!plain) c = '_';
  }
  return name;
}

absl::StatusOr<FollowSource> SourceOf(const std::string& text, const FollowFlags& flags, const IngestOptions& options) {
  FollowSource source;
  ASSIGN_OR_RETURN(source.url, ParseStreamUrl(text));
  source.name = options.name.empty() ? NameOf(source.url) : options.name;
  if (!options.name.empty() && flags.streams.size() > 1) {
    return UsageError("--name names one stream; give each of several its own with name= in its address");
  }
  if (source.url.scheme != "grpc" && source.url.Get("format").empty()) source.url.query["format"] = options.format;
  auto read = std::make_shared<ReadOptions>();
  read->source = source.name;
  read->columns = options.columns;
  read->language = options.language;
  read->record_limit = options.record_limit;
  read->time_zone = options.time_zone;
  read->polled_at = options.polled_at;
  source.read = std::move(read);
  source.rights = options.rights;
  return source;
}

void Print(const FollowReport& report) {
  fmt::print("{:<20} {:>12} {:>12} {:>12} {:>12} {:>8}\n", "source", "read", "stored", "duplicates", "rejected",
             "commits");
  for (const FollowReport::Source& source : report.sources) {
    fmt::print("{:<20} {:>12} {:>12} {:>12} {:>12} {:>8}\n", source.name, source.counts.read, source.counts.stored,
               source.counts.duplicates, source.counts.rejected, source.commits);
  }
}

}  // namespace

void AddFollowFlags(CLI::App& app, FollowFlags& flags) {
  app.add_flag("--follow", flags.on, "follow streams until interrupted: with --source");
  app.add_option("--source", flags.streams,
                 "a stream to follow: kafka://host:port/topic?group=G&format=F, http://…, dir:///path?format=F, "
                 "grpc://host:port/dish; may be given several times")
      ->allow_extra_args(false);
  app.add_option("--metrics", flags.metrics_port, "port on 127.0.0.1 for Prometheus: /metrics")
      ->check(CLI::Range(1, 65535));
  app.add_option("--part-bytes", flags.part_bytes, "what came in is committed, and counts, when it is this much")
      ->capture_default_str();
  app.add_option("--part-seconds", flags.part_seconds, "or this long after its first record")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 86400.0));
  app.add_option("--stop-after-idle", flags.stop_after_idle,
                 "end well when nothing came in for this many seconds (default: never)")
      ->check(CLI::Range(0.0, 1e9));
}

absl::Status RunFollow(const FollowFlags& flags, const IngestOptions& options,
                       std::function<absl::Status()> carry_out_notices, const CommonFlags& common,
                       RunContext& context) {
  if (!options.paths.empty())
    return UsageError("--follow takes streams by --source, not paths: a directory is dir:///PATH");
  if (flags.streams.empty())
    return UsageError("--follow needs --source, such as --source dir:///var/spool/posts?format=x-v2");
  FollowOptions follow;
  follow.out = options.out;
  for (const std::string& text : flags.streams) {
    ASSIGN_OR_RETURN(FollowSource source, SourceOf(text, flags, options));
    follow.sources.push_back(std::move(source));
  }
  ASSIGN_OR_RETURN(follow.part_bytes, ParseByteSize(flags.part_bytes));
  follow.part_seconds = flags.part_seconds;
  follow.stop_after_idle = flags.stop_after_idle;
  follow.metrics_port = flags.metrics_port;
  follow.carry_out_notices = std::move(carry_out_notices);
  ASSIGN_OR_RETURN(const FollowReport report, Follow(follow, context));
  if (common.json) {
    PrintJson(ToJson(report));
  } else {
    Print(report);
  }
  return absl::OkStatus();
}

}  // namespace rhodes
