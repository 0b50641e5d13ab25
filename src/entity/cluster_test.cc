#include "entity/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "entity/blocking.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ClusterInput WithKeys(std::vector<std::vector<std::string>> keys) {
  ClusterInput input;
  input.keys = std::move(keys);
  input.key_names = {"vin", "plate"};
  return input;
}

TEST(Cluster, EqualKeysAreOneAcrossKeys) {
  // 0 and 1 by vin, 1 and 2 by plate: all one.
  const Clusters clusters = ClusterMentions(WithKeys({{"v1", ""}, {"v1", "p1"}, {"", "p1"}, {"", ""}}));
  EXPECT_THAT(clusters.entity, ElementsAre(0, 0, 0, 3));
  ASSERT_EQ(clusters.links.size(), 2u);
  EXPECT_EQ(clusters.links[0].reason, EntityLink::Reason::kKey);
  EXPECT_EQ(clusters.links[1].key, 1u);
}

TEST(Cluster, DifferentKeysNeverMergeWhateverElseAgrees) {
  ClusterInput input = WithKeys({{"v1", "p1"}, {"v2", "p1"}, {"", ""}});
  input.pairs = {{0, 1, 1.0}, {0, 2, 0.99}, {1, 2, 0.98}};
  input.together = {{0, 1}};
  const Clusters clusters = ClusterMentions(input);
  EXPECT_THAT(clusters.entity, ElementsAre(0, 1, 0)) << "2 goes where the score is best, and cannot hold both";
  const auto refused = std::find_if(clusters.links.begin(), clusters.links.end(), [](const EntityLink& link) {
    return link.a == 0 && link.b == 1 && link.state == EntityLink::State::kRefused;
  });
  ASSERT_NE(refused, clusters.links.end());
  EXPECT_EQ(refused->why, "vin \"v1\" is not vin \"v2\"");
}

TEST(Cluster, ChainsOfWeakLinksDoNotForm) {
  ClusterInput input = WithKeys({{"", ""}, {"", ""}, {"", ""}});
  input.pairs = {{0, 1, 0.95}, {1, 2, 0.94}};
  input.score = [](uint32_t, uint32_t) { return 0.1; };
  const Clusters clusters = ClusterMentions(input);
  EXPECT_THAT(clusters.entity, ElementsAre(0, 0, 2));
  EXPECT_THAT(clusters.links[1].why, HasSubstr("mean score"));
  input.score = [](uint32_t, uint32_t) { return 0.92; };
  EXPECT_THAT(ClusterMentions(input).entity, ElementsAre(0, 0, 0)) << "three that are alike are one";
}

TEST(Cluster, DecisionsOutrankScoresAndHold) {
  ClusterInput input = WithKeys({{"", ""}, {"", ""}, {"", ""}});
  input.pairs = {{0, 1, 0.99}, {0, 2, 0.99}, {1, 2, 0.99}};
  input.apart = {{0, 1}};
  const Clusters apart = ClusterMentions(input);
  EXPECT_NE(apart.entity[0], apart.entity[1]) << "not by way of 2 either";
  EXPECT_EQ(apart.links[0].state, EntityLink::State::kUndone);
  input.apart.clear();
  input.pairs.clear();
  input.together = {{0, 2}};
  EXPECT_THAT(ClusterMentions(input).entity, ElementsAre(0, 1, 0));
}

TEST(Cluster, AKeyLinkCanBeUndone) {
  ClusterInput input = WithKeys({{"v1", ""}, {"v1", ""}, {"v1", ""}});
  input.apart = {{0, 1}};
  EXPECT_THAT(ClusterMentions(input).entity, ElementsAre(0, 1, 0));
}

// Whatever the input, no entity has two values of a key or a pair that was taken apart.
TEST(Cluster, InvariantsHoldOnRandomInput) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const uint32_t count = 2 + random() % 20;
    ClusterInput input = WithKeys({});
    for (uint32_t i = 0; i < count; ++i) {
      const auto key = [&] { return random() % 3 == 0 ? std::string(1, static_cast<char>('a' + random() % 4)) : ""; };
      input.keys.push_back({key(), key()});
    }
    for (int i = 0; i < 40; ++i) {
      const uint32_t a = random() % count;
      const uint32_t b = random() % count;
      if (a == b) continue;
      if (i % 8 == 0) input.apart.emplace_back(a, b);
      if (i % 8 == 1) input.together.emplace_back(a, b);
      if (i % 8 > 1) input.pairs.push_back({std::min(a, b), std::max(a, b), random() % 100 / 100.0});
    }
    input.score = [](uint32_t a, uint32_t b) { return (a + b) % 2 == 0 ? 0.95 : 0.5; };
    const Clusters clusters = ClusterMentions(input);
    for (uint32_t i = 0; i < count; ++i) {
      for (uint32_t j = 0; j < i; ++j) {
        if (clusters.entity[i] != clusters.entity[j]) continue;
        for (size_t k = 0; k < 2; ++k) {
          EXPECT_TRUE(input.keys[i][k].empty() || input.keys[j][k].empty() || input.keys[i][k] == input.keys[j][k]);
        }
      }
    }
    for (const auto& [a, b] : input.apart) EXPECT_NE(clusters.entity[a], clusters.entity[b]);
    std::set<std::pair<uint32_t, uint32_t>> seen;
    for (const EntityLink& link : clusters.links) {
      EXPECT_TRUE(seen.emplace(link.a, link.b).second) << "one link a pair";
      if (link.state != EntityLink::State::kKept) continue;
      EXPECT_EQ(clusters.entity[link.a], clusters.entity[link.b]);
    }
  }
}

TEST(Blocking, FindsWhatSharesRareTermsAndIsTheSameForAnyThreads) {
  // 3000 mentions: each shares one rare term with its neighbour, and all share term 0.
  std::vector<std::vector<uint32_t>> terms;
  for (uint32_t i = 0; i < 3000; ++i) terms.push_back({0, 1 + i / 2});
  RunContext one;
  one.threads = 1;
  RunContext four;
  four.threads = 4;
  const auto pairs = *FindCandidates(terms, 1501, terms.size(), 100, 20, one);
  EXPECT_EQ(pairs.size(), 1500u) << "the term of all finds nothing";
  EXPECT_EQ(pairs[0], (std::pair<uint32_t, uint32_t>(0, 1)));
  EXPECT_EQ(pairs, *FindCandidates(terms, 1501, terms.size(), 100, 20, four));
}

TEST(Blocking, KeepsTheBestOfMany) {
  std::vector<std::vector<uint32_t>> terms(50, std::vector<uint32_t>{0});
  terms[0] = {0, 1};
  terms[49] = {0, 1};
  const auto pairs = *FindCandidates(terms, 2, terms.size(), 100, 1, RunContext());
  EXPECT_TRUE(std::find(pairs.begin(), pairs.end(), std::pair<uint32_t, uint32_t>(0, 49)) != pairs.end());
  EXPECT_LE(pairs.size(), 50u);
}

}  // namespace
}  // namespace rhodes
