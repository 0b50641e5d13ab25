#include "curate/document_line.h"

#include <fmt/chrono.h>

#include <ctime>

#include "base/json.h"
#include "base/text.h"

namespace rhodes {
namespace {

std::string TimeText(int64_t microseconds) {
  int64_t seconds = microseconds / 1'000'000;
  int64_t rest = microseconds % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  const std::string whole = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
  return rest == 0 ? whole + "Z" : fmt::format("{}.{:06}Z", whole, rest);
}

void AppendStrings(const std::vector<std::string>& list, std::string& lines) {
  lines += '[';
  for (const std::string& text : list) {
    if (&text != list.data()) lines += ',';
    AppendJsonString(text, lines);
  }
  lines += ']';
}

}  // namespace

void AppendDocumentLine(const Document& document, const DropNote* note, std::string& lines) {
  lines += "{\"id\":";
  AppendJsonString(document.id, lines);
  lines += ",\"text\":";
  AppendJsonString(document.text, lines);
  if (document.time) lines += fmt::format(",\"time\":\"{}\"", TimeText(*document.time));
  if (!document.language.empty()) {
    lines += ",\"language\":";
    AppendJsonString(document.language, lines);
  }
  if (!document.sources.empty()) {
    lines += ",\"sources\":";
    AppendStrings(document.sources, lines);
  }
  if (!document.parents.empty()) {
    lines += ",\"parents\":";
    AppendStrings(document.parents, lines);
  }
  if (!document.spans.empty()) {
    lines += ",\"spans\":[";
    for (const Span& span : document.spans) {
      lines += fmt::format("{}{{\"begin\":{},\"end\":{},\"parent\":{}}}", &span == document.spans.data() ? "" : ",",
                           span.begin, span.end, span.parent);
    }
    lines += ']';
  }
  const std::string_view meta = Trim(document.meta);
  if (meta.size() > 2 && meta.front() == '{' && meta.back() == '}') {
    const std::string_view members = Trim(meta.substr(1, meta.size() - 2));
    if (!members.empty()) (lines += ',') += members;
  }
  if (note != nullptr) {
    lines += ",\"rule\":";
    AppendJsonString(note->rule, lines);
    lines += ",\"reason\":";
    AppendJsonString(note->reason, lines);
    if (!note->cluster.empty()) lines += ",\"cluster\":" + note->cluster;
    if (!note->kept_id.empty()) {
      lines += ",\"kept_id\":";
      AppendJsonString(note->kept_id, lines);
    }
  }
  lines += "}\n";
}

}  // namespace rhodes
