// Places in a word by the rank of the merge that can be made there.
#ifndef RHODES_TOKEN_RANK_QUEUE_H_
#define RHODES_TOKEN_RANK_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rhodes {

// Gives back places by rank, those of one rank from left to right. A list for each rank, and a heap of the ranks alone:
// as the ranks are those of a vocabulary, the cost is linear in the places. (A heap of places took 2.5 times as long
// for a word of a million letters, and more the longer it was.) Not thread-safe.
class RankQueue {
 public:
  // Empties it. Ranks are below `ranks_end`. Places may be pushed any number of times.
  void Begin(uint32_t ranks_end);
  void Push(uint32_t rank, uint32_t place);
  // The lowest rank that has places; false when there is none. PopPlace() then gives them.
  bool PopRank(uint32_t& rank);
  // The next place of that rank; false when there are no more, or a lower rank has come in: then PopRank() gives that
  // one, and the rest later.
  bool PopPlace(uint32_t& place);

 private:
  static constexpr uint32_t kNone = 0xFFFFFFFF;
  struct Item {
    uint32_t place;
    uint32_t before;  // the item of this rank that was pushed before it
  };

  std::vector<uint32_t> last_;   // by rank: its last item
  std::vector<uint32_t> ranks_;  // a heap, the lowest first
  std::vector<Item> items_;
  // Of the rank that is being given back.
  uint32_t rank_ = 0;
  std::vector<uint32_t> places_;
  size_t next_ = 0;
  std::vector<uint32_t> scratch_;
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_RANK_QUEUE_H_
