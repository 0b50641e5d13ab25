// One long text encoded by several threads, a segment at a time.
#ifndef RHODES_TOKEN_SEGMENT_ENCODER_H_
#define RHODES_TOKEN_SEGMENT_ENCODER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "token/tokenizer.h"

namespace rhodes {

// Room for `more` ids in `out`, and, when there is none, for those of the rest of a text too, if that has as many a
// byte: `done` of its `size` bytes are those behind `before` and these.
void MakeRoomForIds(std::vector<TokenId>& out, size_t before, size_t more, size_t done, size_t size);

class SegmentEncoder {
 public:
  // Bytes of a segment, about: its ids stay in the second-level cache until they are copied to their place.
  static constexpr size_t kBytes = size_t{1} << 17;

  // `size_of`: of the next segment of a text that is not empty. `encode`: appends a segment's ids; called by several
  // threads at a time.
  SegmentEncoder(std::function<size_t(std::string_view)> size_of,
                 std::function<void(std::string_view, std::vector<TokenId>&)> encode)
      : size_of_(std::move(size_of)), encode_(std::move(encode)) {}

  // Appends the ids of all segments of `text`, in order. Once.
  void Run(std::string_view text, int threads, std::vector<TokenId>& out);

 private:
  struct Segment {
    size_t number = 0;
    size_t bytes = 0;
    std::vector<TokenId> ids;
  };

  void Work();
  void Append(const Segment& segment);

  const std::function<size_t(std::string_view)> size_of_;
  const std::function<void(std::string_view, std::vector<TokenId>&)> encode_;
  std::mutex mutex_;  // of all below, but for what `out_` holds: that is of the thread that is appending
  std::string_view rest_;
  size_t taken_ = 0;
  size_t appended_ = 0;
  bool appending_ = false;
  std::map<size_t, Segment> waiting_;        // for segments before them
  std::vector<std::vector<TokenId>> spare_;  // memory for the next ones
  std::vector<TokenId>* out_ = nullptr;
  size_t before_ = 0;
  size_t size_ = 0;
  size_t done_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_SEGMENT_ENCODER_H_
