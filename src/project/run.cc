#include "project/run.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include <fmt/ranges.h>

#include "base/file.h"
#include "base/text.h"
#include "project/erase.h"
#include "project/follow_state.h"
#include "project/out_lock.h"
#include "project/prepare.h"
#include "project/rights.h"
#include "project/stages.h"
#include "store/record_store.h"
#include "store/source_directory.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

absl::Status CheckUntil(const std::string& until) {
  const std::vector<std::string>& names = StageNames();
  if (until.empty() || std::find(names.begin(), names.end(), until) != names.end()) return absl::OkStatus();
  const std::string nearest = Nearest(until, names);
  return UsageError(fmt::format("--until {}: there is no such stage{}; they are {}", until,
                                nearest.empty() ? "" : fmt::format(", did you mean {}?", nearest),
                                fmt::join(names, ", ")));
}

bool IsBehind(const std::string& kind, const std::string& until) {
  const std::vector<std::string>& names = StageNames();
  const auto end = std::find(names.begin(), names.end(), until);
  return end != names.end() && std::find(names.begin(), names.end(), kind) > end;
}

uint64_t PeakMemory() {
  uint64_t kibibytes = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    if (getrusage(who, &usage) == 0) kibibytes = std::max(kibibytes, static_cast<uint64_t>(usage.ru_maxrss));
  }
  return kibibytes * 1024;
}

// The last line of a JSON Lines file; an empty object when there is none.
Json LastLine(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return Json::object();
  const std::string_view lines = Trim(*text);
  const size_t end = lines.rfind('\n');
  absl::StatusOr<Json> json = ParseJson(end == std::string_view::npos ? lines : lines.substr(end + 1), path);
  return json.ok() && json->is_object() ? *std::move(json) : Json::object();
}

class Runner {
 public:
  Runner(const ProjectFile& project, std::string until, RunContext& context)
      : project_(project), until_(std::move(until)), context_(context) {}

  absl::StatusOr<RunReport> Run() {
    RETURN_IF_ERROR(RecoverOut(project_, *context_.progress));
    if (!project_.prepare.command.empty()) RETURN_IF_ERROR(RunPrepare());
    if (until_ == "prepare") return std::move(report_);
    RETURN_IF_ERROR(CheckRights());
    RETURN_IF_ERROR(MakeEmptySources());
    ASSIGN_OR_RETURN(const std::vector<Stage> stages, PlanStages(project_));
    bool reached = true;
    for (size_t i = 0; i < stages.size(); ++i) {
      if (IsBehind(stages[i].kind, until_)) reached = false;  // the project may have no stage `until_`
      if (reached) {
        RETURN_IF_ERROR(RunStage(stages[i]));
      } else {
        report_.stages.push_back({stages[i].kind, stages[i].label, StageReport::State::kNotReached});
      }
      // The stage kind ends with its last member: every source is ingested before `--until ingest` stops.
      const bool last_of_kind = i + 1 == stages.size() || stages[i + 1].kind != stages[i].kind;
      if (stages[i].kind == "ingest" && last_of_kind) {
        RETURN_IF_ERROR(CarryOutTakedowns(project_.out, context_).status());
      }
      if (stages[i].kind == until_ && last_of_kind) reached = false;
    }
    return std::move(report_);
  }

 private:
  // Before anything is read, so that nobody waits for a refusal; the train stage looks again at what was read then.
  absl::Status CheckRights() const {
    const std::vector<std::string>& names = StageNames();
    const auto train = std::find(names.begin(), names.end(), "train");
    if (std::find(names.begin(), train, until_) != train) return absl::OkStatus();
    return CheckTrainingRights(StatedRights(project_), project_.rights_override);
  }

  // A stream that brought nothing yet is a source without records, which views can name.
  absl::Status MakeEmptySources() const {
    for (const SourceSettings& source : project_.sources) {
      if (!source.follow || PathExists(SourceDirectory(project_.out, source.name) + "/manifest.json")) continue;
      ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer,
                       RecordWriter::Open(project_.out, source.name, RecordWriter::Mode::kFollow, context_));
      writer->SetRights(source.rights);
      RETURN_IF_ERROR(writer->Checkpoint("follow", Json::object(), Json(), 0));
    }
    return absl::OkStatus();
  }

  // What the project file states goes into the manifests of sources that are not read again, too.
  absl::Status RecordRights(const std::string& label) const {
    for (const SourceSettings& source : project_.sources) {
      if (label == "ingest " + source.name) return WriteSourceRights(project_.out, source.name, source.rights);
    }
    return absl::OkStatus();
  }

  absl::Status RunPrepare() {
    StageReport report{"prepare", "prepare", StageReport::State::kUpToDate};
    if (!IsPrepared(project_.prepare)) {
      const Clock::time_point begun = Clock::now();
      RETURN_IF_ERROR(Prepare(project_.prepare, project_.directory, context_));
      report.state = StageReport::State::kDone;
      report.seconds = report.recorded_seconds = SecondsSince(begun);
      report_.changed = true;
    }
    report_.stages.push_back(std::move(report));
    return absl::OkStatus();
  }

  absl::Status RunStage(const Stage& stage) {
    RETURN_IF_ERROR(context_.CheckCancelled());
    StageReport report{stage.kind, stage.label, StageReport::State::kUpToDate};
    if (!IsUpToDate(stage)) {
      const Clock::time_point begun = Clock::now();
      RETURN_IF_ERROR(stage.run(context_));
      report.state = StageReport::State::kDone;
      report.seconds = SecondsSince(begun);
      report_.changed = true;
      if (!IsUpToDate(stage)) {
        return absl::InternalError(fmt::format("{}: ended, but {} does not have its key", stage.label, stage.record));
      }
    }
    if (stage.kind == "ingest") RETURN_IF_ERROR(RecordRights(stage.label));
    ASSIGN_OR_RETURN(const Json record, ReadJsonFile(stage.record));
    report.counts = record.value("counts", Json::object());
    report.recorded_seconds = record.value("seconds", report.seconds);
    if (stage.kind == "train") report_.training = LastLine(project_.out + "/metrics.jsonl");
    if (stage.kind == "compare") report_.comparison = record;
    if (stage.kind == "ask") report_.answers = record;
    report_.stages.push_back(std::move(report));
    return absl::OkStatus();
  }

  const ProjectFile& project_;
  const std::string until_;
  RunContext& context_;
  RunReport report_;
};

}  // namespace

absl::StatusOr<RunReport> RunStages(const ProjectFile& project, const std::string& until, RunContext& context) {
  const Clock::time_point begun = Clock::now();
  ASSIGN_OR_RETURN(RunReport report, Runner(project, until, context).Run());
  report.project = project.name;
  report.file = project.path;
  report.out = project.out;
  report.seconds = SecondsSince(begun);
  report.peak_memory_bytes = PeakMemory();
  return report;
}

absl::StatusOr<RunReport> RunProject(const RunOptions& options, RunContext& context) {
  RETURN_IF_ERROR(CheckUntil(options.until));
  ASSIGN_OR_RETURN(const ProjectFile project, LoadProjectFile(options.file, options.quick));
  ASSIGN_OR_RETURN(const OutLock lock, OutLock::Acquire(project.out));
  RETURN_IF_ERROR(FinishErasure(project.out, context).status());
  if (PathExists(FollowDirectory(project.out) + "/state.json")) {
    return UsageError(
        fmt::format("{}: the model in {} was trained further on its streams, and this run would train another one from "
                    "the beginning: go on with rhodes run {} --follow, or remove {} to begin anew with all that is "
                    "stored",
                    project.path, project.out, options.file, FollowDirectory(project.out)));
  }
  return RunStages(project, options.until, context);
}

}  // namespace rhodes
