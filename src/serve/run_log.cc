#include "serve/run_log.h"

#include <fcntl.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>

#include "base/text.h"

namespace rhodes {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr int64_t kMostSteps = int64_t{1} << 50;  // beyond them doubles would not hold steps and tokens exactly
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// The values of a bucket of steps_ and of one of validation_.
enum StepValue : size_t { kLoss, kRate, kNorm, kShare };
enum ValidationValue : size_t { kValidationLoss, kBits };

using Object = simdjson::dom::object;

std::optional<double> Known(double value) { return std::isfinite(value) ? std::optional(value) : std::nullopt; }

// Six digits are more than a screen shows, and half the bytes of an answer.
Json Rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == 0) return 0;
  const double scale = std::pow(10.0, 5 - std::floor(std::log10(std::abs(value))));
  return std::isfinite(scale) && scale > 0 ? std::round(value * scale) / scale : value;
}

void Keep(std::deque<Json>& list, Json entry, size_t most) {
  list.push_back(std::move(entry));
  if (list.size() > most) list.pop_front();
}

// The columns of the points beyond step `from`.
Json StepColumns(const std::vector<StepBucket>& buckets, int64_t from) {
  Json columns;
  for (const char* name : {"step", "tokens", "seconds", "loss", "loss_low", "loss_high", "learning_rate",
                           "gradient_norm", "tokens_per_second", "share_of_peak"}) {
    columns[name] = Json::array();
  }
  const StepBucket start;
  const StepBucket* before = &start;
  for (const StepBucket& bucket : buckets) {
    if (bucket.step > from) {
      const bool known = bucket.counts[kLoss] > 0;
      const double seconds = bucket.seconds - before->seconds;
      columns["step"].push_back(bucket.step);
      columns["tokens"].push_back(bucket.tokens);
      columns["seconds"].push_back(Rounded(bucket.seconds));
      columns["loss"].push_back(Rounded(bucket.Mean(kLoss)));
      columns["loss_low"].push_back(Rounded(known ? bucket.low : kNone));
      columns["loss_high"].push_back(Rounded(known ? bucket.high : kNone));
      columns["learning_rate"].push_back(Rounded(bucket.Mean(kRate)));
      columns["gradient_norm"].push_back(Rounded(bucket.Mean(kNorm)));
      columns["tokens_per_second"].push_back(
          Rounded(seconds > 0 ? static_cast<double>(bucket.tokens - before->tokens) / seconds : kNone));
      columns["share_of_peak"].push_back(Rounded(bucket.Mean(kShare)));
    }
    before = &bucket;
  }
  return columns;
}

Json ValidationColumns(const std::vector<StepBucket>& buckets) {
  Json columns;
  for (const char* name : {"step", "tokens", "seconds", "loss", "bits_per_byte"}) columns[name] = Json::array();
  for (const StepBucket& bucket : buckets) {
    columns["step"].push_back(bucket.step);
    columns["tokens"].push_back(bucket.tokens);
    columns["seconds"].push_back(Rounded(bucket.seconds));
    columns["loss"].push_back(Rounded(bucket.Mean(kValidationLoss)));
    columns["bits_per_byte"].push_back(Rounded(bucket.Mean(kBits)));
  }
  return columns;
}

class File {
 public:
  explicit File(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

class RunLog::Parser {
 public:
  simdjson::dom::parser json;
};

// A line's members; what is not there or of another kind is NaN, -1, "" or false.
class RunLog::Line {
 public:
  explicit Line(const Object& object) : object_(object) {}
  bool Has(std::string_view name) const { return object_.at_key(name).error() == simdjson::SUCCESS; }
  double Number(std::string_view name) const {
    double value = kNone;
    return object_.at_key(name).get(value) == simdjson::SUCCESS ? value : kNone;
  }
  // -1 too for what is no whole number or too large to count with.
  int64_t Count(std::string_view name) const {
    int64_t value = -1;
    return object_.at_key(name).get(value) == simdjson::SUCCESS && value >= 0 && value <= kMostSteps ? value : -1;
  }
  std::string_view Text(std::string_view name) const {
    std::string_view text;
    return object_.at_key(name).get(text) == simdjson::SUCCESS ? text : std::string_view();
  }
  bool Flag(std::string_view name) const {
    bool flag = false;
    return object_.at_key(name).get(flag) == simdjson::SUCCESS && flag;
  }

 private:
  Object object_;
};

void RunLog::Restart() {
  offset_ = 0;
  ++generation_;
  pending_.clear();
  skipping_ = false;
  figures_ = {};
  cycle_ = cycle_step_ = cycle_tokens_ = tokens_before_ = 0;
  recent_.clear();
  steps_ = StepSeries(2048);
  validation_ = StepSeries(512);
  samples_.clear();
  troubles_.clear();
}

absl::Status RunLog::Update(uint64_t most_bytes) {
  const File file(path_);
  struct stat info = {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return ErrnoError(errno, "open", path_);
  if (!S_ISREG(info.st_mode)) return absl::FailedPreconditionError(path_ + ": not a file");
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  if (info.st_dev != device_ || info.st_ino != inode_ || size < offset_) Restart();
  device_ = info.st_dev;
  inode_ = info.st_ino;
  size_ = size;
  modified_ = info.st_mtim.tv_sec;
  std::string buffer;
  for (const uint64_t end = std::min(size_, offset_ + most_bytes); offset_ < end;) {
    buffer.resize(std::min<uint64_t>(kReadBytes, end - offset_));
    const ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(errno, "read", path_);
    if (got == 0) break;  // it became shorter just now: the next call begins anew
    offset_ += static_cast<uint64_t>(got);
    read_bytes_ += static_cast<uint64_t>(got);
    Add({buffer.data(), static_cast<size_t>(got)});
  }
  parser_.reset();  // its buffers are as large as the longest line
  return absl::OkStatus();
}

void RunLog::Add(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    const bool whole = end != std::string_view::npos;
    bytes.remove_prefix(whole ? end + 1 : bytes.size());
    if (!skipping_ && pending_.size() + piece.size() > kMostLineBytes) {
      skipping_ = true;
      ++figures_.bad_lines;
      pending_ = std::string();
    }
    if (skipping_) {
      skipping_ = !whole;
    } else if (!whole) {
      pending_.append(piece);
    } else if (pending_.empty()) {
      AddLine(piece);
    } else {
      pending_.append(piece);
      AddLine(pending_);
      pending_.clear();
    }
  }
}

// The next training of a model that goes on learning.
void RunLog::BeginTraining() {
  figures_.steps_before = figures_.step;
  tokens_before_ = figures_.tokens;
  cycle_step_ = cycle_tokens_ = 0;
}

void RunLog::AddLine(std::string_view text) {
  if (Trim(text).empty()) return;
  if (parser_ == nullptr) parser_ = std::make_shared<Parser>();
  Object object;
  if (parser_->json.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) {
    ++figures_.bad_lines;
    return;
  }
  const Line line(object);
  const int64_t step = line.Count("step");
  const int64_t cycle = std::max<int64_t>(0, line.Count("cycle"));
  if (step >= 0 && cycle != cycle_) {
    BeginTraining();
    cycle_ = cycle;
  }
  // A step is said once; what else is said about it comes after it.
  const bool of_step = line.Has("loss") || line.Has("gradient_norm");
  if (step < cycle_step_ + (of_step ? 1 : 0) || step > kMostSteps - figures_.steps_before) {
    ++figures_.bad_lines;
    return;
  }
  figures_.final = false;
  cycle_step_ = step;
  figures_.step = figures_.steps_before + step;
  if (line.Has("sample")) {
    AddSample(line);
  } else if (line.Has("trouble")) {
    Keep(troubles_, {{"step", figures_.step}, {"at_step", line.Count("at_step")}, {"reason", line.Text("trouble")}},
         kMostTroubles);
  } else if (line.Flag("final")) {
    AddFinal(line);
  } else if (of_step) {
    AddStep(line);
  } else if (line.Has("validation_loss")) {
    AddEvaluation(line);
  }
}

void RunLog::AddStep(const Line& line) {
  // Of all trainings together no more than can be counted exactly, as with steps.
  const int64_t tokens = std::min(std::max(line.Count("tokens"), cycle_tokens_), kMostSteps - tokens_before_);
  const double rate = line.Number("tokens_per_second");
  const double loss = line.Number("loss");
  const double share = line.Number("share_of_peak");
  Recent recent{loss, share, 0, tokens - cycle_tokens_};
  if (rate > 0 && std::isfinite(rate)) recent.seconds = static_cast<double>(recent.tokens) / rate;
  cycle_tokens_ = tokens;
  figures_.tokens = tokens_before_ + tokens;
  figures_.seconds += recent.seconds;
  steps_.Add(figures_.step, figures_.tokens, figures_.seconds,
             {loss, line.Number("learning_rate"), line.Number("gradient_norm"), share});
  recent_.push_back(recent);
  if (recent_.size() > kRecent) recent_.pop_front();
  // Shares are weighted by time, so that theirs and the rate's mean agree.
  double losses = 0, shares = 0, seconds = 0;
  int64_t known = 0, count = 0;
  for (const Recent& of : recent_) {
    if (std::isfinite(of.loss)) losses += of.loss, ++known;
    if (std::isfinite(of.share)) shares += of.share * of.seconds;
    seconds += of.seconds;
    count += of.tokens;
  }
  figures_.loss = known > 0 ? std::optional(losses / static_cast<double>(known)) : std::nullopt;
  figures_.share_of_peak = seconds > 0 ? shares / seconds : 0;
  figures_.tokens_per_second = seconds > 0 ? static_cast<double>(count) / seconds : 0;
  figures_.seconds_per_step = seconds / static_cast<double>(recent_.size());
}

void RunLog::AddEvaluation(const Line& line) {
  const double loss = line.Number("validation_loss");
  const double bits = line.Number("bits_per_byte");
  figures_.validation_loss = Known(loss);
  figures_.bits_per_byte = Known(bits);
  if (figures_.step > 0) {
    validation_.Add(figures_.step, figures_.tokens, figures_.seconds, {loss, bits, kNone, kNone});
  }
}

void RunLog::AddSample(const Line& line) {
  const auto cut = [](std::string_view text) { return std::string(Utf8Prefix(text, kMostSampleBytes)); };
  Keep(samples_, {{"step", figures_.step}, {"prompt", cut(line.Text("prompt"))}, {"text", cut(line.Text("sample"))}},
       kMostSamples);
}

// The last evaluation reads all of the validation split and with overlap, so its loss is not a point of the curve of
// those on the way.
void RunLog::AddFinal(const Line& line) {
  figures_.final = true;
  figures_.stopped_early = line.Flag("stopped_early");
  figures_.parameters = std::max<int64_t>(0, line.Count("parameters"));
  if (line.Number("validation_loss") > 0) {  // 0: there was no validation split
    figures_.validation_loss = Known(line.Number("validation_loss"));
    figures_.bits_per_byte = Known(line.Number("bits_per_byte"));
  }
  if (const double loss = line.Number("train_loss"); loss > 0) figures_.loss = Known(loss);
  if (const double rate = line.Number("tokens_per_second"); rate > 0) figures_.tokens_per_second = rate;
  if (const double share = line.Number("share_of_peak"); share > 0) figures_.share_of_peak = share;
}

Json RunLog::Curves(size_t points, int64_t after, std::string_view version) const {
  const StepSeries::Cut steps = steps_.Shortened(points);
  const StepSeries::Cut evaluations = validation_.Shortened(points);
  Json answer;
  answer["version"] = fmt::format("{:x}.{:x}.{}.{}", device_, inode_, generation_, steps.span);
  answer["complete"] = complete();
  answer["span"] = steps.span;
  // The last span may still grow.
  answer["next_after"] = steps.buckets.empty() ? 0 : steps.buckets.back().index * steps.span;
  const int64_t from = answer["version"] == version ? after : -1;
  answer["steps"] = StepColumns(steps.buckets, from);
  answer["validation"] = ValidationColumns(evaluations.buckets);
  answer["samples"] = samples_;
  answer["troubles"] = troubles_;
  return answer;
}

}  // namespace rhodes
