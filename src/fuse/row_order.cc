#include "fuse/row_order.h"

#include <algorithm>
#include <string_view>

#include "base/json.h"
#include "base/text.h"

namespace rhodes {
namespace {

constexpr std::string_view kOrdered[] = {"PROJECTION", "FILTER", "READ_PARQUET", "SEQ_SCAN",   "TABLE_SCAN",
                                         "UNNEST",     "UNION",  "EMPTY_RESULT", "DUMMY_SCAN", "COLUMN_DATA_SCAN"};

bool AllOrdered(const Json& operators) {
  return std::all_of(operators.begin(), operators.end(), [](const Json& node) {
    const auto written = node.value("name", std::string());
    const std::string_view name = Trim(written);
    return std::find(std::begin(kOrdered), std::end(kOrdered), name) != std::end(kOrdered) &&
           AllOrdered(node.value("children", Json::array()));
  });
}

}  // namespace

absl::StatusOr<bool> KeepsRowOrder(Database& database, const std::string& sql) {
  ASSIGN_OR_RETURN(QueryResult plan, database.Query("EXPLAIN (FORMAT JSON) " + sql));
  ASSIGN_OR_RETURN(const bool any, plan.Next());
  if (!any) return false;
  ASSIGN_OR_RETURN(const Json operators, ParseJson(plan.String(1, 0), "the plan of the query"));
  return AllOrdered(operators);
}

}  // namespace rhodes
