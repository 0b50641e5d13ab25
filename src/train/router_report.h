// What a run says about the routers of a mixture of experts: whether the load is spread, and what the loss for it is.
#ifndef RHODES_TRAIN_ROUTER_REPORT_H_
#define RHODES_TRAIN_ROUTER_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/status.h"
#include "model/config.h"
#include "model/router_statistics.h"
#include "train/event_file.h"

namespace rhodes {

// The coefficient of the balance loss of a model whose config.json has no router_aux_loss_coef: that of the Switch
// Transformer, ST-MoE and OLMoE. docs/training.md has what it and its neighbours did to a small model here.
inline constexpr double kRouterAuxLoss = 0.01;

// The one that a run trains with: `given`, else the config's, else kRouterAuxLoss; 0 without experts.
double RouterAuxLossOf(const ModelConfig& config, std::optional<double> given);

// Adds to the line of a step "router_aux_loss", with `z_loss` "router_z_loss" (both without their coefficients), and
// "expert_load_min", "expert_load_max": the least and the largest share of a layer's choices that fell on one expert,
// over all layers. Nothing without experts.
void AddRouterFigures(const RouterStatistics& router, bool z_loss, Json& line);
// [[share of each expert] of each layer], to four digits.
Json ExpertLoad(const RouterStatistics& router);
// "; experts take 9.8 % to 16.1 % of the choices", or "" without experts.
std::string DescribeExpertLoad(const RouterStatistics& router);
// Scalars expert_load/layer_N/min and /max from what ExpertLoad made.
absl::Status WriteExpertLoad(EventFile& events, int64_t step, const Json& expert_load);

// The same figures of a whole run: means over its last steps.
struct RouterReport {
  double aux_loss = 0, load_min = 0, load_max = 0;
};
void AddRouterReport(const RouterReport& report, Json& json);

}  // namespace rhodes

#endif  // RHODES_TRAIN_ROUTER_REPORT_H_
