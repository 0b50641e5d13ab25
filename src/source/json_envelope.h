// The object that web interfaces put around a list of records: {"count": 2, "results": [{...}, {...}]}.
#ifndef RHODES_SOURCE_JSON_ENVELOPE_H_
#define RHODES_SOURCE_JSON_ENVELOPE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/row_builder.h"

namespace rhodes {

struct JsonEnvelope {
  size_t prefix = 0;              // bytes of the object up to and with the bracket that opens the array
  std::vector<std::string> path;  // the keys that lead to it, one or two, as they stand between their quotes
};

// The array that is what the object is about, when it has one: the first member that is an array of objects under a
// usual name (data, items, results, records, rows, entries, articles, documents, docs, features, posts, tweets,
// statuses, messages, events, examples, observations, measurements, readings, samples, feeds, hits, elements, objects,
// list, value, values; also one level down, as in {"response": {"docs": [...]}}). `text` begins with the object's
// brace. An object that has a text of its own (seen
// before the array, or anywhere when `whole`) is a record. Not `whole` (the object goes on behind
// `text`): an array of objects of any name in which `text` ends.
std::optional<JsonEnvelope> FindJsonEnvelope(std::string_view text, bool whole, const RoleTable& roles);

}  // namespace rhodes

#endif  // RHODES_SOURCE_JSON_ENVELOPE_H_
