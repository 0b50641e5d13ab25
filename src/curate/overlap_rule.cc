#include "curate/overlap_rule.h"

#include <algorithm>

#include "base/text.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

bool IsBlank(char byte) { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }

constexpr uint64_t kNear = 64;  // bytes within which a cut goes on to white space

// `characters` before `at`, and on to white space, but not before `least`.
size_t StepBack(std::string_view text, size_t at, size_t least, uint64_t characters) {
  for (; characters > 0 && at > least; --characters) {
    --at;
    while (at > least && IsUtf8Continuation(text[at])) --at;
  }
  size_t space = at;
  const auto is_end = [&] { return space == least || IsBlank(text[space - 1]) || IsBlank(text[space]); };
  while (!is_end() && at - space < kNear) --space;
  return is_end() ? space : at;
}

size_t StepForward(std::string_view text, size_t at, size_t most, uint64_t characters) {
  for (; characters > 0 && at < most; --characters) {
    ++at;
    while (at < most && IsUtf8Continuation(text[at])) ++at;
  }
  size_t space = at;
  const auto is_end = [&] { return space == most || IsBlank(text[space]) || IsBlank(text[space - 1]); };
  while (!is_end() && space - at < kNear) ++space;
  return is_end() ? space : at;
}

// The passages with their margins, joined where they touch.
std::vector<std::pair<size_t, size_t>> Widen(std::string_view text,
                                             const std::vector<std::pair<size_t, size_t>>& passages, uint64_t margin) {
  std::vector<std::pair<size_t, size_t>> cuts;
  for (size_t i = 0; i < passages.size(); ++i) {
    // Steps end at the neighbours, so that all of them together take no more than the text is long.
    const size_t least = cuts.empty() ? 0 : cuts.back().second;
    const size_t most = i + 1 < passages.size() ? passages[i + 1].first : text.size();
    const size_t begin = StepBack(text, std::max(passages[i].first, least), least, margin);
    const size_t end = StepForward(text, passages[i].second, most, margin);
    if (!cuts.empty() && begin <= cuts.back().second) {
      cuts.back().second = end;
    } else {
      cuts.emplace_back(begin, end);
    }
  }
  return cuts;
}

Json MetaOf(const OverlapFound& found, uint64_t of, const OverlapIndex& index) {
  const OverlapIndex::SetCounts& set = index.sets()[found.set];
  const OverlapIndex::Item item = index.ItemOf(set.first_item + found.item);
  Json meta = {{"set", set.name}, {"item", found.item}};
  if (!item.id.empty()) meta["id"] = std::string(item.id);
  meta["ngrams"] = found.ngrams;
  meta["of"] = of;
  meta["share"] = static_cast<double>(found.ngrams) / static_cast<double>(of);
  meta["passage"] = found.passage;
  return meta;
}

}  // namespace

std::string CutPassages(std::string_view text, const std::vector<std::pair<size_t, size_t>>& passages,
                        const OverlapSettings& settings, std::vector<size_t>* marks, uint64_t* pieces) {
  std::string out;
  *pieces = 0;
  size_t mark = 0;
  const auto keep = [&](size_t begin, size_t end) {
    while (begin < end && IsBlank(text[begin])) ++begin;
    while (begin < end && IsBlank(text[end - 1])) --end;
    const std::string_view piece = text.substr(begin, end - begin);
    if (piece.empty() || CodePoints(piece) < settings.min_piece) return;
    if (!out.empty()) out += "\n\n";
    for (; marks != nullptr && mark < marks->size() && (*marks)[mark] <= end; ++mark) {
      size_t& place = (*marks)[mark];
      place = out.size() + (std::max(place, begin) - begin);
    }
    out += piece;
    ++*pieces;
  };
  size_t at = 0;
  for (const auto& [begin, end] : Widen(text, passages, settings.margin)) {
    keep(at, begin);
    at = end;
  }
  keep(at, text.size());
  for (; marks != nullptr && mark < marks->size(); ++mark) (*marks)[mark] = out.size();
  return out;
}

OverlapJudgement JudgeOverlap(std::string_view text, const OverlapSettings& settings, const OverlapIndex& index,
                              OverlapScratch& scratch, std::vector<size_t>* marks, std::vector<Measure>* measures) {
  OverlapJudgement judgement;
  OverlapResult result;
  index.Find(text, settings.cut, scratch, result);
  uint64_t most = 0;
  bool first = true;
  std::string detail;
  judgement.meta = Json::array();
  for (size_t i = 0; i < result.found.size(); ++i) {
    OverlapFound& found = result.found[i];
    most = std::max(most, found.ngrams);
    const double share = static_cast<double>(found.ngrams) / static_cast<double>(result.ngrams);
    if (found.ngrams < settings.min_ngrams || share < settings.min_share) continue;
    judgement.meta.push_back(MetaOf(found, result.ngrams, index));
    if (first || i == result.first) detail = fmt::format("{} item {}", index.sets()[found.set].name, found.item);
    first = false;
    judgement.found.push_back(std::move(found));
  }
  const std::string_view reason = index.reference().on ? "contaminated" : "evaluation_set";
  bool dropped = !judgement.found.empty() && settings.drop && !settings.cut;
  if (!judgement.found.empty() && settings.cut) {
    uint64_t pieces = 0;
    judgement.text = CutPassages(text, result.passages, settings, marks, &pieces);
    judgement.cut = pieces > 0 && pieces <= settings.max_pieces;
    dropped = !judgement.cut;
    if (!judgement.cut) judgement.text.clear();
  }
  if (measures != nullptr) {
    measures->push_back(
        {"overlap", reason, static_cast<double>(most), static_cast<double>(settings.min_ngrams), dropped});
  }
  if (dropped) judgement.verdict = {"overlap", reason, detail};
  return judgement;
}

OverlapCounts::OverlapCounts(std::shared_ptr<const OverlapIndex> index)
    : index_(std::move(index)), sets_(index_->sets().size()), found_(index_->ngrams().size()) {}

void OverlapCounts::Add(const std::vector<OverlapFound>& found, bool dropped, bool cut) {
  for (const OverlapFound& of_set : found) {
    OfSet& counts = sets_[of_set.set];
    ++counts.documents;
    counts.dropped += dropped ? 1 : 0;
    counts.cut += cut ? 1 : 0;
    for (const uint32_t place : of_set.places) found_[place] = true;
  }
}

void OverlapCounts::CountItems(std::vector<uint32_t>& ngrams, std::vector<uint32_t>& found) const {
  const NgramIndex& pairs = index_->ngrams();
  ngrams.assign(index_->items(), 0);
  found.assign(index_->items(), 0);
  bool is_found = false;  // of the set's pairs in the n-gram's run
  for (uint64_t place = 0; place < pairs.size(); ++place) {
    const uint32_t item = pairs[place].item;
    const bool goes_on = place > 0 && pairs[place - 1].hash() == pairs[place].hash() &&
                         index_->SetOf(pairs[place - 1].item) == index_->SetOf(item);
    is_found = found_[place] || (goes_on && is_found);
    ++ngrams[item];
    found[item] += is_found ? 1 : 0;
  }
}

Json OverlapCounts::ToJson() const {
  std::vector<uint32_t> ngrams, found;
  CountItems(ngrams, found);
  Json list = Json::array();
  for (size_t i = 0; i < sets_.size(); ++i) {
    const OverlapIndex::SetCounts& set = index_->sets()[i];
    const auto begin = found.begin() + static_cast<ptrdiff_t>(set.first_item);
    const auto hit = std::count_if(begin, begin + static_cast<ptrdiff_t>(set.items), [](uint32_t n) { return n > 0; });
    list.push_back({{"set", set.name},
                    {"files", set.files.size()},
                    {"items", set.items},
                    {"items_too_short", set.items_too_short},
                    {"ngrams", set.ngrams},
                    {"items_hit", hit},
                    {"documents", sets_[i].documents},
                    {"dropped", sets_[i].dropped},
                    {"cut", sets_[i].cut}});
  }
  return list;
}

std::string OverlapCounts::ItemsHit() const {
  std::vector<uint32_t> ngrams, found;
  CountItems(ngrams, found);
  std::string lines;
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i] == 0) continue;
    const OverlapIndex::Item item = index_->ItemOf(i);
    Json line = {{"set", index_->sets()[item.set].name}, {"item", item.item}};
    if (!item.id.empty()) line["id"] = std::string(item.id);
    line["file"] = std::string(item.file);
    line["line"] = item.line;
    line["ngrams"] = ngrams[i];
    line["ngrams_found"] = found[i];
    line["share"] = static_cast<double>(found[i]) / static_cast<double>(ngrams[i]);
    lines += DumpJson(line) + "\n";
  }
  return lines;
}

}  // namespace rhodes
