#include "curate/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "curate/language.h"
#include "curate/overlap_rule.h"
#include "curate/spaces.h"

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
  const bool known =
      meta.find("\"language_confidence\"") != std::string::npos || meta.find("\"languages\"") != std::string::npos ||
      meta.find("\"language_stated\"") != std::string::npos || meta.find("\"personal_data\"") != std::string::npos ||
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

// Whether a rule has words or thresholds of the document's language. Without one it would judge next to nothing of a
// document that does not state it, and say so nowhere.
bool AsksForLanguage(const CurateSettings& settings) {
  if (!settings.language_assignments.empty()) return true;
  for (const char* rule :
       {"quality", "repetition", "gopher-quality", "gopher-repetition", "c4-quality", "fineweb-quality", "fineweb2"}) {
    if (settings.Has(rule)) return true;
  }
  return false;
}

// The rules that look at the text of one document, in the order of KnownRules(). Words are split once, when a rule
// first asks for them, and again when a rule changed the text.
class TextRules {
 public:
  TextRules(Document& document, std::vector<size_t>* marks, uint64_t seed, const CurateSettings& settings,
            JudgeScratch& scratch, std::vector<Measure>* measures)
      : text_(document.text),
        language_(document.language),
        marks_(marks),
        seed_(seed),
        settings_(settings),
        rules_(settings.For(document.language)),
        scratch_(scratch),
        measures_(measures),
        compatible_(settings.datatrove_compatibility),
        word_rules_(WordRulesFor(document.language, compatible_)) {}

  Verdict Run() {
    const auto done = [&] { return !verdict_.kept() && measures_ == nullptr; };
    for (const std::string& rule : KnownRules()) {
      if (done()) break;
      if (settings_.Has(rule)) Apply(rule);
    }
    return std::move(verdict_);
  }

 private:
  void Apply(std::string_view rule) {
    if (rule == "quality") {
      Quality("quality", rules_.quality, StopWordsOf(false), false);
    } else if (rule == "repetition") {
      Repetition("repetition", rules_.repetition);
    } else if (rule == "gopher-repetition") {
      Repetition("gopher-repetition", rules_.gopher_repetition);
    } else if (rule == "gopher-quality") {
      Quality("gopher-quality", rules_.gopher_quality, StopWordsOf(compatible_), compatible_);
    } else if (rule == "c4-quality") {
      C4Quality();
    } else if (rule == "c4-paragraph") {
      Findings findings(rule, measures_);
      JudgeC4Paragraph(text_, rules_.c4_paragraph, findings);
      Take(findings);
    } else if (rule == "fineweb-quality") {
      FineWeb("fineweb-quality", rules_.fineweb_quality);
    } else if (rule == "fineweb2") {
      FineWeb2();
    }
  }

  void Take(Findings& findings) {
    if (verdict_.kept()) verdict_ = findings.Take();
  }

  const Words& TheWords() {
    if (!split_) scratch_.splitter.Split(text_, word_rules_, scratch_.words);
    split_ = true;
    return scratch_.words;
  }

  // With `reference` the lists of FineWeb-2, which are what the reference's users have for other languages.
  StopWordSettings StopWordsOf(bool reference) const {
    StopWordSettings stop_words;
    stop_words.list = FindStopWords(language_);
    stop_words.unmark = !reference;
    if (!reference) return stop_words;
    const FineWeb2Language* const own = FindFineWeb2Language(language_);
    if (own != nullptr) stop_words.list = &own->stop_words;
    return stop_words;
  }

  void Quality(std::string_view rule, const QualitySettings& settings, StopWordSettings stop_words, bool reference) {
    Findings findings(rule, measures_);
    const Words& words = TheWords();
    if (!findings.collecting()) stop_words.wanted = settings.min_stop_words;
    JudgeQuality(MeasureQuality(text_, words, language_, stop_words, reference), settings, findings);
    Take(findings);
  }

  void Repetition(std::string_view rule, const RepetitionSettings& settings) {
    Findings findings(rule, measures_);
    const uint64_t code_points = split_ ? scratch_.words.code_points : CountText(text_).code_points;
    JudgeRepetition(
        text_, code_points, [&]() -> const Words& { return TheWords(); }, seed_, settings, scratch_.repetition,
        findings);
    Take(findings);
  }

  void C4Quality() {
    Findings findings("c4-quality", measures_);
    if (JudgeC4Quality(text_, rules_.c4_quality, word_rules_, scratch_.splitter, marks_, findings)) split_ = false;
    Take(findings);
  }

  void FineWeb(std::string_view rule, const FineWebQualitySettings& settings) {
    Findings findings(rule, measures_);
    const auto words = [&] { return split_ ? scratch_.words.count : scratch_.splitter.Count(text_, word_rules_); };
    JudgeFineWebQuality(text_, settings, seed_, words, scratch_.lines, findings);
    Take(findings);
  }

  // The order of FineWeb-2's pipeline.
  void FineWeb2() {
    const FineWeb2Language* const own = FindFineWeb2Language(language_);
    if (own == nullptr) return;
    RepetitionSettings repetition = own->repetition;
    FineWebQualitySettings fineweb = own->fineweb;
    QualitySettings quality = own->quality;
    rules_.fineweb2.ApplyTo(repetition, fineweb, quality);
    Repetition("fineweb2", repetition);
    if (verdict_.kept() || measures_ != nullptr) FineWeb("fineweb2", fineweb);
    if (!verdict_.kept() && measures_ == nullptr) return;
    StopWordSettings stop_words;
    stop_words.list = &own->stop_words;
    stop_words.unmark = !compatible_;
    Quality("fineweb2", quality, stop_words, true);
  }

  std::string& text_;
  const std::string& language_;
  std::vector<size_t>* marks_;
  uint64_t seed_;
  const CurateSettings& settings_;
  const RuleSettings& rules_;
  JudgeScratch& scratch_;
  std::vector<Measure>* measures_;
  bool compatible_;
  WordRules word_rules_;
  bool split_ = false;
  Verdict verdict_;
};

// Counts `items` in the document and its meta.
void CountPersonalData(const std::vector<PersonalDataItem>& items, JudgedDocument& judged) {
  for (const PersonalDataItem& item : items) ++judged.personal_data[static_cast<size_t>(item.kind)];
  std::string fields;
  for (size_t i = 0; i < kPersonalDataKinds; ++i) {
    if (judged.personal_data[i] == 0) continue;
    fields += fmt::format("{}\"{}\":{}", fields.empty() ? "" : ",", PersonalDataName(static_cast<PersonalDataKind>(i)),
                          judged.personal_data[i]);
  }
  AddToMeta(judged.document.meta, "\"personal_data\":{" + fields + "}");
}

// `replace` gives the new text, and moves the marks that it is given.
template <typename Replace>
void ReplaceText(const Replace& replace, JudgedDocument& judged) {
  Document& document = judged.document;
  std::vector<size_t> marks = SpanEnds(document.spans);
  const std::vector<size_t> before = marks;
  document.text = replace(&marks);
  MoveSpans(before, marks, document.spans);
  judged.hash = HashText(document.text);
}

void JudgePersonalData(const CurateSettings& settings, JudgedDocument& judged) {
  const PersonalDataSettings& pii = settings.pii;
  if (ReplacesInTurn(settings)) return;  // ReplaceAsFormatter()
  const bool as_formatter = settings.datatrove_compatibility;
  const std::string& text = judged.document.text;
  const std::vector<PersonalDataItem> items = as_formatter ? FindAsFormatter(text, pii) : FindPersonalData(text, pii);
  if (items.empty()) return;
  CountPersonalData(items, judged);
  if (pii.drop) {
    judged.verdict = {"pii", "personal_data", std::string(PersonalDataName(items.front().kind))};
    return;
  }
  ReplaceText([&](std::vector<size_t>* marks) { return ReplacePersonalData(text, items, pii, marks); }, judged);
}

// Without an index nothing overlaps; PrepareRules() loads it. A document that is dropped already is only measured.
void ApplyOverlap(const CurateSettings& settings, JudgeScratch& scratch, JudgedDocument& judged,
                  std::vector<Measure>* measures) {
  if (settings.overlap_index == nullptr) return;
  Document& document = judged.document;
  std::vector<size_t> marks = SpanEnds(document.spans);
  const std::vector<size_t> before = marks;
  OverlapJudgement judgement =
      JudgeOverlap(document.text, settings.overlap, *settings.overlap_index, scratch.overlap, &marks, measures);
  if (!judged.verdict.kept() || judgement.found.empty()) return;
  AddToMeta(document.meta, "\"overlap\":" + DumpJson(judgement.meta));
  judged.overlap = std::move(judgement.found);
  judged.verdict = std::move(judgement.verdict);
  judged.overlap_cut = judgement.cut;
  if (!judgement.cut) return;
  document.text = std::move(judgement.text);
  MoveSpans(before, marks, document.spans);
  judged.hash = HashText(document.text);
}

}  // namespace

absl::Status PrepareRules(CurateSettings& settings, const RunContext& context) {
  if (settings.Has("language")) {
    ASSIGN_OR_RETURN(settings.language_model, LoadLanguageModel(settings.language));
  }
  if (!settings.Has("overlap")) return absl::OkStatus();
  // The reference takes one language for the sets and for all documents, English unless told.
  OverlapReference reference;
  reference.on = settings.datatrove_compatibility;
  const std::string& language = settings.language.wanted;
  if (reference.on && language != "auto") reference.rules = WordRulesFor(language, true);
  ASSIGN_OR_RETURN(settings.overlap_index, OverlapIndex::Load(settings.overlap, reference, context.memory_bytes / 4));
  return absl::OkStatus();
}

bool ReplacesInTurn(const CurateSettings& settings) {
  return settings.Has("pii") && settings.datatrove_compatibility && !settings.pii.drop;
}

void ReplaceAsFormatter(const CurateSettings& settings, FormatterReplacements& replacements, JudgedDocument& judged) {
  if (!ReplacesInTurn(settings)) return;
  const std::string& text = judged.document.text;
  const std::vector<PersonalDataItem> items = FindAsFormatter(text, settings.pii);
  if (items.empty()) return;
  CountPersonalData(items, judged);
  ReplaceText([&](std::vector<size_t>* marks) { return replacements.Replace(text, items, marks); }, judged);
}

std::vector<size_t> SpanEnds(const std::vector<Span>& spans) {
  std::vector<size_t> ends;
  for (const Span& span : spans) {
    ends.push_back(span.begin);
    ends.push_back(span.end);
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

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

JudgedDocument Judge(Document document, const CurateSettings& settings, JudgeScratch& scratch, NormaliseCounts& counts,
                     std::vector<Measure>* measures) {
  JudgedDocument judged;
  judged.input_bytes = document.text.size();
  judged.document = std::move(document);
  std::string& text = judged.document.text;
  std::vector<size_t> marks = SpanEnds(judged.document.spans);
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
  if (settings.Has("language")) {
    LanguageFinding finding = JudgeLanguage(judged.document, settings.language, settings.language_model.get(),
                                            settings.datatrove_compatibility, moved, scratch.language, measures);
    AddToMeta(judged.document.meta, finding.meta);
    judged.verdict = std::move(finding.verdict);
  } else if (judged.document.language.empty() && AsksForLanguage(settings)) {
    DetectedLanguage detected = DetectLanguage(text);
    if (detected.code != "und") judged.document.language = std::move(detected.code);
  }
  judged.hash = HashText(text);
  if (judged.verdict.kept() || measures != nullptr) {
    Verdict verdict = TextRules(judged.document, moved, judged.hash.low, settings, scratch, measures).Run();
    if (judged.verdict.kept()) judged.verdict = std::move(verdict);
    if (settings.Has("c4-quality")) judged.hash = HashText(text);  // lines may be cut
  }
  MoveSpans(before, marks, judged.document.spans);
  // Behind the rules of words, whose marks are those of the text as it came.
  if (judged.verdict.kept() && settings.Has("pii")) JudgePersonalData(settings, judged);
  if ((judged.verdict.kept() || measures != nullptr) && settings.Has("overlap")) {
    ApplyOverlap(settings, scratch, judged, measures);
  }
  return judged;
}

}  // namespace rhodes
