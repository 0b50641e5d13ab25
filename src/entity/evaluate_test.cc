#include "entity/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "entity/link_model.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(LabelledPairs, ReadsBothForms) {
  const absl::StatusOr<LabelledPairs> pairs = ParseLabelledPairs(
      "COL name VAL red car COL price VAL  \tCOL name VAL a red car COL price VAL 12.5 \t1\r\n\n"
      "{\"a\": {\"name\": \"red car\", \"price\": \"\"}, \"b\": {\"name\": \"van\", \"price\": 7}, \"same\": false}\n",
      "pairs");
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  EXPECT_THAT(pairs->attributes, ElementsAre("name", "price"));
  ASSERT_EQ(pairs->pairs.size(), 2u);
  EXPECT_EQ(pairs->pairs[0].a, pairs->pairs[1].a) << "equal mentions are one";
  EXPECT_TRUE(pairs->pairs[0].same);
  EXPECT_FALSE(pairs->pairs[1].same);
  EXPECT_THAT(pairs->values[pairs->pairs[0].b], ElementsAre("a red car", "12.5"));
  EXPECT_THAT(pairs->values[pairs->pairs[1].b], ElementsAre("van", "7"));
}

TEST(LabelledPairs, SaysWhatIsWrongAndWhere) {
  const auto message = [](std::string_view text) { return Message(ParseLabelledPairs(text, "pairs").status()); };
  EXPECT_THAT(message("COL a VAL b\tCOL a VAL c\t1\nCOL a VAL b\t1\n"), HasSubstr("pairs:2: a pair has three columns"));
  EXPECT_THAT(message("COL a VAL b\tCOL a VAL c\t2\n"), HasSubstr("pairs:1: the third column is 0 or 1, not \"2\""));
  EXPECT_THAT(message("a\tCOL a VAL c\t1\n"), HasSubstr("a side begins with"));
  EXPECT_THAT(message("COL a\tCOL a VAL c\t1\n"), HasSubstr("\"COL\" without \"VAL\""));
  EXPECT_THAT(message("{\"a\": {}, \"same\": 1}\n"), HasSubstr("there is no object \"b\""));
  EXPECT_THAT(message("{\"a\": {}, \"b\": {}, \"same\": 3}\n"), HasSubstr("\"same\" is true or false"));
  EXPECT_THAT(message("\n"), HasSubstr("there is no pair in it"));
}

TEST(LinkModel, FindsTheBestThreshold) {
  EXPECT_DOUBLE_EQ(BestThreshold({0.9, 0.8, 0.6, 0.1}, {true, true, false, false}), 0.7);
  EXPECT_EQ(BestThreshold({0.9, 0.9, 0.1}, {true, false, true}), 0.1);
  EXPECT_EQ(BestThreshold({0.3}, {false}), 0.5);
}

// Branches of firms, each with a telephone number: a slip in the name and the same number, or another branch.
LabelledPairs Names() {
  std::string text;
  const std::vector<std::string> first = {"amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbour"};
  const std::vector<std::string> second = {"quarry", "river", "saddle", "timber", "valley", "willow", "yonder"};
  const auto number = [](size_t i, size_t j) { return fmt::format("{}{}", 55500 + 131 * i, 70 + 3 * j); };
  for (size_t i = 0; i < first.size(); ++i) {
    for (size_t j = 0; j < second.size(); ++j) {
      const std::string left = fmt::format("COL name VAL {} {} COL phone VAL tel{}", first[i], second[j], number(i, j));
      for (size_t k = 0; k < second.size(); ++k) {
        text += fmt::format("{}\tCOL name VAL {}s {} COL phone VAL tel{}\t{}\n", left, first[i], second[k],
                            number(i, k), j == k ? 1 : 0);
      }
    }
  }
  return *ParseLabelledPairs(text, "names");
}

TEST(Evaluate, BothModelsTellPlainNamesApart) {
  const absl::StatusOr<EvaluationReport> report = Evaluate(Names(), {0.5, 5}, RunContext());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->without_labels.pairs, 392u);
  EXPECT_EQ(report->without_labels.matches, 56u);
  EXPECT_GT(report->without_labels.at_threshold.f1(), 0.99);
  EXPECT_GT(report->with_labels.at_threshold.f1(), 0.99);
}

TEST(Evaluate, ThreadsChangeNothing) {
  const LabelledPairs pairs = Names();
  const auto measure = [&](int threads) {
    RunContext context;
    context.threads = threads;
    Json json = ToJson(*Evaluate(pairs, {}, context));
    for (const char* part : {"without_labels", "with_labels"}) json[part].erase("seconds");
    return json;
  };
  EXPECT_EQ(measure(1), measure(4));
}

// Lower bounds for the figures in docs/entities.md.
class Benchmarks : public ::testing::TestWithParam<std::tuple<const char*, double, double>> {};

TEST_P(Benchmarks, MatchingReachesItsFigures) {
  const auto [name, without_labels, with_labels] = GetParam();
  const char* const set = std::getenv("RHODES_SAMPLE_DATA");
  const std::string data = set != nullptr ? set : RHODES_SOURCE_DIR "/../shared/data";
  const absl::StatusOr<std::string> text = ReadFile(fmt::format("{}/dedup/{}", data, name));
  if (!text.ok()) GTEST_SKIP() << "the labelled pairs are not here";
  const absl::StatusOr<LabelledPairs> pairs = ParseLabelledPairs(*text, name);
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  const absl::StatusOr<EvaluationReport> report = Evaluate(*pairs, {}, RunContext());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GT(report->without_labels.at_threshold.f1(), without_labels);
  EXPECT_GT(report->with_labels.at_threshold.f1(), with_labels);
}

INSTANTIATE_TEST_SUITE_P(Ditto, Benchmarks,
                         ::testing::Values(std::tuple("ditto_Structured_Amazon-Google_train.txt", 0.53, 0.63),
                                           std::tuple("ditto_Structured_DBLP-ACM_valid.txt", 0.93, 0.96),
                                           std::tuple("ditto_Textual_Abt-Buy_valid.txt", 0.78, 0.79)));

}  // namespace
}  // namespace rhodes
