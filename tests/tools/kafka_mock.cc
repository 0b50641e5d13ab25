// A Kafka broker for tests: librdkafka's mock cluster in a process of its own, told what to do by lines on standard
// input, each answered by a line:
//   topic NAME PARTITIONS          -> ok
//   produce TOPIC FIRST COUNT      -> ok: messages {"n": N, "text": "message N"} for N of [FIRST, FIRST + COUNT), in
//   turn
//                                     to all partitions
//   raw TOPIC PARTITION BYTES      -> ok: one message, the rest of the line
//   down | up                      -> ok: the broker does not answer, or answers again
// The first line written is the address. It ends with its input.
//
// kafka_mock HOST:PORT does the same on a broker that is there: `topic` makes the topic anew, `down` and `up` do
// nothing.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <thread>

namespace {

struct Broker {
  rd_kafka_t* producer = nullptr;
  rd_kafka_mock_cluster_t* cluster = nullptr;  // null: a broker that is there
  std::map<std::string, int> partitions;
};

bool Produce(Broker& broker, const std::string& topic, int partition, const std::string& bytes) {
  while (true) {
    const rd_kafka_resp_err_t error =
        rd_kafka_producev(broker.producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
                          RD_KAFKA_V_VALUE(const_cast<char*>(bytes.data()), bytes.size()),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) return error == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_poll(broker.producer, 100);
  }
}

// Removes the topic, if it is there, and makes it.
bool MakeTopic(Broker& broker, const std::string& topic, int partitions) {
  rd_kafka_queue_t* queue = rd_kafka_queue_new(broker.producer);
  rd_kafka_DeleteTopic_t* old = rd_kafka_DeleteTopic_new(topic.c_str());
  rd_kafka_DeleteTopics(broker.producer, &old, 1, nullptr, queue);
  rd_kafka_event_destroy(rd_kafka_queue_poll(queue, 10000));
  rd_kafka_DeleteTopic_destroy(old);
  bool made = false;
  for (int attempt = 0; attempt < 20 && !made; ++attempt) {  // a removed topic's name is free a little later
    char why[512] = "";
    rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, why, sizeof(why));
    rd_kafka_CreateTopics(broker.producer, &wanted, 1, nullptr, queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 10000);
    size_t count = 0;
    const rd_kafka_topic_result_t** results =
        event == nullptr ? nullptr
                         : rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    made = count == 1 && rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(wanted);
    if (!made) std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  rd_kafka_queue_destroy(queue);
  return made;
}

bool Do(Broker& broker, const std::string& line) {
  std::istringstream words(line);
  std::string verb, topic;
  words >> verb;
  if (broker.cluster == nullptr && (verb == "down" || verb == "up")) return true;
  if (verb == "down") return rd_kafka_mock_broker_set_down(broker.cluster, 1) == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (verb == "up") return rd_kafka_mock_broker_set_up(broker.cluster, 1) == RD_KAFKA_RESP_ERR_NO_ERROR;
  words >> topic;
  if (verb == "topic") {
    int count = 1;
    words >> count;
    broker.partitions[topic] = count;
    if (broker.cluster == nullptr) return MakeTopic(broker, topic, count);
    return rd_kafka_mock_topic_create(broker.cluster, topic.c_str(), count, 1) == RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  if (verb == "raw") {
    int partition = 0;
    std::string bytes;
    words >> partition;
    words.get();
    std::getline(words, bytes);
    return Produce(broker, topic, partition, bytes) &&
           rd_kafka_flush(broker.producer, 10000) == RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  if (verb != "produce") return false;
  long first = 0, count = 0;
  size_t pad = 0;
  words >> first >> count >> pad;
  const std::string more = pad > 0 ? " " + std::string(pad, 'x') : "";
  for (long n = first; n < first + count; ++n) {
    const std::string number = std::to_string(n);
    const int partition = static_cast<int>(n % broker.partitions[topic]);
    if (!Produce(broker, topic, partition, "{\"n\": " + number + ", \"text\": \"message " + number + more + "\"}"))
      return false;
  }
  return rd_kafka_flush(broker.producer, 30000) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace

int main(int argc, char** argv) {
  Broker broker;
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char why[512] = "";
  const bool real = argc > 1;
  rd_kafka_conf_set(conf, real ? "bootstrap.servers" : "test.mock.num.brokers", real ? argv[1] : "1", why, sizeof(why));
  rd_kafka_conf_set(conf, "queue.buffering.max.messages", "100000", why, sizeof(why));
  rd_kafka_conf_set(conf, "linger.ms", "5", why, sizeof(why));
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
  broker.producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
  if (broker.producer == nullptr) return 1;
  if (!real) {
    broker.cluster = rd_kafka_handle_mock_cluster(broker.producer);
    if (broker.cluster == nullptr) return 1;
  }
  std::printf("%s\n", real ? argv[1] : rd_kafka_mock_cluster_bootstraps(broker.cluster));
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    std::puts(Do(broker, line) ? "ok" : "failed");
    std::fflush(stdout);
  }
  rd_kafka_destroy(broker.producer);
  return 0;
}
