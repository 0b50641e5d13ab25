#include "follow/kafka_stream.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "follow/message_parser.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBatchBytes = size_t{4} << 20;
constexpr size_t kBatchMessages = 32768;
constexpr size_t kPolledMessages = 1024;
constexpr int kQueryMilliseconds = 10000;
constexpr auto kGather = std::chrono::milliseconds(50);  // after the first message of a batch
constexpr std::array<std::string_view, 5> kOurs = {"enable.auto.commit", "enable.auto.offset.store",
                                                   "auto.offset.reset", "group.id", "bootstrap.servers"};

struct MessageDeleter {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using OwnedMessage = std::unique_ptr<rd_kafka_message_t, MessageDeleter>;

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using OwnedList = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

struct QueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
using OwnedQueue = std::unique_ptr<rd_kafka_queue_t, QueueDeleter>;

absl::Status Set(rd_kafka_conf_t* conf, std::string_view name, const std::string& value) {
  char why[512] = "";
  if (rd_kafka_conf_set(conf, std::string(name).c_str(), value.c_str(), why, sizeof(why)) == RD_KAFKA_CONF_OK) {
    return absl::OkStatus();
  }
  return UsageError(fmt::format("kafka: {}", why));
}

absl::Status ReadConfig(const std::string& path, rd_kafka_conf_t* conf) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return UsageError(fmt::format("kafka: config={}: {}", path, Message(text.status())));
  int number = 0;
  for (std::string_view line : Split(*text, '\n')) {
    ++number;
    line = Trim(line);
    if (line.empty() || line.front() == '#') continue;
    const size_t equals = line.find('=');
    const std::string_view name = Trim(line.substr(0, equals));
    if (equals == std::string_view::npos) {
      return UsageError(fmt::format("{}:{}: write NAME=VALUE, as librdkafka's settings are", path, number));
    }
    if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) {
      return UsageError(fmt::format("{}:{}: {} is Rhodes' to set", path, number, name));
    }
    const absl::Status set = Set(conf, name, std::string(Trim(line.substr(equals + 1))));
    if (!set.ok()) return UsageError(fmt::format("{}:{}: {}", path, number, Message(set)));
  }
  return absl::OkStatus();
}

class KafkaStream final : public Stream {
 public:
  KafkaStream(std::string topic, std::string member, MessageParser parser, std::map<int32_t, int64_t> next,
              bool from_latest)
      : topic_(std::move(topic)),
        member_(std::move(member)),
        parser_(std::move(parser)),
        next_(std::move(next)),
        from_latest_(from_latest) {}

  ~KafkaStream() override {
    if (client_ == nullptr) return;
    queue_.reset();
    rd_kafka_consumer_close(client_);
    rd_kafka_destroy(client_);
  }

  absl::Status Start(const StreamUrl& url, uint64_t memory_bytes) {
    RETURN_IF_ERROR(ReadPartitions(url));
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    absl::Status configured = Configure(url, memory_bytes, conf);
    if (!configured.ok()) {
      rd_kafka_conf_destroy(conf);
      return configured;
    }
    char why[512] = "";
    client_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));  // takes conf
    if (client_ == nullptr) {
      rd_kafka_conf_destroy(conf);
      return UsageError(fmt::format("kafka: {}", why));
    }
    rd_kafka_poll_set_consumer(client_);
    queue_.reset(rd_kafka_queue_get_consumer(client_));
    if (manual_) return absl::OkStatus();
    const OwnedList topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), topic_.c_str(), RD_KAFKA_PARTITION_UA);
    const rd_kafka_resp_err_t error = rd_kafka_subscribe(client_, topics.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return UsageError(fmt::format("kafka: {}: {}", topic_, rd_kafka_err2str(error)));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<StreamBatch>> Next(std::chrono::milliseconds wait) override;

  Json position() const override {
    Json partitions = Json::object();
    for (const auto& [partition, offset] : next_) partitions[std::to_string(partition)] = offset;
    return {{"format", std::string(parser_.format())}, {"member", member_}, {"partitions", std::move(partitions)}};
  }

  absl::Status Acknowledge(const Json& position) override {
    const OwnedList offsets(rd_kafka_topic_partition_list_new(8));
    const Json partitions = position.value("partitions", Json::object());
    for (const auto& [name, offset] : partitions.items()) {
      const int32_t partition = std::stoi(name);
      if (!assigned_.contains(partition)) continue;
      rd_kafka_topic_partition_list_add(offsets.get(), topic_.c_str(), partition)->offset = offset.get<int64_t>();
    }
    // The manifest holds the truth; the group's offsets only follow it, so a commit that fails is made good by the
    // next.
    if (offsets->cnt > 0) rd_kafka_commit(client_, offsets.get(), 1);
    return absl::OkStatus();
  }

  StreamHealth health() const override {
    const std::scoped_lock lock(mutex_);
    return health_;
  }

 private:
  absl::Status Configure(const StreamUrl& url, uint64_t memory_bytes, rd_kafka_conf_t* conf);
  absl::Status ReadPartitions(const StreamUrl& url);
  static void OnError(rd_kafka_t* client, int error, const char* reason, void* opaque);
  void SetOffsets(rd_kafka_topic_partition_list_t& partitions);
  // Manual: takes the partitions that are asked for as soon as the broker tells them, and those that are added later.
  absl::Status AssignManually();
  static void OnRebalance(rd_kafka_t* client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                          void* opaque);
  std::string AddressOf(int32_t partition) const { return fmt::format("kafka://{}/{}", topic_, partition); }
  // An event that is no message.
  absl::Status Handle(const rd_kafka_message_t& event, ParsedBlock& out);
  absl::Status Restart(int32_t partition, ParsedBlock& out);
  void Poll(int milliseconds, std::vector<OwnedMessage>& polled);
  void Parse(std::vector<OwnedMessage>& messages, StreamBatch& batch);
  void LookAtLag();

  const std::string topic_;
  const std::string member_;  // of the group
  MessageParser parser_;
  std::map<int32_t, int64_t> next_;  // by partition: the offset behind all that was given out
  std::map<int32_t, bool> assigned_;
  std::set<int32_t> given_up_;  // were ours once, in this process, and then perhaps another member's
  const bool from_latest_;
  rd_kafka_t* client_ = nullptr;
  OwnedQueue queue_;  // the client's; gone before it
  bool manual_ = false;
  std::vector<int32_t> wanted_;  // manual; empty: all
  Clock::time_point partitions_looked_at_{};
  Clock::time_point lag_looked_at_{};
  mutable std::mutex mutex_;
  StreamHealth health_;
};

absl::Status KafkaStream::Configure(const StreamUrl& url, uint64_t memory_bytes, rd_kafka_conf_t* conf) {
  RETURN_IF_ERROR(Set(conf, "session.timeout.ms", "10000"));
  // Bytes alone bound the queue. With the default of 100,000 messages it is full after a third of a second, and then
  // librdkafka fetches nothing for up to a second.
  RETURN_IF_ERROR(Set(conf, "queued.min.messages", "10000000"));
  if (const std::string config = url.Get("config"); !config.empty()) RETURN_IF_ERROR(ReadConfig(config, conf));
  const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  RETURN_IF_ERROR(Set(conf, "bootstrap.servers", fmt::format("{}:{}", host, url.port)));
  RETURN_IF_ERROR(Set(conf, "group.id", url.Get("group", "rhodes-" + topic_)));
  // A fixed member: killed and started again it takes its own place at once, where a new one would wait until the
  // broker has missed the dead one for session.timeout.ms.
  if (!manual_) RETURN_IF_ERROR(Set(conf, "group.instance.id", member_));
  RETURN_IF_ERROR(Set(conf, "enable.auto.commit", "false"));
  RETURN_IF_ERROR(Set(conf, "enable.auto.offset.store", "false"));
  // An offset that is not there any more is told, not jumped over.
  RETURN_IF_ERROR(Set(conf, "auto.offset.reset", "error"));
  RETURN_IF_ERROR(Set(conf, "isolation.level", "read_committed"));
  RETURN_IF_ERROR(Set(conf, "partition.assignment.strategy", "range,roundrobin"));
  RETURN_IF_ERROR(Set(conf, "allow.auto.create.topics", "false"));
  // A slow disk must not look like a dead member.
  RETURN_IF_ERROR(Set(conf, "max.poll.interval.ms", "3600000"));
  const uint64_t kilobytes = std::clamp<uint64_t>(memory_bytes / 2 / 1024, 1024, 1 << 20);
  RETURN_IF_ERROR(Set(conf, "queued.max.messages.kbytes", std::to_string(kilobytes)));
  RETURN_IF_ERROR(Set(conf, "fetch.message.max.bytes", std::to_string(std::min<uint64_t>(kilobytes * 512, 8 << 20))));
  RETURN_IF_ERROR(Set(conf, "fetch.wait.max.ms", "100"));
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_error_cb(conf, &OnError);
  rd_kafka_conf_set_rebalance_cb(conf, &OnRebalance);
  rd_kafka_conf_set_log_cb(conf,
                           [](const rd_kafka_t*, int, const char*, const char*) {});  // library code does not print
  return absl::OkStatus();
}

absl::Status KafkaStream::ReadPartitions(const StreamUrl& url) {
  const std::string text = url.Get("partitions", "group");
  manual_ = text != "group";
  if (!manual_ || text == "all") return absl::OkStatus();
  for (const std::string_view word : Split(text, ',')) {
    int32_t partition = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), partition);
    if (error != std::errc() || end != word.data() + word.size() || partition < 0) {
      return UsageError(
          fmt::format("--source {}: partitions={}: write group, all, or numbers such as 0,3", url.text, text));
    }
    wanted_.push_back(partition);
  }
  return absl::OkStatus();
}

absl::Status KafkaStream::AssignManually() {
  const auto pause = assigned_.empty() ? std::chrono::seconds(1) : std::chrono::seconds(60);
  if (Clock::now() - partitions_looked_at_ < pause) return absl::OkStatus();
  partitions_looked_at_ = Clock::now();
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client_, topic_.c_str(), nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(client_, 0, topic, &metadata, 2000);
  rd_kafka_topic_destroy(topic);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const std::scoped_lock lock(mutex_);
    health_.trouble = rd_kafka_err2str(error);
    return absl::OkStatus();
  }
  const OwnedList partitions(rd_kafka_topic_partition_list_new(8));
  std::vector<int32_t> found;
  const rd_kafka_resp_err_t topic_error =
      metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  for (int i = 0; metadata->topic_cnt == 1 && i < metadata->topics[0].partition_cnt; ++i) {
    found.push_back(metadata->topics[0].partitions[i].id);
  }
  rd_kafka_metadata_destroy(metadata);
  if (topic_error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
    return absl::NotFoundError(fmt::format("kafka: there is no topic \"{}\"", topic_));
  }
  for (const int32_t partition : wanted_) {
    if (std::find(found.begin(), found.end(), partition) == found.end()) {
      return absl::NotFoundError(
          fmt::format("kafka: topic \"{}\" has {} partitions, no {}", topic_, found.size(), partition));
    }
  }
  const std::vector<int32_t>& taken = wanted_.empty() ? found : wanted_;
  if (taken.size() == assigned_.size()) return absl::OkStatus();
  for (const int32_t partition : taken) {
    rd_kafka_topic_partition_list_add(partitions.get(), topic_.c_str(), partition);
    assigned_[partition] = true;
  }
  SetOffsets(*partitions);
  rd_kafka_assign(client_, partitions.get());
  const std::scoped_lock lock(mutex_);
  health_.connected = true;
  health_.trouble.clear();
  return absl::OkStatus();
}

void KafkaStream::OnError(rd_kafka_t* /*client*/, int error, const char* reason, void* opaque) {
  auto& self = *static_cast<KafkaStream*>(opaque);
  const std::scoped_lock lock(self.mutex_);
  self.health_.trouble = reason;
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && self.health_.connected) {
    self.health_.connected = false;
    ++self.health_.reconnects;
  }
}

void KafkaStream::OnRebalance(rd_kafka_t* client, rd_kafka_resp_err_t error,
                              rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  auto& self = *static_cast<KafkaStream*>(opaque);
  if (error != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    for (const auto& [partition, taken] : self.assigned_) self.given_up_.insert(partition);
    self.assigned_.clear();
    rd_kafka_assign(client, nullptr);
    return;
  }
  for (int i = 0; i < partitions->cnt; ++i) {
    rd_kafka_topic_partition_t& partition = partitions->elems[i];
    self.assigned_[partition.partition] = true;
  }
  self.SetOffsets(*partitions);
  rd_kafka_assign(client, partitions);
  const std::scoped_lock lock(self.mutex_);
  self.health_.connected = true;
  self.health_.trouble.clear();
}

// Where each partition is to be read: behind what we had, else behind what the group committed, else where `from` says.
// A partition that was another member's meanwhile goes on behind what that one committed: it is in that one's folder.
void KafkaStream::SetOffsets(rd_kafka_topic_partition_list_t& partitions) {
  const OwnedList unknown(rd_kafka_topic_partition_list_new(partitions.cnt));
  for (int i = 0; i < partitions.cnt; ++i) {
    rd_kafka_topic_partition_t& partition = partitions.elems[i];
    const auto next = next_.find(partition.partition);
    if (next != next_.end()) partition.offset = next->second;
    if (next == next_.end() || given_up_.contains(partition.partition)) {
      rd_kafka_topic_partition_list_add(unknown.get(), topic_.c_str(), partition.partition);
    }
  }
  if (unknown->cnt == 0) return;
  // When the broker does not answer, librdkafka asks again by itself: RD_KAFKA_OFFSET_STORED.
  const bool answered = rd_kafka_committed(client_, unknown.get(), kQueryMilliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR;
  for (int i = 0; i < unknown->cnt; ++i) {
    const rd_kafka_topic_partition_t& asked = unknown->elems[i];
    rd_kafka_topic_partition_t* partition =
        rd_kafka_topic_partition_list_find(&partitions, topic_.c_str(), asked.partition);
    given_up_.erase(asked.partition);
    if (const auto next = next_.find(asked.partition); next != next_.end()) {
      // Our own commits are never ahead of what we gave out.
      if (answered && asked.offset > next->second) next->second = partition->offset = asked.offset;
    } else if (!answered) {
      partition->offset = RD_KAFKA_OFFSET_STORED;
    } else if (asked.offset >= 0) {
      partition->offset = asked.offset;
    } else {
      partition->offset = from_latest_ ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    }
  }
}

// Waits for a message and takes those that are there with it: one at a time costs four clock readings each.
void KafkaStream::Poll(int milliseconds, std::vector<OwnedMessage>& polled) {
  polled.clear();
  OwnedMessage first(rd_kafka_consumer_poll(client_, milliseconds));
  if (first == nullptr) return;
  polled.push_back(std::move(first));
  std::array<rd_kafka_message_t*, kPolledMessages> more{};
  const ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), 0, more.data(), more.size());
  for (ssize_t i = 0; i < count; ++i) polled.emplace_back(more[static_cast<size_t>(i)]);
}

absl::StatusOr<std::optional<StreamBatch>> KafkaStream::Next(std::chrono::milliseconds wait) {
  if (manual_) RETURN_IF_ERROR(AssignManually());
  const Clock::time_point begun = Clock::now();
  StreamBatch batch;
  std::vector<OwnedMessage> messages;
  std::optional<Clock::time_point> first;
  std::vector<OwnedMessage> polled;
  while (batch.bytes < kBatchBytes && messages.size() < kBatchMessages) {
    const Clock::time_point until = first ? std::min(*first + kGather, begun + wait + kGather) : begun + wait;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    Poll(static_cast<int>(std::max<int64_t>(left, 0)), polled);
    if (polled.empty() && Clock::now() >= until) break;
    for (OwnedMessage& message : polled) {
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        RETURN_IF_ERROR(Handle(*message, batch.parsed));
        continue;
      }
      // What was fetched before a seek or for a partition that moved away and came back.
      int64_t& next = next_.try_emplace(message->partition, message->offset).first->second;
      if (message->offset < next) continue;
      next = message->offset + 1;
      batch.bytes += message->len;
      messages.push_back(std::move(message));
    }
    if (!first && !messages.empty()) first = Clock::now();
  }
  Parse(messages, batch);
  LookAtLag();
  if (messages.empty() && batch.parsed.rejects.empty()) return std::optional<StreamBatch>();
  return std::optional<StreamBatch>(std::move(batch));
}

void KafkaStream::Parse(std::vector<OwnedMessage>& messages, StreamBatch& batch) {
  // By partition, each in its order: a stable order whatever the broker interleaves.
  std::stable_sort(messages.begin(), messages.end(),
                   [](const OwnedMessage& a, const OwnedMessage& b) { return a->partition < b->partition; });
  std::vector<QueueMessage> run;
  batch.parsed.records.reserve(messages.size());
  for (size_t i = 0; i < messages.size();) {
    const int32_t partition = messages[i]->partition;
    run.clear();
    for (; i < messages.size() && messages[i]->partition == partition; ++i) {
      const rd_kafka_message_t& message = *messages[i];
      const auto offset = static_cast<uint64_t>(message.offset);
      if (message.payload == nullptr) {
        batch.parsed.rejects.push_back(
            {{AddressOf(partition), offset, offset + 1}, "a tombstone: the message has no value"});
        continue;
      }
      run.push_back({{static_cast<const char*>(message.payload), message.len}, offset});
    }
    parser_.Parse(AddressOf(partition), run, batch.parsed);
  }
}

absl::Status KafkaStream::Handle(const rd_kafka_message_t& event, ParsedBlock& out) {
  switch (event.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return absl::OkStatus();
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__NO_OFFSET:
      return Restart(event.partition, out);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      return absl::NotFoundError(fmt::format("kafka: there is no topic \"{}\" (any more)", topic_));
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return absl::PermissionDeniedError(
          fmt::format("kafka: topic \"{}\": {}", topic_, rd_kafka_message_errstr(&event)));
    default: {
      const std::scoped_lock lock(mutex_);
      health_.trouble = rd_kafka_message_errstr(&event);
      return absl::OkStatus();
    }
  }
}

// The offset that was asked for is not there: none was ever stored, or the broker deleted what it points to.
absl::Status KafkaStream::Restart(int32_t partition, ParsedBlock& out) {
  int64_t low = 0, high = 0;
  const rd_kafka_resp_err_t queried =
      rd_kafka_query_watermark_offsets(client_, topic_.c_str(), partition, &low, &high, kQueryMilliseconds);
  if (queried != RD_KAFKA_RESP_ERR_NO_ERROR) {
    // Asked again from the offset that we want: the event comes back.
    low = next_.contains(partition) ? next_[partition] : RD_KAFKA_OFFSET_BEGINNING;
  } else if (const auto next = next_.find(partition); next == next_.end()) {
    if (from_latest_) low = high;
  } else if (next->second < low) {
    out.rejects.push_back({{AddressOf(partition), static_cast<uint64_t>(next->second), static_cast<uint64_t>(low)},
                           fmt::format("the broker deleted {} messages before they were read (its retention is "
                                       "shorter than the time nobody read)",
                                       low - next->second)});
    next->second = low;
  } else {
    out.rejects.push_back({{AddressOf(partition), static_cast<uint64_t>(low), static_cast<uint64_t>(next->second)},
                           fmt::format("the topic was made anew or cut short: it ends at {}, and {} was read already; "
                                       "reading goes on at {}",
                                       high, next->second, low)});
    next->second = low;
  }
  if (queried == RD_KAFKA_RESP_ERR_NO_ERROR) next_[partition] = low;
  // A partition whose offset was refused is not being read, so that it cannot seek: all are assigned anew.
  rd_kafka_topic_partition_list_t* assignment = nullptr;
  rd_kafka_resp_err_t error = rd_kafka_assignment(client_, &assignment);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const OwnedList owned(assignment);
    SetOffsets(*assignment);
    error = rd_kafka_assign(client_, assignment);
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const std::scoped_lock lock(mutex_);
    health_.trouble = fmt::format("partition {}: {}", partition, rd_kafka_err2str(error));
  }
  return absl::OkStatus();
}

void KafkaStream::LookAtLag() {
  const Clock::time_point now = Clock::now();
  if (now - lag_looked_at_ < std::chrono::seconds(1)) return;
  lag_looked_at_ = now;
  uint64_t behind = 0;
  bool known = false;
  for (const auto& [partition, next] : next_) {
    int64_t low = 0, high = 0;
    if (rd_kafka_get_watermark_offsets(client_, topic_.c_str(), partition, &low, &high) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      continue;
    }
    known = known || high >= 0;
    if (high > next) behind += static_cast<uint64_t>(high - next);
  }
  const std::scoped_lock lock(mutex_);
  if (known) health_.behind = behind;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stream>> OpenKafkaStream(const StreamUrl& url, const Json& position,
                                                        const StreamOptions& options) {
  const std::string topic = url.path.substr(1);
  if (topic.empty() || topic.find('/') != std::string::npos) {
    return UsageError(fmt::format("--source {}: \"{}\" is no topic", url.text, topic));
  }
  const std::string from = url.Get("from", "earliest");
  if (from != "earliest" && from != "latest") {
    return UsageError(fmt::format("--source {}: from={}: write earliest or latest", url.text, from));
  }
  std::string format = url.Get("format", "auto");
  std::map<int32_t, int64_t> next;
  std::string member;
  if (position.is_object()) {
    member = position.value("member", "");
    if (format == "auto") format = position.value("format", "auto");
    const Json partitions = position.value("partitions", Json::object());
    for (const auto& [name, offset] : partitions.items()) {
      int32_t partition = -1;
      std::from_chars(name.data(), name.data() + name.size(), partition);
      if (partition < 0 || !offset.is_number_integer()) {
        return absl::DataLossError(
            fmt::format("kafka: the stored position of \"{}\" is damaged: {}", topic, DumpJson(position)));
      }
      next[partition] = offset.get<int64_t>();
    }
  }
  ASSIGN_OR_RETURN(MessageParser parser, MessageParser::Create(format, options.read));
  if (member.empty()) {
    std::random_device random;
    member = fmt::format("rhodes-{:08x}{:08x}", random(), random());
  }
  auto stream =
      std::make_unique<KafkaStream>(topic, std::move(member), std::move(parser), std::move(next), from == "latest");
  RETURN_IF_ERROR(stream->Start(url, options.memory_bytes));
  return stream;
}

}  // namespace rhodes
