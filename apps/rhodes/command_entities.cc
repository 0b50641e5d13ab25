// rhodes entities: who is who, why, and what people decided otherwise.
#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "command.h"
#include "entity/browse.h"
#include "entity/evaluate.h"
#include "project/out_lock.h"

namespace rhodes {
namespace {

struct Flags {
  std::string out;
  EntityQuery query;
  std::string show;
  std::string undo;
  std::vector<std::string> link;
  std::string reason;
  std::string evaluate;
  EvaluateOptions options;
};

std::string Text(const Json& json, const char* name) {
  return json[name].is_null() ? "" : json[name].get<std::string>();
}

std::string Values(const Json& map) {
  std::string text;
  for (const auto& [name, value] : map.items()) {
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value.is_string() ? value.get<std::string>() : "");
  }
  return text;
}

void PrintList(const Json& list) {
  const Json& counts = list["counts"];
  for (const Json& kind : counts["kinds"]) {
    fmt::print(
        "{}: {} entities of {} mentions in {} records; links {} by key, {} by score ({}), {} by user; {} undone, "
        "{} refused\n",
        Text(kind, "kind"), kind["entities"].get<uint64_t>(), kind["mentions"].get<uint64_t>(),
        kind["mentioning"].get<uint64_t>(), kind["by_key"].get<uint64_t>(), kind["by_score"].get<uint64_t>(),
        Text(kind, "model"), kind["by_user"].get<uint64_t>(), kind["undone"].get<uint64_t>(),
        kind["refused"].get<uint64_t>());
  }
  fmt::print("\n{:<32}  {:<12}  {:>8}  {:>9}  {}\n", "id", "kind", "mentions", "records", "name");
  for (const Json& entity : list["entities"]) {
    fmt::print("{:<32}  {:<12}  {:>8}  {:>9}  {}\n", Text(entity, "id"), Text(entity, "kind"),
               entity["mentions"].get<uint64_t>(), entity["records"].get<uint64_t>(), Text(entity, "name"));
  }
  const auto found = list["found"].get<uint64_t>();
  if (found > list["entities"].size()) fmt::print("... {} in all; --limit shows more\n", found);
}

void PrintEvidence(const Json& evidence) {
  if (evidence.contains("key")) {
    fmt::print("      {}: \"{}\" and \"{}\"\n", Text(evidence["key"], "name"), Text(evidence["key"], "a"),
               Text(evidence["key"], "b"));
  }
  const Json attributes = evidence.value("attributes", Json::object());
  for (const auto& [name, sides] : attributes.items()) {
    fmt::print("      {}: \"{}\" and \"{}\" {}\n", name, Text(sides, "a"), Text(sides, "b"),
               sides["similarity"].dump());
  }
  if (evidence.contains("refused")) fmt::print("      refused: {}\n", Text(evidence, "refused"));
}

void PrintEntity(const Json& entity) {
  fmt::print("{} {} \"{}\"\n", Text(entity, "kind"), Text(entity, "id"), Text(entity, "name"));
  if (!entity["keys"].empty()) fmt::print("  {}\n", Values(entity["keys"]));
  if (!entity["attributes"].empty()) fmt::print("  {}\n", Values(entity["attributes"]));
  fmt::print("\n{} mentions\n", entity["mentions"].size());
  for (const Json& mention : entity["mentions"]) {
    const std::string keys = Values(mention["keys"]);
    const std::string attributes = Values(mention["attributes"]);
    fmt::print("  {}  {} ({} records)  {}{}{}\n", Text(mention, "id"), Text(mention, "source"),
               mention["records"].get<uint64_t>(), keys, keys.empty() || attributes.empty() ? "" : "; ", attributes);
  }
  fmt::print("\n{} links\n", entity["links"].size());
  for (const Json& link : entity["links"]) {
    fmt::print("  {}  {} by {}{}\n    {} - {}\n", Text(link, "id"), Text(link, "state"), Text(link, "reason"),
               link["score"].is_null() ? "" : fmt::format(" {:.4f}", link["score"].get<double>()), Text(link, "a"),
               Text(link, "b"));
    PrintEvidence(link["evidence"]);
  }
}

void PrintEvaluation(const char* what, const Json& evaluation) {
  fmt::print("\n{} ({}): {} pairs, {} of them matches\n", what, Text(evaluation, "model"),
             evaluation["pairs"].get<uint64_t>(), evaluation["matches"].get<uint64_t>());
  fmt::print("{:>11} {:>9} {:>7} {:>7}\n", "threshold", "precision", "recall", "F1");
  const auto row = [](const Json& counts, const char* mark) {
    fmt::print("{:>11.4f} {:>9.4f} {:>7.4f} {:>7.4f}{}\n", counts["threshold"].get<double>(),
               counts["precision"].get<double>(), counts["recall"].get<double>(), counts["f1"].get<double>(), mark);
  };
  row(evaluation["at_threshold"], "  <- decides");
  for (const Json& counts : evaluation["curve"]) row(counts, "");
}

absl::Status RunEvaluation(const Flags& flags, const CommonFlags& common, const RunContext& context) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(flags.evaluate));
  absl::StatusOr<LabelledPairs> pairs = ParseLabelledPairs(text, flags.evaluate);
  if (!pairs.ok()) return UsageError("entities: " + Message(pairs.status()));
  ASSIGN_OR_RETURN(const EvaluationReport report, Evaluate(*pairs, flags.options, context));
  const Json json = ToJson(report);
  if (common.json) {
    PrintJson(json);
    return absl::OkStatus();
  }
  fmt::print("attributes: {}\n", Values(json["attributes"]));
  PrintEvaluation("without labels", json["without_labels"]);
  PrintEvaluation(fmt::format("with labels, {}-fold cross-validation", flags.options.folds).c_str(),
                  json["with_labels"]);
  return absl::OkStatus();
}

absl::Status Decide(const Flags& flags, const CommonFlags& common, RunContext& context) {
  if (!flags.undo.empty() && !flags.link.empty()) return UsageError("entities: give --undo or --link");
  ASSIGN_OR_RETURN(const OutLock lock, OutLock::Acquire(flags.out));
  if (PathExists(flags.out + "/.erase.json")) {
    return absl::FailedPreconditionError("entities: an erasure was interrupted: `rhodes check --repair` finishes it");
  }
  absl::StatusOr<Json> decided = flags.undo.empty()
                                     ? LinkMentions(flags.out, flags.link[0], flags.link[1], flags.reason, context)
                                     : UndoLink(flags.out, flags.undo, flags.reason, context);
  RETURN_IF_ERROR(decided.status());
  if (common.json) {
    PrintJson(*decided);
    return absl::OkStatus();
  }
  fmt::print("{} and {} are kept {}, now and in every later run; there are {} entities\n", Text(*decided, "a"),
             Text(*decided, "b"), Text(*decided, "decision"), (*decided)["counts"]["entities"].get<uint64_t>());
  return absl::OkStatus();
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("OUT", flags->out, "the output folder");
  app.add_option("--kind", flags->query.kind, "list entities of this kind only");
  app.add_option("--find", flags->query.find, "list entities with this text in a name, attribute or key");
  app.add_option("--limit", flags->query.limit, "how many are listed")->capture_default_str();
  app.add_option("--show", flags->show, "the entity with this id: its mentions, and each link with its evidence");
  app.add_option("--undo", flags->undo, "the link with this id is wrong: its two mentions are not one");
  app.add_option("--link", flags->link, "two mentions (or entities) by their ids: they are one")->expected(2);
  app.add_option("--reason", flags->reason, "why, for the journal; with --undo and --link");
  app.add_option("--evaluate", flags->evaluate,
                 "labelled pairs: precision, recall and F1 over thresholds; without OUT");
  app.add_option("--folds", flags->options.folds, "of the cross-validation; with --evaluate")
      ->check(CLI::Range(2, 100))
      ->capture_default_str();
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    if (!flags->evaluate.empty()) return RunEvaluation(*flags, common, context);
    if (flags->out.empty()) return UsageError("entities: name the output folder, or pairs with --evaluate");
    const bool decides = !flags->undo.empty() || !flags->link.empty();
    if (!flags->reason.empty() && !decides) return UsageError("entities: --reason goes with --undo or --link");
    if (decides) return Decide(*flags, common, context);
    if (!flags->show.empty()) {
      ASSIGN_OR_RETURN(const Json entity, ShowEntity(flags->out, flags->show));
      common.json ? PrintJson(entity) : PrintEntity(entity);
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const Json list, ListEntities(flags->out, flags->query));
    common.json ? PrintJson(list) : PrintList(list);
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration(
    {"entities", "who is who across sources, and why",
     "  rhodes entities out                                       how many there are, and the largest\n"
     "  rhodes entities out --find \"acme\" --json\n"
     "  rhodes entities out --show 3f2a9c                         its mentions, each link with its evidence\n"
     "  rhodes entities out --undo 81d0c4 --reason \"two branches\"  kept, and obeyed by every later run\n"
     "  rhodes entities out --link 3f2a9c 77b1e0 --reason \"renamed in 2024\"\n"
     "  rhodes entities --evaluate pairs.txt --json               measure the matching on labelled pairs\n",
     26, &Setup});

}  // namespace
}  // namespace rhodes
