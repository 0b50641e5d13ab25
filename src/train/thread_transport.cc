#include "train/thread_transport.h"

#include <algorithm>

namespace rhodes {

class ThreadHub::End final : public Transport {
 public:
  End(std::shared_ptr<ThreadHub> hub, int rank) : hub_(std::move(hub)), rank_(rank) {}
  ~End() override { hub_->Leave(rank_); }
  int rank() const override { return rank_; }
  int size() const override { return hub_->size_; }
  absl::StatusOr<Request> Send(std::span<const std::byte> bytes, int to, int tag) override {
    return hub_->Post({rank_, to, tag}, {0, bytes, {}, rank_}, true);
  }
  absl::StatusOr<Request> Receive(std::span<std::byte> bytes, int from, int tag) override {
    return hub_->Post({from, rank_, tag}, {0, {}, bytes, rank_}, false);
  }
  absl::StatusOr<bool> Test(Request request) override { return hub_->TakeDone(request); }
  void Abandon() override { hub_->Leave(rank_); }

 private:
  std::shared_ptr<ThreadHub> hub_;
  int rank_;
};

std::unique_ptr<Transport> ThreadHub::Connect(int rank) { return std::make_unique<End>(shared_from_this(), rank); }

void ThreadHub::Silence(int rank) {
  const std::lock_guard lock(mutex_);
  silent_.insert(rank);
}

absl::StatusOr<Transport::Request> ThreadHub::Post(const Way& way, const Message& given, bool is_send) {
  const std::lock_guard lock(mutex_);
  Message message = given;
  message.request = next_++;
  if (silent_.contains(std::get<0>(way)) || silent_.contains(std::get<1>(way))) return message.request;
  std::deque<Message>& partners = is_send ? receives_[way] : sends_[way];
  if (partners.empty()) {
    (is_send ? sends_ : receives_)[way].push_back(message);
    return message.request;
  }
  const Message& partner = partners.front();
  const std::span<const std::byte> from = is_send ? message.from : partner.from;
  const std::span<std::byte> to = is_send ? partner.to : message.to;
  if (from.size() != to.size()) {
    return absl::InternalError(fmt::format("a message of {} bytes where {} were expected", from.size(), to.size()));
  }
  std::ranges::copy(from, to.begin());
  done_.insert(message.request);
  done_.insert(partner.request);
  partners.pop_front();
  return message.request;
}

bool ThreadHub::TakeDone(Transport::Request request) {
  const std::lock_guard lock(mutex_);
  return done_.erase(request) > 0;
}

void ThreadHub::Leave(int rank) {
  const std::lock_guard lock(mutex_);
  for (auto* posted : {&sends_, &receives_}) {
    for (auto& [way, messages] : *posted) {
      std::erase_if(messages, [&](const Message& message) { return message.poster == rank; });
    }
  }
}

}  // namespace rhodes
