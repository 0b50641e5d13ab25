// The limit beside which following is measured: a consumer that only takes messages and forgets them.
//   bench_kafka_consume ADDRESS TOPIC MESSAGES
// Reads all partitions of the topic from their beginnings, with the settings that the follower has, until it has seen
// so many messages. Prints one line of JSON: seconds (from the first message on), bytes, rates.
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace {

using Clock = std::chrono::steady_clock;

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

bool AssignAll(rd_kafka_t* client, const char* name) {
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, name, nullptr);
  const struct rd_kafka_metadata* metadata = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, topic, &metadata, 10000);
  rd_kafka_topic_destroy(topic);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  rd_kafka_topic_partition_list_t* partitions = rd_kafka_topic_partition_list_new(8);
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) {
    rd_kafka_topic_partition_list_add(partitions, name, metadata->topics[0].partitions[i].id)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_metadata_destroy(metadata);
  const bool assigned = rd_kafka_assign(client, partitions) == RD_KAFKA_RESP_ERR_NO_ERROR;
  rd_kafka_topic_partition_list_destroy(partitions);
  return assigned;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "usage: bench_kafka_consume ADDRESS TOPIC MESSAGES\n");
    return 2;
  }
  const long wanted = std::atol(arguments[3]);
  char why[512] = "";
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] :
       {std::pair{"bootstrap.servers", static_cast<const char*>(arguments[1])}, std::pair{"group.id", "bench-consume"},
        std::pair{"enable.auto.commit", "false"}, std::pair{"isolation.level", "read_committed"},
        std::pair{"queued.max.messages.kbytes", "65536"}, std::pair{"fetch.message.max.bytes", "8388608"},
        std::pair{"fetch.wait.max.ms", "100"}}) {
    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
      std::fprintf(stderr, "%s\n", why);
      return 1;
    }
  }
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
  if (client == nullptr) return 1;
  rd_kafka_poll_set_consumer(client);
  if (!AssignAll(client, arguments[2])) {
    std::fprintf(stderr, "%s: no such topic\n", arguments[2]);
    return 1;
  }
  long seen = 0;
  double bytes = 0;
  Clock::time_point begun;
  while (seen < wanted) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client, 10000);
    if (message == nullptr) {
      std::fprintf(stderr, "nothing more came after %ld messages\n", seen);
      return 1;
    }
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (seen++ == 0) begun = Clock::now();
      bytes += static_cast<double>(message->len);
    }
    rd_kafka_message_destroy(message);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  std::printf(
      "{\"seconds\": %.3f, \"megabytes_per_second\": %.1f, \"records_per_second\": %.0f, "
      "\"processor_seconds\": %.2f}\n",
      seconds, bytes / 1e6 / seconds, static_cast<double>(seen) / seconds, ProcessorSeconds());
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  return 0;
}
