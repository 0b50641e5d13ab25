// A Starlink dish that is asked again and again, over gRPC.
#ifndef RHODES_FOLLOW_DISH_STREAM_H_
#define RHODES_FOLLOW_DISH_STREAM_H_

#include <chrono>
#include <memory>
#include <optional>

#include "follow/stream.h"

namespace rhodes {

// How long things take; tests make it all shorter.
struct DishStreamTiming {
  std::optional<std::chrono::milliseconds> every;  // between two questions for the status; none: the address's `every`
  std::chrono::milliseconds sample{1'000};         // for how long a sample of the history stands
  std::chrono::milliseconds call{10'000};          // the deadline of a call
  std::chrono::milliseconds network_pause{500};    // the first one after a dish that could not be reached
  std::chrono::milliseconds longest_pause{60'000};
  uint64_t seed = 0;  // of the jitter; 0: any
};

// grpc://host:port/dish?every=SECONDS. The status is asked for each `every` seconds (10), the history as often as its
// rings want, three times before a sample is written over. Records are those of the starlink formats
// (docs/sources/starlink.md) with the time of the answer; a sample, outage or event is given once. Samples that were
// written over before they could be asked for are rejected by their numbers. The records' byte ranges count the
// answers' JSON since the stream was first opened.
//
// Errors of opening: UsageError for a wrong address. Errors of Next(): a server that is no dish or does not describe
// itself.
absl::StatusOr<std::unique_ptr<Stream>> OpenDishStream(const StreamUrl& url, const Json& position,
                                                       const StreamOptions& options,
                                                       const DishStreamTiming& timing = {});

}  // namespace rhodes

#endif  // RHODES_FOLLOW_DISH_STREAM_H_
