#include "curate/explain.h"

#include <memory>

#include "curate/judge.h"
#include "record/document_table.h"

namespace rhodes {
namespace {

Json Explain(Document document, const CurateSettings& settings) {
  JudgeScratch scratch;
  NormaliseCounts counts;
  std::vector<Measure> measures;
  const JudgedDocument judged = Judge(std::move(document), settings, scratch, counts, &measures);
  Json list = Json::array();
  for (const Measure& measure : measures) {
    list.push_back({{"rule", std::string(measure.rule)},
                    {"reason", std::string(measure.reason)},
                    {"value", measure.value},
                    {"threshold", measure.threshold},
                    {"dropped", measure.dropped}});
  }
  const Verdict& verdict = judged.verdict;
  Json json = {{"id", judged.document.id},
               {"language", judged.document.language},
               {"text_bytes", judged.input_bytes},
               {"kept_text_bytes", verdict.kept() ? judged.document.text.size() : 0},
               {"rule", nullptr},
               {"reason", nullptr},
               {"measures", std::move(list)}};
  if (!verdict.kept()) {
    json["rule"] = std::string(verdict.rule);
    json["reason"] =
        verdict.detail.empty() ? std::string(verdict.reason) : fmt::format("{}: {}", verdict.reason, verdict.detail);
  }
  return json;
}

}  // namespace

absl::StatusOr<Json> ExplainDocument(const std::vector<std::string>& inputs, const std::string& id,
                                     const CurateSettings& given, RunContext& context) {
  CurateSettings settings = given;
  RETURN_IF_ERROR(PrepareRules(settings, context));
  ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::Open(inputs));
  std::vector<Document> batch;
  uint64_t documents = 0;
  while (true) {
    RETURN_IF_ERROR(context.CheckCancelled());
    ASSIGN_OR_RETURN(const bool more, reader->Next(batch));
    if (!more) break;
    for (Document& document : batch) {
      ++documents;
      if (document.id == id) return Explain(std::move(document), settings);
    }
  }
  return absl::NotFoundError(fmt::format("curate: none of the {} documents has the id \"{}\"", documents, id));
}

std::string FormatExplanation(const Json& explanation) {
  const std::string language = explanation.value("language", "");  // known where the input or a rule says it
  std::string text = fmt::format("document {}\n{}{} bytes of text\n", explanation.value("id", ""),
                                 language.empty() ? "" : fmt::format("language {}, ", language),
                                 explanation.value("text_bytes", uint64_t{0}));
  if (explanation["rule"].is_null()) {
    text += "kept by the rules that look at one document\n";
  } else {
    text += fmt::format("dropped by {}: {}\n", explanation.value("rule", ""), explanation.value("reason", ""));
  }
  text += fmt::format("\n{:<20} {:<28} {:>14} {:>14}\n", "rule", "reason", "value", "threshold");
  for (const Json& measure : explanation["measures"]) {
    text += fmt::format("{:<20} {:<28} {:>14.6g} {:>14.6g}{}\n", measure.value("rule", ""), measure.value("reason", ""),
                        measure.value("value", 0.0), measure.value("threshold", 0.0),
                        measure.value("dropped", false) ? "  <- drops it" : "");
  }
  return text;
}

}  // namespace rhodes
