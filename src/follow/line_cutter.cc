#include "follow/line_cutter.h"

#include <utility>

namespace rhodes {

LineCutter::Cut LineCutter::Add(std::string_view bytes) {
  Cut cut;
  if (skipping_) {
    const size_t newline = bytes.find('\n');
    if (newline == std::string_view::npos) {
      skipped_end_ += bytes.size();
      return cut;
    }
    cut.skipped = Range{begin_, skipped_end_ + newline};
    begin_ = skipped_end_ + newline + 1;
    skipping_ = false;
    bytes.remove_prefix(newline + 1);
  }
  // The buffer holds no newline: only what is new is looked at.
  const size_t last = bytes.rfind('\n');
  cut.begin = begin_;
  if (last != std::string_view::npos) {
    cut.lines = std::move(buffer_);
    cut.lines.append(bytes.substr(0, last + 1));
    buffer_.clear();
    begin_ += cut.lines.size();
    bytes.remove_prefix(last + 1);
  }
  buffer_.append(bytes);
  if (buffer_.size() > limit_) {
    skipping_ = true;
    skipped_end_ = begin_ + buffer_.size();
    buffer_ = std::string();  // gives its memory back
  }
  return cut;
}

LineCutter::Range LineCutter::DropRest() {
  const Range range{begin_, end()};
  begin_ = range.end;
  buffer_.clear();
  skipping_ = false;
  return range;
}

}  // namespace rhodes
