#include "project/stages.h"

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "entity/decisions.h"
#include "ingest/ingest.h"
#include "ingest/inputs.h"
#include "project/rights.h"
#include "project/stage_options.h"
#include "store/record_store.h"
#include "store/source_directory.h"
#include "table/part_list.h"
#include "token/tokenize.h"
#include "trace/build.h"
#include "train/loop.h"
#include "value/compare.h"

namespace rhodes {
namespace {

// Raised when a stage writes other bytes for the same input and settings: then old output is made again.
constexpr int kIngestVersion = 2;
constexpr int kEntitiesVersion = 1;
constexpr int kFuseVersion = 2;
constexpr int kCurateVersion = 3;
constexpr int kTokenizeVersion = 2;
constexpr int kTrainVersion = 1;
constexpr int kCompareVersion = 1;
constexpr int kTraceVersion = 2;
constexpr int kAskVersion = 2;

std::string KeyOf(std::string_view kind, int version, const Json& settings, const std::vector<std::string>& inputs) {
  return ContentId({kind, std::to_string(version), DumpJson(settings), DumpJson(Json(inputs))});
}

Json SettingsOf(const SourceSettings& source) {
  const ColumnMap& columns = source.columns;
  Json channels = Json::array();
  for (const ChannelColumn& channel : columns.channels) channels.push_back({channel.field, channel.name, channel.unit});
  return {{"format", source.format},
          {"language", source.language},
          {"max_rejects", source.max_rejects},
          {"columns",
           {{"text", columns.text},
            {"time", columns.time},
            {"author", columns.author},
            {"language", columns.language},
            {"latitude", columns.latitude},
            {"longitude", columns.longitude},
            {"id", columns.id},
            {"place", columns.place},
            {"channels", std::move(channels)}}},
          {"time_zone", source.time_zone},
          {"polled_at", source.polled_at.value_or(0)}};
}

Json SettingsOf(const TokenizeOptions& options, const std::string& tokenizer_hash) {
  Json settings = {{"vocabulary", options.vocabulary_size},
                   {"pattern", options.pattern},
                   {"tokenizer", tokenizer_hash},
                   {"validation", options.validation_share},
                   {"seed", options.seed}};
  // Without weights the settings are those that they were before there were any.
  if (!options.weights.none()) settings["weights"] = ToJson(options.weights);
  return settings;
}

class Planner {
 public:
  explicit Planner(const ProjectFile& project) : project_(project), out_(project.out) {}

  absl::StatusOr<std::vector<Stage>> Run() {
    for (const SourceSettings& source : project_.sources) RETURN_IF_ERROR(AddIngest(source));
    if (!project_.entities.empty()) RETURN_IF_ERROR(AddEntities());
    AddFuse();
    RETURN_IF_ERROR(AddCurate());
    RETURN_IF_ERROR(AddTokenize());
    AddTrain();
    if (project_.compare.wanted) AddCompare();
    AddTrace();
    if (!project_.ask.questions.empty()) AddAsk();
    return std::move(stages_);
  }

 private:
  Stage& Add(std::string kind, std::string label, std::string key, std::string record) {
    stages_.push_back({std::move(kind), std::move(label), std::move(key), out_ + "/" + record, {}, {}});
    return stages_.back();
  }

  // A stream's records are input as they stand.
  absl::Status AddFollowed(const SourceSettings& source) {
    const std::string manifest = fmt::format("{}/records/{}/manifest.json", out_, source.name);
    if (!PathExists(manifest)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const SourceManifest stored, ReadSourceManifest(SourceDirectory(out_, source.name)));
    ingest_keys_.push_back(ContentId({"followed", source.name, DumpJson(PartsToJson(stored.parts))}));
    return absl::OkStatus();
  }

  absl::Status AddIngest(const SourceSettings& source) {
    if (source.follow) return AddFollowed(source);
    IngestOptions options;
    options.paths = source.paths;
    options.format = source.format;
    options.name = source.name;
    options.out = out_;
    options.mode = RecordWriter::Mode::kReplace;
    options.columns = source.columns;
    options.language = source.language;
    options.time_zone = source.time_zone;
    options.polled_at = source.polled_at;
    options.rights = source.rights;
    options.reject_tolerance = source.max_rejects;
    options.settings = SettingsOf(source);
    absl::StatusOr<std::string> fingerprint = InputsFingerprint(source.paths);
    if (!fingerprint.ok()) return Annotate(fingerprint.status(), fmt::format("source \"{}\"", source.name));
    options.key = KeyOf("ingest", kIngestVersion, options.settings, {source.name, *fingerprint});
    ingest_keys_.push_back(options.key);
    Stage& stage =
        Add("ingest", "ingest " + source.name, options.key, fmt::format("records/{}/manifest.json", source.name));
    stage.run = [options](RunContext& context) { return Ingest(options, context).status(); };
    return absl::OkStatus();
  }

  // Decisions are input like the records: after one, the entities are made again, and what was made with them.
  absl::Status AddEntities() {
    ResolveOptions options = EntityOptionsOf(project_);
    Json settings = Json::array();
    std::vector<std::string> inputs = ingest_keys_;
    for (const EntityKind& kind : project_.entities) {
      settings.push_back(ToJson(kind));
      if (kind.labels.empty()) continue;
      ASSIGN_OR_RETURN(inputs.emplace_back(), Sha256OfFile(kind.labels));
    }
    if (PathExists(DecisionsPath(out_))) {
      ASSIGN_OR_RETURN(inputs.emplace_back(), Sha256OfFile(DecisionsPath(out_)));
    }
    options.key = KeyOf("entities", kEntitiesVersion, settings, inputs);
    fuse_inputs_ = {options.key};
    Add("entities", "entities", options.key, "entities/manifest.json").run = [options](RunContext& context) {
      return ResolveEntities(options, context).status();
    };
    return absl::OkStatus();
  }

  void AddFuse() {
    FuseOptions options = FuseOptionsOf(project_);
    options.keep_going = true;
    fuse_inputs_.insert(fuse_inputs_.end(), ingest_keys_.begin(), ingest_keys_.end());
    options.key = fuse_key_ = KeyOf("fuse", kFuseVersion, options.settings, fuse_inputs_);
    Add("fuse", "fuse", options.key, "documents/manifest.json").run = [options](RunContext& context) mutable {
      options.anomalies = AnomaliesUntilNow();
      ASSIGN_OR_RETURN(const FuseReport report, Fuse(options, context));
      return StatusOf(report);
    };
  }

  // Evaluation sets are input like the records.
  absl::Status AddCurate() {
    CurateOptions options = CurateOptionsOf(project_, out_);
    std::vector<std::string> inputs = {fuse_key_};
    if (const std::string& model = options.settings.language.model; !model.empty()) {
      inputs.push_back(InputsFingerprint({model}).value_or(""));  // a file that is not there is Curate()'s to report
    }
    if (options.settings.Has("overlap")) {
      ASSIGN_OR_RETURN(inputs.emplace_back(), InputsFingerprint(OverlapPaths(options.settings.overlap)));
    }
    options.key = curate_key_ = KeyOf("curate", kCurateVersion, ToJson(options.settings), inputs);
    Stage& stage = Add("curate", "curate", options.key, "corpus/manifest.json");
    stage.outputs = {options.dropped};
    stage.run = [options](RunContext& context) { return Curate(options, context).status(); };
    return absl::OkStatus();
  }

  absl::Status AddTokenize() {
    TokenizeOptions options = project_.tokenize;
    options.inputs = {out_ + "/corpus"};
    options.out = out_;
    std::string tokenizer_hash;
    if (!options.tokenizer.empty()) {
      ASSIGN_OR_RETURN(tokenizer_hash, Sha256OfFile(options.tokenizer));
    }
    options.settings = SettingsOf(options, tokenizer_hash);
    options.key = tokenize_key_ = KeyOf("tokenize", kTokenizeVersion, options.settings, {curate_key_});
    Stage& stage = Add("tokenize", "tokenize", options.key, "shards/manifest.json");
    stage.outputs = {out_ + "/tokenizer.json"};
    stage.run = [options](RunContext& context) { return Tokenize(options, context).status(); };
    return absl::OkStatus();
  }

  void AddTrain() {
    TrainOptions options = project_.train;
    options.out = out_;
    options.shards_dir = out_ + "/shards";
    options.tokenizer = out_ + "/tokenizer.json";
    options.settings = rhodes::SettingsOf(options);
    options.key = train_key_ = KeyOf("train", kTrainVersion, options.settings, {tokenize_key_});
    Stage& stage = Add("train", "train", options.key, "model/manifest.json");
    stage.outputs = {out_ + "/metrics.jsonl"};
    stage.run = [options, reason = project_.rights_override](RunContext& context) -> absl::Status {
      TrainOptions with_rights = options;
      ASSIGN_OR_RETURN(const std::vector<std::string> sources, SourcesOfShards(options.shards_dir));
      ASSIGN_OR_RETURN(with_rights.rights, TrainingRights(options.out, sources, reason));
      return Train(with_rights, context).status();
    };
  }

  // Beside the model of the project, not in its place: models of every arm, and none of them is kept.
  void AddCompare() {
    CompareOptions options;
    options.out = out_;
    options.settings = project_.compare;
    options.seed = project_.seed;
    options.compute = project_.train.compute;
    const Json settings = {{"compare", ToJson(options.settings)}, {"compute", static_cast<int>(options.compute)}};
    options.key = KeyOf("compare", kCompareVersion, settings, {curate_key_, std::to_string(options.seed)});
    Stage& stage = Add("compare", "compare", options.key, "compare/report.json");
    stage.run = [options, reason = project_.rights_override](RunContext& context) -> absl::Status {
      ASSIGN_OR_RETURN(const std::vector<std::string> sources, ListSources(options.out));
      RETURN_IF_ERROR(TrainingRights(options.out, sources, reason).status());
      return Compare(options, context).status();
    };
  }

  void AddTrace() {
    TraceBuildOptions options;
    options.out = out_;
    options.key = trace_key_ = KeyOf("trace", kTraceVersion, Json::object(), {tokenize_key_});
    Add("trace", "trace", options.key, "trace/manifest.json").run = [options](RunContext& context) {
      return BuildTraceIndex(options, context).status();
    };
  }

  void AddAsk() {
    AskOptions options = AskOptionsOf(project_);
    options.key =
        KeyOf("ask", kAskVersion, ToJson(options.settings), {train_key_, trace_key_, std::to_string(options.seed)});
    Add("ask", "ask", options.key, "answers.json").run = [options](RunContext& context) {
      return Ask(options, context).status();
    };
  }

  const ProjectFile& project_;
  const std::string& out_;
  std::vector<Stage> stages_;
  std::vector<std::string> ingest_keys_;
  std::vector<std::string> fuse_inputs_;
  std::string fuse_key_;
  std::string curate_key_;
  std::string tokenize_key_;
  std::string train_key_;
  std::string trace_key_;
};

// StagedDirectory::Open() does the same for a directory that is written again; here it is for those that are up to
// date.
absl::Status RecoverDirectory(const std::string& target) {
  const std::string replaced = target + ".replaced";
  if (PathExists(replaced)) {
    if (PathExists(target)) {
      RETURN_IF_ERROR(RemoveTree(replaced));
    } else {
      RETURN_IF_ERROR(Rename(replaced, target));
    }
  }
  return RemoveTree(target + ".partial");
}

}  // namespace

const std::vector<std::string>& StageNames() {
  static const auto* const names = new std::vector<std::string>{"prepare",  "ingest", "entities", "fuse",  "curate",
                                                                "tokenize", "train",  "compare",  "trace", "ask"};
  return *names;
}

absl::StatusOr<std::vector<Stage>> PlanStages(const ProjectFile& project) { return Planner(project).Run(); }

bool IsUpToDate(const Stage& stage) {
  const absl::StatusOr<Json> record = ReadJsonFile(stage.record);
  if (!record.ok() || !record->is_object() || record->value("key", "") != stage.key) return false;
  return std::all_of(stage.outputs.begin(), stage.outputs.end(),
                     [](const std::string& path) { return PathExists(path); });
}

absl::Status RecoverOut(const ProjectFile& project, Progress& progress) {
  const std::string& out = project.out;
  for (const char* directory :
       {"entities", "documents", "corpus", "dropped", "shards", "model", "trace", ".fuse-state"}) {
    RETURN_IF_ERROR(RecoverDirectory(out + "/" + directory));
  }
  if (project.entities.empty() && PathExists(out + "/entities")) {
    RETURN_IF_ERROR(RemoveTree(out + "/entities"));
    progress.Say(fmt::format("{} has no [[entity]] any more: {}/entities is removed", project.path, out));
  }
  for (const SourceSettings& source : project.sources) {
    RETURN_IF_ERROR(RecoverDirectory(out + "/records/" + source.name));
  }
  if (!PathExists(out + "/records")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<std::string> stored, ListSources(out));
  for (const std::string& name : stored) {
    const bool known = std::any_of(project.sources.begin(), project.sources.end(),
                                   [&](const SourceSettings& source) { return source.name == name; });
    if (known) continue;
    const std::string unused = fmt::format("{}/unused/{}", out, name);
    RETURN_IF_ERROR(CreateDirectories(out + "/unused"));
    RETURN_IF_ERROR(RemoveTree(unused));
    RETURN_IF_ERROR(Rename(fmt::format("{}/records/{}", out, name), unused));
    progress.Say(
        fmt::format("source \"{}\" is not in {} any more: its records are now in {}", name, project.path, unused));
  }
  return absl::OkStatus();
}

}  // namespace rhodes
