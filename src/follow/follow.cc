#include "follow/follow.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "base/hash.h"
#include "follow/metrics.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kWait{200};          // for input, and between looks at whether to stop
constexpr milliseconds kStatusEvery{1000};  // between two status lines
constexpr milliseconds kLongestPause{60000};

double SecondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// Lets one thread have all sources closed while it works on what they store.
class Gate {
 public:
  explicit Gate(size_t members) : open_members_(members) {}

  bool closing() const { return closing_.load(std::memory_order_relaxed); }
  // A member that has closed its source: waits until the work is done.
  void Wait() {
    std::unique_lock lock(mutex_);
    --open_members_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !closing_; });
    ++open_members_;
  }
  // A member that has closed its own source and wants `work` done with all closed. When another one is at it already
  // this waits for that; its notices are on the list and are carried out there or by the next call.
  absl::Status WithAllClosed(const std::function<absl::Status()>& work) {
    std::unique_lock lock(mutex_);
    --open_members_;
    changed_.notify_all();
    if (closing_) {
      changed_.wait(lock, [&] { return !closing_; });
    }
    closing_ = true;
    changed_.wait(lock, [&] { return open_members_ == 0; });
    absl::Status status = work();
    closing_ = false;
    ++open_members_;
    changed_.notify_all();
    return status;
  }
  // A member that ends for good.
  void Leave() {
    const std::scoped_lock lock(mutex_);
    --open_members_;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t open_members_;
  std::atomic<bool> closing_{false};
};

// One source: its stream, its writer, its thread.
class Follower {
 public:
  Follower(const FollowSource& source, const FollowOptions& options, const RunContext& context, Gate& gate,
           std::atomic<bool>& stop)
      : source_(source), options_(options), context_(context), gate_(gate), stop_(stop) {
    state_.source = source.name;
    settings_ = {{"stream", std::string(source.url.scheme)}, {"format", source.url.Get("format", "auto")}};
  }

  // Opens writer and stream: what is wrong with them is told before anything runs.
  absl::Status Open() {
    RETURN_IF_ERROR(OpenWriter());
    RETURN_IF_ERROR(OpenStreamAt(writer_->position()));
    last_input_ = Clock::now();  // reading many ids takes long: that was no idleness
    return absl::OkStatus();
  }

  absl::Status Run() {
    milliseconds pause = options_.disk_pause;
    while (true) {
      absl::Status status = Loop();
      if (!absl::IsResourceExhausted(status)) {
        gate_.Leave();
        return status;
      }
      // Nothing of what was not committed is kept: the stream gives it again.
      waiting_ = true;
      Trouble(Message(status));
      context_.progress->Say(
          fmt::format("{}: {}; tried again in {} s", source_.name, Message(status), pause.count() / 1000));
      Close();
      if (!Sleep(pause)) {
        gate_.Leave();
        return absl::OkStatus();
      }
      pause = std::min(2 * pause, kLongestPause);
      if (absl::Status opened = Open(); !opened.ok() && !absl::IsResourceExhausted(opened)) {
        gate_.Leave();
        return opened;
      }
      if (stream_ != nullptr && stream_->position().is_null()) waiting_ = false;  // it cannot give anything again
      const std::scoped_lock lock(mutex_);
      ++restarts_;
    }
  }

  SourceMetrics metrics() const {
    const std::scoped_lock lock(mutex_);
    SourceMetrics state = state_;
    state.health = health_;
    return state;
  }
  FollowReport::Source report() const {
    const std::scoped_lock lock(mutex_);
    return {source_.name, state_.counts, state_.commits, health_.reconnects, restarts_};
  }
  // For how long nothing has come in. None while a full disk is waited for: what was not committed is still to come.
  double IdleSeconds() const { return waiting_ ? 0 : SecondsSince(last_input_.load()); }

 private:
  absl::Status OpenWriter() {
    ASSIGN_OR_RETURN(writer_, RecordWriter::Open(options_.out, source_.name, RecordWriter::Mode::kFollow, context_));
    if (source_.rights) writer_->SetRights(*source_.rights);
    begun_ = Clock::now();
    return absl::OkStatus();
  }
  absl::Status OpenStreamAt(const Json& state) {
    // The position is that of this address; another one begins where its scheme does.
    const bool same = state.is_object() && state.value("stream", "") == AddressKey();
    StreamOptions stream_options;
    stream_options.read = source_.read;
    stream_options.memory_bytes = context_.memory_bytes / 4;
    ASSIGN_OR_RETURN(stream_,
                     options_.open(source_.url, same ? state.value("position", Json()) : Json(), stream_options));
    return absl::OkStatus();
  }
  void Close() {
    writer_.reset();
    stream_.reset();
  }

  // Names the stream whatever its settings are: a change of credentials or pace does not begin anew.
  std::string AddressKey() const {
    return ContentId({source_.url.scheme, source_.url.host, std::to_string(source_.url.port), source_.url.path});
  }

  absl::Status Loop() {
    if (writer_ == nullptr) RETURN_IF_ERROR(Open());
    while (!stop_) {
      if (gate_.closing())
        RETURN_IF_ERROR(StandAside([&] {
          gate_.Wait();
          return absl::OkStatus();
        }));
      ASSIGN_OR_RETURN(std::optional<StreamBatch> batch, NextBatch());
      if (batch) RETURN_IF_ERROR(Store(*std::move(batch)));
      Look();
      const bool due = writer_->open_bytes() >= options_.part_bytes ||
                       (writer_->dirty() && SecondsSince(first_record_) >= options_.part_seconds);
      if (due) RETURN_IF_ERROR(Commit());
      commit_made_ = commit_made_ || due;
      if (commit_made_ && carry_out_ && options_.carry_out_notices &&
          (!options_.may_carry_out || options_.may_carry_out())) {
        carry_out_ = commit_made_ = false;
        RETURN_IF_ERROR(StandAside([&] { return gate_.WithAllClosed(options_.carry_out_notices); }));
      }
    }
    if (writer_->dirty()) RETURN_IF_ERROR(Commit());
    writer_.reset();
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<StreamBatch>> NextBatch() {
    absl::StatusOr<std::optional<StreamBatch>> batch = stream_->Next(kWait);
    if (batch.ok()) return batch;
    // What came before the error counts.
    if (writer_->dirty()) RETURN_IF_ERROR(Commit());
    return Annotate(batch.status(), source_.name);
  }

  absl::Status Store(StreamBatch batch) {
    last_input_ = Clock::now();
    if (!writer_->dirty()) first_record_ = Clock::now();
    for (Record& record : batch.parsed.records) RETURN_IF_ERROR(writer_->Append(std::move(record)));
    std::vector<std::string> reasons;
    for (Reject& reject : batch.parsed.rejects) {
      reasons.push_back(ReasonLabel(reject.reason));
      RETURN_IF_ERROR(writer_->AddReject(std::move(reject)));
    }
    writer_->AddBytes(batch.bytes);
    if (writer_->has_notices()) carry_out_ = true;
    const std::scoped_lock lock(mutex_);
    for (const std::string& reason : reasons) state_.CountReject(reason);
    state_.counts = counted_ + writer_->counts();
    return absl::OkStatus();
  }

  absl::Status Commit() {
    std::shared_lock<std::shared_mutex> gate;
    if (options_.commits != nullptr) gate = std::shared_lock(*options_.commits);
    const Json position = stream_->position();
    const Json state = {{"stream", AddressKey()}, {"position", position}};
    RETURN_IF_ERROR(writer_->Checkpoint("follow", settings_, state, SecondsSince(begun_)));
    if (gate) gate.unlock();
    waiting_ = false;
    begun_ = Clock::now();
    RETURN_IF_ERROR(stream_->Acknowledge(position));
    FollowCommit commit;
    {
      const std::scoped_lock lock(mutex_);
      ++state_.commits;
      state_.last_commit =
          std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
      state_.trouble.clear();
      commit = {source_.name, state_.counts};
    }
    if (options_.on_commit) options_.on_commit(commit);
    return absl::OkStatus();
  }

  // Gives the source's lock up while `wait` runs.
  absl::Status StandAside(const std::function<absl::Status()>& wait) {
    if (writer_->dirty()) RETURN_IF_ERROR(Commit());
    counted_ = counted_ + writer_->counts();
    writer_.reset();
    RETURN_IF_ERROR(wait());
    return OpenWriter();
  }

  void Look() {
    StreamHealth health = stream_->health();
    const std::scoped_lock lock(mutex_);
    health_ = std::move(health);
  }
  void Trouble(std::string text) {
    const std::scoped_lock lock(mutex_);
    state_.trouble = std::move(text);
    // What was not committed is counted again when it comes again.
    state_.counts = counted_;
  }
  // False when it is time to stop.
  bool Sleep(milliseconds pause) const {
    const Clock::time_point until = Clock::now() + pause;
    while (!stop_ && Clock::now() < until) std::this_thread::sleep_for(std::min(pause, kWait));
    return !stop_;
  }

  const FollowSource& source_;
  const FollowOptions& options_;
  const RunContext context_;
  Gate& gate_;
  std::atomic<bool>& stop_;
  Json settings_;
  std::unique_ptr<RecordWriter> writer_;
  std::unique_ptr<Stream> stream_;
  Clock::time_point begun_, first_record_;
  IngestCounts counted_;      // of writers before this one
  bool carry_out_ = false;    // notices came in
  bool commit_made_ = false;  // a commit was made since
  std::atomic<bool> waiting_{false};
  std::atomic<Clock::time_point> last_input_{Clock::now()};
  mutable std::mutex mutex_;
  SourceMetrics state_;
  StreamHealth health_;
  uint64_t restarts_ = 0;
};

class FollowRun {
 public:
  FollowRun(const FollowOptions& options, RunContext& context)
      : options_(options), context_(context), gate_(options.sources.size()) {}

  absl::StatusOr<FollowReport> Run() {
    const Clock::time_point begun = Clock::now();
    RETURN_IF_ERROR(Prepare());
    std::vector<std::thread> threads;
    for (const std::unique_ptr<Follower>& follower : followers_) {
      threads.emplace_back([this, &follower] {
        const absl::Status status = follower->Run();
        const std::scoped_lock lock(mutex_);
        ++ended_;
        if (!status.ok() && error_.ok()) error_ = status;
        if (!status.ok()) stop_ = true;
        changed_.notify_all();
      });
    }
    Watch();
    for (std::thread& thread : threads) thread.join();
    context_.progress->End();
    RETURN_IF_ERROR(error_);
    RETURN_IF_ERROR(context_.CheckCancelled());
    FollowReport report;
    for (const std::unique_ptr<Follower>& follower : followers_) report.sources.push_back(follower->report());
    report.seconds = SecondsSince(begun);
    return report;
  }

 private:
  absl::Status Prepare() {
    if (options_.sources.empty())
      return UsageError("following needs a source: --source kafka://…, http://…, dir:///… or grpc://…");
    std::set<std::string> names;
    for (const FollowSource& source : options_.sources) {
      if (!names.insert(source.name).second) {
        return UsageError(fmt::format("two streams are called \"{}\": give one another name with name=", source.name));
      }
      RunContext share = context_;
      share.memory_bytes = context_.memory_bytes / options_.sources.size();
      followers_.push_back(std::make_unique<Follower>(source, options_, share, gate_, stop_));
      RETURN_IF_ERROR(Annotate(followers_.back()->Open(), source.name));
    }
    if (options_.metrics_port == 0) return absl::OkStatus();
    ASSIGN_OR_RETURN(metrics_, MetricsServer::Start(options_.metrics_port, [this] { return All(); }));
    return absl::OkStatus();
  }

  std::vector<SourceMetrics> All() const {
    std::vector<SourceMetrics> all;
    for (const std::unique_ptr<Follower>& follower : followers_) all.push_back(follower->metrics());
    return all;
  }

  // Shows the state and sees when it is time to stop.
  void Watch() {
    context_.progress->Begin("follow", 0, "records");
    std::unique_lock lock(mutex_);
    Clock::time_point shown{};
    while (ended_ < followers_.size()) {
      changed_.wait_for(lock, kWait);
      if (!context_.CheckCancelled().ok() || Idle()) stop_ = true;
      if (Clock::now() - shown < kStatusEvery) continue;
      shown = Clock::now();
      lock.unlock();
      Show();
      lock.lock();
    }
  }

  bool Idle() const {
    if (options_.stop_after_idle <= 0) return false;
    return std::all_of(followers_.begin(), followers_.end(), [&](const std::unique_ptr<Follower>& follower) {
      return follower->IdleSeconds() >= options_.stop_after_idle;
    });
  }

  void Show() {
    uint64_t read = 0;
    std::string note;
    for (const SourceMetrics& source : All()) {
      read += source.counts.read;
      const std::string& trouble = source.trouble.empty() ? source.health.trouble : source.trouble;
      note += fmt::format("{}{}: {} stored, {} duplicates, {} rejected", note.empty() ? "" : "; ", source.source,
                          source.counts.stored, source.counts.duplicates, source.counts.rejected);
      if (source.health.behind) note += fmt::format(", {} behind", *source.health.behind);
      if (!trouble.empty()) note += " (" + trouble + ")";
    }
    context_.progress->Update(read, note);
  }

  const FollowOptions& options_;
  RunContext& context_;
  Gate gate_;
  std::atomic<bool> stop_{false};
  std::vector<std::unique_ptr<Follower>> followers_;
  std::unique_ptr<MetricsServer> metrics_;  // gone before the followers
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t ended_ = 0;
  absl::Status error_;
};

}  // namespace

Json ToJson(const FollowReport& report) {
  Json sources = Json::array();
  for (const FollowReport::Source& source : report.sources) {
    const IngestCounts& counts = source.counts;
    sources.push_back({{"name", source.name},
                       {"read", counts.read},
                       {"stored", counts.stored},
                       {"duplicates", counts.duplicates},
                       {"rejected", counts.rejected},
                       {"bytes", counts.bytes},
                       {"commits", source.commits},
                       {"reconnects", source.reconnects},
                       {"restarts", source.restarts}});
  }
  return {{"sources", std::move(sources)}, {"seconds", report.seconds}};
}

absl::StatusOr<FollowReport> Follow(const FollowOptions& options, RunContext& context) {
  return FollowRun(options, context).Run();
}

}  // namespace rhodes
