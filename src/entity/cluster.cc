#include "entity/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace rhodes {
namespace {

constexpr size_t kHeads = 8;    // mentions of one key value that may not join, and gather others each
constexpr size_t kLooked = 20;  // atoms of a large entity that are compared
constexpr size_t kOfAtom = 4;   // mentions of an atom that are compared

uint64_t PairKey(uint32_t a, uint32_t b) { return (uint64_t{std::min(a, b)} << 32) | std::max(a, b); }

// `all`, or `count` of them at equal distances.
std::vector<uint32_t> Spread(const std::vector<uint32_t>& all, size_t count) {
  if (all.size() <= count) return all;
  std::vector<uint32_t> some;
  for (size_t i = 0; i < count; ++i) some.push_back(all[i * all.size() / count]);
  return some;
}

class Clusterer {
 public:
  explicit Clusterer(const ClusterInput& input) : input_(input), entities_(input.keys.size()) {
    root_.resize(input.keys.size());
    std::iota(root_.begin(), root_.end(), 0);
    for (uint32_t i = 0; i < root_.size(); ++i) {
      entities_[i].keys = input.keys[i];
      entities_[i].members = {i};
    }
    for (uint32_t i = 0; i < input.apart.size(); ++i) {
      const auto [a, b] = input.apart[i];
      apart_.insert(PairKey(a, b));
      entities_[a].apart.push_back(i);
      entities_[b].apart.push_back(i);
    }
  }

  Clusters Run() {
    LinkByKeys();
    for (const auto& [a, b] : input_.together) Link(a, b, EntityLink::Reason::kUser, 0, 0);
    FormAtoms();
    LinkByScores();
    Clusters clusters;
    clusters.links = std::move(links_);
    std::vector<uint32_t> lowest(root_.size(), UINT32_MAX);
    for (uint32_t i = 0; i < root_.size(); ++i) lowest[Find(i)] = std::min(lowest[Find(i)], i);
    for (uint32_t i = 0; i < root_.size(); ++i) clusters.entity.push_back(lowest[Find(i)]);
    return clusters;
  }

 private:
  struct Entity {
    std::vector<std::string> keys;  // one value of each at most
    std::vector<uint32_t> members;
    std::vector<uint32_t> atoms;  // roots when the scored links began
    std::vector<uint32_t> apart;  // in input_.apart
  };

  uint32_t Find(uint32_t i) {
    while (root_[i] != i) i = root_[i] = root_[root_[i]];
    return i;
  }

  // Why two entities may not be one; empty: they may.
  std::string Objection(uint32_t a, uint32_t b) {
    const Entity& left = entities_[a];
    const Entity& right = entities_[b];
    for (size_t k = 0; k < left.keys.size(); ++k) {
      if (!left.keys[k].empty() && !right.keys[k].empty() && left.keys[k] != right.keys[k]) {
        return fmt::format("{} \"{}\" is not {} \"{}\"", input_.key_names[k], left.keys[k], input_.key_names[k],
                           right.keys[k]);
      }
    }
    const Entity& fewer = left.apart.size() < right.apart.size() ? left : right;
    for (const uint32_t i : fewer.apart) {
      const uint32_t x = Find(input_.apart[i].first);
      const uint32_t y = Find(input_.apart[i].second);
      if ((x == a && y == b) || (x == b && y == a)) return "it was decided that two of the mentions are not one";
    }
    return "";
  }

  void Join(uint32_t a, uint32_t b) {
    if (entities_[a].members.size() < entities_[b].members.size()) std::swap(a, b);
    Entity& into = entities_[a];
    Entity& from = entities_[b];
    for (size_t k = 0; k < into.keys.size(); ++k) {
      if (into.keys[k].empty()) into.keys[k] = std::move(from.keys[k]);
    }
    into.members.insert(into.members.end(), from.members.begin(), from.members.end());
    into.atoms.insert(into.atoms.end(), from.atoms.begin(), from.atoms.end());
    into.apart.insert(into.apart.end(), from.apart.begin(), from.apart.end());
    from = Entity();
    root_[b] = a;
  }

  // True when the two are one entity after it.
  bool Link(uint32_t a, uint32_t b, EntityLink::Reason reason, uint32_t key, double score) {
    EntityLink link{std::min(a, b), std::max(a, b), reason, EntityLink::State::kKept, key, score, ""};
    const uint32_t left = Find(a);
    const uint32_t right = Find(b);
    if (apart_.contains(PairKey(a, b))) {
      link.state = EntityLink::State::kUndone;
    } else if (left != right) {
      link.why = Objection(left, right);
      if (link.why.empty() && reason == EntityLink::Reason::kScore) link.why = TooUnlike(left, right);
      if (!link.why.empty()) {
        link.state = EntityLink::State::kRefused;
      } else {
        Join(left, right);
      }
    }
    const bool kept = link.state == EntityLink::State::kKept;
    // Two keys of the same pair are one link, by the stronger key.
    if (linked_.insert(PairKey(a, b)).second) links_.push_back(std::move(link));
    return kept;
  }

  void LinkByKeys() {
    const size_t key_count = input_.keys.empty() ? 0 : input_.keys[0].size();
    for (uint32_t k = 0; k < key_count; ++k) {
      std::map<std::string_view, std::vector<uint32_t>> by_value;
      for (uint32_t i = 0; i < input_.keys.size(); ++i) {
        if (!input_.keys[i][k].empty()) by_value[input_.keys[i][k]].push_back(i);
      }
      for (const auto& [value, mentions] : by_value) LinkGroup(k, mentions);
    }
  }

  void LinkGroup(uint32_t key, const std::vector<uint32_t>& mentions) {
    std::vector<uint32_t> heads;
    for (const uint32_t mention : mentions) {
      bool joined = false;
      for (const uint32_t head : heads) {
        joined = Link(head, mention, EntityLink::Reason::kKey, key, 0);
        if (joined) break;
      }
      if (!joined && heads.size() < kHeads) heads.push_back(mention);
    }
  }

  void FormAtoms() {
    for (uint32_t i = 0; i < root_.size(); ++i) {
      Entity& entity = entities_[i];
      if (root_[i] != i) continue;
      std::sort(entity.members.begin(), entity.members.end());
      entity.atoms = {static_cast<uint32_t>(atoms_.size())};
      atoms_.push_back(entity.members);
    }
  }

  void LinkByScores() {
    std::vector<ScoredPair> pairs;
    for (const ScoredPair& pair : input_.pairs) {
      scores_[PairKey(pair.a, pair.b)] = pair.score;
      if (pair.score >= input_.threshold) pairs.push_back(pair);
    }
    std::sort(pairs.begin(), pairs.end(), [](const ScoredPair& x, const ScoredPair& y) {
      return std::make_tuple(-x.score, x.a, x.b) < std::make_tuple(-y.score, y.a, y.b);
    });
    for (const ScoredPair& pair : pairs) Link(pair.a, pair.b, EntityLink::Reason::kScore, 0, pair.score);
  }

  double ScoreOf(uint32_t a, uint32_t b) {
    const auto [it, added] = scores_.try_emplace(PairKey(a, b), 0);
    if (added) it->second = input_.score ? input_.score(a, b) : 0;
    return it->second;
  }

  double ScoreOfAtoms(uint32_t a, uint32_t b) {
    double best = 0;
    for (const uint32_t left : Spread(atoms_[a], kOfAtom)) {
      for (const uint32_t right : Spread(atoms_[b], kOfAtom)) best = std::max(best, ScoreOf(left, right));
    }
    return best;
  }

  std::string TooUnlike(uint32_t a, uint32_t b) {
    const Entity& left = entities_[a];
    const Entity& right = entities_[b];
    if (left.atoms.size() == 1 && right.atoms.size() == 1) return "";  // the pair at hand is all there is
    double sum = 0;
    size_t count = 0;
    for (const uint32_t x : Spread(left.atoms, kLooked)) {
      for (const uint32_t y : Spread(right.atoms, kLooked)) {
        sum += ScoreOfAtoms(x, y);
        ++count;
      }
    }
    const double mean = sum / static_cast<double>(count);
    if (mean >= input_.threshold) return "";
    return fmt::format("the mean score between the two entities is {:.4f}", mean);
  }

  const ClusterInput& input_;
  std::vector<uint32_t> root_;
  std::vector<Entity> entities_;
  std::vector<std::vector<uint32_t>> atoms_;
  absl::flat_hash_set<uint64_t> apart_;
  absl::flat_hash_set<uint64_t> linked_;
  absl::flat_hash_map<uint64_t, double> scores_;
  std::vector<EntityLink> links_;
};

}  // namespace

std::string_view NameOf(EntityLink::Reason reason) {
  switch (reason) {
    case EntityLink::Reason::kKey:
      return "key";
    case EntityLink::Reason::kUser:
      return "user";
    case EntityLink::Reason::kScore:
      return "score";
  }
  return "";
}

std::string_view NameOf(EntityLink::State state) {
  switch (state) {
    case EntityLink::State::kKept:
      return "kept";
    case EntityLink::State::kUndone:
      return "undone";
    case EntityLink::State::kRefused:
      return "refused";
  }
  return "";
}

Clusters ClusterMentions(const ClusterInput& input) { return Clusterer(input).Run(); }

}  // namespace rhodes
