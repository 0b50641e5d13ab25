#include "token/streaming_decoder.h"

#include <algorithm>
#include <utility>

namespace rhodes {
namespace {

// Whether `bytes` can be the beginning of a character that is longer.
bool BeginsCharacter(std::string_view bytes) {
  const auto first = static_cast<uint8_t>(bytes[0]);
  if (first < 0xC2 || first > 0xF4) return false;
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (bytes.size() >= length) return false;
  for (size_t i = 1; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    // No overlong forms, no surrogates, nothing beyond U+10FFFF.
    const uint8_t low = i > 1 ? 0x80 : first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = i > 1 ? 0xBF : first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (byte < low || byte > high) return false;
  }
  return true;
}

}  // namespace

std::string StreamingDecoder::Push(TokenId id) {
  std::string_view bytes = tokenizer_.TokenBytes(id);
  if (bytes.empty()) return "";
  if (strip_space_ && bytes[0] == ' ') bytes.remove_prefix(1);
  strip_space_ = false;
  waiting_ += bytes;
  size_t certain = waiting_.size();
  for (size_t back = 1; back <= std::min<size_t>(3, waiting_.size()); ++back) {
    if (BeginsCharacter(std::string_view(waiting_).substr(waiting_.size() - back))) certain = waiting_.size() - back;
  }
  std::string ready = waiting_.substr(0, certain);
  waiting_.erase(0, certain);
  return ready;
}

std::string StreamingDecoder::Finish() {
  strip_space_ = tokenizer_.strips_first_space();
  return std::exchange(waiting_, std::string());
}

}  // namespace rhodes
