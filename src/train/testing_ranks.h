// Runs ranks as threads of the test.
#ifndef RHODES_TRAIN_TESTING_RANKS_H_
#define RHODES_TRAIN_TESTING_RANKS_H_

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "train/communicator.h"
#include "train/thread_transport.h"

namespace rhodes {

// Calls body(communicator) for each of `ranks`, at the same time; returns when all have returned.
inline void RunRanks(int ranks, const std::function<void(Communicator&)>& body, double silence_seconds = 10,
                     const std::shared_ptr<ThreadHub>& given = nullptr) {
  const std::shared_ptr<ThreadHub> hub = given != nullptr ? given : ThreadHub::Create(ranks);
  std::vector<std::unique_ptr<Communicator>> communicators;
  communicators.reserve(static_cast<size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) {
    communicators.push_back(std::make_unique<Communicator>(hub->Connect(rank), silence_seconds));
  }
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      body(*communicators[static_cast<size_t>(rank)]);
      communicators[static_cast<size_t>(rank)].reset();  // the others hear no more of it
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace rhodes

#endif  // RHODES_TRAIN_TESTING_RANKS_H_
