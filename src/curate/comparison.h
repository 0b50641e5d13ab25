// The rules that compare documents with each other: exact, near, substring. Each looks at those that the rules before
// it have kept. What they look at are judged pieces (curate/judged_piece.h), a pass over all of them for each rule.
#ifndef RHODES_CURATE_COMPARISON_H_
#define RHODES_CURATE_COMPARISON_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_context.h"
#include "curate/clusters.h"
#include "curate/exact_copies.h"
#include "curate/exact_finder.h"
#include "curate/judge.h"
#include "curate/judged_piece.h"
#include "curate/near.h"
#include "curate/settings.h"
#include "curate/substring.h"

namespace rhodes {

// The settings of the rule "near" as its signatures and its index take them.
NearSettings NearSettingsOf(const CurateSettings& settings);
// Place of the document's source in `source_priority`, 0 first; 255 for none of them.
uint16_t SourceRank(const CurateSettings& settings, const Document& document);

// What comparing adds to a document's verdict.
struct Compared {
  Verdict verdict;      // of the document's own rules, or of the comparison
  std::string kept_id;  // of a duplicate: the copy that stays
  std::optional<uint64_t> cluster;
  uint64_t cut_bytes = 0;  // of repeated passages taken out of its text
};

// What was found for the documents of a piece.
struct PieceFindings {
  uint64_t first_ordinal = 0;
  std::vector<ExactDuplicate> copies;  // both in the order of the documents
  std::vector<DocumentCuts> cuts;
};

class Comparison {
 public:
  // `directory` is the caller's to remove; what is spilled lies there. UsageError for a setting out of range.
  static absl::StatusOr<std::unique_ptr<Comparison>> Create(const CurateSettings& settings, std::string directory,
                                                            const RunContext& context);

  // A pass over all documents is due; each is given to Look() in order, then EndPass() is called. Repeated until this
  // is false.
  bool wants_pass() const { return next_pass_ < passes_.size(); }
  // Whether this pass looks at the documents' texts beside their marks.
  bool wants_texts() const { return wants_pass() && passes_[next_pass_] == Pass::kSubstring; }
  absl::Status Look(const JudgedMark& mark, std::string_view text);
  absl::Status EndPass();

  // Then the findings of each piece are taken, in order,
  absl::StatusOr<PieceFindings> TakePiece(uint64_t documents);
  // and each document is decided by them, with repeated passages cut out of what is kept. Thread-safe.
  absl::StatusOr<Compared> Decide(JudgedDocument& judged, uint64_t ordinal, const PieceFindings& findings) const;

  // Null without the rule. Complete after the last pass.
  const NearVerdicts* near() const { return near_.get(); }
  const DocumentIds& ids() const { return ids_; }

 private:
  enum class Pass { kExact, kNear, kSubstring };

  Comparison(const CurateSettings& settings, std::string directory, const RunContext& context);
  absl::Status CutRepeats(JudgedDocument& judged, const DocumentCuts& cuts, Compared& compared) const;

  const std::string directory_;
  const RunContext context_;
  std::vector<Pass> passes_;
  size_t next_pass_ = 0;
  uint64_t ordinal_ = 0;
  DocumentIds ids_;
  std::unique_ptr<ExactFinder> exact_;
  ExactCopies copies_;
  std::unique_ptr<NearIndex> index_;
  std::unique_ptr<NearVerdicts> near_;
  std::unique_ptr<SubstringFinder> finder_;
  DocumentCuts cuts_;       // the next ones
  bool more_cuts_ = false;  // cuts_ holds some
};

}  // namespace rhodes

#endif  // RHODES_CURATE_COMPARISON_H_
