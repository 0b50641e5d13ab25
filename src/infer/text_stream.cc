#include "infer/text_stream.h"

#include <algorithm>

#include "base/text.h"

namespace rhodes {
namespace {

// Bytes at the end of `text` that may be the beginning of `stop`.
size_t BegunStop(std::string_view text, std::string_view stop) {
  for (size_t size = std::min(text.size(), stop.size() - 1); size > 0; --size) {
    if (text.substr(text.size() - size) == stop.substr(0, size)) return size;
  }
  return 0;
}

}  // namespace

TextStream::TextStream(std::vector<std::string> stops, bool skip_leading_space)
    : stops_(std::move(stops)), skip_space_(skip_leading_space) {
  std::erase(stops_, "");
}

std::string TextStream::Push(std::string_view bytes) {
  if (stopped_) return "";
  pending_ += bytes;
  size_t found = std::string::npos;
  size_t begun = 0;
  for (const std::string& stop : stops_) {
    found = std::min(found, pending_.find(stop));
    begun = std::max(begun, BegunStop(pending_, stop));
  }
  if (found != std::string::npos) {
    stopped_ = true;
    pending_.resize(found);
    return Give(found);
  }
  const size_t decided = pending_.size() - begun;
  return Give(decided - UnfinishedUtf8(std::string_view(pending_).substr(0, decided)));
}

std::string TextStream::Finish() { return Give(pending_.size()); }

std::string TextStream::Give(size_t bytes) {
  std::string text = ReplaceInvalidUtf8(std::string_view(pending_).substr(0, bytes));
  pending_.erase(0, bytes);
  if (skip_space_) {
    text.erase(0, std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    skip_space_ = text.empty();
  }
  return text;
}

}  // namespace rhodes
