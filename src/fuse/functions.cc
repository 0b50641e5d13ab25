#include "fuse/functions.h"

namespace rhodes {

absl::Status RegisterFuseFunctions(Database& database) {
  RETURN_IF_ERROR(RegisterPlaceFunctions(database));
  RETURN_IF_ERROR(RegisterStreamFunctions(database));
  return CreateFuseMacros(database);
}

}  // namespace rhodes
