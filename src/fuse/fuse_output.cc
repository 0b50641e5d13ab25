#include "fuse/fuse_output.h"

#include "table/part_list.h"

namespace rhodes {
namespace {

void FillDocument(const QueryResult& rows, size_t row, Document& document) {
  document.id = rows.String(0, row);
  document.text = rows.String(1, row);
  document.time.reset();
  if (!rows.IsNull(2, row)) document.time = rows.Int64(2, row);
  document.language = rows.IsNull(3, row) ? std::string_view() : rows.String(3, row);
  const std::vector<std::string_view> sources = rows.StringList(4, row);
  document.sources.assign(sources.begin(), sources.end());
  const std::vector<std::string_view> parents = rows.StringList(5, row);
  document.parents.assign(parents.begin(), parents.end());
  document.meta = rows.IsNull(6, row) ? std::string_view() : rows.String(6, row);
  document.spans.clear();
  for (const auto& [begin, end, parent] : rows.TripleList(7, row)) document.spans.push_back({begin, end, parent});
}

}  // namespace

absl::StatusOr<FuseOutput> FuseOutput::Open(const std::string& out) {
  ASSIGN_OR_RETURN(StagedDirectory documents, StagedDirectory::Open(out + "/documents"));
  ASSIGN_OR_RETURN(StagedDirectory state, StagedDirectory::Open(FuseStateDirectory(out)));
  FuseOutput output(std::move(documents), std::move(state));
  ASSIGN_OR_RETURN(output.writer_, DocumentWriter::Create(output.documents_.path()));
  ParquetPartWriter::Options units;
  units.directory = output.state_.path();
  units.columns = "\"row\" UBIGINT, unit UBIGINT";
  ASSIGN_OR_RETURN(output.units_, ParquetPartWriter::Create(units));
  return output;
}

absl::StatusOr<FuseOutput::Written> FuseOutput::Write(QueryResult& rows, const std::vector<bool>& clean,
                                                      const RunContext& context) {
  Written written;
  Document document;
  std::set<uint64_t> units;  // of the document at hand
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) break;
    RETURN_IF_ERROR(context.CheckCancelled());
    for (size_t row = 0; row < rows.row_count(); ++row) {
      const uint64_t unit = rows.UInt64(8, row);
      if (rows.String(0, row) != document.id) {
        RETURN_IF_ERROR(NoteUnits(units));
        units.clear();
        FillDocument(rows, row, document);
        ++written.documents;
        written.taken_over += clean[static_cast<size_t>(unit)] ? 1 : 0;
        written.text_bytes += document.text.size();
        RETURN_IF_ERROR(writer_->Append(document));
      }
      units.insert(unit);
    }
  }
  RETURN_IF_ERROR(NoteUnits(units));
  return written;
}

absl::Status FuseOutput::NoteUnits(const std::set<uint64_t>& units) {
  if (units.empty()) return absl::OkStatus();
  for (const uint64_t unit : units) {
    RowChunks& row = units_->row();
    row.SetUInt64(0, rows_);
    row.SetUInt64(1, unit);
    RETURN_IF_ERROR(units_->EndRow(16));
  }
  ++rows_;
  return absl::OkStatus();
}

absl::Status FuseOutput::Finish(FuseState& state) {
  RETURN_IF_ERROR(writer_->Finish());
  ASSIGN_OR_RETURN(const std::vector<PartInfo> units, units_->Finish());
  state.files = PartsToJson(writer_->parts());
  state.unit_files = PartsToJson(units);
  return absl::OkStatus();
}

absl::Status FuseOutput::Commit(const FuseState& state, Manifest manifest) {
  manifest.extra["files"] = state.files;
  RETURN_IF_ERROR(WriteFuseState(state_.path(), state));
  RETURN_IF_ERROR(WriteManifest(documents_.path(), manifest));
  // The state first: one that is not about the documents that are there is as good as none.
  RETURN_IF_ERROR(state_.Commit());
  return documents_.Commit();
}

}  // namespace rhodes
