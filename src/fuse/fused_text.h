// What render() and join_parts() give: a text, the records it was made from, and which piece of it is from which.
#ifndef RHODES_FUSE_FUSED_TEXT_H_
#define RHODES_FUSE_FUSED_TEXT_H_

#include <duckdb.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "record/document_table.h"

namespace rhodes {

// STRUCT(text VARCHAR, parents VARCHAR[], spans ...). To be destroyed.
duckdb_logical_type FusedTextType();
duckdb_logical_type SpansType();

// Fills a vector of that type, row after row. Not thread-safe.
class FusedTextWriter {
 public:
  struct Span {
    uint64_t begin;
    uint64_t end;
    uint64_t parent;
  };

  FusedTextWriter(duckdb_vector output, idx_t rows);
  // Spans that say no more than none would (each parent has the whole text) are left out.
  void Add(std::string_view text, const std::vector<std::string_view>& parents, const std::vector<Span>& spans);
  void AddNull();

 private:
  duckdb_vector output_;
  duckdb_vector text_;
  duckdb_vector parents_;
  duckdb_vector spans_;
  idx_t row_ = 0;
  idx_t parent_count_ = 0;
  idx_t parent_room_ = 0;
  idx_t span_count_ = 0;
  idx_t span_room_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_FUSE_FUSED_TEXT_H_
