#include "curate/exact_copies.h"

#include <algorithm>
#include <span>

namespace rhodes {

static_assert(sizeof(ExactDuplicate) == 16);

absl::Status ExactCopies::Append(const ExactDuplicate& copy) {
  return bytes_.Append(std::span(reinterpret_cast<const uint8_t*>(&copy), sizeof copy));
}

void ExactCopies::Rewind() {
  next_ = 0;
  read_.clear();
  at_ = 0;
}

absl::StatusOr<std::optional<uint64_t>> ExactCopies::KeptFor(uint64_t ordinal) {
  while (true) {
    while (at_ < read_.size() && read_[at_].ordinal < ordinal) ++at_;
    if (at_ < read_.size()) break;
    const uint64_t left = bytes_.size() / sizeof(ExactDuplicate) - next_;
    if (left == 0) return std::optional<uint64_t>();
    read_.resize(std::min<uint64_t>(left, kRead));
    at_ = 0;
    RETURN_IF_ERROR(bytes_.Read(next_ * sizeof(ExactDuplicate), std::span(reinterpret_cast<uint8_t*>(read_.data()),
                                                                          read_.size() * sizeof(ExactDuplicate))));
    next_ += read_.size();
  }
  if (read_[at_].ordinal != ordinal) return std::optional<uint64_t>();
  return std::optional<uint64_t>(read_[at_].kept_ordinal);
}

}  // namespace rhodes
