#include "value/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numbers>

#include "base/file.h"
#include "base/hash.h"
#include "model/model.h"
#include "token/shards.h"
#include "token/tokenizer.h"
#include "train/evaluate.h"
#include "train/export.h"
#include "value/arm_data.h"
#include "value/significance.h"

namespace rhodes {
namespace {

// Sequences of an evaluation pass.

TrainOptions RunOptionsOf(const CompareOptions& options) {
  const CompareSettings& settings = options.settings;
  TrainOptions train;
  train.config = MakeConfig(settings.layers, settings.width, 0, settings.context);
  train.batch = settings.batch;
  train.context = settings.context;
  train.tokens = settings.tokens;
  train.schedule.peak = settings.learning_rate;
  train.compute = options.compute;
  train.eval_every = -1;
  train.peak_seconds = 0.01;  // nobody reads these runs' share of the peak
  return train;
}

class Comparer {
 public:
  Comparer(const CompareOptions& options, RunContext& context)
      : options_(options), context_(context), work_(options.out + "/compare.partial"), data_(work_ + "/data") {}

  absl::StatusOr<Json> Run() {
    RETURN_IF_ERROR(CreateDirectories(work_));
    ASSIGN_OR_RETURN(Json data, MakeArmData(options_, data_, context_));
    ASSIGN_OR_RETURN(tokenizer_, Tokenizer::Load(data_ + "/tokenizer.json"));
    sets_ = data["sets"];
    std::vector<std::string> arms;
    for (const Json& arm : data["arms"]) {
      if (!arm.contains("skipped")) arms.push_back(arm["name"]);
    }
    if (arms.empty() || sets_.empty()) {
      return absl::FailedPreconditionError(
          "compare: no arm has text enough for one window, or nothing is held out: use more data, a shorter "
          "compare.context or another compare.held_out");
    }
    Json runs = Json::array();
    ASSIGN_OR_RETURN(runs, RunAll(arms));
    Json report = {{"key", options_.key}, {"settings", ToJson(options_.settings)}, {"seed", options_.seed}};
    data.erase("key");
    report.update(data);
    const double trained = runs[0]["tokens"].get<double>();
    for (Json& arm : report["arms"]) {
      if (!arm.contains("skipped")) arm["epochs"] = trained / arm["tokens"].get<double>();
    }
    report["runs"] = runs;
    Summarise(arms, runs, report);
    const std::string directory = options_.out + "/compare";
    RETURN_IF_ERROR(CreateDirectories(directory));
    RETURN_IF_ERROR(WriteFileAtomically(directory + "/report.json", DumpJson(report, 2) + "\n"));
    RETURN_IF_ERROR(RemoveTree(work_));
    return report;
  }

 private:
  absl::StatusOr<Json> RunAll(const std::vector<std::string>& arms) {
    const uint64_t seeds = static_cast<uint64_t>(options_.settings.seeds);
    const uint64_t tokens = static_cast<uint64_t>(options_.settings.tokens);
    context_.progress->Begin("compare", arms.size() * seeds * tokens, "tokens");
    RETURN_IF_ERROR(CreateDirectories(work_ + "/runs"));
    Json runs = Json::array();
    // A seed of all arms, then the next: whoever stops early has whole pairs.
    for (uint64_t i = 0; i < seeds; ++i) {
      for (const std::string& arm : arms) {
        done_ = runs.size() * tokens;
        ASSIGN_OR_RETURN(Json run, RunOne(arm, options_.seed + i));
        context_.progress->Update(done_ + tokens, fmt::format("{} seed {}", arm, options_.seed + i));
        runs.push_back(std::move(run));
      }
    }
    context_.progress->End();
    return runs;
  }

  absl::StatusOr<Json> RunOne(const std::string& arm, uint64_t seed) {
    const std::string directory = fmt::format("{}/runs/{}-{}", work_, arm, seed);
    const std::string key = ContentId({"compare run", options_.key, arm, std::to_string(seed)});
    if (const absl::StatusOr<Json> done = ReadJsonFile(directory + ".json");
        done.ok() && done->value("key", "") == key) {
      RETURN_IF_ERROR(RemoveTree(directory));  // killed between the two
      return (*done)["run"];
    }
    TrainOptions train = RunOptionsOf(options_);
    train.out = directory;
    train.shards_dir = data_ + "/arms/" + arm;
    train.tokenizer = data_ + "/tokenizer.json";
    train.seed = seed;
    train.key = key;
    train.on_step = [&](const StepReport& step) {
      context_.progress->Update(done_ + static_cast<uint64_t>(step.tokens),
                                fmt::format("{} seed {} loss {:.3f}", arm, seed, step.loss));
    };
    RunContext quiet = context_;
    quiet.progress = &SilentProgress();
    ASSIGN_OR_RETURN(const TrainReport trained, Train(train, quiet));
    Json run = {{"arm", arm},
                {"seed", seed},
                {"steps", trained.steps},
                {"tokens", trained.tokens},
                {"parameters", trained.parameters},
                {"compute", trained.compute},
                {"train_loss", trained.train_loss}};
    ASSIGN_OR_RETURN(run["sets"], EvaluateOnSets(directory + "/model", trained.compute, quiet));
    RETURN_IF_ERROR(WriteFileAtomically(directory + ".json", DumpJson({{"key", key}, {"run", run}}, 2) + "\n"));
    RETURN_IF_ERROR(RemoveTree(directory));
    return run;
  }

  absl::StatusOr<Json> EvaluateOnSets(const std::string& model_directory, const std::string& compute,
                                      RunContext& context) {
    std::vector<std::unique_ptr<ShardSet>> opened;
    std::vector<const ShardSet*> sets;
    for (const Json& set : sets_) {
      ASSIGN_OR_RETURN(opened.emplace_back(),
                       ShardSet::Open(data_ + "/sets/" + set["name"].get<std::string>(), "validation"));
      sets.push_back(opened.back().get());
    }
    ASSIGN_OR_RETURN(
        const std::vector<Evaluation> evaluations,
        EvaluateDirectory(model_directory, compute, sets, *tokenizer_, 0, options_.settings.context, context));
    Json results = Json::object();
    double nats = 0;
    double tokens = 0;
    double bytes = 0;
    for (size_t i = 0; i < evaluations.size(); ++i) {
      const Evaluation& evaluation = evaluations[i];
      results[sets_[i]["name"].get<std::string>()] = {{"loss", evaluation.loss},
                                                      {"bits_per_byte", evaluation.bits_per_byte}};
      nats += evaluation.loss * static_cast<double>(evaluation.tokens);
      tokens += static_cast<double>(evaluation.tokens);
      bytes += static_cast<double>(evaluation.bytes);
    }
    results["all"] = {{"loss", nats / tokens}, {"bits_per_byte", nats / std::numbers::ln2 / std::max(1.0, bytes)}};
    return results;
  }

  void Summarise(const std::vector<std::string>& arms, const Json& runs, Json& report) const {
    std::vector<std::string> sets;
    for (const Json& set : sets_) sets.push_back(set["name"]);
    sets.emplace_back("all");
    const auto values = [&](const std::string& arm, const std::string& set, const char* figure) {
      std::vector<double> found;
      for (const Json& run : runs) {
        if (run["arm"] == arm) found.push_back(run["sets"][set][figure]);
      }
      return found;
    };
    const auto spread = [](const Spread& s) { return Json{{"mean", s.mean}, {"deviation", s.deviation}}; };
    report["matrix"] = Json::array();
    report["tests"] = Json::array();
    for (const std::string& arm : arms) {
      for (const std::string& set : sets) {
        const std::vector<double> bits = values(arm, set, "bits_per_byte");
        report["matrix"].push_back({{"arm", arm},
                                    {"set", set},
                                    {"loss", spread(SpreadOf(values(arm, set, "loss")))},
                                    {"bits_per_byte", spread(SpreadOf(bits))}});
        if (arm == arms.back()) continue;
        const PairedTest test = TestPaired(values(arms.back(), set, "bits_per_byte"), bits);
        report["tests"].push_back({{"arm", arms.back()},
                                   {"against", arm},
                                   {"set", set},
                                   {"difference", test.difference.mean},
                                   {"deviation", test.difference.deviation},
                                   {"low", test.low},
                                   {"high", test.high},
                                   {"t", test.t},
                                   {"degrees", test.degrees},
                                   {"p", test.p}});
      }
    }
  }

  const CompareOptions& options_;
  RunContext& context_;
  const std::string work_;
  const std::string data_;
  std::unique_ptr<Tokenizer> tokenizer_;
  Json sets_;
  uint64_t done_ = 0;  // tokens of the runs before this one
};

}  // namespace

Json ToJson(const CompareSettings& settings) {
  Json arms = Json::array();
  for (const CompareArm& arm : settings.arms) arms.push_back({{"name", arm.name}, {"texts", ToJson(arm.texts)}});
  Json json = {{"arms", settings.arms.empty() ? Json("default") : arms},
               {"held_out", settings.held_out.last_share},
               {"of_documents", settings.held_out.of_documents},
               {"seeds", settings.seeds},
               {"vocabulary", settings.vocabulary},
               {"layers", settings.layers},
               {"width", settings.width},
               {"context", settings.context},
               {"batch", settings.batch},
               {"tokens", settings.tokens},
               {"learning_rate", settings.learning_rate},
               {"eval_tokens", settings.eval_tokens}};
  if (settings.held_out.after) json["after"] = *settings.held_out.after;
  return json;
}

absl::StatusOr<Json> Compare(const CompareOptions& options, RunContext& context) {
  return Comparer(options, context).Run();
}

}  // namespace rhodes
