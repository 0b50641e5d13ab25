#include "train/train.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>

#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "token/shards.h"
#include "token/tokenizer.h"
#include "train/agreement.h"
#include "train/communicator.h"
#include "train/estimate.h"
#include "train/loop.h"
#include "train/validation_sources.h"

namespace rhodes {
namespace {

absl::Status CheckOptions(const TrainOptions& o) {
  const int budgets = int{o.steps > 0} + int{o.tokens > 0} + int{o.minutes > 0};
  if (budgets != 1) {
    return UsageError("train: give exactly one budget above 0: steps, tokens or minutes");
  }
  RETURN_IF_ERROR(CheckBatch(o, o.ranks == nullptr ? 1 : o.ranks->size()));
  if (!(o.schedule.peak > 0) || o.schedule.warmup_share < 0 || o.schedule.warmup_share > 1 ||
      o.schedule.decay_share < 0 || o.schedule.decay_share > 1 || o.schedule.final_share < 0 ||
      o.schedule.final_share > 1) {
    return UsageError("train: the learning rate must be above 0, and the shares of its schedule between 0 and 1");
  }
  if (o.beta1 < 0 || o.beta1 >= 1 || o.beta2 < 0 || o.beta2 >= 1 || o.weight_decay < 0 || o.clip < 0) {
    return UsageError("train: betas must be in [0, 1), weight decay and clip not below 0");
  }
  if (!(o.muon_learning_rate > 0) || o.muon_momentum < 0 || o.muon_momentum >= 1) {
    return UsageError("train: Muon's learning rate must be above 0 and its momentum in [0, 1)");
  }
  if (o.spike_deviations < 0 || o.most_rollbacks < 0 || o.patience < 0 || o.least_improvement < 0) {
    return UsageError("train: spike deviations, rollbacks, patience and the least improvement must not be below 0");
  }
  const double aux = o.router_aux_loss.value_or(0);
  if (!std::isfinite(aux) || aux < 0 || !std::isfinite(o.router_z_loss) || o.router_z_loss < 0) {
    return UsageError("train: the coefficients of the routers' losses must be numbers not below 0");
  }
  if (o.config.experts == 0 && (o.router_aux_loss || o.router_z_loss > 0)) {
    return UsageError("train: the routers' losses are of a mixture of experts, and this model has none");
  }
  return absl::OkStatus();
}

// The shards were made by this tokenizer, and the model has a row for each of its tokens.
absl::Status CheckTokens(const TrainOptions& options, const Tokenizer& tokenizer, const ShardSet& train,
                         const ShardSet* validation) {
  if (options.config.vocabulary_size < tokenizer.vocabulary_size()) {
    return absl::InvalidArgumentError(
        fmt::format("train: the tokenizer {} has {} tokens and the model's vocab_size is {}: make it at least as large",
                    options.tokenizer, tokenizer.vocabulary_size(), options.config.vocabulary_size));
  }
  const auto foreign = [&](const std::string& why) {
    return absl::InvalidArgumentError(fmt::format(
        "train: the shards in {} were made with another tokenizer than {} ({}): tokenize again, or give the "
        "tokenizer they were made with",
        options.shards_dir, options.tokenizer, why));
  };
  // Reading everything would cost a pass over the corpus; another tokenizer shows at the ends of the first documents,
  // or in the length of the text that the validation split's tokens stand for.
  std::vector<TokenId> ids(1);
  const uint64_t documents = std::min<uint64_t>(train.document_count(), 1000);
  for (uint64_t d = 0; d < documents; ++d) {
    train.Read(train.DocumentBegin(d + 1) - 1, ids);
    if (ids[0] != tokenizer.end_of_text()) {
      return foreign(
          fmt::format("document {} ends with token {}, and end-of-text is {}", d, ids[0], tokenizer.end_of_text()));
    }
  }
  constexpr uint64_t kMostTokens = uint64_t{1} << 26;
  if (validation == nullptr || validation->token_count() > kMostTokens) return absl::OkStatus();
  ids.resize(validation->token_count());
  validation->Read(0, ids);
  uint64_t bytes = 0;
  for (const TokenId id : ids) {
    if (id >= tokenizer.vocabulary_size()) return foreign(fmt::format("token {} is beyond its vocabulary", id));
    if (id != tokenizer.end_of_text()) bytes += tokenizer.TokenBytes(id).size();
  }
  if (bytes != validation->text_bytes()) {
    return foreign(
        fmt::format("its tokens stand for {} bytes of text where {} were tokenized", bytes, validation->text_bytes()));
  }
  return absl::OkStatus();
}

// A hash of the tokenizer and one of the shards.
struct InputHashes {
  std::string tokenizer, shards;
};
absl::StatusOr<InputHashes> HashInputs(const TrainOptions& options) {
  ASSIGN_OR_RETURN(const std::string tokenizer, Sha256OfFile(options.tokenizer));
  std::string shards;
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(options.shards_dir));
  for (const std::string& file : files) {
    // The index names every document's length; with the sizes of the token files it pins the shards without reading
    // them whole.
    ASSIGN_OR_RETURN(const uint64_t size, FileSize(file));
    shards += fmt::format("{} {} ", file.substr(file.rfind('/') + 1), size);
    if (file.ends_with(".idx")) {
      ASSIGN_OR_RETURN(const std::string sum, Sha256OfFile(file));
      shards += sum;
    }
  }
  return InputHashes{tokenizer, shards};
}

// [[name, tokens], ...]
Json SourceNames(const std::map<std::string, std::unique_ptr<ShardSet>>& by_source) {
  Json names = Json::array();
  for (const auto& [name, shards] : by_source) names.push_back({name, shards->token_count()});
  return names;
}

}  // namespace

Json SettingsOf(const TrainOptions& o) {
  const char* const computes[] = {"auto", "bf16", "f32"};
  ModelConfig shape = o.config;
  shape.router_aux_loss.reset();  // a setting of its own, which may change when a run goes on
  Json json = {{"config", shape.ToJson()},
               {"batch", o.batch},
               {"context", o.context},
               {"accumulation", o.accumulation},
               {"steps", o.steps},
               {"tokens", o.tokens},
               {"minutes", o.minutes},
               {"schedule", ScheduleName(o.schedule.kind)},
               {"learning_rate", o.schedule.peak},
               {"warmup_share", o.schedule.warmup_share},
               {"decay_share", o.schedule.decay_share},
               {"final_share", o.schedule.final_share},
               {"betas", {o.beta1, o.beta2}},
               {"epsilon", o.epsilon},
               {"weight_decay", o.weight_decay},
               {"clip", o.clip},
               {"deviation", o.deviation},
               {"seed", o.seed},
               {"compute", computes[static_cast<int>(o.compute)]},
               {"eval_every", o.eval_every},
               {"eval_tokens", o.eval_tokens},
               {"final_eval_tokens", o.final_eval_tokens},
               {"sample_prompts", o.sample_prompts},
               {"sample_tokens", o.sample_tokens}};
  // What stands at its default is not said: the keys of runs made before it existed stay what they were.
  const TrainOptions defaults;
  if (o.optimizer != defaults.optimizer) {
    json["optimizer"] = OptimizerName(o.optimizer);
    json["muon_learning_rate"] = o.muon_learning_rate;
    json["muon_momentum"] = o.muon_momentum;
  }
  if (const double aux = RouterAuxLossOf(o.config, o.router_aux_loss); aux > 0) json["router_aux_loss"] = aux;
  if (o.router_z_loss != defaults.router_z_loss) json["router_z_loss"] = o.router_z_loss;
  if (o.spike_deviations != defaults.spike_deviations) json["spike_deviations"] = o.spike_deviations;
  if (o.most_rollbacks != defaults.most_rollbacks) json["most_rollbacks"] = o.most_rollbacks;
  if (o.patience != defaults.patience) json["patience"] = o.patience;
  if (o.least_improvement != defaults.least_improvement) json["least_improvement"] = o.least_improvement;
  if (o.start && !o.start->model.empty() && !o.start->key.empty()) json["from"] = o.start->key;
  return json;
}

absl::StatusOr<TrainReport> Train(const TrainOptions& given, RunContext& context) {
  RETURN_IF_ERROR(CheckOptions(given));
  TrainOptions options = given;
  ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, Tokenizer::Load(options.tokenizer));
  ASSIGN_OR_RETURN(const std::unique_ptr<ShardSet> train, ShardSet::Open(options.shards_dir, "train"));
  absl::StatusOr<std::unique_ptr<ShardSet>> validation = ShardSet::Open(options.shards_dir, "validation");
  if (!validation.ok() && !absl::IsNotFound(validation.status())) return validation.status();
  const ShardSet* held_out = validation.ok() && (*validation)->token_count() > 0 ? validation->get() : nullptr;
  Communicator alone;
  Communicator& ranks = options.ranks == nullptr ? alone : *options.ranks;
  if (held_out == nullptr) {
    context.progress->Say(
        fmt::format("train: {} has no validation split: there will be no bits per byte", options.shards_dir));
  }
  if (options.config.vocabulary_size == 0) options.config.vocabulary_size = tokenizer->vocabulary_size();
  if (options.config.max_positions == 0) options.config.max_positions = options.context;
  if (options.context > options.config.max_positions) {
    return UsageError(fmt::format("train: a context of {} is beyond the model's max_position_embeddings of {}",
                                  options.context, options.config.max_positions));
  }
  RETURN_IF_ERROR(CheckTokens(options, *tokenizer, *train, held_out));
  options.config.bos_id = options.config.eos_id = tokenizer->end_of_text();
  RETURN_IF_ERROR(options.config.Validate());
  if (options.config.experts > 0) {
    options.config.router_aux_loss = RouterAuxLossOf(options.config, options.router_aux_loss);
  }
  if (options.settings.is_null()) options.settings = SettingsOf(options);
  Facts facts = {{"the version of rhodes", std::string(Version())}, {"the settings", DumpJson(options.settings)}};
  if (options.key.empty()) {
    ASSIGN_OR_RETURN(const InputHashes inputs, HashInputs(options));
    facts.emplace_back("the tokenizer", inputs.tokenizer);
    facts.emplace_back("the shards", inputs.shards);
    options.key = ContentId({"train 1", DumpJson(options.settings), inputs.tokenizer, inputs.shards});
    options.settings["inputs"] = ContentId({inputs.tokenizer, inputs.shards});
  }
  TrainInputs inputs{tokenizer.get(), train.get(), held_out};
  std::map<std::string, std::unique_ptr<ShardSet>> by_source;
  if (held_out != nullptr && options.evaluate_sources) {
    const std::filesystem::path shards = std::filesystem::path(options.shards_dir).lexically_normal();
    const std::filesystem::path parent = (shards.has_filename() ? shards : shards.parent_path()).parent_path();
    ASSIGN_OR_RETURN(by_source, SplitBySource(*held_out, *tokenizer, (parent / "corpus").string()));
  }
  for (const auto& [name, shards] : by_source) inputs.validation_by_source.emplace_back(name, shards.get());
  // Read before it is decided what becomes of OUT: each source is evaluated by all ranks together.
  facts.emplace_back("the sources of the shards", DumpJson(SourceNames(by_source)));
  RETURN_IF_ERROR(CheckAgreement(ranks, facts));
  if (ranks.root()) {  // the others need not even see it
    RETURN_IF_ERROR(ResolveExisting(options, context));
    RETURN_IF_ERROR(CreateDirectories(options.out));
  }
  ASSIGN_OR_RETURN(options.key, ranks.Broadcast(options.key));
  return RunTraining(options, inputs, context);
}

}  // namespace rhodes
