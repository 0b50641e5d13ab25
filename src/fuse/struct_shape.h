// The type of a SQL argument as paths to its members.
#ifndef RHODES_FUSE_STRUCT_SHAPE_H_
#define RHODES_FUSE_STRUCT_SHAPE_H_

#include <duckdb.h>

#include <string>
#include <vector>

namespace rhodes {

// A member of a struct, or of a struct in it.
struct Member {
  std::string path;          // "car.speed"
  std::vector<idx_t> child;  // its index in each struct on the way
  duckdb_type type;
  duckdb_type stored = DUCKDB_TYPE_INVALID;  // of DECIMAL: the integer that holds it; of LIST: the child's type
  int scale = 0;                             // of DECIMAL
};

// All members of `type`, a struct, in the order of its definition, a struct before its members. Empty for other types.
std::vector<Member> MembersOf(duckdb_logical_type type);

}  // namespace rhodes

#endif  // RHODES_FUSE_STRUCT_SHAPE_H_
