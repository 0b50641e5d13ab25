// Calls to a Starlink dish over gRPC, whose messages are learned from the dish itself (server reflection), so that no
// .proto of it is needed and a newer dish is understood.
#ifndef RHODES_FOLLOW_DISH_CLIENT_H_
#define RHODES_FOLLOW_DISH_CLIENT_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace rhodes {

// Not thread-safe.
class DishClient {
 public:
  struct Settings {
    std::string host;
    uint16_t port = 0;
    std::chrono::milliseconds call{10'000};  // the deadline of each call
    uint64_t most_bytes = 0;                 // of an answer
  };
  // Connects with the first call.
  static std::unique_ptr<DishClient> Create(const Settings& settings);
  virtual ~DishClient() = default;

  // Asks for the description of SpaceX.API.Device.Device; waits up to the deadline. UNAVAILABLE: try again later.
  // FAILED_PRECONDITION: the server refuses reflection, or has no such service.
  virtual absl::Status Describe() = 0;

  // Begins the call Handle with the member `member` of its request set ("get_status"); after Describe(), and while none
  // is under way. UNIMPLEMENTED when requests have no such member.
  virtual absl::Status Start(std::string_view member) = 0;
  virtual bool busy() const = 0;

  struct Answer {
    // Of proto3's JSON mapping, as grpcurl prints it: camelCase, 64-bit integers in quotes, what is unset left out.
    // UNAVAILABLE: try again later. UNIMPLEMENTED, PERMISSION_DENIED: the dish refuses this call. DATA_LOSS: bytes that
    // are no such message.
    absl::StatusOr<std::string> json;
    uint64_t bytes = 0;  // as received
  };
  // The answer of the call under way; nothing when it has not come by `until`.
  virtual std::optional<Answer> Wait(std::chrono::system_clock::time_point until) = 0;
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_DISH_CLIENT_H_
