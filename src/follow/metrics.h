// What following is doing, for Prometheus.
#ifndef RHODES_FOLLOW_METRICS_H_
#define RHODES_FOLLOW_METRICS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/status.h"
#include "follow/stream.h"
#include "store/record_store.h"

namespace rhodes {

struct SourceMetrics {
  std::string source;
  IngestCounts counts;
  std::map<std::string, uint64_t> rejects;  // by ReasonLabel(); the 21st and later ones under "other"
  uint64_t commits = 0;
  int64_t last_commit = 0;  // seconds since 1970; 0: none yet
  std::string trouble;      // of the disk
  StreamHealth health;

  void CountReject(const std::string& label);
};

// A reject's reason without what differs from record to record (numbers, quoted text), so that few series come of it.
std::string ReasonLabel(std::string_view reason);

// The text exposition format, version 0.0.4.
std::string MetricsText(const std::vector<SourceMetrics>& sources);

// Answers GET /metrics on 127.0.0.1, one connection at a time, from a thread of its own.
class MetricsServer {
 public:
  // UNAVAILABLE when the port is taken. `read` is called on the server's thread.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(int port,
                                                              std::function<std::vector<SourceMetrics>()> read);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  int port() const { return port_; }

 private:
  MetricsServer(int socket, int port, std::function<std::vector<SourceMetrics>()> read);
  void Serve();
  void Answer(int connection) const;

  const int socket_;
  const int port_;
  const std::function<std::vector<SourceMetrics>()> read_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_METRICS_H_
