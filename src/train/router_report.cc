#include "train/router_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace rhodes {

double RouterAuxLossOf(const ModelConfig& config, std::optional<double> given) {
  if (config.experts == 0) return 0;
  return given.value_or(config.router_aux_loss.value_or(kRouterAuxLoss));
}

void AddRouterFigures(const RouterStatistics& router, bool z_loss, Json& line) {
  if (router.empty()) return;
  line["router_aux_loss"] = router.balance_loss();
  if (z_loss) line["router_z_loss"] = router.z_loss();
  const RouterStatistics::Range load = router.ShareOfAll();
  line["expert_load_min"] = load.least;
  line["expert_load_max"] = load.most;
}

Json ExpertLoad(const RouterStatistics& router) {
  Json layers = Json::array();
  for (int64_t layer = 0; layer < router.layers(); ++layer) {
    Json shares = Json::array();
    for (int64_t e = 0; e < router.experts(); ++e) shares.push_back(std::round(router.Share(layer, e) * 1e4) / 1e4);
    layers.push_back(std::move(shares));
  }
  return layers;
}

std::string DescribeExpertLoad(const RouterStatistics& router) {
  if (router.empty()) return "";
  const RouterStatistics::Range load = router.ShareOfAll();
  return fmt::format("; experts take {:.1f} % to {:.1f} % of the choices", 100 * load.least, 100 * load.most);
}

absl::Status WriteExpertLoad(EventFile& events, int64_t step, const Json& expert_load) {
  for (size_t layer = 0; layer < expert_load.size(); ++layer) {
    const auto shares = expert_load[layer].get<std::vector<double>>();
    if (shares.empty()) continue;
    const std::string tag = fmt::format("expert_load/layer_{}", layer);
    RETURN_IF_ERROR(events.Scalar(step, tag + "/min", *std::ranges::min_element(shares)));
    RETURN_IF_ERROR(events.Scalar(step, tag + "/max", *std::ranges::max_element(shares)));
  }
  return absl::OkStatus();
}

void AddRouterReport(const RouterReport& report, Json& json) {
  json["router_aux_loss"] = report.aux_loss;
  json["expert_load_min"] = report.load_min;
  json["expert_load_max"] = report.load_max;
}

}  // namespace rhodes
