#include "fuse/view_check.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/json.h"
#include "base/text.h"

namespace rhodes {
namespace {

// Seeded by the fuse stage, or without a value of their own.
constexpr std::string_view kAllowed[] = {"random", "uuid", "uuidv4", "gen_random_uuid", "setseed", "error"};
// Keywords that are calls, and what stands for the settings of a session.
constexpr std::string_view kKeywords[] = {"current_timestamp", "current_date", "current_time", "localtime",
                                          "localtimestamp"};
constexpr std::string_view kPairwise[] = {"CROSS_PRODUCT", "NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN"};

template <size_t N>
bool IsOneOf(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

// Where the quoted text or comment that begins at `at` ends; `at` itself if none does.
size_t SkipQuoted(std::string_view sql, size_t at) {
  const auto past = [&](std::string_view end, size_t from) {
    const size_t found = sql.find(end, from);
    return found == std::string_view::npos ? sql.size() : found + end.size();
  };
  const std::string_view rest = sql.substr(at);
  if (rest.starts_with("--")) return past("\n", at);
  if (rest.starts_with("/*")) return past("*/", at + 2);
  if (rest.starts_with('\'') || rest.starts_with('"')) return past(rest.substr(0, 1), at + 1);  // '' begins another
  if (rest.starts_with('$')) {
    size_t end = at + 1;
    while (end < sql.size() && (IsWordByte(sql[end]) || (sql[end] >= 'A' && sql[end] <= 'Z'))) ++end;
    if (end < sql.size() && sql[end] == '$') return past(sql.substr(at, end + 1 - at), end + 1);
  }
  return at;
}

// The SQL in lower case with quoted texts and comments blanked, line breaks kept.
std::string Bare(std::string_view sql) {
  std::string bare = LowerAscii(sql);
  for (size_t at = 0; at < bare.size();) {
    const size_t end = SkipQuoted(sql, at);
    for (size_t i = at; i < end; ++i) {
      if (bare[i] != '\n') bare[i] = ' ';
    }
    at = std::max(end, at + 1);
  }
  return bare;
}

size_t LineOf(std::string_view sql, size_t at) {
  return 1 + static_cast<size_t>(std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

// Where `word` stands by itself.
std::optional<size_t> FindWord(const std::string& bare, std::string_view word) {
  for (size_t at = bare.find(word); at != std::string::npos; at = bare.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !IsWordByte(bare[at - 1])) && (end >= bare.size() || !IsWordByte(bare[end]))) return at;
  }
  return std::nullopt;
}

std::string LinePrefix(const std::string& sql, std::optional<size_t> at) {
  return at.has_value() ? fmt::format("LINE {}: ", LineOf(sql, *at)) : "";
}

struct Changing {
  std::string name;
  size_t at = 0;
};

std::optional<Changing> FindChanging(const std::string& bare, const std::set<std::string>& changing) {
  for (size_t at = 0; at < bare.size();) {
    size_t end = at;
    while (end < bare.size() && IsWordByte(bare[end])) ++end;
    if (end == at) {
      ++at;
      continue;
    }
    std::string word = bare.substr(at, end - at);
    const bool keyword = IsOneOf(word, kKeywords) && (at == 0 || bare[at - 1] != '.');
    if (keyword || (changing.contains(word) && Trim(std::string_view(bare).substr(end)).starts_with('('))) {
      return Changing{std::move(word), at};
    }
    at = end;
  }
  return std::nullopt;
}

absl::StatusOr<std::set<std::string>> ChangingFunctions(Database& database) {
  std::set<std::string> changing;
  ASSIGN_OR_RETURN(
      QueryResult names,
      database.Query("SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability IN ('VOLATILE', "
                     "'CONSISTENT_WITHIN_QUERY')"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, names.Next());
    if (!more) return changing;
    for (size_t row = 0; row < names.row_count(); ++row) {
      if (!IsOneOf(names.String(0, row), kAllowed)) changing.emplace(names.String(0, row));
    }
  }
}

absl::StatusOr<Json> PlanOf(Database& database, const std::string& sql) {
  ASSIGN_OR_RETURN(QueryResult plan, database.Query("EXPLAIN (FORMAT JSON) " + sql));
  ASSIGN_OR_RETURN(const bool any, plan.Next());
  if (!any) return Json::array();
  return ParseJson(plan.String(1, 0), "the plan of the query");
}

// The texts of a plan's operators, each on a line of its own.
void Texts(const Json& json, std::string& texts) {
  if (json.is_string()) {
    texts += Bare(json.get<std::string>()) + "\n";
  } else if (json.is_structured()) {
    for (const Json& one : json) Texts(one, texts);
  }
}

// Macros are gone from a plan, and what they call stands in it; without the optimizer, now() is still a call.
absl::StatusOr<std::string> WrittenPlan(Database& database, const std::string& sql) {
  RETURN_IF_ERROR(database.Execute("PRAGMA disable_optimizer"));
  const absl::StatusOr<Json> plan = PlanOf(database, sql);
  RETURN_IF_ERROR(database.Execute("PRAGMA enable_optimizer"));
  RETURN_IF_ERROR(plan.status());
  std::string texts;
  Texts(*plan, texts);
  return texts;
}

absl::Status CheckDeterministic(Database& database, const std::string& sql) {
  ASSIGN_OR_RETURN(const std::set<std::string> changing, ChangingFunctions(database));
  std::optional<Changing> found = FindChanging(Bare(sql), changing);
  const bool written = found.has_value();
  if (!written) {
    ASSIGN_OR_RETURN(const std::string texts, WrittenPlan(database, sql));
    found = FindChanging(texts, changing);
  }
  if (!found.has_value()) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "{}{} differs from run to run, so the view would make other documents each time: write a fixed value, such as "
      "TIMESTAMP '2026-01-01', or say allow_nondeterministic = true in the view",
      LinePrefix(sql, written ? std::optional(found->at) : std::nullopt), found->name));
}

// The rows an operator is estimated to give; what has no estimate gives what it is made of.
double RowsOf(const Json& node) {
  const Json children = node.value("children", Json::array());
  double rows = children.empty() ? 1 : 0;
  for (const Json& child : children) rows = std::max(rows, RowsOf(child));
  const auto name = node.value("name", std::string());
  if (name == "CROSS_PRODUCT" && children.size() == 2) return RowsOf(children[0]) * RowsOf(children[1]);
  if (name == "UNGROUPED_AGGREGATE") return 1;
  if (const auto info = node.find("extra_info"); info != node.end() && info->is_object()) {
    const auto count = info->value("Estimated Cardinality", std::string());
    uint64_t estimate = 0;
    const auto parsed = std::from_chars(count.data(), count.data() + count.size(), estimate);
    // Operators above a table function without an estimate say 0 where they mean: not known.
    if (parsed.ec == std::errc() && estimate > 0) return static_cast<double>(estimate);
  }
  return rows;
}

struct Pairs {
  bool product = false;  // else a join with a condition
  double left = 0;
  double right = 0;
  double Excess(const ViewCheckOptions& options) const {
    return left * right / static_cast<double>(product ? options.most_rows : options.most_pairs);
  }
};

void FindPairs(const Json& nodes, const ViewCheckOptions& options, Pairs& most) {
  for (const Json& node : nodes) {
    const Json children = node.value("children", Json::array());
    const auto written = node.value("name", std::string());
    if (IsOneOf(Trim(written), kPairwise) && children.size() == 2) {
      const Pairs pairs{Trim(written) == "CROSS_PRODUCT", RowsOf(children[0]), RowsOf(children[1])};
      if (pairs.Excess(options) > most.Excess(options)) most = pairs;
    }
    FindPairs(children, options, most);
  }
}

// The word that most likely asks for it: CROSS JOIN, else the last JOIN, else the FROM with its commas.
std::optional<size_t> FindJoin(const std::string& sql) {
  const std::string bare = Bare(sql);
  for (const char* word : {"cross", "join", "from"}) {
    if (const std::optional<size_t> at = FindWord(bare, word)) return at;
  }
  return std::nullopt;
}

absl::Status CheckPairs(const Json& plan, const std::string& sql, const ViewCheckOptions& options) {
  Pairs most;
  FindPairs(plan, options, most);
  if (most.Excess(options) <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "{}every one of about {:.0f} rows would be compared with every one of about {:.0f} ({}): join on an equality, or "
      "use nearest() or within_distance(), or say allow_cross_product = true in the view",
      LinePrefix(sql, FindJoin(sql)), most.left, most.right,
      most.product ? "a cross product" : "a join that no equality narrows"));
}

}  // namespace

absl::Status NamingTheNearest(const absl::Status& status, const std::string& sql,
                              const std::vector<std::string>& known) {
  if (!absl::IsInvalidArgument(status)) return status;
  const std::string message = Message(status);
  constexpr std::string_view kBefore = "Table with name ";
  constexpr std::string_view kAfter = " does not exist!";
  const size_t before = message.find(kBefore);
  const size_t after = message.find(kAfter);
  if (before == std::string::npos || after == std::string::npos || after < before + kBefore.size()) return status;
  const std::string name = message.substr(before + kBefore.size(), after - before - kBefore.size());
  const std::string nearest = Nearest(name, known);
  // A name that is given to a macro stands in quotes, so the text is looked through as it is.
  const std::optional<size_t> at = FindWord(LowerAscii(sql), LowerAscii(name));
  return absl::InvalidArgumentError(fmt::format(
      "{}there is no source or earlier view \"{}\"{}; there {} {}", LinePrefix(sql, at), name,
      nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest), known.size() == 1 ? "is" : "are",
      known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
}

absl::Status CheckView(Database& database, const std::string& sql, const ViewCheckOptions& options) {
  const absl::StatusOr<Json> plan = PlanOf(database, sql);
  if (!plan.ok()) return NamingTheNearest(plan.status(), sql, options.known);
  if (!options.allow_nondeterministic) RETURN_IF_ERROR(CheckDeterministic(database, sql));
  if (!options.allow_cross_product) RETURN_IF_ERROR(CheckPairs(*plan, sql, options));
  return absl::OkStatus();
}

}  // namespace rhodes
