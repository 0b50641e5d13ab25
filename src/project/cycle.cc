#include "project/cycle.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "project/follow_state.h"
#include "project/fuse_settings.h"
#include "project/rights.h"
#include "project/stage_options.h"
#include "token/document_subset.h"
#include "token/tokenize.h"
#include "trace/build.h"
#include "train/evaluate.h"
#include "train/loop.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
using Outcome = CycleReport::Outcome;

constexpr double kLearningRateShare = 0.3;  // of the first training's peak; docs/following-training.md
constexpr int64_t kStepsOfACycle = 10;      // at least

const char* OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kTrained:
      return "trained";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kTooLittle:
      return "too little";
    case Outcome::kVoided:
      break;
  }
  return "voided";
}

Json ToJson(const CycleReport::Losses& losses) {
  const auto number = [](double loss) { return loss < 0 ? Json() : Json(loss); };
  return {{"first", number(losses.first)}, {"before", number(losses.before)}, {"after", number(losses.after)}};
}

// The documents of the cycle's shards by what the model knows of them. The sets refer to the shards and each other's
// members, so it stays where it is made.
struct CycleText {
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<ShardSet> train;
  std::unique_ptr<ShardSet> validation;  // null: none
  std::unique_ptr<DocumentSubset> fresh;
  std::unique_ptr<DocumentSubset> replay;
  std::unique_ptr<DocumentSubset> old_validation;  // null when empty
  std::unique_ptr<DocumentSubset> new_validation;  // null when empty
};

class Cycle {
 public:
  Cycle(const ProjectFile& project, CycleLocks& locks, const RunContext& context)
      : project_(project),
        settings_(project.follow),
        out_(project.out),
        next_(NextDirectory(project.out)),
        locks_(locks),
        context_(context) {
    context_.stopped = &locks.voided;
  }

  absl::StatusOr<CycleReport> Run() {
    const Clock::time_point begun = Clock::now();
    const absl::Status status = Work();
    if (!status.ok()) {
      // An erasure at work may be why a file was gone; it says so when it is done.
      const std::scoped_lock folders(locks_.folders);
      if (!locks_.voided) return status;
      report_.outcome = Outcome::kVoided;
      RETURN_IF_ERROR(RemoveTree(next_));
    }
    report_.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    return report_;
  }

 private:
  absl::Status Work() {
    locks_.voided = false;
    RETURN_IF_ERROR(FinishExchange(out_));
    ASSIGN_OR_RETURN(state_, ReadFollowState(project_));
    report_.cycle = state_.cycles + 1;
    RETURN_IF_ERROR(MakeNext());
    RETURN_IF_ERROR(OpenText());
    const int64_t step_tokens = project_.train.batch * project_.train.context * project_.train.accumulation;
    const int64_t least = settings_.min_tokens > 0 ? settings_.min_tokens : kStepsOfACycle * step_tokens;
    const uint64_t window = static_cast<uint64_t>(project_.train.context) + 1;
    if (report_.new_tokens < std::max(static_cast<uint64_t>(least), window)) {
      report_.outcome = Outcome::kTooLittle;
      return RemoveTree(next_);
    }
    RETURN_IF_ERROR(CheckRights());
    RETURN_IF_ERROR(MeasureBefore());
    double replay = text_.replay->token_count() < window ? 0 : settings_.replay;
    double learning_rate =
        settings_.learning_rate > 0 ? settings_.learning_rate : kLearningRateShare * project_.train.schedule.peak;
    for (report_.attempts = 1; report_.attempts <= settings_.attempts; ++report_.attempts) {
      const double share = settings_.epochs / (1 - replay);
      report_.replay = replay;
      report_.learning_rate = learning_rate;
      report_.steps = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(static_cast<double>(report_.new_tokens) *
                                                                          share / static_cast<double>(step_tokens))));
      report_.tokens = report_.steps * step_tokens;
      RETURN_IF_ERROR(TrainOnce());
      if (Remembers()) return TakePlace();
      context_.progress->Say(fmt::format(
          "cycle {}: attempt {} of {}: the loss on the old validation set is {:.4f}, more than {} above the first "
          "model's {:.4f}",
          report_.cycle, report_.attempts, settings_.attempts, report_.old_validation.after, settings_.max_forgetting,
          report_.old_validation.first));
      if (replay > 0) replay = 1 - (1 - replay) / 2;
      learning_rate /= 2;
    }
    report_.attempts = settings_.attempts;
    return Refuse();
  }

  std::string Attempt() const { return fmt::format("train-{}", report_.attempts); }
  std::string AttemptDirectory() const { return next_ + "/" + Attempt(); }

  // Documents of all records, their corpus and its shards. Kept when a killed run of the same cycle had made them.
  absl::Status MakeNext() {
    const std::string mark = next_ + "/cycle.json";
    const Json wanted = {{"cycle", report_.cycle}, {"settings", SettingsKey()}};
    if (const absl::StatusOr<Json> found = ReadJsonFile(mark); found.ok() && *found == wanted) {
      context_.progress->Say(fmt::format("cycle {}: going on where it stood", report_.cycle));
      return absl::OkStatus();
    }
    locks_.writing = true;
    const std::scoped_lock folders(locks_.folders);
    const absl::Status made = MakeCorpusAndShards();
    locks_.writing = false;
    RETURN_IF_ERROR(made);
    return WriteFileAtomically(mark, DumpJson(wanted, 2) + "\n");
  }

  // What decides documents, corpus and training beside the records.
  std::string SettingsKey() const {
    return ContentId({DumpJson(FuseSettingsOf(project_.views, project_.templates)),
                      DumpJson(rhodes::ToJson(project_.curate)), DumpJson(SettingsOf(project_.train)),
                      DumpJson(rhodes::ToJson(settings_)), std::to_string(project_.tokenize.validation_share)});
  }

  absl::Status MakeCorpusAndShards() {
    RETURN_IF_ERROR(RemoveTree(next_));
    RETURN_IF_ERROR(CreateDirectories(next_));
    RETURN_IF_ERROR(MakeDocuments());
    CurateOptions curate = CurateOptionsOf(project_, next_);
    curate.key = Key("curate");
    RETURN_IF_ERROR(Curate(curate, context_).status());
    TokenizeOptions tokenize = project_.tokenize;
    tokenize.inputs = {next_ + "/corpus"};
    tokenize.out = next_;
    tokenize.tokenizer = out_ + "/tokenizer.json";
    tokenize.key = Key("tokenize");
    tokenize.settings = {{"validation", tokenize.validation_share}, {"seed", tokenize.seed}};
    return Tokenize(tokenize, context_).status();
  }

  absl::Status MakeDocuments() {
    const std::unique_lock commits(locks_.commits);  // the records stand still meanwhile
    if (!project_.entities.empty()) {
      ResolveOptions entities = EntityOptionsOf(project_);
      entities.key = Key("entities");
      RETURN_IF_ERROR(ResolveEntities(entities, context_).status());
    }
    FuseOptions fuse = FuseOptionsOf(project_);
    fuse.anomalies = AnomaliesUntilNow();
    fuse.key = Key("fuse");
    return Fuse(fuse, context_).status();
  }

  std::string Key(std::string_view stage) const {
    return fmt::format("follow-{}-{}-{}", report_.cycle, stage, SettingsKey());
  }

  absl::Status OpenText() {
    ASSIGN_OR_RETURN(text_.tokenizer, Tokenizer::Load(out_ + "/tokenizer.json"));
    ASSIGN_OR_RETURN(text_.train, ShardSet::Open(next_ + "/shards", "train"));
    absl::StatusOr<std::unique_ptr<ShardSet>> validation = ShardSet::Open(next_ + "/shards", "validation");
    if (!validation.ok() && !absl::IsNotFound(validation.status())) return validation.status();
    if (validation.ok() && (*validation)->token_count() > 0) text_.validation = *std::move(validation);
    ASSIGN_OR_RETURN(ids_, ReadDocumentIds(next_ + "/corpus"));
    ASSIGN_OR_RETURN(const DocumentIds seen, LoadIds(FollowDirectory(out_) + "/seen.bin"));
    ASSIGN_OR_RETURN(const DocumentIds first, LoadIds(FollowDirectory(out_) + "/first-validation.bin"));
    const auto is_in = [](const DocumentIds& ids) {
      return [&ids](IdKey id) { return std::binary_search(ids.begin(), ids.end(), id); };
    };
    const auto is_new = [&](IdKey id) { return !is_in(seen)(id); };
    const auto subset = [&](const ShardSet& shards, const std::function<bool(IdKey)>& wanted) {
      return std::make_unique<DocumentSubset>(shards, *text_.tokenizer, SelectDocuments(shards, ids_, wanted));
    };
    text_.fresh = subset(*text_.train, is_new);
    text_.replay = subset(*text_.train, is_in(seen));
    report_.documents = ids_.size();
    report_.new_documents = static_cast<uint64_t>(std::count_if(ids_.begin(), ids_.end(), is_new));
    report_.new_tokens = text_.fresh->token_count();
    if (text_.validation == nullptr) return absl::OkStatus();
    text_.old_validation = subset(*text_.validation, is_in(first));
    text_.new_validation = subset(*text_.validation, is_new);
    for (std::unique_ptr<DocumentSubset>* set : {&text_.old_validation, &text_.new_validation}) {
      if ((*set)->token_count() == 0) set->reset();
    }
    return absl::OkStatus();
  }

  absl::Status CheckRights() {
    ASSIGN_OR_RETURN(const std::vector<std::string> sources, SourcesOfShards(next_ + "/shards"));
    ASSIGN_OR_RETURN(rights_, TrainingRights(out_, sources, project_.rights_override));
    return absl::OkStatus();
  }

  // The losses of a model directory on the two validation sets.
  absl::Status Measure(const std::string& model, double CycleReport::Losses::*member) {
    std::vector<const ShardSet*> sets;
    std::vector<double*> losses;
    for (const auto& [set, loss] : {std::pair(text_.old_validation.get(), &report_.old_validation),
                                    std::pair(text_.new_validation.get(), &report_.new_validation)}) {
      if (set == nullptr) continue;
      sets.push_back(set);
      losses.push_back(&(loss->*member));
    }
    if (sets.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(model));
    ASSIGN_OR_RETURN(const std::vector<Evaluation> evaluations,
                     EvaluateDirectory(model, manifest.counts.value("compute", "f32"), sets, *text_.tokenizer,
                                       static_cast<uint64_t>(settings_.eval_tokens), project_.train.context, context_));
    for (size_t i = 0; i < evaluations.size(); ++i) *losses[i] = evaluations[i].loss;
    return absl::OkStatus();
  }

  absl::Status MeasureBefore() {
    RETURN_IF_ERROR(Measure(FollowDirectory(out_) + "/first-model", &CycleReport::Losses::first));
    return Measure(out_ + "/model", &CycleReport::Losses::before);
  }

  bool Remembers() const {
    return text_.old_validation == nullptr ||
           report_.old_validation.after <= report_.old_validation.first + settings_.max_forgetting;
  }

  absl::Status TrainOnce() {
    TrainOptions options = project_.train;
    options.out = AttemptDirectory();
    options.tokenizer = out_ + "/tokenizer.json";
    ASSIGN_OR_RETURN(options.config, ModelConfig::Load(out_ + "/model/config.json"));
    options.steps = report_.steps;
    options.tokens = 0;
    options.minutes = 0;
    options.schedule.peak = report_.learning_rate;
    options.eval_every = -1;
    options.seed = project_.seed + 1000 * static_cast<uint64_t>(report_.cycle);
    options.rights = rights_;
    RETURN_IF_ERROR(CreateDirectories(options.out));
    ASSIGN_OR_RETURN(const Manifest before, ReadManifest(out_ + "/model"));
    options.start = TrainOptions::Start{out_ + "/checkpoints", before.key, state_.updates, ""};
    absl::Status trained = TrainFrom(options, before.key);
    if (absl::IsNotFound(trained) && PathExists(next_ + "/cycle.json")) {
      context_.progress->Say(
          fmt::format("{}; going on from the model's weights with a fresh optimizer", Message(trained)));
      options.start = TrainOptions::Start{"", "", 0, out_ + "/model"};
      trained = TrainFrom(options, before.key + " weights");
    }
    RETURN_IF_ERROR(trained);
    return Measure(AttemptDirectory() + "/model", &CycleReport::Losses::after);
  }

  absl::Status TrainFrom(TrainOptions options, const std::string& start) {
    options.settings = SettingsOf(options);
    options.settings["continued"] = {{"cycle", report_.cycle}, {"from", start}, {"replay", report_.replay}};
    ASSIGN_OR_RETURN(Manifest shards, ReadManifest(next_ + "/shards"));
    shards.seconds = 0;  // all else that it says is of the text
    options.key = ContentId({"continued 1", DumpJson(options.settings), DumpJson(shards.ToJson())});
    TrainInputs inputs{text_.tokenizer.get(), text_.fresh.get(), text_.validation.get()};
    if (report_.replay > 0) {
      inputs.replay = text_.replay.get();
      inputs.replay_share = report_.replay;
    }
    return RunTraining(options, inputs, context_).status();
  }

  // Everything that is exchanged is ready before the first of it moves.
  absl::Status TakePlace() {
    report_.outcome = Outcome::kTrained;
    locks_.writing = true;
    const std::scoped_lock folders(locks_.folders);
    const absl::Status placed = TakePlaceLocked();
    locks_.writing = false;
    RETURN_IF_ERROR(placed);
    if (project_.ask.questions.empty()) return absl::OkStatus();
    AskOptions ask = AskOptionsOf(project_);
    ask.key = Key("ask");
    return Ask(ask, context_).status();
  }

  absl::Status TakePlaceLocked() {
    RETURN_IF_ERROR(context_.CheckCancelled());
    TraceBuildOptions trace;
    trace.out = next_;
    trace.key = Key("trace");
    RETURN_IF_ERROR(BuildTraceIndex(trace, context_).status());
    RETURN_IF_ERROR(JoinMetrics());
    RETURN_IF_ERROR(CreateDirectories(next_ + "/follow"));
    RETURN_IF_ERROR(SaveIds(next_ + "/follow/seen.bin", ids_));
    FollowState state = state_;
    state.cycles = report_.cycle;
    state.updates += report_.steps;
    RETURN_IF_ERROR(WriteFileAtomically(next_ + "/follow/state.json", DumpJson(rhodes::ToJson(state), 2) + "\n"));
    RETURN_IF_ERROR(WriteHistory(next_ + "/follow/history.jsonl"));
    RETURN_IF_ERROR(ExchangeNext(out_, {{"corpus", "corpus"},
                                        {"dropped", "dropped"},
                                        {"clusters", "clusters"},
                                        {"shards", "shards"},
                                        {"trace", "trace"},
                                        {Attempt() + "/model", "model"},
                                        {Attempt() + "/checkpoints", "checkpoints"},
                                        {"metrics.jsonl", "metrics.jsonl"},
                                        {"follow/seen.bin", "follow/seen.bin"},
                                        {"follow/history.jsonl", "follow/history.jsonl"},
                                        {"follow/state.json", "follow/state.json"}}));
    return absl::OkStatus();
  }

  // What was measured before and, each with its cycle, the lines of this one's training.
  absl::Status JoinMetrics() {
    std::string lines;
    if (PathExists(out_ + "/metrics.jsonl")) {
      ASSIGN_OR_RETURN(lines, ReadFile(out_ + "/metrics.jsonl"));
    }
    ASSIGN_OR_RETURN(const std::string added, ReadFile(AttemptDirectory() + "/metrics.jsonl"));
    for (size_t begin = 0; begin < added.size();) {
      const size_t end = std::min(added.find('\n', begin), added.size());
      ASSIGN_OR_RETURN(Json line, ParseJson(std::string_view(added).substr(begin, end - begin), "metrics.jsonl"));
      line["cycle"] = report_.cycle;
      lines += DumpJson(line) + "\n";
      begin = end + 1;
    }
    return WriteFileAtomically(next_ + "/metrics.jsonl", lines);
  }

  absl::Status WriteHistory(const std::string& path) {
    std::string lines;
    const std::string before = FollowDirectory(out_) + "/history.jsonl";
    if (PathExists(before)) {
      ASSIGN_OR_RETURN(lines, ReadFile(before));
    }
    Json line = rhodes::ToJson(report_);
    line.erase("seconds");
    return WriteFileAtomically(path, lines + DumpJson(line) + "\n");
  }

  absl::Status Refuse() {
    report_.outcome = Outcome::kRefused;
    RETURN_IF_ERROR(WriteHistory(FollowDirectory(out_) + "/history.jsonl"));
    return RemoveTree(next_);
  }

  const ProjectFile& project_;
  const FollowSettings& settings_;
  const std::string& out_;
  const std::string next_;
  CycleLocks& locks_;
  RunContext context_;
  FollowState state_;
  CycleText text_;
  std::vector<IdKey> ids_;  // of the corpus, by row
  Json rights_ = Json::object();
  CycleReport report_;
};

}  // namespace

Json ToJson(const CycleReport& report) {
  return {{"cycle", report.cycle},
          {"outcome", OutcomeName(report.outcome)},
          {"documents", report.documents},
          {"new_documents", report.new_documents},
          {"new_tokens", report.new_tokens},
          {"attempts", report.attempts},
          {"steps", report.steps},
          {"tokens", report.tokens},
          {"replay", report.replay},
          {"learning_rate", report.learning_rate},
          {"old_validation_loss", ToJson(report.old_validation)},
          {"new_validation_loss", ToJson(report.new_validation)},
          {"seconds", report.seconds}};
}

std::string FormatCycle(const CycleReport& report) {
  std::string line = fmt::format("cycle {}: {}", report.cycle, OutcomeName(report.outcome));
  if (report.outcome == Outcome::kVoided) return line + ": records were erased meanwhile; it begins anew";
  line +=
      fmt::format(", {} new of {} documents, {} new tokens", report.new_documents, report.documents, report.new_tokens);
  if (report.outcome == Outcome::kTooLittle) return line + ": they wait for more";
  line += fmt::format(", {} steps with {:.0f} % earlier text", report.steps, 100 * report.replay);
  if (report.new_validation.after >= 0) {
    line +=
        fmt::format(", loss on new text {:.4f} -> {:.4f}", report.new_validation.before, report.new_validation.after);
  }
  if (report.old_validation.after >= 0) {
    line += fmt::format(", on old {:.4f} -> {:.4f} (first model {:.4f})", report.old_validation.before,
                        report.old_validation.after, report.old_validation.first);
  }
  return line;
}

absl::StatusOr<CycleReport> RunCycle(const ProjectFile& project, CycleLocks& locks, RunContext& context) {
  return Cycle(project, locks, context).Run();
}

}  // namespace rhodes
