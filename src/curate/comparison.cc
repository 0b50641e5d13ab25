#include "curate/comparison.h"

#include <algorithm>

#include "base/file.h"
#include "curate/substring_cut.h"

namespace rhodes {
namespace {

// The words that the reference's tokenizer finds in its simplified text.
void SplitAsSpacy(std::string_view simplified, std::vector<std::string_view>& words) {
  thread_local WordSplitter splitter;
  thread_local Words found;
  splitter.Split(simplified, WordRules::kSpacyEnglish, found);
  words.clear();
  for (const Words::Place& place : found.places) {
    words.push_back(simplified.substr(place.begin, place.end - place.begin));
  }
}

absl::StatusOr<std::unique_ptr<SubstringFinder>> MakeFinder(const SubstringRuleSettings& settings,
                                                            const std::string& directory, const RunContext& context) {
  if (settings.min_tokens < 2 || settings.min_tokens > 65535) {
    return UsageError(fmt::format("substring.min_tokens is {}; it can be 2 to 65535", settings.min_tokens));
  }
  SubstringSettings substring;
  substring.min_tokens = static_cast<uint32_t>(settings.min_tokens);
  substring.drop_above = settings.drop_above;
  substring.within_documents = settings.within_documents;
  return SubstringFinder::Create(substring, directory, context);
}

}  // namespace

NearSettings NearSettingsOf(const CurateSettings& settings) {
  NearSettings near;
  near.datatrove = settings.datatrove_compatibility;
  near.split_words = SplitAsSpacy;
  near.verify_similarity = settings.near.similarity;
  return near;
}

uint16_t SourceRank(const CurateSettings& settings, const Document& document) {
  const std::vector<std::string>& order = settings.source_priority;
  size_t rank = order.size();
  for (const std::string& source : document.sources) {
    rank = std::min(rank, static_cast<size_t>(std::find(order.begin(), order.end(), source) - order.begin()));
  }
  return static_cast<uint16_t>(std::min<size_t>(rank, 255));
}

Comparison::Comparison(const CurateSettings& settings, std::string directory, const RunContext& context)
    : directory_(std::move(directory)),
      context_(context),
      ids_(directory_, context.memory_bytes / 16),
      copies_(directory_, context.memory_bytes / 16) {
  if (settings.Has("exact")) passes_.push_back(Pass::kExact);
  if (settings.Has("near")) passes_.push_back(Pass::kNear);
  if (settings.Has("substring")) passes_.push_back(Pass::kSubstring);
}

absl::StatusOr<std::unique_ptr<Comparison>> Comparison::Create(const CurateSettings& settings, std::string directory,
                                                               const RunContext& context) {
  std::unique_ptr<Comparison> comparison(new Comparison(settings, std::move(directory), context));
  if (comparison->passes_.empty()) return comparison;
  RETURN_IF_ERROR(CreateDirectories(comparison->directory_));
  if (settings.Has("exact")) {
    ASSIGN_OR_RETURN(comparison->exact_, ExactFinder::Create(comparison->directory_ + "/exact", context));
  }
  if (settings.Has("near")) {
    ASSIGN_OR_RETURN(comparison->index_,
                     NearIndex::Create(NearSettingsOf(settings), comparison->directory_,
                                       std::max(context.memory_bytes / 4, NearIndex::kMinMemory), context.Threads()));
  }
  if (settings.Has("substring")) {
    ASSIGN_OR_RETURN(comparison->finder_,
                     MakeFinder(settings.substring, comparison->directory_ + "/substring", context));
  }
  return comparison;
}

absl::Status Comparison::Look(const JudgedMark& mark, std::string_view text) {
  const Pass pass = passes_[next_pass_];
  const uint64_t ordinal = ordinal_++;
  if (next_pass_ == 0) RETURN_IF_ERROR(ids_.Append(mark.id));
  if (!mark.kept) return absl::OkStatus();
  if (pass == Pass::kExact) return exact_->Add(ordinal, mark.hash, mark.rank);
  ASSIGN_OR_RETURN(const std::optional<uint64_t> kept, copies_.KeptFor(ordinal));
  if (kept.has_value()) return absl::OkStatus();
  if (pass == Pass::kNear) return index_->Add(ordinal, mark.signature, static_cast<uint8_t>(255 - mark.rank));
  if (near_ != nullptr && near_->Of(ordinal).dropped) return absl::OkStatus();
  return finder_->Add(ordinal, text, mark.rank);
}

absl::Status Comparison::EndPass() {
  const Pass pass = passes_[next_pass_++];
  ordinal_ = 0;
  if (pass == Pass::kExact) {
    RETURN_IF_ERROR(exact_->Finish());
    ExactDuplicate copy;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, exact_->Next(copy));
      if (!more) break;
      RETURN_IF_ERROR(copies_.Append(copy));
    }
    exact_.reset();
  } else if (pass == Pass::kNear) {
    ASSIGN_OR_RETURN(near_, index_->Finish());
    index_.reset();
  } else {
    RETURN_IF_ERROR(finder_->Finish());
    ASSIGN_OR_RETURN(more_cuts_, finder_->Next(cuts_));
  }
  copies_.Rewind();
  return absl::OkStatus();
}

absl::StatusOr<PieceFindings> Comparison::TakePiece(uint64_t documents) {
  PieceFindings findings;
  findings.first_ordinal = ordinal_;
  const uint64_t end = ordinal_ + documents;
  for (; ordinal_ < end; ++ordinal_) {
    ASSIGN_OR_RETURN(const std::optional<uint64_t> kept, copies_.KeptFor(ordinal_));
    if (kept.has_value()) findings.copies.push_back({ordinal_, *kept});
  }
  while (more_cuts_ && cuts_.ordinal < end) {
    findings.cuts.push_back(std::move(cuts_));
    cuts_ = {};
    ASSIGN_OR_RETURN(more_cuts_, finder_->Next(cuts_));
  }
  return findings;
}

absl::StatusOr<Compared> Comparison::Decide(JudgedDocument& judged, uint64_t ordinal,
                                            const PieceFindings& findings) const {
  Compared compared;
  compared.verdict = judged.verdict;
  if (!compared.verdict.kept()) return compared;
  const auto copy = std::lower_bound(findings.copies.begin(), findings.copies.end(), ExactDuplicate{ordinal, 0});
  if (copy != findings.copies.end() && copy->ordinal == ordinal) {
    compared.verdict = {"exact", "duplicate", {}};
    ASSIGN_OR_RETURN(compared.kept_id, ids_.Get(copy->kept_ordinal));
    // That of the copy which stays, which may be nearly the same as others.
    compared.cluster = copy->kept_ordinal;
    if (near_ != nullptr && near_->Of(copy->kept_ordinal).in_cluster) {
      compared.cluster = near_->Of(copy->kept_ordinal).kept;
    }
    return compared;
  }
  if (near_ != nullptr) {
    const NearVerdict near = near_->Of(ordinal);
    if (near.in_cluster) compared.cluster = near.kept;
    if (near.dropped) {
      compared.verdict = {"near", "duplicate", {}};
      ASSIGN_OR_RETURN(compared.kept_id, ids_.Get(near.kept));
      return compared;
    }
  }
  const auto cuts = std::lower_bound(findings.cuts.begin(), findings.cuts.end(), ordinal,
                                     [](const DocumentCuts& one, uint64_t wanted) { return one.ordinal < wanted; });
  if (cuts != findings.cuts.end() && cuts->ordinal == ordinal) {
    RETURN_IF_ERROR(CutRepeats(judged, *cuts, compared));
  }
  return compared;
}

absl::Status Comparison::CutRepeats(JudgedDocument& judged, const DocumentCuts& cuts, Compared& compared) const {
  if (cuts.drop) {
    compared.verdict = {"substring", "repeated", {}};
    ASSIGN_OR_RETURN(compared.kept_id, ids_.Get(cuts.cuts.front().kept_ordinal));
    return absl::OkStatus();
  }
  Document& document = judged.document;
  std::vector<size_t> marks = SpanEnds(document.spans);
  const std::vector<size_t> before = marks;
  std::string text = CutSubstrings(document.text, cuts.cuts, marks.empty() ? nullptr : &marks);
  compared.cut_bytes = document.text.size() - text.size();
  document.text = std::move(text);
  MoveSpans(before, marks, document.spans);
  return absl::OkStatus();
}

}  // namespace rhodes
