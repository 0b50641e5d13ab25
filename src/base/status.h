// Errors: macros over absl::Status, and the few codes that a process exits with.
#ifndef RHODES_BASE_STATUS_H_
#define RHODES_BASE_STATUS_H_

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rhodes {

// What the process returns to its caller; documented in docs/exit-codes.md and stable.
enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,         // the command line or the project file is wrong
  kRejected = 3,      // input was rejected beyond the stated tolerance, or a check found problems
  kInterrupted = 130  // SIGINT or SIGTERM; what was done so far is kept
};

// The command line or project file is wrong: exits with 2.
absl::Status UsageError(std::string_view message);
// More input was rejected than the tolerance allows, or a check found problems: exits with 3.
absl::Status RejectedError(std::string_view message);
// The user asked to stop: exits with 130.
absl::Status InterruptedError();

// Debian's Abseil has a string_view type of its own, so messages are built with fmt::format and read with Message().
std::string Message(const absl::Status& status);
inline std::string_view Standard(absl::string_view text) { return {text.data(), text.size()}; }

ExitCode ExitCodeOf(const absl::Status& status);

// `status` with "context: " before its message; code and payloads stay. OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);
// The status for errno value `error` of `operation` on `path`: NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED (full
// disk, with what to do), otherwise UNAVAILABLE.
absl::Status ErrnoError(int error, std::string_view operation, std::string_view path);

}  // namespace rhodes

#define RHODES_CONCAT_INNER_(a, b) a##b
#define RHODES_CONCAT_(a, b) RHODES_CONCAT_INNER_(a, b)

// Returns from the enclosing function when `expression` is not OK.
#define RETURN_IF_ERROR(expression)                           \
  do {                                                        \
    if (absl::Status status_ = (expression); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): x becomes the value of F(), or the enclosing function returns F()'s status.
#define ASSIGN_OR_RETURN(left, expression) \
  ASSIGN_OR_RETURN_INNER_(RHODES_CONCAT_(status_or_, __LINE__), left, expression)
// `variable` and `left` are declared here: a declared name in parentheses is not what clang-tidy takes it for.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define ASSIGN_OR_RETURN_INNER_(variable, left, expression) \
  auto variable = (expression);                             \
  if (!variable.ok()) return std::move(variable).status();  \
  left = *std::move(variable)
// NOLINTEND(bugprone-macro-parentheses)

#endif  // RHODES_BASE_STATUS_H_
