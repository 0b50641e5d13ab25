// Any bytes as an evaluation set, as JSON Lines and as one JSON value: read or refused with the file's name; what is
// read is valid UTF-8; the words of what is read come in order.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "curate/overlap_set.h"
#include "curate/overlap_words.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static rhodes::OverlapWordScanner* const scanner = new rhodes::OverlapWordScanner(13);
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  rhodes::EvaluationReadOptions all;
  all.max_json_bytes = 1 << 16;
  rhodes::EvaluationReadOptions some = all;
  some.fields.texts = {"a", "a.b", "question.choices.text"};
  some.fields.queries = {"query"};
  for (const char* name : {"set.jsonl", "set.json"}) {
    for (const rhodes::EvaluationReadOptions& options : {all, some}) {
      uint64_t line = 0;
      const absl::Status status =
          rhodes::ReadEvaluationBytes(name, bytes, options, [&](const rhodes::EvaluationItem& item) {
            Require(item.line > line);
            line = item.line;
            for (const auto* texts : {&item.texts, &item.queries}) {
              for (const std::string_view text : *texts) {
                Require(!text.empty() && rhodes::IsValidUtf8(text));
                size_t begin = 0;
                scanner->Scan(text, [&](const rhodes::OverlapWordBatch& batch) {
                  for (size_t i = 0; i < batch.count; ++i) {
                    Require(begin <= batch.begin[i] && batch.begin[i] < batch.end[i] && batch.end[i] <= text.size());
                    begin = batch.begin[i];
                  }
                });
              }
            }
            return absl::OkStatus();
          });
      Require(status.ok() || rhodes::Message(status).starts_with("evaluation set set: "));
    }
  }
  return 0;
}
