#include "fuse/view_plan.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/json.h"
#include "base/text.h"
#include "fuse/row_order.h"

namespace rhodes {
namespace {

// Operators that make each row out of one row, and where rows come from once no source shows a record.
constexpr std::string_view kRowLocal[] = {"PROJECTION", "FILTER", "UNNEST", "UNION", "EMPTY_RESULT", "SEQ_SCAN"};
// Those that read nothing but what is in the statement or was made by it.
constexpr std::string_view kOwnRows[] = {"SEQ_SCAN",      "DUMMY_SCAN", "COLUMN_DATA_SCAN", "EXPRESSION_SCAN",
                                         "EMPTY_RESULT",  "RANGE",      "GENERATE_SERIES",  "UNNEST",
                                         "CTE_SCAN",      "DELIM_SCAN", "REC_CTE_SCAN",     "RECURSIVE_CTE_SCAN",
                                         "INOUT_FUNCTION"};

template <size_t N>
bool IsOneOf(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

struct Operator {
  std::string name;
  bool leaf;
  uint64_t rows;
};

void Flatten(const Json& nodes, std::vector<Operator>& operators) {
  for (const Json& node : nodes) {
    const Json children = node.value("children", Json::array());
    const auto written = node.value("name", std::string());
    uint64_t rows = 0;
    if (const auto info = node.find("extra_info"); info != node.end() && info->is_object()) {
      const auto count = info->value("Estimated Cardinality", std::string());
      std::from_chars(count.data(), count.data() + count.size(), rows);
    }
    operators.push_back({std::string(Trim(written)), children.empty(), rows});
    Flatten(children, operators);
  }
}

absl::StatusOr<std::vector<Operator>> OperatorsOf(Database& database, const std::string& sql) {
  ASSIGN_OR_RETURN(QueryResult plan, database.Query("EXPLAIN (FORMAT JSON) " + sql));
  ASSIGN_OR_RETURN(const bool any, plan.Next());
  std::vector<Operator> operators;
  if (!any) return operators;
  ASSIGN_OR_RETURN(const Json nodes, ParseJson(plan.String(1, 0), "the plan of the query"));
  Flatten(nodes, operators);
  return operators;
}

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

// Plans as they are written: what the optimizer would leave out because a source is empty just now stays.
class AsWritten {
 public:
  explicit AsWritten(Database& database) : database_(database) {}
  absl::StatusOr<std::vector<Operator>> Plan(const std::string& sql) {
    RETURN_IF_ERROR(database_.Execute("PRAGMA disable_optimizer"));
    absl::StatusOr<std::vector<Operator>> operators = OperatorsOf(database_, sql);
    RETURN_IF_ERROR(database_.Execute("PRAGMA enable_optimizer"));
    return operators;
  }

 private:
  Database& database_;
};

bool ReadsFiles(const std::vector<Operator>& operators) {
  return std::any_of(operators.begin(), operators.end(),
                     [](const Operator& one) { return one.leaf && !IsOneOf(one.name, kOwnRows); });
}

std::string Listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

const char* NameOf(ViewPlan::Way way) {
  switch (way) {
    case ViewPlan::Way::kParts:
      return "part by part";
    case ViewPlan::Way::kSlices:
      return "slice by slice";
    case ViewPlan::Way::kWhole:
      break;
  }
  return "whole";
}

bool Mentions(const std::string& sql, const std::string& name) {
  return LowerAscii(sql).find(LowerAscii(name)) != std::string::npos;
}

absl::StatusOr<ViewPlanner> ViewPlanner::Create(Database& database, SourceScope& scope) {
  ViewPlanner planner(database, scope);
  planner.changing_ = {"current_timestamp", "current_date", "current_time", "localtime", "localtimestamp"};
  ASSIGN_OR_RETURN(
      QueryResult names,
      database.Query("SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability IN ('VOLATILE', "
                     "'CONSISTENT_WITHIN_QUERY')"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, names.Next());
    if (!more) return planner;
    for (size_t row = 0; row < names.row_count(); ++row) planner.changing_.emplace(names.String(0, row));
  }
}

// The first function in the SQL whose value may differ from run to run, or nothing.
std::string ViewPlanner::Changing(const std::string& sql) const {
  const std::string lower = LowerAscii(sql);
  for (size_t at = 0; at < lower.size();) {
    if (!IsWordByte(lower[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < lower.size() && IsWordByte(lower[end])) ++end;
    std::string word = lower.substr(at, end - at);
    const bool called = Trim(std::string_view(lower).substr(end)).starts_with('(') || word.starts_with("current_") ||
                        word.starts_with("local");
    if (called && changing_.contains(word)) return word;
    at = end;
  }
  return "";
}

absl::StatusOr<ViewPlan> ViewPlanner::Plan(const FuseView& view, const std::string& sql,
                                           const std::vector<std::string>& earlier, bool referenced) {
  Database& database = *database_;
  SourceScope& scope = *scope_;
  ViewPlan plan;
  ASSIGN_OR_RETURN(plan.parallel, KeepsRowOrder(database, sql));
  ASSIGN_OR_RETURN(const std::vector<Operator> optimized, OperatorsOf(database, sql));
  if (!optimized.empty()) plan.estimated_rows = optimized.front().rows;
  if (const std::string changing = Changing(sql); !changing.empty())
    plan.unstable = fmt::format("{}() differs from run to run", changing);
  for (const std::string& name : earlier) {
    if (Mentions(sql, name)) plan.earlier.push_back(name);
  }

  AsWritten as_written(database);
  RETURN_IF_ERROR(scope.ShowNothing());
  ASSIGN_OR_RETURN(const std::vector<Operator> bare, as_written.Plan(sql));
  for (const SourceScope::Source& source : scope.sources()) {
    if (source.parts.empty()) continue;
    RETURN_IF_ERROR(scope.ShowSource(source.name));
    ASSIGN_OR_RETURN(const std::vector<Operator> with, as_written.Plan(sql));
    const auto files = [](const std::vector<Operator>& operators) {
      return std::count_if(operators.begin(), operators.end(),
                           [](const Operator& one) { return one.leaf && !IsOneOf(one.name, kOwnRows); });
    };
    if (files(with) > files(bare)) plan.sources.push_back(source.name);
  }
  RETURN_IF_ERROR(scope.ShowAll());
  if (plan.unstable.empty() && ReadsFiles(bare)) {
    plan.unstable = "it reads something beside records and views, whose changes are not seen";
  }

  std::string across;
  for (const Operator& one : bare) {
    if (!IsOneOf(one.name, kRowLocal)) across = one.name;
  }
  if (view.rest) {
    plan.why = "which records no earlier view used depends on all of them";
  } else if (view.slices.has_value()) {
    plan.way = ViewPlan::Way::kSlices;
    plan.why = fmt::format("it says slices: each from the records within {} s of it", view.slices->margin / 1'000'000);
  } else if (referenced) {
    plan.why = "a later view selects from it, and needs all its rows";
  } else if (!plan.earlier.empty()) {
    plan.why = fmt::format("it selects from the view {}", Listed(plan.earlier));
  } else if (!across.empty()) {
    plan.why = fmt::format(
        "a row may come from several records (operator {}); say slices = {{ ... }} if they lie near "
        "in time",
        across);
  } else {
    plan.way = ViewPlan::Way::kParts;
    plan.why = "each row comes from one record";
  }
  return plan;
}

}  // namespace rhodes
