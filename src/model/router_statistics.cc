#include "model/router_statistics.h"

#include <algorithm>

namespace rhodes {

RouterStatistics::RouterStatistics(int64_t layers, int64_t experts)
    : layers_(layers), experts_(experts), sums_(kHeads + static_cast<size_t>(layers * experts)) {}

void RouterStatistics::Add(int64_t layer, std::span<const int64_t> choices, double balance_loss, double z_loss) {
  sums_[kBalance] += balance_loss;
  sums_[kZ] += z_loss;
  sums_[kCount] += 1;
  for (size_t e = 0; e < choices.size(); ++e)
    sums_[At(layer, static_cast<int64_t>(e))] += static_cast<double>(choices[e]);
}

double RouterStatistics::Mean(Head sum) const {
  return empty() || sums_[kCount] == 0 ? 0.0 : sums_[sum] / sums_[kCount];
}

double RouterStatistics::Share(int64_t layer, int64_t expert) const {
  double all = 0;
  for (int64_t e = 0; e < experts_; ++e) all += sums_[At(layer, e)];
  return all == 0 ? 0.0 : sums_[At(layer, expert)] / all;
}

RouterStatistics::Range RouterStatistics::ShareOfLayer(int64_t layer) const {
  Range range{1, 0};
  for (int64_t e = 0; e < experts_; ++e) {
    range.least = std::min(range.least, Share(layer, e));
    range.most = std::max(range.most, Share(layer, e));
  }
  return range;
}

RouterStatistics::Range RouterStatistics::ShareOfAll() const {
  Range range{1, 0};
  for (int64_t layer = 0; layer < layers_; ++layer) {
    const Range own = ShareOfLayer(layer);
    range = {std::min(range.least, own.least), std::max(range.most, own.most)};
  }
  return range;
}

}  // namespace rhodes
