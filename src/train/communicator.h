// What the ranks of one run do together. Every sum is made in the order of ranks, so the same number of ranks gives the
// same bits, whenever messages arrive.
#ifndef RHODES_TRAIN_COMMUNICATOR_H_
#define RHODES_TRAIN_COMMUNICATOR_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "model/kernels/buffer.h"
#include "train/share.h"
#include "train/transport.h"

namespace rhodes {

// Every rank calls the same functions with the same sizes in the same order; none may run ahead of another by more than
// one call. A thread of each rank moves reductions on while the caller computes, and sends a sign of life to the next
// rank. Calls come from one thread at a time.
//
// UNAVAILABLE, from the call under way and all after it, when a message cannot be sent or a rank has given no sign of
// life for `silence_seconds`: the run is over then, and the caller must end the other ranks (MPI_Abort). A rank that
// merely takes long gives signs of life.
class Communicator {
 public:
  Communicator();  // of a process that is alone: size() is 1, and nothing below does anything
  explicit Communicator(std::unique_ptr<Transport> transport, double silence_seconds = kSilenceSeconds);
  ~Communicator();

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool root() const { return rank_ == 0; }  // prints, and writes files

  absl::Status Barrier();
  // Each value becomes its sum over the ranks.
  absl::Status Sum(std::span<double> values);
  // Whether it is true of any rank.
  absl::StatusOr<bool> Any(bool value);
  // Those of rank 0 become everyone's.
  absl::Status Broadcast(std::span<std::byte> bytes);
  absl::Status Broadcast(std::span<float> values) { return Broadcast(std::as_writable_bytes(values)); }
  absl::StatusOr<std::string> Broadcast(std::string text);
  template <typename T>
  absl::StatusOr<T> BroadcastValue(T value) {
    RETURN_IF_ERROR(Broadcast(std::as_writable_bytes(std::span(&value, 1))));
    return value;
  }
  // `to` of rank `receiver` becomes `from` of rank `sender`; the other ranks do nothing. Same sizes; on one rank a
  // copy.
  absl::Status Move(int sender, std::span<const float> from, int receiver, std::span<float> to);

  // Begins to sum `shares` of the array over the ranks, each to its owner's own array, where it replaces what was
  // there. Returns at once. Until FinishReduce() the shares must not be touched; what is left of those of others stays
  // as it was. May be called again before that.
  void StartReduce(float* array, std::span<const Share> shares);
  // Waits for all that was started.
  absl::Status FinishReduce();

  // Each share of the array becomes what its owner has.
  absl::Status AllGather(float* array, std::span<const Share> shares);

  // Ends the communication of this rank: messages under way are given up, and every call after it returns `status`. For
  // memory that reductions under way read and write and that is to be freed. Thread-safe. On one rank nothing.
  void GiveUp(absl::Status status);
  bool reducing() const { return outstanding_ > 0; }  // started and not known to be finished

  // Seconds that the caller waited in the functions above since creation.
  double waited_seconds() const { return waited_seconds_; }

  // Bytes of room for what arrives in a reduction.
  static uint64_t MemoryBytes(int ranks);

  static constexpr double kSilenceSeconds = 20;

 private:
  struct Chunk {  // of a reduction under way
    float* values;
    int64_t count;
    int owner;
    std::vector<Transport::Request> requests;
    int slot;  // of `slots_`; -1: none
  };

  // Asks for messages of at most kMostMessage bytes that make up `bytes`.
  template <typename Byte, typename Ask>
  absl::Status Post(std::span<Byte> bytes, std::vector<Transport::Request>& requests, const Ask& ask);
  absl::Status SendTo(std::span<const std::byte> bytes, int to, int tag, std::vector<Transport::Request>& requests);
  absl::Status ReceiveFrom(std::span<std::byte> bytes, int from, int tag, std::vector<Transport::Request>& requests);
  absl::Status WaitFor(std::vector<Transport::Request> requests);
  absl::Status Progress();  // with mutex_ held
  absl::Status PostChunks();
  absl::Status EndChunks(std::deque<Chunk>& chunks, size_t most);
  absl::StatusOr<bool> TestAll(std::vector<Transport::Request>& requests);
  void SumChunk(const Chunk& chunk);
  absl::Status ShowLife(double seconds);
  absl::Status Fail(absl::Status status);
  void Pulse();

  const std::unique_ptr<Transport> transport_;
  const int rank_, size_;
  const double silence_seconds_;
  const int64_t chunk_size_;

  std::mutex mutex_;  // of the transport and all down to `stopping_`
  absl::Status failed_;
  std::deque<Chunk> to_receive_, receiving_, sending_chunks_;
  std::vector<Buffer<float>> slots_;  // what arrives: [size - 1, chunk_size_]
  std::vector<int> free_slots_;
  double since_sent_ = 0, since_heard_ = 0;  // signs of life, in seconds that this process was awake
  std::byte sent_sign_{}, heard_sign_{};
  std::vector<Transport::Request> sending_, hearing_;
  bool stopping_ = false;

  std::mutex inbox_mutex_;  // held for moments only, so that StartReduce() never waits for a sum
  std::vector<Chunk> inbox_;
  std::condition_variable inbox_filled_;
  std::atomic<int64_t> outstanding_{0};  // chunks

  double waited_seconds_ = 0;
  std::thread pulse_;
};

}  // namespace rhodes

#endif  // RHODES_TRAIN_COMMUNICATOR_H_
