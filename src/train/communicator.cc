#include "train/communicator.h"

#include <algorithm>
#include <chrono>

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
double Since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

enum Tag { kReduce = 1, kGather, kControl, kLife };

// Floats that are received, or sent, at once in a reduction: large enough that a message's cost does not matter (MPI
// between processes of one machine needs some microseconds), small enough that what arrives is still in a cache when it
// is summed.
constexpr int64_t kMostChunk = int64_t{1} << 18;
constexpr int64_t kLeastChunk = int64_t{1} << 14;
constexpr int kSlots = 8;
// Chunks on their way to others that are looked at each time: they end about in the order in which they began. Those
// that arrive are all looked at, as others may wait for their room.
constexpr size_t kTested = 16;
constexpr size_t kMostMessage = size_t{1} << 28;  // bytes
constexpr auto kPoll = std::chrono::microseconds(100);
constexpr int kEagerPolls = 400;    // before a waiting rank sleeps between polls
constexpr double kLongestTick = 1;  // seconds; what is more was this process's own sleep

// Of a message in a reduction, so that a rank's room for what the others send does not grow with them.
int64_t ChunkSize(int ranks) { return ranks < 2 ? 0 : std::max(kLeastChunk, kMostChunk / (ranks - 1)); }

}  // namespace

uint64_t Communicator::MemoryBytes(int ranks) {
  return static_cast<uint64_t>(kSlots * (ranks - 1) * ChunkSize(ranks)) * sizeof(float);
}

Communicator::Communicator() : rank_(0), size_(1), silence_seconds_(0), chunk_size_(0) {}

Communicator::Communicator(std::unique_ptr<Transport> transport, double silence_seconds)
    : transport_(std::move(transport)),
      rank_(transport_->rank()),
      size_(transport_->size()),
      silence_seconds_(silence_seconds),
      chunk_size_(ChunkSize(size_)) {
  if (size_ < 2) return;
  for (int i = 0; i < kSlots; ++i) {
    slots_.emplace_back((size_ - 1) * chunk_size_);
    free_slots_.push_back(i);
  }
  pulse_ = std::thread([this] { Pulse(); });
}

Communicator::~Communicator() {
  if (!pulse_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_, inbox_mutex_);
    stopping_ = true;
  }
  inbox_filled_.notify_all();
  pulse_.join();
}

template <typename Byte, typename Ask>
absl::Status Communicator::Post(std::span<Byte> bytes, std::vector<Transport::Request>& requests, const Ask& ask) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(failed_);
  for (size_t at = 0; at < bytes.size(); at += kMostMessage) {
    const absl::StatusOr<Transport::Request> request =
        ask(bytes.subspan(at, std::min(kMostMessage, bytes.size() - at)));
    if (!request.ok()) return Fail(request.status());
    requests.push_back(*request);
  }
  return absl::OkStatus();
}

absl::Status Communicator::SendTo(std::span<const std::byte> bytes, int to, int tag,
                                  std::vector<Transport::Request>& requests) {
  return Post(bytes, requests, [&](std::span<const std::byte> message) { return transport_->Send(message, to, tag); });
}

absl::Status Communicator::ReceiveFrom(std::span<std::byte> bytes, int from, int tag,
                                       std::vector<Transport::Request>& requests) {
  return Post(bytes, requests, [&](std::span<std::byte> message) { return transport_->Receive(message, from, tag); });
}

absl::Status Communicator::Fail(absl::Status status) {
  if (failed_.ok()) {
    failed_ = std::move(status);
    transport_->Abandon();  // the memory that messages go to will be gone
  }
  return failed_;
}

void Communicator::GiveUp(absl::Status status) {
  if (size_ == 1) return;
  const std::lock_guard lock(mutex_);
  (void)Fail(std::move(status));
}

// Takes out of `requests` what is done; true when none is left.
absl::StatusOr<bool> Communicator::TestAll(std::vector<Transport::Request>& requests) {
  for (size_t i = 0; i < requests.size();) {
    const absl::StatusOr<bool> done = transport_->Test(requests[i]);
    if (!done.ok()) return Fail(done.status());
    if (*done) {
      requests[i] = requests.back();
      requests.pop_back();
    } else {
      ++i;
    }
  }
  return requests.empty();
}

absl::Status Communicator::WaitFor(std::vector<Transport::Request> requests) {
  const Clock::time_point begin = Clock::now();
  for (int polls = 0;; ++polls) {
    {
      const std::lock_guard lock(mutex_);
      RETURN_IF_ERROR(failed_);
      ASSIGN_OR_RETURN(const bool done, TestAll(requests));
      if (done) break;
    }
    if (polls < kEagerPolls) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(kPoll / 2);
    }
  }
  waited_seconds_ += Since(begin);
  return absl::OkStatus();
}

absl::Status Communicator::Sum(std::span<double> values) {
  if (size_ == 1) return absl::OkStatus();
  const std::span<std::byte> bytes = std::as_writable_bytes(values);
  if (root()) {
    std::vector<double> parts(values.size() * static_cast<size_t>(size_ - 1));
    std::vector<Transport::Request> requests;
    for (int rank = 1; rank < size_; ++rank) {
      const std::span<double> part =
          std::span(parts).subspan(static_cast<size_t>(rank - 1) * values.size(), values.size());
      RETURN_IF_ERROR(ReceiveFrom(std::as_writable_bytes(part), rank, kControl, requests));
    }
    RETURN_IF_ERROR(WaitFor(std::move(requests)));
    for (size_t i = 0; i < parts.size(); ++i) values[i % values.size()] += parts[i];
  } else {
    std::vector<Transport::Request> requests;
    RETURN_IF_ERROR(SendTo(bytes, 0, kControl, requests));
    RETURN_IF_ERROR(WaitFor(std::move(requests)));
  }
  return Broadcast(bytes);
}

absl::Status Communicator::Barrier() {
  double nothing = 0;
  return Sum({&nothing, 1});
}

absl::StatusOr<bool> Communicator::Any(bool value) {
  double count = value ? 1 : 0;
  RETURN_IF_ERROR(Sum({&count, 1}));
  return count > 0;
}

// Down a binomial tree: rank r receives from r without its lowest bit, and sends to those that differ in a lower one.
absl::Status Communicator::Broadcast(std::span<std::byte> bytes) {
  if (size_ == 1 || bytes.empty()) return absl::OkStatus();
  int bit = 1;
  while (bit < size_ && (rank_ & bit) == 0) bit <<= 1;
  if (!root()) {
    std::vector<Transport::Request> requests;
    RETURN_IF_ERROR(ReceiveFrom(bytes, rank_ & ~bit, kControl, requests));
    RETURN_IF_ERROR(WaitFor(std::move(requests)));
  }
  std::vector<Transport::Request> requests;
  for (bit >>= 1; bit > 0; bit >>= 1) {
    if (rank_ + bit < size_) RETURN_IF_ERROR(SendTo(bytes, rank_ + bit, kControl, requests));
  }
  return WaitFor(std::move(requests));
}

absl::StatusOr<std::string> Communicator::Broadcast(std::string text) {
  ASSIGN_OR_RETURN(const uint64_t length, BroadcastValue(uint64_t{text.size()}));
  text.resize(length);
  RETURN_IF_ERROR(Broadcast(std::as_writable_bytes(std::span(text.data(), text.size()))));
  return text;
}

absl::Status Communicator::Move(int sender, std::span<const float> from, int receiver, std::span<float> to) {
  std::vector<Transport::Request> requests;
  if (sender == receiver) {
    if (sender == rank_) std::copy(from.begin(), from.end(), to.begin());
  } else if (sender == rank_) {
    RETURN_IF_ERROR(SendTo(std::as_bytes(from), receiver, kControl, requests));
  } else if (receiver == rank_) {
    RETURN_IF_ERROR(ReceiveFrom(std::as_writable_bytes(to), sender, kControl, requests));
  }
  return WaitFor(std::move(requests));
}

absl::Status Communicator::AllGather(float* array, std::span<const Share> shares) {
  if (size_ == 1) return absl::OkStatus();
  std::vector<Transport::Request> requests;
  for (const Share& share : shares) {
    const std::span<float> values(array + share.begin, static_cast<size_t>(share.size()));
    if (share.owner != rank_) {
      RETURN_IF_ERROR(ReceiveFrom(std::as_writable_bytes(values), share.owner, kGather, requests));
      continue;
    }
    for (int i = 1; i < size_; ++i) {  // each begins with another, so that not all send to one
      RETURN_IF_ERROR(SendTo(std::as_bytes(values), (rank_ + i) % size_, kGather, requests));
    }
  }
  return WaitFor(std::move(requests));
}

void Communicator::StartReduce(float* array, std::span<const Share> shares) {
  if (size_ == 1) return;
  {
    const std::lock_guard lock(inbox_mutex_);
    for (const Share& share : shares) {
      for (int64_t begin = share.begin; begin < share.end; begin += chunk_size_) {
        inbox_.push_back({array + begin, std::min(chunk_size_, share.end - begin), share.owner, {}, -1});
        ++outstanding_;
      }
    }
  }
  inbox_filled_.notify_one();
}

absl::Status Communicator::FinishReduce() {
  if (size_ == 1) return absl::OkStatus();
  const Clock::time_point begin = Clock::now();
  for (int polls = 0; outstanding_ > 0; ++polls) {
    {
      const std::lock_guard lock(mutex_);
      RETURN_IF_ERROR(Progress());
    }
    if (polls < kEagerPolls) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(kPoll / 2);
    }
  }
  waited_seconds_ += Since(begin);
  return absl::OkStatus();
}

// Sends at once; receives as long as there is room for what arrives.
absl::Status Communicator::PostChunks() {
  std::vector<Chunk> fresh;
  {
    const std::lock_guard lock(inbox_mutex_);
    fresh.swap(inbox_);
  }
  for (Chunk& chunk : fresh) {
    if (chunk.owner == rank_) {
      to_receive_.push_back(std::move(chunk));
      continue;
    }
    const std::span<const float> values(chunk.values, static_cast<size_t>(chunk.count));
    ASSIGN_OR_RETURN(const Transport::Request request, transport_->Send(std::as_bytes(values), chunk.owner, kReduce));
    chunk.requests.push_back(request);
    sending_chunks_.push_back(std::move(chunk));
  }
  while (!to_receive_.empty() && !free_slots_.empty()) {
    Chunk chunk = std::move(to_receive_.front());
    to_receive_.pop_front();
    chunk.slot = free_slots_.back();
    free_slots_.pop_back();
    float* room = slots_[static_cast<size_t>(chunk.slot)].data();
    for (int rank = 0; rank < size_; ++rank) {
      if (rank == rank_) continue;
      const std::span<float> values(room, static_cast<size_t>(chunk.count));
      ASSIGN_OR_RETURN(const Transport::Request request,
                       transport_->Receive(std::as_writable_bytes(values), rank, kReduce));
      chunk.requests.push_back(request);
      room += chunk_size_;
    }
    receiving_.push_back(std::move(chunk));
  }
  return absl::OkStatus();
}

absl::Status Communicator::Progress() {
  RETURN_IF_ERROR(failed_);
  if (absl::Status status = PostChunks(); !status.ok()) return Fail(std::move(status));
  RETURN_IF_ERROR(EndChunks(receiving_, kSlots));
  return EndChunks(sending_chunks_, kTested);
}

// Takes out what is done among the first `most`, and sums what has arrived.
absl::Status Communicator::EndChunks(std::deque<Chunk>& chunks, size_t most) {
  size_t tested = 0;
  for (auto chunk = chunks.begin(); chunk != chunks.end() && tested < most; ++tested) {
    ASSIGN_OR_RETURN(const bool done, TestAll(chunk->requests));
    if (!done) {
      ++chunk;
      continue;
    }
    if (chunk->slot >= 0) {
      SumChunk(*chunk);
      free_slots_.push_back(chunk->slot);
    }
    chunk = chunks.erase(chunk);
    --outstanding_;
  }
  return absl::OkStatus();
}

void Communicator::SumChunk(const Chunk& chunk) {
  constexpr int64_t kBlock = 2048;
  float sum[kBlock];
  const float* arrived = slots_[static_cast<size_t>(chunk.slot)].data();
  for (int64_t begin = 0; begin < chunk.count; begin += kBlock) {
    const int64_t count = std::min(kBlock, chunk.count - begin);
    for (int rank = 0; rank < size_; ++rank) {
      const float* part = rank == rank_ ? chunk.values : arrived + (rank < rank_ ? rank : rank - 1) * chunk_size_;
      part += begin;
      if (rank == 0) {
        std::copy_n(part, count, sum);
      } else {
        for (int64_t i = 0; i < count; ++i) sum[i] += part[i];
      }
    }
    std::copy_n(sum, count, chunk.values + begin);
  }
}

// To the next rank, and from the one before: a ring, so that its cost does not grow with the ranks.
absl::Status Communicator::ShowLife(double seconds) {
  since_sent_ += seconds;
  since_heard_ += seconds;
  const int before = (rank_ + size_ - 1) % size_;
  if (!sending_.empty()) RETURN_IF_ERROR(TestAll(sending_).status());
  if (sending_.empty() && since_sent_ >= silence_seconds_ / 8) {
    ASSIGN_OR_RETURN(const Transport::Request request, transport_->Send({&sent_sign_, 1}, (rank_ + 1) % size_, kLife));
    sending_.push_back(request);
    since_sent_ = 0;
  }
  while (true) {
    if (hearing_.empty()) {
      ASSIGN_OR_RETURN(const Transport::Request request, transport_->Receive({&heard_sign_, 1}, before, kLife));
      hearing_.push_back(request);
    }
    ASSIGN_OR_RETURN(const bool heard, TestAll(hearing_));
    if (!heard) break;
    since_heard_ = 0;
  }
  if (since_heard_ < silence_seconds_) return absl::OkStatus();
  return absl::UnavailableError(fmt::format(
      "train: rank {} has given no sign of life for {:.0f} seconds: it, its machine or the network hangs. The last "
      "checkpoint is whole; the same command goes on from it",
      before, since_heard_));
}

void Communicator::Pulse() {
  Clock::time_point last = Clock::now();
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || !failed_.ok()) return;
      const double seconds = std::min(Since(last), kLongestTick);
      last = Clock::now();
      if (!Progress().ok()) return;
      if (absl::Status alive = ShowLife(seconds); !alive.ok()) {
        (void)Fail(std::move(alive));
        return;
      }
    }
    std::unique_lock lock(inbox_mutex_);
    const auto woken = [&] { return stopping_ || !inbox_.empty(); };
    const auto tick = std::chrono::duration<double>(std::min(silence_seconds_ / 32, kLongestTick / 2));
    if (outstanding_ > 0) {
      inbox_filled_.wait_for(lock, kPoll, woken);
    } else {
      inbox_filled_.wait_for(lock, tick, woken);
    }
  }
}

}  // namespace rhodes
