// The bytes of tokens as they come, turned into text that can be shown at once.
#ifndef RHODES_INFER_TEXT_STREAM_H_
#define RHODES_INFER_TEXT_STREAM_H_

#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

// Gives out valid UTF-8 only: a character whose bytes are not all there waits for the rest, invalid bytes become
// U+FFFD. Text that may be the beginning of a stop string waits until it is decided. Not thread-safe.
class TextStream {
 public:
  // Empty stop strings are ignored. `skip_leading_space`: white space before the first visible character is dropped.
  explicit TextStream(std::vector<std::string> stops = {}, bool skip_leading_space = false);

  // Adds bytes; returns the text that is decided now (often empty). After a stop string was found everything is
  // dropped.
  std::string Push(std::string_view bytes);
  // No more bytes: returns what was waiting.
  std::string Finish();
  // A stop string was found; the text ends before it.
  bool stopped() const { return stopped_; }

 private:
  std::string Give(size_t bytes);

  std::vector<std::string> stops_;
  bool skip_space_;
  bool stopped_ = false;
  std::string pending_;
};

}  // namespace rhodes

#endif  // RHODES_INFER_TEXT_STREAM_H_
