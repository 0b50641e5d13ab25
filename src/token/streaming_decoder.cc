#include "token/streaming_decoder.h"

#include <utility>

#include "base/text.h"

namespace rhodes {
std::string StreamingDecoder::Push(TokenId id) {
  std::string_view bytes = tokenizer_.TokenBytes(id);
  if (bytes.empty()) return "";
  if (strip_space_ && bytes[0] == ' ') bytes.remove_prefix(1);
  strip_space_ = false;
  waiting_ += bytes;
  const size_t certain = waiting_.size() - UnfinishedUtf8(waiting_);
  std::string ready = waiting_.substr(0, certain);
  waiting_.erase(0, certain);
  return ready;
}

std::string StreamingDecoder::Finish() {
  strip_space_ = tokenizer_.strips_first_space();
  return std::exchange(waiting_, std::string());
}

}  // namespace rhodes
