// How fast librdkafka alone hands a topic out: the limit of whatever reads it. Stores nothing and looks at nothing.
//   bench_kafka_consume HOST:PORT TOPIC MESSAGES [--batch]
// --batch polls as many messages at a time as are there, not one. Prints one JSON object.
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

namespace {

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

bool Set(rd_kafka_conf_t* conf, const char* name, const char* value) {
  std::array<char, 256> why{};
  if (rd_kafka_conf_set(conf, name, value, why.data(), why.size()) == RD_KAFKA_CONF_OK) return true;
  fmt::print(stderr, "{}\n", why.data());
  return false;
}

// All partitions of `topic` from their beginnings.
bool AssignAll(rd_kafka_t* client, const char* topic) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic, nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, handle, &metadata, 10000);
  rd_kafka_topic_destroy(handle);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(64);
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) {
    rd_kafka_topic_partition_list_add(list, topic, metadata->topics[0].partitions[i].id)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_metadata_destroy(metadata);
  const bool assigned = rd_kafka_assign(client, list) == RD_KAFKA_RESP_ERR_NO_ERROR;
  rd_kafka_topic_partition_list_destroy(list);
  return assigned;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: bench_kafka_consume HOST:PORT TOPIC MESSAGES [--batch]\n");
    return 2;
  }
  const uint64_t wanted = std::strtoull(argv[3], nullptr, 10);
  const bool in_batches = argc > 4 && std::string(argv[4]) == "--batch";
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : {std::pair{"bootstrap.servers", static_cast<const char*>(argv[1])},
                                    {"group.id", "bench"},
                                    {"enable.auto.commit", "false"},
                                    {"fetch.wait.max.ms", "100"},
                                    {"fetch.message.max.bytes", "8388608"},
                                    {"queued.max.messages.kbytes", "262144"}}) {
    if (!Set(conf, name, value)) return 1;
  }
  std::array<char, 256> why{};
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why.data(), why.size());
  if (client == nullptr) {
    fmt::print(stderr, "{}\n", why.data());
    return 1;
  }
  rd_kafka_poll_set_consumer(client);
  const auto begun = std::chrono::steady_clock::now();
  if (!AssignAll(client, argv[2])) return 1;
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(client);
  uint64_t messages = 0;
  uint64_t bytes = 0;
  const auto take = [&](rd_kafka_message_t* message) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++messages;
      bytes += message->len;
    }
    rd_kafka_message_destroy(message);
  };
  std::array<rd_kafka_message_t*, 4096> batch{};
  while (messages < wanted) {
    if (in_batches) {
      const auto count = rd_kafka_consume_batch_queue(queue, 100, batch.data(), batch.size());
      for (ssize_t i = 0; i < count; ++i) take(batch[static_cast<size_t>(i)]);
    } else if (rd_kafka_message_t* message = rd_kafka_consumer_poll(client, 100); message != nullptr) {
      take(message);
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const double processor = ProcessorSeconds();
  fmt::print(
      "{{\"seconds\":{:.3f},\"megabytes_per_second\":{:.1f},\"records_per_second\":{:.0f},\"processor_seconds\":{:.2f},"
      "\"records_per_processor_second\":{:.0f}}}\n",
      seconds, static_cast<double>(bytes) / 1e6 / seconds, static_cast<double>(messages) / seconds, processor,
      static_cast<double>(messages) / processor);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  return 0;
}
