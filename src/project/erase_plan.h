// What an erasure will do to an output folder, found before anything is changed.
#ifndef RHODES_PROJECT_ERASE_PLAN_H_
#define RHODES_PROJECT_ERASE_PLAN_H_

#include <string>
#include <vector>

#include "base/run_context.h"
#include "project/erase_journal.h"
#include "store/suppression.h"
#include "store/takedown_list.h"

namespace rhodes {

// One of these; see docs/forgetting.md.
struct EraseSelector {
  std::string author;
  std::string device;
  std::string source;
  std::vector<std::string> records;
};

struct ErasePlan {
  EraseJournal journal;
  Suppression::Request suppress;     // what must not be stored again
  std::vector<std::string> similar;  // when no record matches: names that differ by upper and lower case alone
};

// Reads the whole of OUT's ids, and what the selector needs of the records. Memory: 16 bytes a record, and about 150
// bytes a record that goes.
absl::StatusOr<ErasePlan> PlanErasure(const std::string& out, const EraseSelector& selector, const RunContext& context);
// For what notices took back (store/takedown_list.h), of the sources that do not obey the whole list yet. Nothing is to
// be done when the plan has neither records nor masked ones.
absl::StatusOr<ErasePlan> PlanTakedowns(const std::string& out, const TakedownList& takedowns,
                                        const RunContext& context);
// For records whose rows went already (takedowns): what was made from them. `ids` need not be sorted.
absl::StatusOr<ErasePlan> PlanCascade(const std::string& out, const std::vector<std::string>& ids,
                                      const RunContext& context);

}  // namespace rhodes

#endif  // RHODES_PROJECT_ERASE_PLAN_H_
