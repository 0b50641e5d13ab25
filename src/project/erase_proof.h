// Proof that ids are absent: made for a receipt, and checked against it and against an output folder.
#ifndef RHODES_PROJECT_ERASE_PROOF_H_
#define RHODES_PROJECT_ERASE_PROOF_H_

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/merkle.h"
#include "base/run_context.h"

namespace rhodes {

inline constexpr char kReceiptFormat[] = "rhodes-erasure-receipt/1";

// {"after": {"root", "leaves"}, "absent": [{"id", "left", "right"}]}: for the first `most` of `ids` the two neighbours
// among the sorted `leaves`, each {"id", "index", "path": [hash, ...]}, or null at an end.
Json ProveAbsence(std::span<const MerkleLeaf> leaves, const std::vector<std::string>& ids, uint64_t most);

// Checks a receipt: its proofs against its root; that none of its records, documents and quotations is in OUT (records,
// duplicates, folders of documents, shards, trace); its root against the records of OUT now.
//   {"ok", "receipt", "time", "checks": [{"what", "ok", "detail"}]}
// A root that is not that of OUT now is no failure when records came since: the check says so. INVALID_ARGUMENT for a
// file that is no receipt.
absl::StatusOr<Json> VerifyReceipt(const std::string& out, const std::string& receipt, RunContext& context);
std::string FormatVerification(const Json& verification);

}  // namespace rhodes

#endif  // RHODES_PROJECT_ERASE_PROOF_H_
