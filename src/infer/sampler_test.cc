#include "infer/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace rhodes {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

std::vector<float> Logits(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)) + 3.0f);
  return logits;
}

std::vector<TokenId> Draws(const SamplingOptions& options, const std::vector<float>& logits, int count) {
  Sampler sampler(options);
  std::vector<TokenId> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(sampler.Next(logits));
  return tokens;
}

TEST(Sampler, SameSeed_DrawsTheSameTokens) {
  std::vector<float> logits(1000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i * 37 % 100) / 25.0f;
  SamplingOptions options;
  options.seed = 5;
  options.top_p = 0.9f;
  const std::vector<TokenId> first = Draws(options, logits, 100);
  EXPECT_EQ(Draws(options, logits, 100), first);
  options.seed = 6;
  EXPECT_NE(Draws(options, logits, 100), first);
}

TEST(Sampler, Draws_FollowTheProbabilities) {
  const std::vector<double> p = {0.5, 0.3, 0.15, 0.05};
  std::map<TokenId, int> counts;
  constexpr int kDraws = 20000;
  for (const TokenId token : Draws({}, Logits(p), kDraws)) ++counts[token];
  for (TokenId token = 0; token < 4; ++token) {
    // Five standard deviations of a binomial count.
    const double allowed = 5 * std::sqrt(kDraws * p[token] * (1 - p[token]));
    EXPECT_NEAR(counts[token], kDraws * p[token], allowed) << token;
  }
}

TEST(Sampler, Temperature0_TakesTheLikeliestAndTheLowerOfEquals) {
  SamplingOptions options;
  options.temperature = 0;
  EXPECT_THAT(Draws(options, {1, 3, 3, 2}, 5), Each(1u));
}

TEST(Sampler, TopK_TopP_MinP_LeaveOnlyTheLikely) {
  const std::vector<float> logits = Logits({0.05, 0.5, 0.15, 0.3});
  SamplingOptions options;
  options.top_k = 2;
  EXPECT_THAT(Draws(options, logits, 200), Each(testing::AnyOf(1u, 3u)));
  options = {};
  options.top_p = 0.79f;  // 0.5 + 0.3 reach it
  const std::vector<TokenId> nucleus = Draws(options, logits, 200);
  EXPECT_THAT(nucleus, Each(testing::AnyOf(1u, 3u)));
  EXPECT_THAT(nucleus, testing::Contains(3u));
  options.top_p = 0.81f;  // 0.15 is needed too
  EXPECT_THAT(Draws(options, logits, 200), testing::Contains(2u));
  options = {};
  options.min_p = 0.25f;  // of 0.5
  const std::vector<TokenId> likely = Draws(options, logits, 500);
  EXPECT_THAT(likely, Each(testing::AnyOf(1u, 2u, 3u)));
  EXPECT_THAT(likely, testing::Contains(2u));
  options.top_p = 1e-6f;
  EXPECT_THAT(Draws(options, logits, 20), Each(1u));
}

TEST(Sampler, RepetitionPenalty_CountsThePromptAndWhatWasDrawn) {
  SamplingOptions options;
  options.temperature = 0;
  options.repetition_penalty = 2;
  Sampler sampler(options);
  const std::vector<TokenId> prompt = {1};
  sampler.SeePrompt(prompt);
  const std::vector<float> logits = {1.9f, 3.0f, 1.6f, -1.0f};
  EXPECT_EQ(sampler.Next(logits), 0u);  // 3.0 became 1.5
  EXPECT_EQ(sampler.Next(logits), 2u);  // 1.9 became 0.95
}

TEST(Sampler, PresenceAndFrequency_CountOnlyWhatWasDrawn) {
  SamplingOptions options;
  options.temperature = 0;
  options.frequency_penalty = 0.4f;
  EXPECT_EQ(Draws(options, {1.0f, 0.5f}, 4), (std::vector<TokenId>{0, 0, 1, 0}));
  options.frequency_penalty = 0;
  options.presence_penalty = 0.6f;
  EXPECT_EQ(Draws(options, {1.0f, 0.5f}, 4), (std::vector<TokenId>{0, 1, 0, 0}));
}

TEST(Sampler, Validate_NamesTheSetting) {
  SamplingOptions options;
  options.temperature = -1;
  EXPECT_THAT(Message(options.Validate()), HasSubstr("temperature is -1, not between 0 and 100"));
  options = {};
  options.top_p = std::nanf("");
  EXPECT_THAT(Message(options.Validate()), HasSubstr("top_p is nan"));
  options.top_p = 0;
  EXPECT_THAT(Message(options.Validate()), HasSubstr("top_p is 0, which leaves no token"));
  EXPECT_TRUE(SamplingOptions().Validate().ok());
}

TEST(LogProbability, IsThatOfTheSoftmax) {
  const std::vector<float> logits = Logits({0.5, 0.3, 0.2});
  EXPECT_NEAR(LogProbability(logits, 1), std::log(0.3), 1e-6);
  const std::vector<TokenChance> top = LikeliestTokens(logits, 2);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].token, 0u);
  EXPECT_EQ(top[1].token, 1u);
  EXPECT_NEAR(top[1].logprob, std::log(0.3), 1e-6);
  EXPECT_EQ(LikeliestTokens(logits, 9).size(), 3u);
}

}  // namespace
}  // namespace rhodes
