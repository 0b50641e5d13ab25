#include "train/agreement.h"

#include <fmt/ranges.h>

#include "base/hash.h"

namespace rhodes {

absl::Status CheckAgreement(Communicator& ranks, const Facts& facts) {
  if (ranks.size() == 1) return absl::OkStatus();
  // How many ranks differ in each fact, then whether each rank does.
  std::vector<double> different(facts.size() + static_cast<size_t>(ranks.size()));
  for (size_t i = 0; i < facts.size(); ++i) {
    const uint64_t own = Fingerprint(facts[i].second);
    ASSIGN_OR_RETURN(const uint64_t roots, ranks.BroadcastValue(own));
    if (own == roots) continue;
    different[i] = different[facts.size() + static_cast<size_t>(ranks.rank())] = 1;
  }
  RETURN_IF_ERROR(ranks.Sum(different));
  std::vector<std::string> names;
  std::vector<size_t> who;
  for (size_t i = 0; i < different.size(); ++i) {
    if (different[i] == 0) continue;
    if (i < facts.size()) {
      names.push_back(facts[i].first);
    } else {
      who.push_back(i - facts.size());
    }
  }
  if (names.empty()) return absl::OkStatus();
  return UsageError(
      fmt::format("train: rank {} and rank 0 differ in {}: all ranks must be given the same, and see the "
                  "same files",
                  fmt::join(who, ", "), fmt::join(names, ", ")));
}

}  // namespace rhodes
