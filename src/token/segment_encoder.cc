#include "token/segment_encoder.h"

#include <utility>

#include "base/huge_pages.h"
#include "base/parallel.h"

namespace rhodes {

void MakeRoomForIds(std::vector<TokenId>& out, size_t before, size_t more, size_t done, size_t size) {
  if (out.size() + more <= out.capacity() || done < SegmentEncoder::kBytes) return;
  // A quarter more than it seems: what is not written to takes no memory, and moving all ids takes time.
  const double a_byte = static_cast<double>(out.size() + more - before) / static_cast<double>(done);
  ReserveMore(out, more + static_cast<size_t>(1.25 * a_byte * static_cast<double>(size - done)));
}

void SegmentEncoder::Run(std::string_view text, int threads, std::vector<TokenId>& out) {
  rest_ = text;
  size_ = text.size();
  out_ = &out;
  before_ = out.size();
  const auto body = [this](size_t) {
    Work();
    return absl::OkStatus();
  };
  ParallelFor(threads, static_cast<size_t>(threads), body).IgnoreError();  // it has none
}

// Whoever ends a segment that is next in order appends it while it is in its cache, and those that waited for it; a
// thread for that alone would fetch all from the others' caches (1.5 times one thread's rate on two cores, not 1.8).
void SegmentEncoder::Work() {
  std::unique_lock lock(mutex_);
  while (!rest_.empty()) {
    const std::string_view text = rest_.substr(0, size_of_(rest_));
    rest_.remove_prefix(text.size());
    Segment segment{taken_++, text.size(), {}};
    if (!spare_.empty()) {
      segment.ids = std::move(spare_.back());
      spare_.pop_back();
      segment.ids.clear();
    }
    lock.unlock();
    encode_(text, segment.ids);
    lock.lock();
    waiting_.emplace(segment.number, std::move(segment));
    if (appending_) continue;
    appending_ = true;
    for (auto next = waiting_.find(appended_); next != waiting_.end(); next = waiting_.find(appended_)) {
      Segment found = std::move(next->second);
      waiting_.erase(next);
      lock.unlock();
      Append(found);
      lock.lock();
      spare_.push_back(std::move(found.ids));
      ++appended_;
    }
    appending_ = false;
  }
}

void SegmentEncoder::Append(const Segment& segment) {
  done_ += segment.bytes;
  MakeRoomForIds(*out_, before_, segment.ids.size(), done_, size_);
  out_->insert(out_->end(), segment.ids.begin(), segment.ids.end());
}

}  // namespace rhodes
