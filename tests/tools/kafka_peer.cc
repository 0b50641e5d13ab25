// The other side of a real Kafka broker, for tests: kafka_peer ADDRESS, told what to do by lines on standard input,
// each answered by "ok" or "failed: WHY".
//   topic NAME PARTITIONS            makes a topic
//   produce TOPIC FIRST COUNT        messages {"n": N, "text": "message N"} for N of [FIRST, FIRST + COUNT), in turn to
//                                    all partitions
//   aborted TOPIC FIRST COUNT        the same in a transaction that is aborted
//   committed TOPIC FIRST COUNT      the same in a transaction that is committed
//   trim TOPIC PARTITION OFFSET      deletes what is before the offset, as retention does
#include <librdkafka/rdkafka.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

namespace {

struct Peer {
  std::string address;
  rd_kafka_t* plain = nullptr;
  rd_kafka_t* transactional = nullptr;
  std::map<std::string, int> partitions;
};

rd_kafka_t* NewProducer(const std::string& address, const char* transactional_id) {
  char why[512] = "";
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", address.c_str(), why, sizeof(why));
  rd_kafka_conf_set(conf, "linger.ms", "5", why, sizeof(why));
  rd_kafka_conf_set(conf, "enable.idempotence", "true", why, sizeof(why));
  if (transactional_id != nullptr) rd_kafka_conf_set(conf, "transactional.id", transactional_id, why, sizeof(why));
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
  return rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
}

std::string Told(rd_kafka_error_t* error) {
  if (error == nullptr) return "";
  std::string why = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  return why;
}

// Waits for the answer to an administrative request.
std::string Await(rd_kafka_queue_t* queue) {
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30000);
  std::string why = event == nullptr ? "no answer" : "";
  if (event != nullptr && rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    why = rd_kafka_event_error_string(event);
  }
  if (event != nullptr) rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  return why;
}

std::string MakeTopic(Peer& peer, const std::string& name, int partitions) {
  char why[512] = "";
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, why, sizeof(why));
  if (topic == nullptr) return why;
  rd_kafka_queue_t* queue = rd_kafka_queue_new(peer.plain);
  rd_kafka_CreateTopics(peer.plain, &topic, 1, nullptr, queue);
  peer.partitions[name] = partitions;
  const std::string told = Await(queue);
  rd_kafka_NewTopic_destroy(topic);
  return told;
}

std::string Trim(Peer& peer, const std::string& topic, int partition, long offset) {
  rd_kafka_topic_partition_list_t* before = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(before, topic.c_str(), partition)->offset = offset;
  rd_kafka_DeleteRecords_t* records = rd_kafka_DeleteRecords_new(before);
  rd_kafka_topic_partition_list_destroy(before);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(peer.plain);
  rd_kafka_DeleteRecords(peer.plain, &records, 1, nullptr, queue);
  const std::string told = Await(queue);
  rd_kafka_DeleteRecords_destroy(records);
  return told;
}

std::string Produce(Peer& peer, rd_kafka_t* producer, const std::string& topic, long first, long count, size_t pad) {
  const std::string more = pad > 0 ? " " + std::string(pad, 'x') : "";
  for (long n = first; n < first + count; ++n) {
    const std::string number = std::to_string(n);
    const std::string bytes = "{\"n\": " + number + ", \"text\": \"message " + number + more + "\"}";
    const int partition = static_cast<int>(n % peer.partitions[topic]);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      error = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
                                RD_KAFKA_V_VALUE(const_cast<char*>(bytes.data()), bytes.size()),
                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
      rd_kafka_poll(producer, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_kafka_err2str(error);
  }
  const rd_kafka_resp_err_t flushed = rd_kafka_flush(producer, 30000);
  return flushed == RD_KAFKA_RESP_ERR_NO_ERROR ? "" : rd_kafka_err2str(flushed);
}

std::string InTransaction(Peer& peer, bool commit, const std::string& topic, long first, long count) {
  if (peer.transactional == nullptr) {
    peer.transactional = NewProducer(peer.address, "rhodes-test");
    if (std::string why = Told(rd_kafka_init_transactions(peer.transactional, 30000)); !why.empty()) return why;
  }
  if (std::string why = Told(rd_kafka_begin_transaction(peer.transactional)); !why.empty()) return why;
  if (std::string why = Produce(peer, peer.transactional, topic, first, count, 0); !why.empty()) return why;
  return Told(commit ? rd_kafka_commit_transaction(peer.transactional, 30000)
                     : rd_kafka_abort_transaction(peer.transactional, 30000));
}

std::string Do(Peer& peer, const std::string& line) {
  std::istringstream words(line);
  std::string verb, topic;
  long a = 0, b = 0;
  size_t pad = 0;
  words >> verb >> topic >> a >> b >> pad;
  if (verb == "topic") return MakeTopic(peer, topic, static_cast<int>(a));
  if (verb == "produce") return Produce(peer, peer.plain, topic, a, b, pad);
  if (verb == "aborted" || verb == "committed") return InTransaction(peer, verb == "committed", topic, a, b);
  if (verb == "trim") return Trim(peer, topic, static_cast<int>(a), b);
  return "unknown: " + verb;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  Peer peer;
  peer.address = arguments[1];
  peer.plain = NewProducer(peer.address, nullptr);
  if (peer.plain == nullptr) return 1;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string why = Do(peer, line);
    std::puts(why.empty() ? "ok" : ("failed: " + why).c_str());
    std::fflush(stdout);
  }
  if (peer.transactional != nullptr) rd_kafka_destroy(peer.transactional);
  rd_kafka_destroy(peer.plain);
  return 0;
}
