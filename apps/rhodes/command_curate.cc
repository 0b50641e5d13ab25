// rhodes curate: documents in, those worth reading out, and why not for each of the others.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>

#include "base/byte_size.h"
#include "base/hash.h"
#include "base/text.h"
#include "command.h"
#include "curate/curate.h"
#include "curate/curated_output.h"
#include "curate/explain.h"
#include "curate/language.h"
#include "ingest/inputs.h"
#include "project/out_lock.h"
#include "project/project_file.h"

namespace rhodes {
namespace {

struct Flags {
  std::vector<std::string> inputs;
  std::string project;
  std::string out;
  std::string kept;
  std::string rules = "normalise,language,quality,repetition,exact";
  std::string language = "auto";
  std::string language_model;
  double sample = 1;
  std::vector<std::string> settings;  // "quality.min_words=5"
  std::string compatibility;
  std::string source_priority;
  std::string explain;
  bool report = false;
  std::string range;
  uint32_t join = 0;
};

std::vector<std::string> Names(const std::string& list) {
  std::vector<std::string> names;
  for (const std::string_view name : Split(list, ',')) {
    if (!Trim(name).empty()) names.emplace_back(Trim(name));
  }
  return names;
}

absl::Status SetByFlags(const Flags& flags, CurateSettings& settings) {
  std::vector<std::string> rules;
  for (const std::string& name : Names(flags.rules)) {  // "overlap=FILE" names a set beside the rule
    const size_t equals = name.find('=');
    rules.push_back(name.substr(0, equals));
    if (equals == std::string::npos) continue;
    if (rules.back() != "overlap") return UsageError(fmt::format("--rules {}: only overlap takes a file", name));
    settings.overlap.sets.push_back(name.substr(equals + 1));
  }
  settings.source_priority = Names(flags.source_priority);
  settings.datatrove_compatibility = flags.compatibility == "datatrove";
  ASSIGN_OR_RETURN(settings.language.wanted, ParseLanguageCode(flags.language));
  settings.language.model = flags.language_model;
  // Asking for a language, or saying who names it, is asking for the rule.
  if (settings.language.wanted != "auto" || !flags.language_model.empty()) rules.push_back("language");
  ASSIGN_OR_RETURN(settings.rules, ParseRules(rules));
  settings.sample = flags.sample;
  return absl::OkStatus();
}

// The rules, thresholds and documents of a project. What is written goes elsewhere: a page with samples of texts in the
// project's own folder would outlive the erasure of what it shows.
absl::Status SetByProject(const Flags& flags, CurateOptions& options) {
  ASSIGN_OR_RETURN(const ProjectFile project, LoadProjectFile(flags.project, false));
  options.settings = project.curate;
  if (options.inputs.empty()) options.inputs = {project.out + "/documents"};
  std::error_code error;
  if (!flags.out.empty() &&
      std::filesystem::weakly_canonical(flags.out, error) == std::filesystem::weakly_canonical(project.out, error)) {
    return UsageError(
        fmt::format("--out {}: that is where the project's own output is; name another folder", flags.out));
  }
  return absl::OkStatus();
}

absl::StatusOr<CurateOptions> MakeOptions(const Flags& flags) {
  CurateOptions options;
  options.inputs = flags.inputs;
  if (flags.kept.empty()) {
    options.directory = flags.out;
  } else {
    options.kept = flags.out + "/" + flags.kept;
    options.dropped = flags.out + "/dropped";
  }
  options.clusters = flags.out + "/clusters";
  options.overlap_items = flags.out + "/overlap.jsonl";
  if (flags.report) {
    if (!flags.kept.empty()) {
      return UsageError("--report does not go with --kept: an erasure would not reach the texts that it shows");
    }
    options.report = flags.out;
  }
  if (flags.project.empty()) {
    RETURN_IF_ERROR(SetByFlags(flags, options.settings));
  } else {
    RETURN_IF_ERROR(SetByProject(flags, options));
  }
  if (options.inputs.empty()) return UsageError("curate needs IN, or --project FILE");
  for (const std::string& setting : flags.settings) RETURN_IF_ERROR(SetByName(setting, options.settings));
  ASSIGN_OR_RETURN(const std::string fingerprint, InputsFingerprint(options.inputs));
  std::string sets;
  if (!options.settings.overlap.sets.empty()) {
    ASSIGN_OR_RETURN(sets, InputsFingerprint(OverlapPaths(options.settings.overlap)));
  }
  const std::string& model = options.settings.language.model;
  if (!model.empty()) {
    if (!options.settings.Has("language"))
      return UsageError("a language model goes with the rule language; see --rules");
    const absl::StatusOr<std::string> of_model = InputsFingerprint({model});
    if (!of_model.ok()) return UsageError("language model: " + Message(of_model.status()));
    sets += *of_model;
  }
  options.key = ContentId({"curate by hand", fingerprint, sets, DumpJson(ToJson(options.settings))});
  return options;
}

void PrintTable(const CurateReport& report, const CurateOptions& options) {
  fmt::print("{:<44} {:>12}\n", "documents", report.documents);
  fmt::print("{:<44} {:>12}   {}\n", "kept", report.kept, FormatByteSize(report.kept_text_bytes));
  for (const auto& [rule, reasons] : report.dropped) {
    for (const auto& [reason, count] : reasons) {
      fmt::print("{:<44} {:>12}\n", fmt::format("dropped by {}: {}", rule, reason), count);
    }
  }
  if (report.clusters > 0) fmt::print("{:<44} {:>12}\n", "clusters of near duplicates", report.clusters);
  if (report.cut_text_bytes > 0) {
    fmt::print("{:<44} {:>12}\n", "repeated passages cut out of kept documents", FormatByteSize(report.cut_text_bytes));
  }
  for (const Json& set : report.overlap) {
    fmt::print("{:<44} {:>12}   of {}; in {} documents, {} dropped, {} cut\n",
               fmt::format("items found of {}", set["set"].get<std::string>()), set["items_hit"].get<uint64_t>(),
               set["items"].get<uint64_t>(), set["documents"].get<uint64_t>(), set["dropped"].get<uint64_t>(),
               set["cut"].get<uint64_t>());
  }
  if (report.normalised.invalid_utf8 > 0) {
    fmt::print("{:<44} {:>12}\n", "documents with invalid UTF-8, repaired", report.normalised.invalid_utf8);
  }
  fmt::print("{:<44} {:>10.2f} s   {:.1f} MB/s\n", "time", report.seconds,
             report.seconds > 0 ? static_cast<double>(report.text_bytes) / 1e6 / report.seconds : 0.0);
  if (options.kept.empty()) {
    const std::string extension = OutputExtension(options.inputs.front());
    fmt::print("kept: {0}/kept.{1}   dropped: {0}/dropped.{1}\n", options.directory, extension);
  } else {
    fmt::print("kept: {}   dropped: {}\n", options.kept, options.dropped);
  }
}

absl::Status RunExplain(const CurateOptions& options, const std::string& id, const CommonFlags& common,
                        RunContext& context) {
  ASSIGN_OR_RETURN(const Json explanation, ExplainDocument(options.inputs, id, options.settings, context));
  if (common.json) {
    PrintJson(explanation);
  } else {
    fmt::print("{}", FormatExplanation(explanation));
  }
  return absl::OkStatus();
}

absl::Status RunRange(const CurateOptions& options, const std::string& range, const CommonFlags& common,
                      RunContext& context) {
  ASSIGN_OR_RETURN(const InputShare share, ParseInputShare(range));
  ASSIGN_OR_RETURN(const uint64_t documents, CurateRange(options, share, context));
  if (common.json) {
    PrintJson({{"range", share.number}, {"ranges", share.count}, {"documents", documents}});
  } else {
    fmt::print("range {}/{}: {} documents judged; when all ranges are, run the same command with --join {}\n",
               share.number, share.count, documents, share.count);
  }
  return absl::OkStatus();
}

absl::Status RunCurate(const Flags& flags, const CommonFlags& common, RunContext& context) {
  if (flags.out.empty() && flags.explain.empty()) return UsageError("curate needs --out, or --explain ID");
  ASSIGN_OR_RETURN(const CurateOptions options, MakeOptions(flags));
  if (!flags.explain.empty()) return RunExplain(options, flags.explain, common, context);
  if (!flags.range.empty()) return RunRange(options, flags.range, common, context);
  ASSIGN_OR_RETURN(const OutLock lock, OutLock::Acquire(flags.out));
  ASSIGN_OR_RETURN(const CurateReport report,
                   flags.join > 0 ? CurateJoin(options, flags.join, context) : Curate(options, context));
  if (common.json) {
    PrintJson(ToJson(report));
  } else {
    PrintTable(report, options);
  }
  return absl::OkStatus();
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("IN", flags->inputs, "Parquet or JSON Lines files (.gz, .zst) or directories of them; column text");
  app.add_option("--out", flags->out, "directory that receives kept.* and dropped.* in the input's format");
  app.add_option("--kept", flags->kept,
                 "as in a project: Parquet parts in a directory of this name (a project's is corpus) and in dropped/");
  app.add_option("--rules", flags->rules,
                 fmt::format("which rules, separated by commas, of {}; overlap=FILE, overlap=DIRECTORY or "
                             "overlap=NAME:PATH for each evaluation set",
                             fmt::join(KnownRules(), ", ")))
      ->capture_default_str();
  app.add_option("--compatibility", flags->compatibility,
                 "datatrove: its word splitting, hashing and bands where ours differ")
      ->check(CLI::IsMember({"datatrove"}));
  app.add_option("--source-priority", flags->source_priority,
                 "a,b,c: of copies in several sources, that of the one named first stays");
  app.add_flag("--report", flags->report,
               "also OUT/report.html (plots, and samples of what was kept and dropped) and OUT/statistics.json");
  app.add_option("--explain", flags->explain, "the document of this id: what each rule measures, beside its threshold");
  app.add_option("--language", flags->language, "auto (any), or a code such as ar or eng_Latn: others are dropped")
      ->capture_default_str();
  app.add_option("--language-model", flags->language_model,
                 "a fastText model that names the language in CLD2's place: lid.176.bin, .ftz, GlotLID");
  app.add_option("--sample", flags->sample, "share of the documents that is looked at, chosen by their ids")
      ->check(CLI::Range(0.0, 1.0));
  CLI::Option* const range = app.add_option("--range", flags->range,
                                            "K/N: only judge the K-th of N shares of the input, for a cluster's jobs");
  app.add_option("--join", flags->join, "N: all N shares are judged; compare them and write the output")
      ->check(CLI::Range(1, 100'000))
      ->excludes(range);
  CLI::Option* const project =
      app.add_option("--project", flags->project,
                     "the rules and thresholds of this project file's [curate], and its documents when no IN is given");
  for (const char* set_there :
       {"--rules", "--compatibility", "--source-priority", "--language", "--language-model", "--sample"}) {
    project->excludes(app.get_option(set_there));
  }
  app.add_option("--set", flags->settings, "NAME=VALUE: a threshold of docs/curation.md, such as quality.min_words=5");
  return [flags](const CommonFlags& common, RunContext& context) { return RunCurate(*flags, common, context); };
}

const CommandRegistration kRegistration({"curate",
                                         "decide which documents are kept, with the reason for each that is not",
                                         "  rhodes curate web.jsonl.gz --out curated --json\n"
                                         "  rhodes curate web.jsonl --out curated --rules "
                                         "gopher-repetition,gopher-quality,c4-quality,fineweb-quality,exact,near\n"
                                         "  rhodes curate web.jsonl --out safe --rules "
                                         "pii,overlap=gsm8k.jsonl,overlap=hellaswag.jsonl\n"
                                         "  rhodes curate web.jsonl --out curated --report\n"
                                         "  rhodes curate web.jsonl --out curated --range 3/8   # one of eight jobs\n"
                                         "  rhodes curate web.jsonl --out curated --join 8      # when all are done\n"
                                         "  rhodes curate web.jsonl --out english --language en "
                                         "--language-model lid.176.bin --set language.min_confidence=0.65\n"
                                         "  rhodes curate web.jsonl --explain doc-17 --rules gopher-quality\n"
                                         "  rhodes curate --project rhodes.toml --out look --report\n"
                                         "  rhodes curate out/documents --out out --kept corpus\n"
                                         "  rhodes curate a.parquet b.parquet --out curated --rules normalise,exact\n"
                                         "  rhodes curate news.jsonl --out arabic --language ar --set "
                                         "quality.min_words=50 --set quality.min_stop_words=2\n",
                                         30, &Setup});

}  // namespace
}  // namespace rhodes
