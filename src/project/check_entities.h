// Checking OUT/entities: its files, its counts, and that every record it names is there.
#ifndef RHODES_PROJECT_CHECK_ENTITIES_H_
#define RHODES_PROJECT_CHECK_ENTITIES_H_

#include <string>

#include "project/check.h"
#include "store/id_set.h"

namespace rhodes {

// Adds what is wrong to `report`, and the bytes that were read. Nothing when there are no entities. `records` are the
// ids of all records of OUT; null when a source cannot be read, so that nobody knows.
absl::Status CheckEntities(const std::string& out, const IdSet* records, const char* repair, CheckReport& report,
                           uint64_t& bytes, const RunContext& context);

}  // namespace rhodes

#endif  // RHODES_PROJECT_CHECK_ENTITIES_H_
