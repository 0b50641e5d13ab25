#include "source/json_envelope.h"

#include <algorithm>
#include <array>

#include "source/json_scan.h"

namespace rhodes {
namespace {

constexpr std::array<std::string_view, 28> kListNames = {
    "data",      "items",    "results",      "records",      "rows",     "entries",  "articles",
    "documents", "docs",     "features",     "posts",        "tweets",   "statuses", "messages",
    "events",    "examples", "observations", "measurements", "readings", "samples",  "feeds",
    "hits",      "elements", "objects",      "list",         "value",    "values",   "children"};
constexpr std::array<std::string_view, 11> kWrapperNames = {"response", "result",  "results", "data", "hits", "feed",
                                                            "query",    "payload", "body",    "page", "d"};

template <size_t N>
bool Contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Walks over the members of the object that begins at `at`.
class Members {
 public:
  Members(std::string_view text, size_t at) : text_(text), at_(at + 1) {}

  // The next one's key and where its value begins; false at the end, or where the text is no JSON.
  bool Next(std::string_view& key, size_t& value) {
    if (started_) {
      if (FindJsonElementEnd(text_, at_) != JsonStop::kComma) return false;
      ++at_;
    }
    started_ = true;
    at_ = SkipJsonBlanks(text_, at_);
    if (at_ >= text_.size() || text_[at_] != '"') return false;
    const size_t begin = at_ + 1;
    at_ = AfterJsonString(text_, at_);
    if (at_ == std::string_view::npos) return false;
    key = text_.substr(begin, at_ - 1 - begin);
    at_ = SkipJsonBlanks(text_, at_);
    if (at_ >= text_.size() || text_[at_] != ':') return false;
    at_ = SkipJsonBlanks(text_, at_ + 1);
    value = at_;
    return at_ < text_.size();
  }

 private:
  std::string_view text_;
  size_t at_;
  bool started_ = false;
};

struct Search {
  std::string_view text;
  bool whole;
  const RoleTable& roles;
  std::vector<std::string> path;

  // The position after the array's bracket, npos when the object at `at` has no such array.
  size_t Find(size_t at, bool inner) {
    Members members(text, at);
    std::string_view key;
    size_t value = 0;
    while (members.Next(key, value)) {
      if (IsText(key, value)) return std::string_view::npos;
      path.emplace_back(key);
      if (text[value] == '[' && IsList(key, value, inner)) return value + 1;
      if (text[value] == '{' && !inner && Contains(kWrapperNames, key)) {
        if (const size_t found = Find(value, true); found != std::string_view::npos) return found;
      }
      path.pop_back();
    }
    return std::string_view::npos;
  }

  bool IsText(std::string_view key, size_t value) const {
    // "message": "OK" is what services say of themselves.
    return text[value] == '"' && key != "message" && roles.Find(key).role == Role::kText;
  }

  bool HasText() const {
    Members members(text, 0);
    std::string_view key;
    size_t value = 0;
    while (members.Next(key, value)) {
      if (IsText(key, value)) return true;
    }
    return false;
  }

  bool IsList(std::string_view key, size_t bracket, bool inner) const {
    const size_t first = SkipJsonBlanks(text, bracket + 1);
    const bool objects = first < text.size() && text[first] == '{';
    const bool empty = first < text.size() && text[first] == ']';
    if (key == "children" ? inner : Contains(kListNames, key)) return objects || empty;
    if (inner && key == "search") return objects || empty;
    return objects && !whole && AfterJsonValue(text, bracket, false) == std::string_view::npos;
  }
};

}  // namespace

std::optional<JsonEnvelope> FindJsonEnvelope(std::string_view text, bool whole, const RoleTable& roles) {
  Search search{text, whole, roles, {}};
  const size_t prefix = search.Find(0, false);
  if (prefix == std::string_view::npos || (whole && search.HasText())) return std::nullopt;
  return JsonEnvelope{prefix, std::move(search.path)};
}

}  // namespace rhodes
