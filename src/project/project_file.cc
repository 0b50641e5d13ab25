#include "project/project_file.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "project/compare_settings.h"
#include "project/curate_settings.h"
#include "project/entity_settings.h"
#include "project/fuse_settings.h"
#include "project/toml_table.h"
#include "source/time.h"
#include "source/time_zone.h"
#include "token/pattern.h"

namespace rhodes {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMany = int64_t{1} << 50;

class ProjectReader {
 public:
  ProjectReader(const toml::table& root, std::string_view text, const std::string& path, bool quick)
      : text_(text), errors_(path), root_(root, "", errors_) {
    project_.path = path;
    project_.directory = fs::path(path).parent_path().string();
    project_.quick = quick;
  }

  absl::StatusOr<ProjectFile> Run() {
    ReadProject();
    ReadPrepare();
    for (TomlTable& table : root_.Tables("source")) ReadSource(table);
    if (project_.sources.empty()) root_.Fail("", "no [[source]]: a project reads at least one");
    ReadEntities();
    ReadFuse();
    if (std::optional<TomlTable> table = root_.Table("curate")) {
      ReadCurateSettings(*table, project_.directory, project_.curate);
    }
    ReadTokenize();
    ReadTrain();
    if (std::optional<TomlTable> table = root_.Table("compare")) ReadCompareSettings(*table, project_.compare);
    if (std::optional<TomlTable> table = root_.Table("follow")) ReadFollowSettings(*table, project_.follow);
    if (std::optional<TomlTable> table = root_.Table("trace")) table->Finish();
    ReadAsk();
    root_.Has("quick");  // lies over the others by now
    root_.Finish();
    RETURN_IF_ERROR(errors_.status());
    return std::move(project_);
  }

 private:
  std::string Absolute(const std::string& path) const {
    const fs::path joined = fs::path(project_.directory) / path;  // an absolute path stays
    return joined.lexically_normal().string();
  }

  static bool IsPlainName(std::string_view name) {
    return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
             c == '.';
    });
  }

  void ReadProject() {
    std::string out = "out";
    project_.name = fs::path(project_.directory).filename().string();
    if (std::optional<TomlTable> table = root_.Table("project")) {
      table->Read("name", project_.name);
      table->Read("out", out);
      table->Read("seed", project_.seed);
      if (out.empty()) table->Fail("out", "project.out is empty: name a directory");
      table->Finish();
    }
    project_.out = Absolute(out);
    while (project_.out.size() > 1 && project_.out.back() == '/') project_.out.pop_back();
    if (project_.quick) project_.out += "-quick";
  }

  void ReadPrepare() {
    std::optional<TomlTable> table = root_.Table("prepare");
    if (!table) return;
    table->Read("command", project_.prepare.command);
    table->Read("produces", project_.prepare.produces);
    if (project_.prepare.command.empty()) table->Fail("command", "prepare.command must have the program to run");
    if (project_.prepare.produces.empty()) {
      table->Fail("produces",
                  "prepare.produces must name the files that the command makes: it runs when one is missing");
    }
    for (std::string& path : project_.prepare.produces) path = Absolute(path);
    table->Finish();
  }

  void ReadSource(TomlTable& table) {
    SourceSettings source;
    table.Read("name", source.name);
    table.Read("paths", source.paths);
    table.Read("format", source.format);
    ReadStream(table, source);
    table.Read("language", source.language);
    table.Read("max_rejects", source.max_rejects, 0, 1);
    if (std::optional<TomlTable> columns = table.Table("columns")) {
      columns->Read("text", source.columns.text);
      columns->Read("time", source.columns.time);
      columns->Read("author", source.columns.author);
      columns->Read("language", source.columns.language);
      columns->Read("latitude", source.columns.latitude);
      columns->Read("longitude", source.columns.longitude);
      columns->Read("id", source.columns.id);
      columns->Read("place", source.columns.place);
      std::vector<std::string> channels;
      columns->Read("channels", channels);
      for (const std::string& channel : channels) {
        absl::StatusOr<ChannelColumn> column = ParseChannelColumn(channel);
        if (!column.ok()) columns->Fail("channels", Message(column.status()));
        if (column.ok()) source.columns.channels.push_back(*std::move(column));
      }
      columns->Finish();
    }
    table.Read("time_zone", source.time_zone);
    if (!source.time_zone.empty()) {
      const absl::Status zone = TimeZone::Find(source.time_zone).status();
      if (!zone.ok()) table.Fail("time_zone", Message(zone));
    }
    std::string polled_at;
    table.Read("polled_at", polled_at);
    if (!polled_at.empty()) {
      source.polled_at = ParseTime(polled_at);
      if (!source.polled_at) table.Fail("polled_at", fmt::format("source.polled_at \"{}\" is no time", polled_at));
    }
    ReadRights(table, source);
    table.Finish();
    if (!IsPlainName(source.name)) {
      table.Fail("name", fmt::format("source.name \"{}\" must be letters, digits, \"_\", \"-\" or \".\"", source.name));
    }
    for (const SourceSettings& other : project_.sources) {
      if (other.name == source.name) table.Fail("name", fmt::format("two sources are called \"{}\"", source.name));
    }
    if (source.paths.empty() == !source.follow && !follow_failed_) {
      table.Fail("paths", fmt::format("source \"{}\" must have one of paths and follow", source.name));
    }
    if (source.format != "auto") {
      const absl::StatusOr<const Format*> format = FindFormat(source.format);
      if (!format.ok()) table.Fail("format", Message(format.status()));
    }
    for (std::string& path : source.paths) path = Absolute(path);
    project_.sources.push_back(std::move(source));
  }

  // A stream's format stands in its address, or in `format`.
  void ReadStream(TomlTable& table, SourceSettings& source) {
    std::string address;
    table.Read("follow", address);
    if (address.empty()) return;
    absl::StatusOr<StreamUrl> url = ParseStreamUrl(ResolveStream(address, project_.directory));
    if (!url.ok()) {
      table.Fail("follow", Message(url.status()));
      follow_failed_ = true;
      return;
    }
    if (url->scheme != "grpc" && url->Get("format").empty()) url->query["format"] = source.format;
    source.format = url->Get("format", source.format);
    source.follow = *std::move(url);
  }

  static void ReadRights(TomlTable& table, SourceSettings& source) {
    if (const absl::StatusOr<const Format*> format = FindFormat(source.format); format.ok()) {
      source.rights.training = ParseTraining((*format)->default_training()).value_or(Rights::Training::kUnknown);
      source.rights.reason = (*format)->default_training_reason();
    }
    std::optional<TomlTable> rights = table.Table("rights");
    if (!rights) return;
    std::string training;
    rights->Read("licence", source.rights.licence);
    rights->Read("owner", source.rights.owner);
    rights->Read("training", training);
    rights->Read("retention", source.rights.retention);
    if (!training.empty()) {
      source.training_stated = true;
      source.rights.reason.clear();
      const absl::StatusOr<Rights::Training> parsed = ParseTraining(training);
      if (parsed.ok()) source.rights.training = *parsed;
      if (!parsed.ok()) rights->Fail("training", Message(parsed.status()));
    }
    rights->Read("reason", source.rights.reason);
    if (const absl::StatusOr<int64_t> end = RetentionEnd(source.rights.retention, 0); !end.ok()) {
      rights->Fail("retention", Message(end.status()));
    }
    rights->Finish();
  }

  void ReadEntities() {
    std::vector<std::string> sources;
    for (const SourceSettings& source : project_.sources) sources.push_back(source.name);
    project_.entities = ReadEntityKinds(root_, sources, project_.directory);
  }

  void ReadFuse() {
    if (std::optional<TomlTable> fuse = root_.Table("fuse")) {
      for (TomlTable& table : fuse->Tables("template")) {
        const auto line = static_cast<int>(table.LineOf("text"));
        ReadTemplate(table, project_.path, line + (BeginsOnNextLine(line) ? 1 : 0), project_.templates);
      }
      for (TomlTable& table : fuse->Tables("view")) ReadView(table);
      fuse->Finish();
    }
    if (!project_.views.empty()) return;
    for (const SourceSettings& source : project_.sources) {  // without views: a document for each record
      FuseView view;
      view.name = view.source = source.name;
      view.file = project_.path;
      project_.views.push_back(std::move(view));
    }
  }

  void ReadView(TomlTable& table) {
    FuseView view;
    std::string sql_file;
    table.Read("name", view.name);
    table.Read("sql", view.sql);
    table.Read("sql_file", sql_file);
    table.Read("source", view.source);
    table.Read("rest", view.rest);
    table.Read("allow_cross_product", view.allow_cross_product);
    table.Read("allow_nondeterministic", view.allow_nondeterministic);
    ReadSlices(table, view);
    view.file = project_.path;
    view.line = static_cast<int>(table.LineOf(view.sql.empty() ? "source" : "sql"));
    if (!view.sql.empty() && BeginsOnNextLine(view.line)) ++view.line;
    if (int{!view.sql.empty()} + int{!sql_file.empty()} + int{!view.source.empty()} != 1) {
      table.Fail("name", fmt::format("fuse.view \"{}\" must have one of sql, sql_file and source", view.name));
    }
    if (view.name.empty()) view.name = view.source;
    if (!IsPlainName(view.name)) {
      table.Fail("name",
                 fmt::format("fuse.view.name \"{}\" must be letters, digits, \"_\", \"-\" or \".\"", view.name));
    }
    for (const FuseView& other : project_.views) {
      if (other.name == view.name) table.Fail("name", fmt::format("two views are called \"{}\"", view.name));
    }
    if (!sql_file.empty()) {
      view.file = Absolute(sql_file);
      view.line = 1;
      absl::StatusOr<std::string> sql = ReadFile(view.file);
      if (sql.ok()) {
        view.sql = *std::move(sql);
      } else {
        table.Fail("sql_file", Message(sql.status()));
      }
    }
    if (!view.source.empty()) CheckSourceName(table, view.source);
    if (view.rest && view.source.empty()) table.Fail("rest", "fuse.view.rest goes with source only");
    table.Finish();
    project_.views.push_back(std::move(view));
  }

  // TOML drops a line end right behind the opening quotes: then the value begins on the next line.
  bool BeginsOnNextLine(int line) const {
    std::string_view rest = text_;
    for (int i = 1; i < line && !rest.empty(); ++i) rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    const std::string_view opening = Trim(rest.substr(0, rest.find('\n')));
    return opening.ends_with("\"\"\"") || opening.ends_with("'''");
  }

  void CheckSourceName(TomlTable& table, const std::string& name) {
    std::vector<std::string> known;
    for (const SourceSettings& source : project_.sources) known.push_back(source.name);
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    const std::string nearest = Nearest(name, known);
    table.Fail("source", fmt::format("there is no source \"{}\"{}", name,
                                     nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
  }

  void ReadTokenize() {
    project_.tokenize.seed = project_.seed;
    std::optional<TomlTable> table = root_.Table("tokenize");
    if (!table) return;
    TokenizeOptions& tokenize = project_.tokenize;
    uint64_t vocabulary = tokenize.vocabulary_size;
    table->Read("vocabulary", vocabulary, 262144);
    if (vocabulary < 257)
      table->Fail("vocabulary", "tokenize.vocabulary must be at least 257: the bytes and one token");
    tokenize.vocabulary_size = static_cast<uint32_t>(vocabulary);
    table->Read("pattern", tokenize.pattern);
    if (const absl::StatusOr<Pattern> pattern = PatternFromName(tokenize.pattern); !pattern.ok()) {
      table->Fail("pattern", Message(pattern.status()));
    }
    std::vector<std::string> weights;
    table->Read("weights", weights);
    for (const std::string& weight : weights) {
      if (const absl::Status added = AddWeight(weight, tokenize.weights); !added.ok()) {
        table->Fail("weights", Message(added));
      }
    }
    table->Read("tokenizer", tokenize.tokenizer);
    if (!tokenize.tokenizer.empty()) tokenize.tokenizer = Absolute(tokenize.tokenizer);
    table->Read("validation", tokenize.validation_share, 0, 0.5);
    table->Finish();
  }

  void ReadTrain() {
    TrainOptions& train = project_.train;
    train.seed = project_.seed;
    int64_t layers = 4;
    int64_t width = 256;
    ModelConfig given;  // what overrides the shape made of layers and width; 0: not given
    given.tie_embeddings = true;
    std::optional<TomlTable> table = root_.Table("train");
    if (table) {
      ReadShape(*table, layers, width, given);
      table->Read("rights_override", project_.rights_override);
      table->Read("batch", train.batch, 1, 1 << 20);
      table->Read("accumulation", train.accumulation, 1, 1 << 20);
      ReadBudget(*table);
      ReadOptimizer(*table);
      table->Read("eval_every", train.eval_every, -1, kMany);
      table->Read("eval_tokens", train.eval_tokens, 1, kMany);
      table->Read("final_eval_tokens", train.final_eval_tokens, 0, kMany);
      table->Read("sample_prompts", train.sample_prompts);
      table->Read("sample_tokens", train.sample_tokens, 1, 1 << 20);
      table->Read("checkpoint_seconds", train.checkpoint_seconds, 0, 1e9);
      table->Finish();
    }
    if (train.minutes == 0 && train.tokens == 0 && train.steps == 0) train.minutes = 5;
    train.config = MakeConfig(layers, width, 0, train.context);
    if (given.heads > 0) {
      train.config.heads = train.config.kv_heads = given.heads;
      train.config.head_dim = width / given.heads;
    }
    if (given.kv_heads > 0) train.config.kv_heads = given.kv_heads;
    if (given.intermediate_size > 0) train.config.intermediate_size = given.intermediate_size;
    train.config.tie_embeddings = given.tie_embeddings;
    train.config.rope_theta = given.rope_theta;
    CheckShape(table);
  }

  void ReadShape(TomlTable& table, int64_t& layers, int64_t& width, ModelConfig& given) {
    table.Read("layers", layers, 1, 10'000);
    table.Read("width", width, 8, 1 << 20);
    table.Read("heads", given.heads, 1, 1 << 16);
    table.Read("kv_heads", given.kv_heads, 1, 1 << 16);
    table.Read("intermediate", given.intermediate_size, 1, 1 << 24);
    table.Read("tie_embeddings", given.tie_embeddings);
    table.Read("rope_theta", given.rope_theta, 1, 1e12);
    table.Read("context", project_.train.context, 2, 1 << 24);
  }

  // The tokenizer's vocabulary is not known yet; everything else is, so a shape that cannot be is refused now and not
  // after an hour of reading.
  void CheckShape(std::optional<TomlTable>& table) {
    ModelConfig shape = project_.train.config;
    shape.vocabulary_size = project_.tokenize.vocabulary_size;
    if (const absl::Status valid = shape.Validate(); !valid.ok() && table) {
      table->Fail(table->LineOf("heads") > 0 ? "heads" : "width", Message(valid));
    }
  }

  void ReadBudget(TomlTable& table) {
    TrainOptions& train = project_.train;
    table.Read("minutes", train.minutes, 0, 1e7);
    table.Read("tokens", train.tokens, 0, kMany);
    table.Read("steps", train.steps, 0, kMany);
    if (int{train.minutes > 0} + int{train.tokens > 0} + int{train.steps > 0} > 1) {
      table.Fail(train.tokens > 0 ? "tokens" : "steps", "give one budget: train.minutes, train.tokens or train.steps");
    }
  }

  void ReadOptimizer(TomlTable& table) {
    TrainOptions& train = project_.train;
    std::string schedule(ScheduleName(train.schedule.kind));
    table.Read("schedule", schedule);
    if (const absl::StatusOr<ScheduleKind> kind = ParseSchedule(schedule); kind.ok()) {
      train.schedule.kind = *kind;
    } else {
      table.Fail("schedule", Message(kind.status()));
    }
    table.Read("learning_rate", train.schedule.peak, 1e-12, 1e3);
    table.Read("warmup_share", train.schedule.warmup_share, 0, 1);
    table.Read("decay_share", train.schedule.decay_share, 0, 1);
    table.Read("final_share", train.schedule.final_share, 0, 1);
    table.Read("beta1", train.beta1, 0, 1);
    table.Read("beta2", train.beta2, 0, 1);
    table.Read("weight_decay", train.weight_decay, 0, 1e3);
    table.Read("clip", train.clip, 0, 1e9);
    std::string compute = "auto";
    table.Read("compute", compute);
    if (compute == "bf16") {
      train.compute = TrainOptions::Compute::kBf16;
    } else if (compute == "f32") {
      train.compute = TrainOptions::Compute::kF32;
    } else if (compute != "auto") {
      table.Fail("compute", fmt::format("train.compute must be auto, bf16 or f32, not \"{}\"", compute));
    }
  }

  void ReadAsk() {
    std::optional<TomlTable> table = root_.Table("ask");
    if (!table) return;
    table->Read("questions", project_.ask.questions);
    table->Read("max_tokens", project_.ask.max_tokens, 1, 1 << 20);
    table->Read("temperature", project_.ask.temperature, 0, 100);
    table->Finish();
  }

  std::string_view text_;
  TomlErrors errors_;
  TomlTable root_;
  bool follow_failed_ = false;
  ProjectFile project_;
};

// Lays `over` over `base`: tables key by key, everything else replaces. The nodes are moved, which keeps their places
// in the file for error messages.
void Merge(toml::table& base, toml::table&& over) {
  for (auto&& [key, node] : over) {
    toml::table* const below = base[key.str()].as_table();
    if (below != nullptr && node.is_table()) {
      Merge(*below, std::move(*node.as_table()));
      continue;
    }
    node.visit([&](auto& value) { base.insert_or_assign(key, std::move(value)); });
  }
}

// Only these may stand in [quick]: a budget or a threshold. Other sources would be another project.
absl::Status CheckQuick(const toml::table& quick, const std::string& path) {
  const std::vector<std::string> known = {"curate", "tokenize", "train", "compare", "follow", "ask"};
  for (const auto& [key, node] : quick) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    TomlErrors errors(path);
    errors.Add(key.source(), fmt::format("unknown key \"{}\" in [quick]; it may have the tables {}", key.str(),
                                         "curate, tokenize, train, compare, follow and ask"));
    return errors.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<ProjectFile> ParseOnce(const std::string& text, const std::string& path, bool quick) {
  toml::table root;
  try {
    root = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    return UsageError(
        fmt::format("{}:{}:{}: {}", path, error.source().begin.line, error.source().begin.column, error.description()));
  }
  if (quick) {
    if (toml::table* over = root["quick"].as_table()) {
      RETURN_IF_ERROR(CheckQuick(*over, path));
      toml::table moved = std::move(*over);
      root.erase("quick");
      // A quick budget in another unit replaces the budget, it does not stand beside it.
      if (toml::table* train = root["train"].as_table(); train != nullptr && moved["train"].is_table()) {
        const toml::table& quick_train = *moved["train"].as_table();
        const bool budget =
            quick_train.contains("minutes") || quick_train.contains("tokens") || quick_train.contains("steps");
        for (const char* unit : {"minutes", "tokens", "steps"}) {
          if (budget) train->erase(unit);
        }
      }
      Merge(root, std::move(moved));
    }
  }
  return ProjectReader(root, text, path, quick).Run();
}

}  // namespace

absl::StatusOr<ProjectFile> ParseProjectFile(const std::string& text, const std::string& path, bool quick) {
  ASSIGN_OR_RETURN(ProjectFile plain, ParseOnce(text, path, false));
  ASSIGN_OR_RETURN(ProjectFile merged, ParseOnce(text, path, true));
  return quick ? std::move(merged) : std::move(plain);
}

absl::StatusOr<ProjectFile> LoadProjectFile(const std::string& path, bool quick) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) {
    const bool directory = fs::is_directory(path);
    return UsageError(fmt::format("{}{}", Message(text.status()),
                                  directory ? fmt::format("; a project is a file: try {}/rhodes.toml", path) : ""));
  }
  return ParseProjectFile(*text, fs::absolute(path).lexically_normal().string(), quick);
}

}  // namespace rhodes
