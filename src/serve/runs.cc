#include "serve/runs.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "serve/serve.h"

namespace rhodes {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSilentSeconds = 120;  // evaluations and checkpoints take their time
constexpr double kSilentSteps = 20;
constexpr int64_t kTroubleSeconds = 15;  // in which a run goes back to its last checkpoint
constexpr uint64_t kMostSettingsBytes = 1 << 20;

// What a run leaves beside metrics.jsonl; there are many files in them and no runs.
constexpr std::array<std::string_view, 13> kRunsOwn = {"checkpoints", "clusters", "corpus", "documents", "dropped",
                                                       "entities",    "events",   "follow", "model",     "records",
                                                       "rejects",     "shards",   "trace"};

bool IsFile(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

int64_t ModifiedAt(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mtim.tv_sec : -1;
}

// A small JSON file that a run may be writing just now, or not have: null then.
Json JsonOf(const std::string& path) {
  const absl::StatusOr<uint64_t> size = FileSize(path);
  if (!size.ok() || *size > kMostSettingsBytes) return nullptr;
  absl::StatusOr<Json> json = ReadJsonFile(path);
  return json.ok() && json->is_object() ? *std::move(json) : Json();
}

int64_t CountAt(const Json& json, std::string_view name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(); }
Json OrNull(double value) { return value > 0 ? Json(value) : Json(); }
Json OrNull(int64_t value) { return value > 0 ? Json(value) : Json(); }

absl::StatusOr<int64_t> QueryNumber(std::string_view name, std::string_view text, int64_t least, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return absl::InvalidArgumentError(
        fmt::format("{} is \"{}\"; it must be a whole number from {} to {}", name, Utf8Prefix(text, 40), least, most));
  }
  return value;
}

// When the newest trouble of a run was written down; -1: never.
int64_t LastTrouble(const std::string& folder) {
  int64_t last = -1;
  std::error_code error;
  for (fs::directory_iterator at(folder + "/trouble", error), end; !error && at != end; at.increment(error)) {
    last = std::max(last, ModifiedAt(at->path().string() + "/report.json"));
  }
  return last;
}

}  // namespace

Runs::Runs(std::vector<std::string> folders, std::function<int64_t()> now)
    : folders_(std::move(folders)),
      now_(now ? std::move(now) : [] { return static_cast<int64_t>(std::time(nullptr)); }) {}

struct Runs::Search {
  std::vector<std::pair<std::string, std::string>> found;  // name, folder
  std::set<std::string> seen;                              // folders, so that none is listed twice
  size_t folders = 0;
  bool truncated = false;
};

void Runs::Visit(const std::string& label, const std::string& folder, int depth, Search& search) {
  std::error_code error;
  const fs::path canonical = fs::canonical(folder, error);
  if (error || !search.seen.insert(canonical.string()).second) return;
  if (++search.folders > kMostFolders || search.found.size() >= kMostRuns) {
    search.truncated = true;
    return;
  }
  const bool is_run = IsFile(folder + "/metrics.jsonl");
  if (is_run) search.found.emplace_back(label, folder);
  if (depth == kMostDepth) return;
  const bool is_out =
      is_run || fs::is_directory(folder + "/records", error) || fs::is_directory(folder + "/shards", error);
  std::vector<std::string> names;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;  // a folder that goes away meanwhile is no folder
    const std::string name = at->path().filename().string();
    if (name.starts_with('.') || at->is_symlink(ignored) || !at->is_directory(ignored)) continue;
    if (is_out && std::find(kRunsOwn.begin(), kRunsOwn.end(), name) != kRunsOwn.end()) continue;
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    Visit(fmt::format("{}/{}", label, name), fmt::format("{}/{}", folder, name), depth + 1, search);
  }
}

void Runs::Refresh() {
  Search search;
  for (const std::string& folder : folders_) Visit(ModelName(folder), folder, 0, search);
  std::map<std::string, std::shared_ptr<Run>> now;
  const std::scoped_lock lock(mutex_);
  for (const auto& [label, folder] : search.found) {
    std::string name = ReplaceInvalidUtf8(label);
    for (int i = 2; now.contains(name); ++i) name = fmt::format("{}-{}", ReplaceInvalidUtf8(label), i);
    const auto known = runs_.find(name);
    const bool same = known != runs_.end() && known->second->folder == folder;
    now.emplace(name, same ? known->second : std::make_shared<Run>(name, folder));
  }
  runs_ = std::move(now);
  truncated_ = search.truncated;
}

std::string Runs::StateOf(const Run& run, int64_t age) const {
  const RunFigures& figures = run.log.figures();
  if (figures.final) return "finished";
  if (age >= kTroubleSeconds && LastTrouble(run.folder) >= run.log.modified()) return "failed";
  const double silent = std::max<double>(kSilentSeconds, kSilentSteps * figures.seconds_per_step);
  return static_cast<double>(age) < silent ? "running" : "stopped";
}

Json Runs::Describe(const Run& run, const Json& plan) const {
  const RunFigures& figures = run.log.figures();
  const int64_t age = std::max<int64_t>(0, now_() - run.log.modified());
  const std::string state = StateOf(run, age);
  const int64_t planned = CountAt(plan, "steps");
  const int64_t steps = figures.final ? figures.step : planned > 0 ? figures.steps_before + planned : 0;
  const bool goes_on = state == "running" && figures.step > 0 && steps > figures.step;
  return {{"name", run.name},
          {"folder", ReplaceInvalidUtf8(run.folder)},
          {"state", state},
          {"stopped_early", figures.stopped_early},
          {"step", figures.step},
          {"steps", OrNull(steps)},
          {"tokens", figures.tokens},
          {"seconds", figures.seconds},
          {"loss", OrNull(figures.loss)},
          {"validation_loss", OrNull(figures.validation_loss)},
          {"bits_per_byte", OrNull(figures.bits_per_byte)},
          {"tokens_per_second", OrNull(figures.tokens_per_second)},
          {"share_of_peak", OrNull(figures.share_of_peak)},
          {"parameters", OrNull(figures.parameters)},
          {"updated", run.log.modified()},
          {"age_seconds", age},
          {"seconds_left", goes_on ? OrNull(figures.seconds / static_cast<double>(figures.step) *
                                            static_cast<double>(steps - figures.step))
                                   : Json()},
          {"bad_lines", figures.bad_lines},
          {"complete", run.log.complete()}};
}

Json Runs::List() {
  Refresh();
  std::vector<std::shared_ptr<Run>> runs;
  bool truncated = false;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, run] : runs_) runs.push_back(run);
    truncated = truncated_;
  }
  std::vector<Json> all;
  uint64_t budget = kReadBytes;
  for (const std::shared_ptr<Run>& run : runs) {
    const std::scoped_lock lock(run->mutex);
    const uint64_t before = run->log.read_bytes();
    if (!run->log.Update(budget).ok()) continue;  // gone since it was found
    budget -= std::min(budget, run->log.read_bytes() - before);
    all.push_back(Describe(*run, JsonOf(run->folder + "/checkpoints/plan.json")));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Json& a, const Json& b) { return CountAt(a, "updated") > CountAt(b, "updated"); });
  return {{"runs", all}, {"truncated", truncated}};
}

absl::StatusOr<Runs::Query> Runs::ReadQuery(std::string_view text) {
  Query query;
  for (const std::string_view part : Split(text, '&')) {
    const size_t sign = part.find('=');
    const std::string_view name = part.substr(0, sign);
    const std::string_view value = sign == std::string_view::npos ? "" : part.substr(sign + 1);
    if (name == "points") {
      ASSIGN_OR_RETURN(const int64_t points, QueryNumber(name, value, 2, 2000));
      query.points = static_cast<size_t>(points);
    } else if (name == "after") {
      ASSIGN_OR_RETURN(query.after, QueryNumber(name, value, -1, int64_t{1} << 53));
    } else if (name == "version") {
      query.version = value;
    }
  }
  return query;
}

absl::StatusOr<Json> Runs::Metrics(const std::string& name, const Query& query) {
  const auto find = [&]() -> std::shared_ptr<Run> {
    const std::scoped_lock lock(mutex_);
    const auto found = runs_.find(name);
    return found == runs_.end() ? nullptr : found->second;
  };
  std::shared_ptr<Run> run = find();
  if (run == nullptr) {
    Refresh();
    run = find();
  }
  if (run == nullptr) return absl::NotFoundError(fmt::format("run \"{}\": there is none of this name", name));
  const Json plan = JsonOf(run->folder + "/checkpoints/plan.json");
  const auto settings_of = [](const Json& json) {
    const auto found = json.find("settings");
    return found != json.end() && found->is_object() ? *found : Json();
  };
  Json settings = settings_of(plan);
  if (settings.is_null()) settings = settings_of(JsonOf(run->folder + "/model/manifest.json"));
  const std::scoped_lock lock(run->mutex);
  RETURN_IF_ERROR(run->log.Update(kReadBytes));
  Json answer = {{"run", Describe(*run, plan)}, {"settings", settings}};
  answer.update(run->log.Curves(query.points, query.after, query.version));
  return answer;
}

}  // namespace rhodes
