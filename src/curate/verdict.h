// What a rule says of a document.
#ifndef RHODES_CURATE_VERDICT_H_
#define RHODES_CURATE_VERDICT_H_

#include <string>
#include <string_view>

namespace rhodes {

// Kept when `rule` is empty. `reason` is one of a fixed set a rule, counted in the report; `detail` is of this document
// alone ("kept_id=..."). The column `reason` of dropped/ is "reason" or "reason: detail".
struct Verdict {
  std::string_view rule;
  std::string_view reason;
  std::string detail;

  bool kept() const { return rule.empty(); }
};

}  // namespace rhodes

#endif  // RHODES_CURATE_VERDICT_H_
