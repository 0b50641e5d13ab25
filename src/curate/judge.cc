#include "curate/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "curate/language.h"

namespace rhodes {
namespace {

// Whether the document belongs to the share that is looked at: by its id, so that the choice is the same in any order.
bool IsSampled(const std::string& id, double share) {
  if (share >= 1) return true;
  return static_cast<double>(Fingerprint(id) >> 11) * 0x1p-53 < share;
}

// Adds fields to a JSON object in text form. Parsing every document's meta would cost more than all rules together.
void AddToMeta(std::string& meta, const std::string& fields) {
  const size_t close = meta.find_last_not_of(" \n\t");
  if (meta.empty() || close == std::string::npos) {
    meta = "{" + fields + "}";
    return;
  }
  const bool known = meta.find("\"language_confidence\"") != std::string::npos ||
                     meta.find("\"language_stated\"") != std::string::npos ||
                     meta.find("\"personal_data\"") != std::string::npos ||
                     meta.find("\"overlap\"") != std::string::npos;
  if (meta[close] != '}' || known) {  // curated before, or not an object: rare, so slow is fine
    absl::StatusOr<Json> old = ParseJson(meta, "meta");
    const absl::StatusOr<Json> added = ParseJson("{" + fields + "}", "meta");
    if (!old.ok() || !added.ok()) return;
    if (!old->is_object()) *old = Json{{"meta", *old}};
    for (const auto& [key, value] : added->items()) (*old)[key] = value;
    meta = DumpJson(*old);
    return;
  }
  const bool empty = close == 0 || meta.find_last_not_of(" \n\t", close - 1) == meta.find('{');
  meta = fmt::format("{}{}{}}}", std::string_view(meta).substr(0, close), empty ? "" : ",", fields);
}

// Where spans begin and end, ascending, each once.
std::vector<size_t> EndsOf(const std::vector<Span>& spans) {
  std::vector<size_t> ends;
  for (const Span& span : spans) {
    ends.push_back(span.begin);
    ends.push_back(span.end);
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

// The spans with their ends moved from `before` to `after`; those of whose text nothing is left go. With none left the
// text counts as being from all parents, as it does without spans.
void MoveSpans(const std::vector<size_t>& before, const std::vector<size_t>& after, std::vector<Span>& spans) {
  const auto moved = [&](uint64_t place) {
    return after[static_cast<size_t>(std::lower_bound(before.begin(), before.end(), place) - before.begin())];
  };
  for (Span& span : spans) {
    span.begin = moved(span.begin);
    span.end = moved(span.end);
  }
  std::erase_if(spans, [](const Span& span) { return span.begin >= span.end; });
}

Verdict JudgeLanguage(Document& document, const LanguageSettings& settings) {
  const LanguageDecision decision = DecideLanguage(document.language, DetectLanguage(document.text));
  std::string fields = fmt::format("\"language_confidence\":{}", decision.confidence);
  if (decision.overruled) fields += ",\"language_stated\":" + DumpJson(Json(document.language));
  AddToMeta(document.meta, fields);
  document.language = decision.code;
  // Text too short or too strange to tell is not known to be another language.
  if (settings.wanted != "auto" && decision.code != "und" && !SameLanguage(decision.code, settings.wanted)) {
    return {"language", "other_language", decision.code};
  }
  if (decision.confidence < settings.min_confidence) return {"language", "low_confidence", decision.code};
  return {};
}

// Rules "quality" and "repetition".
void JudgeWords(const CurateSettings& settings, JudgeScratch& scratch, JudgedDocument& judged) {
  const bool quality = settings.Has("quality");
  const bool repetition = settings.Has("repetition");
  if (!quality && !repetition) return;
  const std::string& text = judged.document.text;
  const std::string& language = judged.document.language;
  const uint64_t seed = judged.hash.low;
  SplitWords(text, seed, FindStopWords(language), settings.quality.min_stop_words, scratch.words);
  if (quality) judged.verdict = JudgeQuality(MeasureQuality(text, scratch.words, language), settings.quality);
  if (repetition && judged.verdict.kept()) {
    const uint64_t min_count = settings.repetition.min_top_ngram_count;
    judged.verdict = JudgeRepetition(MeasureRepetition(text, scratch.words, seed, min_count, scratch.repetition),
                                     settings.repetition);
  }
}

void JudgePersonalData(const PersonalDataSettings& settings, JudgedDocument& judged) {
  Document& document = judged.document;
  const std::vector<PersonalDataItem> items = FindPersonalData(document.text, settings);
  if (items.empty()) return;
  for (const PersonalDataItem& item : items) ++judged.personal_data[static_cast<size_t>(item.kind)];
  std::string fields;
  for (size_t i = 0; i < kPersonalDataKinds; ++i) {
    if (judged.personal_data[i] == 0) continue;
    fields += fmt::format("{}\"{}\":{}", fields.empty() ? "" : ",", PersonalDataName(static_cast<PersonalDataKind>(i)),
                          judged.personal_data[i]);
  }
  AddToMeta(document.meta, "\"personal_data\":{" + fields + "}");
  if (settings.drop) {
    judged.verdict = {"pii", "personal_data", std::string(PersonalDataName(items.front().kind))};
    return;
  }
  std::vector<size_t> marks = EndsOf(document.spans);
  const std::vector<size_t> before = marks;
  document.text = ReplacePersonalData(document.text, items, &marks);
  MoveSpans(before, marks, document.spans);
  judged.hash = HashText(document.text);
}

// Without an index nothing overlaps; Curate() loads it.
void JudgeOverlap(const CurateSettings& settings, JudgedDocument& judged) {
  if (settings.overlap_index == nullptr) return;
  uint64_t total = 0;
  Json found = Json::array();
  std::string first;
  for (const OverlapFound& of_set : settings.overlap_index->Find(judged.document.text, &total)) {
    const double share = static_cast<double>(of_set.ngrams) / static_cast<double>(total);
    if (of_set.ngrams < settings.overlap.min_ngrams || share < settings.overlap.min_share) continue;
    const std::string& set = settings.overlap.sets[of_set.set];
    found.push_back({{"set", set}, {"item", of_set.item}, {"ngrams", of_set.ngrams}, {"of", total}});
    if (first.empty()) first = fmt::format("{} item {}", set, of_set.item);
  }
  if (found.empty()) return;
  AddToMeta(judged.document.meta, "\"overlap\":" + DumpJson(found));
  if (settings.overlap.drop) judged.verdict = {"overlap", "evaluation_set", first};
}

}  // namespace

JudgedDocument Judge(Document document, const CurateSettings& settings, JudgeScratch& scratch,
                     NormaliseCounts& counts) {
  JudgedDocument judged;
  judged.input_bytes = document.text.size();
  judged.document = std::move(document);
  std::string& text = judged.document.text;
  std::vector<size_t> marks = EndsOf(judged.document.spans);
  std::vector<size_t>* const moved = marks.empty() ? nullptr : &marks;
  const std::vector<size_t> before = marks;
  RepairUtf8(text, counts, moved);
  if (!IsSampled(judged.document.id, settings.sample)) {
    judged.verdict = {"sample", "not_drawn", {}};
    MoveSpans(before, marks, judged.document.spans);
    return judged;
  }
  if (settings.Has("normalise")) {
    text = Normalise(text, settings.normalise, counts, moved);
    if (text.empty()) {
      judged.document.spans.clear();
      judged.verdict = {"normalise", "empty", {}};
      return judged;
    }
  }
  MoveSpans(before, marks, judged.document.spans);
  judged.hash = HashText(text);
  if (settings.Has("language")) judged.verdict = JudgeLanguage(judged.document, settings.language);
  if (judged.verdict.kept()) JudgeWords(settings, scratch, judged);
  if (judged.verdict.kept() && settings.Has("pii")) JudgePersonalData(settings.pii, judged);
  if (judged.verdict.kept() && settings.Has("overlap")) JudgeOverlap(settings, judged);
  return judged;
}

}  // namespace rhodes
