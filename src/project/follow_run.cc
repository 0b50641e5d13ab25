#include "project/follow_run.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "base/file.h"
#include "project/erase.h"
#include "project/follow_state.h"
#include "project/out_lock.h"
#include "project/run.h"
#include "store/record_store.h"
#include "store/source_directory.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{200};

double SecondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// The streams' share of the budget; the rest is the cycles'.
uint64_t StreamsMemory(uint64_t memory_bytes) { return std::max<uint64_t>(memory_bytes / 4, uint64_t{256} << 20); }

// The streams' own progress beside that of the cycles: only what stays is shown.
class LinesOnly final : public Progress {
 public:
  explicit LinesOnly(Progress& progress) : progress_(progress) {}
  void Begin(std::string_view, uint64_t, std::string_view) override {}
  void Update(uint64_t, std::string_view) override {}
  void End() override {}
  void Say(std::string_view line) override { progress_.Say(line); }

 private:
  Progress& progress_;
};

std::vector<FollowSource> FollowedSources(const ProjectFile& project) {
  std::vector<FollowSource> sources;
  for (const SourceSettings& settings : project.sources) {
    if (!settings.follow) continue;
    auto read = std::make_shared<ReadOptions>();
    read->source = settings.name;
    read->columns = settings.columns;
    read->language = settings.language;
    read->time_zone = settings.time_zone;
    read->polled_at = settings.polled_at;
    sources.push_back({settings.name, *settings.follow, std::move(read), settings.rights});
  }
  return sources;
}

// Follows on a thread of its own.
class Streams {
 public:
  Streams(const ProjectFile& project, const FollowRunOptions& options, CycleLocks& locks, const RunContext& context)
      : project_(project), locks_(locks), context_(context), progress_(*context.progress) {
    follow_.out = project.out;
    follow_.sources = FollowedSources(project);
    follow_.part_bytes = project.follow.part_bytes;
    follow_.part_seconds = project.follow.part_seconds;
    follow_.stop_after_idle = options.stop_after_idle;
    follow_.metrics_port = options.metrics_port;
    follow_.commits = &locks.commits;
    follow_.may_carry_out = [this] { return !locks_.writing.load(); };
    follow_.carry_out_notices = [this] { return CarryOut(); };
    follow_.on_commit = [this](const FollowCommit& commit) {
      const std::scoped_lock lock(mutex_);
      stored_[commit.source] = commit.counts.stored;
      changed_.notify_all();
    };
    context_.memory_bytes = StreamsMemory(context.memory_bytes);
    context_.progress = &progress_;
    context_.stopped = &stop_;
  }
  ~Streams() { Stop(); }

  void Start() {
    thread_ = std::thread([this] {
      absl::StatusOr<FollowReport> report = Follow(follow_, context_);
      const std::scoped_lock lock(mutex_);
      report_ = std::move(report);
      changed_.notify_all();
    });
  }
  // Commits what came in; afterwards report() is there.
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  bool ended() const {
    const std::scoped_lock lock(mutex_);
    return report_.has_value();
  }
  // Records stored since Start().
  uint64_t stored() const {
    const std::scoped_lock lock(mutex_);
    uint64_t sum = 0;
    for (const auto& [source, stored] : stored_) sum += stored;
    return sum;
  }
  // Returns after a commit, at the end, or after a moment.
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLook);
  }
  // After the end. That it was stopped from here is no error.
  absl::Status status() const {
    const std::scoped_lock lock(mutex_);
    if (!report_ || report_->ok() || ExitCodeOf(report_->status()) == ExitCode::kInterrupted) return absl::OkStatus();
    return report_->status();
  }
  FollowReport report() const {
    const std::scoped_lock lock(mutex_);
    if (report_ && report_->ok()) return **report_;
    FollowReport counts;  // what was told on the way
    for (const auto& [source, stored] : stored_) {
      FollowReport::Source& entry = counts.sources.emplace_back();
      entry.name = source;
      entry.counts.stored = stored;
    }
    return counts;
  }

 private:
  // With all sources closed. An erasure that meets the cycle's text takes OUT/next away.
  absl::Status CarryOut() {
    const std::scoped_lock folders(locks_.folders);
    const std::string mark = NextDirectory(project_.out) + "/cycle.json";
    const bool at_work = PathExists(mark);
    RETURN_IF_ERROR(CarryOutTakedowns(project_.out, context_).status());
    if (at_work && !PathExists(mark)) locks_.voided = true;
    return absl::OkStatus();
  }

  const ProjectFile& project_;
  CycleLocks& locks_;
  RunContext context_;
  LinesOnly progress_;
  FollowOptions follow_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, uint64_t> stored_;
  std::optional<absl::StatusOr<FollowReport>> report_;
};

class FollowRunner {
 public:
  FollowRunner(const ProjectFile& project, const FollowRunOptions& options, RunContext& context)
      : project_(project), options_(options), context_(context) {}

  absl::StatusOr<FollowRunReport> Run() {
    const Clock::time_point begun = Clock::now();
    report_.project = project_.name;
    report_.out = project_.out;
    const absl::StatusOr<FollowState> state = ReadFollowState(project_);
    if (!state.ok() && !absl::IsNotFound(state.status())) return state.status();
    if (!state.ok()) RETURN_IF_ERROR(MakeFirstModel());
    RETURN_IF_ERROR(FollowOn());
    // Notices of the last moments.
    RETURN_IF_ERROR(CarryOutTakedowns(project_.out, context_).status());
    report_.seconds = SecondsSince(begun);
    return std::move(report_);
  }

 private:
  absl::Status MakeFirstModel() {
    const bool has_files = std::any_of(project_.sources.begin(), project_.sources.end(),
                                       [](const SourceSettings& source) { return !source.follow; });
    if (!has_files) RETURN_IF_ERROR(WaitForFirstRecords());
    RETURN_IF_ERROR(RunStages(project_, "", context_).status());
    return BeginFollowing(project_);
  }

  absl::StatusOr<uint64_t> StoredRecords() const {
    uint64_t records = 0;
    ASSIGN_OR_RETURN(const std::vector<std::string> sources, ListSources(project_.out));
    for (const std::string& source : sources) {
      ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(SourceDirectory(project_.out, source)));
      for (const PartInfo& part : manifest.parts) records += part.rows;
    }
    return records;
  }

  absl::Status WaitForFirstRecords() {
    const uint64_t wanted = project_.follow.first_records;
    ASSIGN_OR_RETURN(const uint64_t before, StoredRecords());
    if (before >= wanted) return absl::OkStatus();
    Streams streams(project_, options_, locks_, context_);
    streams.Start();
    context_.progress->Begin("first records", wanted, "records");
    while (before + streams.stored() < wanted && !streams.ended()) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      streams.Wait();
      context_.progress->Update(before + streams.stored(), "");
    }
    streams.Stop();
    context_.progress->End();
    RETURN_IF_ERROR(streams.status());
    RETURN_IF_ERROR(context_.CheckCancelled());
    ASSIGN_OR_RETURN(const uint64_t records, StoredRecords());
    if (records >= wanted) return absl::OkStatus();
    return absl::FailedPreconditionError(
        fmt::format("the streams ended after {} records, and a first model is made of {}: see follow.first_records in "
                    "{}",
                    records, wanted, project_.path));
  }

  absl::Status FollowOn() {
    Streams streams(project_, options_, locks_, context_);
    streams.Start();
    absl::Status cycles = MakeCycles(streams);
    streams.Stop();
    report_.followed = streams.report();
    RETURN_IF_ERROR(streams.status());
    return cycles;
  }

  // Cycles that trained; others wait for more text.
  bool Enough() const {
    const auto trained = std::count_if(report_.cycles.begin(), report_.cycles.end(), [](const CycleReport& cycle) {
      return cycle.outcome == CycleReport::Outcome::kTrained || cycle.outcome == CycleReport::Outcome::kRefused;
    });
    return options_.cycles > 0 && trained >= options_.cycles;
  }

  absl::Status MakeCycles(Streams& streams) {
    // What came in before a stop, or before a kill, is looked at at once.
    uint64_t seen = 0;
    bool due = true;
    absl::Status last;
    Clock::time_point begun{};
    while (true) {
      const bool ended = streams.ended();  // before looking at what came
      const uint64_t stored = streams.stored();
      due = due || stored > seen;
      if (due && (ended || begun == Clock::time_point{} || SecondsSince(begun) >= project_.follow.every_seconds)) {
        seen = stored;
        due = false;
        begun = Clock::now();
        last = OneCycle();
        if (ExitCodeOf(last) == ExitCode::kInterrupted) return last;
        if (!last.ok()) context_.progress->Say(fmt::format("cycle failed and is tried again later: {}", Message(last)));
        due = due || !last.ok();
        if (Enough()) return last;
      } else if (ended) {
        return last;
      }
      if (ended && due) return last;  // a failure at the end
      RETURN_IF_ERROR(context_.CheckCancelled());
      if (!ended) streams.Wait();
    }
  }

  absl::Status OneCycle() {
    RunContext context = context_;
    context.memory_bytes -= std::min(StreamsMemory(context.memory_bytes), context.memory_bytes / 2);
    CycleReport cycle;
    do {
      ASSIGN_OR_RETURN(cycle, RunCycle(project_, locks_, context));
      context_.progress->Say(FormatCycle(cycle));
      report_.cycles.push_back(cycle);
    } while (cycle.outcome == CycleReport::Outcome::kVoided);
    return absl::OkStatus();
  }

  const ProjectFile& project_;
  const FollowRunOptions& options_;
  RunContext& context_;
  CycleLocks locks_;
  FollowRunReport report_;
};

}  // namespace

Json ToJson(const FollowRunReport& report) {
  Json cycles = Json::array();
  for (const CycleReport& cycle : report.cycles) cycles.push_back(ToJson(cycle));
  return {{"project", report.project},
          {"out", report.out},
          {"followed", ToJson(report.followed)},
          {"cycles", std::move(cycles)},
          {"seconds", report.seconds}};
}

absl::StatusOr<FollowRunReport> FollowProject(const FollowRunOptions& options, RunContext& context) {
  ASSIGN_OR_RETURN(const ProjectFile project, LoadProjectFile(options.file, options.quick));
  const bool follows = std::any_of(project.sources.begin(), project.sources.end(),
                                   [](const SourceSettings& source) { return source.follow.has_value(); });
  if (!follows) {
    return UsageError(
        fmt::format("{}: no [[source]] has follow = \"...\": --follow needs a stream, such as "
                    "follow = \"dir:///var/spool/posts?format=jsonl\"",
                    project.path));
  }
  ASSIGN_OR_RETURN(const OutLock lock, OutLock::Acquire(project.out));
  RETURN_IF_ERROR(FinishErasure(project.out, context).status());
  return FollowRunner(project, options, context).Run();
}

}  // namespace rhodes
