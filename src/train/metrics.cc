#include "train/metrics.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/text.h"

namespace rhodes {

MetricsLog::MetricsLog(std::string path, int file, std::function<void(const Json&)> listener)
    : path_(std::move(path)), file_(file), listener_(std::move(listener)) {}

MetricsLog::MetricsLog(MetricsLog&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      listener_(std::move(other.listener_)),
      seconds_(other.seconds_),
      tokens_(other.tokens_) {}

MetricsLog::~MetricsLog() {
  if (file_ >= 0) ::close(file_);
}

absl::StatusOr<MetricsLog> MetricsLog::Open(const std::string& path, int64_t step,
                                            std::function<void(const Json&)> listener) {
  std::string kept;
  std::vector<Json> lines;
  if (step > 0 && PathExists(path)) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    for (const std::string_view line : Split(text, '\n')) {
      const Json json = Json::parse(line, nullptr, false);
      if (!json.is_object() || json.value("step", step + 1) > step || json.contains("final")) continue;
      kept.append(line).push_back('\n');
      lines.push_back(json);
    }
  }
  RETURN_IF_ERROR(WriteFileAtomically(path, kept));
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) return ErrnoError(errno, "open", path);
  MetricsLog log(path, file, std::move(listener));
  for (const Json& line : lines) log.Count(line);
  return log;
}

void MetricsLog::Count(const Json& line) {
  if (!line.contains("tokens_per_second") || !line.contains("tokens")) return;
  const int64_t tokens = line.value("tokens", int64_t{0});
  const double rate = line.value("tokens_per_second", 0.0);
  if (rate > 0) seconds_ += static_cast<double>(tokens - tokens_) / rate;
  tokens_ = tokens;
}

absl::Status MetricsLog::Append(const Json& line) {
  const std::string text = DumpJson(line) + "\n";
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(file_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, "write", path_);
    done += static_cast<size_t>(count);
  }
  Count(line);
  if (listener_) listener_(line);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> MeansAfter(const std::string& path, const std::vector<std::string>& names,
                                               int64_t after) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  std::vector<double> means(names.size());
  std::vector<int64_t> counts(names.size());
  for (const std::string_view line : Split(text, '\n')) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || json.value("step", int64_t{0}) <= after || json.contains("final")) continue;
    for (size_t i = 0; i < names.size(); ++i) {
      if (!json.contains(names[i])) continue;
      means[i] += json[names[i]].get<double>();
      ++counts[i];
    }
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (counts[i] > 0) means[i] /= static_cast<double>(counts[i]);
  }
  return means;
}

}  // namespace rhodes
