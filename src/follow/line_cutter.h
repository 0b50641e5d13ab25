// What comes in pieces of any size, as whole lines.
#ifndef RHODES_FOLLOW_LINE_CUTTER_H_
#define RHODES_FOLLOW_LINE_CUTTER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rhodes {

// Holds at most one unfinished line, and of a line longer than `limit` nothing: it is skipped up to its end and told by
// its place. Every byte added comes out once: in a line, in a skipped range, or as the rest. Not thread-safe.
class LineCutter {
 public:
  // Positions count from `begin`.
  LineCutter(uint64_t limit, uint64_t begin) : limit_(limit), begin_(begin) {}

  struct Range {
    uint64_t begin = 0;
    uint64_t end = 0;
  };
  struct Cut {
    std::string lines;             // whole ones, each with its newline
    uint64_t begin = 0;            // of `lines`
    std::optional<Range> skipped;  // a line that was too long and has ended; it lies before `lines`
  };
  // What `bytes` completes.
  Cut Add(std::string_view bytes);

  // The line that has begun and not ended; empty while one is skipped.
  std::string_view rest() const { return buffer_; }
  uint64_t rest_begin() const { return begin_; }
  bool skipping() const { return skipping_; }
  // The end of all that was added.
  uint64_t end() const { return skipping_ ? skipped_end_ : begin_ + buffer_.size(); }

  // Forgets the unfinished line, skipped or not, and returns its range (empty when there is none).
  Range DropRest();

 private:
  uint64_t limit_;
  uint64_t begin_;  // of buffer_, or of the line that is skipped
  std::string buffer_;
  bool skipping_ = false;
  uint64_t skipped_end_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_LINE_CUTTER_H_
