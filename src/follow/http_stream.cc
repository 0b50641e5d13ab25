#include "follow/http_stream.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "follow/backoff.h"
#include "follow/broken_lines.h"
#include "follow/http_body.h"
#include "follow/line_cutter.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kMostRedirects = 5;
constexpr size_t kPadding = 64;  // what simdjson may read beyond a document
constexpr uint64_t kMostTokenBytes = 64 << 10;

// Formats whose records may stand on a line each.
constexpr std::string_view kLineFormats[] = {"jsonl",
                                             "json",
                                             "x-v2",
                                             "x-v1",
                                             "tesla-telemetry",
                                             "tesla-fleet",
                                             "starlink-status",
                                             "starlink-history",
                                             "starlink-obstruction"};

bool IsLineFormat(std::string_view name) {
  return std::find(std::begin(kLineFormats), std::end(kLineFormats), name) != std::end(kLineFormats);
}

std::string Authority(const HttpAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  std::string text = v6 ? "[" + address.host + "]" : address.host;
  if (address.port != (address.tls ? 443 : 80)) text += fmt::format(":{}", address.port);
  return text;
}

// How a stream is called in records and messages: without its query.
std::string NameOf(const HttpAddress& address) {
  return fmt::format("{}://{}{}", address.tls ? "https" : "http", Authority(address),
                     address.target.substr(0, address.target.find('?')));
}

class HttpStream final : public Stream {
 public:
  HttpStream(const StreamUrl& url, const StreamOptions& options, const HttpStreamTiming& timing)
      : url_(url),
        address_(HttpAddressOf(url)),
        name_(NameOf(address_)),
        options_(options),
        timing_(timing),
        stall_(timing.stall.value_or(milliseconds(60'000))),
        backoff_(timing.longest_pause, timing.seed != 0 ? timing.seed : std::random_device()()),
        broken_(name_, timing.repeat),
        cutter_(options.read->record_limit, 0) {}

  absl::Status Configure(const Json& position);

  absl::StatusOr<std::optional<StreamBatch>> Next(milliseconds wait) override;
  Json position() const override;
  absl::Status Acknowledge(const Json& /*position*/) override { return absl::OkStatus(); }
  StreamHealth health() const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return health_;
  }

 private:
  absl::Status SetFormat(std::string_view name);
  absl::StatusOr<std::string> Token() const;
  absl::Status Connect(const HttpAddress& address);
  absl::StatusOr<std::string> Request(const HttpAddress& address) const;
  absl::Status Take(const HttpConnection::Step& step);
  absl::Status TakeBytes(std::string_view bytes);
  // After the head has come: what its status means. False: this connection gives no lines.
  absl::StatusOr<bool> TakeStatus();
  void TakeBody(std::string_view body);
  void ParseLines(const LineCutter::Cut& cut);
  void ParseBlock(std::string_view lines, size_t padding, uint64_t begin, ParsedBlock& out) const;
  // The connection is over. `in_order`: the answer said that it ends here.
  void EndConnection(bool in_order);
  void Pause(milliseconds first, std::optional<milliseconds> asked, const std::string& trouble);
  void Lost(const std::string& trouble) { Pause(timing_.network_pause, std::nullopt, trouble); }
  void SetHealthy();

  const StreamUrl url_;
  const HttpAddress address_;
  const std::string name_;
  const StreamOptions options_;
  const HttpStreamTiming timing_;
  milliseconds stall_;
  std::string token_file_;
  std::string token_env_;
  HttpConnection::Settings connection_settings_;
  const Format* format_ = nullptr;  // null: not known yet
  std::unique_ptr<FileState> state_;

  Backoff backoff_;
  BrokenLines broken_;
  LineCutter cutter_;
  std::unique_ptr<HttpConnection> connection_;
  std::unique_ptr<HttpBody> body_;
  HttpAddress place_;  // where connection_ leads
  int redirects_ = 0;
  bool accepted_ = false;  // the server has said 200
  bool connected_before_ = false;
  Clock::time_point retry_at_{};
  Clock::time_point connected_at_{};
  Clock::time_point last_bytes_{};
  Clock::time_point last_next_{};
  StreamBatch batch_;    // being gathered
  absl::Status failed_;  // for good

  mutable std::mutex mutex_;
  StreamHealth health_;
};

absl::Status HttpStream::SetFormat(std::string_view name) {
  ASSIGN_OR_RETURN(const Format* format, FindFormat(name));
  if (!IsLineFormat(name)) {
    std::string known;
    for (const std::string_view line_format : kLineFormats)
      known += (known.empty() ? "" : ", ") + std::string(line_format);
    return UsageError(fmt::format(
        "--source {}: an HTTP stream brings a record a line, and {} is not read so; choose {}", name_, name, known));
  }
  format_ = format;
  // Two lines that are objects: so it is told that each line is one, whatever the first that comes looks like.
  state_ = format->Prepare("{}\n{}\n", *options_.read);
  return absl::OkStatus();
}

absl::Status HttpStream::Configure(const Json& position) {
  token_file_ = url_.Get("token_file");
  token_env_ = url_.Get("token_env");
  if (!token_file_.empty() && !token_env_.empty()) {
    return UsageError(fmt::format("--source {}: give token_file or token_env, not both", name_));
  }
  if (!token_file_.empty() && token_file_[0] != '/') {
    return UsageError(fmt::format("--source {}: token_file is a path that begins with /", name_));
  }
  RETURN_IF_ERROR(Token().status());
  if (const std::string encoding = url_.Get("encoding"); !encoding.empty() && encoding != "gzip") {
    return UsageError(fmt::format("--source {}: encoding is gzip or left out, not \"{}\"", name_, encoding));
  }
  if (const std::string stall = url_.Get("stall"); !stall.empty()) {
    char* end = nullptr;
    const double seconds = std::strtod(stall.c_str(), &end);
    if (*end != '\0' || !(seconds >= 1 && seconds <= 86'400)) {
      return UsageError(fmt::format("--source {}: stall is seconds, 1 to 86400, not \"{}\"", name_, stall));
    }
    if (!timing_.stall) stall_ = milliseconds(static_cast<int64_t>(seconds * 1000));
  }
  connection_settings_ = {url_.Get("ca_file"), timing_.connect};
  if (!connection_settings_.ca_file.empty() && !PathExists(connection_settings_.ca_file)) {
    return UsageError(fmt::format("--source {}: ca_file {} is not there", name_, connection_settings_.ca_file));
  }
  std::string format = url_.Get("format", "auto");
  if (!position.is_null()) {
    if (!position.is_object() || !position.contains("received") || !position["received"].is_number_unsigned() ||
        !position.contains("broken")) {
      return absl::DataLossError(fmt::format("{}: the kept position is damaged", name_));
    }
    cutter_ = LineCutter(options_.read->record_limit, position["received"].get<uint64_t>());
    RETURN_IF_ERROR(broken_.FromJson(position["broken"]));
    if (format == "auto" && position.contains("format")) format = position["format"].get<std::string>();
  }
  return format == "auto" ? absl::OkStatus() : SetFormat(format);
}

absl::StatusOr<std::string> HttpStream::Token() const {
  std::string token;
  if (!token_env_.empty()) {
    const char* value = std::getenv(token_env_.c_str());
    if (value == nullptr) return UsageError(fmt::format("{}: token_env: {} is not set", name_, token_env_));
    token = value;
  } else if (!token_file_.empty()) {
    ASSIGN_OR_RETURN(const uint64_t size, FileSize(token_file_));
    if (size > kMostTokenBytes) return UsageError(fmt::format("{}: token_file {} is no token", name_, token_file_));
    ASSIGN_OR_RETURN(token, ReadFile(token_file_));
  } else {
    return token;
  }
  token = Trim(token);
  const bool printable = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (token.empty() || !printable) {
    return UsageError(
        fmt::format("{}: what {} holds is no token", name_, token_env_.empty() ? token_file_ : token_env_));
  }
  return token;
}

absl::StatusOr<std::string> HttpStream::Request(const HttpAddress& address) const {
  std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: rhodes\r\nAccept: application/x-ndjson, application/json;q=0.9, "
      "*/*;q=0.5\r\n",
      address.target, Authority(address));
  if (url_.Get("encoding") == "gzip") request += "Accept-Encoding: gzip\r\n";
  // A token is for the server that it was given for, not for where that one sends us.
  ASSIGN_OR_RETURN(const std::string token, Token());
  const bool same = address.host == address_.host && address.port == address_.port && address.tls == address_.tls;
  if (!token.empty() && same) request += fmt::format("Authorization: Bearer {}\r\n", token);
  return request + "\r\n";
}

absl::Status HttpStream::Connect(const HttpAddress& address) {
  ASSIGN_OR_RETURN(std::string request, Request(address));
  ASSIGN_OR_RETURN(connection_, HttpConnection::Open(address, std::move(request), connection_settings_));
  body_ = std::make_unique<HttpBody>();
  place_ = address;
  accepted_ = false;
  last_bytes_ = connected_at_ = Clock::now();
  return absl::OkStatus();
}

void HttpStream::Pause(milliseconds first, std::optional<milliseconds> asked, const std::string& trouble) {
  milliseconds pause = backoff_.Next(first);
  if (asked) pause = std::max(pause, std::min(*asked, timing_.longest_pause));
  retry_at_ = Clock::now() + pause;
  redirects_ = 0;
  const std::lock_guard<std::mutex> lock(mutex_);
  health_.connected = false;
  health_.trouble = trouble;
}

void HttpStream::SetHealthy() {
  const std::lock_guard<std::mutex> lock(mutex_);
  health_.connected = true;
  health_.trouble.clear();
  if (connected_before_) ++health_.reconnects;
  connected_before_ = true;
}

void HttpStream::ParseBlock(std::string_view lines, size_t padding, uint64_t begin, ParsedBlock& out) const {
  Block block{name_, lines, begin, padding, state_.get(), false};
  format_->Parse(block, *options_.read, out);
}

void HttpStream::ParseLines(const LineCutter::Cut& cut) {
  ParsedBlock& out = batch_.parsed;
  if (cut.skipped) {
    out.rejects.push_back({{name_, cut.skipped->begin, cut.skipped->end},
                           fmt::format("line longer than {} bytes", options_.read->record_limit)});
  }
  const std::string_view lines = cut.lines;
  if (lines.find_first_not_of(" \t\r\n") == std::string_view::npos) return;  // they keep the connection alive
  if (format_ == nullptr) {
    const absl::StatusOr<const Format*> found = DetectFormat("stream.jsonl", lines.substr(0, size_t{64} << 10));
    const std::string_view name = found.ok() && IsLineFormat((*found)->name()) ? (*found)->name() : "jsonl";
    SetFormat(name).IgnoreError();  // it is one of those known to be right
  }
  std::string padded = std::string(lines);
  padded.append(kPadding, ' ');
  const std::string_view all = std::string_view(padded).substr(0, lines.size());
  ParsedBlock parsed;
  ParseBlock(all, kPadding, cut.begin, parsed);
  const bool again = !parsed.rejects.empty();
  if (again) parsed = {};
  // A broken line may have led the format's reader astray behind it: then each is read on its own.
  if (again || !broken_.empty()) {
    for (size_t begin = 0; begin < all.size();) {
      const size_t end = std::min(all.find('\n', begin), all.size() - 1) + 1;
      const std::string_view line = all.substr(begin, end - begin);
      if (!broken_.empty()) broken_.See(line.substr(0, line.size() - 1));
      if (again) ParseBlock(line, padded.size() - end, cut.begin + begin, parsed);
      begin = end;
    }
  }
  std::move(parsed.records.begin(), parsed.records.end(), std::back_inserter(out.records));
  std::move(parsed.rejects.begin(), parsed.rejects.end(), std::back_inserter(out.rejects));
}

void HttpStream::EndConnection(bool in_order) {
  if (cutter_.skipping()) {
    const LineCutter::Range range = cutter_.DropRest();
    batch_.parsed.rejects.push_back(
        {{name_, range.begin, range.end}, fmt::format("line longer than {} bytes", options_.read->record_limit)});
  } else if (const std::string_view rest = cutter_.rest(); !rest.empty()) {
    // An object that is whole is no less so for want of its newline.
    bool whole = in_order;
    if (!whole && Trim(rest).ends_with('}') && format_ != nullptr) {
      ParsedBlock trial;
      const std::string padded = std::string(rest) + std::string(kPadding, ' ');
      ParseBlock(std::string_view(padded).substr(0, rest.size()), kPadding, cutter_.rest_begin(), trial);
      whole = trial.rejects.empty() && !trial.records.empty();
    }
    if (whole) {
      ParseLines(cutter_.Add("\n"));
    } else if (!Trim(rest).empty()) {
      broken_.Add(rest, cutter_.rest_begin(), batch_.parsed);
    }
    cutter_.DropRest();
  }
  if (accepted_ && Clock::now() - connected_at_ > std::max(backoff_.last(), timing_.network_pause)) backoff_.Reset();
  connection_.reset();
  body_.reset();
}

absl::StatusOr<bool> HttpStream::TakeStatus() {
  const int status = body_->status();
  if (status == 200) {
    accepted_ = true;
    broken_.Connected(Clock::now());
    SetHealthy();
    return true;
  }
  const std::string what = fmt::format("{} answered {}", NameOf(place_), status);
  const auto asked = AskedPause(body_->Header("retry-after"), body_->Header("x-rate-limit-reset"), std::time(nullptr));
  const std::string location = body_->Header("location");
  EndConnection(false);
  switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308: {
      if (++redirects_ > kMostRedirects) {
        return absl::FailedPreconditionError(fmt::format("{}: more than {} redirects", name_, kMostRedirects));
      }
      const absl::StatusOr<HttpAddress> to = RedirectOf(place_, location);
      if (!to.ok()) return Annotate(to.status(), name_);
      RETURN_IF_ERROR(Connect(*to));
      return false;
    }
    case 420:
    case 429:
      Pause(timing_.limit_pause, asked, what + ": too many connections or requests");
      return false;
    case 401:
    case 403:
      return absl::PermissionDeniedError(what + ": the token is not accepted (token_file, token_env)");
    default:
      break;
  }
  if (status >= 500 || status == 408 || status == 425 || (status > 200 && status < 300)) {
    Pause(asked ? timing_.network_pause : timing_.server_pause, asked, what);
    return false;
  }
  return absl::FailedPreconditionError(what);
}

void HttpStream::TakeBody(std::string_view body) {
  batch_.bytes += body.size();
  ParseLines(cutter_.Add(body));
}

absl::Status HttpStream::TakeBytes(std::string_view bytes) {
  last_bytes_ = Clock::now();
  std::string body;
  const absl::Status added = body_->Add(bytes, body);
  if (body_->has_head() && !accepted_) {
    ASSIGN_OR_RETURN(const bool goes_on, TakeStatus());
    if (!goes_on) return absl::OkStatus();
  }
  if (accepted_ && !body.empty()) TakeBody(body);
  if (!added.ok()) {
    EndConnection(false);
    Lost(Message(added));
  } else if (body_->done()) {
    EndConnection(true);
    Lost("the server ended its answer");
  }
  return absl::OkStatus();
}

absl::Status HttpStream::Take(const HttpConnection::Step& step) {
  switch (step.kind) {
    case HttpConnection::Step::Kind::kBytes:
      return TakeBytes(step.bytes);
    case HttpConnection::Step::Kind::kEnd: {
      // In HTTP an answer of no stated length ends so, but a server that died looks the same.
      const bool accepted = accepted_;
      EndConnection(false);
      Lost(accepted ? "the server closed the connection" : "the server closed the connection without an answer");
      return absl::OkStatus();
    }
    case HttpConnection::Step::Kind::kFailed:
      EndConnection(false);
      Lost(step.error);
      return absl::OkStatus();
    case HttpConnection::Step::Kind::kNothing:
      if (Clock::now() - last_bytes_ < stall_) return absl::OkStatus();
      EndConnection(false);
      Lost(fmt::format("nothing came for {} s, no empty line either", static_cast<double>(stall_.count()) / 1000));
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<StreamBatch>> HttpStream::Next(milliseconds wait) {
  RETURN_IF_ERROR(failed_);
  const Clock::time_point begun = Clock::now();
  const Clock::time_point until = begun + wait;
  // While nobody read, silence was ours.
  if (connection_ != nullptr && last_next_ != Clock::time_point{}) last_bytes_ += begun - last_next_;
  const uint64_t most = std::clamp<uint64_t>(options_.memory_bytes / 8, HttpConnection::kReadBytes, uint64_t{4} << 20);
  uint64_t taken = 0;
  while (true) {
    const Clock::time_point now = Clock::now();
    broken_.Expire(now, batch_.parsed);
    const bool has = !batch_.parsed.records.empty() || !batch_.parsed.rejects.empty();
    if (has && (connection_ == nullptr || batch_.bytes >= most)) break;
    if (connection_ == nullptr) {
      if (now < retry_at_) std::this_thread::sleep_for(std::min(retry_at_, until) - now);
      if (Clock::now() < retry_at_) break;
      RETURN_IF_ERROR(Connect(address_));
    }
    // Once there is something, only what has come already is added to it.
    const Clock::time_point stalled = last_bytes_ + stall_;
    const HttpConnection::Step step = connection_->Read(has ? now : std::min(until, stalled));
    if (step.kind == HttpConnection::Step::Kind::kBytes) taken += step.bytes.size();
    const bool nothing = step.kind == HttpConnection::Step::Kind::kNothing;
    failed_ = Take(step);
    if (!failed_.ok()) break;  // what came before it is given first
    if (nothing && (has || Clock::now() >= until)) break;
    if (taken >= most && Clock::now() >= until) break;  // empty lines without end
  }
  last_next_ = Clock::now();
  if (batch_.parsed.records.empty() && batch_.parsed.rejects.empty()) {
    RETURN_IF_ERROR(failed_);
    return std::nullopt;
  }
  return std::exchange(batch_, {});
}

Json HttpStream::position() const {
  Json json = {{"received", cutter_.end()}, {"broken", broken_.ToJson(cutter_.rest(), cutter_.rest_begin())}};
  if (cutter_.skipping()) json["broken"].push_back({cutter_.rest_begin(), cutter_.end() - cutter_.rest_begin(), 0});
  if (format_ != nullptr) json["format"] = format_->name();
  return json;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stream>> OpenHttpStream(const StreamUrl& url, const Json& position,
                                                       const StreamOptions& options, const HttpStreamTiming& timing) {
  auto stream = std::make_unique<HttpStream>(url, options, timing);
  RETURN_IF_ERROR(stream->Configure(position));
  return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace rhodes
