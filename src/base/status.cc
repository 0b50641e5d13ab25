#include "base/status.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/cord.h"

namespace rhodes {
namespace {
constexpr char kExitCodePayload[] = "rhodes/exit-code";

absl::Status WithExitCode(absl::Status status, ExitCode code) {
  status.SetPayload(kExitCodePayload, absl::Cord(std::to_string(static_cast<int>(code))));
  return status;
}
}  // namespace

absl::Status UsageError(std::string_view message) {
  return WithExitCode(absl::InvalidArgumentError(std::string(message)), ExitCode::kUsage);
}

absl::Status RejectedError(std::string_view message) {
  return WithExitCode(absl::FailedPreconditionError(std::string(message)), ExitCode::kRejected);
}

absl::Status InterruptedError() {
  return WithExitCode(absl::CancelledError("interrupted; what was finished is kept, run the same command to go on"),
                      ExitCode::kInterrupted);
}

std::string Message(const absl::Status& status) { return std::string(Standard(status.message())); }

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kDone;
  if (auto payload = status.GetPayload(kExitCodePayload); payload.has_value()) {
    return static_cast<ExitCode>(std::stoi(std::string(*payload)));
  }
  return ExitCode::kFailed;
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), fmt::format("{}: {}", context, Message(status)));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

absl::Status ErrnoError(int error, std::string_view operation, std::string_view path) {
  const std::string message = fmt::format("{} {}: {}", operation, path, std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case EEXIST:
      return absl::AlreadyExistsError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(message +
                                          "; free some space and run the same command again, what was there is intact");
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace rhodes
