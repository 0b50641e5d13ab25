// A dish for tests: a gRPC server on loopback that counts samples when told to, boots, refuses, answers rubbish, is
// late.
#ifndef RHODES_FOLLOW_TEST_DISH_H_
#define RHODES_FOLLOW_TEST_DISH_H_

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"
#include "follow/testing/dish.grpc.pb.h"

namespace rhodes {

class TestDish final : public SpaceX::API::Device::Device::Service {
 public:
  explicit TestDish(int ring) : ring_(ring) { Boot(); }
  ~TestDish() override { Stop(); }

  // What the next calls meet instead of an answer, one each.
  enum class Fault { kNone, kUnavailable, kLate, kOtherAnswer, kEmpty };

  void Boot() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++bootcount_;
    current_ = 0;
    outages_.clear();
    outages_.push_back({SpaceX::API::Device::DishOutage::BOOTING, kGpsStart + bootcount_ * 1'000'000'000'000});
  }
  // The value of sample n of boot b is b + n / 1000, so that each is told from all others.
  void Count(int samples) {
    const std::lock_guard<std::mutex> lock(mutex_);
    current_ += samples;
  }
  void AddOutage() {
    const std::lock_guard<std::mutex> lock(mutex_);
    outages_.push_back({SpaceX::API::Device::DishOutage::NO_PINGS,
                        kGpsStart + bootcount_ * 1'000'000'000'000 + static_cast<int64_t>(outages_.size()) * 1000});
  }
  void Fail(std::deque<Fault> faults) {
    const std::lock_guard<std::mutex> lock(mutex_);
    faults_ = std::move(faults);
  }
  void RefuseHistory() {
    const std::lock_guard<std::mutex> lock(mutex_);
    history_refused_ = true;
  }
  int calls() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return calls_;
  }

  // `port` 0: any.
  int Start(int port = 0, bool reflection = true) {
    if (reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(fmt::format("127.0.0.1:{}", port), grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    return port_;
  }
  void Stop() {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }
  int port() const { return port_; }

  grpc::Status Handle(grpc::ServerContext* /*context*/, const SpaceX::API::Device::Request* request,
                      SpaceX::API::Device::Response* response) override {
    Fault fault = Fault::kNone;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++calls_;
      if (!faults_.empty()) {
        fault = faults_.front();
        faults_.pop_front();
      }
    }
    if (fault == Fault::kLate) std::this_thread::sleep_for(std::chrono::milliseconds(400));
    const std::lock_guard<std::mutex> lock(mutex_);
    if (fault == Fault::kUnavailable) return {grpc::StatusCode::UNAVAILABLE, "told to be away"};
    if (fault == Fault::kEmpty) return grpc::Status::OK;
    const bool history = request->has_get_history() != (fault == Fault::kOtherAnswer);
    if (history && history_refused_) return {grpc::StatusCode::PERMISSION_DENIED, "no history for you"};
    if (history) {
      FillHistory(*response->mutable_dish_get_history());
    } else {
      FillStatus(*response->mutable_dish_get_status());
    }
    return grpc::Status::OK;
  }

 private:
  static constexpr int64_t kGpsStart = 1'400'000'000'000'000'000;
  struct Outage {
    SpaceX::API::Device::DishOutage::Cause cause;
    int64_t start;
  };

  void FillStatus(SpaceX::API::Device::DishGetStatusResponse& status) const {
    status.mutable_device_info()->set_id("ut-test");
    status.mutable_device_info()->set_bootcount(bootcount_);
    status.mutable_device_state()->set_uptime_s(static_cast<uint64_t>(current_));
    status.set_pop_ping_latency_ms(static_cast<float>(calls_));
    status.mutable_alerts()->set_roaming(true);
  }
  void FillHistory(SpaceX::API::Device::DishGetHistoryResponse& history) const {
    history.set_current(static_cast<uint64_t>(current_));
    for (int i = 0; i < ring_; ++i) {
      // The newest sample n with n mod ring = i.
      int n = current_ - 1 - ((current_ - 1 - i) % ring_ + ring_) % ring_;
      if (n < 0) n = 0;
      history.add_pop_ping_drop_rate(0);
      history.add_pop_ping_latency_ms(static_cast<float>(bootcount_) + static_cast<float>(n) / 1000);
      history.add_downlink_throughput_bps(5);
    }
    for (const Outage& outage : outages_) {
      auto& one = *history.add_outages();
      one.set_cause(outage.cause);
      one.set_start_timestamp_ns(outage.start);
      one.set_duration_ns(1'000'000'000);
    }
  }

  const int ring_;
  mutable std::mutex mutex_;
  int bootcount_ = 0;
  int current_ = 0;
  int calls_ = 0;
  bool history_refused_ = false;
  std::vector<Outage> outages_;
  std::deque<Fault> faults_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_TEST_DISH_H_
