// Who keeps what: a model's flat arrays dealt out among the ranks of a run.
#ifndef RHODES_TRAIN_SHARES_H_
#define RHODES_TRAIN_SHARES_H_

#include <vector>

#include "model/parameters.h"
#include "train/share.h"

namespace rhodes {

// Cuts [0, layout.size()) into shares in ascending order. Each part of the gradients that the model reports at once
// (see Model::OnGradients) is dealt out among all ranks, so that while a layer is summed every rank has as much to do.
// With `whole_matrices` the layers' matrices stay whole (Muon's update needs them so), the costliest first to the rank
// that has least; otherwise the parts are equal. A function of its arguments alone.
std::vector<Share> DealShares(const ParameterLayout& layout, int ranks, bool whole_matrices);

// The shares in [begin, end), of which none crosses a border.
std::span<const Share> SharesIn(std::span<const Share> shares, int64_t begin, int64_t end);

}  // namespace rhodes

#endif  // RHODES_TRAIN_SHARES_H_
