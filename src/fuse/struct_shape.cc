#include "fuse/struct_shape.h"

namespace rhodes {
namespace {

void AddMembers(duckdb_logical_type type, const Member* around, std::vector<Member>& members) {
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    Member member;
    char* name = duckdb_struct_type_child_name(type, i);
    member.path = around == nullptr ? name : around->path + "." + name;
    duckdb_free(name);
    if (around != nullptr) member.child = around->child;
    member.child.push_back(i);
    duckdb_logical_type child = duckdb_struct_type_child_type(type, i);
    member.type = duckdb_get_type_id(child);
    if (member.type == DUCKDB_TYPE_DECIMAL) {
      member.stored = duckdb_decimal_internal_type(child);
      member.scale = duckdb_decimal_scale(child);
    } else if (member.type == DUCKDB_TYPE_LIST) {
      duckdb_logical_type element = duckdb_list_type_child_type(child);
      member.stored = duckdb_get_type_id(element);
      duckdb_destroy_logical_type(&element);
    }
    members.push_back(member);
    if (member.type == DUCKDB_TYPE_STRUCT) AddMembers(child, &member, members);
    duckdb_destroy_logical_type(&child);
  }
}

}  // namespace

std::vector<Member> MembersOf(duckdb_logical_type type) {
  std::vector<Member> members;
  if (duckdb_get_type_id(type) == DUCKDB_TYPE_STRUCT) AddMembers(type, nullptr, members);
  return members;
}

}  // namespace rhodes
