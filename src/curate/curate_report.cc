#include "curate/curate_report.h"

namespace rhodes {

void CurateReport::Count(const JudgedDocument& judged, const Verdict& verdict, uint64_t cut_bytes) {
  const Document& document = judged.document;
  for (size_t i = 0; i < kPersonalDataKinds; ++i) personal_data[i] += judged.personal_data[i];
  const bool is_kept = verdict.kept();
  const uint64_t stored = is_kept ? document.text.size() : 0;
  ++documents;
  text_bytes += judged.input_bytes;
  kept_text_bytes += stored;
  cut_text_bytes += cut_bytes;
  if (is_kept) {
    ++kept;
    ++languages[document.language];
  } else {
    ++dropped[std::string(verdict.rule)][std::string(verdict.reason)];
  }
  static const std::vector<std::string> kNone = {""};
  for (const std::string& source : document.sources.empty() ? kNone : document.sources) {
    SourceCounts& counts = sources[source];
    ++counts.documents;
    counts.kept += is_kept ? 1 : 0;
    counts.text_bytes += judged.input_bytes;
    counts.kept_text_bytes += stored;
  }
}

void CurateReport::Add(const CurateReport& other) {
  documents += other.documents;
  kept += other.kept;
  for (size_t i = 0; i < kPersonalDataKinds; ++i) personal_data[i] += other.personal_data[i];
  for (const auto& [rule, reasons] : other.dropped) {
    for (const auto& [reason, count] : reasons) dropped[rule][reason] += count;
  }
  for (const auto& [source, counts] : other.sources) {
    SourceCounts& own = sources[source];
    own.documents += counts.documents;
    own.kept += counts.kept;
    own.text_bytes += counts.text_bytes;
    own.kept_text_bytes += counts.kept_text_bytes;
  }
  for (const auto& [language, count] : other.languages) languages[language] += count;
  text_bytes += other.text_bytes;
  kept_text_bytes += other.kept_text_bytes;
  normalised.Add(other.normalised);
  cut_text_bytes += other.cut_text_bytes;
}

uint64_t CurateReport::DroppedDocuments() const {
  uint64_t count = 0;
  for (const auto& [rule, reasons] : dropped) {
    for (const auto& [reason, documents_of_it] : reasons) count += documents_of_it;
  }
  return count;
}

Json ToJson(const CurateReport& report) {
  Json reasons = Json::object();
  for (const auto& [rule, by_reason] : report.dropped) {
    for (const auto& [reason, documents] : by_reason) reasons[rule][reason] = documents;
  }
  Json sources = Json::object();
  for (const auto& [source, counts] : report.sources) {
    sources[source] = {{"documents", counts.documents},
                       {"kept", counts.kept},
                       {"dropped", counts.documents - counts.kept},
                       {"text_bytes", counts.text_bytes},
                       {"kept_text_bytes", counts.kept_text_bytes}};
  }
  Json personal_data = Json::object();
  for (size_t i = 0; i < kPersonalDataKinds; ++i) {
    if (report.personal_data[i] == 0) continue;
    personal_data[std::string(PersonalDataName(static_cast<PersonalDataKind>(i)))] = report.personal_data[i];
  }
  Json json = {{"documents", report.documents},
               {"kept", report.kept},
               {"dropped", report.DroppedDocuments()},
               {"reasons", reasons},
               {"sources", sources},
               {"languages", Json(report.languages)},
               {"text_bytes", report.text_bytes},
               {"kept_text_bytes", report.kept_text_bytes},
               {"normalised",
                {{"changed", report.normalised.changed},
                 {"invalid_utf8", report.normalised.invalid_utf8},
                 {"invalid_sequences", report.normalised.invalid_sequences},
                 {"control_characters", report.normalised.control_characters}}},
               {"personal_data", personal_data},
               {"clusters", report.clusters},
               {"cut_text_bytes", report.cut_text_bytes},
               {"seconds", report.seconds}};
  if (!report.overlap.empty()) json["overlap"] = report.overlap;
  return json;
}

}  // namespace rhodes
