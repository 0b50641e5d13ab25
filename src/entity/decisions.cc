#include "entity/decisions.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/json.h"

namespace rhodes {
namespace {

absl::StatusOr<EntityDecision> ParseDecision(std::string_view line, const std::string& what) {
  absl::StatusOr<Json> json = ParseJson(line, what);
  if (!json.ok()) return absl::DataLossError(Message(json.status()));
  EntityDecision decision;
  for (const auto& [name, field] :
       {std::pair{"kind", &decision.kind}, std::pair{"a", &decision.a}, std::pair{"b", &decision.b},
        std::pair{"reason", &decision.reason}, std::pair{"time", &decision.time}}) {
    if (!json->is_object() || !json->contains(name) || !(*json)[name].is_string()) {
      return absl::DataLossError(fmt::format("{}: there is no text \"{}\"", what, name));
    }
    *field = (*json)[name];
  }
  const auto it = json->find("decision");
  if (it == json->end() || (*it != Json("together") && *it != Json("apart"))) {
    return absl::DataLossError(fmt::format("{}: \"decision\" is neither \"together\" nor \"apart\"", what));
  }
  decision.together = *it == Json("together");
  return decision;
}

}  // namespace

std::string DecisionsPath(const std::string& out) { return out + "/entity-decisions.jsonl"; }

absl::StatusOr<std::vector<EntityDecision>> ReadDecisions(const std::string& out) {
  std::vector<EntityDecision> decisions;
  const std::string path = DecisionsPath(out);
  if (!PathExists(path)) return decisions;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    ++number;
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ASSIGN_OR_RETURN(EntityDecision decision, ParseDecision(line, fmt::format("{}:{}", path, number)));
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

std::vector<EntityDecision> LastDecisions(const std::vector<EntityDecision>& decisions) {
  std::set<std::pair<std::string, std::string>> seen;
  std::vector<EntityDecision> last;
  for (auto it = decisions.rbegin(); it != decisions.rend(); ++it) {
    if (seen.emplace(std::min(it->a, it->b), std::max(it->a, it->b)).second) last.push_back(*it);
  }
  std::reverse(last.begin(), last.end());
  return last;
}

absl::Status AppendDecision(const std::string& out, const EntityDecision& decision) {
  std::string text;
  const std::string path = DecisionsPath(out);
  if (PathExists(path)) {
    ASSIGN_OR_RETURN(text, ReadFile(path));
    text.resize(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
  }
  const Json line = {{"decision", decision.together ? "together" : "apart"},
                     {"kind", decision.kind},
                     {"a", decision.a},
                     {"b", decision.b},
                     {"reason", decision.reason},
                     {"time", decision.time}};
  return WriteFileAtomically(path, text + DumpJson(line) + "\n");
}

}  // namespace rhodes
