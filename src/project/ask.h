// The ask stage: the project's questions put to its model, each answer with the documents it leans on.
#ifndef RHODES_PROJECT_ASK_H_
#define RHODES_PROJECT_ASK_H_

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/run_context.h"
#include "project/project_file.h"

namespace rhodes {

struct AskOptions {
  std::string out;  // with model/ and trace/
  AskSettings settings;
  uint64_t seed = 1;
  std::string key;
};

Json ToJson(const AskSettings& settings);

// Asks every question and writes OUT/answers.json:
//   {"stage", "version", "key", "settings", "counts": {"questions", "tokens"}, "seconds",
//    "answers": [{"question", "answer", "tokens", "finish_reason",
//                 "leans_on": [{"id", "title", "source", "words", "bytes", "records": [{"id", "file", "begin",
//                 "end"}]}]}]}
// `leans_on` has the documents that the answer leans on most (trace/trace.h), at most kDocumentsShown; `words` is the
// longest word-for-word span that a document shares with it and `bytes` the length of all such spans.
// Returns what was written.
//
// OUT_OF_RANGE naming the question when it does not fit the model's context.
absl::StatusOr<Json> Ask(const AskOptions& options, RunContext& context);

constexpr size_t kDocumentsShown = 3;

// `leans_on` of a trace in the form of `rhodes trace --json` with titles (see serve/evidence.h).
Json LeansOn(const Json& trace);

}  // namespace rhodes

#endif  // RHODES_PROJECT_ASK_H_
