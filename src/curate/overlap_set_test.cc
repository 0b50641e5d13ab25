#include "curate/overlap_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>

#include "base/file.h"
#include "table/database.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OverlapSetTest : public ::testing::Test {
 protected:
  OverlapSetTest() {
    directory_ = std::filesystem::temp_directory_path() / fmt::format("rhodes-overlap-set-{}", getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~OverlapSetTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  std::string Write(const std::string& name, std::string_view bytes) const {
    std::filesystem::create_directories((directory_ / name).parent_path());
    EXPECT_TRUE(WriteFileAtomically(Path(name), bytes).ok());
    return Path(name);
  }

  // "file:line id: texts | queries" of each item.
  static absl::StatusOr<std::vector<std::string>> ReadItems(const std::string& given,
                                                            const EvaluationReadOptions& options = {}) {
    ASSIGN_OR_RETURN(const std::vector<EvaluationSet> sets, FindEvaluationSets({given}));
    std::vector<std::string> items;
    RETURN_IF_ERROR(ReadEvaluationSet(sets[0], options, [&](const EvaluationItem& item) {
      std::string line = fmt::format("{}:{} {}:", item.file, item.line, item.id);
      for (const std::string_view text : item.texts) line += fmt::format(" {}", text);
      if (!item.queries.empty()) line += " |";
      for (const std::string_view query : item.queries) line += fmt::format(" {}", query);
      items.push_back(line);
      return absl::OkStatus();
    }));
    return items;
  }
  static std::vector<std::string> MustRead(const std::string& given, const EvaluationReadOptions& options = {}) {
    absl::StatusOr<std::vector<std::string>> items = ReadItems(given, options);
    EXPECT_TRUE(items.ok()) << items.status();
    return items.ok() ? *items : std::vector<std::string>();
  }

  std::filesystem::path directory_;
};

TEST_F(OverlapSetTest, ASetIsNamedByItsPrefixOrItsStem) {
  EXPECT_EQ(ParseEvaluationSetPath("sets/gsm8k.test.jsonl.gz").name, "gsm8k.test");
  EXPECT_EQ(ParseEvaluationSetPath("sets/mmlu/").name, "mmlu");
  EXPECT_EQ(ParseEvaluationSetPath("helm|mmlu:sets/a.jsonl").name, "helm|mmlu");
  EXPECT_EQ(ParseEvaluationSetPath("helm|mmlu:sets/a.jsonl").path, "sets/a.jsonl");
  EXPECT_EQ(ParseEvaluationSetPath("a/b:c.jsonl").path, "a/b:c.jsonl") << "a path is no name";
  const std::string colon = Write("x:y.jsonl", "{}");
  const auto working = std::filesystem::current_path();
  std::filesystem::current_path(directory_);
  EXPECT_EQ(ParseEvaluationSetPath("x:y.jsonl").path, "x:y.jsonl") << "a file of that name is there";
  std::filesystem::current_path(working);
}

TEST_F(OverlapSetTest, LinesAreItemsWithTheirNumbersAndIds) {
  const std::string path = Write("a.jsonl",
                                 "\xEF\xBB\xBF{\"id\":\"q-1\",\"question\":\"how\",\"answer\":\"so\"}\r\n\n"
                                 "{\"task_id\":7,\"choices\":[{\"text\":\"one\"},{\"text\":\"two\"}]}\n"
                                 "\"bare\"\n[\"a\",[\"b\"]]\n{\"label\":3}");
  EXPECT_THAT(MustRead(path), ElementsAre("0:1 q-1: q-1 how so", "0:3 7: one two", "0:4 : bare", "0:5 : a b", "0:6 :"));
}

TEST_F(OverlapSetTest, FieldsArePathsThroughObjectsAndLists) {
  const std::string path =
      Write("a.jsonl", R"({"id":"x","question":{"stem":"why","choices":[{"text":"one","label":"A"},{"text":"two"}]}})"
                       "\n{\"id\":\"y\",\"query\":\"what\"}\n");
  EvaluationReadOptions options;
  options.fields.texts = {"question.choices.text", "question.stem"};
  options.fields.queries = {"query"};
  EXPECT_THAT(MustRead(path, options), ElementsAre("0:1 x: one two why", "0:2 y: | what"));
  options.fields.texts.clear();
  EXPECT_THAT(MustRead(path, options), ElementsAre("0:1 x: x why one A two", "0:2 y: y | what"));
  options.fields.texts = {"answer"};
  const std::string message = Message(ReadItems(path, options).status());
  EXPECT_THAT(message, HasSubstr("evaluation set a: no item has a string in any of the fields answer"));
  EXPECT_THAT(message, HasSubstr("its fields are: id, query, question"));
}

TEST_F(OverlapSetTest, JsonIsAnArrayOrTheLongestArrayOfObjectsOrLines) {
  EXPECT_THAT(MustRead(Write("a.json", "[{\"q\":\"one\"},\n{\"q\":\"two\"}]")), ElementsAre("0:1 : one", "0:2 : two"));
  EXPECT_THAT(MustRead(Write("b.json", R"({"canary":"no","names":["n","m","o"],"few":[{"x":"few"}],)"
                                       R"("examples":[{"input":"one"},{"input":"two"}]})")),
              ElementsAre("0:1 : one", "0:2 : two"));
  EXPECT_THAT(MustRead(Write("c.json", R"({"q":"alone"})")), ElementsAre("0:1 : alone"));
  EXPECT_THAT(MustRead(Write("d.json", "{\"q\":\"one\"}\n{\"q\":\"two\"}\n")), ElementsAre("0:1 : one", "0:2 : two"));
  EXPECT_THAT(MustRead(Write("e.json", "[]")), IsEmpty());
}

TEST_F(OverlapSetTest, ADirectoryIsOneSetOfItsFilesInOrder) {
  Write("dir/b.jsonl", "{\"q\":\"two\"}\n");
  Write("dir/a/one.json", "[{\"q\":\"one\"}]");
  Write("dir/README.md", "# not a set");
  const std::string text = "{\"q\":\"three\"}\n";
  const std::string packed = Path("dir/c.jsonl.gz");
  gzFile file = gzopen(packed.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  gzclose(file);
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open({});
  ASSERT_TRUE(database.ok());
  ASSERT_TRUE((*database)
                  ->Execute(fmt::format("COPY (SELECT 'p' || i AS uid, ['four', 'ü'] AS choices FROM range(2) AS t(i)) "
                                        "TO {} (FORMAT parquet)",
                                        SqlLiteral(Path("dir/d.parquet"))))
                  .ok());
  EXPECT_THAT(MustRead("mixed:" + Path("dir")),
              ElementsAre("0:1 : one", "1:1 : two", "2:1 : three", "3:1 p0: p0 four ü", "3:2 p1: p1 four ü"));
}

TEST_F(OverlapSetTest, ErrorsNameSetFileAndLine) {
  const auto message = [](const std::string& given, const EvaluationReadOptions& options = {}) {
    const absl::Status status = ReadItems(given, options).status();
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage) << status;
    return Message(status);
  };
  EXPECT_THAT(message("n:" + Write("bad.jsonl", "{\"text\":\"one\"}\n{")), HasSubstr("evaluation set n: "));
  EXPECT_THAT(message("n:" + Path("bad.jsonl")), HasSubstr("bad.jsonl line 2: not JSON"));
  EXPECT_THAT(message(Write("bad.json", "{\n")), HasSubstr("bad.json: not JSON"));
  EXPECT_THAT(message(Path("missing.jsonl")), HasSubstr("missing.jsonl is not there"));
  EXPECT_THAT(message(Write("a.txt", "x")), HasSubstr("ends in none of .jsonl"));
  EXPECT_THAT(message(Write("bad.parquet", "PAR1 is not enough")), HasSubstr("bad.parquet"));
  EXPECT_THAT(message(Write("cut.jsonl.gz", "\x1F\x8B\x08")), HasSubstr("cut.jsonl.gz"));
  Write("empty/notes.md", "x");
  EXPECT_THAT(message(Path("empty")), HasSubstr("no .jsonl, .json or .parquet file"));
  const std::string a = Write("a.jsonl", "{}");
  EXPECT_THAT(Message(FindEvaluationSets({a, "a:" + a}).status()), HasSubstr("overlap=NAME:PATH"));
  EvaluationReadOptions small;
  small.max_json_bytes = 1000;
  const std::string long_row = "{\"q\":\"" + std::string(1'000'000, 'x') + "\"}";
  EXPECT_THAT(message(Write("long.jsonl", "{}\n" + long_row), small),
              HasSubstr("line 2: the line is longer than 1000"));
  EXPECT_THAT(message(Write("long.json", "[" + long_row + "]"), small), HasSubstr("give it as JSON Lines"));
}

TEST_F(OverlapSetTest, InvalidUtf8IsRepairedAndDepthIsBounded) {
  EXPECT_THAT(MustRead(Write("a.jsonl", "{\"q\":\"a\xFF\"}\n")), ElementsAre("0:1 : a\uFFFD"));
  EXPECT_THAT(MustRead(Write("b.jsonl", "{\"q\":\"nul \\u0000 byte\"}\n")),
              ElementsAre(std::string("0:1 : nul \0 byte", 16)));
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  EXPECT_THAT(Message(ReadItems(Write("c.jsonl", deep)).status()), HasSubstr("c.jsonl line 1: not JSON"));
}

TEST_F(OverlapSetTest, TheCallersErrorEndsTheReading) {
  const std::string path = Write("a.jsonl", "{\"q\":\"one\"}\n{\"q\":\"two\"}\n");
  int items = 0;
  const absl::Status status = ReadEvaluationSet({"a", {path}}, {}, [&](const EvaluationItem&) {
    ++items;
    return absl::ResourceExhaustedError("full");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(items, 1);
}

}  // namespace
}  // namespace rhodes
