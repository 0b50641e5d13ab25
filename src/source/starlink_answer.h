// One answer of a dish: which of its calls it answers, when it was given, and the records it becomes.
#ifndef RHODES_SOURCE_STARLINK_ANSWER_H_
#define RHODES_SOURCE_STARLINK_ANSWER_H_

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/format.h"
#include "source/time.h"

namespace rhodes {

struct DishAnswer {
  enum class Kind { kStatus, kHistory, kMap, kLocation, kOther, kGroups };
  Kind kind = Kind::kStatus;
  simdjson::dom::element value;  // the answer itself
  std::string key;               // the member of the document that it is ("dishGetStatus"); empty: the document itself
  std::optional<Instant> time;   // when it was asked for or given
  std::string dish;              // the dish's id
  std::vector<std::pair<std::string, std::string>> fields;  // what else is said around it
};

// A document, where it stands, and what its log says of it.
struct DishDocument {
  const Block& block;
  const ReadOptions& options;
  size_t begin = 0;  // of the record: the log's prefix included
  size_t json_begin = 0;
  size_t end = 0;

  std::string_view json() const { return block.bytes.substr(json_begin, end - json_begin); }
};

// Finds the answer in a document: as grpcurl prints it ({"dishGetStatus": {...}}, camelCase or snake_case, other
// members around it), without that, or as the tools print it. Returns what is wrong, or "". Takes id and time from what
// the answer and the members beside it say, unless `answer` has them already.
std::string FindDishAnswer(simdjson::dom::element root, const ReadOptions& options, DishAnswer& answer);

// Which call the beginning of a file, a document or a log of them, answers first; nothing when it is neither.
std::optional<DishAnswer::Kind> SniffDishAnswer(std::string_view head);

// Puts all values below `value` into channels and fields, named by their paths; `alerts` as the list of those that are
// set; an outage's start as time too.
void AddDishValues(simdjson::dom::element value, const std::string& name, Record& record);

// Sets what the answer says around its values, and where it stands.
void FrameDishRecord(const DishDocument& document, const DishAnswer& answer, size_t begin, size_t end, Record& record);

// The records of one answer; rejects for what is none.
void ReadDishStatus(const DishDocument& document, const DishAnswer& answer, ParsedBlock& out);
void ReadDishHistory(const DishDocument& document, const DishAnswer& answer, ParsedBlock& out);
void ReadDishMap(const DishDocument& document, const DishAnswer& answer, ParsedBlock& out);

// The time in a file's name that holds one count of seconds since 1970, of the years 2019 to 2099:
// "map-1689286270.json".
std::optional<Instant> TimeOfFileName(std::string_view path);

}  // namespace rhodes

#endif  // RHODES_SOURCE_STARLINK_ANSWER_H_
