// Mentions into entities: by declared keys, by what people decided, by scores. No chain of weak links, and never two
// values of one key in one entity.
#ifndef RHODES_ENTITY_CLUSTER_H_
#define RHODES_ENTITY_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace rhodes {

struct ScoredPair {
  uint32_t a = 0;
  uint32_t b = 0;
  double score = 0;
};

struct ClusterInput {
  std::vector<std::string> key_names;
  std::vector<std::vector<std::string>> keys;  // [mention][key], the strongest key first; empty: the mention has none
  std::vector<std::pair<uint32_t, uint32_t>> together;  // decided by people, in their order
  std::vector<std::pair<uint32_t, uint32_t>> apart;
  std::vector<ScoredPair> pairs;  // candidates; in any order
  double threshold = 0.9;
  std::function<double(uint32_t, uint32_t)> score;  // of a pair that is no candidate
};

struct EntityLink {
  enum class Reason { kKey, kUser, kScore };
  enum class State {
    kKept,
    kUndone,  // people decided that the two are not one
    kRefused  // a key says otherwise, or the entities as a whole are too unlike
  };
  uint32_t a = 0;  // a < b
  uint32_t b = 0;
  Reason reason = Reason::kKey;
  State state = State::kKept;
  uint32_t key = 0;  // of kKey
  double score = 0;  // of kScore
  std::string why;   // of kRefused
};
std::string_view NameOf(EntityLink::Reason reason);  // "key", "user", "score"
std::string_view NameOf(EntityLink::State state);    // "kept", "undone", "refused"

struct Clusters {
  std::vector<uint32_t> entity;   // of each mention: the lowest mention of its entity
  std::vector<EntityLink> links;  // in the order they were looked at; one a pair
};

// First the keys, the strongest first: mentions with an equal value are linked to the first one that may be. Then
// `together`. Then the pairs with a score of at least the threshold, the best first: their entities join when the mean
// over all pairs between them reaches the threshold as well (average linkage; mentions that a key holds together count
// as one, by the best of their scores; of large entities 20 on each side are looked at). A link never joins entities
// that have different values of a key or hold a pair of `apart`. Deterministic: ties go by number.
Clusters ClusterMentions(const ClusterInput& input);

}  // namespace rhodes

#endif  // RHODES_ENTITY_CLUSTER_H_
