// rhodes ingest: files into the one database.
#include <fmt/format.h>

#include <memory>

#include "base/byte_size.h"
#include "base/hash.h"
#include "command.h"
#include "command_ingest_follow.h"
#include "ingest/ingest.h"
#include "project/erase.h"
#include "source/time.h"

namespace rhodes {
namespace {

struct Flags {
  FollowFlags follow;
  IngestOptions options;
  std::vector<std::string> columns;  // "text=body"
  double max_rejects = 1.0;
  bool replace = false;
  std::string polled_at;
  Rights rights;
  std::string training;
};

absl::Status SetColumn(const std::string& assignment, ColumnMap& columns) {
  const size_t equals = assignment.find('=');
  const std::string role = assignment.substr(0, equals);
  const std::vector<std::pair<std::string, std::string*>> roles = {{"text", &columns.text},
                                                                   {"time", &columns.time},
                                                                   {"author", &columns.author},
                                                                   {"language", &columns.language},
                                                                   {"latitude", &columns.latitude},
                                                                   {"longitude", &columns.longitude},
                                                                   {"id", &columns.id},
                                                                   {"place", &columns.place}};
  if (role == "channel" && equals != std::string::npos) {
    ASSIGN_OR_RETURN(ChannelColumn channel, ParseChannelColumn(std::string_view(assignment).substr(equals + 1)));
    columns.channels.push_back(std::move(channel));
    return absl::OkStatus();
  }
  for (const auto& [name, field] : roles) {
    if (role != name) continue;
    if (equals == std::string::npos || equals + 1 == assignment.size()) break;
    *field = assignment.substr(equals + 1);
    return absl::OkStatus();
  }
  return UsageError(
      fmt::format("--column {}: write ROLE=FIELD with one of text, time, author, language, latitude, longitude, id, "
                  "place, channel as ROLE, such as --column text=body",
                  assignment));
}

// Rights are stated when any of the flags is there.
absl::Status SetRights(Flags& flags) {
  Rights& rights = flags.rights;
  if (flags.training.empty() && rights.licence.empty() && rights.owner.empty() && rights.retention.empty()) {
    return absl::OkStatus();
  }
  if (!flags.training.empty()) {
    ASSIGN_OR_RETURN(rights.training, ParseTraining(flags.training));
  }
  RETURN_IF_ERROR(RetentionEnd(rights.retention, 0).status());
  flags.options.rights = rights;
  return absl::OkStatus();
}

// What the input's notices take back of what was stored before, in this source and all others.
absl::StatusOr<TakedownReport> CarryOutNotices(const std::string& out, RunContext& context) {
  absl::StatusOr<TakedownReport> report = ApplyTakedowns(out, context);
  if (!absl::IsFailedPrecondition(report.status())) return report;
  // Both the other run's end and the next run come back to it.
  context.progress->Say(fmt::format("notices that take back stored records wait: {}", Message(report.status())));
  return TakedownReport{};
}

absl::Status RunIngest(Flags flags, const CommonFlags& common, RunContext& context) {
  IngestOptions& options = flags.options;
  for (const std::string& column : flags.columns) RETURN_IF_ERROR(SetColumn(column, options.columns));
  if (!flags.polled_at.empty()) {
    options.polled_at = ParseTime(flags.polled_at);
    if (!options.polled_at) return UsageError(fmt::format("--polled-at {}: no time", flags.polled_at));
  }
  RETURN_IF_ERROR(SetRights(flags));
  if (flags.follow.on || !flags.follow.streams.empty()) {
    return RunFollow(
        flags.follow, options, [&] { return CarryOutNotices(options.out, context).status(); }, common, context);
  }
  if (options.paths.empty()) return UsageError("ingest needs PATH, or --follow with --source");
  if (options.name.empty()) return UsageError("ingest needs --name");
  options.mode = flags.replace ? RecordWriter::Mode::kReplace : RecordWriter::Mode::kAppend;
  options.reject_tolerance = flags.max_rejects;
  options.settings = {{"format", options.format}, {"columns", flags.columns}, {"language", options.language}};
  if (!options.time_zone.empty()) options.settings["time_zone"] = options.time_zone;
  ASSIGN_OR_RETURN(const std::string fingerprint, InputsFingerprint(options.paths));
  options.key = ContentId({fingerprint, DumpJson(options.settings)});
  ASSIGN_OR_RETURN(const IngestReport report, Ingest(options, context));
  ASSIGN_OR_RETURN(const TakedownReport takedowns, CarryOutNotices(options.out, context));
  const bool taken_back = takedowns.records + takedowns.masked > 0;
  if (common.json) {
    Json json = ToJson(report);
    if (taken_back) {
      json["takedowns"] = {
          {"records", takedowns.records}, {"masked", takedowns.masked}, {"documents", takedowns.documents}};
    }
    PrintJson(json);
    return absl::OkStatus();
  }
  const IngestCounts& counts = report.counts;
  fmt::print("{:<12} {:>14}\n{:<12} {:>14}\n{:<12} {:>14}\n{:<12} {:>14}\n{:<12} {:>14}\n{:<12} {:>14}\n", "files",
             report.files, "read", counts.read, "stored", counts.stored, "duplicates", counts.duplicates, "rejected",
             counts.rejected, "input", FormatByteSize(counts.bytes));
  fmt::print("{:<12} {:>12.2f} s   {:.1f} MB/s\n", "time", report.seconds,
             report.seconds > 0 ? static_cast<double>(counts.bytes) / 1e6 / report.seconds : 0.0);
  if (counts.known > 0) fmt::print("{} of the duplicates are in files that were taken before\n", counts.known);
  if (taken_back) {
    fmt::print("notices took back {} stored records, and {} documents made from them; {} records were masked\n",
               takedowns.records, takedowns.documents, takedowns.masked);
  }
  if (!report.skipped.empty()) {
    fmt::print("{} files were left out on purpose, such as {}: {}\n", report.skipped.size(), report.skipped[0].path,
               report.skipped[0].reason);
  }
  if (counts.rejected > 0) fmt::print("what was rejected and why: {}/rejects/{}.jsonl\n", options.out, options.name);
  return absl::OkStatus();
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("PATH", flags->options.paths,
                 "files, directories, globs (quoted), or - for standard input; gz, zst, bz2, xz, zip and tar are "
                 "unpacked");
  std::string formats = "auto, or one of";
  for (const Format* format : AllFormats())
    formats += fmt::format("{} {}", formats.ends_with("of") ? "" : ",", format->name());
  app.add_option("--format", flags->options.format, formats)->capture_default_str();
  app.add_option("--name", flags->options.name,
                 "the source's name in the database (required; of a stream: its topic, host or directory)");
  app.add_option("--out", flags->options.out, "the output directory")->required();
  app.add_flag("--replace", flags->replace, "the source holds just this input afterwards; default: it is added");
  app.add_option("--column", flags->columns,
                 "ROLE=FIELD: which field is text, time, author, language, latitude, longitude, id or place; "
                 "channel=FIELD[:NAME[:UNIT]] for a measurement")
      ->allow_extra_args(false);
  app.add_option("--language", flags->options.language, "language (BCP 47) of records that state none");
  app.add_option("--time-zone", flags->options.time_zone,
                 "IANA name (Europe/Oslo) for times that state no zone; default UTC");
  app.add_option("--polled-at", flags->polled_at, "when a device gave answers that hold no time");
  app.add_option("--training", flags->training, "may models be trained on it: allowed, not-allowed or unknown")
      ->check(CLI::IsMember({"allowed", "not-allowed", "unknown"}));
  app.add_option("--licence", flags->rights.licence, "what it is licensed under");
  app.add_option("--owner", flags->rights.owner, "or whose it is");
  app.add_option("--retention", flags->rights.retention, "how long it may be kept: \"90 days\", \"until 2027-12-31\"");
  app.add_option("--max-rejects", flags->max_rejects,
                 "share of the input that may be rejected, 0 to 1; else exit code 3")
      ->check(CLI::Range(0.0, 1.0));
  AddFollowFlags(app, flags->follow);
  return [flags](const CommonFlags& common, RunContext& context) { return RunIngest(*flags, common, context); };
}

const CommandRegistration kRegistration(
    {"ingest", "read files into the one database",
     "  rhodes ingest posts.jsonl.gz --format jsonl --name posts --out out --json\n"
     "  rhodes ingest table.csv --format csv --name news --out out --column text=headline --column time=published\n"
     "  rhodes ingest /usr/share/man --format man --name manuals --out out\n"
     "  rhodes ingest \"archive/**/*.zst\" notes/ --name mixed --out out --replace --max-rejects 0.01\n"
     "  rhodes ingest --follow --source \"kafka://localhost:9092/tesla_V?group=rhodes&format=tesla-telemetry\" --out "
     "out\n"
     "  rhodes ingest --follow --source \"dir:///var/spool/posts?format=x-v2\" --out out --metrics 9464\n",
     10, &Setup});

}  // namespace
}  // namespace rhodes
