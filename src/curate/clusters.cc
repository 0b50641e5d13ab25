#include "curate/clusters.h"

#include <cstring>

namespace rhodes {

absl::Status DocumentIds::Append(std::string_view id) {
  RETURN_IF_ERROR(bytes_.Append({reinterpret_cast<const uint8_t*>(id.data()), id.size()}));
  const uint64_t end = bytes_.size();
  uint8_t packed[sizeof(end)];
  std::memcpy(packed, &end, sizeof(end));
  return ends_.Append(packed);
}

absl::StatusOr<std::string> DocumentIds::Get(uint64_t ordinal) const {
  if (ordinal >= size()) {
    return absl::OutOfRangeError(fmt::format("clusters: document {} of {} has no id", ordinal, size()));
  }
  const auto end_of = [this](uint64_t which) -> absl::StatusOr<uint64_t> {
    uint8_t packed[sizeof(uint64_t)];
    RETURN_IF_ERROR(ends_.Read(which * sizeof(packed), packed));
    uint64_t end = 0;
    std::memcpy(&end, packed, sizeof(end));
    return end;
  };
  uint64_t begin = 0;
  if (ordinal > 0) {
    ASSIGN_OR_RETURN(begin, end_of(ordinal - 1));
  }
  ASSIGN_OR_RETURN(const uint64_t end, end_of(ordinal));
  std::string id(end - begin, '\0');
  RETURN_IF_ERROR(bytes_.Read(begin, {reinterpret_cast<uint8_t*>(id.data()), id.size()}));
  return id;
}

absl::StatusOr<std::vector<PartInfo>> WriteClusters(const NearVerdicts& verdicts, const DocumentIds& ids,
                                                    const std::string& directory) {
  ParquetPartWriter::Options options;
  options.directory = directory;
  options.columns = "cluster UBIGINT, id VARCHAR, kept_id VARCHAR";
  options.part_bytes = uint64_t{16} << 20;
  ASSIGN_OR_RETURN(const std::unique_ptr<ParquetPartWriter> writer, ParquetPartWriter::Create(options));
  for (uint64_t ordinal = 0; ordinal < verdicts.counts().documents; ++ordinal) {
    const NearVerdict verdict = verdicts.Of(ordinal);
    if (!verdict.in_cluster) continue;
    ASSIGN_OR_RETURN(const std::string id, ids.Get(ordinal));
    ASSIGN_OR_RETURN(const std::string kept_id, ids.Get(verdict.kept));
    writer->row().SetUInt64(0, verdict.kept);
    writer->row().SetString(1, id);
    writer->row().SetString(2, kept_id);
    RETURN_IF_ERROR(writer->EndRow(sizeof(uint64_t) + id.size() + kept_id.size()));
  }
  return writer->Finish();
}

}  // namespace rhodes
