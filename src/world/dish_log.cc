#include "world/dish_log.h"

#include <fmt/format.h>

#include "world/clock.h"

namespace rhodes {
namespace {

std::string Prefix(const DishPoll& poll) {
  return fmt::format("req: {} | res: {} | data: ", IsoMilliseconds(poll.asked), IsoMilliseconds(poll.answered));
}

std::string FormatOutage(const DishOutage& outage) {
  return fmt::format(R"({{"cause":"{}","startTimestampNs":"{}","durationNs":"{}","didSwitch":false}})", outage.cause,
                     outage.start, outage.length);
}

// One value of each sample at its place in the ring.
template <typename Value>
std::string Ring(const DishHistory& history, const Value& value) {
  std::vector<std::string> cells(kDishRing, "0");
  int64_t number = history.current - static_cast<int64_t>(history.samples.size());
  for (const DishSample& sample : history.samples) cells[static_cast<size_t>(number++ % kDishRing)] = value(sample);
  std::string text = "[";
  for (size_t i = 0; i < cells.size(); ++i) text += (i == 0 ? "" : ",") + cells[i];
  return text + "]";
}

}  // namespace

std::string FormatDishStatus(const std::string& dish, const DishPoll& poll, const DishStatus& status) {
  return fmt::format(
      R"({}{{"apiVersion":"17","dishGetStatus":{{"deviceInfo":{{"id":"{}","hardwareVersion":"rev4_prod3",)"
      R"("softwareVersion":"2026.02.{}.mr{}","countryCode":"XX","generationNumber":"1771234567"}},)"
      R"("deviceState":{{"uptimeS":"{}"}},"secondsToFirstNonemptySlot":{},"popPingDropRate":{:.4f},)"
      R"("popPingLatencyMs":{:.2f},"downlinkThroughputBps":{:.1f},"uplinkThroughputBps":{:.1f},)"
      R"("obstructionStats":{{"fractionObstructed":{:.6f},"validS":{},"currentlyObstructed":{}}},)"
      R"("alerts":{{"motorsStuck":false,"thermalThrottle":false,"installPending":false,"isHeating":false}},)"
      R"("outage":{},"gpsStats":{{"gpsValid":true,"gpsSats":14}},"ethSpeedMbps":1000,"mobilityClass":"STATIONARY"}}}})",
      Prefix(poll), dish, status.version, 10000 + status.version, status.uptime, status.outage ? -1 : 0, status.drop,
      status.latency, status.down, status.up, status.obstructed, status.uptime,
      status.outage && status.outage->cause == "OBSTRUCTED" ? "true" : "false",
      status.outage ? FormatOutage(*status.outage) : "null");
}

std::string FormatDishHistory(const std::string& dish, const DishPoll& poll, const DishHistory& history) {
  std::string outages;
  for (const DishOutage& outage : history.outages) outages += (outages.empty() ? "" : ",") + FormatOutage(outage);
  const auto ring = [&](double DishSample::*member, int digits) {
    return Ring(history, [&](const DishSample& sample) { return fmt::format("{:.{}f}", sample.*member, digits); });
  };
  return fmt::format(
      R"({}{{"id":"{}","apiVersion":"17","dishGetHistory":{{"current":"{}","popPingDropRate":{},"popPingLatencyMs":{},)"
      R"("downlinkThroughputBps":{},"uplinkThroughputBps":{},"outages":[{}]}}}})",
      Prefix(poll), dish, history.current, ring(&DishSample::drop, 3), ring(&DishSample::latency, 2),
      ring(&DishSample::down, 1), ring(&DishSample::up, 1), outages);
}

std::string FormatDishLocation(const std::string& dish, const DishPoll& poll, WorldPoint place) {
  return fmt::format(
      R"({}{{"id":"{}","apiVersion":"17","getLocation":{{"lla":{{"lat":{:.6f},"lon":{:.6f},"alt":{:.1f}}},"source":"GNC_FUSED"}}}})",
      Prefix(poll), dish, place.latitude, place.longitude, 312.0);
}

}  // namespace rhodes
