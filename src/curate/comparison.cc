#include "curate/comparison.h"

#include <algorithm>

#include "base/file.h"
#include "curate/substring_cut.h"

namespace rhodes {
namespace {

constexpr uint64_t kBytesOfFirst = 48;  // a text's slot in the table, at its fullest

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

NearSettings NearSettingsOf(const CurateSettings& settings) {
  NearSettings near;
  near.datatrove = settings.datatrove_compatibility;
  near.split_words = SplitAsSpacy;
  near.verify_similarity = settings.near.similarity;
  return near;
}

}  // namespace

Comparison::Comparison(const CurateSettings& settings, std::string directory, const RunContext& context)
    : settings_(settings),
      directory_(std::move(directory)),
      context_(context),
      hasher_(NearSettingsOf(settings)),
      ids_(directory_, context.memory_bytes / 16) {
  if (settings.Has("near")) passes_.push_back(Pass::kNear);
  const bool exact_first = settings.Has("exact") && !settings.source_priority.empty();
  if (exact_first && passes_.empty()) passes_.push_back(Pass::kExact);
  if (settings.Has("substring")) passes_.push_back(Pass::kSubstring);
}

absl::StatusOr<std::unique_ptr<Comparison>> Comparison::Create(const CurateSettings& settings, std::string directory,
                                                               const RunContext& context) {
  std::unique_ptr<Comparison> comparison(new Comparison(settings, std::move(directory), context));
  comparison->seen_ = std::make_unique<SeenTexts>(context.memory_bytes / 4);
  if (comparison->passes_.empty()) return comparison;
  RETURN_IF_ERROR(CreateDirectories(comparison->directory_));
  if (settings.Has("near")) {
    ASSIGN_OR_RETURN(comparison->index_,
                     NearIndex::Create(NearSettingsOf(settings), comparison->directory_,
                                       std::max(context.memory_bytes / 4, NearIndex::kMinMemory), context.Threads()));
  }
  if (settings.Has("substring")) {
    SubstringSettings substring;
    if (settings.substring.min_tokens < 2 || settings.substring.min_tokens > 65535) {
      return UsageError(fmt::format("substring.min_tokens is {}; it can be 2 to 65535", settings.substring.min_tokens));
    }
    substring.min_tokens = static_cast<uint32_t>(settings.substring.min_tokens);
    substring.drop_above = settings.substring.drop_above;
    substring.within_documents = settings.substring.within_documents;
    ASSIGN_OR_RETURN(comparison->finder_,
                     SubstringFinder::Create(substring, comparison->directory_ + "/substring", context));
  }
  return comparison;
}

NearSignature Comparison::SignatureOf(const JudgedDocument& judged, NearScratch& scratch) const {
  return hasher_.Sign(judged.document.text, scratch);
}

uint16_t Comparison::RankOf(const Document& document) const {
  const std::vector<std::string>& order = settings_.source_priority;
  size_t rank = order.size();
  for (const std::string& source : document.sources) {
    rank = std::min(rank, static_cast<size_t>(std::find(order.begin(), order.end(), source) - order.begin()));
  }
  return static_cast<uint16_t>(std::min<size_t>(rank, 255));
}

absl::StatusOr<std::optional<std::string>> Comparison::ExactCopy(const JudgedDocument& judged, uint64_t ordinal) {
  if (!settings_.Has("exact") || !judged.verdict.kept()) return std::optional<std::string>();
  if (settings_.source_priority.empty()) return seen_->Insert(judged.hash, judged.document.id);
  const auto found = first_.find(judged.hash);
  if (found == first_.end() || found->second.ordinal == ordinal) return std::optional<std::string>();
  ASSIGN_OR_RETURN(std::string id, ids_.Get(found->second.ordinal));
  return std::optional<std::string>(std::move(id));
}

// Whether the document is kept by all rules that come before those that this pass looks for.
absl::StatusOr<bool> Comparison::StaysBefore(const JudgedDocument& judged, uint64_t ordinal, Pass pass) {
  if (!judged.verdict.kept()) return false;
  const bool first_pass = next_pass_ == 0;
  if (settings_.Has("exact") && !settings_.source_priority.empty() && first_pass) {
    // Which copy stays is known when all were seen. Near duplicates find the same one: the same order decides.
    const uint16_t rank = RankOf(judged.document);
    const auto [it, fresh] = first_.try_emplace(judged.hash, First{ordinal, rank});
    if (!fresh && rank < it->second.rank) it->second = {ordinal, rank};
    if (first_.size() * kBytesOfFirst > context_.memory_bytes / 4) {
      return absl::ResourceExhaustedError(fmt::format(
          "curate: the texts of {} documents do not fit into a quarter of the memory: allow more (--memory)",
          first_.size()));
    }
    if (pass == Pass::kNear) return true;
  }
  ASSIGN_OR_RETURN(const std::optional<std::string> copy, ExactCopy(judged, ordinal));
  if (copy.has_value()) return false;
  return pass != Pass::kSubstring || near_ == nullptr || !near_->Of(ordinal).dropped;
}

absl::Status Comparison::Look(const JudgedDocument& judged, const NearSignature& signature) {
  const Pass pass = passes_[next_pass_];
  const uint64_t ordinal = ordinal_++;
  if (next_pass_ == 0) RETURN_IF_ERROR(ids_.Append(judged.document.id));
  ASSIGN_OR_RETURN(const bool stays, StaysBefore(judged, ordinal, pass));
  if (!stays) return absl::OkStatus();
  const uint16_t rank = RankOf(judged.document);
  if (pass == Pass::kNear) return index_->Add(ordinal, signature, static_cast<uint8_t>(255 - rank));
  if (pass == Pass::kSubstring) return finder_->Add(ordinal, judged.document.text, rank);
  return absl::OkStatus();
}

absl::Status Comparison::EndPass() {
  const Pass pass = passes_[next_pass_++];
  ordinal_ = 0;
  seen_ = std::make_unique<SeenTexts>(context_.memory_bytes / 4);
  if (pass == Pass::kNear) {
    ASSIGN_OR_RETURN(near_, index_->Finish());
    index_.reset();
  } else if (pass == Pass::kSubstring) {
    RETURN_IF_ERROR(finder_->Finish());
    ASSIGN_OR_RETURN(more_cuts_, finder_->Next(cuts_));
  }
  return absl::OkStatus();
}

absl::StatusOr<Compared> Comparison::Decide(JudgedDocument& judged) {
  const uint64_t ordinal = ordinal_++;
  Compared compared;
  compared.verdict = judged.verdict;
  if (!compared.verdict.kept()) return compared;
  ASSIGN_OR_RETURN(std::optional<std::string> copy, ExactCopy(judged, ordinal));
  if (copy.has_value()) {
    compared.verdict = {"exact", "duplicate", {}};
    compared.kept_id = *std::move(copy);
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
  RETURN_IF_ERROR(CutRepeats(judged, compared, ordinal));
  return compared;
}

absl::Status Comparison::CutRepeats(JudgedDocument& judged, Compared& compared, uint64_t ordinal) {
  if (!more_cuts_ || cuts_.ordinal != ordinal) return absl::OkStatus();
  const DocumentCuts cuts = std::move(cuts_);
  cuts_ = {};
  ASSIGN_OR_RETURN(more_cuts_, finder_->Next(cuts_));
  if (cuts.drop) {
    compared.verdict = {"substring", "repeated", {}};
    ASSIGN_OR_RETURN(compared.kept_id, ids_.Get(cuts.cuts.front().kept_ordinal));
    return absl::OkStatus();
  }
  Document& document = judged.document;
  std::vector<size_t> marks = SpanEnds(document.spans);
  const std::vector<size_t> before = marks;
  std::string text = CutSubstrings(document.text, cuts.cuts, marks.empty() ? nullptr : &marks);
  cut_bytes_ += document.text.size() - text.size();
  document.text = std::move(text);
  MoveSpans(before, marks, document.spans);
  return absl::OkStatus();
}

}  // namespace rhodes
