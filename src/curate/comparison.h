// The rules that compare documents with each other: exact, near, substring. Each looks at those that the rules before
// it have kept, so documents are read as often as it takes: once without near and substring, else twice, with both
// three times. Reading and judging again costs less than writing all judged texts to the disk and reading those.
#ifndef RHODES_CURATE_COMPARISON_H_
#define RHODES_CURATE_COMPARISON_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/run_context.h"
#include "curate/clusters.h"
#include "curate/exact.h"
#include "curate/judge.h"
#include "curate/near.h"
#include "curate/settings.h"
#include "curate/substring.h"

namespace rhodes {

// What comparing adds to a document's verdict.
struct Compared {
  Verdict verdict;      // of the document's own rules, or of the comparison
  std::string kept_id;  // of a duplicate: the copy that stays
  std::optional<uint64_t> cluster;
};

class Comparison {
 public:
  // `directory` is the caller's to remove; what is spilled lies there.
  static absl::StatusOr<std::unique_ptr<Comparison>> Create(const CurateSettings& settings, std::string directory,
                                                            const RunContext& context);

  // A pass over all documents is due; each is given to Look() in order, then EndPass() is called. Repeated until this
  // is false; then a last pass gives each to Decide().
  bool wants_pass() const { return next_pass_ < passes_.size(); }
  // Whether this pass needs signatures; SignatureOf() is thread-safe for distinct scratch.
  bool wants_signatures() const { return wants_pass() && passes_[next_pass_] == Pass::kNear; }
  NearSignature SignatureOf(const JudgedDocument& judged, NearScratch& scratch) const;
  absl::Status Look(const JudgedDocument& judged, const NearSignature& signature);
  absl::Status EndPass();

  // The verdict, with repeated passages cut out of what is kept.
  absl::StatusOr<Compared> Decide(JudgedDocument& judged);

  // Null without the rule. Complete after the last pass that looks.
  const NearVerdicts* near() const { return near_.get(); }
  const DocumentIds& ids() const { return ids_; }
  uint64_t cut_bytes() const { return cut_bytes_; }  // by Decide()

 private:
  enum class Pass { kExact, kNear, kSubstring };
  // The document that stays of those with one text.
  struct First {
    uint64_t ordinal = 0;
    uint16_t rank = 0;
  };

  Comparison(const CurateSettings& settings, std::string directory, const RunContext& context);
  uint16_t RankOf(const Document& document) const;
  // The id of the copy that stays in its stead, if any; in the order of the documents.
  absl::StatusOr<std::optional<std::string>> ExactCopy(const JudgedDocument& judged, uint64_t ordinal);
  absl::StatusOr<bool> StaysBefore(const JudgedDocument& judged, uint64_t ordinal, Pass pass);
  absl::Status CutRepeats(JudgedDocument& judged, Compared& compared, uint64_t ordinal);

  const CurateSettings& settings_;
  const std::string directory_;
  const RunContext context_;
  NearHasher hasher_;
  std::vector<Pass> passes_;
  size_t next_pass_ = 0;
  uint64_t ordinal_ = 0;
  DocumentIds ids_;
  std::unique_ptr<SeenTexts> seen_;             // without priorities: the copy read first stays
  absl::flat_hash_map<TextHash, First> first_;  // with them
  std::unique_ptr<NearIndex> index_;
  std::unique_ptr<NearVerdicts> near_;
  std::unique_ptr<SubstringFinder> finder_;
  DocumentCuts cuts_;       // the next ones
  bool more_cuts_ = false;  // cuts_ holds some
  uint64_t cut_bytes_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_COMPARISON_H_
