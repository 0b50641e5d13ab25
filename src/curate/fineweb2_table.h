// The settings that FineWeb-2 has for each language, as they are.
#ifndef RHODES_CURATE_FINEWEB2_TABLE_H_
#define RHODES_CURATE_FINEWEB2_TABLE_H_

#include <cstddef>
#include <string_view>

namespace rhodes {

// One language a row, sorted by code; fields apart by tabs (named in the .cc file), then the stop words.
extern const std::string_view kFineWeb2Rows[];
extern const size_t kFineWeb2RowCount;

}  // namespace rhodes

#endif  // RHODES_CURATE_FINEWEB2_TABLE_H_
