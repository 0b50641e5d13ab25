#include "project/project_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kPath[] = "/home/user/demo/rhodes.toml";

ProjectFile MustParse(const std::string& text, bool quick = false) {
  absl::StatusOr<ProjectFile> file = ParseProjectFile(text, kPath, quick);
  EXPECT_TRUE(file.ok()) << file.status();
  return file.ok() ? *file : ProjectFile();
}

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<ProjectFile> file = ParseProjectFile(text, kPath, false);
  EXPECT_FALSE(file.ok());
  EXPECT_EQ(ExitCodeOf(file.status()), ExitCode::kUsage);
  return Message(file.status());
}

constexpr char kSource[] = "[[source]]\nname = \"posts\"\npaths = [\"data/posts\"]\n";

TEST(ProjectFile, ASmallOneIsEnough) {
  const ProjectFile file = MustParse(kSource);
  EXPECT_EQ(file.name, "demo");
  EXPECT_EQ(file.directory, "/home/user/demo");
  EXPECT_EQ(file.out, "/home/user/demo/out");
  EXPECT_THAT(file.sources[0].paths, ElementsAre("/home/user/demo/data/posts"));
  EXPECT_EQ(file.views.size(), 1u);
  EXPECT_EQ(file.views[0].source, "posts");
  EXPECT_EQ(file.train.minutes, 5);
  EXPECT_TRUE(file.prepare.command.empty());
}

TEST(ProjectFile, ReadsEveryTable) {
  const ProjectFile file = MustParse(R"(
[project]
name = "n"
out = "/var/o/"
seed = 7
[prepare]
command = ["sh", "f.sh"]
produces = ["data/.complete", "/abs"]
[[source]]
name = "a"
paths = ["x/*", "/y"]
format = "jsonl"
language = "ar"
max_rejects = 0.5
columns = { text = "body", time = "at" }
[[fuse.view]]
name = "v"
sql = """
SELECT 1
"""
[[fuse.view]]
source = "a"
rest = true
[curate]
rules = ["exact", "normalise"]
language = "eng_Latn"
sample = 0.5
min_language_confidence = 0.4
[curate.quality]
min_words = 3
[curate.repetition]
max_top_2_gram = 0.5
[curate.normalise]
arabic_letters = false
[tokenize]
vocabulary = 1000
pattern = "gpt2"
weights = ["language=alpha:0.3", "source:packages=2"]
validation = 0.1
[train]
layers = 2
width = 64
heads = 4
kv_heads = 2
intermediate = 96
context = 32
batch = 4
steps = 10
learning_rate = 1e-3
schedule = "cosine"
compute = "f32"
[trace]
[ask]
questions = ["who?", "why?"]
max_tokens = 5
temperature = 1
)");
  EXPECT_EQ(file.out, "/var/o");
  EXPECT_THAT(file.prepare.produces, ElementsAre("/home/user/demo/data/.complete", "/abs"));
  EXPECT_EQ(file.sources[0].columns.text, "body");
  EXPECT_EQ(file.sources[0].max_rejects, 0.5);
  EXPECT_EQ(file.views[0].sql, "SELECT 1\n");
  EXPECT_EQ(file.views[0].line, 19) << "the line of SELECT";
  EXPECT_TRUE(file.views[1].rest);
  EXPECT_EQ(file.views[1].name, "a");
  EXPECT_THAT(file.curate.rules, ElementsAre("normalise", "exact"));
  EXPECT_EQ(file.curate.language.wanted, "en");
  EXPECT_EQ(file.curate.language.min_confidence, 0.4);
  EXPECT_EQ(file.curate.quality.min_words, 3u);
  EXPECT_EQ(file.curate.repetition.max_top_ngram[0], 0.5);
  EXPECT_FALSE(file.curate.normalise.arabic_letters);
  EXPECT_EQ(file.tokenize.vocabulary_size, 1000u);
  EXPECT_EQ(file.tokenize.weights.language.exponent, 0.3);
  EXPECT_EQ(file.tokenize.weights.source.factors.at("packages"), 2);
  EXPECT_EQ(file.train.config.heads, 4);
  EXPECT_EQ(file.train.config.kv_heads, 2);
  EXPECT_EQ(file.train.config.head_dim, 16);
  EXPECT_EQ(file.train.config.intermediate_size, 96);
  EXPECT_EQ(file.train.config.max_positions, 32);
  EXPECT_EQ(file.train.steps, 10);
  EXPECT_EQ(file.train.minutes, 0);
  EXPECT_EQ(file.train.seed, 7u);
  EXPECT_EQ(file.train.compute, TrainOptions::Compute::kF32);
  EXPECT_THAT(file.ask.questions, ElementsAre("who?", "why?"));
}

TEST(ProjectFile, RulesForWebTextHaveThresholdsOfTheirOwnAndForSingleLanguages) {
  const absl::StatusOr<ProjectFile> file = ParseProjectFile(
      std::string(kSource) +
          "[curate.gopher_quality]\nmin_words = 40\n[curate.c4_quality]\nrequire_end_punctuation = false\n"
          "[curate.language]\nwanted = \"arb_Arab\"\n[curate.language.arb_Arab.gopher_quality]\nmin_words = 30\n",
      kPath, false);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->curate.language.wanted, "ar");
  EXPECT_EQ(file->curate.For("en").gopher_quality.min_words, 40u);
  EXPECT_EQ(file->curate.For("ar-EG").gopher_quality.min_words, 30u);
  EXPECT_FALSE(file->curate.For("ar").c4_quality.require_end_punctuation);
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[curate.language.ar.gopher_quality]\nmin_wrods = 3\n"),
              HasSubstr("unknown key \"min_wrods\" in [curate.language.ar.gopher_quality]"));
}

TEST(ProjectFile, TheRuleOfLanguagesTakesAModelAndLooksAtParagraphs) {
  const absl::StatusOr<ProjectFile> file = ParseProjectFile(
      std::string(kSource) +
          "[curate.language]\nwanted = \"arb_Arab\"\nmodel = \"models/lid.bin\"\nmodel_bytes = 3000\nper_paragraph = "
          "true\n"
          "drop_paragraphs = true\nfineweb2_confidence = true\n[curate.language.ar.quality]\nmin_words = 3\n",
      kPath, false);
  ASSERT_TRUE(file.ok()) << file.status();
  const LanguageSettings& language = file->curate.language;
  EXPECT_THAT(language.model, ::testing::EndsWith("/models/lid.bin"));
  EXPECT_TRUE(language.model.starts_with("/")) << language.model;
  EXPECT_EQ(language.model_bytes, 3000u);
  EXPECT_TRUE(language.per_paragraph && language.drop_paragraphs && language.fineweb2_confidence);
  EXPECT_EQ(file->curate.For("ar").quality.min_words, 3u);
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[curate.language]\nmodle = \"x\"\n"), HasSubstr("modle"));
}

TEST(ProjectFile, AnUnknownKeyIsNamedWithItsPlaceAndTheNearestKnownOne) {
  EXPECT_EQ(ErrorOf(std::string(kSource) + "[train]\nlayer = 2\n"),
            std::string(kPath) + ":5:1: unknown key \"layer\" in [train]; did you mean \"layers\"?");
  EXPECT_EQ(ErrorOf(std::string(kSource) + "[tokenise]\n"),
            std::string(kPath) + ":4:2: unknown key \"tokenise\"; did you mean \"tokenize\"?");
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[curate.quality]\nmin_wrods = 3\n"),
              HasSubstr(":5:1: unknown key \"min_wrods\" in [curate.quality]; did you mean \"min_words\"?"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "path = [\"x\"]\n"), HasSubstr(":4:1: unknown key \"path\" in [source]"));
}

TEST(ProjectFile, AWeightThatIsNotKnownIsNamedWithItsPlace) {
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[tokenize]\nweights = [\"language=even\"]\n"),
              HasSubstr(":5:11: weight \"language=even\": \"even\" is not known; allowed: language=equal"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[tokenize]\nvocabulary = 300000\n"), HasSubstr("262144"));
}

TEST(ProjectFile, AWrongTypeIsNamedWithItsPlace) {
  EXPECT_EQ(ErrorOf(std::string(kSource) + "[train]\nlayers = \"two\"\n"),
            std::string(kPath) + ":5:10: train.layers must be a whole number, not a string");
  EXPECT_THAT(ErrorOf("[[source]]\nname = \"a\"\npaths = \"data\"\n"),
              HasSubstr(":3:9: source.paths must be a list of strings, not a string"));
  EXPECT_THAT(ErrorOf("[[source]]\nname = \"a\"\npaths = [\"x\", 3]\n"),
              HasSubstr("source.paths must be a list of strings, not a whole number"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[train]\nminutes = -1\n"), HasSubstr("train.minutes must be from 0 to"));
  EXPECT_THAT(ErrorOf("source = 3\n"), HasSubstr("source must be a list of tables: write [[source]] for each"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[train]\nlayers = 1.5\n"), HasSubstr("not a number"));
  EXPECT_EQ(MustParse(std::string(kSource) + "[train]\nminutes = 1\n").train.minutes, 1)
      << "a whole number is a number";
}

TEST(ProjectFile, WhatIsNotTomlIsNamedWithItsPlace) {
  EXPECT_THAT(ErrorOf("[project\nname=1"), HasSubstr(std::string(kPath) + ":1:"));
  EXPECT_THAT(ErrorOf("a = 1\na = 2\n"), HasSubstr(":2:"));
}

TEST(ProjectFile, ContradictionsAreRefusedBeforeAnythingRuns) {
  EXPECT_THAT(ErrorOf("[project]\nname = \"x\"\n"), HasSubstr("no [[source]]"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + kSource), HasSubstr("two sources are called \"posts\""));
  EXPECT_THAT(ErrorOf("[[source]]\nname = \"../x\"\npaths = [\"a\"]\n"),
              HasSubstr(":2:8: source.name \"../x\" must be"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "format = \"jsnol\"\n"), HasSubstr("did you mean jsonl?"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[[fuse.view]]\nsource = \"post\"\n"),
              HasSubstr("did you mean \"posts\"?"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[[fuse.view]]\nname = \"x\"\n"),
              HasSubstr("must have one of sql, sql_file and source"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[[fuse.view]]\nname = \"x\"\nsql_file = \"none.sql\"\n"),
              HasSubstr("/home/user/demo/none.sql"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[train]\nminutes = 1\nsteps = 3\n"), HasSubstr("give one budget"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[train]\nheads = 3\nkv_heads = 2\n"), HasSubstr(":5:"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[curate]\nrules = [\"exat\"]\n"), HasSubstr("did you mean \"exact\"?"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[curate]\nlanguage = \"english\"\n"),
              HasSubstr("is not a language code"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[prepare]\ncommand = [\"true\"]\n"), HasSubstr("prepare.produces"));
}

TEST(ProjectFile, QuickLiesOverTheRest) {
  const std::string text =
      std::string(kSource) +
      "[train]\nminutes = 5\nlayers = 6\n[curate.quality]\nmin_words = 3\n"
      "[quick.train]\nsteps = 20\n[quick.curate]\nsample = 0.1\n[quick.ask]\nquestions = [\"q\"]\n";
  const ProjectFile quick = MustParse(text, true);
  EXPECT_EQ(quick.out, "/home/user/demo/out-quick");
  EXPECT_EQ(quick.train.steps, 20);
  EXPECT_EQ(quick.train.minutes, 0) << "another unit replaces the budget";
  EXPECT_EQ(quick.train.config.layers, 6);
  EXPECT_EQ(quick.curate.sample, 0.1);
  EXPECT_EQ(quick.curate.quality.min_words, 3u);
  EXPECT_EQ(quick.ask.questions.size(), 1u);
  const ProjectFile plain = MustParse(text);
  EXPECT_EQ(plain.train.minutes, 5);
  EXPECT_EQ(plain.out, "/home/user/demo/out");
}

TEST(ProjectFile, ASlipInQuickIsFoundInAnyRunAtItsPlace) {
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[quick.train]\nlayer = 2\n"),
              HasSubstr(":5:1: unknown key \"layer\" in [train]"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[quick]\nlimit = 2\n"),
              HasSubstr(":5:1: unknown key \"limit\" in [quick]"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[quick.train]\nlayers = \"x\"\n"),
              HasSubstr(":5:10: train.layers must be"));
}

TEST(ProjectFile, AMissingFileAndADirectoryAreUsageErrors) {
  const absl::Status missing = LoadProjectFile("/nonexistent/rhodes.toml", false).status();
  EXPECT_EQ(ExitCodeOf(missing), ExitCode::kUsage);
  EXPECT_THAT(Message(missing), HasSubstr("/nonexistent/rhodes.toml"));
  EXPECT_THAT(Message(LoadProjectFile("/tmp", false).status()), HasSubstr("try /tmp/rhodes.toml"));
}

TEST(ProjectFile, TheExamplesAreValid) {
  for (const char* path : {"/examples/debian/rhodes.toml", "/examples/constellation/rhodes.toml"}) {
    const absl::StatusOr<ProjectFile> file = LoadProjectFile(std::string(RHODES_SOURCE_DIR) + path, true);
    EXPECT_TRUE(file.ok()) << file.status();
  }
}

constexpr char kTemplate[] = R"([[fuse.template]]
name = "drop"
language = "ar"
digits = "arabic-indic"
text = '''
one {a:.1f km}
two {b}'''
)";

TEST(ProjectFile, TemplatesAndSlicesAreRead) {
  const ProjectFile file = MustParse(std::string(kSource) + kTemplate +
                                     "[[fuse.view]]\nname = \"x\"\nsql = \"SELECT 1\"\n"
                                     "slices = { by = \"time\", every = \"1 day\", margin = \"10 minutes\" }\n"
                                     "allow_cross_product = true\n");
  ASSERT_EQ(file.templates.size(), 1u);
  EXPECT_EQ(file.templates[0].name, "drop");
  EXPECT_EQ(file.templates[0].digits, DigitStyle::kArabicIndic);
  EXPECT_EQ(file.templates[0].line, 9);
  ASSERT_TRUE(file.views[0].slices.has_value());
  EXPECT_EQ(file.views[0].slices->every, 86'400'000'000);
  EXPECT_EQ(file.views[0].slices->margin, 600'000'000);
  EXPECT_TRUE(file.views[0].allow_cross_product);
  EXPECT_FALSE(file.views[0].allow_nondeterministic);
}

TEST(ProjectFile, WrongTemplatesAndSlicesAreNamedWithTheirLine) {
  const std::string source = kSource;
  EXPECT_THAT(ErrorOf(source + "[[fuse.template]]\nname = \"t\"\ntext = '''\none\n{two'''\n"),
              ::testing::AllOf(HasSubstr("rhodes.toml:8"), HasSubstr("{ without }")));
  EXPECT_THAT(ErrorOf(source + "[[fuse.template]]\nname = \"t\"\ntext = \"x\"\ndigits = \"roman\"\n"),
              HasSubstr("rhodes.toml:7"));
  EXPECT_THAT(ErrorOf(source + "[[fuse.template]]\ntext = \"x\"\n"), HasSubstr("has no name"));
  EXPECT_THAT(ErrorOf(source + "[[fuse.template]]\nname = \"t\"\n"), HasSubstr("has no text"));
  EXPECT_THAT(ErrorOf(source + kTemplate + kTemplate), HasSubstr("two templates are called \"drop\""));
  EXPECT_THAT(ErrorOf(source + "[[fuse.template]]\nname = \"t\"\ntext = \"x\"\nlanguage = \"fr\"\n"),
              HasSubstr("neither \"en\" nor \"ar\""));
  const std::string view = source + "[[fuse.view]]\nname = \"x\"\nsql = \"SELECT 1\"\n";
  EXPECT_THAT(ErrorOf(view + "slices = { every = \"1 fortnight\" }\n"), HasSubstr("\"1 fortnight\" must be"));
  EXPECT_THAT(ErrorOf(view + "slices = { every = \"0 days\" }\n"), HasSubstr("\"0 days\" must be"));
  EXPECT_THAT(ErrorOf(view + "slices = { by = \"id\", every = \"1 day\" }\n"), HasSubstr("cut by \"time\""));
  EXPECT_THAT(ErrorOf(source + "[[fuse.view]]\nsource = \"posts\"\nslices = { every = \"1 day\" }\n"),
              HasSubstr("goes with sql"));
}

TEST(ProjectFile, ComparisonsAreDescribedInATableOfTheirOwn) {
  EXPECT_FALSE(MustParse(kSource).compare.wanted);
  const CompareSettings plain = MustParse(std::string(kSource) + "[compare]\n").compare;
  EXPECT_TRUE(plain.wanted);
  EXPECT_TRUE(plain.arms.empty());
  EXPECT_EQ(plain.seeds, 3);
  const CompareSettings given = MustParse(std::string(kSource) +
                                              "[compare]\nheld_out = \"last 12.5% of documents\"\ntokens = 5000\n"
                                              "[[compare.arm]]\nname = \"a\"\nsources = [\"posts\"]\nviews = [\"*\"]\n"
                                              "[quick.compare]\ntokens = 500\n",
                                          true)
                                    .compare;
  EXPECT_EQ(given.held_out.last_share, 0.125);
  EXPECT_TRUE(given.held_out.of_documents);
  EXPECT_EQ(given.tokens, 500);
  ASSERT_EQ(given.arms.size(), 1u);
  EXPECT_THAT(given.arms[0].texts.sources, ElementsAre("posts"));
  const auto error = [](const std::string& text) { return ErrorOf(std::string(kSource) + "[compare]\n" + text); };
  EXPECT_THAT(error("held_out = \"20%\"\n"), HasSubstr("like \"last 20%\""));
  EXPECT_THAT(error("held_out = \"last 20%\"\nafter = \"2026-01-01\"\n"), HasSubstr("give one of"));
  EXPECT_THAT(error("after = \"soon\"\n"), HasSubstr("is no time"));
  EXPECT_THAT(error("arms = \"all\"\n"), HasSubstr("must be \"default\""));
  EXPECT_THAT(error("[[compare.arm]]\nname = \"a\"\n"), HasSubstr("has no texts"));
  EXPECT_THAT(error("sedes = 3\n"), HasSubstr("seeds"));
}

TEST(ProjectFile, StreamsAreReadWithWhatIsDoneWithThem) {
  const ProjectFile file = MustParse(
      "[[source]]\nname = \"posts\"\nfollow = \"kafka://localhost:9092/posts?group=g&format=x-v2\"\n"
      "[[source]]\nname = \"spool\"\nformat = \"jsonl\"\nfollow = \"dir://./spool\"\n"
      "[follow]\nevery = \"2 hours\"\nreplay = 0.4\nmax_forgetting = 0.1\n");
  ASSERT_TRUE(file.sources[0].follow.has_value());
  EXPECT_EQ(file.sources[0].follow->path, "/posts");
  EXPECT_EQ(file.sources[0].format, "x-v2");
  EXPECT_EQ(file.sources[1].follow->path, "/home/user/demo/spool");
  EXPECT_EQ(file.sources[1].follow->Get("format"), "jsonl");
  EXPECT_EQ(file.follow.every_seconds, 7200);
  EXPECT_EQ(file.follow.replay, 0.4);
  EXPECT_EQ(file.follow.max_forgetting, 0.1);
}

TEST(ProjectFile, WrongStreamsAreNamedWithTheirLine) {
  EXPECT_THAT(ErrorOf("[[source]]\nname = \"posts\"\nfollow = \"kafak://localhost/posts\"\n"), HasSubstr(":3:"));
  EXPECT_THAT(ErrorOf("[[source]]\nname = \"posts\"\npaths = [\"a\"]\nfollow = \"dir:///spool\"\n"),
              HasSubstr("one of paths and follow"));
  EXPECT_THAT(ErrorOf("[[source]]\nname = \"posts\"\n"), HasSubstr("one of paths and follow"));
  EXPECT_THAT(ErrorOf(std::string(kSource) + "[follow]\nevery = \"often\"\n"), HasSubstr("10 minutes"));
}

}  // namespace
}  // namespace rhodes
