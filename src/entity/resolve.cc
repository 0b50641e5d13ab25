#include "entity/resolve.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/manifest.h"
#include "base/parallel.h"
#include "entity/blocking.h"
#include "entity/cluster.h"
#include "entity/decisions.h"
#include "entity/entity_writer.h"
#include "entity/labelled_pairs.h"
#include "entity/link_model.h"
#include "entity/mention.h"
#include "store/views.h"
#include "table/part_list.h"

namespace rhodes {
namespace {

constexpr uint64_t kThreadMemory = uint64_t{128} << 20;
constexpr size_t kCandidates = 20;  // of a mention

// Keys are the same in any case and with white space or not: "WBA 3A5C" and "wba3a5c".
std::string KeyForm(const std::string& value) {
  std::string form;
  for (const char c : FoldedText(value)) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') form += c;
  }
  return form;
}

// Mentions of one kind, grouped.
class KindResolver {
 public:
  KindResolver(const EntityKind& kind, const std::vector<Mention>& mentions, const RunContext& context)
      : kind_(kind), mentions_(mentions), context_(context), attributes_(kind.Attributes()) {}

  absl::StatusOr<Clusters> Run(const std::vector<EntityDecision>& decisions) {
    ClusterInput input;
    input.key_names = kind_.keys;
    input.threshold = kind_.threshold;
    for (const Mention& mention : mentions_) {
      std::vector<std::string>& keys = input.keys.emplace_back();
      for (const std::string& key : mention.keys) keys.push_back(KeyForm(key));
    }
    for (const EntityDecision& decision : decisions) {
      const std::optional<uint32_t> a = Find(decision.a);
      const std::optional<uint32_t> b = Find(decision.b);
      if (decision.kind != kind_.kind || !a || !b || *a == *b) continue;
      (decision.together ? input.together : input.apart).emplace_back(*a, *b);
    }
    if (!kind_.match.empty()) RETURN_IF_ERROR(Score(input));
    if (model_ && !(kind_.threshold > 0)) input.threshold = model_->threshold();
    return ClusterMentions(input);
  }

  Json Evidence(const EntityLink& link) const {
    Json evidence = Json::object();
    if (link.reason == EntityLink::Reason::kKey) {
      evidence["key"] = {{"name", kind_.keys[link.key]},
                         {"a", mentions_[link.a].keys[link.key]},
                         {"b", mentions_[link.b].keys[link.key]}};
    }
    if (comparer_) {
      evidence["attributes"] = EvidenceOf(*comparer_, comparer_->Compare(link.a, link.b), Values(mentions_[link.a]),
                                          Values(mentions_[link.b]));
    }
    if (!link.why.empty()) evidence["refused"] = link.why;
    return evidence;
  }
  std::string_view model_name() const { return model_ ? model_->name() : "keys"; }
  Json model() const { return model_ ? model_->ToJson(*comparer_) : Json{{"model", "keys"}}; }
  uint64_t candidates() const { return candidates_; }

 private:
  std::optional<uint32_t> Find(const std::string& id) const {
    const auto it = std::lower_bound(mentions_.begin(), mentions_.end(), id,
                                     [](const Mention& mention, const std::string& want) { return mention.id < want; });
    if (it == mentions_.end() || it->id != id) return std::nullopt;
    return static_cast<uint32_t>(it - mentions_.begin());
  }

  // Those that are compared.
  std::vector<std::string> Values(const Mention& mention) const {
    std::vector<std::string> values;
    for (const MatchAttribute& attribute : kind_.match) {
      const auto at = std::find(attributes_.begin(), attributes_.end(), attribute.name) - attributes_.begin();
      values.push_back(mention.attributes[static_cast<size_t>(at)]);
    }
    return values;
  }

  absl::Status Score(ClusterInput& input) {
    std::vector<std::vector<std::string>> values;
    for (const Mention& mention : mentions_) values.push_back(Values(mention));
    std::optional<LabelledPairs> labels;
    if (!kind_.labels.empty()) {
      ASSIGN_OR_RETURN(labels, ReadLabels());
      AddLabelled(*labels, values);
    }
    ASSIGN_OR_RETURN(Comparer comparer, Comparer::Create(kind_.match, values, context_));
    comparer_.emplace(std::move(comparer));
    ASSIGN_OR_RETURN(const auto pairs, FindCandidates(comparer_->blocking_terms(), comparer_->term_count(),
                                                      mentions_.size(), kind_.max_block, kCandidates, context_));
    candidates_ = pairs.size();
    std::vector<Features> features(pairs.size());
    const absl::Status compared = ParallelFor(context_.Threads(), pairs.size(), [&](size_t i) {
      features[i] = comparer_->Compare(pairs[i].first, pairs[i].second);
      return i % 1024 == 0 ? context_.CheckCancelled() : absl::OkStatus();
    });
    RETURN_IF_ERROR(compared);
    RETURN_IF_ERROR(Fit(features, labels));
    for (size_t i = 0; i < pairs.size(); ++i) {
      input.pairs.push_back({pairs[i].first, pairs[i].second, model_->Probability(features[i])});
    }
    input.score = [this](uint32_t a, uint32_t b) { return model_->Probability(comparer_->Compare(a, b)); };
    return absl::OkStatus();
  }

  absl::StatusOr<LabelledPairs> ReadLabels() const {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(kind_.labels));
    absl::StatusOr<LabelledPairs> labels = ParseLabelledPairs(text, kind_.labels);
    if (!labels.ok()) return UsageError(Message(labels.status()));
    for (const MatchAttribute& attribute : kind_.match) {
      if (std::find(labels->attributes.begin(), labels->attributes.end(), attribute.name) == labels->attributes.end()) {
        return UsageError(
            fmt::format("{}: no pair has the attribute \"{}\" that is to be matched by", kind_.labels, attribute.name));
      }
    }
    return labels;
  }

  // The labelled mentions behind those of the records.
  void AddLabelled(const LabelledPairs& labels, std::vector<std::vector<std::string>>& values) const {
    for (const std::vector<std::string>& labelled : labels.values) {
      std::vector<std::string>& row = values.emplace_back();
      for (const MatchAttribute& attribute : kind_.match) {
        const auto at = std::find(labels.attributes.begin(), labels.attributes.end(), attribute.name);
        row.push_back(labelled[static_cast<size_t>(at - labels.attributes.begin())]);
      }
    }
  }

  absl::Status Fit(const std::vector<Features>& candidates, const std::optional<LabelledPairs>& labels) {
    const bool given = std::any_of(kind_.match.begin(), kind_.match.end(),
                                   [](const MatchAttribute& attribute) { return attribute.weight > 0; });
    if (given) {
      model_ = GivenWeights(*comparer_);
    } else if (labels) {
      std::vector<Features> known;
      std::vector<bool> same;
      for (const LabelledPairs::Pair& pair : labels->pairs) {
        known.push_back(comparer_->Compare(mentions_.size() + pair.a, mentions_.size() + pair.b));
        same.push_back(pair.same);
      }
      model_ = FitLogistic(known, same, context_);
    } else {
      model_ = FitFellegiSunter(*comparer_, candidates);
    }
    return context_.CheckCancelled();
  }

  const EntityKind& kind_;
  const std::vector<Mention>& mentions_;
  const RunContext& context_;
  const std::vector<std::string> attributes_;
  std::optional<Comparer> comparer_;
  std::unique_ptr<LinkModel> model_;
  uint64_t candidates_ = 0;
};

class Resolver {
 public:
  Resolver(const ResolveOptions& options, RunContext& context) : options_(options), context_(context) {}

  absl::StatusOr<ResolveCounts> Run() {
    const auto begun = std::chrono::steady_clock::now();
    const std::string spill = options_.out + "/.entities";
    RETURN_IF_ERROR(RemoveTree(spill));
    Database::Options database_options;
    database_options.memory_bytes = std::max<uint64_t>(context_.memory_bytes / 2, kThreadMemory);
    database_options.threads =
        std::clamp(static_cast<int>(database_options.memory_bytes / kThreadMemory), 1, context_.Threads());
    database_options.temporary_directory = spill;
    ASSIGN_OR_RETURN(database_, Database::Open(database_options));
    const absl::Status status = MakeAll();
    database_.reset();
    RETURN_IF_ERROR(RemoveTree(spill));
    RETURN_IF_ERROR(status);
    counts_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    Json settings = Json::array();
    for (const EntityKind& kind : options_.kinds) settings.push_back(ToJson(kind));
    Manifest manifest{"entities", options_.key, {{"kinds", std::move(settings)}}, ToJson(counts_), counts_.seconds};
    manifest.extra["models"] = std::move(models_);
    manifest.extra["files"] = std::move(files_);
    RETURN_IF_ERROR(WriteManifest(staged_->path(), manifest));
    RETURN_IF_ERROR(staged_->Commit());
    return counts_;
  }

 private:
  absl::Status MakeAll() {
    const InterruptOnCancel watch(*database_, context_);
    RETURN_IF_ERROR(CreateViews(*database_, options_.out));
    RETURN_IF_ERROR(database_->ConfineTo({options_.out}));
    ASSIGN_OR_RETURN(const std::vector<EntityDecision> journal, ReadDecisions(options_.out));
    const std::vector<EntityDecision> decisions = LastDecisions(journal);
    ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(options_.out + "/entities"));
    staged_.emplace(std::move(staged));
    ASSIGN_OR_RETURN(const std::unique_ptr<EntityWriter> writer, EntityWriter::Create(staged_->path()));
    context_.progress->Begin("entities", options_.kinds.size(), "kinds");
    for (size_t number = 0; number < options_.kinds.size(); ++number) {
      context_.progress->Update(number, options_.kinds[number].kind);
      RETURN_IF_ERROR(Annotate(Make(number, decisions, *writer), "entities"));
    }
    context_.progress->End();
    ASSIGN_OR_RETURN(const std::vector<PartInfo> parts, writer->Finish());
    files_ = PartsToJson(parts);
    return absl::OkStatus();
  }

  absl::Status Make(size_t number, const std::vector<EntityDecision>& decisions, EntityWriter& writer) {
    const EntityKind& kind = options_.kinds[number];
    ASSIGN_OR_RETURN(const Mentions mentions, ReadMentions(*database_, kind, number, context_.memory_bytes / 2));
    KindResolver resolver(kind, mentions.all, context_);
    ASSIGN_OR_RETURN(const Clusters clusters, resolver.Run(decisions));
    ASSIGN_OR_RETURN(const WrittenEntities written, writer.Write(kind, mentions.all, clusters));
    ResolveCounts::Kind& counts = counts_.kinds.emplace_back();
    counts.kind = kind.kind;
    counts.model = resolver.model_name();
    counts.records = mentions.records;
    counts.mentioning = mentions.mentioning;
    counts.mentions = mentions.all.size();
    counts.candidates = resolver.candidates();
    counts.entities = written.entities;
    for (const EntityLink& link : clusters.links) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      RETURN_IF_ERROR(writer.WriteLink(kind, mentions.all, written, link, resolver.Evidence(link)));
      Count(link, counts);
    }
    models_[kind.kind] = resolver.model();
    for (size_t from = 0; from < kind.from.size(); ++from) {
      RETURN_IF_ERROR(WriteRecords(number, from, written, writer));
    }
    return absl::OkStatus();
  }

  static void Count(const EntityLink& link, ResolveCounts::Kind& counts) {
    if (link.state == EntityLink::State::kUndone) {
      ++counts.undone;
    } else if (link.state == EntityLink::State::kRefused) {
      ++counts.refused;
    } else if (link.reason == EntityLink::Reason::kKey) {
      ++counts.by_key;
    } else if (link.reason == EntityLink::Reason::kScore) {
      ++counts.by_score;
    } else {
      ++counts.by_user;
    }
  }

  absl::Status WriteRecords(size_t number, size_t from, const WrittenEntities& written, EntityWriter& writer) {
    const EntityKind& kind = options_.kinds[number];
    ASSIGN_OR_RETURN(QueryResult rows, database_->Query(RecordsSql(kind, number, from)));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return absl::OkStatus();
      RETURN_IF_ERROR(context_.CheckCancelled());
      for (size_t row = 0; row < rows.row_count(); ++row) {
        const std::string mention(rows.String(1, row));
        RETURN_IF_ERROR(writer.WriteRecord(rows.String(0, row), kind.kind, written.entity_of.at(mention), mention));
      }
    }
  }

  const ResolveOptions& options_;
  RunContext& context_;
  std::unique_ptr<Database> database_;
  std::optional<StagedDirectory> staged_;
  ResolveCounts counts_;
  Json models_ = Json::object();
  Json files_;
};

}  // namespace

Json ToJson(const ResolveCounts& counts) {
  Json kinds = Json::array();
  uint64_t mentions = 0;
  uint64_t entities = 0;
  uint64_t links = 0;
  for (const ResolveCounts::Kind& kind : counts.kinds) {
    const uint64_t kept = kind.by_key + kind.by_score + kind.by_user;
    kinds.push_back({{"kind", kind.kind},
                     {"model", kind.model},
                     {"records", kind.records},
                     {"mentioning", kind.mentioning},
                     {"mentions", kind.mentions},
                     {"candidates", kind.candidates},
                     {"entities", kind.entities},
                     {"links", kept + kind.undone + kind.refused},
                     {"by_key", kind.by_key},
                     {"by_score", kind.by_score},
                     {"by_user", kind.by_user},
                     {"undone", kind.undone},
                     {"refused", kind.refused}});
    mentions += kind.mentions;
    entities += kind.entities;
    links += kept + kind.undone + kind.refused;
  }
  return {{"entities", entities}, {"mentions", mentions}, {"links", links}, {"kinds", std::move(kinds)}};
}

absl::StatusOr<ResolveCounts> ResolveEntities(const ResolveOptions& options, RunContext& context) {
  return Resolver(options, context).Run();
}

absl::StatusOr<ResolveCounts> ResolveAgain(const std::string& out, RunContext& context) {
  const std::string path = out + "/entities";
  absl::StatusOr<Manifest> manifest = ReadManifest(path);
  if (absl::IsNotFound(manifest.status())) {
    return absl::NotFoundError(fmt::format("{} has no entities: declare them in the project file as [[entity]]", out));
  }
  RETURN_IF_ERROR(manifest.status());
  ResolveOptions options;
  options.out = out;
  options.key = manifest->key;
  const auto kinds = manifest->settings.find("kinds");
  if (kinds == manifest->settings.end() || !kinds->is_array()) {
    return absl::DataLossError(fmt::format("{}/manifest.json: it has no kinds", path));
  }
  for (const Json& json : *kinds) {
    ASSIGN_OR_RETURN(EntityKind kind, EntityKindFromJson(json, path + "/manifest.json"));
    options.kinds.push_back(std::move(kind));
  }
  return ResolveEntities(options, context);
}

}  // namespace rhodes
