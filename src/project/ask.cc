#include "project/ask.h"

#include <chrono>
#include <map>

#include "base/file.h"
#include "base/manifest.h"
#include "base/text.h"
#include "infer/engine.h"
#include "serve/evidence.h"

namespace rhodes {
namespace {

// A span of a few letters stands in half of all documents and says nothing.
constexpr size_t kShortestSpan = 12;  // bytes

absl::StatusOr<Json> AskOne(const AskOptions& options, const std::string& question, Engine& engine, Evidence& evidence,
                            RunContext& context) {
  GenerationRequest request;
  ASSIGN_OR_RETURN(request.prompt, engine.TokenizeChat({{"user", question}}));
  request.max_tokens = options.settings.max_tokens;
  request.sampling.temperature = static_cast<float>(options.settings.temperature);
  request.sampling.seed = options.seed;
  request.skip_leading_space = true;
  request.stop = engine.chat().stop;
  absl::StatusOr<GenerationResult> result = engine.Generate(request, {}, context.cancelled);
  if (!result.ok()) return Annotate(result.status(), fmt::format("ask \"{}\"", question));
  RETURN_IF_ERROR(context.CheckCancelled());
  ASSIGN_OR_RETURN(const Json trace, evidence.Trace(result->text));
  return Json{{"question", question},
              {"answer", result->text},
              {"tokens", result->completion_tokens},
              {"finish_reason", FinishReasonName(result->finish_reason)},
              {"leans_on", LeansOn(trace)}};
}

}  // namespace

Json ToJson(const AskSettings& settings) {
  return {
      {"questions", settings.questions}, {"max_tokens", settings.max_tokens}, {"temperature", settings.temperature}};
}

Json LeansOn(const Json& trace) {
  std::map<std::string, std::string> titles;
  for (const Json& span : trace["spans"]) {
    for (const Json& document : span["documents"]) {
      titles[document["id"].get<std::string>()] = document.value("title", "");
    }
  }
  Json list = Json::array();
  for (const Json& document : trace["documents"]) {
    if (list.size() == kDocumentsShown) break;
    std::string words;
    size_t bytes = 0;
    const auto id = document["id"].get<std::string>();
    // Of a document that was made from several records, those that the shown words are from.
    const Json* records = &document["records"];
    for (const Json& number : document["spans"]) {
      const Json& span = trace["spans"][number.get<size_t>()];
      const auto& text = span["text"].get_ref<const std::string&>();
      bytes += text.size();
      if (text.size() <= words.size()) continue;
      words = text;
      records = &document["records"];
      for (const Json& holder : span["documents"]) {
        if (holder["id"] == id && holder.contains("records") && !holder["records"].empty()) {
          records = &holder["records"];
        }
      }
    }
    if (Trim(words).size() < kShortestSpan) continue;
    list.push_back({{"id", id},
                    {"title", document.value("title", titles[id])},
                    {"source", document.value("source", "")},
                    {"words", words},
                    {"bytes", bytes},
                    {"records", *records}});
  }
  return list;
}

absl::StatusOr<Json> Ask(const AskOptions& options, RunContext& context) {
  const auto begun = std::chrono::steady_clock::now();
  const std::vector<std::string>& questions = options.settings.questions;
  context.progress->Begin("ask", questions.size(), "questions");
  EngineOptions engine_options;
  engine_options.threads = context.Threads();
  engine_options.max_sequences = 1;
  engine_options.cache_bytes = context.memory_bytes / 4;
  ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine, Engine::Open(options.out + "/model", engine_options));
  ASSIGN_OR_RETURN(const std::unique_ptr<Evidence> evidence, Evidence::Open(options.out, context));
  Json answers = Json::array();
  uint64_t tokens = 0;
  for (const std::string& question : questions) {
    ASSIGN_OR_RETURN(Json answer, AskOne(options, question, *engine, *evidence, context));
    tokens += answer["tokens"].get<uint64_t>();
    answers.push_back(std::move(answer));
    context.progress->Update(answers.size(), "");
  }
  context.progress->End();
  Manifest manifest;
  manifest.stage = "ask";
  manifest.key = options.key;
  manifest.settings = ToJson(options.settings);
  manifest.counts = {{"questions", questions.size()}, {"tokens", tokens}};
  manifest.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  Json json = manifest.ToJson();
  json["answers"] = std::move(answers);
  RETURN_IF_ERROR(WriteFileAtomically(options.out + "/answers.json", DumpJson(json, 2) + "\n"));
  return json;
}

}  // namespace rhodes
