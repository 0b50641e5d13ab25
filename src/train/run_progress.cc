#include "train/run_progress.h"

namespace rhodes {

bool RunProgress::IsBest(double validation_loss, double least_improvement, int64_t step) {
  if (best_loss && validation_loss > *best_loss - least_improvement) {
    ++evaluations_without_gain;
    return false;
  }
  best_loss = validation_loss;
  best_step = step;
  evaluations_without_gain = 0;
  return true;
}

Json RunProgress::ToJson() const {
  Json json = {{"spikes", spikes.ToJson()}};
  if (!batches.skipped().empty()) json["skipped"] = batches.skipped();
  if (rolled_back_to) json["rolled_back_to"] = true;
  if (best_loss) {
    json["best"] = {{"loss", *best_loss}, {"step", best_step}, {"evaluations_since", evaluations_without_gain}};
  }
  return json;
}

void RunProgress::Restore(const Json& json) {
  spikes.Restore(json.value("spikes", Json()));
  batches.Restore(json.value("skipped", std::vector<int64_t>()));
  rolled_back_to = json.value("rolled_back_to", false);
  const Json best = json.value("best", Json::object());
  best_loss.reset();
  if (best.contains("loss")) best_loss = best["loss"].get<double>();
  best_step = best.value("step", int64_t{0});
  evaluations_without_gain = best.value("evaluations_since", 0);
}

}  // namespace rhodes
