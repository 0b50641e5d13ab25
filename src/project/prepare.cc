#include "project/prepare.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>

#include <fmt/ranges.h>

#include "base/file.h"
#include "base/text.h"

namespace rhodes {
namespace {

constexpr size_t kLinesInError = 8;
constexpr size_t kLongestLine = 4096;

// This process's variables, and RHODES: the program itself, so that a command can call it wherever it is installed.
std::vector<std::string> Environment() {
  std::vector<std::string> variables;
  for (char** each = environ; *each != nullptr; ++each) {
    if (!std::string_view(*each).starts_with("RHODES=")) variables.emplace_back(*each);
  }
  std::array<char, 4096> path;
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  if (size > 0) variables.push_back("RHODES=" + std::string(path.data(), static_cast<size_t>(size)));
  return variables;
}

// The command as a child process with a group of its own, its output in a pipe.
class Child {
 public:
  ~Child() {
    if (output_ >= 0) close(output_);
    if (pid_ > 0) {
      Stop();
      Wait();
    }
  }

  absl::Status Start(const std::vector<std::string>& command, const std::string& directory) {
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const std::vector<std::string> variables = Environment();
    std::vector<char*> environment;
    for (const std::string& variable : variables) environment.push_back(const_cast<char*>(variable.c_str()));
    environment.push_back(nullptr);
    std::array<int, 2> pipe_ends{};
    if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return ErrnoError(errno, "create a pipe for", command.front());
    pid_ = fork();
    if (pid_ == 0) Become(arguments, environment, directory, pipe_ends[1]);
    close(pipe_ends[1]);
    output_ = pipe_ends[0];
    if (pid_ < 0) return ErrnoError(errno, "start", command.front());
    return absl::OkStatus();
  }

  int output() const { return output_; }
  void Stop() const { kill(-pid_, SIGTERM); }
  // The code it ended with; 128 + n when signal n ended it, as a shell says it.
  int Wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  // In the child: only calls that are safe between fork and exec of a program with threads.
  [[noreturn]] static void Become(const std::vector<char*>& arguments, const std::vector<char*>& environment,
                                  const std::string& directory, int output) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGXFSZ}) std::signal(signal, SIG_DFL);
    if (chdir(directory.c_str()) == 0) execvpe(arguments.front(), arguments.data(), environment.data());
    const char* const reason = std::strerror(errno);
    for (const char* part : {"cannot run ", static_cast<const char*>(arguments.front()), ": ", reason, "\n"}) {
      [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, part, std::strlen(part));
    }
    _exit(127);
  }

  pid_t pid_ = -1;
  int output_ = -1;
};

// Cuts what the command prints into lines.
class LineSayer {
 public:
  explicit LineSayer(Progress& progress) : progress_(progress) {}

  void Take(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n' || c == '\r' || line_.size() >= kLongestLine) Say();
      if (c != '\n' && c != '\r') line_ += c;
    }
  }
  void Say() {
    if (Trim(line_).empty()) return line_.clear();
    const std::string text = ReplaceInvalidUtf8(line_);
    progress_.Say(text);
    last_.push_back(text);
    if (last_.size() > kLinesInError) last_.pop_front();
    line_.clear();
  }
  std::string Last() const {
    std::string text;
    for (const std::string& line : last_) text += "\n  " + line;
    return text;
  }

 private:
  Progress& progress_;
  std::string line_;
  std::deque<std::string> last_;
};

}  // namespace

bool IsPrepared(const PrepareSettings& settings) {
  return std::all_of(settings.produces.begin(), settings.produces.end(),
                     [](const std::string& path) { return PathExists(path); });
}

absl::Status Prepare(const PrepareSettings& settings, const std::string& directory, RunContext& context) {
  Child child;
  RETURN_IF_ERROR(child.Start(settings.command, directory));
  LineSayer sayer(*context.progress);
  bool stopped = false;
  while (true) {
    if (!stopped && !context.CheckCancelled().ok()) {
      child.Stop();
      stopped = true;
    }
    pollfd poller = {child.output(), POLLIN, 0};
    const int ready = poll(&poller, 1, 200);
    if (ready < 0 && errno != EINTR) return ErrnoError(errno, "read the output of", settings.command.front());
    if (ready <= 0) continue;
    std::array<char, 4096> buffer;
    const ssize_t size = read(child.output(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    sayer.Take({buffer.data(), static_cast<size_t>(size)});
  }
  sayer.Say();
  const int code = child.Wait();
  if (stopped) return InterruptedError();
  const std::string command = fmt::format("prepare: `{}` in {}", fmt::join(settings.command, " "), directory);
  if (code != 0) {
    return absl::FailedPreconditionError(
        fmt::format("{} ended with code {}; its last lines:{}", command, code, sayer.Last()));
  }
  for (const std::string& path : settings.produces) {
    if (!PathExists(path)) {
      return absl::FailedPreconditionError(fmt::format("{} ended well, but {} is not there", command, path));
    }
  }
  return absl::OkStatus();
}

}  // namespace rhodes
