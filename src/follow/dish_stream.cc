#include "follow/dish_stream.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "follow/backoff.h"
#include "follow/dish_client.h"
#include "source/starlink.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kPadding = 64;           // what simdjson may read beyond a document
constexpr size_t kMostHappenings = 4096;  // outages and events that are remembered: more than a dish lists
constexpr uint64_t kUnknownRing = 30;     // samples, for a history whose length is not known yet

std::optional<uint64_t> Count(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  if (found->is_number_unsigned()) return found->get<uint64_t>();
  if (!found->is_string()) return std::nullopt;
  const auto& text = found->get_ref<const std::string&>();
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// What a history says of itself.
struct HistoryFacts {
  uint64_t current = 0;  // samples since the dish booted
  uint64_t ring = 0;     // how many of them it holds
  uint64_t boot = 0;     // the start of the outage called BOOTING, in GPS nanoseconds; 0: not listed
};

std::optional<HistoryFacts> FactsOf(const Json& history) {
  HistoryFacts facts;
  // What is 0 is left out of proto3's JSON.
  facts.current = Count(history, "current").value_or(0);
  for (const auto& [name, value] : history.items()) {
    if (!value.is_array() || name == "outages") continue;
    facts.ring = std::max<uint64_t>(facts.ring, value.size());
  }
  if (const auto outages = history.find("outages"); outages != history.end() && outages->is_array()) {
    for (const Json& outage : *outages) {
      if (outage.is_object() && Text(outage, "cause") == "BOOTING") {
        facts.boot = std::max(facts.boot, Count(outage, "startTimestampNs").value_or(0));
      }
    }
  }
  return facts;
}

class DishStream final : public Stream {
 public:
  DishStream(const StreamUrl& url, const StreamOptions& options, const DishStreamTiming& timing)
      : name_(fmt::format("grpc://{}{}{}:{}/dish", url.host.find(':') != std::string::npos ? "[" : "", url.host,
                          url.host.find(':') != std::string::npos ? "]" : "", url.port)),
        options_(options),
        timing_(timing),
        client_settings_{url.host, url.port, timing.call, options.read->record_limit},
        backoff_(timing.longest_pause, timing.seed != 0 ? timing.seed : std::random_device()()),
        state_(StarlinkStatusFormat().Prepare("{", *options.read)) {}

  absl::Status Configure(const StreamUrl& url, const Json& position);

  absl::StatusOr<std::optional<StreamBatch>> Next(milliseconds wait) override;
  Json position() const override;
  absl::Status Acknowledge(const Json& /*position*/) override { return absl::OkStatus(); }
  StreamHealth health() const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return health_;
  }

 private:
  enum class Question { kStatus, kHistory };

  absl::Status Connect();
  absl::Status Ask(Question question);
  // False: nothing is due before `until`.
  absl::StatusOr<bool> AskWhatIsDue(Clock::time_point until);
  absl::Status Take(DishClient::Answer answer, StreamBatch& batch);
  void TakeStatus(const Json& root);
  void TakeHistory(const Json& root, uint64_t begin, uint64_t end, ParsedBlock& parsed);
  ParsedBlock Parse(const std::string& json) const;
  void Lost(const std::string& trouble);
  void SetTrouble(bool connected, const std::string& trouble);

  const std::string name_;
  const StreamOptions options_;
  const DishStreamTiming timing_;
  const DishClient::Settings client_settings_;
  milliseconds every_{10'000};
  Backoff backoff_;
  const std::unique_ptr<FileState> state_;
  std::unique_ptr<DishClient> client_;
  Question asked_ = Question::kStatus;
  Clock::time_point retry_at_{};
  Clock::time_point status_at_{};   // when it is due
  Clock::time_point history_at_{};  //
  bool status_refused_ = false;
  bool history_refused_ = false;
  bool connected_before_ = false;

  // The position.
  uint64_t received_ = 0;
  std::string dish_;
  std::optional<uint64_t> bootcount_;
  uint64_t boot_ = 0;             // as HistoryFacts
  std::optional<uint64_t> next_;  // the first sample not given yet; none: all are new
  std::set<std::string> given_;   // ids of the outages and events in the last history

  mutable std::mutex mutex_;
  StreamHealth health_;
};

absl::Status DishStream::Configure(const StreamUrl& url, const Json& position) {
  if (url.path != "/dish") {
    return UsageError(
        fmt::format("--source {}: \"{}\" is no kind of device; write grpc://host:port/dish", url.text, url.path));
  }
  if (const std::string every = url.Get("every"); !every.empty()) {
    char* end = nullptr;
    const double seconds = std::strtod(every.c_str(), &end);
    if (*end != '\0' || !(seconds >= 1 && seconds <= 86'400)) {
      return UsageError(fmt::format("--source {}: every is seconds, 1 to 86400, not \"{}\"", url.text, every));
    }
    every_ = milliseconds(std::llround(seconds * 1000));
  }
  if (timing_.every) every_ = *timing_.every;
  if (position.is_null()) return absl::OkStatus();
  try {
    received_ = position.at("received").get<uint64_t>();
    dish_ = position.at("dish").get<std::string>();
    boot_ = position.at("boot").get<uint64_t>();
    if (position.contains("bootcount")) bootcount_ = position["bootcount"].get<uint64_t>();
    if (position.contains("next")) next_ = position["next"].get<uint64_t>();
    for (const Json& id : position.at("given")) given_.insert(id.get<std::string>());
  } catch (const Json::exception&) {
    return absl::DataLossError(fmt::format("{}: the kept position is damaged", name_));
  }
  return absl::OkStatus();
}

Json DishStream::position() const {
  Json json = {{"received", received_}, {"dish", dish_}, {"boot", boot_}, {"given", given_}};
  if (bootcount_) json["bootcount"] = *bootcount_;
  if (next_) json["next"] = *next_;
  return json;
}

void DishStream::SetTrouble(bool connected, const std::string& trouble) {
  const std::lock_guard<std::mutex> lock(mutex_);
  health_.connected = connected;
  health_.trouble = trouble;
}

void DishStream::Lost(const std::string& trouble) {
  client_.reset();
  retry_at_ = Clock::now() + backoff_.Next(timing_.network_pause);
  SetTrouble(false, trouble);
}

absl::Status DishStream::Connect() {
  client_ = DishClient::Create(client_settings_);
  const absl::Status status = client_->Describe();
  if (absl::IsUnavailable(status)) {
    Lost(Message(status));
    return absl::OkStatus();
  }
  if (!status.ok()) return Annotate(status, name_);
  status_refused_ = history_refused_ = false;
  status_at_ = history_at_ = Clock::now();  // the status first: it says whether the dish has booted again
  return absl::OkStatus();
}

absl::Status DishStream::Ask(Question question) {
  asked_ = question;
  const bool status = question == Question::kStatus;
  const Clock::time_point now = Clock::now();
  if (status) status_at_ = now + every_;
  // Until the rings' length is known.
  if (!status) history_at_ = now + timing_.sample * static_cast<int64_t>(kUnknownRing / 3);
  absl::Status begun = client_->Start(status ? "get_status" : "get_history");
  if (!absl::IsUnimplemented(begun)) return begun;
  StreamBatch none;
  return Take({begun, 0}, none);
}

absl::StatusOr<bool> DishStream::AskWhatIsDue(Clock::time_point until) {
  while (true) {
    const Clock::time_point now = Clock::now();
    if (!status_refused_ && now >= status_at_) {
      RETURN_IF_ERROR(Ask(Question::kStatus));
      return true;
    }
    if (!history_refused_ && now >= history_at_) {
      RETURN_IF_ERROR(Ask(Question::kHistory));
      return true;
    }
    Clock::time_point due = until;
    if (!status_refused_) due = std::min(due, status_at_);
    if (!history_refused_) due = std::min(due, history_at_);
    std::this_thread::sleep_for(due - now);
    if (due >= until) return false;
  }
}

ParsedBlock DishStream::Parse(const std::string& json) const {
  ReadOptions read = *options_.read;
  read.polled_at =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const std::string padded = json + std::string(kPadding, ' ');
  const Block block{name_, std::string_view(padded).substr(0, json.size()), received_, kPadding, state_.get(), false};
  ParsedBlock parsed;
  StarlinkStatusFormat().Parse(block, read, parsed);
  return parsed;
}

absl::Status DishStream::Take(DishClient::Answer answer, StreamBatch& batch) {
  bool& refused = asked_ == Question::kStatus ? status_refused_ : history_refused_;
  const absl::Status& status = answer.json.status();
  if (absl::IsUnavailable(status)) {
    Lost(Message(status));
    return absl::OkStatus();
  }
  if (absl::IsUnimplemented(status) || absl::IsPermissionDenied(status)) {
    refused = true;
    const std::string trouble = fmt::format(
        "the dish refuses {}: {}", asked_ == Question::kStatus ? "its status" : "its history", Message(status));
    if (status_refused_ && history_refused_)
      return absl::FailedPreconditionError(fmt::format("{}: {}", name_, trouble));
    SetTrouble(true, trouble);
    return absl::OkStatus();
  }
  batch.bytes += answer.bytes;
  const auto reject = [&](uint64_t size, const std::string& reason) {
    batch.parsed.rejects.push_back({{name_, received_, received_ + size}, reason});
    received_ += size;
  };
  if (!answer.json.ok()) {
    reject(answer.bytes, Message(status));
    return absl::OkStatus();
  }
  const uint64_t begin = received_;
  const uint64_t end = received_ + answer.json->size();
  const absl::StatusOr<Json> root = ParseJson(*answer.json, name_);
  const char* member = asked_ == Question::kStatus ? "dishGetStatus" : "dishGetHistory";
  if (!root.ok() || !root->is_object() || !root->contains(member) || !(*root)[member].is_object()) {
    reject(answer.json->size(), fmt::format("an answer without {}", member));
    return absl::OkStatus();
  }
  ParsedBlock parsed = Parse(*answer.json);
  received_ = end;
  if (asked_ == Question::kStatus) {
    TakeStatus((*root)[member]);
  } else {
    TakeHistory((*root)[member], begin, end, parsed);
  }
  for (Record& record : parsed.records) {
    if (record.author.empty()) record.author = dish_;
    batch.parsed.records.push_back(std::move(record));
  }
  std::move(parsed.rejects.begin(), parsed.rejects.end(), std::back_inserter(batch.parsed.rejects));
  backoff_.Reset();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!health_.connected && connected_before_) ++health_.reconnects;
  connected_before_ = true;
  health_.connected = true;
  if (!status_refused_ && !history_refused_) health_.trouble.clear();
  return absl::OkStatus();
}

void DishStream::TakeStatus(const Json& root) {
  const auto info = root.find("deviceInfo");
  if (info == root.end() || !info->is_object()) return;
  if (const std::string dish = Text(*info, "id"); !dish.empty()) {
    if (!dish_.empty() && dish != dish_) next_.reset();  // another dish at the same address
    dish_ = dish;
  }
  const std::optional<uint64_t> bootcount = Count(*info, "bootcount");
  if (!bootcount || bootcount == bootcount_) return;
  if (bootcount_) {
    next_.reset();
    history_at_ = Clock::now();
  }
  bootcount_ = bootcount;
}

// Takes out of `parsed` what was given before.
void DishStream::TakeHistory(const Json& root, uint64_t begin, uint64_t end, ParsedBlock& parsed) {
  const HistoryFacts facts = *FactsOf(root);
  // The counter starts anew when the dish boots.
  if (next_ && (facts.current < *next_ || (facts.boot != 0 && boot_ != 0 && facts.boot != boot_))) next_.reset();
  if (facts.boot != 0) boot_ = facts.boot;
  const uint64_t oldest = facts.current - std::min(facts.current, facts.ring);
  if (next_ && oldest > *next_) {
    parsed.rejects.push_back(
        {{name_, begin, end},
         fmt::format("samples {} to {} were written over before they were asked for", *next_, oldest - 1)});
  }
  std::set<std::string> happenings;
  std::erase_if(parsed.records, [&](const Record& record) {
    if (record.kind == "dish-sample") {
      for (const auto& [name, value] : record.fields) {
        if (name == "sample") return next_ && std::strtoull(value.c_str(), nullptr, 10) < *next_;
      }
      return false;
    }
    if (happenings.size() < kMostHappenings) happenings.insert(record.id);
    return given_.contains(record.id);
  });
  given_ = std::move(happenings);
  // A history with nothing in it yet is no fault.
  if (facts.current == 0) parsed.rejects.clear();
  next_ = facts.current;
  if (facts.ring > 0)
    history_at_ = Clock::now() + timing_.sample * std::clamp<int64_t>(static_cast<int64_t>(facts.ring) / 3, 1, 3600);
}

absl::StatusOr<std::optional<StreamBatch>> DishStream::Next(milliseconds wait) {
  const Clock::time_point until = Clock::now() + wait;
  StreamBatch batch;
  while (true) {
    if (client_ == nullptr) {
      const Clock::time_point now = Clock::now();
      if (now < retry_at_) std::this_thread::sleep_for(std::min(retry_at_, until) - now);
      if (Clock::now() < retry_at_) return std::nullopt;
      RETURN_IF_ERROR(Connect());
      continue;
    }
    if (!client_->busy()) {
      ASSIGN_OR_RETURN(const bool asked, AskWhatIsDue(until));
      if (!asked) return std::nullopt;
      continue;
    }
    const auto left = std::max<Clock::duration>(until - Clock::now(), Clock::duration::zero());
    std::optional<DishClient::Answer> answer = client_->Wait(std::chrono::system_clock::now() + left);
    if (!answer) return std::nullopt;
    RETURN_IF_ERROR(Take(*std::move(answer), batch));
    if (!batch.parsed.records.empty() || !batch.parsed.rejects.empty()) return batch;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stream>> OpenDishStream(const StreamUrl& url, const Json& position,
                                                       const StreamOptions& options, const DishStreamTiming& timing) {
  auto stream = std::make_unique<DishStream>(url, options, timing);
  RETURN_IF_ERROR(stream->Configure(url, position));
  return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace rhodes
