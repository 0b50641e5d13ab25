// What the ranks of a run must have been given alike.
#ifndef RHODES_TRAIN_AGREEMENT_H_
#define RHODES_TRAIN_AGREEMENT_H_

#include <string>
#include <utility>
#include <vector>

#include "train/communicator.h"

namespace rhodes {

// (what it is, for people; what this rank has of it: any text)
using Facts = std::vector<std::pair<std::string, std::string>>;

// UsageError, the same on all ranks, naming the facts and the ranks that have others than rank 0. Ranks that went on
// would wait for each other for ever, or train on what nobody meant. Every rank calls it, with the same names in the
// same order.
absl::Status CheckAgreement(Communicator& ranks, const Facts& facts);

}  // namespace rhodes

#endif  // RHODES_TRAIN_AGREEMENT_H_
